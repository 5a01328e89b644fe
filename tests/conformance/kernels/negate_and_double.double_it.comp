#version 450
layout(local_size_x = 1) in;
layout(set = 0, binding = 0) readonly buffer Source { float source[]; };
layout(set = 0, binding = 1) writeonly buffer Target { float target[]; };

void main() { target[gl_WorkGroupID.x] = 2.0 * source[gl_WorkGroupID.x]; }
