// What cuda/fold.h folds with.
#pragma once
#include "core/limits.h"
#include "core/rounding.h"
#include "cuda/fold.h"

namespace hornbeam {

// Sums of floats carry what each addition rounds away. Elements of a batch are added as a tree.
template <class T, bool kCompensated = kIsFloat<T>> struct SumFold {
  using Item = T;
  struct State { T sum; };
  static HB_INLINE State none() { return {T(0)}; }
  static HB_INLINE void take(State& s, T x, int64_t) { s.sum = static_cast<T>(s.sum + x); }
  static HB_INLINE void take(State& s, const T (&x)[kBatch], int64_t, int64_t) {
    for (T v : x) take(s, v, 0);
  }
  static HB_INLINE void join(State& s, const State& o) { take(s, o.sum, 0); }
  static HB_INLINE T result(const State& s) { return s.sum; }
};
template <class T> struct SumFold<T, true> {
  using Item = T;
  struct State { T sum, rest; };
  static HB_INLINE State none() { return {T(0), T(0)}; }
  static HB_INLINE void take(State& s, T x, int64_t) {
    const T next = s.sum + x;
    s.rest += rounded_away(s.sum, x, next);
    s.sum = next;
  }
  static HB_INLINE void take(State& s, const T (&x)[kBatch], int64_t, int64_t) {
    T part[kBatch];
    for (int i = 0; i < kBatch; ++i) part[i] = x[i];
    for (int half = kBatch / 2; half > 0; half /= 2)
      for (int i = 0; i < half; ++i) part[i] += part[i + half];
    take(s, part[0], 0);
  }
  static HB_INLINE void join(State& s, const State& o) {
    take(s, o.sum, 0);
    s.rest += o.rest;
  }
  static HB_INLINE T result(const State& s) { return rounded(s.sum, s.rest); }
};

// Merge says how two values become one.
template <class T, class Merge> struct ValueFold {
  using Item = T;
  struct State { T value; };
  static HB_INLINE State none() { return {Merge::template identity<T>()}; }
  static HB_INLINE void take(State& s, T x, int64_t) { s.value = Merge::merge(s.value, x); }
  static HB_INLINE void take(State& s, const T (&x)[kBatch], int64_t, int64_t) {
    for (T v : x) take(s, v, 0);
  }
  static HB_INLINE void join(State& s, const State& o) { take(s, o.value, 0); }
  static HB_INLINE T result(const State& s) { return s.value; }
};

struct Product {
  template <class T> static HB_INLINE T identity() { return T(1); }
  template <class T> static HB_INLINE T merge(T a, T b) { return static_cast<T>(a * b); }
};
struct Maximum {  // NaN if either is
  template <class T> static HB_INLINE T identity() { return kLowest<T>; }
  template <class T> static HB_INLINE T merge(T a, T b) { return a > b || a != a ? a : b; }
  template <class T> static HB_INLINE bool better(T a, T b) { return a > b; }
};
struct Minimum {
  template <class T> static HB_INLINE T identity() { return kHighest<T>; }
  template <class T> static HB_INLINE T merge(T a, T b) { return a < b || a != a ? a : b; }
  template <class T> static HB_INLINE bool better(T a, T b) { return a < b; }
};
struct All {  // of bytes 0 and 1; Maximum is Any
  template <class T> static HB_INLINE T identity() { return T(1); }
  template <class T> static HB_INLINE T merge(T a, T b) { return static_cast<T>(a & b); }
};

// The position of the best element: of NaN if there is one, of the first where several are.
template <class T, class Order> struct PositionFold {
  using Item = T;
  struct State {
    T best;
    int64_t at;  // -1: none yet
  };
  static HB_INLINE State none() { return {T(0), -1}; }
  static HB_INLINE void take(State& s, T x, int64_t at) { join(s, {x, at}); }
  static HB_INLINE void take(State& s, const T (&x)[kBatch], int64_t at, int64_t apart) {
    for (int i = 0; i < kBatch; ++i) take(s, x[i], at + i * apart);
  }
  static HB_INLINE void join(State& s, const State& o) {
    if (o.at < 0) return;
    const bool same = o.best == s.best || (o.best != o.best && s.best != s.best);
    if (s.at < 0 || (same ? o.at < s.at : o.best != o.best || (s.best == s.best && Order::better(o.best, s.best))))
      s = o;
  }
  static HB_INLINE int64_t result(const State& s) { return s.at; }
};

}  // namespace hornbeam
