// Arrays of numbers in JSON text, read without making a value of each.
#include <algorithm>
#include <charconv>
#include <cstring>

#include "elanus/kernel.h"

namespace elanus {
namespace {

// Digits of an integer that a double holds whatever they are.
constexpr int kSafeDigits = 15;
// As many as a byte can count: counters of bytes are many to a register, which is five times as fast.
constexpr size_t kCountedAtOnce = 255;

inline bool is_digit(char c) { return c >= '0' && c <= '9'; }
inline bool is_space(char c) { return c == ' ' || c == '\n' || c == '\r' || c == '\t'; }

inline const char* skip_space(const char* at, const char* end) {
  while (at < end && is_space(*at)) ++at;
  return at;
}

// Behind the string whose first byte behind the quote is at `at`.
const char* skip_string(const char* at, const char* end) {
  for (;;) {
    const auto* const quote = static_cast<const char*>(std::memchr(at, '"', static_cast<size_t>(end - at)));
    if (quote == nullptr) return end;
    const char* slash = quote;
    while (slash > at && slash[-1] == '\\') --slash;
    if ((quote - slash) % 2 == 0) return quote + 1;
    at = quote + 1;
  }
}

// Behind the number at `at`; null when it is none, or none that a double is for certain.
const char* read_number(const char* at, const char* end, double* out) {
  const char* digit = at + (at < end && *at == '-' ? 1 : 0);
  const char* const first = digit;
  while (digit < end && is_digit(*digit)) ++digit;
  const auto digits = digit - first;
  // from_chars takes what JSON does not: no digit on one side of the point, and zeros in front.
  if (digits == 0 || (digits > 1 && *first == '0')) return nullptr;
  const bool has_point = digit < end && *digit == '.';
  if (has_point && !(digit + 1 < end && is_digit(digit[1]))) return nullptr;
  const auto [behind, error] = std::from_chars(at, end, *out);
  // Beyond what a double holds is for a reader who knows what to make of it.
  if (error != std::errc{}) return nullptr;
  return behind == digit && digits > kSafeDigits ? nullptr : behind;
}

// Reads the array whose bracket is in front of `at`: behind it, or null, with `*at` where it stopped to be one of numbers.
const char* read_array(const char** at, const char* end, double* numbers, size_t room, size_t* count) {
  *count = 0;
  for (;;) {
    *at = skip_space(*at, end);
    if (*count == room) return nullptr;
    const char* const behind = read_number(*at, end, numbers + *count);
    if (behind == nullptr) return nullptr;
    ++*count;
    *at = skip_space(behind, end);
    if (*at == end) return nullptr;
    if (**at == ']') return *at + 1;
    if (**at != ',') return nullptr;
    ++*at;
  }
}

}  // namespace
}  // namespace elanus

extern "C" void elanus_count_numbers(const uint8_t* json, size_t size, size_t* numbers, size_t* arrays) {
  size_t commas = 0;
  size_t brackets = 0;
  for (size_t begin = 0; begin < size; begin += elanus::kCountedAtOnce) {
    const size_t end = std::min(size, begin + elanus::kCountedAtOnce);
    uint8_t block_commas = 0;
    uint8_t block_brackets = 0;
    for (size_t i = begin; i < end; ++i) {
      block_commas = static_cast<uint8_t>(block_commas + (json[i] == ','));
      block_brackets = static_cast<uint8_t>(block_brackets + (json[i] == '['));
    }
    commas += block_commas;
    brackets += block_brackets;
  }
  *numbers = commas + brackets;
  *arrays = brackets;
}

extern "C" size_t elanus_number_runs(const uint8_t* json, size_t size, size_t least, ElanusNumberRun* runs,
                                     size_t runs_size, double* numbers, size_t numbers_size) {
  using namespace elanus;
  const auto* const begin = reinterpret_cast<const char*>(json);
  const char* const end = begin + size;
  size_t found = 0;
  size_t used = 0;
  for (const char* at = begin; at < end && found < runs_size;) {
    const char c = *at++;
    if (c == '"') at = skip_string(at, end);
    if (c != '[') continue;
    const char* const bracket = at - 1;
    size_t count = 0;
    const char* const behind = read_array(&at, end, numbers + used, numbers_size - used, &count);
    if (behind == nullptr) continue;
    at = behind;
    if (count < least) continue;
    runs[found++] = {static_cast<uint32_t>(bracket - begin), static_cast<uint32_t>(behind - begin),
                     static_cast<uint32_t>(used), static_cast<uint32_t>(count)};
    used += count;
  }
  return found;
}
