// Products by cuBLASLt. Compiled where its header is; the library itself is opened at run time.
#include "cuda/library/find.h"

#if __has_include(<cublasLt.h>)

#include <cublasLt.h>

#include <algorithm>
#include <array>

#include "cuda/error.h"
#include "cuda/library/open.h"
#include "cuda/library/plan_cache.h"
#include "cuda/library/text.h"

namespace hornbeam {

namespace {

// clang-format off
#define HB_CUBLASLT(X)                                                                                        \
  X(Create) X(GetVersion) X(GetStatusString) X(Matmul) X(MatmulAlgoGetHeuristic) X(MatmulAlgoCapGetAttribute) \
  X(MatmulDescCreate) X(MatmulDescDestroy) X(MatmulDescSetAttribute)                                          \
  X(MatrixLayoutCreate) X(MatrixLayoutDestroy) X(MatrixLayoutSetAttribute)                                    \
  X(MatmulPreferenceCreate) X(MatmulPreferenceDestroy) X(MatmulPreferenceSetAttribute)
// clang-format on

// The library's functions, without their prefix.
struct CublasLt {
  OpenedLibrary library{"libcublasLt.so.13", "cu13"};
#define HB_X(name) decltype(&cublasLt##name) name = library.function<decltype(&cublasLt##name)>("cublasLt" #name);
  HB_CUBLASLT(HB_X)
#undef HB_X
};
const CublasLt& lt() {
  static const auto* functions = new CublasLt;
  return *functions;
}

void check_lt(const char* op, const Gemm& g, const char* call, cublasStatus_t status) {
  if (status == CUBLAS_STATUS_SUCCESS) return;
  throw GpuError(std::string(op) + ", " + shapes_of(g) + ": cublasLt" + call + ": " + lt().GetStatusString(status) +
                 kWithoutLibraries);
}

// ---- descriptors ----------------------------------------------------------------------------------------
struct Destroy {
  void operator()(cublasLtMatmulDesc_t d) const { lt().MatmulDescDestroy(d); }
  void operator()(cublasLtMatrixLayout_t d) const { lt().MatrixLayoutDestroy(d); }
  void operator()(cublasLtMatmulPreference_t d) const { lt().MatmulPreferenceDestroy(d); }
};
template <class D> using Owned = std::unique_ptr<std::remove_pointer_t<D>, Destroy>;

struct ProductPlan {
  Owned<cublasLtMatmulDesc_t> product;
  Owned<cublasLtMatrixLayout_t> a, b, d;
  cublasLtMatmulAlgo_t algorithm;
};

cudaDataType_t type_of(const Gemm& g) { return g.dtype == DType::float64 ? CUDA_R_64F : CUDA_R_32F; }
bool is_tf32(const Gemm& g) { return g.tf32 && g.dtype == DType::float32; }

cublasComputeType_t computing_of(const Gemm& g) {
  if (g.dtype == DType::float64) return CUBLAS_COMPUTE_64F;
  return is_tf32(g) ? CUBLAS_COMPUTE_32F_FAST_TF32 : CUBLAS_COMPUTE_32F;
}

cublasLtEpilogue_t epilogue_of(const Gemm& g) {
  if (g.bias) return g.relu ? CUBLASLT_EPILOGUE_RELU_BIAS : CUBLASLT_EPILOGUE_BIAS;
  return g.relu ? CUBLASLT_EPILOGUE_RELU : CUBLASLT_EPILOGUE_DEFAULT;
}

// A description and a call's alignments, translated.
class Translation {
 public:
  Translation(const char* op, const Gemm& g) : op_(op), g_(g) {}

  Owned<cublasLtMatmulDesc_t> product(const void* bias) const {
    cublasLtMatmulDesc_t made;
    check("MatmulDescCreate", lt().MatmulDescCreate(&made, computing_of(g_), type_of(g_)));
    Owned<cublasLtMatmulDesc_t> product(made);
    const cublasOperation_t turn_a = g_.transpose_a ? CUBLAS_OP_T : CUBLAS_OP_N;
    const cublasOperation_t turn_b = g_.transpose_b ? CUBLAS_OP_T : CUBLAS_OP_N;
    const cublasLtEpilogue_t epilogue = epilogue_of(g_);
    set(product, CUBLASLT_MATMUL_DESC_TRANSA, turn_a);
    set(product, CUBLASLT_MATMUL_DESC_TRANSB, turn_b);
    set(product, CUBLASLT_MATMUL_DESC_EPILOGUE, epilogue);
    if (bias) set(product, CUBLASLT_MATMUL_DESC_BIAS_POINTER, bias);
    return product;
  }
  Owned<cublasLtMatrixLayout_t> matrix(int64_t rows, int64_t columns, int64_t pitch, int64_t stride) const {
    cublasLtMatrixLayout_t made;
    check("MatrixLayoutCreate", lt().MatrixLayoutCreate(&made, type_of(g_), static_cast<uint64_t>(rows),
                                                        static_cast<uint64_t>(columns), pitch));
    Owned<cublasLtMatrixLayout_t> matrix(made);
    const auto batch = static_cast<int32_t>(g_.batch);
    set(matrix, CUBLASLT_MATRIX_LAYOUT_BATCH_COUNT, batch);
    set(matrix, CUBLASLT_MATRIX_LAYOUT_STRIDED_BATCH_OFFSET, stride);
    return matrix;
  }
  // Alignments are of A, B and D.
  Owned<cublasLtMatmulPreference_t> preference(const std::array<int64_t, 3>& alignments) const {
    cublasLtMatmulPreference_t made;
    check("MatmulPreferenceCreate", lt().MatmulPreferenceCreate(&made));
    Owned<cublasLtMatmulPreference_t> preference(made);
    const uint64_t workspace = LibraryWorkspace::kBytes;
    set(preference, CUBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES, workspace);
    const auto align = [&](cublasLtMatmulPreferenceAttributes_t which, int64_t alignment) {
      const auto bytes = static_cast<uint32_t>(alignment);  // 256 unless it is said
      set(preference, which, bytes);
    };
    align(CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_A_BYTES, alignments[0]);
    align(CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_B_BYTES, alignments[1]);
    align(CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_C_BYTES, alignments[2]);
    align(CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_D_BYTES, alignments[2]);
    return preference;
  }
  template <class T>
  void set(const Owned<cublasLtMatmulDesc_t>& d, cublasLtMatmulDescAttributes_t which, const T& value) const {
    check("MatmulDescSetAttribute", lt().MatmulDescSetAttribute(d.get(), which, &value, sizeof value));
  }
  template <class T>
  void set(const Owned<cublasLtMatrixLayout_t>& d, cublasLtMatrixLayoutAttribute_t which, const T& value) const {
    check("MatrixLayoutSetAttribute", lt().MatrixLayoutSetAttribute(d.get(), which, &value, sizeof value));
  }
  template <class T>
  void set(const Owned<cublasLtMatmulPreference_t>& d, cublasLtMatmulPreferenceAttributes_t which,
           const T& value) const {
    check("MatmulPreferenceSetAttribute", lt().MatmulPreferenceSetAttribute(d.get(), which, &value, sizeof value));
  }
  void check(const char* call, cublasStatus_t status) const { check_lt(op_, g_, call, status); }

 private:
  const char* op_;
  const Gemm& g_;
};

// Whether an algorithm multiplies what it is given. All are deterministic: each has a workspace of its own.
bool is_exact(const Gemm& g, const cublasLtMatmulAlgo_t& algorithm) {
  uint64_t ways = 0;
  size_t written = 0;
  if (lt().MatmulAlgoCapGetAttribute(&algorithm, CUBLASLT_ALGO_CAP_NUMERICAL_IMPL_FLAGS, &ways, sizeof ways,
                                     &written) != CUBLAS_STATUS_SUCCESS)
    return false;
  uint64_t inexact = CUBLASLT_NUMERICAL_IMPL_FLAGS_INPUT_16F | CUBLASLT_NUMERICAL_IMPL_FLAGS_INPUT_16BF |
                     CUBLASLT_NUMERICAL_IMPL_FLAGS_ACCUMULATOR_16F;
  if (!is_tf32(g)) inexact |= CUBLASLT_NUMERICAL_IMPL_FLAGS_INPUT_TF32;
  return !(ways & inexact);
}

// ---- the implementation ---------------------------------------------------------------------------------
struct ProductKey {
  Gemm gemm;
  int64_t align_a, align_b, align_bias, align_d;
};

class CublasProducts final : public Products {
 public:
  explicit CublasProducts(LibraryWorkspace& workspace) : workspace_(workspace) {
    const cublasStatus_t status = lt().Create(&handle_);
    if (status != CUBLAS_STATUS_SUCCESS)
      throw GpuError(std::string("cublasLtCreate: ") + lt().GetStatusString(status) + kWithoutLibraries);
  }

  bool multiply(Lane& lane, const char* op, const Gemm& g, const GemmData& data) override {
    if (std::max({g.m, g.n, g.k, g.batch}) > INT32_MAX) return false;
    void* const workspace = workspace_.of(lane);
    const ProductKey key{g, alignment_of(data.a), alignment_of(data.b), alignment_of(data.bias), alignment_of(data.d)};
    const ProductPlan* plan = plans_.find(key, [&] { return plan_for(op, key, data.bias); });
    if (!plan) return false;
    const Translation translation(op, g);
    if (g.bias) translation.set(plan->product, CUBLASLT_MATMUL_DESC_BIAS_POINTER, data.bias);
    const double one = 1, zero = 0;
    const float one_f = 1, zero_f = 0;
    const bool is_double = g.dtype == DType::float64;
    translation.check(
        "Matmul", lt().Matmul(handle_, plan->product.get(), is_double ? static_cast<const void*>(&one) : &one_f, data.a,
                              plan->a.get(), data.b, plan->b.get(),
                              is_double ? static_cast<const void*>(&zero) : &zero_f, data.d, plan->d.get(), data.d,
                              plan->d.get(), &plan->algorithm, workspace, LibraryWorkspace::kBytes, lane.stream));
    return true;
  }

 private:
  // The first of the library's suggestions that is exact; null: none is.
  std::unique_ptr<ProductPlan> plan_for(const char* op, const ProductKey& key, const void* bias) const {
    const Gemm& g = key.gemm;
    const Translation translation(op, g);
    auto plan = std::make_unique<ProductPlan>();
    plan->product = translation.product(bias);
    plan->a = translation.matrix(g.transpose_a ? g.k : g.m, g.transpose_a ? g.m : g.k, g.lda, g.stride_a);
    plan->b = translation.matrix(g.transpose_b ? g.n : g.k, g.transpose_b ? g.k : g.n, g.ldb, g.stride_b);
    plan->d = translation.matrix(g.m, g.n, g.ldd, g.stride_d);
    const auto preference = translation.preference({key.align_a, key.align_b, key.align_d});
    constexpr int kSuggestions = 16;
    std::array<cublasLtMatmulHeuristicResult_t, kSuggestions> suggestions;
    int count = 0;
    const cublasStatus_t status =
        lt().MatmulAlgoGetHeuristic(handle_, plan->product.get(), plan->a.get(), plan->b.get(), plan->d.get(),
                                    plan->d.get(), preference.get(), kSuggestions, suggestions.data(), &count);
    if (status == CUBLAS_STATUS_NOT_SUPPORTED) return nullptr;
    translation.check("MatmulAlgoGetHeuristic", status);
    for (int i = 0; i < count; ++i) {
      const cublasLtMatmulHeuristicResult_t& suggestion = suggestions[static_cast<size_t>(i)];
      if (suggestion.state != CUBLAS_STATUS_SUCCESS || !is_exact(g, suggestion.algo)) continue;
      plan->algorithm = suggestion.algo;
      return plan;
    }
    return nullptr;
  }

  LibraryWorkspace& workspace_;
  cublasLtHandle_t handle_ = nullptr;  // never destroyed, as its device
  PlanCache<ProductKey, ProductPlan> plans_;
};

}  // namespace

Presence find_products() {
  const CublasLt& library = lt();
  if (!library.library) return {false, "cuBLASLt: " + library.library.missing()};
  return {true, "cuBLASLt " + version_text(library.GetVersion())};
}
std::unique_ptr<Products> make_products(LibraryWorkspace& workspace) {
  return std::make_unique<CublasProducts>(workspace);
}

}  // namespace hornbeam

#else

namespace hornbeam {

Presence find_products() { return {false, "cuBLASLt: its header was not there when Hornbeam was built"}; }
std::unique_ptr<Products> make_products(LibraryWorkspace&) { return nullptr; }

}  // namespace hornbeam

#endif
