#version 450
layout(local_size_x = 1) in;
layout(set = 0, binding = 0) writeonly buffer Target { uint target[]; };

void main() {
  target[0] = 4;
  target[1] = 1;
  target[2] = 1;
}
