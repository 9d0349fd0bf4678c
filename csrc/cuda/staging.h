// Pinned memory through which copies between the host and the device go: a copy of a stream reads and writes none other
// without waiting. Large copies go in pieces, so that one is in flight while the host fills or empties the next.
#pragma once
#include <cuda_runtime_api.h>

#include <cstdint>

namespace hornbeam {

class Staging {
 public:
  explicit Staging(cudaStream_t stream) : stream_(stream) {}
  Staging(const Staging&) = delete;  // and never destroyed: its device is there until the process ends

  void copy_in(void* to, const void* from, int64_t bytes);   // `from` may change afterwards
  void copy_out(void* to, const void* from, int64_t bytes);  // waits

 private:
  // Copies take from one block after another; before a block is filled again, what it was filled with has been read.
  static constexpr int64_t kBlockBytes = int64_t{1} << 20, kBlocks = 4;
  struct Block {
    char* data = nullptr;
    int64_t used = 0;
    cudaEvent_t done = nullptr;  // all copies that used it
  };
  // A part of at least one byte and at most `bytes`, of the block in turn; `bytes` becomes its size.
  char* take(int64_t& bytes);
  Block& next();

  cudaStream_t stream_;
  Block blocks_[kBlocks];
  int64_t turn_ = 0;
};

}  // namespace hornbeam
