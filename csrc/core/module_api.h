// What a device module hands to the core: a shared library beside it, libhornbeam_<name>.so, made by the same build and
// without Python in it. Plain data and functions that throw nothing.
#pragma once
#include "cpu/kernel.h"

namespace hornbeam {

// The error of a call for which the host lacks memory: a MemoryError in the core.
inline constexpr char kNoHostMemory[] = "the host has too little memory left";

// The functions of core/device.h, on a device of the module. Null is success; an error is a text that holds until this
// thread's next call.
struct ModuleCalls {
  const char* (*check_process)(void* device);
  const char* (*allocate)(void* device, int64_t bytes, void** memory);  // *memory is null where there is no room
  void (*free)(void* device, void* memory);
  const char* (*copy_in)(void* device, void* to, const void* from, int64_t bytes);
  const char* (*copy_out)(void* device, void* to, const void* from, int64_t bytes);
  const char* (*copy)(void* device, void* to, const void* from, int64_t bytes);
  const char* (*fill)(void* device, void* to, int32_t byte, int64_t bytes);
  const char* (*run)(void* device, const Kernel*, const KernelCall*);
  const char* (*pack)(void* device, const Kernel*, const KernelCall*, void* to);

  const char* (*allocate_pinned)(void* device, int64_t bytes, void** memory);
  const char* (*allocate_mapped)(void* device, int64_t bytes, void** memory);
  void (*free_pinned)(void* device, void* memory);  // mapped memory, too
  const char* (*send)(void* device, void* to, const void* from, int64_t bytes);
  const char* (*fetch)(void* device, void* to, const void* from, int64_t bytes);
  const char* (*wait)(void* device);
  const char* (*signal)(void* device, const uint64_t* number, uint64_t* flag);
  const char* (*wait_for)(void* device, const uint64_t* flag, uint64_t number);
  const char* (*send_beside)(void* device, void* to, const void* from, int64_t bytes);
  const char* (*join)(void* device);
  const char* (*synchronize)(void* device);
  // Calls f(data) in its turn, from some thread; end(data) once that has happened, or can no longer happen. On an
  // error neither will.
  const char* (*call_host)(void* device, void (*f)(void* data), void (*end)(void* data), void* data);

  const char* (*begin_recording)(void* device);
  const char* (*end_recording)(void* device, void** recording);  // an error ends it, too
  const char* (*play)(void* device, void* recording);
  int32_t (*is_outdated)(void* recording);
  void (*free_recording)(void* device, void* recording);
};

struct ModuleDevice {
  const char *name, *description;
  void* self;
  int32_t dlpack_type, dlpack_number;  // core/device.h
};

struct Module {
  const char* missing;  // why there is no device; null where there is one
  const ModuleDevice* devices;
  int32_t count;
  const KernelTable* kernels;
  const ModuleCalls* calls;
  const char* (*libraries)();  // which of others' it computes with, or why not: "cuBLASLt 13.1.0, cuDNN 9.19.0"; lasts
};

// The library's one symbol. Null where it was built for another version of the core.
using ModuleEntry = const Module* (*)(const char* version);
constexpr char kModuleEntry[] = "hornbeam_module";

}  // namespace hornbeam
