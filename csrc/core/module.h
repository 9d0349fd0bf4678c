// Devices that come from shared libraries beside the core (core/module_api.h), which are opened when one is asked for.
#pragma once
#include <string>
#include <vector>

#include "core/device.h"

namespace hornbeam {

struct LoadedModule {
  std::string name;              // "cuda"; its devices are "cuda", "cuda:1", ...
  std::vector<Device*> devices;  // for ever
  std::string missing;           // why there is none
  const char* (*libraries)();    // core/module_api.h; null where there is no device
};

// The module that a device of this name would come from, "" for none. Opens none.
std::string module_of(const std::string& device_name);

// All modules that this version knows, those whose library is there opened. The first call may take a second.
const std::vector<LoadedModule>& modules();

}  // namespace hornbeam
