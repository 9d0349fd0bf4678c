// Where memory comes from.
#pragma once
#include <cstdint>
#include <string>
#include <utility>

namespace hornbeam {

class Memory {
 public:
  // `where` ends the error of a Buffer for which there is no room: "", " on the device 'cuda'".
  explicit Memory(std::string where) : where(std::move(where)) {}
  virtual ~Memory() = default;
  Memory(const Memory&) = delete;
  Memory& operator=(const Memory&) = delete;

  const std::string where;

  // Uninitialised and aligned to kAlign; null where there is no room.
  virtual void* allocate(int64_t bytes) = 0;
  virtual void free(void*) noexcept = 0;
  // Frees what is kept for later use alone. A Buffer asks for it, and tries again, where there is no room.
  virtual void free_idle() {}
};

}  // namespace hornbeam
