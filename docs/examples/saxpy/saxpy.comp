// y = a * x + y. Runs on every Vulkan device: SPIR-V 1.0, no optional capability.
#version 450

layout(local_size_x = 64) in;

layout(push_constant) uniform Constants {
  float a;
  uint n;
};
layout(set = 0, binding = 0, std430) readonly buffer X { float x[]; };
layout(set = 0, binding = 1, std430) buffer Y { float y[]; };

void main() {
  // A grid is rounded up to whole workgroups, and may be narrower than the array: walk on by the width of the whole grid.
  uint width = gl_NumWorkGroups.x * gl_WorkGroupSize.x;
  for (uint i = gl_GlobalInvocationID.x; i < n; i += width) {
    y[i] = a * x[i] + y[i];
  }
}
