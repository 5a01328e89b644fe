#version 450
layout(local_size_x = 1) in;
layout(push_constant) uniform Constants { uint a, b; };
layout(set = 0, binding = 0) buffer First { uint first[]; };
layout(set = 0, binding = 1) buffer Second { uint second[]; };

void main() {
  if (a == 0xFFFFFFFFu) second[0] = first[0] + b; // never: it keeps the interface from being optimised away
}
