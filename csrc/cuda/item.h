// One item of a tensor whose dtype is known at run time, as a value of type T and back.
#pragma once
#include "core/convert.h"

namespace hornbeam {

template <class T> HB_INLINE T load_item(const void* data, DType t, int64_t i) {
  switch (t) {
#define HB_X(name, type) \
  case DType::name: return convert<T>(static_cast<const type*>(data)[i]);
    HB_DTYPES(HB_X)
#undef HB_X
  }
  return T(0);
}

template <class T> HB_INLINE void store_item(void* data, DType t, int64_t i, T value) {
  switch (t) {
#define HB_X(name, type) \
  case DType::name: static_cast<type*>(data)[i] = convert<type>(value); return;
    HB_DTYPES(HB_X)
#undef HB_X
  }
}

// What a thread takes of a run of `left` elements from `first` on: each `apart`-th.
struct Share {
  int64_t first;
  int32_t apart, left;
  HB_INLINE bool has(int k) const { return k * apart < left; }
};

// N items at most; in the places of those that the run does not have is 0.
template <class T, int N> HB_INLINE void load_items(const void* data, DType t, const Share& s, T* to) {
  switch (t) {
#define HB_X(name, type)                                                                 \
  case DType::name: {                                                                    \
    const type* from = static_cast<const type*>(data) + s.first;                         \
    for (int k = 0; k < N; ++k) to[k] = s.has(k) ? convert<T>(from[k * s.apart]) : T(0); \
    return;                                                                              \
  }
    HB_DTYPES(HB_X)
#undef HB_X
  }
}

// The values are `step` from each other.
template <class T, int N>
HB_INLINE void store_items(void* data, DType t, const Share& s, const T* from, int step) {
  switch (t) {
#define HB_X(name, type)                                             \
  case DType::name: {                                                \
    type* to = static_cast<type*>(data) + s.first;                   \
    for (int k = 0; k < N; ++k)                                      \
      if (s.has(k)) to[k * s.apart] = convert<type>(from[k * step]); \
    return;                                                          \
  }
    HB_DTYPES(HB_X)
#undef HB_X
  }
}

}  // namespace hornbeam
