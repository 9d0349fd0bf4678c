// softmax, log_softmax and their gradients over the last axis. A row is one task's from end to end, so
// after its first read it is served from cache; a few long rows are cut into pieces, whose sums are joined in order.
//
// Relative error of softmax below 2^-18 in float32 for every length of row (28 roundings in the sum, 4
// elsewhere), plus |x - max| 2^-24 for what rounding x - max does to exp; log_softmax is off by as much in absolute
// terms.
#include "ops/softmax.h"

#include "cpu/export.h"
#include "cpu/parallel.h"
#include "cpu/row_sums.h"

HB_CPU_BEGIN

template <class T>
static void softmax_rows(const T* x, T* y, int64_t rows, int64_t n) {
  for (int64_t r = 0; r < rows; ++r, x += n, y += n) softmax_row<T>(x, row_max(x, n), n, y);
}

// A vector's worth of rows share one logarithm, unless they are so long that they would leave L1.
template <class T>
static void log_softmax_rows(const T* x, T* y, int64_t rows, int64_t n) {
  const int64_t group = n * kVectorBytes <= 16384 ? kLanes<T> : 1;
  for (int64_t first = 0; first < rows; first += group) {
    const int64_t count = smaller(group, rows - first);
    T top[kLanes<T>], sum[kLanes<T>] = {};
    for (int64_t r = 0; r < count; ++r) {
      top[r] = row_max(x + (first + r) * n, n);
      sum[r] = softmax_row<T>(x + (first + r) * n, top[r], n, nullptr);
    }
    const Vec<T> norm = log<T>(load(sum));
    for (int64_t r = 0; r < count; ++r)
      each_vector<T>(n, [&](int64_t i, int k) {
        const int64_t at = (first + r) * n + i;
        store_some<T>(y + at, load_some<T>(x + at, k) - top[r] - norm[r], k);
      });
  }
}

template <class T>
static void softmax_grad_row(const T* y, const T* dy, T* dx, int64_t n) {
  const T dot = sum_terms<T>(n, [&](int64_t i, int k) { return load_some<T>(y + i, k) * load_some<T>(dy + i, k); });
  each_vector<T>(
      n, [&](int64_t i, int k) { store_some<T>(dx + i, load_some<T>(y + i, k) * (load_some<T>(dy + i, k) - dot), k); });
}

template <class T>
static void log_softmax_grad_row(const T* y, const T* dy, T* dx, int64_t n) {
  const T sum = sum_terms<T>(n, [&](int64_t i, int k) { return load_some<T>(dy + i, k); });
  each_vector<T>(n, [&](int64_t i, int k) {
    store_some<T>(dx + i, load_some<T>(dy + i, k) - exp<T>(load_some<T>(y + i, k)) * sum, k);
  });
}

constexpr int64_t kCost = 8;  // of an element, beside an addition

template <class T, void (*kRows)(const T*, T*, int64_t, int64_t)>
static void forward(const KernelCall& call) {
  const int64_t n = call.in[0].shape[-1], size = call.in[0].shape.count();
  const T* x = call.in[0].as<T>();
  T* y = call.out[0].as<T>();
  if (size == 0) return;
  parallel_ranges(call, size / n, n * kCost,
                  [&](int64_t from, int64_t to) { kRows(x + from * n, y + from * n, to - from, n); });
}

template <class T, void (*kRow)(const T*, const T*, T*, int64_t)>
static void backward(const KernelCall& call) {
  const int64_t n = call.in[0].shape[-1], size = call.in[0].shape.count();
  const T *y = call.in[0].as<T>(), *dy = call.in[1].as<T>();
  T* dx = call.out[0].as<T>();
  if (size == 0) return;
  parallel_ranges(call, size / n, n * kCost, [&](int64_t from, int64_t to) {
    for (int64_t r = from; r < to; ++r) kRow(y + r * n, dy + r * n, dx + r * n, n);
  });
}

// ---- a few long rows ----------------------------------------------------------------------------------

constexpr int64_t kPiece = 16384;  // elements: some 128 thousand operations

static HB_INLINE int64_t pieces_of(int64_t n) { return ceil_div(n, kPiece); }

// f(first element, elements, index of the piece) for the pieces of all rows.
template <class F>
HB_INLINE void each_piece(const KernelCall& call, const F& f) {
  const Shape& x = call.in[0].shape;
  const int64_t n = x[-1], pieces = pieces_of(n);
  parallel_tasks(call, x.count() / n * pieces, [&](int64_t task) {
    const int64_t from = task % pieces * kPiece;
    f(task / pieces * n + from, smaller(kPiece, n - from), task);
  });
}

// Each row's pieces replaced by what they come to.
template <class T, class F>
HB_INLINE void join_pieces(const KernelCall& call, T* parts, const F& join) {
  const Shape& x = call.in[0].shape;
  const int64_t pieces = pieces_of(x[-1]);
  for (T* const end = parts + x.count() / x[-1] * pieces; parts != end; parts += pieces) {
    const T all = join(parts, pieces);
    for (int64_t i = 0; i < pieces; ++i) parts[i] = all;
  }
}
template <class T>
static T join_sums(const T* parts, int64_t pieces) {
  ScalarSum<T> sum{};
  for (int64_t i = 0; i < pieces; ++i) sum.add(parts[i]);
  return sum.value();
}

template <class T, bool kLog>
static void forward_pieces(const KernelCall& call) {
  const T* const x = call.in[0].as<T>();
  T* const y = call.out[0].as<T>();
  T* const tops = reinterpret_cast<T*>(call.workspace);
  T* const sums = tops + call.in[0].shape.count() / call.in[0].shape[-1] * pieces_of(call.in[0].shape[-1]);
  each_piece(call, [&](int64_t at, int64_t n, int64_t piece) { tops[piece] = row_max(x + at, n); });
  join_pieces(call, tops, [](const T* parts, int64_t pieces) { return row_max(parts, pieces); });
  each_piece(call, [&](int64_t at, int64_t n, int64_t piece) {
    sums[piece] = sum_terms<T>(n, [&](int64_t i, int k) {
      const Vec<T> e = exp_below_zero<T>(load_some<T>(x + at + i, k, -kInf<T>) - tops[piece]);
      if (!kLog) store_some<T>(y + at + i, e, k);
      return e;
    });
  });
  join_pieces(call, sums, join_sums<T>);
  each_piece(call, [&](int64_t at, int64_t n, int64_t piece) {
    if (kLog) {
      const Vec<T> norm = log<T>(splat(sums[piece]));
      each_vector<T>(
          n, [&](int64_t i, int k) { store_some<T>(y + at + i, load_some<T>(x + at + i, k) - tops[piece] - norm, k); });
    } else {
      const T scale = 1 / sums[piece];
      each_vector<T>(n, [&](int64_t i, int k) { store_some<T>(y + at + i, load_some<T>(y + at + i, k) * scale, k); });
    }
  });
}

template <class T, bool kLog>
static void backward_pieces(const KernelCall& call) {
  const T *const y = call.in[0].as<T>(), *const dy = call.in[1].as<T>();
  T *const dx = call.out[0].as<T>(), *const sums = reinterpret_cast<T*>(call.workspace);
  each_piece(call, [&](int64_t at, int64_t n, int64_t piece) {
    sums[piece] = sum_terms<T>(n, [&](int64_t i, int k) {
      const Vec<T> d = load_some<T>(dy + at + i, k);
      return kLog ? d : d * load_some<T>(y + at + i, k);
    });
  });
  join_pieces(call, sums, join_sums<T>);
  each_piece(call, [&](int64_t at, int64_t n, int64_t piece) {
    each_vector<T>(n, [&](int64_t i, int k) {
      const Vec<T> v = load_some<T>(y + at + i, k), d = load_some<T>(dy + at + i, k);
      store_some<T>(dx + at + i, kLog ? d - exp<T>(v) * sums[piece] : v * (d - sums[piece]), k);
    });
  });
}

static bool is_double(const KernelCall& call) { return call.in[0].dtype == DType::float64; }
// Four rows or more are enough tasks, and pass through the cache once.
static bool long_rows(const KernelCall& call) {
  const Shape& x = call.in[0].shape;
  return supports_floats(call) && x[-1] >= 4 * kPiece && x.count() < 4 * x[-1];
}
static int64_t pieces_workspace(const KernelCall& call) {
  const Shape& x = call.in[0].shape;
  return 2 * x.count() / x[-1] * pieces_of(x[-1]) * item_size(call.in[0].dtype);
}
template <bool kLog>
static void run_forward_pieces(const KernelCall& call) {
  is_double(call) ? forward_pieces<double, kLog>(call) : forward_pieces<float, kLog>(call);
}
template <bool kLog>
static void run_backward_pieces(const KernelCall& call) {
  is_double(call) ? backward_pieces<double, kLog>(call) : backward_pieces<float, kLog>(call);
}

HB_EXPORT_KERNELS(softmax, {"softmax", "pieces", long_rows, pieces_workspace, run_forward_pieces<false>},
                  {"log_softmax", "pieces", long_rows, pieces_workspace, run_forward_pieces<true>},
                  {"softmax_grad", "pieces", long_rows, pieces_workspace, run_backward_pieces<false>},
                  {"log_softmax_grad", "pieces", long_rows, pieces_workspace, run_backward_pieces<true>},
                  {"softmax", "rows", supports_floats, nullptr,
                   [](const KernelCall& call) {
                     is_double(call) ? forward<double, softmax_rows<double>>(call)
                                     : forward<float, softmax_rows<float>>(call);
                   }},
                  {"log_softmax", "rows", supports_floats, nullptr,
                   [](const KernelCall& call) {
                     is_double(call) ? forward<double, log_softmax_rows<double>>(call)
                                     : forward<float, log_softmax_rows<float>>(call);
                   }},
                  {"softmax_grad", "rows", supports_floats, nullptr,
                   [](const KernelCall& call) {
                     is_double(call) ? backward<double, softmax_grad_row<double>>(call)
                                     : backward<float, softmax_grad_row<float>>(call);
                   }},
                  {"log_softmax_grad", "rows", supports_floats, nullptr, [](const KernelCall& call) {
                     is_double(call) ? backward<double, log_softmax_grad_row<double>>(call)
                                     : backward<float, log_softmax_grad_row<float>>(call);
                   }})

HB_CPU_END
