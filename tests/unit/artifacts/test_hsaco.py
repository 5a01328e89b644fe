"""AMD's code objects: the target ID of every version, kernels with their interfaces, and what the device must have."""

from __future__ import annotations

from pathlib import Path

import pytest

from targetenv.artifacts import identify, inspect
from targetenv.diagnostics.diagnostic import FormatError
from targetenv.match import match
from targetenv.match.pair import match_env
from targetenv.model.artifact import Parameter
from targetenv.model.device import Device
from targetenv.model.record import replace
from targetenv.model.requirement import (
    NeedsFeature,
    NeedsFormat,
    NeedsIsa,
    NeedsLimit,
    NeedsSubgroupSize,
    NeedsUnknown,
    NeedsVersion,
)
from targetenv.model.verdict import Outcome
from targetenv.model.version import Version
from targetenv.registry import amdgpu
from targetenv.syntax import parse
from tests.unit.artifacts.hsaco_builder import YAML, code_object, isa_note, kernel, metadata, note

GFX906, GFX90A, GFX942, GFX9_GENERIC = 0x2F, 0x3F, 0x4C, 0x51


def target(data: bytes) -> str:
    return dict(inspect(data, name="k.hsaco").details)["target ID"]


@pytest.mark.parametrize(
    ("version", "flags", "expected"),
    [
        (3, GFX906, "gfx906:sramecc-:xnack-"),
        (3, GFX906 | 1 << 8, "gfx906:sramecc-:xnack+"),
        (3, GFX906 | 1 << 9, "gfx906:sramecc+:xnack-"),
        (3, 0x36, "gfx1030"),
        (4, 0x73F, "gfx90a:xnack+"),
        (4, 0xD2F, "gfx906:sramecc+"),
        (5, 0xE3F, "gfx90a:sramecc+:xnack-"),
        (5, GFX90A | 0x500, "gfx90a"),
        (5, GFX90A, "gfx90a"),
        (6, 0x1000151, "gfx9-generic"),
        (6, 0x100055F, "gfx9-4-generic"),
        (6, 0x1000151 | 0x300, "gfx9-generic:xnack+"),
        (6, 0xFE, "?"),
    ],
)
def test_the_header_says_processor_and_pinned_features(version: int, flags: int, expected: str) -> None:
    assert target(code_object(flags, version=version)) == expected


@pytest.mark.parametrize(
    ("isa", "expected"),
    [
        ((7, 0, 1), "gfx701"),
        ((8, 0, 1), "gfx801:xnack+"),
        ((8, 0, 4), "gfx803"),
        ((9, 0, 0), "gfx900:xnack-"),
        ((9, 0, 3), "gfx902:xnack+"),
        ((9, 0, 6), "gfx906:sramecc-:xnack-"),
        ((9, 0, 7), "gfx906:sramecc-:xnack+"),
        ((9, 0, 12), "gfx90c:xnack-"),
        ((9, 1, 0), "?"),
    ],
)
def test_version_2_says_it_in_a_note(isa: tuple[int, int, int], expected: str) -> None:
    assert target(code_object(0, isa_note(*isa), version=2)) == expected


def test_an_object_of_the_finalizer_says_xnack_in_its_header() -> None:
    made = note(b"AMD", 2, bytes(12))
    assert target(code_object(1, made, isa_note(9, 0, 0), version=2)) == "gfx900:xnack+"
    assert target(code_object(0, made, isa_note(9, 0, 1), version=2)) == "gfx900:xnack-"


def test_requirements_are_those_of_the_header_and_of_the_hungriest_kernel() -> None:
    data = code_object(0xE3F, metadata(kernel(), kernel("big", group_segment_fixed_size=40000)))
    (artifact,) = inspect(data, name="k.hsaco").artifacts
    assert identify(data) == artifact.format == "hsaco"
    assert artifact.target == "gfx90a:sramecc+:xnack-"
    assert [need for need in artifact.requires if not isinstance(need, NeedsLimit)] == [
        NeedsFormat("hsaco"),
        NeedsVersion("code-object", Version(5)),
        NeedsIsa("gfx90a"),
        NeedsFeature("sramecc+"),
        NeedsFeature("xnack-"),
        NeedsSubgroupSize(64),
    ]
    assert [need.value for need in artifact.requires if isinstance(need, NeedsLimit)] == [40000, 128]


def test_a_kernel_has_its_argument_block() -> None:
    (found,) = inspect(code_object(0x53F, metadata(kernel())), name="k.hsaco").artifacts[0].kernels
    assert (found.name, found.entry_point, found.workgroup_size) == ("saxpy", "saxpy.kd", (64, 2, 1))
    assert (found.bindings, found.constants, found.local_memory, found.subgroup_size) == (1, 4, 1024, 64)
    assert found.parameters == (
        Parameter(0, 4, "value", "a"),
        Parameter(8, 8, "buffer", "x"),
        Parameter(16, 4, "local"),
        Parameter(24, 4, "hidden", "hidden_block_count_x"),
    )


def test_people_are_shown_the_argument_block() -> None:
    details = dict(inspect(code_object(0x53F, metadata(kernel())), name="k.hsaco").details)
    said = "value a (4 bytes at 0), buffer x (8 bytes at 8), local (4 bytes at 16), 1 hidden"
    assert details["arguments of saxpy"] == said
    assert "1024 bytes of LDS" in details["kernel saxpy"]


def test_version_2_describes_kernels_in_yaml_and_offsets_follow_from_alignment() -> None:
    data = code_object(0, isa_note(9, 0, 0), note(b"AMD", 10, YAML.encode()), version=2)
    (found,) = inspect(data, name="k.hsaco").artifacts[0].kernels
    assert (found.name, found.entry_point, found.workgroup_size) == ("saxpy", "saxpy@kd", (64, 2, 1))
    assert [(one.offset, one.size, one.kind) for one in found.parameters or ()] == [
        (0, 4, "value"), (8, 8, "buffer"), (16, 8, "hidden"),
    ]  # fmt: skip
    assert (found.local_memory, found.subgroup_size) == (1024, 64)


@pytest.mark.parametrize(
    ("device", "outcome"),
    [
        ("gfx90a:sramecc+:xnack-", Outcome.SATISFIED),
        ("gfx90a:sramecc+:xnack+", Outcome.UNSATISFIED),
        ("gfx90a:sramecc-:xnack-", Outcome.UNSATISFIED),
        ("gfx90a", Outcome.UNKNOWN),
        ("gfx942:sramecc+:xnack-", Outcome.UNSATISFIED),
    ],
)
def test_a_target_id_answers_all_of_it(device: str, outcome: Outcome) -> None:
    (artifact,) = inspect(code_object(0xE3F, metadata(kernel())), name="k.hsaco").artifacts
    offers = parse(device).env.offers
    assert match(artifact, Device("rocm://0", device, "hip", offers)).outcome is outcome


@pytest.mark.parametrize(
    ("device", "fits"), [("gfx906:sramecc+:xnack-", True), ("gfx900:xnack+", True), ("gfx908", False), ("gfx90a", False)]
)
def test_a_generic_runs_on_its_family_and_nowhere_else(device: str, fits: bool) -> None:
    (artifact,) = inspect(code_object(0x1000151, version=6), name="k.hsaco").artifacts
    outcome = match(artifact, Device("rocm://0", device, "hip", parse(device).env.offers)).outcome
    assert outcome is (Outcome.SATISFIED if fits else Outcome.UNSATISFIED)


def test_more_local_memory_than_the_processor_has_is_a_no() -> None:
    (artifact,) = inspect(code_object(0x54C, metadata(kernel(group_segment_fixed_size=65537))), name="k").artifacts
    offers = parse("gfx942").env.offers
    verdict = match(artifact, Device("rocm://0", "gfx942", "hip", offers))
    assert [(row.code, row.rule) for row in verdict.findings if row.outcome is Outcome.UNSATISFIED] == [("TE3104", "amd.limit")]


def test_a_loader_that_says_so_is_too_old() -> None:
    from targetenv.model.capabilities import Property

    (artifact,) = inspect(code_object(0x1000151, version=6), name="k.hsaco").artifacts
    offers = replace(parse("gfx906").env.offers, properties=(Property("codeObjectVersion", 5),))
    verdict = match(artifact, Device("rocm://0", "gfx906", "hip", offers))
    assert [row.rule for row in verdict.findings if row.outcome is Outcome.UNSATISFIED] == ["amd.code-object"]


def test_an_object_that_is_not_linked_is_no_executable() -> None:
    inspection = inspect(code_object(GFX942, kind=1), name="k.o")
    assert inspection.format == "amdgpu-object"
    assert [row.code for row in inspection.diagnostics] == ["TE4206"]
    assert NeedsIsa("gfx942") in inspection.artifacts[0].requires


@pytest.mark.parametrize(
    "data",
    [
        code_object(GFX942 | 0x500, metadata(kernel(), target="gfx90a")),
        code_object(0x36 | 0x300),
        code_object(0x51, version=6),
    ],
    ids=["two targets", "a feature that is not there", "a generic without version"],
)
def test_contradictions_are_called_out(data: bytes) -> None:
    assert [row.code for row in inspect(data, name="k.hsaco").diagnostics] == ["TE4063"]


def test_what_is_newer_than_this_reader_is_unknown() -> None:
    (artifact,) = inspect(code_object(0xFE, abi=9), name="k.hsaco").artifacts
    assert sum(isinstance(need, NeedsUnknown) for need in artifact.requires) == 2


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (code_object(GFX942, os_abi=65), "TE4062"),
        (code_object(0, version=2), "TE4061"),
        (code_object(0, note(b"AMD", 3, b"\0\0"), version=2), "TE4061"),
        (code_object(GFX942, note(b"AMDGPU", 32, b"\xdf\xff\xff\xff\xff")), "TE4061"),
        (code_object(0, isa_note(9, 0, 0), note(b"AMD", 10, b"Kernels:\n  {a: [*b"), version=2), "TE4061"),
        (
            code_object(0, isa_note(9, 0, 0), note(b"AMD", 10, b"\n".join(b" " * at + b"a:" for at in range(99))), version=2),
            "TE4061",
        ),
    ],
)
def test_damaged_code_objects_are_refused(data: bytes, code: str) -> None:
    with pytest.raises(FormatError) as refused:
        inspect(data, name="k.hsaco")
    assert refused.value.code == code


PAIRS = [line.split("\t") for line in (Path(__file__).parents[2] / "corpora" / "amdgpu" / "pairs.txt").read_text().splitlines()]


def built_for(text: str) -> bytes:
    """An empty code object for a target ID: V6 for generics, else V5."""
    name, *pinned = text.split(":")
    row = amdgpu.processors()[name]
    flags = row.mach
    for feature, shift in (("xnack", 8), ("sramecc", 10)):
        if feature in row.features or any(one.startswith(feature) for one in pinned):
            flags |= {f"{feature}-": 2, f"{feature}+": 3}.get(
                next((one for one in pinned if one.startswith(feature)), ""), 1
            ) << shift
    return code_object(flags | (1 << 24 if row.is_generic else 0), version=6 if row.is_generic else 5)


def test_a_code_object_runs_where_its_target_id_does() -> None:
    """The bytes and the text of one target are judged alike by every recorded agent."""
    judged = 0
    for code, agent, _ in PAIRS:
        row = amdgpu.processor(code.partition(":")[0])
        if row is None:
            continue
        judged += 1
        device = Device("rocm://0", agent, "hip", parse(agent).env.offers)
        (artifact,) = inspect(built_for(code), name=code).artifacts
        assert artifact.target == str(parse(code).canonical)
        wanted, _ = match_env(parse(code).env, device)
        assert match(artifact, device).outcome is wanted, (code, agent)
    assert judged > 1000


def test_no_two_processors_have_one_number() -> None:
    rows = amdgpu.processors().values()
    assert len({row.mach for row in rows}) == len(rows)
    assert all(amdgpu.by_mach(row.mach) == row for row in rows)
