// c = a * b for a f16[m, k], b f16[k, n], c f32[m, n]; products and sums are f32. One workgroup makes one tile of c: it widens
// the halves of a and b that it needs to f32, one slice of k at a time, and multiplies slices with register tiles of
// ROWS x COLUMNS that fit the vector registers of the -march it is compiled for.
#include <targetenv/kernel.h>

#if defined(__F16C__)
#include <immintrin.h>
#endif

#if defined(__AVX512F__)
enum { LANES = 16, ROWS = 8, VECTORS = 3 };
#elif defined(__AVX__)
enum { LANES = 8, ROWS = 6, VECTORS = 2 };
#else
enum { LANES = 4, ROWS = 6, VECTORS = 2 };
#endif

typedef float vector __attribute__((vector_size(LANES * sizeof(float)), aligned(4), may_alias));

enum {
  COLUMNS = VECTORS * LANES,
  TILE_ROWS = 96,    // multiples of every ROWS and COLUMNS above
  TILE_COLUMNS = 96,
  SLICE = 256,       // of k: both panels together take 192 KiB, a part of the second-level cache
};

TARGETENV_WORKGROUP_SIZE(matmul, TILE_COLUMNS, TILE_ROWS, 1)
TARGETENV_LOCAL_MEMORY(matmul, (TILE_ROWS + TILE_COLUMNS) * SLICE * sizeof(float))

static float widened(uint16_t half) {
#if defined(__ARM_FP16_FORMAT_IEEE)
  __fp16 value;
  __builtin_memcpy(&value, &half, sizeof value);
  return value;
#else
  // Shift exponent and fraction into place and let the multiplication rebias, which also normalises subnormal halves.
  const uint32_t magnitude = (uint32_t)(half & 0x7fff) << 13;
  float value;
  __builtin_memcpy(&value, &magnitude, sizeof value);
  value *= 0x1p112f;
  uint32_t bits;
  __builtin_memcpy(&bits, &value, sizeof bits);
  bits |= (magnitude >= 0x0f800000 ? 0x7f800000 : 0) | (uint32_t)(half & 0x8000) << 16;
  __builtin_memcpy(&value, &bits, sizeof value);
  return value;
#endif
}

static void widen(const uint16_t *from, float *to, uint64_t count) {
  uint64_t i = 0;
#if defined(__AVX512F__)
  for (; i + 16 <= count; i += 16)
    _mm512_storeu_ps(to + i, _mm512_cvtph_ps(_mm256_loadu_si256((const __m256i *)(const void *)(from + i))));
#endif
#if defined(__F16C__)
  for (; i + 8 <= count; i += 8) _mm256_storeu_ps(to + i, _mm256_cvtph_ps(_mm_loadu_si128((const __m128i *)(const void *)(from + i))));
#endif
  for (; i < count; ++i) to[i] = widened(from[i]);
}

#if defined(__clang__)
#define WIDE __attribute__((min_vector_width(sizeof(vector) * 8)))  // else x86-64-v4 would split its vectors in two
#else
#define WIDE
#endif

// Adds to the register tile of c at (row, column) the product of `depth` columns of panel a and rows of panel b.
WIDE static inline void multiply(const float *a, const float *b, uint64_t depth, float *c, uint64_t stride, uint64_t rows,
                                 uint64_t columns, int first) {
  vector sum[ROWS][VECTORS] = {{{0}}};
  for (uint64_t at = 0; at < depth; ++at, b += TILE_COLUMNS) {
    vector right[VECTORS];
    for (unsigned j = 0; j < VECTORS; ++j) right[j] = *(const vector *)(b + j * LANES);
    for (unsigned i = 0; i < ROWS; ++i)
      for (unsigned j = 0; j < VECTORS; ++j) sum[i][j] += a[i * SLICE + at] * right[j];
  }
  if (rows >= ROWS && columns >= COLUMNS) {
    for (unsigned i = 0; i < ROWS; ++i)
      for (unsigned j = 0; j < VECTORS; ++j) {
        vector *to = (vector *)(c + i * stride + j * LANES);
        if (!first) sum[i][j] += *to;
        *to = sum[i][j];
      }
  } else {  // at the edge of c: only what is inside
    float tile[ROWS * COLUMNS];
    for (unsigned i = 0; i < ROWS; ++i)
      for (unsigned j = 0; j < VECTORS; ++j) *(vector *)(tile + i * COLUMNS + j * LANES) = sum[i][j];
    for (unsigned i = 0; i < ROWS && i < rows; ++i)
      for (unsigned j = 0; j < COLUMNS && j < columns; ++j)
        c[i * stride + j] = tile[i * COLUMNS + j] + (first ? 0 : c[i * stride + j]);
  }
}

static inline uint64_t at_most(uint64_t value, uint64_t bound) { return value < bound ? value : bound; }

TARGETENV_KERNEL(matmul) {
  const uint64_t m = targetenv_constant_u32(dispatch, 0);
  const uint64_t n = targetenv_constant_u32(dispatch, 1);
  const uint64_t k = targetenv_constant_u32(dispatch, 2);
  const uint16_t *a = targetenv_binding(dispatch, 0);
  const uint16_t *b = targetenv_binding(dispatch, 1);
  float *c = targetenv_binding(dispatch, 2);
  float *panel_a = workgroup->local_memory, *panel_b = panel_a + TILE_ROWS * SLICE;

  const uint64_t row0 = (uint64_t)workgroup->id_y * TILE_ROWS, column0 = (uint64_t)workgroup->id_x * TILE_COLUMNS;
  if (row0 >= m || column0 >= n) return 0;
  const uint64_t rows = at_most(m - row0, TILE_ROWS), columns = at_most(n - column0, TILE_COLUMNS);

  uint64_t at = 0;
  do {  // once for k == 0 too: an empty sum is zero, and must be stored
    const uint64_t depth = at_most(k - at, SLICE);
    for (uint64_t i = 0; i < rows; ++i) widen(a + (row0 + i) * k + at, panel_a + i * SLICE, depth);
    for (uint64_t i = 0; i < depth; ++i) widen(b + (at + i) * n + column0, panel_b + i * TILE_COLUMNS, columns);
    for (uint64_t i = 0; i < rows; i += ROWS)
      for (uint64_t j = 0; j < columns; j += COLUMNS)
        multiply(panel_a + i * SLICE, panel_b + j, depth, c + (row0 + i) * n + column0 + j, n, rows - i, columns - j, at == 0);
    at += depth;
  } while (at < k);
  return 0;
}
