// out[0] = sum of x for x f32[n], by one workgroup. The order of the additions is fixed by the source and not by the width of
// the vectors, so every -march and every machine gives the same bits: 64 running sums over a block of 4096 elements, folded
// pairwise, and the blocks added up in double precision.
#include <targetenv/kernel.h>

enum { LANES = 64, BLOCK = 4096 };

TARGETENV_WORKGROUP_SIZE(sum, 1, 1, 1)

static float block_sum(const float *x, uint64_t count) {
  float lane[LANES] = {0};
  uint64_t at = 0;
  for (; at + LANES <= count; at += LANES)
    for (unsigned i = 0; i < LANES; ++i) lane[i] += x[at + i];
  for (unsigned i = 0; at + i < count; ++i) lane[i] += x[at + i];
  for (unsigned half = LANES / 2; half != 0; half /= 2)
    for (unsigned i = 0; i < half; ++i) lane[i] += lane[i + half];
  return lane[0];
}

TARGETENV_KERNEL(sum) {
  const uint64_t n = targetenv_constant_u32(dispatch, 0);
  const float *x = targetenv_binding(dispatch, 0);
  float *out = targetenv_binding(dispatch, 1);

  double total = 0;
  for (uint64_t at = 0; at < n; at += BLOCK) total += block_sum(x + at, n - at < BLOCK ? n - at : BLOCK);
  out[0] = (float)total;
  return 0;
}
