// What stands for NVRTC on the simulated device: the C++ compiler that HORNBEAM_SIM_NVRTC names. It makes shared
// objects, which are the code that sim/code.cpp loads.
#include "cuda/compiled/compiler.h"

#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "cuda/compiled/headers.h"
#include "cuda/error.h"

namespace hornbeam {

namespace {

// A folder of its own, which is gone with it.
struct Folder {
  std::filesystem::path path;
  Folder() {
    std::string name = (std::filesystem::temp_directory_path() / "hornbeam-XXXXXX").string();
    if (!mkdtemp(name.data())) throw GpuError("cannot make a folder for temporary files: " + name);
    path = name;
  }
  ~Folder() {
    std::error_code ignored;
    std::filesystem::remove_all(path, ignored);
  }
};

void write_text(const std::filesystem::path& path, const std::string& text) {
  std::filesystem::create_directories(path.parent_path());
  std::ofstream(path) << text;
}

int run(const std::string& program, const std::filesystem::path& folder) {
  const std::string source = folder / "formula.cpp", object = folder / "formula.so", include = "-I" + folder.string();
  const char* const arguments[] = {program.c_str(), "-std=c++17", "-O1",          "-ffp-contract=off",
                                   "-shared",       "-fPIC",      "-w",           include.c_str(),
                                   source.c_str(),  "-o",         object.c_str(), nullptr};
  const pid_t child = vfork();
  if (child == 0) {
    execvp(program.c_str(), const_cast<char* const*>(arguments));
    _exit(127);
  }
  int status = -1;
  if (child > 0) waitpid(child, &status, 0);
  return status;
}

}  // namespace

std::string compiler_version() {
  const char *program = std::getenv("HORNBEAM_SIM_NVRTC"), *wanted = std::getenv("HORNBEAM_NVRTC");
  return program && !(wanted && std::string(wanted) == "0") ? program : "";
}

const Presence& compiler_presence() {
  static const auto* presence = compiler_version().empty()
                                    ? new Presence{false, "NVRTC is not simulated"}
                                    : new Presence{true, "NVRTC is simulated by " + compiler_version()};
  return *presence;
}

std::string compile(const std::string& text, const std::string&) {
  const Folder folder;
  for (const Header& h : kFormulaHeaders) write_text(folder.path / h.name, h.text);
  write_text(folder.path / "formula.cpp", text);
  if (run(compiler_version(), folder.path) != 0) throw GpuError(compiler_version() + " refuses a formula");
  std::ifstream object(folder.path / "formula.so", std::ios::binary);
  return {std::istreambuf_iterator<char>(object), {}};
}

}  // namespace hornbeam
