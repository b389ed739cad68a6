/*
 * The kernel as a C library: exact k-nearest-neighbour search over vectors in memory.
 *
 * No function throws, none takes ownership of memory that it is given, and all may be called from any thread.
 */
#ifndef ELANUS_KERNEL_H_
#define ELANUS_KERNEL_H_

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef enum ElanusStatus {
  ELANUS_OK = 0,
  /* Stopped by elanus_job_cancel; the results are void. */
  ELANUS_CANCELLED = 1,
  /* The request contradicts itself; nothing was read or written. */
  ELANUS_INVALID_ARGUMENT = 2,
  ELANUS_OUT_OF_MEMORY = 3,
  /* The pool's queue is full; the same request may succeed later. */
  ELANUS_OVERLOADED = 4,
  /* The offsets of a block or of the queries do not fit their bytes; the results are void. */
  ELANUS_CORRUPT_INPUT = 5,
  /* The operating system refused to read or write a file. */
  ELANUS_IO_FAILED = 6,
  /* A file is not what was written, or is none of ours; nothing of it may be used. */
  ELANUS_FILE_DAMAGED = 7,
  /* A file of a version that this build does not know. */
  ELANUS_FILE_TOO_NEW = 8,
} ElanusStatus;

/* The numbers of `schema.DataType` on the wire. */
typedef enum ElanusVectorType {
  ELANUS_BINARY = 100,   /* dim bits, a multiple of 8 */
  ELANUS_FLOAT32 = 101,  /* IEEE 754, little endian, as are the next two */
  ELANUS_FLOAT16 = 102,
  ELANUS_BFLOAT16 = 103, /* the upper half of a float32 */
  ELANUS_SPARSE = 104,   /* pairs of uint32 index, float32 value, index ascending */
  ELANUS_INT8 = 105,
} ElanusVectorType;

typedef enum ElanusMetric {
  ELANUS_L2 = 0, /* squared; smallest is best */
  ELANUS_IP = 1, /* largest is best, as with COSINE */
  ELANUS_COSINE = 2,
  ELANUS_HAMMING = 3, /* of binary vectors; smallest is best, as with those below */
  ELANUS_JACCARD = 4,
  ELANUS_SUBSTRUCTURE = 5,   /* 0 when the query's bits are a subset of the row's, else left out */
  ELANUS_SUPERSTRUCTURE = 6, /* 0 when the row's bits are a subset of the query's, else left out */
  ELANUS_BM25 = 7,           /* of sparse vectors; largest is best. See ElanusBm25 */
  ELANUS_MHJACCARD = 8,      /* of binary vectors that are hashes; largest is best. See ElanusMinHash */
} ElanusMetric;

typedef enum ElanusKeyType { ELANUS_KEY_INT64 = 0, ELANUS_KEY_VARCHAR = 1 } ElanusKeyType;

/* Primary keys of a block's rows. */
typedef struct ElanusKeys {
  const int64_t* int64_values;     /* INT64 only: one a row */
  const uint32_t* varchar_offsets; /* VARCHAR only: rows + 1 offsets into varchar_bytes, ascending */
  const uint8_t* varchar_bytes;    /* compared as unsigned bytes, a prefix before what it begins */
  size_t varchar_bytes_size;
} ElanusKeys;

/* Copies of a block's first float32 vectors in 8 bits a dimension, by which a search rules most rows out without reading
 * them. The hits and their scores are the same with and without. */
typedef struct ElanusCodes {
  uint32_t rows;        /* 0: none */
  const int8_t* values; /* rows * dim */
  const float* factors; /* rows * ELANUS_CODE_FACTORS */
} ElanusCodes;

typedef struct ElanusBlock {
  const uint8_t* bytes; /* any alignment */
  size_t bytes_size;
  const uint32_t* offsets; /* SPARSE only: rows + 1 byte offsets into bytes */
  uint32_t rows;
  const uint32_t* lists;      /* rows + 1: row i has the vectors lists[i] up to lists[i + 1]; NULL: each row has one */
  const uint8_t* allowed;     /* one bit a row, least significant first; NULL: all rows */
  const float* inverse_norms; /* one a vector, see elanus_inverse_norms; NULL: computed on the way */
  ElanusCodes codes;          /* see elanus_encode */
  ElanusKeys keys;
} ElanusBlock;

enum {
  ELANUS_DIM_MAX = 1 << 18,      /* of binary vectors, in bits */
  ELANUS_INT8_DIM_MAX = 1 << 15, /* up to here a squared distance fits 31 bits; all dense types obey it */
  ELANUS_QUERY_COUNT_MAX = 1 << 14,
  ELANUS_K_MAX = 1 << 14,
  ELANUS_CODE_FACTORS = 3,
};

/* How BM25 weighs. A row's values are how often each term occurs in it, their sum is its length; a query's values are
 * the weights of its terms. A common term adds weight * (k1 + 1) * f / (f + k1 * (1 - b + b * length / average_length)). */
typedef struct ElanusBm25 {
  double k1; /* 0 to 1000 */
  double b;  /* 0 to 1 */
  double average_length; /* of all rows there are; at least 1e-6 */
} ElanusBm25;

/* How MHJACCARD reads a vector: as hashes of `hash_bytes` bytes each, 1 to 32, of which it has a whole number. */
typedef struct ElanusMinHash {
  uint32_t hash_bytes;
  /* 0: a score is the share of the hashes that are equal, and rows with none are left out. Else a vector is cut into so
   * many bands of equally many hashes, as many as go in: rows that have one band in common with the query score 1, all
   * others are left out. */
  uint32_t bands;
} ElanusMinHash;

typedef struct ElanusExactSearch {
  ElanusVectorType type;
  ElanusMetric metric;
  uint32_t dim; /* ignored for SPARSE */
  const uint8_t* queries;
  size_t queries_size;
  const uint32_t* query_offsets; /* SPARSE only: query_count + 1 byte offsets */
  /* NULL: each query and each row is one vector. Otherwise query_count + 1, and all blocks have lists: query i has the
   * vectors query_lists[i] up to query_lists[i + 1], and its score with a row is the sum, over its vectors, of the best
   * score among the row's. Rows without a vector are left out. Dense types; neither SUB- nor SUPERSTRUCTURE. */
  const uint32_t* query_lists;
  uint32_t query_count;
  uint32_t k;
  /* Only scores s are kept for which, distances: inner <= s < outer, similarities: outer < s <= inner.
   * An infinite bound on the worse or better side keeps all. */
  double outer;
  double inner;
  ElanusBm25 bm25; /* BM25 only */
  ElanusMinHash min_hash; /* MHJACCARD only */
  ElanusKeyType key_type;
  const ElanusBlock* blocks;
  size_t block_count;
} ElanusExactSearch;

/* Best first, equal scores by smaller key; the hits of query q stand at q * k of the flat arrays. */
typedef struct ElanusHits {
  uint32_t* counts; /* query_count */
  uint32_t* blocks; /* query_count * k, as the two below */
  uint32_t* rows;
  float* scores;
} ElanusHits;

/* A set of loops for one instruction set. Static; never freed. */
typedef struct ElanusSimd ElanusSimd;

/* `name` is avx512, avx2, neon or portable; NULL asks for the widest that this machine has.
 * NULL when the machine or the build has no such instruction set. */
const ElanusSimd* elanus_simd_find(const char* name);
const char* elanus_simd_name(const ElanusSimd* simd);

/* The process-wide pool of this many threads, made at first use and kept until the process ends.
 * REQUIRES: 1 <= threads <= 1024. NULL when the threads could not be started. */
typedef struct ElanusPool ElanusPool;
ElanusPool* elanus_pool_get(uint32_t threads);

/* Runs on the calling thread. */
ElanusStatus elanus_exact_search_run(const ElanusSimd* simd, const ElanusExactSearch* search, ElanusHits hits);

/* A search under way. Everything the search points to, and the memory of the hits, must stay in place until
 * `done` has been called, which happens once, on a thread of the pool, unless this returns other than OK.
 * `*job` is the caller's to release, at any time, also from within `done`. */
typedef struct ElanusJob ElanusJob;
typedef void (*ElanusDone)(void* context, ElanusStatus status);
ElanusStatus elanus_exact_search_start(ElanusPool* pool, const ElanusSimd* simd, const ElanusExactSearch* search,
                                       ElanusHits hits, ElanusDone done, void* context, ElanusJob** job);
/* Asks the job to stop soon; `done` is called all the same. Idempotent. */
void elanus_job_cancel(ElanusJob* job);
void elanus_job_release(ElanusJob* job);

/* 1 / Euclidean length of each of `rows` dense vectors that are not binary. 0 for vectors shorter than the
 * smallest normal float (1.2e-38), which COSINE takes for zero vectors, and for those with NaN or infinity. */
ElanusStatus elanus_inverse_norms(const ElanusSimd* simd, ElanusVectorType type, uint32_t dim, const uint8_t* bytes,
                                  size_t bytes_size, size_t rows, float* inverse_norms);

/* The codes of `rows` float32 vectors: `values` takes rows * dim bytes, `factors` what a search needs to know of each
 * row besides. Any vector has a code; one with NaN, infinity or beyond 1e15 has one that rules nothing out. */
ElanusStatus elanus_encode(const ElanusSimd* simd, uint32_t dim, const uint8_t* bytes, size_t bytes_size, size_t rows,
                           int8_t* values, float* factors);

/* Numbers of IEEE 754, little endian. */
typedef enum ElanusNumberType {
  ELANUS_NUMBER_FLOAT16 = 0,
  ELANUS_NUMBER_BFLOAT16 = 1, /* the upper half of a float32 */
  ELANUS_NUMBER_FLOAT32 = 2,
  ELANUS_NUMBER_FLOAT64 = 3,
} ElanusNumberType;

/* The first of `count` numbers that is NaN or infinite; `count` when none is. `bytes` may begin anywhere. */
size_t elanus_find_non_finite(ElanusNumberType type, const uint8_t* bytes, size_t count);

/* CRC-32 as in zlib: of what `sum` is that of (0: of nothing), followed by these bytes. */
uint32_t elanus_crc32(uint32_t sum, const uint8_t* bytes, size_t size);

/* XXH64 of each of `count` texts: text i is bytes[starts[i] .. ends[i]). ELANUS_INVALID_ARGUMENT when one is not within
 * `bytes_size`. */
ElanusStatus elanus_hash_texts(const uint8_t* bytes, size_t bytes_size, const uint32_t* starts, const uint32_t* ends,
                               size_t count, uint64_t* hashes);

/* Lowers signature[i] to the least upper half of factor * hash + added, modulo 2^64, over all hashes; `factor`, odd, and
 * `added` are those that `seed` has for i. What rows on disk were made with: never to be changed. */
void elanus_min_hash(const uint64_t* hashes, size_t count, uint64_t seed, uint32_t* signature, size_t size);

/* An array of numbers in JSON text: json[begin .. end), whose numbers are numbers[first .. first + count). */
typedef struct ElanusNumberRun {
  uint32_t begin;
  uint32_t end;
  uint32_t first;
  uint32_t count;
} ElanusNumberRun;

/* The most numbers in arrays, and the most arrays, that any JSON text with these commas and brackets may have. */
void elanus_count_numbers(const uint8_t* json, size_t size, size_t* numbers, size_t* arrays);

/* Finds the arrays of at least `least` numbers, and nothing else, in a JSON text of less than 4 GiB, from its begin to its
 * end; how many there are. Their numbers are those that the nearest doubles are: integers of more than 15 digits and what no
 * double is near make an array none of these. Nothing is promised of text that is no JSON, but that what is told of is such
 * an array by itself. Whatever `runs` and `numbers` have no room for is left out. */
size_t elanus_number_runs(const uint8_t* json, size_t size, size_t least, ElanusNumberRun* runs, size_t runs_size,
                          double* numbers, size_t numbers_size);

/* Bytes per second of the fastest of `passes` passes in which `threads` threads together read `bytes` bytes of
 * memory once with the widest loads of `simd`. 0 when the memory is not to be had. */
double elanus_measure_read_bandwidth(const ElanusSimd* simd, uint32_t threads, size_t bytes, uint32_t passes);

#ifdef __cplusplus
}
#endif

#endif /* ELANUS_KERNEL_H_ */
