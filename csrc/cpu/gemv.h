// Products of few rows of A with a B that is read once where it lies: bound by memory, so B is read in
// long runs of consecutive bytes and nothing is packed.
#pragma once
#include "cpu/gemm.h"

HB_CPU_BEGIN

constexpr int kGemvRows = 4;  // of A, at most

// The k rows of B that one pass over c takes: c is read and written once for all of them.
template <int M>
constexpr int kGemvDepth = M == 1 ? 8 : 4;

// c[i, 0:n] += sum over R rows of b of a[i * a_row + r * a_col] * b[r, 0:n], r ascending.
template <class T, int M, int R>
HB_INLINE void gemv_pass(int64_t n, const T* a, int64_t a_row, int64_t a_col, const T* b, int64_t ldb, T* c,
                         int64_t ldc) {
  constexpr int L = kLanes<T>;
  Vec<T> x[M][R];
  for (int i = 0; i < M; ++i)
    for (int r = 0; r < R; ++r) x[i][r] = splat(a[i * a_row + r * a_col]);
  const auto columns = [&](int64_t j, auto get, auto put) {
    Vec<T> sum[M];
#pragma GCC unroll 4
    for (int i = 0; i < M; ++i) sum[i] = get(c + i * ldc + j);
#pragma GCC unroll 8
    for (int r = 0; r < R; ++r) {
      const Vec<T> v = get(b + r * ldb + j);
#pragma GCC unroll 4
      for (int i = 0; i < M; ++i) sum[i] = fma<T>(x[i][r], v, sum[i]);
    }
#pragma GCC unroll 4
    for (int i = 0; i < M; ++i) put(c + i * ldc + j, sum[i]);
  };
  int64_t j = 0;
  for (; j + L <= n; j += L) columns(j, [](const T* p) { return load(p); }, [](T* p, Vec<T> v) { store(p, v); });
  if (j < n) {
    const int w = static_cast<int>(n - j);
    columns(j, [w](const T* p) { return load_tail(p, w); }, [w](T* p, Vec<T> v) { store_tail(p, v, w); });
  }
}

// c[0:M, 0:n] = a b for a row-major b.
template <class T, int M>
static void gemv_straight(int64_t n, int64_t k, const T* a, int64_t a_row, int64_t a_col, const T* b, int64_t ldb, T* c,
                          int64_t ldc) {
  constexpr int R = kGemvDepth<M>;
  for (int i = 0; i < M; ++i)
    for (int64_t j = 0; j < n; ++j) c[i * ldc + j] = 0;
  int64_t p = 0;
  for (; p + R <= k; p += R) gemv_pass<T, M, R>(n, a + p * a_col, a_row, a_col, b + p * ldb, ldb, c, ldc);
  for (; p < k; ++p) gemv_pass<T, M, 1>(n, a + p * a_col, a_row, a_col, b + p * ldb, ldb, c, ldc);
}

template <class T>
HB_INLINE T sum_lanes(Vec<T> v) {
  T s = 0;
  for (int i = 0; i < kLanes<T>; ++i) s += v[i];
  return s;
}

// c[i, 0:R] = dot products of rows of a with R rows of b.
template <class T, int M, int R>
HB_INLINE void gemv_dots(int64_t k, const T* a, int64_t a_row, const T* b, int64_t ldb, T* c, int64_t ldc) {
  constexpr int L = kLanes<T>;
  Vec<T> sum[M][R] = {};
  const auto step = [&](int64_t p, auto get) {
    Vec<T> x[M];
#pragma GCC unroll 4
    for (int i = 0; i < M; ++i) x[i] = get(a + i * a_row + p);
#pragma GCC unroll 8
    for (int r = 0; r < R; ++r) {
      const Vec<T> v = get(b + r * ldb + p);
#pragma GCC unroll 4
      for (int i = 0; i < M; ++i) sum[i][r] = fma<T>(x[i], v, sum[i][r]);
    }
  };
  int64_t p = 0;
  for (; p + L <= k; p += L) step(p, [](const T* q) { return load(q); });
  if (p < k) {
    const int w = static_cast<int>(k - p);
    step(p, [w](const T* q) { return load_tail(q, w); });
  }
  for (int i = 0; i < M; ++i)
    for (int r = 0; r < R; ++r) c[i * ldc + r] = sum_lanes<T>(sum[i][r]);
}

// c[0:M, 0:n] = a b for a b whose columns lie in memory as rows, ldb apart; so do a's rows.
template <class T, int M>
static void gemv_turned(int64_t n, int64_t k, const T* a, int64_t a_row, const T* b, int64_t ldb, T* c, int64_t ldc) {
  constexpr int R = M == 1 ? 4 : 2;
  int64_t j = 0;
  for (; j + R <= n; j += R) gemv_dots<T, M, R>(k, a, a_row, b + j * ldb, ldb, c + j, ldc);
  for (; j < n; ++j) gemv_dots<T, M, 1>(k, a, a_row, b + j * ldb, ldb, c + j, ldc);
}

template <int N>
struct Count {
  static constexpr int value = N;
};

// c[0:m, 0:n] = a b, m <= kGemvRows. b_row or b_col is 1; where b_row is, a_col must be 1 as well.
template <class T>
static void gemv(int64_t m, int64_t n, int64_t k, MatView<T> a, MatView<T> b, T* c, int64_t ldc) {
  const auto rows = [&](auto count) {
    constexpr int M = decltype(count)::value;
    if (b.col == 1) gemv_straight<T, M>(n, k, a.data, a.row, a.col, b.data, b.row, c, ldc);
    else gemv_turned<T, M>(n, k, a.data, a.row, b.data, b.col, c, ldc);
  };
  switch (m) {
    case 1: return rows(Count<1>{});
    case 2: return rows(Count<2>{});
    case 3: return rows(Count<3>{});
    case 4: return rows(Count<4>{});
  }
}

HB_CPU_END
