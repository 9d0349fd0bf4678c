#include "cuda/library/open.h"

#include <dlfcn.h>

#include <cstdlib>

namespace hornbeam {

namespace {

// The folder of this module's library.
std::string own_folder() {
  Dl_info info;
  if (!dladdr(reinterpret_cast<const void*>(&own_folder), &info) || !info.dli_fname) return ".";
  const std::string path = info.dli_fname;
  const size_t slash = path.rfind('/');
  return slash == std::string::npos ? "." : path.substr(0, slash);
}

std::string root() {
  const char* root = std::getenv("HORNBEAM_NVIDIA_ROOT");
  return root && *root ? root : own_folder() + "/../nvidia";
}

}  // namespace

OpenedLibrary::OpenedLibrary(const char* file, const char* package) : file_(file) {
  constexpr int kWay = RTLD_NOW | RTLD_LOCAL;
  handle_ = dlopen(file, kWay | RTLD_NOLOAD);
  if (!handle_) handle_ = dlopen((root() + "/" + package + "/lib/" + file).c_str(), kWay);
  if (!handle_) handle_ = dlopen(file, kWay);
  if (!handle_) missing_ = dlerror();
}

void* OpenedLibrary::symbol(const char* name) {
  void* found = handle_ ? dlsym(handle_, name) : nullptr;
  if (!found && missing_.empty()) missing_ = file_ + " has no " + name;
  return found;
}

}  // namespace hornbeam
