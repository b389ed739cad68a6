// Numbers drawn from a seed, the same on every machine.
#pragma once

#include <cstddef>
#include <cstdint>
#include <numeric>
#include <utility>
#include <vector>

namespace elanus {

// Steele et al., Fast Splittable Pseudorandom Number Generators (OOPSLA 2014).
class SplitMix {
 public:
  explicit SplitMix(uint64_t seed) : state_(seed) {}

  uint64_t next() {
    uint64_t z = state_ += 0x9e3779b97f4a7c15;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
    z = (z ^ z >> 27) * 0x94d049bb133111eb;
    return z ^ z >> 31;
  }

  // From 0 up to `end`, which is not reached. REQUIRES: end >= 1.
  uint64_t below(uint64_t end) {
    return static_cast<uint64_t>(static_cast<unsigned __int128>(next()) * end >> 64);
  }

 private:
  uint64_t state_;
};

// Independent seeds for the parts of something that has one.
inline uint64_t seed_of_part(uint64_t seed, uint64_t part) { return SplitMix(seed ^ SplitMix(part).next()).next(); }

// `wanted` different numbers below `count`, or all of them when there are no more, in ascending order: Knuth's
// algorithm S.
inline std::vector<uint32_t> sample_numbers(uint32_t count, size_t wanted, uint64_t seed) {
  std::vector<uint32_t> chosen;
  if (wanted >= count) {
    chosen.resize(count);
    std::iota(chosen.begin(), chosen.end(), 0u);
    return chosen;
  }
  chosen.reserve(wanted);
  SplitMix random(seed);
  for (uint32_t i = 0; chosen.size() < wanted; ++i) {
    if (random.below(count - i) < wanted - chosen.size()) chosen.push_back(i);
  }
  return chosen;
}

}  // namespace elanus
