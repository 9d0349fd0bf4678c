// The contract between a Plan and a CPU kernel. Plain data only: kernel files are compiled once per
// instruction set with wider flags, so nothing here may instantiate library templates.
#pragma once
#include "core/shape.h"

namespace hornbeam {

// All tensors are row-major and contiguous. At bind `data` is null and only dtype and shape count.
// An input that was not given, and an output that nobody reads, have `present == false`.
struct TensorRef {
  void* data = nullptr;
  DType dtype = DType::float32;
  bool present = false;
  Shape shape;
  bool steady = false;  // an input that stays the same from run to run: its packing is kept

  template <class T> HB_INLINE T* as() const { return static_cast<T*>(data); }
  HB_INLINE int64_t bytes() const { return shape.count() * item_size(dtype); }
};

// Runs fn(ctx, i) for every i in [0, count), on the pool's threads and the caller's.
// Tasks must be cut by shape alone, never by thread count: results must not depend on it.
struct TaskRunner {
  void (*parallel)(int64_t count, void (*fn)(void* ctx, int64_t task), void* ctx);
  // Whether the run was interrupted: then nobody reads what this task leaves, and it may return. Tasks of more than a
  // few milliseconds ask now and then.
  bool (*interrupted)();
};

// Random numbers are a pure function of (seed, run, steps of the scans around, element); see core/philox.h. `path`
// stands for the steps: 0 outside of scans. It is a constant of the call, while `run` is another at each run of it:
// where a call is recorded once, a device reads the run in its own memory, at `device_run`.
struct RunInfo {
  uint64_t run = 0, path = 0;
  const uint64_t* device_run = nullptr;
};

struct Lane;  // the device's own: csrc/cuda/lane.h

struct KernelCall {
  const void* attrs = nullptr;  // the op's attribute struct, from ops/<family>.h
  int32_t n_in = 0, n_out = 0;
  const TensorRef* in = nullptr;
  const TensorRef* out = nullptr;
  char* workspace = nullptr;            // 64-byte aligned, uninitialised, as large as `workspace` asked
  const void* const* packed = nullptr;  // packed[i]: packed form of input i (see Kernel::pack)
  const TaskRunner* tasks = nullptr;
  const RunInfo* run_info = nullptr;
  Lane* lane = nullptr;  // what a device's kernels put their work into; the host has none
  int32_t tf32 = 0;      // whether a device may multiply float32 with 10 bits of mantissa (core/target.h)
};

// The data of a tensor that may be absent, and of an input that the op may do without: null then.
template <class T> HB_INLINE T* data_of(const TensorRef& t) { return t.present ? t.as<T>() : nullptr; }
template <class T> HB_INLINE T* input_of(const KernelCall& c, int i) {
  return i < c.n_in ? data_of<T>(c.in[i]) : nullptr;
}

// Kernel::supports of kernels that compute in float32 and float64; float16 is a form of storage.
[[maybe_unused]] static bool supports_floats(const KernelCall& c) { return item_size(c.in[0].dtype) >= 4; }

// One way to run one op. Several kernels may serve an op: the first whose `supports` agrees is chosen
// at bind. Every function may read attrs, shapes and dtypes; only pack and run may read data.
struct Kernel {
  const char* op;
  const char* name;                                   // "direct", "winograd4x4", ...: shown in the plan
  bool (*supports)(const KernelCall&) = nullptr;      // null: always
  int64_t (*workspace)(const KernelCall&) = nullptr;  // bytes; null: none
  void (*run)(const KernelCall&) = nullptr;
  // Weights that are repacked before use: `run` reads call.packed[pack_input], and the input's data at most where it
  // does without the packing. The Plan keeps packings of unchanged variables and constants, and makes others just
  // before each run. A kernel packs at most one input; the packing may depend on attrs, shapes and dtypes.
  int32_t pack_input = -1;
  int64_t (*packed_bytes)(const KernelCall&) = nullptr;
  void (*pack)(const KernelCall&, void* dst) = nullptr;
};

// What each csrc/cpu/<family>.cpp exports, as `kernels_<family>` in its ISA's namespace.
struct KernelList {
  const Kernel* items;
  int32_t count;
};

// A whole instruction set's kernels.
struct KernelTable {
  const char* isa;  // "baseline", "avx2", "avx512", "neon"
  const KernelList* const* lists;
  int32_t count;
};

}  // namespace hornbeam
