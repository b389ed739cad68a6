// The checksum of all our files: CRC-32 as in zlib, at the speed of memory.
#pragma once

#include <cstddef>
#include <cstdint>

namespace elanus {

// The checksum of what `sum` is the checksum of (0: of nothing), followed by these bytes.
uint32_t crc32(uint32_t sum, const void* bytes, size_t size);

// The same without any instruction that only some machines have; for tests.
uint32_t crc32_portable(uint32_t sum, const void* bytes, size_t size);

}  // namespace elanus
