// What the text of a compiled formula includes (compiled/text.h): the elementwise interpreter's instructions, loads and
// stores, with all that the interpreter asks at run time known. NVRTC compiles it, without the C++ library, and g++.
#pragma once
#include "cuda/instruction.h"
#include "cuda/operands.h"

#define HB_UNROLLED _Pragma("GCC unroll 4")
#ifdef __CUDACC__
#undef HB_UNROLLED
#define HB_UNROLLED _Pragma("unroll")
#endif

namespace hornbeam::compiled {

constexpr int kThreads = 256;  // of a block

template <DType t> struct Stored;
#define HB_X(name, item) \
  template <> struct Stored<DType::name> { using type = item; };
HB_DTYPES(HB_X)
#undef HB_X

template <class T> HB_INLINE T constant(uint64_t bits) {
  T value;
  __builtin_memcpy(&value, &bits, sizeof value);
  return value;
}

template <class T, DType t> HB_INLINE T item(const void* data, int64_t i) {
  return convert<T>(static_cast<const typename Stored<t>::type*>(data)[i]);
}

// What a thread takes of a tile; 0 in the places of what the tile does not have.
template <DType t, class T, int N> HB_INLINE void load(const void* data, const Share& s, T (&to)[N]) {
  HB_UNROLLED for (int k = 0; k < N; ++k) to[k] = s.has(k) ? item<T, t>(data, s.first + k * s.apart) : T(0);
}
template <DType t, int rank, class T, int N>
HB_INLINE void load_strided(const Source& source, const Share& s, T (&to)[N]) {
  HB_UNROLLED for (int k = 0; k < N; ++k) to[k] =
      s.has(k) ? item<T, t>(source.data, source.find_by_strides(s.first + k * s.apart, rank)) : T(0);
}
template <DType t, class T, int N> HB_INLINE void load_rows(const Source& source, const Share& s, T (&to)[N]) {
  HB_UNROLLED for (int k = 0; k < N; ++k) {
    const int64_t from = s.has(k) ? source.find_in_rows(s.first + k * s.apart) : -1;
    to[k] = from >= 0 ? item<T, t>(source.data, from) : T(0);
  }
}
template <DType t, class T, int N> HB_INLINE void store(void* data, const Share& s, const T (&from)[N]) {
  using Item = typename Stored<t>::type;
  HB_UNROLLED for (int k = 0; k < N; ++k) if (s.has(k)) static_cast<Item*>(data)[s.first + k * s.apart] =
      convert<Item>(from[k]);
}

// Input k of a group, and its output j; a group may lack an output.
template <DType t, class T, int N>
HB_INLINE void load_of_group(const Groups& groups, int k, const Tile& tile, Share s, T (&to)[N]) {
  if (groups.word[tile.at + 2] >> k & 1) s.first = 0, s.apart = 0;  // one for all
  load<t>(reinterpret_cast<const void*>(groups.word[tile.at + 3 + k]), s, to);
}
template <DType t, class T, int N>
HB_INLINE void store_of_group(const Groups& groups, int j, const Tile& tile, const Share& s, const T (&from)[N]) {
  void* to = reinterpret_cast<void*>(groups.word[tile.at + 3 + groups.n_each + j]);
  if (to) store<t>(to, s, from);
}

// A formula F holds what is the same for all elements, and computes F::kElements of a tile.
template <class F>
HB_INLINE void run(const typename F::Operands& operands, int block, int blocks, int thread, int threads) {
  const F formula(operands);
  const int tile = threads * F::kElements;
  for (int64_t t = block; t < operands.tiles(tile); t += blocks) {
    const Tile part = operands.find(t, tile);
    formula.compute(operands, part, Share{part.begin + thread, threads, part.count - thread});
  }
}

}  // namespace hornbeam::compiled

// The kernel of a formula. Without a GPU's compiler, what one thread of it does, and the size of its argument.
#ifdef __CUDACC__
#define HB_FORMULA(F, name)                                                                         \
  extern "C" __global__ void __launch_bounds__(hornbeam::compiled::kThreads)                        \
      name(const __grid_constant__ F::Operands operands) {                                          \
    hornbeam::compiled::run<F>(operands, static_cast<int>(blockIdx.x), static_cast<int>(gridDim.x), \
                               static_cast<int>(threadIdx.x), static_cast<int>(blockDim.x));        \
  }
#else
#define HB_FORMULA(F, name)                                                                                            \
  extern "C" __attribute__((visibility("default"))) const unsigned long name##_bytes = sizeof(F::Operands);            \
  extern "C" __attribute__((visibility("default"))) void name(const void* operands, int block, int blocks, int thread, \
                                                              int threads) {                                           \
    hornbeam::compiled::run<F>(*static_cast<const F::Operands*>(operands), block, blocks, thread, threads);            \
  }
#endif
