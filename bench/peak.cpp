// The most float32 products and sums per second that this instruction set gives on this machine, on as
// many threads as asked: independent chains of fma in registers. Compiled by contest.py with the
// flags of the kernels; prints GFLOP/s.
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <thread>
#include <vector>

#include "cpu/simd.h"

using namespace hornbeam::HB_ISA;

static double seconds() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

static float chains(long rounds) {
  constexpr int kChains = HB_VECTOR_BYTES == 64 ? 24 : 10;
  vf sum[kChains];
  for (int i = 0; i < kChains; ++i) sum[i] = splat(float(i));
  const vf a = splat(0.999f), b = splat(0.5f);
  for (long r = 0; r < rounds; ++r) {
#pragma GCC unroll 32
    for (int i = 0; i < kChains; ++i) sum[i] = fma<float>(sum[i], a, b);
    asm volatile("");
  }
  float total = 0;
  for (int i = 0; i < kChains; ++i) total += sum[i][0];
  return total;
}

int main(int argc, char** argv) {
  const int threads = argc > 1 ? std::atoi(argv[1]) : 1;
  constexpr long kRounds = 1000000;
  constexpr double kOperations = 2.0 * (HB_VECTOR_BYTES == 64 ? 24 : 10) * (HB_VECTOR_BYTES / 4) * kRounds;
  volatile float keep = 0;
  double best = 0;
  for (int run = 0; run < 8; ++run) {
    std::vector<std::thread> others;
    const double start = seconds();
    for (int i = 1; i < threads; ++i) others.emplace_back([&] { keep = chains(kRounds); });
    keep = chains(kRounds);
    for (auto& t : others) t.join();
    const double rate = kOperations * threads / (seconds() - start) / 1e9;
    best = rate > best ? rate : best;
  }
  std::printf("%.1f\n", best);
}
