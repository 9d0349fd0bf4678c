// Code that is loaded while the program runs: shared objects (compiled/simulated.cpp), whose kernels are functions of
// one thread.
#include <dlfcn.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <string>
#include <vector>

#include "cuda/sim/runtime.h"
#include "cuda/sim/sim.h"
#include "cuda/sim/streams.h"

using namespace hornbeam::sim;

namespace {

// HB_FORMULA (compiled/formula.h) makes both.
using OneThread = void (*)(const void* argument, int block, int blocks, int thread, int threads);
struct Loaded {
  OneThread run;
  unsigned long argument_bytes;
};

// The size of an ELF file, which `code` begins: its table of sections comes last.
size_t size_of(const void* code) {
  struct {
    char ident[16];
    uint16_t a[2];
    uint32_t b;
    uint64_t c[2], sections;
    uint32_t d;
    uint16_t e[3], size, count, f;
  } head;
  std::memcpy(&head, code, sizeof head);
  return head.sections + static_cast<size_t>(head.size) * head.count;
}

}  // namespace

cudaError_t cudaLibraryLoadData(cudaLibrary_t* library, const void* code, cudaJitOption*, void**, unsigned,
                                cudaLibraryOption*, void**, unsigned) {
  return call([&] {
    const bool is_elf = std::memcmp(code, "\177ELF", 4) == 0;
    if (!is_elf) return cudaErrorInvalidKernelImage;
    // The loader knows what it has loaded by its name, so that each needs one of its own.
    std::string name = (std::filesystem::temp_directory_path() / "hornbeam-XXXXXX").string();
    const int file = mkstemp(name.data());
    const size_t bytes = size_of(code);
    const bool is_written = file >= 0 && write(file, code, bytes) == static_cast<ssize_t>(bytes);
    void* handle = is_written ? dlopen(name.c_str(), RTLD_NOW | RTLD_LOCAL) : nullptr;
    if (file >= 0) close(file), unlink(name.c_str());
    *library = static_cast<cudaLibrary_t>(handle);
    return handle ? cudaSuccess : cudaErrorInvalidKernelImage;
  });
}

cudaError_t cudaLibraryGetKernel(cudaKernel_t* kernel, cudaLibrary_t library, const char* name) {
  return call([&] {
    const auto run = reinterpret_cast<OneThread>(dlsym(library, name));
    const auto* bytes = static_cast<const unsigned long*>(dlsym(library, (std::string(name) + "_bytes").c_str()));
    if (!run || !bytes) return cudaErrorSymbolNotFound;
    *kernel = reinterpret_cast<cudaKernel_t>(new Loaded{run, *bytes});
    return cudaSuccess;
  });
}

cudaError_t cudaFuncGetAttributes(cudaFuncAttributes* attributes, const void*) {
  return call([&] {
    *attributes = {};
    return cudaSuccess;
  });
}

// Of a kernel with one argument, whose threads do not know of each other.
cudaError_t cudaLaunchKernel(const void* kernel, dim3 grid, dim3 block, void** arguments, size_t shared_bytes,
                             cudaStream_t stream) {
  const Loaded& loaded = *static_cast<const Loaded*>(kernel);
  if (const cudaError_t wrong = check_configuration(grid, block, shared_bytes)) return wrong;
  std::vector<uint64_t> argument((loaded.argument_bytes + 7) / 8);
  std::memcpy(argument.data(), arguments[0], loaded.argument_bytes);
  Arguments pointers("a compiled formula");
  pointers.prepare_bytes(argument.data(), loaded.argument_bytes);
  return enqueue(stream, "a compiled formula", pointers, [=] {
    const int blocks = static_cast<int>(grid.x), threads = static_cast<int>(block.x);
    const Permutation order(int64_t{blocks} * threads);
    int64_t i = order.first();
    for (int64_t k = 0; k < int64_t{blocks} * threads; ++k, i = order.after(i))
      loaded.run(argument.data(), static_cast<int>(i / threads), blocks, static_cast<int>(i % threads), threads);
  });
}
