#include "program/feed.h"

#include <algorithm>
#include <cstring>

#include "core/buffer.h"
#include "core/convert.h"
#include "core/device.h"
#include "core/error.h"
#include "core/interrupt.h"

namespace hornbeam {

bool Feed::direct(DType want) const {
  return !rows && !device && dtype == want && reinterpret_cast<uintptr_t>(data) % item_size(dtype) == 0 && is_compact();
}

bool Feed::is_compact() const {
  int64_t expect = item_size(dtype);
  for (int i = shape.rank - 1; i >= 0; --i) {
    if (shape[i] != 1 && strides[i] != expect) return shape.count() == 0;
    expect *= shape[i];
  }
  return true;
}

Feed contiguous(const char* data, DType dtype, const Shape& shape) {
  Feed f;
  f.data = data;
  f.dtype = dtype;
  f.shape = shape;
  int64_t stride = item_size(dtype);
  for (int i = shape.rank - 1; i >= 0; --i) {
    f.strides[i] = stride;
    stride *= shape[i];
  }
  return f;
}

namespace {

constexpr int64_t kPace = 65536;  // elements from one interruption point to the next

struct Pace {
  int64_t left = kPace;
  void spend(int64_t elements) {
    if ((left -= elements) > 0) return;
    left = kPace;
    interruption_point();
  }
};

// Copies one innermost run, then steps the outer dims like an odometer.
template <class D, class S> void copy_strided(const char* src, const int64_t* strides, const Shape& s, int axis,
                                              D*& out, Pace& pace) {
  if (axis == s.rank) {
    S v;
    std::memcpy(&v, src, sizeof v);
    *out++ = convert<D>(v);
  } else if (axis == s.rank - 1) {
    for (int64_t begin = 0; begin < s[axis]; begin += kPace) {
      const int64_t items = std::min(kPace, s[axis] - begin);
      for (int64_t i = 0; i < items; ++i, src += strides[axis]) {
        S v;
        std::memcpy(&v, src, sizeof v);
        *out++ = convert<D>(v);
      }
      pace.spend(items);
    }
  } else {
    for (int64_t i = 0; i < s[axis]; ++i, src += strides[axis])
      copy_strided<D, S>(src, strides, s, axis + 1, out, pace);
  }
}

template <class D, class S> void stage_as(const Feed& f, void* out) {
  D* d = static_cast<D*>(out);
  Pace pace;
  if (!f.rows) return copy_strided<D, S>(f.data, f.strides, f.shape, 0, d, pace);
  bool plain = std::is_same_v<D, S>;
  int64_t expect = sizeof(S);
  for (int i = f.shape.rank - 1; i > 0; --i) {
    plain = plain && (f.shape[i] == 1 || f.strides[i] == expect);
    expect *= f.shape[i];
  }
  const int64_t items = f.shape.count(1, f.shape.rank), bytes = items * static_cast<int64_t>(sizeof(S));
  for (int64_t i = 0; i < f.row_count; ++i) {
    const char* src = f.data + f.rows[i] * f.strides[0];
    if (plain) {
      std::memcpy(reinterpret_cast<char*>(d) + i * bytes, src, static_cast<size_t>(bytes));
      pace.spend(items);
    } else {
      copy_strided<D, S>(src, f.strides, f.shape, 1, d, pace);
    }
  }
}

template <class D> void stage_to(const Feed& f, void* out) {
  switch (f.dtype) {
#define HB_CASE(dtype, type) \
  case DType::dtype: return stage_as<D, type>(f, out);
    HB_DTYPES(HB_CASE)
#undef HB_CASE
  }
}

// As it stands, for a device that cannot read it in place.
void copy_direct(const Feed& f, void* out) {
  Pace pace;
  const int64_t item = item_size(f.dtype), items = f.shape.count();
  for (int64_t begin = 0; begin < items; begin += kPace) {
    const int64_t count = std::min(kPace, items - begin);
    std::memcpy(static_cast<char*>(out) + begin * item, f.data + begin * item, static_cast<size_t>(count * item));
    pace.spend(count);
  }
}

// Out of a device's memory: all from the first element to the last.
void stage_from_device(const Feed& f, DType want, void* out) {
  if (f.shape.count() == 0) return;
  if (f.dtype == want && f.is_compact()) return f.device->copy_out(out, f.data, f.shape.count() * item_size(want));
  int64_t low = 0, high = item_size(f.dtype);
  for (int i = 0; i < f.shape.rank; ++i) (f.strides[i] < 0 ? low : high) += (f.shape[i] - 1) * f.strides[i];
  const Buffer copy(high - low);
  f.device->copy_out(copy.data(), f.data + low, high - low);
  Feed here = f;
  here.device = nullptr;
  here.data = copy.data() - low;
  stage(here, want, out);
}

}  // namespace

void stage(const Feed& f, DType want, void* out) {
  if (f.device) return stage_from_device(f, want, out);
  if (f.rows)
    for (int64_t i = 0; i < f.row_count; ++i)
      if (f.rows[i] < 0 || f.rows[i] >= f.shape[0])
        throw ValueError("row index " + std::to_string(f.rows[i]) + " is out of range for an array of " +
                         std::to_string(f.shape[0]) + " rows");
  if (f.direct(want)) return copy_direct(f, out);
  switch (want) {
#define HB_CASE(dtype, type) \
  case DType::dtype: return stage_to<type>(f, out);
    HB_DTYPES(HB_CASE)
#undef HB_CASE
  }
}

}  // namespace hornbeam
