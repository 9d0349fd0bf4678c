// One item of a tensor whose dtype is known at run time, as a value of type T and back.
#pragma once
#include "core/convert.h"
#include "cuda/gpu.h"

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

}  // namespace hornbeam
