// NVIDIA's libraries, opened when they are first wanted. They stay open: work of theirs may be in flight to the end.
#pragma once
#include <string>

namespace hornbeam {

class OpenedLibrary {
 public:
  // Looks for the copy that this process has loaded already, as by PyTorch; in the registry's packages of NVIDIA's, in
  // the folder `package` of $HORNBEAM_NVIDIA_ROOT or of `nvidia` beside Hornbeam; and where the loader looks.
  OpenedLibrary(const char* file, const char* package);

  explicit operator bool() const { return handle_; }
  const std::string& missing() const { return missing_; }  // why it is not there

  // function = the library's function of that name. False, and missing() names it, where there is none.
  template <class F> bool find(const char* name, F*& function) {
    function = reinterpret_cast<F*>(symbol(name));
    return function;
  }

 private:
  void* symbol(const char* name);

  std::string file_, missing_;
  void* handle_ = nullptr;
};

}  // namespace hornbeam
