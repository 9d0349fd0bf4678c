#include "cuda/compiled/cache.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <vector>

#include "core/crc32c.h"
#include "cuda/compiled/hash.h"

namespace hornbeam {

namespace {

constexpr char kEnding[] = ".code";

// What a file begins with; the identity and the code follow.
struct Head {
  char magic[8];
  uint64_t identity_bytes, code_bytes;
  uint32_t format, checksum;  // of both
};
constexpr char kMagic[9] = "HORNBEAM";
constexpr uint32_t kFormat = 1;

class Descriptor {
 public:
  explicit Descriptor(int number) : number_(number) {}
  Descriptor(const Descriptor&) = delete;
  ~Descriptor() {
    if (number_ >= 0) close(number_);
  }
  explicit operator bool() const { return number_ >= 0; }
  operator int() const { return number_; }

 private:
  const int number_;
};

// Whether nobody but this user can write to it.
bool is_private(const struct stat& s) { return s.st_uid == geteuid() && !(s.st_mode & (S_IWGRP | S_IWOTH)); }

int open_folder(const std::string& folder) {
  const int number = folder.empty() ? -1 : open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  struct stat s;
  if (number < 0 || (fstat(number, &s) == 0 && is_private(s))) return number;
  close(number);
  return -1;
}

// In a folder of somebody else, root would leave one that its owner cannot use: sudo may keep the user's HOME.
bool is_anothers_to_root(const std::string& folder) {
  struct stat s;
  return geteuid() == 0 && stat(folder.c_str(), &s) == 0 && s.st_uid != 0;
}

void make_folders(const std::string& folder) {
  std::string parent = folder[0] == '/' ? "/" : ".";
  for (size_t end = 0; end != std::string::npos && !is_anothers_to_root(parent);) {
    end = folder.find('/', end + 1);
    parent = folder.substr(0, end);
    mkdir(parent.c_str(), 0700);
  }
}

std::string name_of(const std::string& identity) {
  char name[40];
  const uint64_t low = hash_of(identity.data(), identity.size()),
                 high = hash_of(identity.data(), identity.size(), ~low);
  std::snprintf(name, sizeof name, "%016llx%016llx", static_cast<unsigned long long>(low),
                static_cast<unsigned long long>(high));
  return std::string(name) + kEnding;
}

bool write_all(int file, const void* data, size_t bytes) {
  for (const char* p = static_cast<const char*>(data); bytes;) {
    const ssize_t done = ::write(file, p, bytes);
    if (done <= 0) return false;
    p += done;
    bytes -= static_cast<size_t>(done);
  }
  return true;
}
bool read_all(int file, void* data, size_t bytes) {
  for (char* p = static_cast<char*>(data); bytes;) {
    const ssize_t done = ::read(file, p, bytes);
    if (done <= 0) return false;
    p += done;
    bytes -= static_cast<size_t>(done);
  }
  return true;
}

// Whether it is a name that write_file() makes. Whatever else lies in the folder is not this cache's to remove.
bool is_own(const char* name) {
  constexpr size_t kDigits = 32;
  return std::strspn(name, "0123456789abcdef") == kDigits &&
         std::strncmp(name + kDigits, kEnding, sizeof kEnding - 1) == 0;
}

// Files that were used longest ago go first; so do those that a process which ended has left half written.
void remove_oldest(int folder, int64_t most_bytes) {
  struct File {
    std::string name;
    int64_t bytes;
    timespec used;
  };
  std::vector<File> files;
  int64_t total = 0;
  DIR* list = fdopendir(dup(folder));
  if (!list) return;
  rewinddir(list);
  while (const dirent* entry = readdir(list)) {
    struct stat s;
    if (!is_own(entry->d_name) || fstatat(folder, entry->d_name, &s, AT_SYMLINK_NOFOLLOW) != 0) continue;
    files.push_back({entry->d_name, s.st_size, s.st_mtim});
    total += s.st_size;
  }
  closedir(list);
  std::sort(files.begin(), files.end(), [](const File& a, const File& b) {
    return a.used.tv_sec != b.used.tv_sec ? a.used.tv_sec < b.used.tv_sec : a.used.tv_nsec < b.used.tv_nsec;
  });
  for (size_t i = 0; i < files.size() && total > most_bytes; ++i) {
    unlinkat(folder, files[i].name.c_str(), 0);
    total -= files[i].bytes;
  }
}

std::string read_file(const std::string& folder_name, const std::string& identity) {
  const Descriptor folder(open_folder(folder_name));
  if (!folder) return "";
  // Not one that waits for somebody, as a pipe does.
  const Descriptor file(openat(folder, name_of(identity).c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
  struct stat s;
  if (!file || fstat(file, &s) != 0 || !S_ISREG(s.st_mode) || !is_private(s)) return "";
  Head head;
  if (s.st_size > CodeCache::kMostBytesOfFile || !read_all(file, &head, sizeof head)) return "";
  const auto rest = static_cast<uint64_t>(s.st_size) - sizeof head;
  if (std::memcmp(head.magic, kMagic, sizeof head.magic) != 0 || head.format != kFormat ||
      head.identity_bytes != identity.size() || head.code_bytes != rest - identity.size())
    return "";
  std::string content(rest, '\0');
  if (!read_all(file, content.data(), content.size()) || content.compare(0, identity.size(), identity) != 0 ||
      crc32c(content.data(), content.size()) != head.checksum)
    return "";
  futimens(file, nullptr);  // used now
  return content.substr(identity.size());
}

void write_file(const std::string& folder_name, const std::string& identity, const std::string& code,
                int64_t most_bytes) {
  make_folders(folder_name);
  const Descriptor folder(open_folder(folder_name));
  const std::string content = identity + code;
  if (!folder || static_cast<int64_t>(sizeof(Head) + content.size()) > CodeCache::kMostBytesOfFile) return;
  Head head{{}, identity.size(), code.size(), kFormat, crc32c(content.data(), content.size())};
  std::memcpy(head.magic, kMagic, sizeof head.magic);
  const std::string name = name_of(identity), partial = name + "." + std::to_string(getpid());
  {
    const Descriptor file(openat(folder, partial.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600));
    if (!file) return;
    if (!write_all(file, &head, sizeof head) || !write_all(file, content.data(), content.size())) {
      unlinkat(folder, partial.c_str(), 0);
      return;
    }
  }
  renameat(folder, partial.c_str(), folder, name.c_str());
  remove_oldest(folder, most_bytes);
}

}  // namespace

std::string CodeCache::folder_of_user() {
  const auto value = [](const char* name) { return std::getenv(name) ? std::getenv(name) : std::string(); };
  if (const std::string wanted = value("HORNBEAM_KERNEL_CACHE"); !wanted.empty()) return wanted == "0" ? "" : wanted;
  if (const std::string cache = value("XDG_CACHE_HOME"); !cache.empty()) return cache + "/hornbeam/kernels";
  if (const std::string home = value("HOME"); !home.empty()) return home + "/.cache/hornbeam/kernels";
  return "";
}

std::string CodeCache::read(const std::string& identity) const noexcept {
  try {
    return read_file(folder_, identity);
  } catch (const std::bad_alloc&) {
    return "";
  }
}

void CodeCache::write(const std::string& identity, const std::string& code) const noexcept {
  if (folder_.empty()) return;
  try {
    write_file(folder_, identity, code, most_bytes_);
  } catch (const std::bad_alloc&) {  // there will be another process
  }
}

}  // namespace hornbeam
