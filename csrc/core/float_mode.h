// Whether numbers below the smallest normal one count as zero: a property of a thread. Arithmetic with them is a
// hundred times slower on many CPUs, and the moments of an optimizer decay into them and stay.
#pragma once
#include <cstdint>

namespace hornbeam {

#if defined(__x86_64__)
using FloatMode = uint32_t;
constexpr FloatMode kFlush = 0x8040;  // results and operands
inline FloatMode control_register() { return __builtin_ia32_stmxcsr(); }
inline void set_control_register(FloatMode value) { __builtin_ia32_ldmxcsr(value); }
#elif defined(__aarch64__)
using FloatMode = uint64_t;
constexpr FloatMode kFlush = FloatMode{1} << 24;
inline FloatMode control_register() {
  FloatMode value;
  asm volatile("mrs %0, fpcr" : "=r"(value));
  return value;
}
inline void set_control_register(FloatMode value) { asm volatile("msr fpcr, %0" : : "r"(value)); }
#else
using FloatMode = uint32_t;
constexpr FloatMode kFlush = 0;
inline FloatMode control_register() { return 0; }
inline void set_control_register(FloatMode) {}
#endif

inline FloatMode float_mode() { return control_register() & kFlush; }
inline void set_float_mode(FloatMode mode) { set_control_register((control_register() & ~kFlush) | mode); }

// In this scope they count as zero, on this thread and those that work for it (thread_pool.h).
class FlushDenormals {
 public:
  explicit FlushDenormals(bool on) : before_(float_mode()), on_(on) {
    if (on_) set_float_mode(kFlush);
  }
  ~FlushDenormals() {
    if (on_) set_float_mode(before_);
  }
  FlushDenormals(const FlushDenormals&) = delete;
  FlushDenormals& operator=(const FlushDenormals&) = delete;

 private:
  FloatMode before_;
  bool on_;
};

}  // namespace hornbeam
