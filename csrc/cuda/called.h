// HB_CALLED: a function that stands once in a kernel and is called. Inlined wherever it is used, it would take
// registers from all that surrounds it, until they spill. HB_ROLLED for (...): a loop that is not unrolled, for the
// same reason.
#pragma once

#ifdef __CUDACC__
#define HB_CALLED inline __host__ __device__ __noinline__
#else
#define HB_CALLED inline
#endif

#ifdef __CUDA_ARCH__
#define HB_ROLLED _Pragma("unroll 1")
#else
#define HB_ROLLED
#endif
