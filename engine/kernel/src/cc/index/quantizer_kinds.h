// The kinds of quantizers; to be had from `Quantizer::make`.
#pragma once

#include <memory>

#include "quantizer.h"

namespace elanus {

// kSq4Uniform, kSq6, kSq8.
std::unique_ptr<Quantizer> make_scalar_quantizer(const QuantizerSpec& spec, const ElanusSimd& simd);
// kBFloat16, kFloat16, kFloat32.
std::unique_ptr<Quantizer> make_float_quantizer(const QuantizerSpec& spec, const ElanusSimd& simd);
// kProduct, kProductResidual.
std::unique_ptr<Quantizer> make_product_quantizer(const QuantizerSpec& spec, const ElanusSimd& simd);

}  // namespace elanus
