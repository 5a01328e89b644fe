// c = a * b for a f16[m, k], b f16[k, n], c f32[m, n]. Needs 16-bit storage; products and sums are f32.
// Each invocation keeps 16 rows and 8 columns of c in registers, so that a load of b feeds 16 products and a load of a eight.
// Its neighbours have the neighbouring columns and the same rows: loads of b lie side by side, those of a are all the same.
// On a CPU device that is an order of magnitude faster than one element of c for each invocation.
#version 450
#extension GL_EXT_shader_16bit_storage : require

layout(local_size_x = 32) in;

layout(push_constant) uniform Constants {
  uint m;
  uint n;
  uint k;
};
layout(set = 0, binding = 0, std430) readonly buffer A { float16_t a[]; };
layout(set = 0, binding = 1, std430) readonly buffer B { float16_t b[]; };
layout(set = 0, binding = 2, std430) writeonly buffer C { float c[]; };

const uint ROWS = 16;
const uint COLUMNS = 8;
const uint STEP = gl_WorkGroupSize.x;  // from one column of an invocation to its next

void main() {
  uint row0 = gl_WorkGroupID.y * ROWS;
  uint column0 = gl_WorkGroupID.x * COLUMNS * STEP + gl_LocalInvocationID.x;
  if (row0 >= m || column0 >= n) {
    return;
  }
  // Tiles hang over the edges: what lies outside reads the last row or column again, and is not stored.
  uint row[ROWS];
  for (uint i = 0; i < ROWS; i++) {
    row[i] = min(row0 + i, m - 1) * k;
  }
  uint column[COLUMNS];
  for (uint j = 0; j < COLUMNS; j++) {
    column[j] = min(column0 + j * STEP, n - 1);
  }
  float tile[ROWS][COLUMNS];
  for (uint i = 0; i < ROWS; i++) {
    for (uint j = 0; j < COLUMNS; j++) {
      tile[i][j] = 0.0;
    }
  }
  for (uint at = 0; at < k; at++) {
    float right[COLUMNS];
    for (uint j = 0; j < COLUMNS; j++) {
      right[j] = float(b[at * n + column[j]]);
    }
    for (uint i = 0; i < ROWS; i++) {
      float left = float(a[row[i] + at]);
      for (uint j = 0; j < COLUMNS; j++) {
        tile[i][j] += left * right[j];
      }
    }
  }
  for (uint i = 0; i < ROWS; i++) {
    for (uint j = 0; j < COLUMNS; j++) {
      if (row0 + i < m && column0 + j * STEP < n) {
        c[(row0 + i) * n + column0 + j * STEP] = tile[i][j];
      }
    }
  }
}
