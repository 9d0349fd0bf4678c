#include "core/isa.h"

#include <atomic>
#include <cstdlib>
#include <map>
#include <mutex>
#include <unordered_map>

#include "core/error.h"

namespace hornbeam {

#if defined(__x86_64__)
namespace baseline { extern const KernelTable kernel_table; }
namespace avx2 { extern const KernelTable kernel_table; }
namespace avx512 { extern const KernelTable kernel_table; }

static std::vector<const KernelTable*> detect() {
  // __builtin_cpu_supports also asks xgetbv whether the OS saves the wide registers.
  __builtin_cpu_init();
  std::vector<const KernelTable*> found;
  if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512cd") &&
      __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("fma") &&
      __builtin_cpu_supports("bmi2"))
    found.push_back(&avx512::kernel_table);
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && __builtin_cpu_supports("bmi2"))
    found.push_back(&avx2::kernel_table);
  if (__builtin_cpu_supports("sse4.2") && __builtin_cpu_supports("popcnt")) found.push_back(&baseline::kernel_table);
  return found;
}
#else
namespace neon { extern const KernelTable kernel_table; }
static std::vector<const KernelTable*> detect() { return {&neon::kernel_table}; }
#endif

const std::vector<const KernelTable*>& available_isas() {
  static const auto* tables = new std::vector<const KernelTable*>(detect());
  return *tables;
}

static const KernelTable* by_name(const std::string& name) {
  std::string have;
  for (auto* t : available_isas()) {
    if (name == t->isa) return t;
    have += (have.empty() ? "" : ", ") + std::string(t->isa);
  }
  throw ValueError("instruction set '" + name + "' is unknown or not supported by this CPU; available: " + have);
}

static std::atomic<const KernelTable*> active{nullptr};

const KernelTable& active_isa() {
  if (auto* t = active.load()) return *t;
  if (available_isas().empty()) throw RuntimeError("Hornbeam needs an x86-64-v2 CPU (SSE4.2 and POPCNT)");
  const char* env = std::getenv("HORNBEAM_ISA");
  const KernelTable* t = env && *env ? by_name(env) : available_isas().front();
  active = t;
  return *t;
}

void set_active_isa(const std::string& name) { active = by_name(name); }

const std::vector<const Kernel*>& kernels_for(const KernelTable& table, const std::string& op) {
  using Index = std::unordered_map<std::string, std::vector<const Kernel*>>;
  static std::mutex mutex;
  static auto* indices = new std::map<const KernelTable*, Index>;
  static const std::vector<const Kernel*> none;
  std::lock_guard<std::mutex> lock(mutex);
  Index& index = (*indices)[&table];
  if (index.empty())
    for (int l = 0; l < table.count; ++l)
      for (int k = 0; k < table.lists[l]->count; ++k)
        index[table.lists[l]->items[k].op].push_back(&table.lists[l]->items[k]);
  auto it = index.find(op);
  return it == index.end() ? none : it->second;
}

}  // namespace hornbeam
