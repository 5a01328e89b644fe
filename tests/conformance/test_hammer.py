"""Four threads at one device for two seconds; `python -m tests.conformance.hammer` takes longer."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.conformance.hammer import hammer

if TYPE_CHECKING:
    from collections.abc import Callable

    from targetenv_runtime.device import Device
    from targetenv_runtime.executable import Executable


@pytest.mark.needs("executes")
class TestHammer:
    """No result is wrong, nothing hangs, and no thread's failure is another's."""

    def test_four_threads(self, device: Device, load: Callable[[str], Executable]) -> None:
        assert hammer(device, load("scale_and_offset")["scale_and_offset"], seconds=2.0) > 4
