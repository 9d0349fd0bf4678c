// Carries out descriptions of products and convolutions by definition: what they mean, and the simulated device's
// libraries.
#pragma once
#include <vector>

#include "cuda/library/conv.h"
#include "cuda/library/gemm.h"

namespace hornbeam {

template <class T> void perform(const Gemm& g, const T* a, const T* b, const T* bias, T* d) {
  for (int64_t p = 0; p < g.batch; ++p, a += g.stride_a, b += g.stride_b, d += g.stride_d)
    for (int64_t j = 0; j < g.n; ++j)
      for (int64_t i = 0; i < g.m; ++i) {
        double sum = 0;
        for (int64_t k = 0; k < g.k; ++k)
          sum += static_cast<double>(a[g.transpose_a ? k + i * g.lda : i + k * g.lda]) *
                 static_cast<double>(b[g.transpose_b ? j + k * g.ldb : k + j * g.ldb]);
        if (g.bias) sum += static_cast<double>(bias[i]);
        d[i + j * g.ldd] = static_cast<T>(g.relu && sum < 0 ? 0 : sum);
      }
}

// f(position in x, in w, in y) for each product of a convolution, but for channels, filters and images.
template <class F> void each_tap(const Conv& c, const F& f) {
  int64_t outputs = 1, taps = 1;
  for (int i = 0; i < c.axes; ++i) outputs *= c.y.dim[2 + i], taps *= c.w.dim[2 + i];
  for (int64_t output = 0; output < outputs; ++output)
    for (int64_t tap = 0; tap < taps; ++tap) {
      int64_t x = 0, w = 0, y = 0, o = output, t = tap;
      bool inside = true;
      for (int i = c.axes; i-- > 0; o /= c.y.dim[2 + i], t /= c.w.dim[2 + i]) {
        const int64_t at_y = o % c.y.dim[2 + i], at_w = t % c.w.dim[2 + i];
        const int64_t at_x = at_y * c.stride[i] + at_w * c.dilation[i] - c.pre[i];
        inside = inside && at_x >= 0 && at_x < c.x.dim[2 + i];
        x += at_x * c.x.stride[2 + i], w += at_w * c.w.stride[2 + i], y += at_y * c.y.stride[2 + i];
      }
      if (inside) f(x, w, y);
    }
}

template <class T> void perform(const Conv& c, T* x, T* w, T* y, const T* bias) {
  const ConvTensor& target = c.kind == ConvKind::forward ? c.y : c.kind == ConvKind::data ? c.x : c.w;
  T* const result = c.kind == ConvKind::forward ? y : c.kind == ConvKind::data ? x : w;
  std::vector<double> sum(static_cast<size_t>(target.count()), 0.0);
  each_tap(c, [&](int64_t tap_x, int64_t tap_w, int64_t tap_y) {
    for (int64_t n = 0; n < c.x.dim[0]; ++n)
      for (int64_t filter = 0; filter < c.w.dim[0]; ++filter)
        for (int64_t channel = 0; channel < c.w.dim[1]; ++channel) {
          const int64_t at_x = tap_x + n * c.x.stride[0] + channel * c.x.stride[1];
          const int64_t at_w = tap_w + filter * c.w.stride[0] + channel * c.w.stride[1];
          const int64_t at_y = tap_y + n * c.y.stride[0] + filter * c.y.stride[1];
          const auto product = [](T a, T b) { return static_cast<double>(a) * static_cast<double>(b); };
          switch (c.kind) {
            case ConvKind::forward: sum[static_cast<size_t>(at_y)] += product(x[at_x], w[at_w]); break;
            case ConvKind::data: sum[static_cast<size_t>(at_x)] += product(y[at_y], w[at_w]); break;
            case ConvKind::filter: sum[static_cast<size_t>(at_w)] += product(x[at_x], y[at_y]); break;
          }
        }
  });
  const int64_t channels = target.dim[1];  // the fastest
  for (size_t i = 0; i < sum.size(); ++i) {
    if (c.bias) sum[i] += static_cast<double>(bias[static_cast<int64_t>(i) % channels]);
    result[i] = static_cast<T>(c.relu && sum[i] < 0 ? 0 : sum[i]);
  }
}

}  // namespace hornbeam
