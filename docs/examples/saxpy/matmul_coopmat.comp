// c = a * b for a f16[m, k], b f16[k, n], c f32[m, n], on the matrix units: 16x16x16 f16 * f16 + f32, one tile of c for each
// subgroup. Needs VK_KHR_cooperative_matrix with that row, and a subgroup of 32 (one workgroup is exactly one subgroup).
// Tiles go through workgroup memory, padded with zeros, so that any m, n and k will do.
#version 450
#extension GL_EXT_shader_explicit_arithmetic_types_float16 : require
#extension GL_EXT_shader_16bit_storage : require
#extension GL_KHR_memory_scope_semantics : require
#extension GL_KHR_cooperative_matrix : require

layout(local_size_x = 32) in;

layout(push_constant) uniform Constants {
  uint m;
  uint n;
  uint k;
};
layout(set = 0, binding = 0, std430) readonly buffer A { float16_t a[]; };
layout(set = 0, binding = 1, std430) readonly buffer B { float16_t b[]; };
layout(set = 0, binding = 2, std430) writeonly buffer C { float c[]; };

const uint EDGE = 16;

shared float16_t tile_a[EDGE * EDGE];
shared float16_t tile_b[EDGE * EDGE];
shared float tile_c[EDGE * EDGE];

void main() {
  uint row0 = gl_WorkGroupID.y * EDGE;
  uint column0 = gl_WorkGroupID.x * EDGE;
  uint lane = gl_LocalInvocationID.x;

  coopmat<float, gl_ScopeSubgroup, EDGE, EDGE, gl_MatrixUseAccumulator> sum =
      coopmat<float, gl_ScopeSubgroup, EDGE, EDGE, gl_MatrixUseAccumulator>(0.0);
  for (uint at = 0; at < k; at += EDGE) {
    for (uint i = lane; i < EDGE * EDGE; i += gl_WorkGroupSize.x) {
      uint row = i / EDGE;
      uint column = i % EDGE;
      bool in_a = row0 + row < m && at + column < k;
      bool in_b = at + row < k && column0 + column < n;
      tile_a[i] = in_a ? a[(row0 + row) * k + at + column] : float16_t(0.0);
      tile_b[i] = in_b ? b[(at + row) * n + column0 + column] : float16_t(0.0);
    }
    barrier();
    coopmat<float16_t, gl_ScopeSubgroup, EDGE, EDGE, gl_MatrixUseA> left;
    coopmat<float16_t, gl_ScopeSubgroup, EDGE, EDGE, gl_MatrixUseB> right;
    coopMatLoad(left, tile_a, 0, EDGE, gl_CooperativeMatrixLayoutRowMajor);
    coopMatLoad(right, tile_b, 0, EDGE, gl_CooperativeMatrixLayoutRowMajor);
    sum = coopMatMulAdd(left, right, sum);
    barrier();
  }
  coopMatStore(sum, tile_c, 0, EDGE, gl_CooperativeMatrixLayoutRowMajor);
  barrier();
  for (uint i = lane; i < EDGE * EDGE; i += gl_WorkGroupSize.x) {
    uint row = row0 + i / EDGE;
    uint column = column0 + i % EDGE;
    if (row < m && column < n) {
      c[row * n + column] = tile_c[i];
    }
  }
}
