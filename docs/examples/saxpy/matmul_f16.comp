// c = a * b for a f16[m, k], b f16[k, n], c f32[m, n]. Needs 16-bit storage; products and sums are f32.
// Each invocation keeps a tile of 4 rows and 16 columns of c in registers, so that one load of a feeds 16 products and one of b
// four: on a CPU device this is an order of magnitude faster than one element for each invocation.
#version 450
#extension GL_EXT_shader_16bit_storage : require

layout(local_size_x = 4, local_size_y = 8) in;

layout(push_constant) uniform Constants {
  uint m;
  uint n;
  uint k;
};
layout(set = 0, binding = 0, std430) readonly buffer A { float16_t a[]; };
layout(set = 0, binding = 1, std430) readonly buffer B { float16_t b[]; };
layout(set = 0, binding = 2, std430) writeonly buffer C { float c[]; };

const uint ROWS = 4;
const uint COLUMNS = 16;

void main() {
  uint row0 = gl_GlobalInvocationID.y * ROWS;
  uint column0 = gl_GlobalInvocationID.x * COLUMNS;
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
    column[j] = min(column0 + j, n - 1);
  }
  float tile[ROWS][COLUMNS];
  for (uint i = 0; i < ROWS; i++) {
    for (uint j = 0; j < COLUMNS; j++) {
      tile[i][j] = 0.0;
    }
  }
  for (uint at = 0; at < k; at++) {
    float left[ROWS];
    for (uint i = 0; i < ROWS; i++) {
      left[i] = float(a[row[i] + at]);
    }
    for (uint j = 0; j < COLUMNS; j++) {
      float right = float(b[at * n + column[j]]);
      for (uint i = 0; i < ROWS; i++) {
        tile[i][j] += left[i] * right;
      }
    }
  }
  for (uint i = 0; i < ROWS; i++) {
    for (uint j = 0; j < COLUMNS; j++) {
      if (row0 + i < m && column0 + j < n) {
        c[(row0 + i) * n + column0 + j] = tile[i][j];
      }
    }
  }
}
