// Walk loops for every machine.
#include "loops.h"
#include "products.h"
#include "walk.h"

namespace elanus {
namespace {

uint32_t estimate(const NeighbourBlock& block, const DigitTables& tables, float distance, float bound,
                  float* estimates) {
  uint32_t sums[kBlockNeighbours] = {};
  for (size_t p = 0; p < tables.places; ++p) {
    const uint8_t* const table = tables.bytes + 16 * p;
    const uint8_t* const digits = block.digits + 16 * p;
    for (size_t i = 0; i < 16; ++i) {
      sums[i] += table[digits[i] & 15];
      sums[i + 16] += table[digits[i] >> 4];
    }
  }
  return finish_estimate(block, tables, distance, bound, sums, estimates);
}

void multiply_code(const uint8_t* code, const int8_t* high, const int8_t* low, size_t size, int32_t* products) {
  int32_t sums[2] = {};
  for (size_t i = 0; i < size; ++i) {
    sums[0] += static_cast<int32_t>(code[i]) * high[i];
    sums[1] += static_cast<int32_t>(code[i]) * low[i];
  }
  memcpy(products, sums, sizeof sums);
}

}  // namespace

const WalkLoops kWalkPortable = {estimate,          multiply_code,       fill_sign_tables,
                                 fill_level_tables, fill_product_tables, choose_products,
                                 hadamard,          project};

}  // namespace elanus
