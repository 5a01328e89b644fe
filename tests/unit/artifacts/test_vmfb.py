"""Modules of IREE: every executable with its variant, target, entry points and requirements, whatever release wrote it."""

from __future__ import annotations

import struct
import zipfile
from typing import TYPE_CHECKING

import pytest

from targetenv.artifacts import Inspection, identify, inspect
from targetenv.artifacts.containers import Budget
from targetenv.artifacts.iree_target import targets_in
from targetenv.diagnostics.diagnostic import FormatError
from targetenv.match.unknowns import SUBGROUP_SIZE
from targetenv.model.artifact import Artifact, Kernel
from targetenv.model.requirement import (
    AnyOf,
    NeedsFeature,
    NeedsFormat,
    NeedsIsa,
    NeedsSubgroupSize,
    NeedsUnknown,
)
from tests.unit.artifacts import iree_builder as iree
from tests.unit.artifacts.assembler import assemble
from tests.unit.artifacts.flatbuffer_builder import build

if TYPE_CHECKING:
    from targetenv.model.requirement import Requirement

PTX = b"//\n.version 7.6\n.target sm_80\n"


def code_of(data: bytes) -> str:
    with pytest.raises(FormatError) as caught:
        inspect(data, name="x")
    return caught.value.code


def only(inspection: Inspection) -> Artifact:
    (artifact,) = inspection.artifacts
    return artifact


@pytest.mark.parametrize("header", [False, True])
def test_a_vulkan_executable_adds_subgroup_size_and_layout_to_what_its_module_requires(header: bool) -> None:
    executable = iree.with_header(iree.vulkan()) if header else iree.vulkan()
    assert identify(executable) == "iree-executable"
    found = inspect(executable, name="x")
    plain = only(inspect(iree.SPIRV, name="plain"))
    assert only(found).requires == (*plain.requires, NeedsSubgroupSize(32))
    (kernel,) = only(found).kernels
    assert (kernel.name, kernel.bindings, kernel.constants, kernel.subgroup_size) == ("main", 2, 12, 32)
    assert kernel.workgroup_size == plain.kernels[0].workgroup_size
    assert only(found).digest == plain.digest, "what is inside is the module itself"


@pytest.mark.parametrize(
    ("executable", "expected"),
    [
        (iree.vulkan_2024(), Kernel("main", subgroup_size=64)),
        (iree.vulkan_2022(), Kernel("main")),
    ],
)
def test_older_vulkan_executables_are_read(executable: bytes, expected: Kernel) -> None:
    artifact = only(inspect(executable, name="x"))
    assert artifact.format == "spirv"
    assert [(row.name, row.subgroup_size) for row in artifact.kernels] == [(expected.name, expected.subgroup_size)]


@pytest.mark.parametrize(
    ("executable", "executable_format", "expected"),
    [
        (iree.gpu(b"CDA1", b"\0image"), "ptx", Kernel("add", (64, 2, 1), 3, 8, 1024)),
        (iree.gpu(b"HIP1", b"\0image"), "hsaco", Kernel("add", (64, 2, 1), 3, 8, 1024)),
        (iree.gpu_2023(b"CUDA", b"\0image"), "ptx", Kernel("add", (64, 1, 1), local_memory=256)),
        (iree.gpu_2023(b"ROCM", b"\0image"), "hsaco", Kernel("add", (64, 1, 1), local_memory=256)),
        (iree.amdgpu(b"\0image"), "hsaco", Kernel("add.kd", (64, 1, 1), 3, 4)),
        (iree.metal("\0source"), "msl", Kernel("add", (32, 1, 1), 1, 16)),
        (iree.webgpu("\0source"), "wgsl", Kernel("d0", (8, 8, 1), 0, 0)),
    ],
)
def test_every_schema_gives_its_exports_also_where_no_reader_knows_the_code(
    executable: bytes, executable_format: str, expected: Kernel
) -> None:
    found = inspect(executable, name="x")
    artifact = only(found)
    assert (artifact.format, artifact.kernels) == (executable_format, (expected,))
    assert artifact.requires[0] == NeedsFormat(executable_format)
    assert isinstance(artifact.requires[1], NeedsUnknown), "nothing may choose what nobody has read"
    assert [warning.code for warning in found.diagnostics] == ["TE4004"]


@pytest.mark.parametrize("old", [False, True])
@pytest.mark.parametrize("archive", [False, True])
def test_a_module_gives_its_executables_with_their_target(old: bool, archive: bool) -> None:
    data = iree.module(iree.vulkan(), old=old)
    if archive:
        data = iree.zipped(data, "add_dispatch_0_vulkan_spirv_fb.fb")
    assert identify(data) == "vmfb"
    found = inspect(data, name="x.vmfb")
    assert only(found).target == iree.TARGET
    ((path, _, payload),) = found.leaves()
    assert path == ("add_dispatch_0_vulkan_spirv_fb.fb" if archive else "data 2", "module 0")
    assert payload is not None
    assert bytes(payload) == iree.SPIRV
    facts = dict(found.details)
    assert (facts["module"], facts["depends on"], facts["asks for"]) == ("module", "hal 7", "vulkan-spirv-fb")
    assert facts["bytecode"] == "version 17.0"
    assert facts["container"] == ("ZIP archive" if archive else "flat file")


def test_variants_of_one_executable_take_the_targets_in_their_order() -> None:
    texts = [iree.TARGET.replace("rdna3", name) for name in ("rdna3", "llvmpipe")]
    message = iree.MESSAGE.replace(iree.TARGET, ", ".join(texts))
    flat = iree.module(iree.vulkan(), iree.vulkan(subgroup_size=0), message=message)
    data = iree.zipped(flat, "mm_vulkan_spirv_fb.fb", "mm_vulkan_spirv_fb_0.fb")
    assert [row.target for row in inspect(data, name="x").artifacts] == texts
    assert [row.target for row in inspect(flat, name="x").artifacts] == [None, None], "without names it is not known"


SUBGROUP_SUM = assemble("""
    OpCapability Shader
    OpCapability GroupNonUniformArithmetic
    OpMemoryModel Logical GLSL450
    OpEntryPoint GLCompute %3 "main"
    OpExecutionMode %3 LocalSize 1 1 1
    OpTypeVoid %1
    OpTypeFunction %2 %1
    OpFunction %1 %3 None %2
    OpLabel %4
    OpReturn
    OpFunctionEnd
""")


@pytest.mark.parametrize(
    ("choices", "size", "expected"),
    [
        ("", None, (SUBGROUP_SIZE.requirement,)),
        ("subgroup_size_choices = [16]", 16, (NeedsSubgroupSize(16),)),
        (
            "subgroup_size_choices = [32, 64]",
            None,
            (AnyOf((NeedsSubgroupSize(32), NeedsSubgroupSize(64))), SUBGROUP_SIZE.requirement),
        ),
    ],
)
def test_code_that_counts_on_a_subgroup_size_needs_what_its_target_had(
    choices: str, size: int | None, expected: tuple[Requirement, ...]
) -> None:
    target = iree.TARGET.replace('arch = "rdna3"', choices or 'arch = "rdna3"')
    message = iree.MESSAGE.replace(iree.TARGET, target)
    data = iree.zipped(iree.module(iree.vulkan(SUBGROUP_SUM, subgroup_size=0), message=message), "a_vulkan_spirv_fb.fb")
    found = only(inspect(data, name="x"))
    assert found.requires[-len(expected) :] == expected
    assert found.kernels[0].subgroup_size == size


def test_a_stated_subgroup_size_leaves_nothing_open() -> None:
    found = only(inspect(iree.vulkan(SUBGROUP_SUM), name="x"))
    assert NeedsSubgroupSize(32) in found.requires
    assert SUBGROUP_SIZE.requirement not in found.requires


def test_buffers_in_a_table_of_addresses_are_a_format_of_their_own() -> None:
    data = iree.zipped(iree.module(iree.vulkan(dispatch_abi=1)), "add_vulkan_spirv_bda_v1.fb")
    found = inspect(data, name="x")
    assert [need for need in only(found).requires if isinstance(need, NeedsFormat)] == [NeedsFormat("vulkan-spirv-bda-v1")]
    assert found.diagnostics == (), "the name is what the bytes are"


def test_a_member_with_a_false_name_is_called_out() -> None:
    data = iree.zipped(iree.module(iree.vulkan()), "add_dispatch_0_cuda_nvptx_fb.fb")
    assert [row.code for row in inspect(data, name="x").diagnostics] == ["TE4705"]


def test_a_pipeline_that_says_other_than_its_code_is_called_out() -> None:
    assert [row.code for row in inspect(iree.vulkan(entry_point="other"), name="x").diagnostics] == ["TE4704"]


def test_code_for_a_cpu_requires_what_its_compiler_was_told() -> None:
    shared = (iree.CORPUS / "kernel_silent.so").read_bytes()
    target = (
        '#hal.executable.target<"llvm-cpu", "embedded-elf-x86_64", {cpu = "x86-64-v2", '
        'cpu_features = "+avx2,+sse4.2,-avx", target_triple = "x86_64-unknown-unknown-eabi-elf"}>'
    )
    artifact = only(inspect(iree.module(shared, message=iree.MESSAGE.replace(iree.TARGET, target)), name="x"))
    assert artifact.format == "embedded-elf-x86_64", "its functions are called in another way than ours"
    assert artifact.requires == (NeedsFormat("embedded-elf-x86_64"), NeedsIsa("x86-64-v2"), NeedsFeature("avx2"))
    silent = only(inspect(iree.module(shared, message=""), name="x"))
    assert any(isinstance(row, NeedsUnknown) for row in silent.requires)


def test_code_for_the_virtual_machine_is_an_executable() -> None:
    artifact = only(inspect(iree.module(iree.module(message=""), message=""), name="x"))
    assert (artifact.format, artifact.kernels) == ("vmvx-bytecode-fb", (Kernel("add"),))


def test_data_that_is_no_executable_is_named() -> None:
    found = inspect(iree.module(b"\1\2\3\4" * 100), name="x")
    assert found.artifacts == ()
    assert ("data", "data 2, 400 bytes") in found.details


def test_a_target_ends_with_its_brackets_not_in_its_strings() -> None:
    (target,) = targets_in(iree.MESSAGE.encode() + b">>> more")
    assert target.text == iree.TARGET
    assert (target.backend, target.format, target.fact("arch")) == ("vulkan-spirv", "vulkan-spirv-fb", "rdna3")


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (iree.module(iree.vulkan())[:-1], "TE4701"),
        (iree.zipped(iree.module(iree.vulkan()), "a.fb")[:-1], "TE4701"),
        (iree.zipped(iree.module(iree.vulkan()), "a.fb", method=zipfile.ZIP_DEFLATED), "TE4701"),
        (iree.module(iree.vulkan())[:40], "TE4701"),
        (iree.module(iree.vulkan(module=1)), "TE4703"),
        (iree.vulkan()[:100], "TE4703"),
        (struct.pack("<I", 0x7FFFFFFF) + iree.vulkan()[4:], "TE4703"),
        (struct.pack("<II", 16, 0xFFFFFFF0) + b"IREE" + bytes(64), "TE4702"),
    ],
)
def test_damage_has_its_code(data: bytes, code: str) -> None:
    assert code_of(data) == code


def test_a_vector_that_claims_to_be_endless_is_refused() -> None:
    data = bytearray(iree.vulkan())
    at = data.index(b"main") - 4
    struct.pack_into("<I", data, at, 0xFFFFFFFF)
    assert code_of(bytes(data)) == "TE4703"


def test_tables_that_all_point_at_one_place_are_read_no_more_than_sixteen_times_over() -> None:
    """A hundred thousand offsets to one table with a long name: quadratic for a reader that trusts them."""
    data = bytearray(build({0: [{1: "x" * 4000}], 1: [{0: b"\0"}]}, b"CDA1"))
    (root,) = struct.unpack_from("<I", data)
    (back,) = struct.unpack_from("<i", data, root)
    slot = root + struct.unpack_from("<H", data, root - back + 4)[0]
    vector = len(data)
    count = 100_000
    # Offsets only point forward, so everything is there once more behind the vector that points at it.
    old = slot + struct.unpack_from("<I", data, slot)[0]
    table = vector + 4 + 4 * count + old + 4 + struct.unpack_from("<I", data, old + 4)[0]
    offsets = b"".join(struct.pack("<I", table - (vector + 4 + 4 * at)) for at in range(count))
    grown = data + struct.pack("<I", count) + offsets + data
    struct.pack_into("<I", grown, slot, vector - slot)
    assert code_of(bytes(grown)) == "TE4703"


def test_segments_that_all_lie_in_one_place_are_refused() -> None:
    assert code_of(iree.module(iree.vulkan(), times=100)) == "TE4701"
    assert len(inspect(iree.module(iree.vulkan(), times=2), name="x").artifacts) == 2, "equal data may be shared"


def test_containers_inside_one_another_end_with_the_budget() -> None:
    data = iree.module(iree.vulkan())
    with pytest.raises(FormatError) as caught:
        inspect(data, name="x", budget=Budget(depth=1))
    assert caught.value.code == "TE4003"
    with pytest.raises(FormatError) as caught:
        inspect(data, name="x", budget=Budget(entries=1))
    assert caught.value.code == "TE4003"
    assert inspect(data, name="x", budget=Budget(depth=2, entries=2)).artifacts
