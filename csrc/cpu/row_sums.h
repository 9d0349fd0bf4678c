// What softmax and cross entropy need of one row: its maximum, and sums of terms made on the fly.
#pragma once
#include "cpu/lanes.h"
#include "cpu/sums.h"
#include "cpu/vmath.h"

HB_CPU_BEGIN

// f(i, k) for the vectors of a row: elements [i, i + k).
template <class T, class F>
HB_INLINE void each_vector(int64_t n, const F& f) {
  int64_t i = 0;
  for (; i + kLanes<T> <= n; i += kLanes<T>) f(i, kLanes<T>);
  if (i < n) f(i, static_cast<int>(n - i));
}

// Sum of term(i, k) over a row; lanes from k on must be 0. Lanes add at most 16 terms in a row, blocks join
// in a compensated sum: the error stays below 24 roundings of the sum of magnitudes.
template <class T, class F>
HB_INLINE T sum_terms(int64_t n, const F& term) {
  constexpr int L = kLanes<T>, kBlock = 64 * L;
  const auto plus = [](auto a, auto b) { return a + b; };
  if (n <= L) return fold<T>(term(0, static_cast<int>(n)), plus);
  VectorSum<T> total{};
  for (int64_t from = 0; from < n; from += kBlock) {
    const int64_t to = from + kBlock < n ? from + kBlock : n;
    Vec<T> part[4] = {};
    int64_t i = from;
    for (; i + 4 * L <= to; i += 4 * L)
      for (int u = 0; u < 4; ++u) part[u] += term(i + u * L, L);
    for (; i + L <= to; i += L) part[0] += term(i, L);
    if (i < to) part[1] += term(i, static_cast<int>(to - i));
    total.add((part[0] + part[1]) + (part[2] + part[3]));
  }
  return fold<T>(total.value(), plus);
}

// NaN may be lost: whoever subtracts this from the row finds it again.
template <class T>
HB_INLINE T row_max(const T* x, int64_t n) {
  constexpr int L = kLanes<T>;
  const auto larger = [](auto a, auto b) { return a > b ? a : b; };
  if (n <= L) return fold<T>(load_some<T>(x, static_cast<int>(n), -kInf<T>), larger);
  Vec<T> top[4];
  for (Vec<T>& t : top) t = splat<T>(-kInf<T>);
  int64_t i = 0;
  for (; i + 4 * L <= n; i += 4 * L)
    for (int u = 0; u < 4; ++u) top[u] = larger(load(x + i + u * L), top[u]);
  for (; i + L <= n; i += L) top[0] = larger(load(x + i), top[0]);
  if (i < n) top[1] = larger(load_tail<T>(x + i, static_cast<int>(n - i), -kInf<T>), top[1]);
  return fold<T>(larger(larger(top[0], top[1]), larger(top[2], top[3])), larger);
}

// exp of x <= 0 within 1.5 ulp (2 in double), but 0 below the normal numbers: beside a largest term of 1
// they do not count.
template <class T>
HB_INLINE Vec<T> exp_below_zero(Vec<T> x) {
  constexpr T kLeast = sizeof(T) == 4 ? T(-87) : T(-708);
  const ExpParts<T> e = exp_parts<T>(at_least<T>(x, kLeast));
  return x < kLeast ? Vec<T>{} : (e.expm1_r + T(1)) * pow2<T>(e.n);
}

// Sum of exp(x - top) over a row, where top is its maximum; softmax goes to `p` unless that is null.
template <class T>
HB_INLINE T softmax_row(const T* x, T top, int64_t n, T* p) {
  if (n <= kLanes<T>) {  // stays in a register: a masked store cannot be read back soon
    const int k = static_cast<int>(n);
    const Vec<T> e = exp_below_zero<T>(load_some<T>(x, k, -kInf<T>) - top);
    const T sum = fold<T>(e, [](auto a, auto b) { return a + b; });
    if (p) store_some<T>(p, e * (1 / sum), k);
    return sum;
  }
  // Inlined by force: a copy of a lambda in here would be a weak symbol.
  const T sum = sum_terms<T>(n, [&](int64_t i, int k) __attribute__((always_inline)) {
    const Vec<T> e = exp_below_zero<T>(load_some<T>(x + i, k, -kInf<T>) - top);
    if (p) store_some<T>(p + i, e, k);
    return e;
  });
  const T scale = 1 / sum;
  if (p)
    each_vector<T>(n, [&](int64_t i, int k)
                          __attribute__((always_inline)) { store_some<T>(p + i, load_some<T>(p + i, k) * scale, k); });
  return sum;
}

HB_CPU_END
