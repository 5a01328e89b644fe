/* The kernels of the conformance suite, for the CPU. Each does what the shader of its name does. */
#include <math.h>
#include <targetenv/kernel.h>

TARGETENV_KERNEL(export0) { return 0; }

/* `abs` is a function of the C library, so that the kernel has another name here. */
TARGETENV_KERNEL(absolute) {
  const float *source = targetenv_binding(dispatch, 0);
  float *target = targetenv_binding(dispatch, 1);
  target[workgroup->id_x] = fabsf(source[workgroup->id_x]);
  return 0;
}

TARGETENV_KERNEL(write_constants) {
  int32_t *target = targetenv_binding(dispatch, 0);
  for (unsigned i = 0; i < 4; ++i) target[i] = targetenv_constant_i32(dispatch, i);
  return 0;
}

TARGETENV_KERNEL(scale_and_offset) {
  const int32_t *source = targetenv_binding(dispatch, 0);
  int32_t *target = targetenv_binding(dispatch, 1);
  target[workgroup->id_x] = source[workgroup->id_x] * targetenv_constant_i32(dispatch, 0) + targetenv_constant_i32(dispatch, 1);
  return 0;
}

TARGETENV_KERNEL(negate) {
  const float *source = targetenv_binding(dispatch, 0);
  float *target = targetenv_binding(dispatch, 1);
  target[workgroup->id_x] = -source[workgroup->id_x];
  return 0;
}

TARGETENV_KERNEL(double_it) {
  const float *source = targetenv_binding(dispatch, 0);
  float *target = targetenv_binding(dispatch, 1);
  target[workgroup->id_x] = 2.0f * source[workgroup->id_x];
  return 0;
}

TARGETENV_KERNEL(write_workgroup_ids) {
  uint32_t *target = targetenv_binding(dispatch, 0);
  const uint32_t row = workgroup->id_z * dispatch->workgroup_count_y + workgroup->id_y;
  target[row * dispatch->workgroup_count_x + workgroup->id_x] =
      workgroup->id_x | workgroup->id_y << 10 | (uint32_t)workgroup->id_z << 20;
  return 0;
}

TARGETENV_KERNEL(write_dispatch_params) {
  uint32_t *target = targetenv_binding(dispatch, 0);
  target[0] = 4;
  target[1] = 1;
  target[2] = 1;
  return 0;
}

/* Runs until somebody writes to its buffer. */
TARGETENV_KERNEL(spin) {
  const volatile uint32_t *flag = targetenv_binding(dispatch, 0);
  while (flag[0] == 0) continue;
  return 0;
}

/* Only here: a kernel that fails, as a CPU kernel may. */
TARGETENV_KERNEL(fault) { return 42; }
