#version 450
layout(local_size_x = 1) in;
layout(push_constant) uniform Constants { int values[4]; };
layout(set = 0, binding = 0) writeonly buffer Target { int target[]; };

void main() {
  for (int i = 0; i < 4; ++i) target[i] = values[i];
}
