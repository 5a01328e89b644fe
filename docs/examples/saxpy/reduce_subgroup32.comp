// out[0] = sum of x, by one workgroup of one subgroup of 32: no workgroup memory and no barrier.
// Right only where the subgroup is 32 wide, which SPIR-V cannot say: the build config declares it, and the pipeline asks for it.
#version 450
#extension GL_KHR_shader_subgroup_arithmetic : require

layout(local_size_x = 32) in;

layout(push_constant) uniform Constants { uint n; };
layout(set = 0, binding = 0, std430) readonly buffer X { float x[]; };
layout(set = 0, binding = 1, std430) writeonly buffer Out { float total[]; };

void main() {
  float sum = 0.0;
  for (uint i = gl_SubgroupInvocationID; i < n; i += 32) {
    sum += x[i];
  }
  sum = subgroupAdd(sum);
  if (subgroupElect()) {
    total[0] = sum;
  }
}
