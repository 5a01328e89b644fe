"""Ten thousand damaged device files in every gate; a million by hand (docs/reference/robustness.md)."""

from __future__ import annotations

import pytest

from tests.fuzz import fuzz_device_files


@pytest.mark.parametrize("seed", range(4))
def test_a_damaged_device_file_is_read_or_refused(seed: int) -> None:
    outcomes = fuzz_device_files.run(2500, seed)
    assert outcomes["ok"] > 500, "damage that always breaks a file tries nothing but the parser"
