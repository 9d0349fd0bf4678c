// Carries out a nest of loops (ops/copy_loops.h): a thread per item, or tiles where both sides run along different
// loops.
#pragma once
#include "core/dispatch.h"
#include "cuda/divider.h"
#include "cuda/gpu.h"
#include "ops/copy_loops.h"

namespace hornbeam {

struct Offsets { int64_t src, dst; };

// From the number of an iteration to where its items lie.
struct Walk {
  int32_t rank = 0, unused = 0;
  Divider n[CopyLoops::kMax];
  int64_t src[CopyLoops::kMax] = {}, dst[CopyLoops::kMax] = {};

  static Walk of(const CopyLoops& loops) {
    Walk w;
    for (int i = 0; i < loops.rank; ++i) w.add(loops, i);
    return w;
  }
  void add(const CopyLoops& loops, int i) {
    n[rank] = Divider::of(loops.n[i]);
    src[rank] = loops.src[i];
    dst[rank++] = loops.dst[i];
  }
  HB_INLINE Offsets operator()(int64_t i) const {
    Offsets at{0, 0};
    for (int d = rank - 1; d >= 0; --d) {
      const int64_t index = n[d].take(i);
      at.src += index * src[d];
      at.dst += index * dst[d];
    }
    return at;
  }
};

template <class T> static void copy_items(Lane& lane, const char* name, const CopyLoops& loops, const T* src, T* dst) {
  const Walk walk = Walk::of(loops);
  each(lane, name, loops.count(), [=] GPU_LAMBDA(int64_t i) {
    const Offsets at = walk(i);
    dst[at.dst] = src[at.src];
  });
}

// ---- transposes ---------------------------------------------------------------------------------------

constexpr int kTileSide = 32, kTileRows = 8;

// The loop `a` along which src runs and the loop `b` along which dst does, cut into squares.
struct Turn {
  int64_t n_a, n_b, src_b, dst_a;
  Divider tiles_a, tiles_b;
  Walk outer;
};

// Reads and writes both run along lines of memory; the square is turned in between.
template <class T> __global__ void __launch_bounds__(kTileSide* kTileRows)
    turn_tiles(GPU_PARAM Turn p, const T* src, T* dst) {
  GPU_SHARED(T, tile);
  constexpr int kLine = kTileSide + 1;  // so that a column lies in all banks
  const int x = static_cast<int>(threadIdx.x), y = static_cast<int>(threadIdx.y);
  int64_t rest = blockIdx.x;
  const int64_t b0 = p.tiles_b.take(rest) * kTileSide, a0 = p.tiles_a.take(rest) * kTileSide;
  const Offsets at = p.outer(rest);
  for (int r = y; r < kTileSide; r += kTileRows)
    if (b0 + r < p.n_b && a0 + x < p.n_a) tile[r * kLine + x] = src[at.src + (b0 + r) * p.src_b + a0 + x];
  __syncthreads();
  for (int r = y; r < kTileSide; r += kTileRows)
    if (a0 + r < p.n_a && b0 + x < p.n_b) dst[at.dst + (a0 + r) * p.dst_a + b0 + x] = tile[x * kLine + r];
}

// The loop along which src runs, where another one than dst's and both are long enough for tiles; else -1.
static inline int turned_loop(const CopyLoops& loops) {
  const int b = loops.rank - 1;
  if (b < 1 || loops.dst[b] != 1 || loops.src[b] == 0 || loops.n[b] < kTileRows) return -1;
  for (int a = 0; a < b; ++a)
    if (loops.src[a] == 1 && loops.n[a] >= kTileRows) return a;
  return -1;
}

template <class T>
static void copy_turned(Lane& lane, const char* name, const CopyLoops& loops, int a, const T* src, T* dst) {
  const int b = loops.rank - 1;
  const int64_t tiles_a = (loops.n[a] + kTileSide - 1) / kTileSide, tiles_b = (loops.n[b] + kTileSide - 1) / kTileSide;
  Turn p{loops.n[a], loops.n[b], loops.src[b], loops.dst[a], Divider::of(tiles_a), Divider::of(tiles_b), {}};
  int64_t blocks = tiles_a * tiles_b;
  for (int i = 0; i < b; ++i) {
    if (i == a) continue;
    p.outer.add(loops, i);
    blocks *= loops.n[i];
  }
  launch(lane, name, turn_tiles<T>, dim3(static_cast<unsigned>(blocks)), dim3(kTileSide, kTileRows),
         sizeof(T) * kTileSide * (kTileSide + 1), p, src, dst);
}

// ---- any -----------------------------------------------------------------------------------------------

struct alignas(16) Item16 { uint64_t low, high; };

// Makes items as wide as runs, strides and addresses allow, up to 16 bytes; gives their new size.
static inline int64_t widen(CopyLoops& loops, int64_t item, const void* src, const void* dst) {
  const int last = loops.rank - 1;
  if (last < 0 || loops.src[last] != 1 || loops.dst[last] != 1) return item;
  const auto addresses = reinterpret_cast<uintptr_t>(src) | reinterpret_cast<uintptr_t>(dst);
  uint64_t all = static_cast<uint64_t>(loops.n[last] | loops.src_first | loops.dst_first);  // whose factors of 2 count
  for (int i = 0; i < last; ++i) all |= static_cast<uint64_t>(loops.src[i] | loops.dst[i]);
  int64_t factor = 1;
  while (factor * item < 16 && all % (2 * factor) == 0 && addresses % (2 * factor * item) == 0) factor *= 2;
  loops.n[last] /= factor, loops.src_first /= factor, loops.dst_first /= factor;
  for (int i = 0; i < last; ++i) loops.src[i] /= factor, loops.dst[i] /= factor;
  return factor * item;
}

template <class T>
static void copy_loops(Lane& lane, const char* name, const CopyLoops& loops, const void* src, void* dst) {
  const T* from = static_cast<const T*>(src) + loops.src_first;
  T* to = static_cast<T*>(dst) + loops.dst_first;
  const int a = turned_loop(loops);
  if (a >= 0) copy_turned(lane, name, loops, a, from, to);
  else copy_items(lane, name, loops, from, to);
}

static inline void strided_copy(Lane& lane, const char* name, CopyLoops loops, DType t, const void* src, void* dst) {
  if (loops.count() == 0) return;
  switch (widen(loops, item_size(t), src, dst)) {
    case 1: return copy_loops<uint8_t>(lane, name, loops, src, dst);
    case 2: return copy_loops<uint16_t>(lane, name, loops, src, dst);
    case 4: return copy_loops<uint32_t>(lane, name, loops, src, dst);
    case 8: return copy_loops<uint64_t>(lane, name, loops, src, dst);
    default: return copy_loops<Item16>(lane, name, loops, src, dst);
  }
}

}  // namespace hornbeam
