// hnswlib with a filter that reads a bitmap: its Python package can only call back into Python for every vertex.
#include <cstdint>
#include <memory>
#include <string>

#include "hnswlib.h"

namespace {

struct Bitmap : hnswlib::BaseFilterFunctor {
  const uint8_t* bits;
  bool operator()(hnswlib::labeltype row) override { return (bits[row >> 3] >> (row & 7)) & 1; }
};

struct Opened {
  std::unique_ptr<hnswlib::SpaceInterface<float>> space;
  std::unique_ptr<hnswlib::HierarchicalNSW<float>> graph;
};

}  // namespace

extern "C" {

/// Opens a file that hnswlib saved. The caller keeps the result for as long as the process lives.
void* bitmap_hnsw_open(const char* path, size_t dim, int is_l2) {
  auto opened = std::make_unique<Opened>();
  if (is_l2)
    opened->space = std::make_unique<hnswlib::L2Space>(dim);
  else
    opened->space = std::make_unique<hnswlib::InnerProductSpace>(dim);
  opened->graph = std::make_unique<hnswlib::HierarchicalNSW<float>>(opened->space.get(), std::string(path));
  return opened.release();
}

/// Searches one query after the other; query q reads the bitmap at bitmaps + q * bitmap_stride. Rows not found are -1.
void bitmap_hnsw_search(void* handle, const float* queries, size_t count, size_t dim, size_t k, size_t ef,
                        const uint8_t* bitmaps, size_t bitmap_stride, int32_t* rows) {
  auto& graph = *static_cast<Opened*>(handle)->graph;
  graph.setEf(ef);
  Bitmap allowed;
  for (size_t query = 0; query < count; query++) {
    allowed.bits = bitmaps + query * bitmap_stride;
    auto found = graph.searchKnn(queries + query * dim, k, &allowed);
    int32_t* out = rows + query * k;
    std::fill(out, out + k, -1);
    for (; !found.empty(); found.pop()) *out++ = static_cast<int32_t>(found.top().second);
  }
}
}
