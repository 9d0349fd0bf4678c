// Compiled code on disk, so that the next process need not compile it: a file for each identity, which is all that the
// code depends on. The folder is of this user alone. A file that is damaged, or that somebody else could have written,
// is as good as none.
#pragma once
#include <cstdint>
#include <string>
#include <utility>

namespace hornbeam {

class CodeCache {
 public:
  // Of at most so many bytes. Empty: nothing is kept. The folder is made when the first file is.
  explicit CodeCache(std::string folder, int64_t most_bytes = int64_t{128} << 20)
      : folder_(std::move(folder)), most_bytes_(most_bytes) {}

  // HORNBEAM_KERNEL_CACHE, which is "0" where none is wanted; else hornbeam/kernels in the user's cache.
  static std::string folder_of_user();

  // Empty where there is none.
  std::string read(const std::string& identity) const noexcept;
  // Appears as a whole, or not at all. Then files go that were not used for longest, until the rest is small enough.
  void write(const std::string& identity, const std::string& code) const noexcept;

  static constexpr int64_t kMostBytesOfFile = int64_t{8} << 20;

 private:
  const std::string folder_;
  const int64_t most_bytes_;
};

}  // namespace hornbeam
