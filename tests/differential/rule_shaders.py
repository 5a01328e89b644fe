"""Compute shaders for single rules of Vulkan about what a device must offer, where a capability alone does not say it."""

from __future__ import annotations

from tests.differential.capability_shaders import (
    BITS16,
    FLOAT16,
    FLOAT_ATOMICS,
    FLOAT_ATOMICS2,
    INT64,
    Shader,
    compute,
)

INT64_ATOMICS = "GL_EXT_shader_atomic_int64"
TEXTURE = "layout(set=0,binding=1) uniform sampler2D i;"
FLOAT_IMAGE = "layout(set=0,binding=1,r32f) uniform image2D i;"


def _atomic(name: str, line: str, main: str, *extensions: str) -> Shader:
    return compute(name, main, line, extensions=extensions, environment="1.2")


# One for each rule; the name is what the shader is about, not a capability.
RULES: tuple[Shader, ...] = (
    _atomic(
        "64-bit atomic in a buffer",
        "layout(set=0,binding=1) buffer A { uint64_t a; } a;",
        "b.x[0] = float(atomicAdd(a.a, 1ul));",
        INT64,
        INT64_ATOMICS,
    ),
    _atomic(
        "64-bit atomic in workgroup memory",
        "shared uint64_t s;",
        "b.x[0] = float(atomicMax(s, 1ul));",
        INT64,
        INT64_ATOMICS,
    ),
    _atomic("float exchange in a buffer", "", "b.x[0] = atomicExchange(b.x[1], 1.0);", FLOAT_ATOMICS),
    _atomic("float exchange in workgroup memory", "shared float s;", "b.x[0] = atomicExchange(s, 1.0);", FLOAT_ATOMICS),
    _atomic("float addition in workgroup memory", "shared float s;", "b.x[0] = atomicAdd(s, 1.0);", FLOAT_ATOMICS),
    _atomic("float addition in an image", FLOAT_IMAGE, "b.x[0] = imageAtomicAdd(i, ivec2(0), 1.0);", FLOAT_ATOMICS),
    _atomic("float exchange in an image", FLOAT_IMAGE, "b.x[0] = imageAtomicExchange(i, ivec2(0), 1.0);", FLOAT_ATOMICS),
    _atomic("float maximum in workgroup memory", "shared float s;", "b.x[0] = atomicMax(s, 1.0);", FLOAT_ATOMICS2),
    _atomic("float minimum in an image", FLOAT_IMAGE, "b.x[0] = imageAtomicMin(i, ivec2(0), 1.0);", FLOAT_ATOMICS2),
    _atomic("double addition in workgroup memory", "shared double s;", "b.x[0] = float(atomicAdd(s, 1.0lf));", FLOAT_ATOMICS),
    _atomic(
        "double exchange in a buffer",
        "layout(set=0,binding=1) buffer A { double a; } a;",
        "b.x[0] = float(atomicExchange(a.a, 1.0lf));",
        FLOAT_ATOMICS,
    ),
    compute("subgroup clock", "b.x[0] = float(clock2x32ARB().x);", extensions=("GL_ARB_shader_clock",), environment="1.1"),
    compute(
        "device clock",
        "b.x[0] = float(clockRealtime2x32EXT().x);",
        extensions=("GL_EXT_shader_realtime_clock",),
        environment="1.1",
    ),
    compute(
        "subgroup addition of halves",
        "b.x[0] = float(subgroupAdd(float16_t(b.x[1])));",
        extensions=(FLOAT16, "GL_KHR_shader_subgroup_arithmetic", "GL_EXT_shader_subgroup_extended_types_float16"),
        environment="1.1",
    ),
    compute(
        "subgroup addition of 64-bit integers",
        "b.x[0] = float(subgroupAdd(int64_t(b.x[1])));",
        extensions=(INT64, "GL_KHR_shader_subgroup_arithmetic", "GL_EXT_shader_subgroup_extended_types_int64"),
        environment="1.1",
    ),
    compute(
        "broadcast from a computed invocation",
        "b.x[0] = subgroupBroadcast(b.x[1], uint(b.x[2]));",
        extensions=("GL_KHR_shader_subgroup_ballot",),
        environment="1.2",
    ),
    compute("workgroup size by constants", "b.x[0] = 1.0;", "layout(local_size_x_id=0) in;", environment="1.3"),
    compute(
        "workgroup memory with an initial value",
        "b.x[0] = s;",
        "shared float s = {};",
        extensions=("GL_EXT_null_initializer",),
        environment="1.1",
    ),
    compute("a large workgroup", "b.x[0] = 1.0;", "layout(local_size_x=1024) in;"),
    compute("too many invocations", "b.x[0] = 1.0;", "layout(local_size_x=64,local_size_y=64) in;"),
    compute("all workgroup memory", "s[5] = 1.0; b.x[0] = s[6];", "shared float s[8192];"),
    compute("too much workgroup memory", "s[5] = 1.0; b.x[0] = s[6];", "shared float s[8193];"),
    compute("small offsets", "b.x[0] = textureLodOffset(i, vec2(0), 0.0, ivec2(-8, 7)).x;", TEXTURE),
    compute(
        "half in a uniform block",
        "b.x[0] = float(p.n);",
        "layout(set=0,binding=1) uniform P { float16_t n; } p;",
        extensions=(BITS16, FLOAT16),
        environment="1.1",
    ),
)

CONTROLS = """
OpCapability Shader
OpCapability {capability}
OpExtension "SPV_KHR_float_controls"
OpMemoryModel Logical GLSL450
OpEntryPoint GLCompute %1 "main"
OpExecutionMode %1 LocalSize 1 1 1
{modes}
%2 = OpTypeVoid
%3 = OpTypeFunction %2
%1 = OpFunction %2 None %3
%4 = OpLabel
OpReturn
OpFunctionEnd
"""
MODES = ("DenormPreserve", "DenormFlushToZero", "SignedZeroInfNanPreserve", "RoundingModeRTE", "RoundingModeRTZ")
