#version 450
layout(local_size_x = 1) in;
layout(set = 0, binding = 0) writeonly buffer Target { uint target[]; };

void main() {
  uint at = (gl_WorkGroupID.z * gl_NumWorkGroups.y + gl_WorkGroupID.y) * gl_NumWorkGroups.x + gl_WorkGroupID.x;
  target[at] = gl_WorkGroupID.x | gl_WorkGroupID.y << 10 | gl_WorkGroupID.z << 20;
}
