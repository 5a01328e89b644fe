"""docs/reference/cpu-kernel-abi.md is true: its example compiles and runs, its offsets are the header's."""

from __future__ import annotations

import re
import struct
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from targetenv.model.artifact import Kernel

if TYPE_CHECKING:
    from collections.abc import Callable

    from targetenv_runtime.device import Device

DOCUMENT = (Path(__file__).parents[3] / "docs" / "reference" / "cpu-kernel-abi.md").read_text(encoding="utf-8")


def test_the_example_compiles_and_computes_what_it_says(
    device: Device, compiled: Callable[..., bytes], image_format: str
) -> None:
    (source,) = re.findall(r"```c\n(.*?)```", DOCUMENT, re.DOTALL)
    image = compiled(source, "-Wall", "-Wextra", "-Wpedantic", "-Werror")
    executable = device.load(image, image_format, [Kernel("clamp", bindings=1, constants=12)])
    x = device.allocate(4 * 2500)
    values = x.numpy("float32")
    values[:] = np.linspace(-2, 2, 2500)

    executable["clamp"].run((3,), [x], struct.pack("<ffI", -1.5, 0.5, 2500))

    assert executable["clamp"].workgroup_size == (1024, 1, 1)
    assert np.array_equal(values, np.clip(np.linspace(-2, 2, 2500).astype("float32"), -1.5, 0.5))


def test_the_offsets_are_the_headers(compiled: Callable[..., bytes]) -> None:
    rows = re.findall(r"^\| ([\d, ]+) \| (`[^|]*) \|", DOCUMENT, re.MULTILINE)
    checks = []
    for offsets, fields in rows:
        names = re.findall(r"`(\w+)`", fields)
        stem = names[0].removesuffix("_x") if names[0].endswith("_x") else ""
        for offset, name in zip(offsets.split(","), names, strict=True):
            checks.append((int(offset), stem + name if name.startswith("_") else name))
    assert len(checks) == 14

    text = "#include <targetenv/kernel.h>\n" + "".join(
        f'_Static_assert(offsetof(targetenv_dispatch_t, {name}) == {offset}, "{name}");\n' for offset, name in checks
    )
    compiled(text)
