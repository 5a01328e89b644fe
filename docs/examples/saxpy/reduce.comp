// out[0] = sum of x, by one workgroup. Runs on every Vulkan device: SPIR-V 1.0, a tree in workgroup memory.
#version 450

layout(local_size_x = 128) in;

layout(push_constant) uniform Constants { uint n; };
layout(set = 0, binding = 0, std430) readonly buffer X { float x[]; };
layout(set = 0, binding = 1, std430) writeonly buffer Out { float total[]; };

shared float partial[gl_WorkGroupSize.x];

void main() {
  uint lane = gl_LocalInvocationID.x;
  float sum = 0.0;
  for (uint i = lane; i < n; i += gl_WorkGroupSize.x) {
    sum += x[i];
  }
  partial[lane] = sum;
  barrier();
  for (uint half_width = gl_WorkGroupSize.x / 2; half_width > 0; half_width /= 2) {
    if (lane < half_width) {
      partial[lane] += partial[lane + half_width];
    }
    barrier();
  }
  if (lane == 0) {
    total[0] = partial[0];
  }
}
