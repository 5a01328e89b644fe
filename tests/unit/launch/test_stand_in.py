"""What a recorded device would run is run on a device that is here, or not at all."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import targetenv as te
from targetenv.diagnostics.diagnostic import NoCompatibleArtifact, TargetEnvError
from targetenv.model.capabilities import Capabilities
from targetenv.model.device import Device
from targetenv.model.record import replace
from targetenv.model.requirement import NeedsFormat, NeedsIsa
from targetenv.wire.package import Variant, open_package, pack_package
from targetenv.wire.snapshot import write_snapshot


def record_device(path: Path, isa: str, *formats: str) -> str:
    offers = Capabilities("cpu", isa=isa, formats=frozenset(formats or ("elf-x86_64",)))
    path.write_bytes(write_snapshot([Device("cpu://0", f"a recorded {isa}", "cpu", offers)]))
    return str(path)


@pytest.fixture
def two_levels(package: Path, tmp_path: Path) -> Path:
    """The package's saxpy in two variants, for any x86-64 and for v2, of the same code."""
    with open_package(str(package)) as opened:
        (plain,) = (row for row in opened.package.variants if row.kernel == "saxpy")
        data = bytes(opened.payload(plain))
        above: Variant = replace(plain, name="v2", requires=(NeedsFormat("elf-x86_64"), NeedsIsa("x86-64-v2")))
        kernels = tuple(row for row in opened.package.kernels if row.name == "saxpy")
        made = replace(opened.package, kernels=kernels, variants=(plain, above))
    path = tmp_path / "two.tenv"
    path.write_bytes(pack_package(made, {plain.member: data}))
    return path


@pytest.mark.parametrize(("isa", "variant"), [("x86-64", "plain"), ("x86-64-v3", "v2")])
def test_the_choice_is_the_recorded_devices_and_the_numbers_are_computed_here(
    two_levels: Path, tmp_path: Path, isa: str, variant: str
) -> None:
    device = record_device(tmp_path / "old.device.json", isa)
    with te.load(two_levels, device=device, stand_in="cpu://0") as program:
        assert program["saxpy"].variant.name == variant
        assert program.choice("saxpy").variant == variant
        assert program.chosen_for is not None
        assert program.chosen_for.name == f"a recorded {isa}"
        x = np.arange(10, dtype=np.float32)
        assert np.array_equal(program["saxpy"](2.0, x, np.ones_like(x)), 2 * x + 1)


def test_a_stand_in_that_cannot_run_the_choice_runs_nothing_else(package: Path, tmp_path: Path) -> None:
    device = record_device(tmp_path / "new.device.json", "x86-64-v4")
    with pytest.raises(NoCompatibleArtifact):
        te.load(package, device=device, stand_in="null://0", kernels=["saxpy"])


def test_what_the_recorded_device_cannot_run_is_not_run(package: Path, tmp_path: Path) -> None:
    device = record_device(tmp_path / "gpu.device.json", "x86-64-v4", "spirv")
    with pytest.raises(NoCompatibleArtifact):
        te.load(package, device=device, stand_in="cpu://0", kernels=["saxpy"])


def test_only_a_file_has_a_stand_in_and_only_a_device_is_one(package: Path, tmp_path: Path) -> None:
    device = record_device(tmp_path / "here.device.json", "x86-64")
    for wanted, stand_in in (("cpu://0", "cpu://0"), (None, "cpu://0"), (device, device)):
        with pytest.raises(TargetEnvError) as caught:
            te.load(package, device=wanted, stand_in=stand_in)
        assert caught.value.code == "TE5209"


def test_a_program_on_its_own_device_stands_for_nobody(package: Path) -> None:
    with te.load(package, device="cpu://0") as program:
        assert program.chosen_for is None
