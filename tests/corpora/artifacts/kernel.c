#include <targetenv/kernel.h>

TARGETENV_WORKGROUP_SIZE(scale, 4096, 2, 1)
TARGETENV_LOCAL_MEMORY(scale, 128)
TARGETENV_KERNEL(scale) {
  float *x = (float *)targetenv_binding(dispatch, 0);
  x[workgroup->id_x] *= targetenv_constant_f32(dispatch, 0);
  return 0;
}

TARGETENV_KERNEL(fill) {
  ((float *)targetenv_binding(dispatch, 0))[workgroup->id_x] = 1.0f;
  return 0;
}

TARGETENV_VISIBLE_ int version(void) { return 1; }
