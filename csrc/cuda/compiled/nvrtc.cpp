// Texts compiled by NVRTC, which is opened at run time; its few functions are declared here, so that compiling takes no
// header of its.
#include <cuda_runtime_api.h>

#include <cstdlib>
#include <iterator>
#include <vector>

#include "cuda/compiled/compiler.h"
#include "cuda/compiled/headers.h"
#include "cuda/error.h"
#include "cuda/library/open.h"

namespace hornbeam {

namespace {

using Program = struct Opaque*;

std::string version_text(int major, int minor) { return std::to_string(major) + "." + std::to_string(minor); }
// The module's own. Functions such as expf are part of a compiler: those of another version may have other bits.
constexpr int kMajor = CUDART_VERSION / 1000, kMinor = CUDART_VERSION % 1000 / 10;

struct Nvrtc {
  // NVRTC itself looks for its builtins where the loader does, and not in its own folder.
  OpenedLibrary builtins{("libnvrtc-builtins.so." + version_text(kMajor, kMinor)).c_str(), "cu13"};
  OpenedLibrary library{"libnvrtc.so.13", "cu13"};

#define HB_X(name, ...) int (*name)(__VA_ARGS__) = library.function<int (*)(__VA_ARGS__)>("nvrtc" #name);
  HB_X(Version, int* major, int* minor)
  HB_X(CreateProgram, Program*, const char* text, const char* name, int headers, const char* const* header_texts,
       const char* const* header_names)
  HB_X(CompileProgram, Program, int options, const char* const*)
  HB_X(DestroyProgram, Program*)
  HB_X(GetProgramLogSize, Program, size_t*)
  HB_X(GetProgramLog, Program, char*)
  HB_X(GetCUBINSize, Program, size_t*)
  HB_X(GetCUBIN, Program, char*)
#undef HB_X
};
Nvrtc& nvrtc() {
  static auto* functions = new Nvrtc;
  return *functions;
}

Presence find() {
  if (compiler_version().empty()) return {false, "not used, as HORNBEAM_NVRTC=0 says"};
  if (!nvrtc().library) return {false, nvrtc().library.missing()};
  int major = 0, minor = 0;
  nvrtc().Version(&major, &minor);
  const std::string found = "NVRTC " + version_text(major, minor), wanted = version_text(kMajor, kMinor);
  if (major == kMajor && minor == kMinor) return {true, found};
  return {false, found + " is not of CUDA " + wanted + ", with which this module was compiled"};
}

void check_nvrtc(const char* call, int result) {
  if (result) throw GpuError(std::string("nvrtc") + call + ": error " + std::to_string(result));
}

struct Owned {
  Program program = nullptr;
  ~Owned() { nvrtc().DestroyProgram(&program); }
};

std::string log_of(Program program) {
  size_t bytes = 0;
  check_nvrtc("GetProgramLogSize", nvrtc().GetProgramLogSize(program, &bytes));
  std::string log(bytes, '\0');
  check_nvrtc("GetProgramLog", nvrtc().GetProgramLog(program, log.data()));
  return log.c_str();
}

}  // namespace

std::string compiler_version() {
  const char* wanted = std::getenv("HORNBEAM_NVRTC");
  return wanted && std::string(wanted) == "0" ? "" : "NVRTC " + version_text(kMajor, kMinor);
}

const Presence& compiler_presence() {
  static const Presence presence = find();
  return presence;
}

std::string compile(const std::string& text, const std::string& architecture) {
  std::vector<const char*> names, texts;
  for (const Header& h : kFormulaHeaders) {
    const bool is_prelude = std::string(h.name) == "cuda/compiled/nvrtc_prelude.h";
    names.push_back(is_prelude ? "cstdint" : h.name);
    texts.push_back(h.text);
  }
  names.push_back("math.h");  // NVRTC has the functions
  texts.push_back("");
  Owned owned;
  check_nvrtc("CreateProgram", nvrtc().CreateProgram(&owned.program, text.c_str(), "formula.cu",
                                                     static_cast<int>(names.size()), texts.data(), names.data()));
  const std::string target = "--gpu-architecture=" + architecture;
  const char* const options[] = {target.c_str(), "--std=c++17", "--fmad=false", "--device-as-default-execution-space"};
  const int result = nvrtc().CompileProgram(owned.program, static_cast<int>(std::size(options)), options);
  if (result) throw GpuError("NVRTC refuses a formula: " + log_of(owned.program).substr(0, 500));
  size_t bytes = 0;
  check_nvrtc("GetCUBINSize", nvrtc().GetCUBINSize(owned.program, &bytes));
  std::string code(bytes, '\0');
  check_nvrtc("GetCUBIN", nvrtc().GetCUBIN(owned.program, code.data()));
  return code;
}

}  // namespace hornbeam
