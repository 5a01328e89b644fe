"""Packing what compilers hand out whole: fatbins, offload binaries, host objects with device code in them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from targetenv.model.requirement import NeedsIsa
from targetenv.wire.package import open_package
from tests.unit.artifacts import nvidia_builder as nv

FATBIN = nv.fatbin(
    nv.entry(nv.cubin(80), 80),
    nv.entry(nv.cubin(100), 100, flags=nv.F),
    nv.entry(nv.SOURCE.encode(), 90, kind=nv.PTX, flags=nv.A, version=(8, 0)),
)


@pytest.mark.parametrize(
    ("data", "names"),
    [
        (FATBIN, ["k-1.sm_80", "k-2.sm_100f", "k-1.sm_90a"]),
        (nv.host((".nv_fatbin", FATBIN)), ["k-.nv_fatbin_1-1.sm_80", "k-.nv_fatbin_1-2.sm_100f", "k-.nv_fatbin_1-1.sm_90a"]),
    ],
)
def test_every_image_becomes_a_variant_of_its_kernel(data: bytes, names: list[str], tmp_path: Path, te: Any) -> None:
    (tmp_path / "k.bin").write_bytes(data)
    assert te("pack", "-o", tmp_path / "k.tenv", tmp_path / "k.bin").status == 0
    with open_package(str(tmp_path / "k.tenv")) as opened:
        variants = opened.package.variants
        assert [row.name for row in variants] == names
        assert [row.format for row in variants] == ["cubin", "cubin", "ptx"]
        assert [row.target for row in variants] == [("sm_80",), ("sm_100f",), ("sm_90a",)]
        assert NeedsIsa("sm_100f") in variants[1].requires, "only the container says it"
        assert bytes(opened.payload(variants[2])) == nv.SOURCE.encode() + bytes(-len(nv.SOURCE) % 8)
    again = te("inspect", tmp_path / "k.tenv")
    assert (again.status, again.err) == (0, "")


def test_variants_that_would_share_a_name_are_told_apart_by_format(tmp_path: Path, te: Any) -> None:
    text = nv.SOURCE.replace("sm_90a", "sm_90").encode()
    data = nv.fatbin(nv.entry(text, 90, kind=nv.PTX, version=(8, 0)), nv.entry(nv.cubin(90), 90))
    (tmp_path / "k.fatbin").write_bytes(data)
    te("pack", "-o", tmp_path / "k.tenv", tmp_path / "k.fatbin")
    with open_package(str(tmp_path / "k.tenv")) as opened:
        assert [row.name for row in opened.package.variants] == ["k-1.sm_90", "k-1.sm_90-cubin"]


def test_an_image_under_another_architecture_is_called_out(tmp_path: Path, te: Any) -> None:
    (tmp_path / "k.fatbin").write_bytes(nv.fatbin(nv.entry(nv.cubin(90), 80)))
    said = te("pack", "-o", tmp_path / "k.tenv", tmp_path / "k.fatbin")
    assert said.status == 0
    assert "TE4604" in said.err


@pytest.mark.parametrize(
    ("target", "status", "isa"),
    [("sm_86", 0, "sm_80"), ("sm_100", 0, "sm_100f"), ("sm_90", 1, "compute_90a"), ("sm_75", 1, "sm_80")],
)
def test_of_a_container_the_image_that_fits_is_matched(target: str, status: int, isa: str, tmp_path: Path, te: Any) -> None:
    (tmp_path / "k.fatbin").write_bytes(FATBIN)
    said = te("match", tmp_path / "k.fatbin", target)
    assert said.status == status
    assert f"instruction set {isa} " in said.out
    assert said.out.count("format") == 1


def test_every_kernel_of_a_container_has_to_fit(tmp_path: Path, te: Any) -> None:
    two = nv.fatbin(nv.entry(nv.cubin(80), 80), nv.entry(nv.cubin(90, kernels=("other",)), 90))
    (tmp_path / "k.fatbin").write_bytes(two)
    assert te("match", tmp_path / "k.fatbin", "sm_80").status == 1
