"""Kernels for Gaudi and libraries for Metal: for what they are, and which kernels they hold."""

from __future__ import annotations

import struct

import pytest

from targetenv.artifacts import identify, inspect
from targetenv.artifacts.metal import LANGUAGE
from targetenv.diagnostics.diagnostic import FormatError
from targetenv.model.artifact import Artifact, Kernel
from targetenv.model.requirement import NeedsFeature, NeedsFormat, NeedsIsa, NeedsUnknown, NeedsVersion
from targetenv.model.version import Version
from tests.unit.artifacts import aie_builder as made
from tests.unit.artifacts import iree_builder as iree


def only(data: bytes) -> Artifact:
    (artifact,) = inspect(data, name="x").artifacts
    return artifact


@pytest.mark.parametrize(
    ("march", "name"), [(1, "goya"), (2, "gaudi"), (3, "greco"), (4, "gaudi2"), (5, "gaudib"), (6, "doron1")]
)
def test_a_tpc_kernel_is_for_its_generation(march: int, name: str) -> None:
    data = made.tpc(march=march)
    assert identify(data) == "tpc"
    assert only(data).requires == (NeedsFormat("tpc"), NeedsIsa(name))
    assert only(data).kernels == (Kernel("add_f32"),)


@pytest.mark.parametrize(("version", "march"), [(9, 2), (12, 99)])
def test_a_generation_that_the_metadata_does_not_say_is_not_guessed(version: int, march: int) -> None:
    assert isinstance(only(made.tpc(version=version, march=march)).requires[1], NeedsUnknown)


def test_an_i386_object_without_the_section_is_no_tpc_kernel() -> None:
    assert identify(made.elf32(3, 0, {".text": bytes(16)})) == "elf"


def test_a_metal_library_gives_system_language_and_kernels() -> None:
    data = made.metallib(("add", 2, (3, 1)), ("shade", 1, (2, 4)))
    assert identify(data) == "metallib"
    needs = only(data).requires
    assert needs[:2] == (NeedsFormat("metallib"), NeedsVersion("metal", Version(3, 1)))
    assert needs[2:] == (NeedsFeature("macos"), NeedsVersion("macos", Version(14)))
    assert only(data).kernels == (Kernel("add"),)


def test_metal_source_gives_its_kernels_and_no_language() -> None:
    assert identify(made.SOURCE.encode()) == "msl"
    assert only(made.SOURCE.encode()).requires == (NeedsFormat("msl"), LANGUAGE)
    assert only(made.SOURCE.encode()).kernels == (Kernel("add"),)


def test_an_executable_of_iree_says_the_language_of_its_source() -> None:
    artifact = only(iree.metal(made.SOURCE))
    assert artifact.requires == (NeedsFormat("msl"), NeedsVersion("metal", Version(3)))
    assert artifact.kernels == (Kernel("add", (32, 1, 1), 1, 16),)


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (made.tpc()[:-4], "TE4807"),
        (made.elf32(3, 0, {".tpc_metadata": b"\0\0"}), "TE4808"),
        (made.elf32(3, 0, {".text": b".tpc_metadata\0"}), "TE4808"),
        (made.metallib(("add", 2, (3, 1)))[:-1], "TE4809"),
        (made.metallib(("add", 2, (3, 1)))[:40], "TE4809"),
        (made.metallib().replace(struct.pack("<QQ", 88, 0), struct.pack("<QQ", 88, 2**40)), "TE4809"),
    ],
)
def test_damage_has_its_code(data: bytes, code: str) -> None:
    with pytest.raises(FormatError) as caught:
        inspect(data, name="x")
    assert caught.value.code == code
