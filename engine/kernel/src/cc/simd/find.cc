// Chooses the instruction set at run time.
#include <cstring>

#include "loops.h"

namespace elanus {
namespace {

#define ELANUS_SIMD(Set, set, name)                                                                              \
  const ElanusSimd& set() {                                                                                      \
    static const ElanusSimd simd = {name,      kFloat32##Set, kFloat16##Set,  kBFloat16##Set, kInt8##Set,         \
                                    kBits##Set, read_all_##set, encode_##set,  kWalk##Set, kSparse##Set};        \
    return simd;                                                                                                 \
  }

ELANUS_SIMD(Portable, portable, "portable")

#if defined(__x86_64__)
ELANUS_SIMD(Avx2, avx2, "avx2")
ELANUS_SIMD(Avx512, avx512, "avx512")

bool has_avx2() {
  return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && __builtin_cpu_supports("f16c") &&
         __builtin_cpu_supports("popcnt");
}

// Ice Lake and Zen 4 have all of these; older machines with AVX-512 are served by AVX2.
bool has_avx512() {
  return has_avx2() && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
         __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl") &&
         __builtin_cpu_supports("avx512vnni") && __builtin_cpu_supports("avx512vpopcntdq");
}
#elif defined(__aarch64__)
ELANUS_SIMD(Neon, neon, "neon")
#endif

struct Candidate {
  const ElanusSimd& (*get)();
  bool supported;
};

template <class Visit>
void for_each_supported(Visit visit) {
#if defined(__x86_64__)
  __builtin_cpu_init();
  const Candidate candidates[] = {{avx512, has_avx512()}, {avx2, has_avx2()}, {portable, true}};
#elif defined(__aarch64__)
  const Candidate candidates[] = {{neon, true}, {portable, true}};
#else
  const Candidate candidates[] = {{portable, true}};
#endif
  for (const Candidate& candidate : candidates) {
    if (candidate.supported && visit(candidate.get())) return;
  }
}

}  // namespace
}  // namespace elanus

extern "C" const ElanusSimd* elanus_simd_find(const char* name) {
  const ElanusSimd* found = nullptr;
  elanus::for_each_supported([&](const ElanusSimd& simd) {
    if (name != nullptr && std::strcmp(name, simd.name) != 0) return false;
    found = &simd;
    return true;
  });
  return found;
}

extern "C" const char* elanus_simd_name(const ElanusSimd* simd) { return simd->name; }
