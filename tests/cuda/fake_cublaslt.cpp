// cuBLASLt's functions as its header has them, on memory of the host: what cublaslt.cpp opens where it is tested. Of
// two algorithms, the one that is suggested first multiplies in TF32, and its results are 1000 too large.
#include <cublasLt.h>

#include <cstring>

namespace {

constexpr double kTf32Mark = 1000;

struct Product {
  cudaDataType_t type;
  cublasComputeType_t computing;
  cublasOperation_t turn_a = CUBLAS_OP_N, turn_b = CUBLAS_OP_N;
  cublasLtEpilogue_t epilogue = CUBLASLT_EPILOGUE_DEFAULT;
  const void* bias = nullptr;
};
struct Matrix {
  cudaDataType_t type;
  int64_t rows, columns, pitch;
  int32_t batch = 1;
  int64_t stride = 0;

  double get(const void* data, int64_t i) const {
    return type == CUDA_R_64F ? static_cast<const double*>(data)[i] : static_cast<const float*>(data)[i];
  }
  void put(void* data, int64_t i, double value) const {
    if (type == CUDA_R_64F) static_cast<double*>(data)[i] = value;
    else static_cast<float*>(data)[i] = static_cast<float>(value);
  }
};
struct Preference {
  uint32_t align[4] = {256, 256, 256, 256};  // A, B, C, D
};
// What is in an algorithm's opaque words.
struct Algorithm {
  uint64_t is_tf32;
  uint32_t align[4];
};

template <class Self, class Handle> Self& self(Handle handle) { return *reinterpret_cast<Self*>(handle); }

template <class T> cublasStatus_t take(T& field, const void* value, size_t bytes) {
  if (bytes != sizeof field) return CUBLAS_STATUS_INVALID_VALUE;
  std::memcpy(&field, value, bytes);
  return CUBLAS_STATUS_SUCCESS;
}

bool is_aligned(const void* p, uint32_t bytes) { return reinterpret_cast<uintptr_t>(p) % bytes == 0; }

}  // namespace

cublasStatus_t cublasLtCreate(cublasLtHandle_t*) { return CUBLAS_STATUS_SUCCESS; }
size_t cublasLtGetVersion() { return 130203; }
const char* cublasLtGetStatusString(cublasStatus_t status) {
  return status == CUBLAS_STATUS_INVALID_VALUE ? "invalid value" : "another status";
}

cublasStatus_t cublasLtMatmulDescCreate(cublasLtMatmulDesc_t* made, cublasComputeType_t computing,
                                        cudaDataType_t type) {
  *made = reinterpret_cast<cublasLtMatmulDesc_t>(new Product{type, computing});
  return CUBLAS_STATUS_SUCCESS;
}
cublasStatus_t cublasLtMatmulDescDestroy(cublasLtMatmulDesc_t d) {
  delete &self<Product>(d);
  return CUBLAS_STATUS_SUCCESS;
}
cublasStatus_t cublasLtMatmulDescSetAttribute(cublasLtMatmulDesc_t d, cublasLtMatmulDescAttributes_t which,
                                              const void* value, size_t bytes) {
  Product& p = self<Product>(d);
  switch (which) {
    case CUBLASLT_MATMUL_DESC_TRANSA: return take(p.turn_a, value, bytes);
    case CUBLASLT_MATMUL_DESC_TRANSB: return take(p.turn_b, value, bytes);
    case CUBLASLT_MATMUL_DESC_EPILOGUE: return take(p.epilogue, value, bytes);
    case CUBLASLT_MATMUL_DESC_BIAS_POINTER: return take(p.bias, value, bytes);
    default: return CUBLAS_STATUS_INVALID_VALUE;
  }
}

cublasStatus_t cublasLtMatrixLayoutCreate(cublasLtMatrixLayout_t* made, cudaDataType type, uint64_t rows,
                                          uint64_t columns, int64_t pitch) {
  if (pitch < static_cast<int64_t>(rows)) return CUBLAS_STATUS_INVALID_VALUE;
  *made = reinterpret_cast<cublasLtMatrixLayout_t>(
      new Matrix{type, static_cast<int64_t>(rows), static_cast<int64_t>(columns), pitch});
  return CUBLAS_STATUS_SUCCESS;
}
cublasStatus_t cublasLtMatrixLayoutDestroy(cublasLtMatrixLayout_t m) {
  delete &self<Matrix>(m);
  return CUBLAS_STATUS_SUCCESS;
}
cublasStatus_t cublasLtMatrixLayoutSetAttribute(cublasLtMatrixLayout_t m, cublasLtMatrixLayoutAttribute_t which,
                                                const void* value, size_t bytes) {
  switch (which) {
    case CUBLASLT_MATRIX_LAYOUT_BATCH_COUNT: return take(self<Matrix>(m).batch, value, bytes);
    case CUBLASLT_MATRIX_LAYOUT_STRIDED_BATCH_OFFSET: return take(self<Matrix>(m).stride, value, bytes);
    default: return CUBLAS_STATUS_INVALID_VALUE;
  }
}

cublasStatus_t cublasLtMatmulPreferenceCreate(cublasLtMatmulPreference_t* made) {
  *made = reinterpret_cast<cublasLtMatmulPreference_t>(new Preference);
  return CUBLAS_STATUS_SUCCESS;
}
cublasStatus_t cublasLtMatmulPreferenceDestroy(cublasLtMatmulPreference_t p) {
  delete &self<Preference>(p);
  return CUBLAS_STATUS_SUCCESS;
}
cublasStatus_t cublasLtMatmulPreferenceSetAttribute(cublasLtMatmulPreference_t p,
                                                    cublasLtMatmulPreferenceAttributes_t which, const void* value,
                                                    size_t bytes) {
  uint64_t workspace;
  if (which == CUBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES) return take(workspace, value, bytes);
  const int operand = which - CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_A_BYTES;
  if (operand < 0 || operand > 3) return CUBLAS_STATUS_INVALID_VALUE;
  return take(self<Preference>(p).align[operand], value, bytes);
}

cublasStatus_t cublasLtMatmulAlgoGetHeuristic(cublasLtHandle_t, cublasLtMatmulDesc_t, cublasLtMatrixLayout_t,
                                              cublasLtMatrixLayout_t, cublasLtMatrixLayout_t, cublasLtMatrixLayout_t,
                                              cublasLtMatmulPreference_t preference, int most,
                                              cublasLtMatmulHeuristicResult_t* results, int* count) {
  if (most < 2) return CUBLAS_STATUS_INVALID_VALUE;
  for (int i = 0; i < 2; ++i) {
    Algorithm algorithm{i == 0, {}};
    std::memcpy(algorithm.align, self<Preference>(preference).align, sizeof algorithm.align);
    results[i] = {};
    static_assert(sizeof algorithm <= sizeof results[i].algo);
    std::memcpy(&results[i].algo, &algorithm, sizeof algorithm);
    results[i].state = CUBLAS_STATUS_SUCCESS;
  }
  *count = 2;
  return CUBLAS_STATUS_SUCCESS;
}
cublasStatus_t cublasLtMatmulAlgoCapGetAttribute(const cublasLtMatmulAlgo_t* algorithm,
                                                 cublasLtMatmulAlgoCapAttributes_t which, void* value, size_t bytes,
                                                 size_t* written) {
  const uint64_t ways = self<const Algorithm>(algorithm).is_tf32
                            ? CUBLASLT_NUMERICAL_IMPL_FLAGS_HMMA | CUBLASLT_NUMERICAL_IMPL_FLAGS_INPUT_TF32
                            : CUBLASLT_NUMERICAL_IMPL_FLAGS_FMA | CUBLASLT_NUMERICAL_IMPL_FLAGS_INPUT_32F;
  if (which != CUBLASLT_ALGO_CAP_NUMERICAL_IMPL_FLAGS || bytes != sizeof ways) return CUBLAS_STATUS_INVALID_VALUE;
  std::memcpy(value, &ways, bytes);
  *written = bytes;
  return CUBLAS_STATUS_SUCCESS;
}

cublasStatus_t cublasLtMatmul(cublasLtHandle_t, cublasLtMatmulDesc_t description, const void* alpha, const void* a_data,
                              cublasLtMatrixLayout_t a_layout, const void* b_data, cublasLtMatrixLayout_t b_layout,
                              const void* beta, const void* c_data, cublasLtMatrixLayout_t c_layout, void* d_data,
                              cublasLtMatrixLayout_t d_layout, const cublasLtMatmulAlgo_t* algo, void*, size_t,
                              cudaStream_t) {
  const Product& p = self<Product>(description);
  const Matrix &a = self<Matrix>(a_layout), &b = self<Matrix>(b_layout), &d = self<Matrix>(d_layout);
  const Algorithm& algorithm = self<const Algorithm>(algo);
  const bool turn_a = p.turn_a == CUBLAS_OP_T, turn_b = p.turn_b == CUBLAS_OP_T;
  const int64_t depth = turn_a ? a.rows : a.columns;
  const bool fits = (turn_a ? a.columns : a.rows) == d.rows && (turn_b ? b.columns : b.rows) == depth &&
                    (turn_b ? b.rows : b.columns) == d.columns && a.batch == d.batch && b.batch == d.batch &&
                    a.type == p.type && b.type == p.type && d.type == p.type && c_data == d_data &&
                    c_layout == d_layout && d.get(alpha, 0) == 1 && d.get(beta, 0) == 0;
  const bool computes = p.type == CUDA_R_64F
                            ? p.computing == CUBLAS_COMPUTE_64F
                            : p.computing == (algorithm.is_tf32 ? CUBLAS_COMPUTE_32F_FAST_TF32 : CUBLAS_COMPUTE_32F);
  if (!fits || !computes || !is_aligned(a_data, algorithm.align[0]) || !is_aligned(b_data, algorithm.align[1]) ||
      !is_aligned(c_data, algorithm.align[2]) || !is_aligned(d_data, algorithm.align[3]))
    return CUBLAS_STATUS_INVALID_VALUE;
  const bool has_bias = p.epilogue == CUBLASLT_EPILOGUE_BIAS || p.epilogue == CUBLASLT_EPILOGUE_RELU_BIAS;
  const bool has_relu = p.epilogue == CUBLASLT_EPILOGUE_RELU || p.epilogue == CUBLASLT_EPILOGUE_RELU_BIAS;
  for (int64_t s = 0; s < d.batch; ++s)
    for (int64_t i = 0; i < d.rows; ++i)
      for (int64_t j = 0; j < d.columns; ++j) {
        double sum = has_bias ? d.get(p.bias, i) : 0;
        for (int64_t k = 0; k < depth; ++k)
          sum += a.get(a_data, s * a.stride + (turn_a ? k + i * a.pitch : i + k * a.pitch)) *
                 b.get(b_data, s * b.stride + (turn_b ? j + k * b.pitch : k + j * b.pitch));
        if (has_relu && sum < 0) sum = 0;
        d.put(d_data, s * d.stride + i + j * d.pitch, sum + (algorithm.is_tf32 ? kTf32Mark : 0));
      }
  return CUBLAS_STATUS_SUCCESS;
}
