#include "quantizer.h"

#include "quantizer_kinds.h"

namespace elanus {

QuantizerKind scalar_kind(ElanusScalarCode code) {
  switch (code) {
    case ELANUS_CODE_SQ4U:
      return QuantizerKind::kSq4Uniform;
    case ELANUS_CODE_SQ6:
      return QuantizerKind::kSq6;
    case ELANUS_CODE_SQ8:
      return QuantizerKind::kSq8;
    case ELANUS_CODE_BF16:
      return QuantizerKind::kBFloat16;
    case ELANUS_CODE_FP16:
      return QuantizerKind::kFloat16;
    case ELANUS_CODE_FP32:
      return QuantizerKind::kFloat32;
    case ELANUS_CODE_NONE:
      break;
  }
  return QuantizerKind{};
}

bool is_valid_quantizer(const QuantizerSpec& spec) {
  if (spec.dim == 0 || spec.dim > ELANUS_INT8_DIM_MAX) return false;
  if (spec.metric != ELANUS_L2 && spec.metric != ELANUS_IP && spec.metric != ELANUS_COSINE) return false;
  switch (spec.kind) {
    case QuantizerKind::kSq4Uniform:
    case QuantizerKind::kSq6:
    case QuantizerKind::kSq8:
    case QuantizerKind::kBFloat16:
    case QuantizerKind::kFloat16:
    case QuantizerKind::kFloat32:
      return true;
    case QuantizerKind::kProduct:
    case QuantizerKind::kProductResidual:
      return spec.subspaces >= 1 && spec.dim % spec.subspaces == 0 && spec.bits >= 1 &&
             spec.bits <= kProductBitsMax && spec.stages >= 1 &&
             spec.stages <= (spec.kind == QuantizerKind::kProduct ? 1 : kStagesMax);
  }
  return false;
}

std::unique_ptr<Quantizer> Quantizer::make(const QuantizerSpec& spec, const ElanusSimd& simd) {
  switch (spec.kind) {
    case QuantizerKind::kSq4Uniform:
    case QuantizerKind::kSq6:
    case QuantizerKind::kSq8:
      return make_scalar_quantizer(spec, simd);
    case QuantizerKind::kBFloat16:
    case QuantizerKind::kFloat16:
    case QuantizerKind::kFloat32:
      return make_float_quantizer(spec, simd);
    case QuantizerKind::kProduct:
    case QuantizerKind::kProductResidual:
      return make_product_quantizer(spec, simd);
  }
  return nullptr;
}

}  // namespace elanus
