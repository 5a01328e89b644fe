"""SPIR-V for OpenCL: what a module's kernels take, what that asks of a device, and which devices have it."""

from __future__ import annotations

from pathlib import Path

import pytest

from targetenv.artifacts import inspect
from targetenv.diagnostics.diagnostic import FormatError
from targetenv.match import Judge
from targetenv.model.capabilities import Capabilities, Property
from targetenv.model.record import replace
from targetenv.model.requirement import (
    NeedsCapability,
    NeedsExtension,
    NeedsLimit,
    NeedsUnknown,
    NeedsVersion,
    Relation,
)
from targetenv.model.verdict import Outcome
from targetenv.model.version import Version
from tests.unit.artifacts.assembler import COMPUTE, assemble

TYPE_CHECKING = False
if TYPE_CHECKING:
    from targetenv.artifacts import Inspection
    from targetenv.model.requirement import LimitValue, Requirement

DATA = (Path(__file__).parents[2] / "corpora" / "artifacts" / "kernels_opencl.spv").read_bytes()
HEAD = """
OpCapability Kernel
OpCapability Addresses
OpCapability Linkage
OpMemoryModel Physical64 OpenCL
OpEntryPoint Kernel %1 "k"
OpTypeInt %2 32 0
OpTypeVoid %3
OpConstant %2 %9 5
"""
GPU = Capabilities(
    "opencl",
    Version(2, 2),
    formats=frozenset({"spirv"}),
    extensions=frozenset({"cl_khr_fp64"}),
    properties=tuple(
        Property(name, value)
        for name, value in (
            ("CL_DEVICE_ADDRESS_BITS", 64),
            ("CL_DEVICE_IL_VERSION", "SPIR-V_1.0 SPIR-V_1.2"),
            ("CL_DEVICE_IMAGE_SUPPORT", 1),
            ("CL_DEVICE_LOCAL_MEM_SIZE", 32768),
            ("CL_DEVICE_MAX_CONSTANT_ARGS", 8),
            ("CL_DEVICE_MAX_CONSTANT_BUFFER_SIZE", 65536),
            ("CL_DEVICE_MAX_PARAMETER_SIZE", 1024),
            ("CL_DEVICE_MAX_SAMPLERS", 16),
            ("CL_DEVICE_MAX_WORK_GROUP_SIZE", 256),
            ("CL_DEVICE_MAX_WORK_ITEM_SIZES", (256, 256, 256)),
        )
    ),
    complete=False,
)


def inspected(text: str, **options: object) -> Inspection:
    return inspect(assemble(text, **options), name="k.spv")  # type: ignore[arg-type]


def limits(needs: tuple[Requirement, ...]) -> dict[str, LimitValue]:
    return {need.name: need.value for need in needs if isinstance(need, NeedsLimit)}


def outcome(offers: Capabilities) -> Outcome:
    judge = Judge(offers)
    outcomes = {judge.check(need).outcome for need in inspect(DATA, name="k").artifacts[0].requires}
    return max(outcomes, key=(Outcome.SATISFIED, Outcome.UNKNOWN, Outcome.UNSATISFIED).index)


def without(name: str) -> Capabilities:
    return replace(GPU, properties=tuple(row for row in GPU.properties if row.name != name))


def with_property(name: str, value: int | str) -> Capabilities:
    rows = {row.name: row for row in GPU.properties} | {name: Property(name, value)}
    return replace(GPU, properties=tuple(rows[key] for key in sorted(rows)))


def test_a_real_module_shows_the_arguments_of_its_kernels() -> None:
    found = inspect(DATA, name="kernels.spv")
    scale, doubled = found.artifacts[0].kernels
    assert (scale.name, scale.workgroup_size, scale.bindings, scale.local_memory) == ("scale", (64, 1, 1), 2, 256)
    assert (doubled.name, doubled.workgroup_size, doubled.bindings, doubled.constants) == ("doubled", None, 1, 0)
    # float, uint, a float3 that is aligned to 16, and a structure of 32 that is too
    assert scale.constants == 4 + 4 + 8 + 16 + 32
    assert [value for key, value in found.details if key == "scale: argument"] == [
        "0 x: global pointer to f32",
        "1 w: constant pointer to f32",
        "2 scratch: local pointer to f32",
        "3 a: f32",
        "4 n: i32",
        "5 v: f32x3",
        "6 p: 32 bytes",
    ]
    assert [value for key, value in found.details if key == "doubled: argument"][1:] == ["1 s: sampler", "2 im: image"]
    assert found.diagnostics == ()


def test_a_real_module_requires_what_opencl_calls_it() -> None:
    needs = inspect(DATA, name="k").artifacts[0].requires
    assert limits(needs) == {
        "CL_DEVICE_ADDRESS_BITS": 64,
        "CL_DEVICE_MAX_WORK_ITEM_SIZES": (64, 1, 1),
        "CL_DEVICE_MAX_WORK_GROUP_SIZE": 64,
        "CL_DEVICE_LOCAL_MEM_SIZE": 256,
        "CL_DEVICE_MAX_PARAMETER_SIZE": 80,
        "CL_DEVICE_MAX_CONSTANT_ARGS": 1,
        "CL_DEVICE_MAX_SAMPLERS": 1,
        "CL_DEVICE_MAX_CONSTANT_BUFFER_SIZE": 12,
    }
    assert NeedsCapability("Float64") in needs


def test_it_fits_an_opencl_device_that_takes_spirv() -> None:
    assert outcome(GPU) is Outcome.SATISFIED


@pytest.mark.parametrize(
    ("offers", "expected"),
    [
        (Capabilities("vulkan", Version(1, 3), formats=frozenset({"spirv"})), Outcome.UNSATISFIED),
        (replace(GPU, formats=frozenset({"opencl-c"})), Outcome.UNSATISFIED),
        (replace(GPU, extensions=frozenset({"cl_khr_fp16"})), Outcome.UNKNOWN),
        (replace(with_property("CL_DEVICE_DOUBLE_FP_CONFIG", 0), extensions=frozenset({"x"})), Outcome.UNSATISFIED),
        (replace(with_property("CL_DEVICE_DOUBLE_FP_CONFIG", 63), extensions=frozenset({"x"})), Outcome.SATISFIED),
        (with_property("CL_DEVICE_ADDRESS_BITS", 32), Outcome.UNSATISFIED),
        (with_property("CL_DEVICE_LOCAL_MEM_SIZE", 128), Outcome.UNSATISFIED),
        (with_property("CL_DEVICE_IMAGE_SUPPORT", 0), Outcome.UNSATISFIED),
        (with_property("CL_DEVICE_IL_VERSION", "SPIR-V_0.9"), Outcome.UNSATISFIED),
        (with_property("CL_DEVICE_IL_VERSION", "SPIR-V_x other_1.2"), Outcome.SATISFIED),
        (without("CL_DEVICE_IL_VERSION"), Outcome.SATISFIED),
        (replace(without("CL_DEVICE_IL_VERSION"), version=Version(3, 0)), Outcome.UNKNOWN),
        (without("CL_DEVICE_LOCAL_MEM_SIZE"), Outcome.UNKNOWN),
        (with_property("CL_DEVICE_PROFILE", "EMBEDDED_PROFILE"), Outcome.UNSATISFIED),
        (with_property("CL_DEVICE_PROFILE", "FULL_PROFILE"), Outcome.SATISFIED),
    ],
)
def test_what_a_device_lacks_decides(offers: Capabilities, expected: Outcome) -> None:
    assert outcome(offers) is expected


@pytest.mark.parametrize(
    ("need", "version", "extension", "expected"),
    [
        (NeedsVersion("spirv", Version(1, 0)), "3.0", "cl_khr_il_program", Outcome.SATISFIED),
        (NeedsVersion("spirv", Version(1, 1)), "3.0", "cl_khr_il_program", Outcome.UNKNOWN),
        (NeedsCapability("GenericPointer"), "2.0", "", Outcome.SATISFIED),
        (NeedsCapability("GenericPointer"), "1.2", "", Outcome.UNKNOWN),
        (NeedsCapability("SubgroupDispatch"), "2.2", "", Outcome.SATISFIED),
        (NeedsCapability("Groups"), "3.0", "cl_khr_subgroups", Outcome.SATISFIED),
        (NeedsCapability("GroupNonUniformBallot"), "3.0", "cl_khr_subgroup_ballot", Outcome.SATISFIED),
        (NeedsCapability("GroupNonUniformBallot"), "3.0", "cl_khr_subgroups", Outcome.UNSATISFIED),
        (NeedsCapability("AtomicFloat32AddEXT"), "3.0", "cl_ext_float_atomics", Outcome.UNKNOWN),
        (NeedsCapability("AtomicFloat32AddEXT"), "3.0", "cl_khr_fp64", Outcome.UNSATISFIED),
        (NeedsCapability("Shader"), "3.0", "cl_khr_fp64", Outcome.UNSATISFIED),
        (NeedsExtension("SPV_KHR_expect_assume"), "3.0", "cl_khr_expect_assume", Outcome.SATISFIED),
        (NeedsExtension("SPV_KHR_expect_assume"), "3.0", "cl_khr_fp64", Outcome.UNSATISFIED),
        (NeedsExtension("SPV_INTEL_unheard_of"), "3.0", "cl_khr_fp64", Outcome.UNKNOWN),
    ],
)
def test_a_version_or_an_extension_of_opencl_brings_spirv(
    need: Requirement, version: str, extension: str, expected: Outcome
) -> None:
    extensions = frozenset(filter(None, (extension,)))
    offers = Capabilities("opencl", Version.parse(version), formats=frozenset({"spirv"}), extensions=extensions, complete=False)
    assert Judge(offers).check(need).outcome is expected


def test_capabilities_without_a_version_are_not_known() -> None:
    offers = Capabilities("opencl", formats=frozenset({"spirv"}), complete=False)
    assert Judge(offers).check(NeedsCapability("Kernel")).outcome is Outcome.UNKNOWN


@pytest.mark.parametrize(
    ("types", "parameter", "size"),
    [
        ("OpTypeInt %10 8 0", "%10", 1),
        ("OpTypeInt %10 8 0\nOpTypeVector %11 %10 3", "%11", 4),
        ("OpTypeInt %10 8 0\nOpTypeStruct %11 %10 %2", "%11", 8),
        ("OpTypeInt %10 8 0\nOpTypeStruct %11 %10 %2\nOpDecorate %11 CPacked", "%11", 5),
        ("OpTypeArray %10 %2 %9", "%10", 20),
        ("OpTypeBool %10", "%10", 1),
        ("OpTypeInt %10 8 0\nOpTypePointer %11 Function %10\nOpTypeStruct %12 %11", "%12", 8),
    ],
)
def test_values_are_laid_out_as_opencl_c_does_it(types: str, parameter: str, size: int) -> None:
    text = f"{HEAD}{types}\nOpFunction %3 %1 None %4\nOpFunctionParameter {parameter} %20"
    assert limits(inspected(text).artifacts[0].requires)["CL_DEVICE_MAX_PARAMETER_SIZE"] == size


def test_a_structure_behind_a_pointer_may_be_a_value() -> None:
    pointer = "OpTypeStruct %10 %2 %2\nOpTypePointer %11 Function %10\n"
    body = "OpFunction %3 %1 None %4\nOpFunctionParameter %11 %20"
    attributes = "OpDecorate %20 FuncParamAttr 2\nOpDecorate %20 FuncParamAttr 5\n"
    assert limits(inspected(HEAD + attributes + pointer + body).artifacts[0].requires)["CL_DEVICE_MAX_PARAMETER_SIZE"] == 8


def test_local_variables_are_aligned() -> None:
    text = "OpTypeInt %10 8 0\nOpTypePointer %11 Workgroup %10\nOpTypePointer %12 Workgroup %2\n"
    found = inspected(HEAD + text + "OpVariable %11 %30 Workgroup\nOpVariable %12 %31 Workgroup")
    assert found.artifacts[0].kernels[0].local_memory == 8


def test_pointers_have_the_size_of_the_addressing_model() -> None:
    body = "OpTypePointer %10 CrossWorkgroup %2\nOpFunction %3 %1 None %4\nOpFunctionParameter %10 %20"
    needs = inspected(HEAD.replace("Physical64", "Physical32") + body).artifacts[0].requires
    assert limits(needs)["CL_DEVICE_MAX_PARAMETER_SIZE"] == 4
    assert NeedsLimit("CL_DEVICE_ADDRESS_BITS", Relation.EXACTLY, 32) in needs


def test_functions_that_are_no_kernels_have_no_arguments_of_a_kernel() -> None:
    text = HEAD + "OpFunction %3 %5 None %4\nOpFunctionParameter %2 %20\nOpFunction %3 %1 None %4"
    assert not [key for key, _ in inspected(text).details if key == "k: argument"]


@pytest.mark.parametrize(
    ("name", "known"),
    [
        ("OpenCL.std", True),
        ("GLSL.std.450", True),
        ("NonSemantic.DebugPrintf", True),
        ("SPV_AMD_gcn_shader", False),
        ("Private.set", False),
    ],
)
def test_an_instruction_set_that_nobody_is_known_to_have_is_not_known(name: str, known: bool) -> None:
    unknown = [need for need in inspected(f'{COMPUTE}OpExtInstImport %8 "{name}"').artifacts[0].requires if name in repr(need)]
    assert [type(need) for need in unknown] == ([] if known else [NeedsUnknown])


def test_an_extension_brings_the_instruction_set_of_its_name() -> None:
    text = 'OpExtension "SPV_AMD_gcn_shader"\nOpExtInstImport %8 "SPV_AMD_gcn_shader"'
    assert not [need for need in inspected(COMPUTE + text).artifacts[0].requires if "instruction set" in repr(need)]


def test_an_array_that_is_too_large_is_refused() -> None:
    wide = "OpTypeInt %10 64 0\nOpConstant %10 %11 0xffffffff 0x7fffffff\nOpTypeArray %12 %2 %11\n"
    with pytest.raises(FormatError) as refused:
        inspected(HEAD + wide)
    assert refused.value.code == "TE4104"


def test_a_name_that_is_no_text_is_refused() -> None:
    body = "OpFunction %3 %1 None %4\nOpFunctionParameter %2 %20"
    data = assemble(HEAD + body) + (0x00030005).to_bytes(4, "little") + (20).to_bytes(4, "little") + b"\xff\xff\xff\x00"
    with pytest.raises(FormatError) as refused:
        inspect(data, name="k")
    assert refused.value.code == "TE4102"
