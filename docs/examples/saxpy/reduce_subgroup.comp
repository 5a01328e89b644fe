// out[0] = sum of x, by one workgroup: subgroups add in registers, workgroup memory holds one partial sum for each subgroup.
// Needs SPIR-V 1.3 and subgroup arithmetic; runs at any subgroup size.
#version 450
#extension GL_KHR_shader_subgroup_arithmetic : require

layout(local_size_x = 128) in;

layout(push_constant) uniform Constants { uint n; };
layout(set = 0, binding = 0, std430) readonly buffer X { float x[]; };
layout(set = 0, binding = 1, std430) writeonly buffer Out { float total[]; };

shared float partial[gl_WorkGroupSize.x];  // as many as there would be subgroups of one invocation

void main() {
  float sum = 0.0;
  for (uint i = gl_LocalInvocationID.x; i < n; i += gl_WorkGroupSize.x) {
    sum += x[i];
  }
  sum = subgroupAdd(sum);
  if (subgroupElect()) {
    partial[gl_SubgroupID] = sum;
  }
  barrier();
  if (gl_SubgroupID == 0) {
    sum = 0.0;
    for (uint i = gl_SubgroupInvocationID; i < gl_NumSubgroups; i += gl_SubgroupSize) {
      sum += partial[i];
    }
    sum = subgroupAdd(sum);
    if (subgroupElect()) {
      total[0] = sum;
    }
  }
}
