#pragma OPENCL EXTENSION cl_khr_fp64 : enable
typedef struct { float4 a; char b; } pair;
__constant float table[3] = {1.0f, 2.0f, 3.0f};
__kernel __attribute__((reqd_work_group_size(64, 1, 1)))
void scale(__global float *x, __constant float *w, __local float *scratch, float a, uint n, float3 v, pair p) {
  __local float tile[64];
  size_t i = get_global_id(0);
  tile[get_local_id(0)] = x[i] * a + v.x + p.a.x + table[i % 3];
  barrier(CLK_LOCAL_MEM_FENCE);
  scratch[get_local_id(0)] = tile[63 - get_local_id(0)] + w[0];
  if (i < n) x[i] = scratch[get_local_id(0)];
}
__kernel void doubled(__global double *x, sampler_t s, read_only image2d_t im) {
  x[get_global_id(0)] += 2.0 + read_imagef(im, s, (int2)(0, 0)).x;
}
