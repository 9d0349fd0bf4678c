// top_k: a block sorts the indices of a row, which it keeps in shared memory with the row itself (Batcher: "Sorting
// networks and their applications", 1968). Longer rows are host steps.
#include "ops/top_k.h"

#include "core/dispatch.h"
#include "cuda/export.h"
#include "cuda/gpu.h"

namespace hornbeam {

constexpr int kTopKThreads = 256, kLongestRow = 4096;

// row_places: where in shared memory, in elements, the indices begin, aligned for them. places: as many as there are, a
// power of two.
struct TopKSize { int32_t n, row_places, places, k; };

template <class T>
static __global__ void __launch_bounds__(kTopKThreads)
    top_k_rows(const T* x, T* values, int32_t* indices, TopKSize size) {
  GPU_SHARED(T, row);
  int32_t* const index = reinterpret_cast<int32_t*>(row + size.row_places);
  const int64_t at = blockIdx.x;
  for (int i = static_cast<int>(threadIdx.x); i < size.places; i += kTopKThreads) {
    index[i] = i;
    if (i < size.n) row[i] = x[at * size.n + i];
  }
  __syncthreads();
  // What is not an element comes last.
  const auto before = [&](int32_t a, int32_t b) { return a < size.n && (b >= size.n || top_k_before(row, a, b)); };
  for (int run = 2; run <= size.places; run *= 2)
    for (int apart = run / 2; apart > 0; apart /= 2) {
      for (int pair = static_cast<int>(threadIdx.x); pair < size.places / 2; pair += kTopKThreads) {
        const int left = pair / apart * 2 * apart + pair % apart, right = left + apart;
        const int32_t a = index[left], b = index[right];
        const bool forwards = (left & run) == 0;
        if (before(b, a) != forwards) continue;
        index[left] = b;
        index[right] = a;
      }
      __syncthreads();
    }
  for (int i = static_cast<int>(threadIdx.x); i < size.k; i += kTopKThreads) {
    if (values) values[at * size.k + i] = row[index[i]];
    if (indices) indices[at * size.k + i] = index[i];
  }
}

static bool supports(const KernelCall& c) {
  return c.in[0].dtype != DType::float16 && c.in[0].shape[-1] <= kLongestRow;
}

static void top_k(const KernelCall& c) {
  const int64_t n = c.in[0].shape[-1], k = c.out[0].shape[-1];
  if (c.out[0].shape.count() == 0) return;
  const int64_t rows = c.out[0].shape.count() / k;
  TopKSize size{static_cast<int32_t>(n), static_cast<int32_t>((n + 7) / 8 * 8), 1, static_cast<int32_t>(k)};
  while (size.places < n) size.places *= 2;
  by_number(c.in[0].dtype, [&](auto tag) {
    using T = typename decltype(tag)::type;
    T* const values = data_of<T>(c.out[0]);
    int32_t* const indices = data_of<int32_t>(c.out[1]);
    launch(*c.lane, "top_k", top_k_rows<T>, dim3(static_cast<unsigned>(rows)), dim3(kTopKThreads),
           sizeof(T) * static_cast<size_t>(size.row_places) + sizeof(int32_t) * static_cast<size_t>(size.places),
           c.in[0].as<const T>(), values, indices, size);
  });
}

HB_GPU_KERNELS(top_k, {"top_k", "sorted", supports, nullptr, top_k})

}  // namespace hornbeam
