// y = a*x + y for x, y f32[n]: one loop, which a compiler vectorises as wide as its -march allows.
#include <targetenv/kernel.h>

enum { TILE = 16384 };

TARGETENV_WORKGROUP_SIZE(saxpy, TILE, 1, 1)

TARGETENV_KERNEL(saxpy) {
  const float a = targetenv_constant_f32(dispatch, 0);
  const uint64_t n = targetenv_constant_u32(dispatch, 1);
  const float *restrict x = targetenv_binding(dispatch, 0);
  float *restrict y = targetenv_binding(dispatch, 1);

  // A grid may be narrower than the array: walk on by the width of the whole grid.
  const uint64_t width = (uint64_t)dispatch->workgroup_count_x * TILE;
  for (uint64_t begin = (uint64_t)workgroup->id_x * TILE; begin < n; begin += width) {
    const uint64_t end = begin + TILE < n ? begin + TILE : n;
    for (uint64_t i = begin; i < end; ++i) y[i] = a * x[i] + y[i];
  }
  return 0;
}
