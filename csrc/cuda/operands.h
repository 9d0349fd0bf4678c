// Where a formula finds its tensors: one set of them, broadcast to one shape (Tensors), or many sets, each
// with a shape of its own (Groups).
#pragma once
#include "cpu/kernel.h"
#include "cuda/block_formula.h"
#include "cuda/called.h"
#include "cuda/divider.h"
#include "cuda/item.h"

namespace hornbeam {

enum class Access : int32_t { scalar, contiguous, strided, rows };

struct Source {
  const void* data;
  const int32_t* place;  // rows: where each of them, n[0] long, is among `n_rows` at `data`, or -1: then it is zero
  int64_t n_rows;
  DType dtype;
  Access access;
  int32_t rank, unused;  // strided: as Cover has it
  Divider n[kMaxRank];
  int64_t stride[kMaxRank];

  void set(const TensorRef& t, const Shape& result) {
    Cover cover;
    cover.set(t.shape, result);
    data = t.data;
    dtype = t.dtype;
    access = cover.is_scalar() ? Access::scalar : cover.is_whole() ? Access::contiguous : Access::strided;
    rank = cover.rank;
    for (int d = 0; d < rank; ++d) n[d] = Divider::of(cover.dim[d]), stride[d] = cover.stride[d];
  }
  void set_rows(const TensorRef& t, const int32_t* places, int64_t width) {
    data = t.data;
    dtype = t.dtype;
    access = Access::rows;
    place = places;
    n_rows = t.shape[0];
    n[0] = Divider::of(width);
  }

  template <class T> HB_INLINE void load(const Share& s, T* to) const {
    if (access == Access::contiguous) load_items<T, kWide>(data, dtype, s, to);
    else HB_ROLLED for (int k = 0; k < kWide; ++k) to[k] = s.has(k) ? load_one<T>(s.first + k * s.apart) : T(0);
  }

  // Where element i of the result is among the items at `data`; -1 for one of a row that is zero.
  HB_INLINE int64_t find_in_rows(int64_t i) const {
    const int64_t column = n[0].take(i), row = place[i];
    return row >= 0 && row < n_rows ? row * n[0].d + column : -1;
  }
  HB_INLINE int64_t find_by_strides(int64_t i, int rank) const {
    int64_t from = 0;
    for (int d = 0; d < rank; ++d) from += n[d].take(i) * stride[d];
    return from;
  }

 private:
  template <class T> HB_CALLED T load_one(int64_t i) const {
    const int64_t from = access == Access::rows ? find_in_rows(i) : find_by_strides(i, rank);
    return from >= 0 ? load_item<T>(data, dtype, from) : T(0);
  }
};

struct Sink {
  void* data;
  DType dtype;
  int32_t unused;
};

// Some elements that a block computes in one go.
struct Tile {
  int64_t begin;
  int32_t count, at;  // `at`: where their group is described

  static HB_INLINE Tile of(int64_t index, int64_t elements, int size, int at) {
    const int64_t begin = index * size, left = elements - begin;
    return {begin, left < size ? static_cast<int32_t>(left) : size, at};
  }
};

struct Tensors {
  int64_t n;  // elements of each output
  Source in[kMaxFusedInputs];
  Sink out[kMaxFusedOutputs];

  HB_INLINE int64_t tiles(int tile) const { return (n + tile - 1) / tile; }
  HB_INLINE Tile find(int64_t index, int tile) const { return Tile::of(index, n, tile, 0); }
  template <class T> HB_INLINE T uniform(int v) const { return load_item<T>(in[v].data, in[v].dtype, 0); }
  template <class T> HB_INLINE void load(int v, const Tile&, const Share& s, T* to) const { in[v].load(s, to); }
  template <class T> HB_INLINE void store(int j, const Tile&, const Share& s, const T* from, int step) const {
    store_items<T, kWide>(out[j].data, out[j].dtype, s, from, step);
  }
};

// Sets of tensors, each set of its own size: as many as a launch's arguments have room for. Tiles are counted through
// all of them.
struct Groups {
  static constexpr int kWords = 3000;
  int32_t n_groups, n_shared, n_each, n_out;
  DType in_dtype[kMaxFusedInputs], out_dtype[kMaxFusedOutputs];
  const void* shared[kMaxFusedInputs];
  // Of each group: its first tile, how many elements it has, which of its inputs are scalars, then its inputs' and its
  // outputs' addresses.
  int64_t word[kWords];

  HB_INLINE int words() const { return 3 + n_each + n_out; }
  HB_INLINE int capacity() const { return kWords / words(); }

  HB_INLINE int64_t tiles(int tile) const {
    const int64_t* last = word + (n_groups - 1) * words();
    return last[0] + (last[1] + tile - 1) / tile;
  }
  HB_INLINE Tile find(int64_t index, int tile) const {
    int group = 0;
    for (int high = n_groups; high - group > 1;) {
      const int middle = (group + high) / 2;
      (word[middle * words()] <= index ? group : high) = middle;
    }
    const int at = group * words();
    return Tile::of(index - word[at], word[at + 1], tile, at);
  }
  template <class T> HB_INLINE T uniform(int v) const { return load_item<T>(shared[v], in_dtype[v], 0); }
  template <class T> HB_INLINE void load(int v, const Tile& tile, Share s, T* to) const {
    const int k = v - n_shared;
    if (word[tile.at + 2] >> k & 1) s.first = 0, s.apart = 0;  // one for all
    load_items<T, kWide>(reinterpret_cast<const void*>(word[tile.at + 3 + k]), in_dtype[v], s, to);
  }
  template <class T> HB_INLINE void store(int j, const Tile& tile, const Share& s, const T* from, int step) const {
    void* to = reinterpret_cast<void*>(word[tile.at + 3 + n_each + j]);
    if (to) store_items<T, kWide>(to, out_dtype[j], s, from, step);
  }
};

}  // namespace hornbeam
