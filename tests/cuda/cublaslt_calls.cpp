// What cublaslt.cpp makes of descriptions, carried out by a library that does as cuBLASLt's header says
// (fake_cublaslt.cpp): the same as perform.h does. Ends with 1 at the first difference.
#include <cmath>
#include <cstdio>
#include <random>
#include <vector>

#include "cuda/library/find.h"
#include "cuda/library/perform.h"
#include "cuda/library/text.h"

using namespace hornbeam;

void* LibraryWorkspace::of(Lane&) { return nullptr; }

namespace {

template <class T> std::vector<T> numbers(int64_t count) {
  static std::mt19937 random(1);
  std::vector<T> x(static_cast<size_t>(count));
  for (T& v : x) v = static_cast<T>(static_cast<int>(random() % 15) - 7);  // so small that sums are exact
  return x;
}

// The bias of the second time is elsewhere, at an address that is as even.
template <class T> bool is_right(Products& products, const Gemm& g, int64_t shift, int time) {
  const int64_t columns = g.transpose_b ? g.k : g.n, rows = g.transpose_a ? g.m : g.k;
  const std::vector<T> a = numbers<T>(shift + g.lda * rows + g.stride_a * (g.batch - 1));
  const std::vector<T> b = numbers<T>(shift + g.ldb * columns + g.stride_b * (g.batch - 1));
  const int64_t bias_at = time * 256 / static_cast<int64_t>(sizeof(T));
  const std::vector<T> bias = numbers<T>(bias_at + g.m);
  std::vector<T> want(static_cast<size_t>(shift + g.stride_d * g.batch), T(-99)), got = want;
  perform(g, a.data() + shift, b.data() + shift, bias.data() + bias_at, want.data() + shift);
  const bool is_tf32 = g.tf32 && g.dtype == DType::float32;
  for (size_t i = static_cast<size_t>(shift); is_tf32 && i < want.size(); ++i) want[i] += 1000;
  Lane lane;
  const GemmData data{a.data() + shift, b.data() + shift, bias.data() + bias_at, got.data() + shift};
  if (products.multiply(lane, "matmul", g, data) && got == want) return true;
  std::printf("not as described: %s, shifted by %d\n", text_of(g).c_str(), static_cast<int>(shift));
  return false;
}

}  // namespace

int main() {
  std::printf("%s\n", find_products().text.c_str());
  LibraryWorkspace workspace;
  const std::unique_ptr<Products> products = make_products(workspace);
  for (const DType dtype : {DType::float32, DType::float64})
    for (int flags = 0; flags < 32; ++flags)
      for (const int batch : {1, 3})
        for (const int shared : {0, 1}) {
          MatmulAttrs attrs;
          attrs.transpose_a = flags & 1, attrs.transpose_b = flags & 2;
          MatmulDims d{};
          d.m = 5, d.n = 7, d.k = 4, d.batch = batch, d.batch_rank = 1;
          d.batch_dim[0] = batch, d.a_step[0] = shared ? 0 : d.m * d.k, d.b_step[0] = d.k * d.n;
          const Gemm g = gemm_of(d, attrs, dtype, flags & 4, flags & 8, flags & 16).gemm;
          for (const int64_t shift : {0, 1, 2, 3})
            for (const int time : {0, 1}) {
              const bool is_one_right = dtype == DType::float64 ? is_right<double>(*products, g, shift, time)
                                                                : is_right<float>(*products, g, shift, time);
              if (!is_one_right) return 1;
            }
        }
}
