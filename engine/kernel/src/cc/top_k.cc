#include "top_k.h"

#include <algorithm>
#include <cstring>

namespace elanus {
namespace {

// Keys at and beyond the end of a damaged block are empty, so that no offset can lead out of its bytes.
struct VarcharKey {
  const uint8_t* bytes;
  size_t size;
};

VarcharKey varchar_key(const ElanusKeys& keys, uint32_t row) {
  const size_t end = std::min<size_t>(keys.varchar_offsets[row + 1], keys.varchar_bytes_size);
  const size_t begin = std::min<size_t>(keys.varchar_offsets[row], end);
  return {keys.varchar_bytes + begin, end - begin};
}

int compare(const VarcharKey& a, const VarcharKey& b) {
  const size_t common = std::min(a.size, b.size);
  const int bytes = common == 0 ? 0 : std::memcmp(a.bytes, b.bytes, common);
  if (bytes != 0) return bytes;
  return a.size < b.size ? -1 : a.size > b.size ? 1 : 0;
}

}  // namespace

bool HitOrder::before_at_same_rank(const Hit& a, const Hit& b) const {
  const ElanusKeys& keys_a = blocks_[a.block].keys;
  const ElanusKeys& keys_b = blocks_[b.block].keys;
  if (key_type_ == ELANUS_KEY_INT64) {
    const int64_t key_a = keys_a.int64_values[a.row];
    const int64_t key_b = keys_b.int64_values[b.row];
    if (key_a != key_b) return key_a < key_b;
  } else {
    const int order = compare(varchar_key(keys_a, a.row), varchar_key(keys_b, b.row));
    if (order != 0) return order < 0;
  }
  return a.block != b.block ? a.block < b.block : a.row < b.row;
}

void TopK::shrink(const HitOrder& order) {
  const auto kth = hits_.begin() + (k_ - 1);
  std::nth_element(hits_.begin(), kth, hits_.end(), order);
  worst_ = *kth;
  threshold_ = worst_.rank;
  threshold_is_hit_ = true;
  hits_.resize(k_);
}

const std::vector<Hit>& TopK::sorted(const HitOrder& order) {
  tighten(order);
  std::sort(hits_.begin(), hits_.end(), order);
  return hits_;
}

}  // namespace elanus
