// Copies of the input that a task makes in its scratch: rows with their padding in place, so that
// register tiles need no bounds, and whole patches where neighbouring outputs share too little.
#pragma once
#include "cpu/parallel.h"
#include "ops/conv_axis.h"

HB_CPU_BEGIN

template <class T>
HB_INLINE void copy_cells(T* dst, const T* src, int64_t n) {
  __builtin_memcpy(dst, src, static_cast<unsigned long>(n) * sizeof(T));
}
template <class T>
HB_INLINE void zero_cells(T* dst, int64_t n) {
  __builtin_memset(dst, 0, static_cast<unsigned long>(n) * sizeof(T));
}

// Fetches what a task reads next into L2, a share of it after each register tile, so that memory works
// while the tiles compute: the rows of a convolution are too far apart for the hardware's own guesses.
class Ahead {
 public:
  template <class T>
  HB_INLINE Ahead(const T* from, int64_t cells, int64_t tiles)
      : at_(reinterpret_cast<const char*>(from)),
        end_(reinterpret_cast<const char*>(from + cells)),
        share_((end_ - at_) / larger(1, tiles) + kLine) {}
  HB_INLINE void fetch() {
    const char* const stop = end_ - at_ < share_ ? end_ : at_ + share_;
    for (; at_ < stop; at_ += kLine) __builtin_prefetch(at_, 0, 2);
  }

 private:
  static constexpr int64_t kLine = 64;
  const char *at_, *end_;
  int64_t share_;
};

// The pitch at which to copy cells so that neighbours `step` pitches apart do not fall into the same
// few sets of an L1 cache, as they do where that distance is a multiple of `page` bytes.
template <class T>
HB_INLINE int64_t spread(int64_t pitch, int64_t step, int64_t page) {
  return pitch * step * static_cast<int64_t>(sizeof(T)) % page == 0 ? pitch + kLanes<T> : pitch;
}

// True if some output along the axis reads outside the input.
HB_INLINE bool reads_outside(const ConvAxis& a) {
  return a.start < 0 || a.first_read(a.out - 1) + (a.taps - 1) * a.gap >= a.in;
}

// An image's rows [first, first + rows), from column w.start on, w.span(w.out) columns `pitch` cells apart.
template <class T>
static void copy_padded_rows(const T* image, const ConvAxis& w, int64_t channels, int64_t first, int64_t rows,
                             int64_t pitch, T* dst) {
  const int64_t span = w.span(w.out);
  const int64_t left = smaller(span, larger(0, -w.start)), from = w.start + left;
  const int64_t have = larger(0, smaller(span - left, w.in - from));
  for (int64_t r = first; r < first + rows; ++r) {
    const T* src = image + (r * w.in + from) * channels;
    zero_cells(dst, left * pitch);
    dst += left * pitch;
    if (pitch == channels) {
      copy_cells(dst, src, have * channels);
    } else {
      for (int64_t c = 0; c < have; ++c) copy_cells(dst + c * pitch, src + c * channels, channels);
    }
    dst += have * pitch;
    zero_cells(dst, (span - left - have) * pitch);
    dst += (span - left - have) * pitch;
  }
}

// The patch of each of outputs [first, first + count), counted over images, planes, rows and columns: its
// taps in the kernel's order, zeros outside the image, `pitch` cells per patch.
template <class T>
static void copy_patches(const T* x, const ConvAxis& d, const ConvAxis& h, const ConvAxis& w, int64_t channels,
                         int64_t first, int64_t count, int64_t pitch, T* dst) {
  for (int64_t i = first; i < first + count; ++i, dst += pitch) {
    const int64_t q = i % w.out, p = i / w.out % h.out, s = i / w.out / h.out % d.out, n = i / w.out / h.out / d.out;
    const int64_t b0 = w.tap_begin(q), b1 = larger(b0, w.tap_end(q));
    T* cell = dst;
    for (int64_t e = 0; e < d.taps; ++e)
      for (int64_t a = 0; a < h.taps; ++a, cell += w.taps * channels) {
        const int64_t plane = d.first_read(s) + e * d.gap, row = h.first_read(p) + a * h.gap;
        if (plane < 0 || plane >= d.in || row < 0 || row >= h.in || b0 == b1) {
          zero_cells(cell, w.taps * channels);
          continue;
        }
        const T* src = x + (((n * d.in + plane) * h.in + row) * w.in + w.first_read(q)) * channels;
        zero_cells(cell, b0 * channels);
        if (w.gap == 1) {
          copy_cells(cell + b0 * channels, src + b0 * channels, (b1 - b0) * channels);
        } else {
          for (int64_t b = b0; b < b1; ++b) copy_cells(cell + b * channels, src + b * w.gap * channels, channels);
        }
        zero_cells(cell + b1 * channels, (w.taps - b1) * channels);
      }
  }
}

HB_CPU_END
