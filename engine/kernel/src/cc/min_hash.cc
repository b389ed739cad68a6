#include "min_hash.h"

#include <algorithm>

#include "index/random.h"
#include "xxhash64.h"

extern "C" ElanusStatus elanus_hash_texts(const uint8_t* bytes, size_t bytes_size, const uint32_t* starts,
                                          const uint32_t* ends, size_t count, uint64_t* hashes) {
  for (size_t i = 0; i < count; ++i) {
    if (starts[i] > ends[i] || ends[i] > bytes_size) return ELANUS_INVALID_ARGUMENT;
    hashes[i] = elanus::XxHash64::of(bytes + starts[i], ends[i] - starts[i]);
  }
  return ELANUS_OK;
}

extern "C" void elanus_min_hash(const uint64_t* hashes, size_t count, uint64_t seed, uint32_t* signature,
                                size_t size) {
  elanus::SplitMix random(seed);
  for (size_t i = 0; i < size; ++i) {
    // Odd: different hashes give different numbers.
    const uint64_t factor = random.next() | 1;
    const uint64_t added = random.next();
    uint32_t least = signature[i];
    for (size_t h = 0; h < count; ++h)
      least = std::min(least, static_cast<uint32_t>((factor * hashes[h] + added) >> 32));
    signature[i] = least;
  }
}
