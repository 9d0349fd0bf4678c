// The formulas that a device has run, and code for them. A formula starts interpreted. From its second use on its text
// is compiled by a thread of its own, or the code comes from the disk, and from some later run on it is what runs: with
// the same bits, so nobody sees when.
#pragma once
#include <cuda_runtime_api.h>

#include <atomic>
#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>
#include <vector>

#include "cuda/compiled/cache.h"
#include "cuda/compiled/description.h"

namespace hornbeam {

struct CompiledFormula {
  enum State { pending, ready, none };

  std::atomic<State> state{pending};
  bool is_wanted = false;         // from its second use on
  cudaKernel_t kernel = nullptr;  // where it is ready
  int tile = 0;                   // elements that a block computes in one go
};

class Formulas {
 public:
  Formulas() : cache_(CodeCache::folder_of_user()) {}
  Formulas(const Formulas&) = delete;  // and never destroyed: its thread is there until the process ends

  void start(int device);  // before other calls
  bool is_on() const { return is_on_; }

  // The code for it; null while it is interpreted. `awaited`, where it is not null, gets those that may yet be
  // compiled. For one thread at a time, where it is on.
  const CompiledFormula* find(const FormulaDescription&, std::vector<const CompiledFormula*>* awaited);

 private:
  // More different formulas than this are interpreted: a process that makes new ones all the time.
  static constexpr size_t kMost = 4096;
  struct Hash { size_t operator()(const FormulaDescription&) const; };
  struct Wanted {
    FormulaDescription description;
    CompiledFormula* formula;
  };

  bool start_to_work();
  void work();
  Wanted take();
  CompiledFormula::State settle(const Wanted&);
  void make(const Wanted&);

  const CodeCache cache_;
  int device_ = 0;
  std::string architecture_;
  bool is_on_ = false, waits_ = false;
  std::unordered_map<FormulaDescription, std::unique_ptr<CompiledFormula>, Hash> formulas_;

  std::mutex mutex_;  // of what follows
  std::condition_variable is_wanted_, is_settled_;
  std::deque<Wanted> wanted_;
};

// Puts it into a stream. `operands` is what its text calls Operands.
cudaError_t launch(const CompiledFormula&, const void* operands, int64_t tiles, cudaStream_t);

}  // namespace hornbeam
