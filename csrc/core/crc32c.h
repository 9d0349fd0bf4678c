// The checksum of TensorFlow's files.
#pragma once
#include <cstddef>
#include <cstdint>

namespace hornbeam {

// CRC-32C (Castagnoli) of bytes: polynomial 0x1edc6f41, reflected. `before` is the CRC of what comes before them.
uint32_t crc32c(const void* data, size_t size, uint32_t before = 0);

}  // namespace hornbeam
