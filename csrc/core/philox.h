// Philox4x32-10 (Salmon, Moraes, Dror, Shaw: "Parallel random numbers: as easy as 1, 2, 3", 2011): 128
// random bits as a pure function of a 64-bit key and a 128-bit counter. Plain data: kernels include it.
//
// The key is the op's seed. The counter is (block, draw, run): which four words of the tensor, which
// attempt (for rejection; 0 otherwise), which run. In a scan the key is made of the seed and the step. So any element
// can be computed by any thread, on any device, with the same bits.
//
// Words are dealt to elements in chunks of kPhiloxChunk = 16 blocks, so that vectors of any width up to
// 16 lanes store them in order. Chunk c holds the blocks 16 c ... 16 c + 15, and word k of its block i is
// the word 16 k + i of the chunk. Types of 4 bytes take one word per element. Types of 8 bytes take two:
// element e of a chunk has the words e % 16 + 32 (e / 16) and 16 more.
#pragma once
#include "core/dtype.h"

namespace hornbeam {

struct PhiloxCounter { uint32_t word[4]; };

constexpr int kPhiloxChunk = 16;  // blocks
constexpr int kPhiloxRounds = 10;
constexpr uint32_t kPhiloxMultiplier0 = 0xD2511F53, kPhiloxMultiplier1 = 0xCD9E8D57;
constexpr uint32_t kPhiloxWeyl0 = 0x9E3779B9, kPhiloxWeyl1 = 0xBB67AE85;  // golden ratio, sqrt(3) - 1

// draw < 256, block < 2^56.
HB_INLINE PhiloxCounter philox_counter(uint64_t run, uint64_t block, uint32_t draw) {
  return {{static_cast<uint32_t>(block), static_cast<uint32_t>(block >> 32) | draw << 24, static_cast<uint32_t>(run),
           static_cast<uint32_t>(run >> 32)}};
}

HB_INLINE PhiloxCounter philox(uint64_t seed, PhiloxCounter c) {
  uint32_t key0 = static_cast<uint32_t>(seed), key1 = static_cast<uint32_t>(seed >> 32);
  for (int round = 0; round < kPhiloxRounds; ++round) {
    const uint64_t a = static_cast<uint64_t>(kPhiloxMultiplier0) * c.word[0];
    const uint64_t b = static_cast<uint64_t>(kPhiloxMultiplier1) * c.word[2];
    c = {{static_cast<uint32_t>(b >> 32) ^ c.word[1] ^ key0, static_cast<uint32_t>(b),
          static_cast<uint32_t>(a >> 32) ^ c.word[3] ^ key1, static_cast<uint32_t>(a)}};
    key0 += kPhiloxWeyl0;
    key1 += kPhiloxWeyl1;
  }
  return c;
}

// What stands for step `step` of a scan whose own run is at `path`; never 0.
HB_INLINE uint64_t philox_path(uint64_t path, uint64_t step) {
  const PhiloxCounter c = philox(path, philox_counter(step + 1, 0, 0));
  return (static_cast<uint64_t>(c.word[1]) << 32 | c.word[0]) | 1;
}

// The key of an op with this seed there: the seed itself outside of scans.
HB_INLINE uint64_t philox_key(uint64_t seed, uint64_t path) {
  if (!path) return seed;
  const PhiloxCounter c = philox(seed, philox_counter(path, 0, 1));
  return static_cast<uint64_t>(c.word[1]) << 32 | c.word[0];
}

}  // namespace hornbeam
