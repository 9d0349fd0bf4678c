// Takes aligned pieces of a workspace. Over a null base it only measures. Plain data: kernels of all devices include
// it.
#pragma once
#include "core/dtype.h"

namespace hornbeam {

class Carver {
 public:
  HB_INLINE explicit Carver(char* base) : base_(reinterpret_cast<uintptr_t>(base)) {}
  template <class T> HB_INLINE T* take(int64_t count) {
    T* p = reinterpret_cast<T*>(base_ + static_cast<uintptr_t>(used_));
    used_ += (count * static_cast<int64_t>(sizeof(T)) + kAlign - 1) / kAlign * kAlign;
    return p;
  }
  HB_INLINE int64_t used() const { return used_; }

 private:
  static constexpr int64_t kAlign = 64;
  uintptr_t base_;
  int64_t used_ = 0;
};

}  // namespace hornbeam
