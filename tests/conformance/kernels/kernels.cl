/* The kernels of the conformance suite in OpenCL C. Each does what the shader of its name does. */

__kernel void export0(__global const uint *first, __global uint *second, uint a, uint b) {
  if (a == 0xFFFFFFFFu) second[0] = first[0] + b; /* never */
}

__kernel void absolute(__global const float *source, __global float *target) {
  target[get_group_id(0)] = fabs(source[get_group_id(0)]);
}

__kernel void write_constants(__global int *target, int a, int b, int c, int d) {
  target[0] = a;
  target[1] = b;
  target[2] = c;
  target[3] = d;
}

__kernel void scale_and_offset(__global const int *source, __global int *target, int scale, int offset) {
  target[get_group_id(0)] = source[get_group_id(0)] * scale + offset;
}

__kernel void negate(__global const float *source, __global float *target) {
  target[get_group_id(0)] = -source[get_group_id(0)];
}

__kernel void double_it(__global const float *source, __global float *target) {
  target[get_group_id(0)] = 2.0f * source[get_group_id(0)];
}

__kernel void write_workgroup_ids(__global uint *target) {
  const uint x = get_group_id(0), y = get_group_id(1), z = get_group_id(2);
  target[(z * get_num_groups(1) + y) * get_num_groups(0) + x] = x | y << 10 | z << 20;
}

__kernel void write_dispatch_params(__global uint *target) {
  target[0] = 4;
  target[1] = 1;
  target[2] = 1;
}

__kernel void spin(volatile __global uint *flag) {
  while (atomic_or(flag, 0u) == 0u) {
  }
}
