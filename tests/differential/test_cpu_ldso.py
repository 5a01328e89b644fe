"""The x86-64 level that the cpu probe finds is the one that glibc's loader finds (glibc-hwcaps)."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

import pytest
from targetenv_runtime.drivers.cpu.probe import probe

from targetenv.registry import x86

pytestmark = pytest.mark.differential

LOADER = Path("/lib64/ld-linux-x86-64.so.2")


def test_the_level_is_the_loaders() -> None:
    if os.uname().machine != "x86_64" or not LOADER.exists():
        pytest.skip("glibc's loader for x86-64 is not here")
    text = subprocess.run([str(LOADER), "--help"], capture_output=True, text=True, check=False).stdout
    rows = re.findall(r"^  (x86-64-v\d)( \(supported, searched\))?$", text, re.MULTILINE)
    if not rows:
        pytest.skip("this glibc knows no glibc-hwcaps (before 2.33)")

    ours = probe()[0][0].offers.isa

    assert ours == max([name for name, taken in rows if taken], default=x86.LEVELS[0])
    for name, taken in rows:
        assert bool(taken) == (x86.LEVELS.index(name) <= x86.LEVELS.index(str(ours)))
