#version 450
layout(local_size_x = 1) in;
layout(set = 0, binding = 0) coherent volatile buffer Flag { uint flag[]; };

// lavapipe ends a loop after 65535 rounds: there only a big grid takes long.
void main() {
  while (atomicOr(flag[0], 0u) == 0u) {
  }
}
