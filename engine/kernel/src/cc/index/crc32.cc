#include "crc32.h"

#include <array>
#include <bit>
#include <cstring>

#include "elanus/kernel.h"

#if defined(__x86_64__)
#include <immintrin.h>
#elif defined(__aarch64__)
#include <arm_acle.h>
#include <sys/auxv.h>
#endif

namespace elanus {
namespace {

static_assert(std::endian::native == std::endian::little, "bytes at rest are written as they lie in memory");

// Polynomials over GF(2) stand with the coefficient of x^0 in the highest bit.
constexpr uint32_t kPolynomial = 0xedb88320;

constexpr uint32_t times_x(uint32_t value) { return value & 1 ? value >> 1 ^ kPolynomial : value >> 1; }

// Bytes that are looked up together.
constexpr size_t kStride = 8;
using Tables = std::array<std::array<uint32_t, 256>, kStride>;

// tables[n][b]: what byte b adds to the sum when n more bytes follow it.
constexpr Tables make_tables() {
  Tables tables{};
  for (uint32_t byte = 0; byte < 256; ++byte) {
    uint32_t value = byte;
    for (int bit = 0; bit < 8; ++bit) value = times_x(value);
    tables[0][byte] = value;
  }
  for (size_t n = 1; n < kStride; ++n) {
    for (size_t byte = 0; byte < 256; ++byte) {
      const uint32_t before = tables[n - 1][byte];
      tables[n][byte] = before >> 8 ^ tables[0][before & 255];
    }
  }
  return tables;
}

constexpr Tables kTables = make_tables();

// These take and return the state of the sum, which is its complement.
uint32_t update_by_table(uint32_t state, const uint8_t* bytes, size_t size) {
  for (; size >= kStride; bytes += kStride, size -= kStride) {
    uint64_t word;
    std::memcpy(&word, bytes, sizeof word);
    word ^= state;
    state = 0;
    for (size_t i = 0; i < kStride; ++i) state ^= kTables[kStride - 1 - i][word >> (8 * i) & 255];
  }
  for (; size > 0; ++bytes, --size) state = state >> 8 ^ kTables[0][(state ^ *bytes) & 255];
  return state;
}

#if defined(__x86_64__)

// x^exponent modulo the polynomial, as the multiplication without carries wants it.
constexpr int64_t power_of_x(unsigned exponent) {
  uint32_t value = 0x80000000;
  for (unsigned i = 0; i < exponent; ++i) value = times_x(value);
  return int64_t{value} << 1;
}

#define ELANUS_CLMUL __attribute__((target("pclmul,sse4.1")))

// `sum`, moved on by Bits bits, plus `next`: congruent to the two one behind the other, and as short as one.
template <unsigned Bits>
ELANUS_CLMUL inline __m128i fold(__m128i sum, __m128i next) {
  const __m128i powers = _mm_set_epi64x(power_of_x(Bits - 32), power_of_x(Bits + 32));
  const __m128i low = _mm_clmulepi64_si128(sum, powers, 0x00);
  const __m128i high = _mm_clmulepi64_si128(sum, powers, 0x11);
  return _mm_xor_si128(_mm_xor_si128(low, high), next);
}

ELANUS_CLMUL inline __m128i load(const uint8_t* bytes) {
  return _mm_loadu_si128(reinterpret_cast<const __m128i*>(bytes));
}

// Gopal et al., Fast CRC Computation for Generic Polynomials Using PCLMULQDQ Instruction (Intel, 2009); the last 16
// bytes go through the table instead of a Barrett reduction.
// REQUIRES: size >= 64.
ELANUS_CLMUL uint32_t update_by_clmul(uint32_t state, const uint8_t* bytes, size_t size) {
  __m128i sums[4];
  for (size_t i = 0; i < 4; ++i) sums[i] = load(bytes + 16 * i);
  sums[0] = _mm_xor_si128(sums[0], _mm_cvtsi32_si128(static_cast<int>(state)));
  for (bytes += 64, size -= 64; size >= 64; bytes += 64, size -= 64) {
    for (size_t i = 0; i < 4; ++i) sums[i] = fold<512>(sums[i], load(bytes + 16 * i));
  }
  __m128i sum = sums[0];
  for (size_t i = 1; i < 4; ++i) sum = fold<128>(sum, sums[i]);
  for (; size >= 16; bytes += 16, size -= 16) sum = fold<128>(sum, load(bytes));
  uint8_t folded[16];
  std::memcpy(folded, &sum, sizeof folded);
  return update_by_table(update_by_table(0, folded, sizeof folded), bytes, size);
}

uint32_t update(uint32_t state, const uint8_t* bytes, size_t size) {
  static const bool has_clmul = __builtin_cpu_supports("pclmul") && __builtin_cpu_supports("sse4.1");
  return has_clmul && size >= 64 ? update_by_clmul(state, bytes, size) : update_by_table(state, bytes, size);
}

#elif defined(__aarch64__)

__attribute__((target("+crc"))) uint32_t update_by_instruction(uint32_t state, const uint8_t* bytes, size_t size) {
  for (; size >= 8; bytes += 8, size -= 8) {
    uint64_t word;
    std::memcpy(&word, bytes, sizeof word);
    state = __crc32d(state, word);
  }
  for (; size > 0; ++bytes, --size) state = __crc32b(state, *bytes);
  return state;
}

uint32_t update(uint32_t state, const uint8_t* bytes, size_t size) {
  static const bool has_crc = (getauxval(AT_HWCAP) & HWCAP_CRC32) != 0;
  return has_crc ? update_by_instruction(state, bytes, size) : update_by_table(state, bytes, size);
}

#else

constexpr auto update = update_by_table;

#endif

}  // namespace

uint32_t crc32(uint32_t sum, const void* bytes, size_t size) {
  return ~update(~sum, static_cast<const uint8_t*>(bytes), size);
}

uint32_t crc32_portable(uint32_t sum, const void* bytes, size_t size) {
  return ~update_by_table(~sum, static_cast<const uint8_t*>(bytes), size);
}

}  // namespace elanus

extern "C" uint32_t elanus_crc32(uint32_t sum, const uint8_t* bytes, size_t size) {
  return elanus::crc32(sum, bytes, size);
}
