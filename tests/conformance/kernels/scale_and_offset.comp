#version 450
layout(local_size_x = 1) in;
layout(push_constant) uniform Constants { int scale, offset; };
layout(set = 0, binding = 0) readonly buffer Source { int source[]; };
layout(set = 0, binding = 1) writeonly buffer Target { int target[]; };

void main() { target[gl_WorkGroupID.x] = source[gl_WorkGroupID.x] * scale + offset; }
