// The one loop behind everything that only moves data (ops/copy_loops.h).
//
// Dims that run together on both sides are merged. Of what is left, two dims are handed to a 2-D
// kernel (runs of bytes, a transpose by register blocks, or a plain strided loop) and the others count.
#pragma once
#include "cpu/parallel.h"
#include "cpu/shuffle.h"
#include "ops/copy_loops.h"

HB_CPU_BEGIN

// ---- 2-D kernels: a in [0, na), b in [0, nb), dst[a*da + b*db] = src[a*sa + b*sb] -------------------

struct Loop2 { int64_t na, nb, sa, da, sb, db; };

template <int N>
HB_INLINE void copy_fixed(char* d, const char* s) {
  char t[N];
  __builtin_memcpy(t, s, N);
  __builtin_memcpy(d, t, N);
}

// A short run of N to 2N bytes: two moves that overlap, instead of a call.
template <int N>
HB_INLINE void copy_overlapped(char* d, const char* s, int64_t bytes) {
  char head[N], tail[N];
  __builtin_memcpy(head, s, N);
  __builtin_memcpy(tail, s + bytes - N, N);
  __builtin_memcpy(d, head, N);
  __builtin_memcpy(d + bytes - N, tail, N);
}

HB_INLINE void copy_run(char* d, const char* s, int64_t bytes) {
  if (bytes > 64) __builtin_memcpy(d, s, static_cast<unsigned long>(bytes));
  else if (bytes >= 32) copy_overlapped<32>(d, s, bytes);
  else if (bytes >= 16) copy_overlapped<16>(d, s, bytes);
  else if (bytes >= 8) copy_overlapped<8>(d, s, bytes);
  else if (bytes >= 4) copy_overlapped<4>(d, s, bytes);
  else if (bytes >= 2) copy_overlapped<2>(d, s, bytes);
  else if (bytes == 1) *d = *s;
}

template <class T>
static void copy_runs(const Loop2& k, const T* src, T* dst) {
  for (int64_t a = 0; a < k.na; ++a)
    copy_run(reinterpret_cast<char*>(dst + a * k.da), reinterpret_cast<const char*>(src + a * k.sa),
             k.nb * static_cast<int64_t>(sizeof(T)));
}

template <class T>
static void copy_strided(const Loop2& k, const T* src, T* dst) {
  for (int64_t a = 0; a < k.na; ++a) {
    const T* s = src + a * k.sa;
    T* d = dst + a * k.da;
    if (k.sb == 0 && k.db == 1) {
      const T v = *s;
      for (int64_t b = 0; b < k.nb; ++b) d[b] = v;
    } else if (k.sb == -1 && k.db == 1) {
      for (int64_t b = 0; b < k.nb; ++b) d[b] = s[-b];
    } else {
      for (int64_t b = 0; b < k.nb; ++b) d[b * k.db] = s[b * k.sb];
    }
  }
}

// Transposes have sa == db == 1: src runs along a, dst along b.

// Lane l of vector J of K streams woven into one is lane (J L + l) / K of stream (J L + l) % K.
template <class T, int K, int J, int B = 0, int... I>
HB_INLINE Vec<T> woven(Vec<T> out, const Vec<T> (&stream)[K], Indices<I...> lanes) {
  constexpr int L = kLanes<T>;
  if constexpr (B == K) {
    return out;
  } else {
    out = __builtin_shufflevector(out, stream[B], ((J * L + I) % K == B ? L + (J * L + I) / K : I)...);
    return woven<T, K, J, B + 1>(out, stream, lanes);
  }
}
template <class T, int K, int J = 0>
HB_INLINE void store_woven(T* dst, const Vec<T> (&stream)[K]) {
  if constexpr (J < K) {
    store(dst + J * kLanes<T>, woven<T, K, J>(stream[0], stream, UpTo<kLanes<T>>{}));
    store_woven<T, K, J + 1>(dst, stream);
  }
}

// One side is K items wide: interleave K streams into one, or the other way round.
template <class T, int K>
static void interleave(const Loop2& k, const T* __restrict src, T* __restrict dst) {
  int64_t a = 0;
  if (k.da == K) {
    constexpr int L = kLanes<T>;
    for (; a + L <= k.na; a += L) {
      Vec<T> stream[K];
      for (int b = 0; b < K; ++b) stream[b] = load(src + b * k.sb + a);
      store_woven<T, K>(dst + a * K, stream);
    }
  }
  for (; a < k.na; ++a)
    for (int b = 0; b < K; ++b) dst[a * k.da + b] = src[b * k.sb + a];
}
template <class T, int K>
static void deinterleave(const Loop2& k, const T* __restrict src, T* __restrict dst) {
  for (int64_t b = 0; b < k.nb; ++b)
    for (int a = 0; a < K; ++a) dst[a * k.da + b] = src[b * k.sb + a];
}

// L rows of L items, transposed by log2(L) rounds of interleaving row i with row i + L/2.
template <class T, int L>
struct Block {
  typedef T Row __attribute__((vector_size(L * sizeof(T)), aligned(sizeof(T)), may_alias));
  Row row[L];

  HB_INLINE void load(const T* p, int64_t stride) {
    for (int i = 0; i < L; ++i) row[i] = *reinterpret_cast<const Row*>(p + i * stride);
  }
  HB_INLINE void store(T* p, int64_t stride) const {
    for (int i = 0; i < L; ++i) *reinterpret_cast<Row*>(p + i * stride) = row[i];
  }
  HB_INLINE void transpose() {
    for (int round = 1; round < L; round *= 2) {
      Row next[L];
      for (int i = 0; i < L / 2; ++i) {
        next[2 * i] = zip<0, Row>(row[i], row[i + L / 2], UpTo<L>{});
        next[2 * i + 1] = zip<L / 2, Row>(row[i], row[i + L / 2], UpTo<L>{});
      }
      for (int i = 0; i < L; ++i) row[i] = next[i];
    }
  }
};

// The last block of a row or column is moved back to end with it: items twice copied, no tails.
template <class T, int L>
static void transpose_blocks(const Loop2& k, const T* src, T* dst) {
  for (int64_t a0 = 0; a0 < k.na; a0 += L) {
    const int64_t a = smaller(a0, k.na - L);
    for (int64_t b0 = 0; b0 < k.nb; b0 += L) {
      const int64_t b = smaller(b0, k.nb - L);
      Block<T, L> block;
      block.load(src + b * k.sb + a, k.sb);
      block.transpose();
      block.store(dst + a * k.da + b, k.da);
    }
  }
}

// One vector by as many rows; of small items, what 16 narrow registers hold.
template <class T>
constexpr int kBlock = sizeof(T) == 1   ? 16
                       : sizeof(T) == 2 ? 8
                                        : kLanes<T>;

template <class T>
static void transpose2(const Loop2& k, const T* src, T* dst) {
  const int64_t least = smaller(k.na, k.nb);
  if (least >= kBlock<T>) return transpose_blocks<T, kBlock<T>>(k, src, dst);
  if constexpr (kBlock<T> > 8)
    if (least >= 8) return transpose_blocks<T, 8>(k, src, dst);
  if constexpr (kBlock<T> > 4)
    if (least >= 4) return transpose_blocks<T, 4>(k, src, dst);
  if (k.nb == 2) return interleave<T, 2>(k, src, dst);
  if (k.nb == 3) return interleave<T, 3>(k, src, dst);
  if (k.na == 2) return deinterleave<T, 2>(k, src, dst);
  if (k.na == 3) return deinterleave<T, 3>(k, src, dst);
  copy_strided(k, src, dst);
}

// Rows of nb items each, contiguous on both sides.
template <class T>
static void copy_rows(const Loop2& k, const T* src, T* dst) {
  if (k.nb > 1) return copy_runs(k, src, dst);
  for (int64_t a = 0; a < k.na; ++a) dst[a * k.da] = src[a * k.sa];
}

// ---- the nest -------------------------------------------------------------------------------------

constexpr int64_t kPieceBytes = 32 * 1024, kSquare = 64;

template <class T>
static void strided_copy(const KernelCall& call, const CopyLoops& loops, const T* src, T* dst) {
  int rank = loops.rank;
  for (int i = 0; i < rank; ++i)
    if (loops.n[i] == 0) return;

  // The 2-D kernel takes the innermost loop as b, and as a the one that src runs along (a transpose),
  // or the next one.
  const int ib = rank - 1;
  int ia = rank - 2;
  void (*kernel)(const Loop2&, const T*, T*) = copy_strided<T>;
  bool transposed = false;
  Loop2 whole = {1, 1, 1, 1, 1, 1};
  if (ib >= 0) {
    whole = {1, loops.n[ib], 0, 0, loops.src[ib], loops.dst[ib]};
    if (whole.db == 1 && whole.sb == 1) {
      kernel = copy_runs<T>;
    } else if (whole.db == 1 && whole.sb != 0) {
      for (int i = 0; i < ib; ++i)
        if (loops.src[i] == 1) ia = i, kernel = transpose2<T>, transposed = true;
    }
    if (ia >= 0) whole.na = loops.n[ia], whole.sa = loops.src[ia], whole.da = loops.dst[ia];
  }
  // A piece is as wide as it can be for a copy, and closer to a square for a transpose. Cut evenly, so
  // that no piece is narrower than a block while the whole is not.
  const int64_t piece = kPieceBytes / static_cast<int64_t>(sizeof(T));
  const int64_t cut_b = ceil_div(whole.nb, transposed ? larger(kSquare, piece / whole.na) : piece);
  const int64_t cut_a = ceil_div(whole.na, larger(1, piece / ceil_div(whole.nb, cut_b)));

  int64_t units = cut_a * cut_b;
  int outer[CopyLoops::kMax], n_outer = 0;
  for (int i = 0; i < rank; ++i)
    if (i != ia && i != ib) outer[n_outer++] = i, units *= loops.n[i];
  const int64_t piece_items = ceil_div(whole.na, cut_a) * ceil_div(whole.nb, cut_b);
  const int64_t grain = larger(1, 4 * piece / piece_items);

  parallel_pieces(call, units, grain, [&](int64_t begin, int64_t end) {
    for (int64_t u = begin; u < end; ++u) {
      int64_t rest = u;
      const int64_t piece_b = rest % cut_b;
      rest /= cut_b;
      const int64_t piece_a = rest % cut_a;
      rest /= cut_a;
      const T* s = src + loops.src_first;
      T* d = dst + loops.dst_first;
      for (int i = n_outer - 1; i >= 0; --i) {
        const int64_t n = loops.n[outer[i]], index = rest % n;
        rest /= n;
        s += index * loops.src[outer[i]];
        d += index * loops.dst[outer[i]];
      }
      const int64_t a = whole.na * piece_a / cut_a, b = whole.nb * piece_b / cut_b;
      Loop2 k = whole;
      k.na = whole.na * (piece_a + 1) / cut_a - a;
      k.nb = whole.nb * (piece_b + 1) / cut_b - b;
      kernel(k, s + a * whole.sa + b * whole.sb, d + a * whole.da + b * whole.db);
    }
  });
}

// Every item of dst becomes `value`.
template <class T>
static void fill_items(const KernelCall& call, T* dst, int64_t count, T value) {
  parallel_pieces(call, count, 256 * 1024 / static_cast<int64_t>(sizeof(T)), [&](int64_t begin, int64_t end) {
    if (value == 0) {
      __builtin_memset(dst + begin, 0, static_cast<unsigned long>(end - begin) * sizeof(T));
    } else {
      for (int64_t i = begin; i < end; ++i) dst[i] = value;
    }
  });
}

// dst has shape `outer`; the box of shape `inner` that begins at `at` is left alone, and everything
// around it becomes `value`: two slabs per axis, none of them overlapping.
template <class T>
static void fill_around(const KernelCall& call, T* dst, const Shape& outer, const Shape& inner, const int64_t* at,
                        T value) {
  for (int axis = 0; axis < outer.rank; ++axis) {
    const int64_t after = at[axis] + inner[axis];
    const int64_t from[2] = {0, after}, count[2] = {at[axis], outer[axis] - after};
    for (int side = 0; side < 2; ++side) {
      CopyLoops loops;
      int64_t offset = 0;
      for (int i = 0; i < outer.rank; ++i) {
        const int64_t stride = outer.count(i + 1, outer.rank);
        loops.add(i < axis ? inner[i] : i == axis ? count[side] : outer[i], 0, stride);
        offset += stride * (i < axis ? at[i] : i == axis ? from[side] : 0);
      }
      strided_copy(call, loops, &value, dst + offset);
    }
  }
}

HB_CPU_END
