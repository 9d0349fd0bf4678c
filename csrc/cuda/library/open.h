// NVIDIA's libraries, opened when they are first wanted. They stay open: work of theirs may be in flight to the end.
#pragma once
#include <string>

namespace hornbeam {

class OpenedLibrary {
 public:
  // Looks for the copy that this process has loaded already, as by PyTorch; in the registry's packages of NVIDIA's, in
  // the folder `package` of $HORNBEAM_NVIDIA_ROOT or of `nvidia` beside Hornbeam; and where the loader looks.
  OpenedLibrary(const char* file, const char* package);

  // False where it is not there, or has not all functions that were looked for.
  explicit operator bool() const { return missing_.empty(); }
  const std::string& missing() const { return missing_; }  // why

  // Null where there is none, which missing() names then.
  template <class F> F function(const char* name) { return reinterpret_cast<F>(symbol(name)); }

 private:
  void* symbol(const char* name);

  std::string file_, missing_;
  void* handle_ = nullptr;
};

}  // namespace hornbeam
