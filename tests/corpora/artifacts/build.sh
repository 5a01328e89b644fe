#!/bin/sh
# Makes the files of this folder again: glslc (shaderc 2023), GCC 12 and GNU ld 2.40; run it in this folder.
set -eu
root=$(git rev-parse --show-toplevel)
glslc --target-env=vulkan1.0 -O "$root/docs/examples/saxpy/saxpy.comp" -o saxpy_spv10.spv
glslc --target-env=vulkan1.3 -O "$root/docs/examples/saxpy/saxpy.comp" -o saxpy_spv16.spv
glslc --target-env=vulkan1.1 -O "$root/docs/examples/saxpy/reduce_subgroup.comp" -o reduce_subgroup.spv
glslc --target-env=vulkan1.0 -O "$root/docs/examples/saxpy/reduce.comp" -o reduce.spv
glslc --target-env=vulkan1.1 -O "$root/docs/examples/saxpy/matmul_f16.comp" -o matmul_f16.spv
small="-Os -shared -fPIC -nostdlib -fno-asynchronous-unwind-tables -fcf-protection=none -fno-stack-protector"
small="$small -Wl,--build-id=none -Wl,-z,noseparate-code -Wl,-z,max-page-size=4096 -s -I $root/runtime/targetenv_runtime/include"
for level in x86-64 x86-64-v2 x86-64-v3 x86-64-v4; do
  gcc $small -march=$level -mneeded kernel.c -o "kernel_$level.so"
done
gcc $small kernel.c -o kernel_silent.so
# For OpenCL: clang 15 and llvm-spirv 15 (Debian: clang-15, llvm-spirv-15).
clang-15 -cl-std=CL1.2 -target spir64-unknown-unknown -Xclang -finclude-default-header -fno-discard-value-names -O1 \
  -emit-llvm -c kernels.cl -o kernels.bc
llvm-spirv-15 --spirv-max-version=1.0 kernels.bc -o kernels_opencl.spv
rm kernels.bc
