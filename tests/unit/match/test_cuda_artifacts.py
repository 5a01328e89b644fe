"""What PTX, cubins and fatbins require, held against CUDA devices as the probe describes them, and against bare targets."""

from __future__ import annotations

import pytest

from targetenv.artifacts import inspect
from targetenv.match import match
from targetenv.model.artifact import Artifact
from targetenv.model.capabilities import Capabilities, Property
from targetenv.model.device import Device
from targetenv.model.record import replace
from targetenv.model.verdict import Outcome
from targetenv.model.version import Version
from targetenv.resolve import resolve
from targetenv.syntax import parse
from tests.unit.artifacts import nvidia_builder as nv

YES, NO, UNKNOWN = Outcome.SATISFIED, Outcome.UNSATISFIED, Outcome.UNKNOWN
PREFIX = "CU_DEVICE_ATTRIBUTE_"


def device(isa: str, cuda: str | None = "12.4", **limits: int) -> Device:
    """A GPU with the attributes that the probe asks for; `limits` without their prefix."""
    attributes = {
        "CLUSTER_LAUNCH": int(isa >= "sm_90"),
        "MAX_BLOCK_DIM_X": 1024,
        "MAX_BLOCK_DIM_Y": 1024,
        "MAX_BLOCK_DIM_Z": 64,
        "MAX_REGISTERS_PER_BLOCK": 65536,
        "MAX_SHARED_MEMORY_PER_BLOCK": 49152,
        "MAX_THREADS_PER_BLOCK": 1024,
    } | limits
    offers = Capabilities(
        "cuda",
        version=None if cuda is None else Version.parse(cuda),
        isa=isa,
        formats=frozenset({"cubin", "ptx"}),
        properties=tuple(
            sorted((Property(PREFIX + name, value) for name, value in attributes.items()), key=lambda row: row.name)
        ),
        subgroup_sizes=frozenset({32}),
        complete=False,
    )
    return Device("cuda://0", isa, "cuda", offers)


def only(data: bytes) -> Artifact:
    (artifact,) = inspect(data, name="x").artifacts
    return artifact


def ptx(version: str, target: str, directives: str = "") -> Artifact:
    return only(f".version {version}\n.target {target}\n.address_size 64\n.entry k() {directives} {{ ret; }}".encode())


@pytest.mark.parametrize(
    ("artifact", "isa", "cuda", "outcome"),
    [
        (ptx("8.0", "sm_80"), "sm_90", "12.4", YES),
        (ptx("8.0", "sm_90a"), "sm_90", "12.4", YES),
        (ptx("8.0", "sm_90a"), "sm_100", "12.9", NO),
        (ptx("8.8", "sm_100f"), "sm_103", "13.0", YES),
        (ptx("8.8", "sm_100f"), "sm_120", "13.0", NO),
        (ptx("8.4", "sm_80"), "sm_90", "12.4", YES),
        (ptx("8.5", "sm_80"), "sm_90", "12.4", NO),
        (ptx("8.5", "sm_80"), "sm_90", None, UNKNOWN),
        (ptx("7.8", "sm_80"), "sm_90", None, YES),
        (only(nv.cubin(80)), "sm_86", "12.4", YES),
        (only(nv.cubin(86)), "sm_80", "12.4", NO),
        (only(nv.cubin(80)), "sm_90", "12.4", NO),
        (only(nv.cubin(90, a=True)), "sm_90", "12.4", YES),
        (only(nv.cubin(90, kind=1)), "sm_90", "12.4", UNKNOWN),
    ],
)
def test_architecture_and_driver_decide(artifact: Artifact, isa: str, cuda: str | None, outcome: Outcome) -> None:
    assert match(artifact, device(isa, cuda)).outcome is outcome


@pytest.mark.parametrize(
    ("artifact", "limits", "missing"),
    [
        (only(nv.cubin(90)), {"MAX_THREADS_PER_BLOCK": 64}, "MAX_THREADS_PER_BLOCK"),
        (only(nv.cubin(90)), {"MAX_SHARED_MEMORY_PER_BLOCK": 256}, "MAX_SHARED_MEMORY_PER_BLOCK"),
        (only(nv.cubin(90, registers=255, threads=(512, 1, 1))), {}, "MAX_REGISTERS_PER_BLOCK"),
        (only(nv.cubin(90, clusters=True)), {"CLUSTER_LAUNCH": 0}, "CLUSTER_LAUNCH"),
        (ptx("7.8", "sm_80", ".reqntid 1, 1, 128"), {}, "MAX_BLOCK_DIM_Z"),
    ],
)
def test_what_a_block_takes_is_held_against_the_devices_limits(
    artifact: Artifact, limits: dict[str, int], missing: str
) -> None:
    findings = [row.requires for row in match(artifact, device("sm_90", "12.4", **limits)).findings if row.outcome is NO]
    assert [row.split()[1] for row in findings] == [PREFIX + missing]


@pytest.mark.parametrize("target", ["cuda:a100", "sm_80", "compute_80"])
def test_a_bare_target_offers_what_its_architecture_has(target: str) -> None:
    offers = parse(target).env.offers
    bare = replace(device("sm_80"), offers=replace(offers, formats=offers.formats | {"cubin"}))
    assert match(only(nv.cubin(80)), bare).outcome is YES
    assert match(ptx("7.0", "sm_80", ".reqntid 256"), bare).outcome is YES
    assert match(only(nv.cubin(80, registers=255, threads=(512, 1, 1))), bare).outcome is UNKNOWN


def test_a_cubin_is_loaded_by_whatever_is_called_an_a100() -> None:
    assert "cubin" in parse("cuda:a100").env.offers.formats


@pytest.mark.parametrize(
    ("isa", "cuda", "chosen"),
    [
        ("sm_80", "12.4", "1.sm_80.cubin"),
        ("sm_90", "12.4", "2.sm_90a.cubin"),
        ("sm_100", "12.9", "1.sm_75.ptx"),
        ("sm_100", "12.8", None),
        ("sm_70", "12.9", None),
    ],
)
def test_of_a_fatbin_the_driver_would_take_what_is_resolved(isa: str, cuda: str, chosen: str | None) -> None:
    text = nv.SOURCE.replace("8.0", "8.8").replace("sm_90a", "sm_75").encode()
    data = nv.fatbin(
        nv.entry(text, 75, kind=nv.PTX, version=(8, 8)),
        nv.entry(nv.cubin(80), 80),
        nv.entry(nv.cubin(90, a=True), 90, flags=nv.A),
    )
    found = resolve({"k": inspect(data, name="x").artifacts}, [device(isa, cuda)])
    assert found.ranked[0].choice.variant == (chosen and f"x!{chosen}")
