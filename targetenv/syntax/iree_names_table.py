"""The GPU names of IREE 3.13 and what they expand to. Generated, do not edit.

Source: `iree-compile` of iree-base-compiler 3.13.0 (89ece87b89), asked for every name with
`--iree-vulkan-target`, `--iree-cuda-target` and `--iree-rocm-target`; tests/differential asks again.
"""

from __future__ import annotations

# name, APIs (v Vulkan, c CUDA, r ROCm, m Metal; `!`: IREE prints an empty architecture), architecture, row of WGP; of the chip
# its WGPs, SKU, memory bandwidth in TB/s and TFLOP/s by type
NAMES = """
a100 vc sm_80 sm_80 108
ada vc sm_89 sm_89
adreno v adreno adreno
ampere vc sm_80 sm_80
apple m apple apple
arm5gen v arm5gen arm5gen
cdna1 vr gfx908 gfx908
cdna2 vr gfx90a gfx90a
cdna3 v! gfx942 gfx942
cdna4 v! gfx950 gfx950
cdna5 vr gfx1250 gfx1250
gfx1010 v! gfx1010 gfx1010
gfx1011 v! gfx1011 gfx1010
gfx1012 v! gfx1012 gfx1010
gfx1013 v! gfx1013 gfx1010
gfx1030 v! gfx1030 gfx1030
gfx1031 v! gfx1031 gfx1030
gfx1032 v! gfx1032 gfx1030
gfx1033 v! gfx1033 gfx1030
gfx1034 v! gfx1034 gfx1030
gfx1035 v! gfx1035 gfx1030
gfx1036 v! gfx1036 gfx1030
gfx1100 vr gfx1100 gfx1100
gfx1101 vr gfx1101 gfx1100
gfx1102 v! gfx1102 gfx1100
gfx1103 vr gfx1103 gfx1100 6 phoenix
gfx1150 vr gfx1150 gfx1100 8 strix-point
gfx1151 vr gfx1151 gfx1100 20 strix-halo
gfx1200 vr gfx1200 gfx1200
gfx1201 vr gfx1201 gfx1200
gfx1250 vr gfx1250 gfx1250
gfx908 vr gfx908 gfx908
gfx90a vr gfx90a gfx90a
gfx942 vr gfx942 gfx942
gfx950 vr gfx950 gfx950
llvmpipe v llvmpipe llvmpipe
mali-g1 v arm5gen arm5gen
mali-g310 v valhall3 valhall1
mali-g510 v valhall3 valhall1
mali-g57 v valhall1 valhall1
mali-g615 v valhall4 valhall1
mali-g710 v valhall3 valhall1
mali-g715 v valhall4 valhall1
mali-g720 v arm5gen arm5gen
mali-g725 v arm5gen arm5gen
mali-g77 v valhall1 valhall1
mali-g78 v valhall2 valhall1
mi100 vr gfx908 gfx908 120 mi100 1.23 fp16=184.6 fp32=46.1 int8=184.6
mi210 vr gfx90a gfx90a 104 mi210 1.6 fp16=181 fp32=45.3 int8=181
mi250 vr gfx90a gfx90a 208 mi250 3.2 fp16=362.1 fp32=90.5 int8=362.1
mi250x vr gfx90a gfx90a 220 mi250x 3.2 fp16=383 fp32=95.7 int8=383
mi300a vr gfx942 gfx942 228 mi300a 5.3 fp16=980.6 fp32=122.6 fp8=1961.2 int8=1961.2
mi300x vr gfx942 gfx942 304 mi300x 5.3 fp16=1307.4 fp32=163.4 fp8=2614.9 int8=2614.9
mi308x vr gfx942 gfx942 80 mi308x 5.3 fp16=188.4 fp32=29 fp8=176.8 int8=176.8
mi325x vr gfx942 gfx942 304 mi325x 5.3 fp16=1307.4 fp32=163.4 fp8=2614.9 int8=2614.9
mi350x vr gfx950 gfx950 256 mi350x 8 fp16=2300 fp32=144.2 fp4=9200 fp6=9200 fp8=4600 int8=4600
mi355x vr gfx950 gfx950 256 mi355x 8 fp16=2500 fp32=157.3 fp4=10000 fp6=10000 fp8=5000 int8=5000
mi455x vr gfx1250 gfx1250 256 mi455x 23.3 fp16=5030 fp32=315 fp4=40260 fp6=20130 fp8=20130
pascal vc sm_60 sm_60
phoenix vr gfx1103 gfx1100 6 phoenix
r9700 vr gfx1201 gfx1200 32 r9700 0.64 fp16=191 fp32=47.8 fp8=383 int8=383
rdna1 v rdna1 gfx1010
rdna2 v rdna2 gfx1030
rdna3 v rdna3 gfx1100
rdna4 v rdna4 gfx1200
rtx3070 vc sm_86 sm_80 46
rtx3070ti vc sm_86 sm_80 48
rtx3080 vc sm_86 sm_80 68
rtx3080ti vc sm_86 sm_80 80
rtx3090 vc sm_86 sm_80 82
rtx3090ti vc sm_86 sm_80 84
rtx4060 vc sm_89 sm_89 24
rtx4070 vc sm_89 sm_89 46
rtx4080 vc sm_89 sm_89 76
rtx4090 vc sm_89 sm_89 128
rx7700xt vr gfx1101 gfx1100 27 rx7700xt 0.43 fp16=70.3 fp32=35.2 int8=70.3
rx7800xt vr gfx1101 gfx1100 30 rx7800xt 0.62 fp16=74.6 fp32=37.3 int8=74.6
rx7900xt vr gfx1100 gfx1100 42 rx7900xt 0.8 fp16=103 fp32=51.6 int8=103
rx7900xtx vr gfx1100 gfx1100 48 rx7900xtx 0.96 fp16=123 fp32=61.4 int8=123
rx9060xt vr gfx1200 gfx1200 16 rx9060xt 0.32 fp16=103 fp32=25.6 fp8=205 int8=205
rx9070 vr gfx1201 gfx1200 28 rx9070 0.64 fp16=145 fp32=36.1 fp8=289 int8=289
rx9070xt vr gfx1201 gfx1200 32 rx9070xt 0.64 fp16=195 fp32=48.7 fp8=389 int8=389
sm_120 vc sm_120 sm_120
sm_121 vc sm_121 sm_121
sm_60 vc sm_60 sm_60
sm_61 vc sm_61 sm_60
sm_62 vc sm_62 sm_60
sm_70 vc sm_70 sm_70
sm_72 vc sm_72 sm_70
sm_75 vc sm_75 sm_75
sm_80 vc sm_80 sm_80
sm_86 vc sm_86 sm_80
sm_87 vc sm_87 sm_80
sm_89 vc sm_89 sm_89
strix-halo vr gfx1151 gfx1100 20 strix-halo
strix-point vr gfx1150 gfx1100 8 strix-point
turing vc sm_75 sm_75
v710 vr gfx1101 gfx1100 27 v710
valhall v valhall1 valhall1
valhall1 v valhall1 valhall1
valhall2 v valhall2 valhall1
valhall3 v valhall3 valhall1
valhall4 v valhall4 valhall1
videocore_vii v videocore_vii videocore_vii
volta vc sm_70 sm_70
vp_android_baseline_2022 v vp_android_baseline_2022 vp_android_baseline_2022
w7700 vr gfx1101 gfx1100 24 w7700 0.58 fp16=56.6 fp32=28.3 int8=56.6
w7800 vr gfx1100 gfx1100 35 w7800 0.58 fp16=90.4 fp32=45.2 int8=90.4
w7900 vr gfx1100 gfx1100 48 w7900 0.86 fp16=123 fp32=61.3 int8=123
"""

# What a workgroup processor of an architecture does, shared by architectures that are alike.
WGP = {
    "adreno": (
        "compute = fp32|fp16|int32|int16|int8, storage = b64|b32|b16, subgroup = shuffle|arithmetic, dot = "
        "dp4xi8toi32, subgroup_size_choices = [64], max_workgroup_sizes = [1024, 1024, 1024], "
        "max_thread_count_per_workgroup = 1024, max_workgroup_memory_bytes = 32768, max_workgroup_counts = [65535, "
        "65535, 65535]"
    ),
    "apple": (
        "compute = fp32|fp16|int64|int32|int16|int8, storage = b64|b32|b16|b8, subgroup = shuffle|arithmetic, dot = "
        "dp4xi8toi32, subgroup_size_choices = [32], max_workgroup_sizes = [1024, 1024, 1024], "
        "max_thread_count_per_workgroup = 1024, max_workgroup_memory_bytes = 32768, max_workgroup_counts = [65535, "
        "65535, 65535]"
    ),
    "arm5gen": (
        "compute = fp64|fp32|fp16|int64|int32|int16|int8, storage = b64|b32|b16|b8, subgroup = shuffle|arithmetic, "
        "dot = dp4xi8toi32, subgroup_size_choices = [16], max_workgroup_sizes = [1024, 1024, 1024], "
        "max_thread_count_per_workgroup = 1024, max_workgroup_memory_bytes = 32768, max_workgroup_counts = [65535, "
        "65535, 65535]"
    ),
    "gfx1010": (
        "compute = fp64|fp32|fp16|int64|int32|int16|int8, storage = b64|b32|b16|b8, subgroup = shuffle|arithmetic, "
        "subgroup_size_choices = [32, 64], max_workgroup_sizes = [1024, 1024, 1024], max_thread_count_per_workgroup "
        "= 1024, max_workgroup_memory_bytes = 65536, max_workgroup_counts = [2147483647, 2147483647, 2147483647]"
    ),
    "gfx1030": (
        "compute = fp64|fp32|fp16|int64|int32|int16|int8, storage = b64|b32|b16|b8, subgroup = shuffle|arithmetic, "
        "dot = dp4xi8toi32, subgroup_size_choices = [32, 64], max_workgroup_sizes = [1024, 1024, 1024], "
        "max_thread_count_per_workgroup = 1024, max_workgroup_memory_bytes = 65536, max_workgroup_counts = "
        "[2147483647, 2147483647, 2147483647]"
    ),
    "gfx1100": (
        "compute = fp64|fp32|fp16|int64|int32|int16|int8, storage = b64|b32|b16|b8, subgroup = shuffle|arithmetic, "
        "dot = dp4xi8toi32, mma = [<WMMAR3_F32_16x16x16_F16>, <WMMAR3_F16_16x16x16_F16>, <WMMAR3_F32_16x16x16_BF16>, "
        "<WMMAR3_BF16_16x16x16_BF16>, <WMMAR3_I32_16x16x16_I8>], subgroup_size_choices = [32, 64], "
        "max_workgroup_sizes = [1024, 1024, 1024], max_thread_count_per_workgroup = 1024, max_workgroup_memory_bytes "
        "= 65536, max_workgroup_counts = [2147483647, 2147483647, 2147483647], max_load_instruction_bits = 128, "
        "simds_per_wgp = 4, vgpr_space_bits = 8192, workgroup_memory_bank_count = 64"
    ),
    "gfx1200": (
        "compute = fp64|fp32|fp16|int64|int32|int16|int8, storage = b64|b32|b16|b8, subgroup = shuffle|arithmetic, "
        "dot = dp4xi8toi32, mma = [<WMMAR4_F32_16x16x16_F16>, <WMMAR4_F16_16x16x16_F16>, <WMMAR4_F32_16x16x16_BF16>, "
        "<WMMAR4_BF16_16x16x16_BF16>, <WMMAR4_F32_16x16x16_F8E5M2>, <WMMAR4_F32_16x16x16_F8E5M2_F8E4M3FN>, "
        "<WMMAR4_F32_16x16x16_F8E4M3FN>, <WMMAR4_F32_16x16x16_F8E4M3FN_F8E5M2>, <WMMAR4_I32_16x16x16_I8>], "
        "subgroup_size_choices = [32, 64], max_workgroup_sizes = [1024, 1024, 1024], max_thread_count_per_workgroup "
        "= 1024, max_workgroup_memory_bytes = 65536, max_workgroup_counts = [2147483647, 2147483647, 2147483647], "
        "max_load_instruction_bits = 128, simds_per_wgp = 4, vgpr_space_bits = 8192, workgroup_memory_bank_count = "
        "64"
    ),
    "gfx1250": (
        "compute = fp64|fp32|fp16|int64|int32|int16|int8, storage = b64|b32|b16|b8, subgroup = shuffle|arithmetic, "
        "mma = [<WMMA_F32_16x16x4_F32>, <WMMA_F32_16x16x32_F16>, <WMMA_F32_16x16x32_BF16>, <WMMA_F16_16x16x32_F16>, "
        "<WMMA_BF16_16x16x32_BF16>, <WMMA_F32_16x16x64_F8E4M3FN>, <WMMA_F32_16x16x64_F8E4M3FN_F8E5M2>, "
        "<WMMA_F32_16x16x64_F8E5M2>, <WMMA_F32_16x16x64_F8E5M2_F8E4M3FN>, <WMMA_F16_16x16x64_F8E4M3FN>, "
        "<WMMA_F16_16x16x64_F8E4M3FN_F8E5M2>, <WMMA_F16_16x16x64_F8E5M2>, <WMMA_F16_16x16x64_F8E5M2_F8E4M3FN>, "
        "<WMMA_I32_16x16x64_I8>, <WMMA_F32_16x16x128_F8E5M2>, <WMMA_F32_16x16x128_F8E5M2_F8E4M3FN>, "
        "<WMMA_F32_16x16x128_F8E4M3FN>, <WMMA_F32_16x16x128_F8E4M3FN_F8E5M2>, <WMMA_F16_16x16x128_F8E5M2>, "
        "<WMMA_F16_16x16x128_F8E5M2_F8E4M3FN>, <WMMA_F16_16x16x128_F8E4M3FN>, <WMMA_F16_16x16x128_F8E4M3FN_F8E5M2>], "
        "subgroup_size_choices = [32], max_workgroup_sizes = [1024, 1024, 1024], max_thread_count_per_workgroup = "
        "1024, max_workgroup_memory_bytes = 327680, max_workgroup_counts = [2147483647, 2147483647, 2147483647], "
        "max_load_instruction_bits = 128, simds_per_wgp = 4, vgpr_space_bits = 32768, workgroup_memory_bank_count = "
        "64"
    ),
    "gfx908": (
        "compute = fp64|fp32|fp16|int64|int32|int16|int8, storage = b64|b32|b16|b8, subgroup = shuffle|arithmetic, "
        "dot = dp4xi8toi32, mma = [<MFMA_F32_16x16x4_F32>, <MFMA_F32_16x16x16_F16>, <MFMA_F32_32x32x8_F16>, "
        "<MFMA_I32_16x16x16_I8>, <MFMA_I32_32x32x8_I8>, <MFMA_F32_4x4x4x16B_F16>, <MFMA_F32_16x16x4x4B_F16>, "
        "<MFMA_F32_32x32x4x2B_F16>, <MFMA_F32_4x4x1x16B_F32>, <MFMA_F32_16x16x1x4B_F32>, <MFMA_F32_32x32x1x2B_F32>, "
        "<MFMA_I32_4x4x4x16B_I8>, <MFMA_I32_16x16x4x4B_I8>, <MFMA_I32_32x32x4x2B_I8>], subgroup_size_choices = [64], "
        "max_workgroup_sizes = [1024, 1024, 1024], max_thread_count_per_workgroup = 1024, max_workgroup_memory_bytes "
        "= 65536, max_workgroup_counts = [2147483647, 2147483647, 2147483647], max_load_instruction_bits = 128, "
        "simds_per_wgp = 4, vgpr_space_bits = 8192, workgroup_memory_bank_count = 32"
    ),
    "gfx90a": (
        "compute = fp64|fp32|fp16|int64|int32|int16|int8, storage = b64|b32|b16|b8, subgroup = shuffle|arithmetic, "
        "dot = dp4xi8toi32, mma = [<MFMA_F32_16x16x8_BF16>, <MFMA_F32_32x32x4_BF16>, <MFMA_F64_16x16x4_F64>, "
        "<MFMA_F32_4x4x4x16B_BF16>, <MFMA_F32_16x16x4x4B_BF16>, <MFMA_F32_32x32x4x2B_BF16>, <MFMA_F64_4x4x4x4B_F64>, "
        "<MFMA_F32_16x16x4_F32>, <MFMA_F32_16x16x16_F16>, <MFMA_F32_32x32x8_F16>, <MFMA_I32_16x16x16_I8>, "
        "<MFMA_I32_32x32x8_I8>, <MFMA_F32_4x4x4x16B_F16>, <MFMA_F32_16x16x4x4B_F16>, <MFMA_F32_32x32x4x2B_F16>, "
        "<MFMA_F32_4x4x1x16B_F32>, <MFMA_F32_16x16x1x4B_F32>, <MFMA_F32_32x32x1x2B_F32>, <MFMA_I32_4x4x4x16B_I8>, "
        "<MFMA_I32_16x16x4x4B_I8>, <MFMA_I32_32x32x4x2B_I8>], subgroup_size_choices = [64], max_workgroup_sizes = "
        "[1024, 1024, 1024], max_thread_count_per_workgroup = 1024, max_workgroup_memory_bytes = 65536, "
        "max_workgroup_counts = [2147483647, 2147483647, 2147483647], max_load_instruction_bits = 128, simds_per_wgp "
        "= 4, vgpr_space_bits = 8192, workgroup_memory_bank_count = 32"
    ),
    "gfx942": (
        "compute = fp64|fp32|fp16|int64|int32|int16|int8, storage = b64|b32|b16|b8, subgroup = shuffle|arithmetic, "
        "dot = dp4xi8toi32, mma = [<MFMA_F32_16x16x16_BF16>, <MFMA_F32_32x32x8_BF16>, "
        "<MFMA_F32_16x16x32_F8E5M2FNUZ>, <MFMA_F32_16x16x32_F8E5M2FNUZ_F8E4M3FNUZ>, <MFMA_F32_16x16x32_F8E4M3FNUZ>, "
        "<MFMA_F32_16x16x32_F8E4M3FNUZ_F8E5M2FNUZ>, <MFMA_F32_32x32x16_F8E5M2FNUZ>, "
        "<MFMA_F32_32x32x16_F8E5M2FNUZ_F8E4M3FNUZ>, <MFMA_F32_32x32x16_F8E4M3FNUZ>, "
        "<MFMA_F32_32x32x16_F8E4M3FNUZ_F8E5M2FNUZ>, <MFMA_I32_16x16x32_I8>, <MFMA_I32_32x32x16_I8>, "
        "<MFMA_F64_16x16x4_F64>, <MFMA_F32_16x16x4_F32>, <MFMA_F32_16x16x16_F16>, <MFMA_F32_32x32x8_F16>, "
        "<MFMA_F32_4x4x4x16B_F16>, <MFMA_F32_16x16x4x4B_F16>, <MFMA_F32_32x32x4x2B_F16>, <MFMA_F32_4x4x4x16B_BF16>, "
        "<MFMA_F32_16x16x4x4B_BF16>, <MFMA_F32_32x32x4x2B_BF16>, <MFMA_F32_4x4x1x16B_F32>, "
        "<MFMA_F32_16x16x1x4B_F32>, <MFMA_F32_32x32x1x2B_F32>, <MFMA_F64_4x4x4x4B_F64>, <MFMA_I32_4x4x4x16B_I8>, "
        "<MFMA_I32_16x16x4x4B_I8>, <MFMA_I32_32x32x4x2B_I8>], subgroup_size_choices = [64], max_workgroup_sizes = "
        "[1024, 1024, 1024], max_thread_count_per_workgroup = 1024, max_workgroup_memory_bytes = 65536, "
        "max_workgroup_counts = [2147483647, 2147483647, 2147483647], max_load_instruction_bits = 128, simds_per_wgp "
        "= 4, vgpr_space_bits = 16384, dma_sizes = [32], workgroup_memory_bank_count = 32"
    ),
    "gfx950": (
        "compute = fp64|fp32|fp16|int64|int32|int16|int8, storage = b64|b32|b16|b8, subgroup = shuffle|arithmetic, "
        "dot = dp4xi8toi32, mma = [<MFMA_F32_16x16x32_F16>, <MFMA_F32_32x32x16_F16>, <MFMA_F32_16x16x32_BF16>, "
        "<MFMA_F32_32x32x16_BF16>, <MFMA_F32_16x16x128_F8E5M2>, <MFMA_F32_16x16x128_F8E5M2_F8E4M3FN>, "
        "<MFMA_F32_16x16x128_F8E4M3FN>, <MFMA_F32_16x16x128_F8E4M3FN_F8E5M2>, <MFMA_F32_32x32x64_F8E5M2>, "
        "<MFMA_F32_32x32x64_F8E5M2_F8E4M3FN>, <MFMA_F32_32x32x64_F8E4M3FN>, <MFMA_F32_32x32x64_F8E4M3FN_F8E5M2>, "
        "<MFMA_I32_16x16x64_I8>, <MFMA_I32_32x32x32_I8>, <MFMA_F32_16x16x16_BF16>, <MFMA_F32_32x32x8_BF16>, "
        "<MFMA_F32_16x16x32_F8E5M2>, <MFMA_F32_16x16x32_F8E5M2_F8E4M3FN>, <MFMA_F32_16x16x32_F8E4M3FN>, "
        "<MFMA_F32_16x16x32_F8E4M3FN_F8E5M2>, <MFMA_F32_32x32x16_F8E5M2>, <MFMA_F32_32x32x16_F8E5M2_F8E4M3FN>, "
        "<MFMA_F32_32x32x16_F8E4M3FN>, <MFMA_F32_32x32x16_F8E4M3FN_F8E5M2>, <MFMA_I32_16x16x32_I8>, "
        "<MFMA_I32_32x32x16_I8>, <MFMA_F64_16x16x4_F64>, <MFMA_F32_16x16x4_F32>, <MFMA_F32_16x16x16_F16>, "
        "<MFMA_F32_32x32x8_F16>, <MFMA_F32_4x4x4x16B_F16>, <MFMA_F32_16x16x4x4B_F16>, <MFMA_F32_32x32x4x2B_F16>, "
        "<MFMA_F32_4x4x4x16B_BF16>, <MFMA_F32_16x16x4x4B_BF16>, <MFMA_F32_32x32x4x2B_BF16>, "
        "<MFMA_F32_4x4x1x16B_F32>, <MFMA_F32_16x16x1x4B_F32>, <MFMA_F32_32x32x1x2B_F32>, <MFMA_F64_4x4x4x4B_F64>, "
        "<MFMA_I32_4x4x4x16B_I8>, <MFMA_I32_16x16x4x4B_I8>, <MFMA_I32_32x32x4x2B_I8>], scaled_mma = [<intrinsic = "
        "MFMA_SCALE_F32_16x16x128_B32, lhs_elem_type = f8E8M0FNU, rhs_elem_type = f8E8M0FNU, acc_elem_type = f32>, "
        "<intrinsic = MFMA_SCALE_F32_16x16x128_B32, lhs_elem_type = f8E5M2, rhs_elem_type = f8E5M2, acc_elem_type = "
        "f32>, <intrinsic = MFMA_SCALE_F32_16x16x128_B32, lhs_elem_type = f8E5M2FNUZ, rhs_elem_type = f8E5M2FNUZ, "
        "acc_elem_type = f32>, <intrinsic = MFMA_SCALE_F32_16x16x128_B32, lhs_elem_type = f8E4M3FN, rhs_elem_type = "
        "f8E4M3FN, acc_elem_type = f32>, <intrinsic = MFMA_SCALE_F32_16x16x128_B32, lhs_elem_type = f8E4M3FNUZ, "
        "rhs_elem_type = f8E4M3FNUZ, acc_elem_type = f32>, <intrinsic = MFMA_SCALE_F32_16x16x128_B32, lhs_elem_type "
        "= f4E2M1FN, rhs_elem_type = f4E2M1FN, acc_elem_type = f32>, <intrinsic = MFMA_SCALE_F32_32x32x64_B32, "
        "lhs_elem_type = f8E8M0FNU, rhs_elem_type = f8E8M0FNU, acc_elem_type = f32>, <intrinsic = "
        "MFMA_SCALE_F32_32x32x64_B32, lhs_elem_type = f8E5M2, rhs_elem_type = f8E5M2, acc_elem_type = f32>, "
        "<intrinsic = MFMA_SCALE_F32_32x32x64_B32, lhs_elem_type = f8E5M2FNUZ, rhs_elem_type = f8E5M2FNUZ, "
        "acc_elem_type = f32>, <intrinsic = MFMA_SCALE_F32_32x32x64_B32, lhs_elem_type = f8E4M3FN, rhs_elem_type = "
        "f8E4M3FN, acc_elem_type = f32>, <intrinsic = MFMA_SCALE_F32_32x32x64_B32, lhs_elem_type = f8E4M3FNUZ, "
        "rhs_elem_type = f8E4M3FNUZ, acc_elem_type = f32>, <intrinsic = MFMA_SCALE_F32_32x32x64_B32, lhs_elem_type = "
        "f4E2M1FN, rhs_elem_type = f4E2M1FN, acc_elem_type = f32>], subgroup_size_choices = [64], "
        "max_workgroup_sizes = [1024, 1024, 1024], max_thread_count_per_workgroup = 1024, max_workgroup_memory_bytes "
        "= 163840, max_workgroup_counts = [2147483647, 2147483647, 2147483647], max_load_instruction_bits = 128, "
        "simds_per_wgp = 4, vgpr_space_bits = 16384, dma_sizes = [32, 128], workgroup_memory_bank_count = 64"
    ),
    "llvmpipe": (
        "compute = fp64|fp32|fp16|int64|int32|int16|int8, storage = b64|b32|b16|b8, subgroup = shuffle|arithmetic, "
        "dot = dp4xi8toi32, subgroup_size_choices = [8], max_workgroup_sizes = [1024, 1024, 1024], "
        "max_thread_count_per_workgroup = 1024, max_workgroup_memory_bytes = 32768, max_workgroup_counts = [65535, "
        "65535, 65535]"
    ),
    "sm_120": (
        "compute = fp64|fp32|fp16|int64|int32|int16|int8, storage = b64|b32|b16|b8, subgroup = shuffle|arithmetic, "
        "dot = dp4xi8toi32, mma = [<NV_MMA_SYNC_F32_16x8x16_F16>, <NV_MMA_SYNC_F16_16x8x16_F16>, "
        "<NV_MMA_SYNC_F32_16x8x16_BF16>, <NV_MMA_SYNC_F32_16x8x32_F8E4M3FN>, <NV_MMA_SYNC_F32_16x8x32_F8E5M2>, "
        "<NV_WMMA_F32_16x16x16_F16>, <NV_WMMA_F16_16x16x16_F16>], subgroup_size_choices = [32], max_workgroup_sizes "
        "= [1024, 1024, 64], max_thread_count_per_workgroup = 1024, max_workgroup_memory_bytes = 101376, "
        "max_workgroup_counts = [2147483647, 65535, 65535]"
    ),
    "sm_121": (
        "compute = fp64|fp32|fp16|int64|int32|int16|int8, storage = b64|b32|b16|b8, subgroup = shuffle|arithmetic, "
        "dot = dp4xi8toi32, mma = [<NV_MMA_SYNC_F32_16x8x16_F16>, <NV_MMA_SYNC_F16_16x8x16_F16>, "
        "<NV_MMA_SYNC_F32_16x8x16_BF16>, <NV_WMMA_F32_16x16x16_F16>, <NV_WMMA_F16_16x16x16_F16>], "
        "subgroup_size_choices = [32], max_workgroup_sizes = [1024, 1024, 64], max_thread_count_per_workgroup = "
        "1024, max_workgroup_memory_bytes = 101376, max_workgroup_counts = [2147483647, 65535, 65535]"
    ),
    "sm_60": (
        "compute = fp64|fp32|fp16|int64|int32|int16|int8, storage = b64|b32|b16|b8, subgroup = shuffle|arithmetic, "
        "subgroup_size_choices = [32], max_workgroup_sizes = [1024, 1024, 1024], max_thread_count_per_workgroup = "
        "1024, max_workgroup_memory_bytes = 49152, max_workgroup_counts = [2147483647, 65535, 65535]"
    ),
    "sm_70": (
        "compute = fp64|fp32|fp16|int64|int32|int16|int8, storage = b64|b32|b16|b8, subgroup = shuffle|arithmetic, "
        "mma = [<NV_MMA_SYNC_F32_16x8x16_F16>, <NV_MMA_SYNC_F16_16x8x16_F16>, <NV_WMMA_F32_16x16x16_F16>, "
        "<NV_WMMA_F16_16x16x16_F16>], subgroup_size_choices = [32], max_workgroup_sizes = [1024, 1024, 1024], "
        "max_thread_count_per_workgroup = 1024, max_workgroup_memory_bytes = 98304, max_workgroup_counts = "
        "[2147483647, 65535, 65535]"
    ),
    "sm_75": (
        "compute = fp64|fp32|fp16|int64|int32|int16|int8, storage = b64|b32|b16|b8, subgroup = shuffle|arithmetic, "
        "dot = dp4xi8toi32, mma = [<NV_MMA_SYNC_F32_16x8x16_F16>, <NV_MMA_SYNC_F16_16x8x16_F16>, "
        "<NV_WMMA_F32_16x16x16_F16>, <NV_WMMA_F16_16x16x16_F16>], subgroup_size_choices = [32], max_workgroup_sizes "
        "= [1024, 1024, 1024], max_thread_count_per_workgroup = 1024, max_workgroup_memory_bytes = 65536, "
        "max_workgroup_counts = [2147483647, 65535, 65535]"
    ),
    "sm_80": (
        "compute = fp64|fp32|fp16|int64|int32|int16|int8, storage = b64|b32|b16|b8, subgroup = shuffle|arithmetic, "
        "dot = dp4xi8toi32, mma = [<NV_MMA_SYNC_F32_16x8x16_F16>, <NV_MMA_SYNC_F16_16x8x16_F16>, "
        "<NV_MMA_SYNC_F32_16x8x16_BF16>, <NV_WMMA_F32_16x16x16_F16>, <NV_WMMA_F16_16x16x16_F16>], "
        "subgroup_size_choices = [32], max_workgroup_sizes = [1024, 1024, 1024], max_thread_count_per_workgroup = "
        "1024, max_workgroup_memory_bytes = 166912, max_workgroup_counts = [2147483647, 65535, 65535]"
    ),
    "sm_89": (
        "compute = fp64|fp32|fp16|int64|int32|int16|int8, storage = b64|b32|b16|b8, subgroup = shuffle|arithmetic, "
        "dot = dp4xi8toi32, mma = [<NV_MMA_SYNC_F32_16x8x16_F16>, <NV_MMA_SYNC_F16_16x8x16_F16>, "
        "<NV_MMA_SYNC_F32_16x8x16_BF16>, <NV_MMA_SYNC_F32_16x8x32_F8E4M3FN>, <NV_MMA_SYNC_F32_16x8x32_F8E5M2>, "
        "<NV_WMMA_F32_16x16x16_F16>, <NV_WMMA_F16_16x16x16_F16>], subgroup_size_choices = [32], max_workgroup_sizes "
        "= [1024, 1024, 1024], max_thread_count_per_workgroup = 1024, max_workgroup_memory_bytes = 101376, "
        "max_workgroup_counts = [2147483647, 65535, 65535]"
    ),
    "valhall1": (
        "compute = fp32|fp16|int32|int16|int8, storage = b64|b32|b16|b8, subgroup = shuffle|arithmetic, dot = "
        "dp4xi8toi32, subgroup_size_choices = [16], max_workgroup_sizes = [512, 512, 512], "
        "max_thread_count_per_workgroup = 512, max_workgroup_memory_bytes = 32768, max_workgroup_counts = [65535, "
        "65535, 65535]"
    ),
    "videocore_vii": (
        "compute = fp32|int32, storage = b32, subgroup = none, subgroup_size_choices = [16], max_workgroup_sizes = "
        "[256, 256, 256], max_thread_count_per_workgroup = 32, max_workgroup_memory_bytes = 16384, "
        "max_workgroup_counts = [65535, 65535, 65535]"
    ),
    "vp_android_baseline_2022": (
        "compute = fp32|int32, storage = b32, subgroup = none, subgroup_size_choices = [64], max_workgroup_sizes = "
        "[128, 128, 64], max_thread_count_per_workgroup = 128, max_workgroup_memory_bytes = 16384, "
        "max_workgroup_counts = [65535, 65535, 65535]"
    ),
}

# Feature strings that are not the usual one of the API.
FEATURES = {
    ("c", "sm_120"): "+ptx87",
    ("c", "sm_121"): "+ptx88",
    ("c", "sm_89"): "+ptx84",
    ("v", "llvmpipe"): (
        "spirv:v1.6,cap:Shader,cap:PhysicalStorageBufferAddresses,cap:PhysicalStorageBuffer64,cap:Int64,cap:Float64"
    ),
    ("v", "videocore_vii"): "spirv:v1.3,cap:Shader",
    ("v", "vp_android_baseline_2022"): "spirv:v1.3,cap:Shader",
}
USUAL_FEATURES = {"v": "spirv:v1.6,cap:Shader", "c": "+ptx76", "r": "", "m": "spirv:v1.3,cap:Shader"}
