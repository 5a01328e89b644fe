"""What SPIR-V an OpenCL device takes that does not list it: what its version guarantees, and what it says of itself.

A device that lists versions and capabilities (`Capabilities.spirv`) is judged by that list instead. Source: OpenCL SPIR-V
Environment Specification, Required Capabilities and OpenCL Extensions; OpenCL 3.0, Appendix `Features that became optional`.
"""

from __future__ import annotations

from functools import cache

from targetenv.match.answer import NO, UNKNOWN, YES
from targetenv.model.version import Version

TYPE_CHECKING = False
if TYPE_CHECKING:
    from targetenv.match.answer import Answer
    from targetenv.model.capabilities import Capabilities
    from targetenv.model.verdict import Outcome

_OPTIONAL_AGAIN = Version(3, 0)
_IL_VERSION, _PROFILE = "CL_DEVICE_IL_VERSION", "CL_DEVICE_PROFILE"
# Capability or extension of SPIR-V, then what brings it, any one: a version, with `-` only below 3.0; an extension of OpenCL; a
# property that is not zero. With `?` it must be there and does not suffice.
_ROWS = """
Addresses 1.2
Float16Buffer 1.2
Int16 1.2
Int64 1.2
Int8 1.2
Kernel 1.2
Linkage 1.2
Vector16 1.2
DeviceEnqueue 2.0- CL_DEVICE_DEVICE_ENQUEUE_CAPABILITIES
GenericPointer 2.0- CL_DEVICE_GENERIC_ADDRESS_SPACE_SUPPORT
Groups 2.0- CL_DEVICE_WORK_GROUP_COLLECTIVE_FUNCTIONS_SUPPORT CL_DEVICE_MAX_NUM_SUB_GROUPS cl_khr_subgroups
Pipes 2.0- CL_DEVICE_PIPE_SUPPORT
SubgroupDispatch 2.2- ?CL_DEVICE_DEVICE_ENQUEUE_CAPABILITIES
PipeStorage 2.2- ?CL_DEVICE_PIPE_SUPPORT
ImageBasic CL_DEVICE_IMAGE_SUPPORT
LiteralSampler CL_DEVICE_IMAGE_SUPPORT
Sampled1D CL_DEVICE_IMAGE_SUPPORT
Image1D CL_DEVICE_IMAGE_SUPPORT
SampledBuffer CL_DEVICE_IMAGE_SUPPORT
ImageBuffer CL_DEVICE_IMAGE_SUPPORT
ImageReadWrite CL_DEVICE_MAX_READ_WRITE_IMAGE_ARGS
ImageMipmap cl_khr_mipmap_image_writes
Float64 cl_khr_fp64 CL_DEVICE_DOUBLE_FP_CONFIG
Float16 cl_khr_fp16
Int64Atomics cl_khr_int64_base_atomics cl_khr_int64_extended_atomics
NamedBarrier cl_khr_subgroup_named_barrier
GroupNonUniform cl_khr_subgroup_non_uniform_vote
GroupNonUniformVote cl_khr_subgroup_non_uniform_vote
GroupNonUniformBallot cl_khr_subgroup_ballot
GroupNonUniformArithmetic cl_khr_subgroup_non_uniform_arithmetic
GroupNonUniformShuffle cl_khr_subgroup_shuffle
GroupNonUniformShuffleRelative cl_khr_subgroup_shuffle_relative
GroupNonUniformClustered cl_khr_subgroup_clustered_reduce
GroupNonUniformRotateKHR cl_khr_subgroup_rotate
GroupUniformArithmeticKHR cl_khr_work_group_uniform_arithmetic
ExpectAssumeKHR cl_khr_expect_assume
BitInstructions cl_khr_extended_bit_ops
DotProduct cl_khr_integer_dot_product
DotProductInput4x8BitPacked cl_khr_integer_dot_product
DotProductInput4x8Bit ?cl_khr_integer_dot_product
ShaderClockKHR cl_khr_kernel_clock
AtomicFloat16AddEXT ?cl_ext_float_atomics
AtomicFloat32AddEXT ?cl_ext_float_atomics
AtomicFloat64AddEXT ?cl_ext_float_atomics
AtomicFloat16MinMaxEXT ?cl_ext_float_atomics
AtomicFloat32MinMaxEXT ?cl_ext_float_atomics
AtomicFloat64MinMaxEXT ?cl_ext_float_atomics
SubgroupShuffleINTEL cl_intel_spirv_subgroups
SubgroupBufferBlockIOINTEL cl_intel_spirv_subgroups
SubgroupImageBlockIOINTEL cl_intel_spirv_subgroups
SubgroupImageMediaBlockIOINTEL cl_intel_spirv_media_block_io
SPV_INTEL_subgroups cl_intel_spirv_subgroups
SPV_INTEL_media_block_io cl_intel_spirv_media_block_io
SPV_KHR_no_integer_wrap_decoration cl_khr_spirv_no_integer_wrap_decoration
SPV_KHR_linkonce_odr cl_khr_spirv_linkonce_odr
SPV_KHR_expect_assume cl_khr_expect_assume
SPV_KHR_bit_instructions cl_khr_extended_bit_ops
SPV_KHR_integer_dot_product cl_khr_integer_dot_product
SPV_KHR_subgroup_rotate cl_khr_subgroup_rotate
SPV_KHR_uniform_group_instructions cl_khr_work_group_uniform_arithmetic
SPV_KHR_shader_clock cl_khr_kernel_clock
SPV_EXT_shader_atomic_float_add ?cl_ext_float_atomics
SPV_EXT_shader_atomic_float16_add ?cl_ext_float_atomics
SPV_EXT_shader_atomic_float_min_max ?cl_ext_float_atomics
"""

#: OpenCL versions that require SPIR-V, and which
_IL = ((Version(2, 1), Version(1, 0)), (Version(2, 2), Version(1, 2)))


def version(needed: Version, offers: Capabilities) -> Answer:
    """Whether a module of this SPIR-V version is taken."""
    by = "opencl.il"
    stated = offers.property(_IL_VERSION)
    if isinstance(stated, str):
        listed = [Version.parse(word.removeprefix("SPIR-V_")) for word in stated.split() if _is_version(word)]
        if listed:
            return (YES if max(listed) >= needed else NO), f"device offers SPIR-V {max(listed)}", by
    if "spirv" not in offers.formats:
        return (NO if offers.complete or offers.formats else UNKNOWN), "no SPIR-V is taken", by
    required = [spirv for opencl, spirv in _IL if offers.version is not None and opencl <= offers.version < _OPTIONAL_AGAIN]
    if required and needed <= required[-1]:
        return YES, f"every OpenCL {offers.version} takes SPIR-V {required[-1]}", by
    if "cl_khr_il_program" in offers.extensions and needed <= _IL[0][1]:
        return YES, f"cl_khr_il_program takes SPIR-V {_IL[0][1]}", by
    return UNKNOWN, "takes SPIR-V, of which version is not stated", by


def capability(name: str, offers: Capabilities) -> Answer:
    """Whether this capability, or this extension of SPIR-V, is usable."""
    by = "opencl.capability"
    if "spirv" not in offers.formats:
        return (NO if offers.complete or offers.formats else UNKNOWN), "no SPIR-V is taken", by
    if name == "Int64" and offers.property(_PROFILE) == "EMBEDDED_PROFILE":
        return *_condition("cles_khr_int64", offers), by
    answers = [_condition(condition, offers) for condition in _rows().get(name, ())]
    for outcome in (YES, UNKNOWN):
        found = next((answer for answer in answers if answer[0] is outcome), None)
        if found is not None:
            return *found, by
    if answers:
        return NO, ", ".join(said for _, said in answers), by
    return (NO, "not usable in OpenCL", by) if _is_of_shaders(name) else (UNKNOWN, "not stated", by)


def looks_at(name: str) -> tuple[frozenset[str], frozenset[str]]:
    """The extensions and the properties of a device that the answer on a capability may depend on."""
    words = [condition.removeprefix("?") for condition in _rows().get(name, ())]
    if name == "Int64":
        words += ["cles_khr_int64", _PROFILE]
    return (
        frozenset(word for word in words if word.startswith(("cl_", "cles_"))),
        frozenset(word for word in words if word.startswith("CL_")),
    )


#: The same for the version of a module.
VERSION_LOOKS_AT = frozenset({"cl_khr_il_program"}), frozenset({_IL_VERSION})


def _condition(condition: str, offers: Capabilities) -> tuple[Outcome, str]:
    name = condition.removeprefix("?")
    if name[0].isdigit():
        return _by_version(name, offers)
    if name.startswith("CL_"):
        value = offers.property(name)
        if value is None:
            return UNKNOWN, f"{name} is not stated"
        outcome, said = (YES if value else NO), f"{name} is {value}"
    else:
        there = name in offers.extensions
        if not there and not offers.extensions and not offers.complete:
            return UNKNOWN, f"{name} is not stated"  # a list that has an entry is whole
        outcome, said = (YES, f"offered via {name}") if there else (NO, f"{name} is not offered")
    if outcome is YES and condition.startswith("?"):
        return UNKNOWN, f"{name} alone does not say it"
    return outcome, said


def _by_version(condition: str, offers: Capabilities) -> tuple[Outcome, str]:
    since = Version.parse(condition.removesuffix("-"))
    if offers.version is None:
        return UNKNOWN, "the version is not stated"
    if offers.version < since:
        return NO, f"OpenCL {since} brings it"
    if condition.endswith("-") and offers.version >= _OPTIONAL_AGAIN:
        return NO, f"optional since OpenCL {_OPTIONAL_AGAIN}"
    return YES, f"every OpenCL {offers.version} offers it"


def _is_version(word: str) -> bool:
    major, dot, minor = word.removeprefix("SPIR-V_").partition(".")
    return word.startswith("SPIR-V_") and dot == "." and major.isdecimal() and minor.isdecimal() and len(word) < 16


def _is_of_shaders(name: str) -> bool:
    from targetenv.registry.spirv import implied

    return "Shader" in implied(name)


@cache
def _rows() -> dict[str, tuple[str, ...]]:
    rows = (line.split() for line in _ROWS.splitlines() if line)
    return {name: tuple(conditions) for name, *conditions in rows}
