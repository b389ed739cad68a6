#include "code_loops.h"

#include <cstring>

namespace elanus {

const CodeLoops& code_loops(const ElanusSimd& simd) {
  [[maybe_unused]] const char* const name = elanus_simd_name(&simd);
#if defined(__x86_64__)
  if (std::strcmp(name, "avx512") == 0) return kCodeLoopsAvx512;
  if (std::strcmp(name, "avx2") == 0) return kCodeLoopsAvx2;
#endif
  // The compiler's vectors become NEON's.
  return kCodeLoopsPortable;
}

}  // namespace elanus
