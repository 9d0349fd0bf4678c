// What a library has made for a description, and for the alignment of the call's pointers: kept for the next call.
#pragma once
#include <cstdint>
#include <cstring>
#include <map>
#include <memory>
#include <type_traits>

namespace hornbeam {

// The largest power of 2 that divides an address, up to 256: what libraries tell apart.
inline int64_t alignment_of(const void* p) {
  const auto address = reinterpret_cast<uintptr_t>(p) | 256;
  return static_cast<int64_t>(address & (~address + 1));
}

// `Key` is plain data. A null plan: the library has none.
template <class Key, class Plan> class PlanCache {
 public:
  template <class Make> Plan* find(const Key& key, const Make& make) {
    const auto at = plans_.find(key);
    if (at != plans_.end()) return at->second.get();
    return plans_.emplace(key, make()).first->second.get();
  }

 private:
  static_assert(std::has_unique_object_representations_v<Key>, "keys are compared as bytes");
  struct Less {
    bool operator()(const Key& a, const Key& b) const { return std::memcmp(&a, &b, sizeof a) < 0; }
  };
  std::map<Key, std::unique_ptr<Plan>, Less> plans_;
};

}  // namespace hornbeam
