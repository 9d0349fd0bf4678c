#include "core/isa.h"

#include <atomic>
#include <cstdlib>
#include <map>
#include <mutex>
#include <unordered_map>

#include "core/error.h"

namespace hornbeam {

#define HB_BUILT_ISA(name) \
  namespace name { extern const KernelTable kernel_table; }
#include "isas.inc"
#undef HB_BUILT_ISA

// Does this machine, and its operating system, run what was compiled for that instruction set?
static bool runs_here(const std::string& isa) {
#if defined(__x86_64__)
  // The levels of the x86-64 psABI, which is what the kernels are compiled for. The builtin also asks xgetbv whether
  // the wide registers are saved.
  __builtin_cpu_init();
  if (isa == "avx512") return __builtin_cpu_supports("x86-64-v4");
  if (isa == "avx2") return __builtin_cpu_supports("x86-64-v3");
  return __builtin_cpu_supports("x86-64-v2");
#else
  return isa == "neon";  // part of every AArch64
#endif
}

static std::vector<const KernelTable*> detect() {
  std::vector<const KernelTable*> found;  // isas.inc goes from the narrowest to the widest
#define HB_BUILT_ISA(name) \
  if (runs_here(#name)) found.insert(found.begin(), &name::kernel_table);
#include "isas.inc"
#undef HB_BUILT_ISA
  return found;
}

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
