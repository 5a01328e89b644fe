"""Every AMD processor that the installed clang knows: its number and its features are what our table says."""

from __future__ import annotations

import shutil
import struct
import subprocess
from pathlib import Path

import pytest

from targetenv.registry import amdgpu

CLANG = next((path for name in ("clang", "clang-21", "clang-20", "clang-19") if (path := shutil.which(name))), None)
TRIPLE = "amdgcn-amd-amdhsa"


def compiled(target: str, to: Path) -> bytes | None:
    """An empty object for the target ID; None when clang refuses it."""
    command = [
        str(CLANG),
        f"--target={TRIPLE}",
        f"-mcpu={target}",
        "-nogpulib",
        "-mcode-object-version=6",
        "-c",
        "-x",
        "c",
        "/dev/null",
    ]
    done = subprocess.run([*command, "-o", str(to)], capture_output=True, check=False)
    return to.read_bytes() if done.returncode == 0 else None


@pytest.mark.differential
@pytest.mark.skipif(CLANG is None, reason="no clang is installed")
def test_numbers_and_features_equal_clangs(tmp_path: Path) -> None:
    known = 0
    for name, row in amdgpu.processors().items():
        image = compiled(name, tmp_path / "object.o")
        if image is None:
            continue  # newer than this clang, or withdrawn by it
        known += 1
        (flags,) = struct.unpack_from("<I", image, 48)
        assert flags & 0xFF == row.mach, name
        for feature in amdgpu.FEATURES:
            accepted = compiled(f"{name}:{feature}+", tmp_path / "object.o") is not None
            assert accepted == (feature in row.features), f"{name}:{feature}"
    assert known >= 40, f"{CLANG} knows only {known} processors"
