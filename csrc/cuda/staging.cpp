#include "cuda/staging.h"

#include <algorithm>
#include <cstring>
#include <new>

#include "cuda/error.h"

namespace hornbeam {

namespace {

constexpr int64_t kAlign = 64;

void copy(void* to, const void* from, int64_t bytes, cudaMemcpyKind kind, cudaStream_t stream) {
  check("cudaMemcpyAsync", cudaMemcpyAsync(to, from, static_cast<size_t>(bytes), kind, stream));
}

}  // namespace

Staging::Block& Staging::next() {
  if (Block& full = blocks_[turn_]; full.used) check("cudaEventRecord", cudaEventRecord(full.done, stream_));
  turn_ = (turn_ + 1) % kBlocks;
  Block& block = blocks_[turn_];
  if (!block.data) {
    void* data;
    const cudaError_t e = cudaMallocHost(&data, kBlockBytes);
    if (e == cudaErrorMemoryAllocation) {
      cudaGetLastError();
      throw std::bad_alloc();
    }
    check("cudaMallocHost", e);
    check("cudaEventCreate", cudaEventCreateWithFlags(&block.done, cudaEventDisableTiming));
    block.data = static_cast<char*>(data);
  } else if (block.used) {
    check("cudaEventSynchronize", cudaEventSynchronize(block.done));
  }
  block.used = 0;
  return block;
}

char* Staging::take(int64_t& bytes) {
  Block* block = &blocks_[turn_];
  // A whole block at once for what does not fit into the rest of one.
  if (!block->data || block->used + std::min(bytes, kBlockBytes) > kBlockBytes) block = &next();
  bytes = std::min(bytes, kBlockBytes);
  char* part = block->data + block->used;
  block->used += (bytes + kAlign - 1) / kAlign * kAlign;
  return part;
}

void Staging::copy_in(void* to, const void* from, int64_t bytes) {
  for (int64_t done = 0, piece; done < bytes; done += piece) {
    piece = bytes - done;
    char* pinned = take(piece);
    std::memcpy(pinned, static_cast<const char*>(from) + done, static_cast<size_t>(piece));
    copy(static_cast<char*>(to) + done, pinned, piece, cudaMemcpyHostToDevice, stream_);
  }
}

// While a piece is on its way, the one before it is taken out of its block.
void Staging::copy_out(void* to, const void* from, int64_t bytes) {
  struct Piece {
    char *to, *pinned;
    int64_t bytes;
    cudaEvent_t arrived;
  } last{};
  const auto empty = [](const Piece& piece) {
    if (!piece.bytes) return;
    check("cudaEventSynchronize", cudaEventSynchronize(piece.arrived));
    std::memcpy(piece.to, piece.pinned, static_cast<size_t>(piece.bytes));
  };
  for (int64_t done = 0, piece; done < bytes; done += piece) {
    piece = bytes - done;
    char* pinned = take(piece);
    copy(pinned, static_cast<const char*>(from) + done, piece, cudaMemcpyDeviceToHost, stream_);
    const cudaEvent_t arrived = blocks_[turn_].done;
    check("cudaEventRecord", cudaEventRecord(arrived, stream_));
    empty(last);
    last = {static_cast<char*>(to) + done, pinned, piece, arrived};
  }
  empty(last);
}

}  // namespace hornbeam
