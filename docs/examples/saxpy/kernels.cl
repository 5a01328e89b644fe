// The three kernels in OpenCL C, for whatever devices OpenCL drivers have. A package carries the source; the driver compiles it.

// y = a*x + y for x, y f32[n]: 64 items with 16 elements each, neighbours side by side.
__attribute__((reqd_work_group_size(64, 1, 1)))
__kernel void saxpy(__global const float *x, __global float *y, float a, uint n) {
  const size_t begin = get_group_id(0) * 1024;
  for (size_t i = begin + get_local_id(0); i < begin + 1024 && i < n; i += 64) y[i] = a * x[i] + y[i];
}

// out[0] = sum of x for x f32[n], by one workgroup: a sum for each item, then a tree of pairs in local memory.
__attribute__((reqd_work_group_size(128, 1, 1)))
__kernel void sum(__global const float *x, __global float *out, uint n) {
  __local float partial[128];
  const size_t lane = get_local_id(0);
  float total = 0;
  for (size_t i = lane; i < n; i += 128) total += x[i];
  partial[lane] = total;
  barrier(CLK_LOCAL_MEM_FENCE);
  for (size_t width = 64; width > 0; width /= 2) {
    if (lane < width) partial[lane] += partial[lane + width];
    barrier(CLK_LOCAL_MEM_FENCE);
  }
  if (lane == 0) out[0] = partial[0];
}

// c = a * b for a f16[m, k], b f16[k, n], c f32[m, n]: each item has one column and eight rows of c. Halves are only loaded, which
// needs no extension.
__attribute__((reqd_work_group_size(32, 1, 1)))
__kernel void matmul(__global const half *a, __global const half *b, __global float *c, uint m, uint n, uint k) {
  const size_t column = get_group_id(0) * 32 + get_local_id(0);
  const size_t row = get_group_id(1) * 8;
  if (column >= n) return;
  float total[8] = {0};
  for (size_t step = 0; step < k; ++step) {
    const float right = vload_half(step * n + column, b);
    for (size_t i = 0; i < 8; ++i) total[i] += vload_half(min(row + i, (size_t)m - 1) * k + step, a) * right;
  }
  for (size_t i = 0; i < 8 && row + i < m; ++i) c[(row + i) * n + column] = total[i];
}
