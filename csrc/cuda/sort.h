// Brings row numbers into order, and says where each was: a stable radix sort, 4 bits at a time. A thread owns a run of
// the numbers from one count to the place that it gives each, so that equal ones keep their order.
#pragma once
#include "cuda/gpu.h"

namespace hornbeam {

struct SortedRows {
  const uint32_t* row;   // ascending; those that are no row at the end, as the number of rows
  const uint32_t* from;  // where each stood
};

constexpr int kDigitBits = 4, kDigits = 1 << kDigitBits;
constexpr int64_t kSortRun = 32, kMostSortRuns = 16384;
constexpr int kScanThreads = 1024;

struct SortRuns {
  int64_t size, count;
  static SortRuns of(int64_t n) {
    const int64_t even = (n + kMostSortRuns - 1) / kMostSortRuns, size = even > kSortRun ? even : kSortRun;
    return {size, (n + size - 1) / size};
  }
};

// Of workspace: both numbers of each item, twice, and a count of each digit for each run.
static inline int64_t sort_bytes(int64_t n) {
  return (4 * n + kDigits * SortRuns::of(n).count) * static_cast<int64_t>(sizeof(uint32_t));
}

// Replaces each of n counts by the sum of those before it. One block.
static __global__ void __launch_bounds__(kScanThreads) scan_counts(uint32_t* count, int64_t n) {
  GPU_SHARED(uint32_t, sums);
  const int t = static_cast<int>(threadIdx.x);
  const int64_t begin = n * t / kScanThreads, end = n * (t + 1) / kScanThreads;
  uint32_t mine = 0;
  for (int64_t i = begin; i < end; ++i) mine += count[i];
  uint32_t through = mine;  // of all threads up to this one
  for (int apart = 1; apart < kScanThreads; apart *= 2) {
    sums[t] = through;
    __syncthreads();
    if (t >= apart) through += sums[t - apart];
    __syncthreads();
  }
  uint32_t before = through - mine;
  for (int64_t i = begin; i < end; ++i) {
    const uint32_t here = count[i];
    count[i] = before;
    before += here;
  }
}

// One digit of all items, from `in` to `out`.
static inline void sort_digit(Lane& lane, const char* name, int shift, int64_t n, const SortedRows& in, uint32_t* row,
                              uint32_t* from, uint32_t* count) {
  const SortRuns runs = SortRuns::of(n);
  each(lane, name, runs.count, [=] GPU_LAMBDA(int64_t run) {
    for (int d = 0; d < kDigits; ++d) count[d * runs.count + run] = 0;
    for (int64_t i = run * runs.size; i < n && i < (run + 1) * runs.size; ++i)
      ++count[(in.row[i] >> shift) % kDigits * runs.count + run];
  });
  launch(lane, name, scan_counts, dim3(1), dim3(kScanThreads), sizeof(uint32_t) * kScanThreads, count,
         kDigits * runs.count);
  each(lane, name, runs.count, [=] GPU_LAMBDA(int64_t run) {
    for (int64_t i = run * runs.size; i < n && i < (run + 1) * runs.size; ++i) {
      const uint32_t to = count[(in.row[i] >> shift) % kDigits * runs.count + run]++;
      row[to] = in.row[i];
      from[to] = in.from[i];
    }
  });
}

// n and n_rows are below 2^31; `space` has sort_bytes(n).
template <class I>
static SortedRows sort_rows(Lane& lane, const char* name, const I* index, int64_t n, int64_t n_rows, void* space) {
  uint32_t *row = static_cast<uint32_t*>(space), *from = row + n, *next_row = from + n, *next_from = next_row + n;
  uint32_t* const count = next_from + n;
  each(lane, name, n, [=] GPU_LAMBDA(int64_t i) {
    const int64_t at = index[i];
    row[i] = static_cast<uint32_t>(at >= 0 && at < n_rows ? at : n_rows);
    from[i] = static_cast<uint32_t>(i);
  });
  for (int shift = 0; shift < 32 && n_rows >> shift; shift += kDigitBits) {
    sort_digit(lane, name, shift, n, {row, from}, next_row, next_from, count);
    uint32_t *const old_row = row, *const old_from = from;
    row = next_row, from = next_from;
    next_row = old_row, next_from = old_from;
  }
  return {row, from};
}

// Where the items of a row begin among sorted ones.
HB_INLINE int64_t first_of(const SortedRows& sorted, int64_t n, uint32_t row) {
  int64_t low = 0;
  for (int64_t high = n; low < high;) {
    const int64_t middle = (low + high) / 2;
    if (sorted.row[middle] < row) low = middle + 1;
    else high = middle;
  }
  return low;
}

}  // namespace hornbeam
