// Arrays on their way in: read in place when they already have the right layout, else cast or
// gathered once into staging memory.
#pragma once
#include <cstdint>

#include "core/shape.h"

namespace hornbeam {

class Device;

struct Feed {
  const char* data = nullptr;
  Device* device = nullptr;  // whose memory it is; null for the host's
  DType dtype = DType::float32;
  Shape shape;                     // of `data`, before the gather
  int64_t strides[kMaxRank] = {};  // bytes
  const int64_t* rows = nullptr;   // if set: feed data[rows]; on the host
  int64_t row_count = 0;

  Shape fed_shape() const {
    Shape s = shape;
    if (rows) s[0] = row_count;
    return s;
  }
  // True when a program on the host can read `data` as it stands.
  bool direct(DType want) const;
  bool is_compact() const;  // row-major, without gaps
};

// `data` of this dtype and shape, row-major and without gaps.
Feed contiguous(const char* data, DType dtype, const Shape& shape);

// Writes the feed as contiguous `want` elements. Throws ValueError where it asks for rows that are not there.
void stage(const Feed& feed, DType want, void* out);

}  // namespace hornbeam
