// Work that was recorded, and is played with one call.
#pragma once
#include <cuda_runtime_api.h>

#include <algorithm>
#include <vector>

#include "cuda/compiled/formulas.h"

namespace hornbeam {

// A function that the stream calls in its turn, on the host, and what is to happen to its data in the end.
struct HostCall {
  void (*f)(void* data);
  void (*end)(void* data);
  void* data;
};

struct Graph {
  cudaGraphExec_t executable = nullptr;
  std::vector<HostCall> host_calls;             // among its work
  std::vector<const CompiledFormula*> awaited;  // that it interprets, as they were not compiled yet

  // Whether it would be faster recorded anew. Not before all of them are compiled, so that it is recorded once.
  bool is_outdated() const {
    const auto any = [&](CompiledFormula::State state) {
      return std::any_of(awaited.begin(), awaited.end(), [&](auto* f) { return f->state.load() == state; });
    };
    return any(CompiledFormula::ready) && !any(CompiledFormula::pending);
  }

  Graph() = default;
  Graph(const Graph&) = delete;
  ~Graph() {
    if (executable) cudaGraphExecDestroy(executable);
    for (const HostCall& call : host_calls) call.end(call.data);
  }
};

}  // namespace hornbeam
