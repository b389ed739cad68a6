/*
 * Vector indexes: approximate k-nearest-neighbour search over vectors that the index is lent, or has in its file.
 *
 * The rules of kernel.h hold here too: nothing throws, nothing takes over memory that it is given, any thread will do.
 */
#ifndef ELANUS_INDEX_H_
#define ELANUS_INDEX_H_

#include "elanus/kernel.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef enum ElanusIndexType {
  ELANUS_HNSW = 0,
  ELANUS_HNSW_SQ = 1,
  ELANUS_HNSW_PQ = 2,
  ELANUS_HNSW_PRQ = 3,
  ELANUS_IVF_FLAT = 16,
  ELANUS_IVF_SQ = 17,
  ELANUS_IVF_PQ = 18,
  ELANUS_IVF_RABITQ = 19,
  ELANUS_SCANN = 20,
  ELANUS_BIN_IVF_FLAT = 32,
  ELANUS_MINHASH_LSH = 33,
  ELANUS_DISKANN = 48,
} ElanusIndexType;

typedef enum ElanusIndexLayout {
  ELANUS_LAYOUT_AUTO = 0,
  ELANUS_LAYOUT_FAST = 1,    /* codes of all neighbours beside the links: most speed, most memory */
  ELANUS_LAYOUT_COMPACT = 2, /* one code a row */
  ELANUS_LAYOUT_CODES = 3,   /* no vectors but those that refine; never asked for */
  ELANUS_LAYOUT_SPARSE = 16, /* of sparse vectors; never asked for */
  ELANUS_LAYOUT_LISTS = 32,  /* of the IVF family and SCANN; never asked for */
  ELANUS_LAYOUT_BINARY_LISTS = 40, /* of BIN_IVF_FLAT; never asked for */
  ELANUS_LAYOUT_HASH_BANDS = 48,   /* of MINHASH_LSH; never asked for */
  ELANUS_LAYOUT_DISK = 64,         /* of DISKANN; never asked for */
} ElanusIndexLayout;

typedef enum ElanusScalarCode {
  ELANUS_CODE_NONE = 0,
  ELANUS_CODE_SQ4U = 1,
  ELANUS_CODE_SQ6 = 2,
  ELANUS_CODE_SQ8 = 3,
  ELANUS_CODE_BF16 = 4,
  ELANUS_CODE_FP16 = 5,
  ELANUS_CODE_FP32 = 6,
} ElanusScalarCode;

enum {
  ELANUS_M_MIN = 2,
  ELANUS_M_MAX = 2048,
  ELANUS_LISTS_MAX = 65536,
  ELANUS_RABITQ_BITS_MAX = 9,
  ELANUS_QUERY_BITS_MAX = 8,
  ELANUS_INDEX_ROWS_MAX = 0x7fffffff,
};

typedef struct ElanusIndexSpec {
  ElanusIndexType type;
  ElanusIndexLayout layout; /* HNSW only */
  uint32_t m;
  uint32_t ef_construction;
  ElanusScalarCode code;   /* HNSW_SQ and IVF_SQ */
  uint32_t subquantizers;  /* HNSW_PQ, HNSW_PRQ, IVF_PQ and SCANN */
  uint32_t residuals;      /* HNSW_PRQ only */
  uint32_t bits;           /* HNSW_PQ, HNSW_PRQ and IVF_PQ; of IVF_RABITQ 1 to ELANUS_RABITQ_BITS_MAX a dimension */
  ElanusScalarCode refine; /* ELANUS_CODE_NONE or not SQ4U; never for HNSW and IVF_FLAT; of SCANN FP32: its vectors */
  uint32_t lists;          /* IVF_*, SCANN and BIN_IVF_FLAT: at most so many, fewer where there are few rows */
  uint32_t hash_bytes;     /* MINHASH_LSH only, as in ElanusMinHash */
  uint32_t bands;          /* MINHASH_LSH only, as in ElanusMinHash; at least 1 */
  uint32_t code_bytes;     /* DISKANN only: of the code of a row that stays in memory, at most; at least 1 */
  uint32_t cache_bytes;    /* DISKANN only: for each row, of its links, which stay in memory where they fit beside a code;
                              else of the nodes that stay there once they were read; 0: none */
} ElanusIndexSpec;

typedef struct ElanusRows {
  const uint8_t* bytes;
  size_t bytes_size;
  uint32_t rows;
  uint32_t is_mapped; /* 1: a shared map of a file, which nobody writes; builds of DISKANN give its pages back in between */
} ElanusRows;

typedef struct ElanusIndexBuild {
  ElanusVectorType type; /* float32, float16, bfloat16 or int8; of BIN_IVF_FLAT and MINHASH_LSH binary */
  ElanusMetric metric;   /* L2, IP or COSINE; HAMMING or JACCARD; MHJACCARD */
  uint32_t dim;
  ElanusIndexSpec spec;
  const ElanusRows* blocks; /* row numbers run on over the blocks; the vectors stay as they are until the index is freed */
  size_t block_count;
  uint32_t threads; /* of which the calling thread is one; the others inherit its priority */
  uint64_t seed;    /* the same seed, the same index, whatever the number of threads */
} ElanusIndexBuild;

typedef struct ElanusSparseRows {
  const uint8_t* bytes;
  size_t bytes_size;
  const uint32_t* offsets; /* rows + 1 byte offsets into bytes */
  uint32_t rows;
} ElanusSparseRows;

/* SPARSE_INVERTED_INDEX: exact. Dimensions of a row ascend; values are finite, those of BM25 positive. */
typedef struct ElanusSparseBuild {
  ElanusMetric metric; /* IP or BM25 */
  ElanusBm25 bm25;     /* BM25 only: what searches will most probably ask for, without average_length */
  const ElanusSparseRows* blocks; /* row numbers run on over the blocks; read, not copied, until the build has ended */
  size_t block_count;
  uint32_t threads; /* as in ElanusIndexBuild; the index is the same for any number */
} ElanusSparseBuild;

/* How a search of layout FAST or COMPACT goes about it. */
typedef enum ElanusSearchWay {
  ELANUS_WAY_CHEAPEST = 0,    /* of the others, as the index sees it */
  ELANUS_WAY_WALK = 1,        /* through the graph, however few of the rows on the way are allowed */
  ELANUS_WAY_SHORT_CODES = 2, /* through the short codes of all allowed rows */
  ELANUS_WAY_LONG_CODES = 3,  /* through their longer ones */
  ELANUS_WAY_VECTORS = 4,     /* through their vectors */
} ElanusSearchWay;

/* What a search did, over all of its queries. */
typedef struct ElanusSearchEffort {
  uint64_t visited;   /* rows that walks have stood on, and that scans went through */
  uint64_t distances; /* comparisons with codes and with vectors */
  uint64_t bytes;     /* of codes, vectors and links that they read */
  uint64_t scans;     /* queries that were answered by going through all allowed rows */
} ElanusSearchEffort;

typedef struct ElanusIndexSearch {
  const uint8_t* queries;
  size_t queries_size;
  const uint32_t* query_offsets; /* SPARSE only: query_count + 1 byte offsets; a query is as sound as a row must be */
  uint32_t query_count;
  uint32_t k;
  uint32_t ef;            /* what is below k counts as k */
  float refine_k;         /* at least 1: so many times k rows are compared with their refined copies */
  const uint8_t* allowed; /* one bit a row, least significant first; NULL: all rows */
  size_t allowed_size;
  double outer; /* as in ElanusExactSearch */
  double inner;
  ElanusBm25 bm25; /* BM25 only */
  ElanusSearchEffort* effort; /* what the search does is added to it; NULL: nobody wants to know */
  /* Of layouts with lists: the nearest `probes` of them are looked through, at least 1, and then up to `probes_max` as
   * long as there are fewer than k hits and, where `empty_lists_max` is not 0, fewer than so many lists in a row had
   * none. */
  uint32_t probes;
  uint32_t probes_max;
  uint32_t empty_lists_max;
  ElanusSearchWay way; /* FAST and COMPACT only: for those who measure; others leave it to the index */
  int by_share; /* MINHASH_LSH only: what has a band in common is ranked by the share of equal hashes; else it scores 1 */
  uint32_t query_bits; /* IVF_RABITQ only: the bits of a query's numbers, 1 to 8, when lists are scanned; 0: as they are */
} ElanusIndexSearch;

/* Best first, equal scores by smaller row; the hits of query q stand at q * k of the flat arrays. */
typedef struct ElanusIndexHits {
  uint32_t* counts; /* query_count */
  uint32_t* rows;   /* query_count * k, as the next */
  float* scores;
} ElanusIndexHits;

/* Long work as others see it. To be freed when it is over. NULL when there is no memory. */
typedef struct ElanusWork ElanusWork;
ElanusWork* elanus_work_new(void);
void elanus_work_cancel(ElanusWork* work);
/* 0 to 1, rising. */
float elanus_work_done(const ElanusWork* work);
void elanus_work_free(ElanusWork* work);

/* An index is shared by those who use it: freed when it was released and the last search and work on it are over. */
typedef struct ElanusIndex ElanusIndex;
typedef struct ElanusIndexInfo {
  uint32_t rows;
  ElanusVectorType type;
  ElanusMetric metric;
  uint32_t dim;
  ElanusIndexLayout layout; /* never AUTO */
  size_t memory_bytes;
} ElanusIndexInfo;

/* Runs on the calling thread and `threads` - 1 more. */
ElanusStatus elanus_index_build(const ElanusSimd* simd, const ElanusIndexBuild* build, ElanusWork* work,
                                ElanusIndex** index);
/* ELANUS_CORRUPT_INPUT when a row is not as it must be. */
ElanusStatus elanus_sparse_index_build(const ElanusSimd* simd, const ElanusSparseBuild* build, ElanusWork* work,
                                       ElanusIndex** index);
/* How many rows of a sparse index have each of `count` dimensions, and the sum of all values of all rows. */
ElanusStatus elanus_sparse_index_statistics(const ElanusIndex* index, const uint32_t* dimensions, size_t count,
                                            uint32_t* frequencies, double* total_length);
/* Maps a file that elanus_index_save wrote, as fast if it is large as if it is small. Where it was saved without its
 * vectors, the blocks of `vectors` have them, row after row: they must stay as they are until the index is freed; else
 * there may be none. Bytes that have changed on the disk may change what searches find, but never let them leave the
 * file. */
ElanusStatus elanus_index_open(const ElanusSimd* simd, const char* path, const ElanusRows* vectors,
                               size_t vector_blocks, ElanusIndex** index);
/* Reads the whole file: ELANUS_FILE_DAMAGED unless every byte is what was written. Searches go on meanwhile. */
ElanusStatus elanus_index_verify(ElanusIndex* index, ElanusWork* work);
/* Without its vectors, when `with_vectors` is 0, a file of layout FAST or COMPACT takes them from who opens it. */
ElanusStatus elanus_index_save(ElanusIndex* index, const char* path, int with_vectors);
ElanusIndexInfo elanus_index_info(const ElanusIndex* index);
void elanus_index_release(ElanusIndex* index);

/* Runs on the calling thread. */
ElanusStatus elanus_index_search_run(ElanusIndex* index, const ElanusIndexSearch* search, ElanusIndexHits hits);
/* As elanus_exact_search_start. */
ElanusStatus elanus_index_search_start(ElanusPool* pool, ElanusIndex* index, const ElanusIndexSearch* search,
                                       ElanusIndexHits hits, ElanusDone done, void* context, ElanusJob** job);

#ifdef __cplusplus
}
#endif

#endif /* ELANUS_INDEX_H_ */
