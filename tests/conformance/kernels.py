"""The kernels of the suite, in every executable format: Python callables here, GLSL and C beside this file."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import time
from pathlib import Path
from struct import pack, unpack
from typing import TYPE_CHECKING

from targetenv_runtime.device import open_device
from targetenv_runtime.drivers.host.image import FORMAT as PYTHON
from targetenv_runtime.drivers.host.image import PythonImage

from targetenv.model.artifact import Kernel

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    Grid = tuple[int, int, int]
    Image = tuple[bytes, tuple[Kernel, ...]]

SOURCES = Path(__file__).parent / "kernels"
CPU = f"elf-{os.uname().machine}"
SPIRV = "spirv"
ADDRESSES = "spirv addresses"
"""The same shaders, changed to take addresses in their push constants in the place of descriptors."""
OPENCL_C, OPENCL_BINARY = "opencl-c", "opencl-binary"

INTERFACES = {
    # name: bindings, bytes of constants
    "export0": (2, 8),
    "abs": (2, 0),
    "write_constants": (1, 16),
    "scale_and_offset": (2, 8),
    "negate": (2, 0),
    "double_it": (2, 0),
    "write_workgroup_ids": (1, 0),
    "write_dispatch_params": (1, 0),
    "spin": (1, 0),
}
EXECUTABLES: dict[str, tuple[str, ...]] = {name: (name,) for name in INTERFACES if name not in ("negate", "double_it")}
EXECUTABLES["negate_and_double"] = ("negate", "double_it")


class ToolMissing(Exception):
    """A compiler that an executable format needs is not installed."""


def kernel(name: str, *, entry_point: str | None = None) -> Kernel:
    """What a package says about a kernel of the suite."""
    bindings, constants = INTERFACES[name]
    return Kernel(name, workgroup_size=(1, 1, 1), bindings=bindings, constants=constants, entry_point=entry_point)


class Images:
    """Executables by format and name, compiled when first asked for."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._built: dict[tuple[str, str], Image] = {}
        self._opencl_binary: bytes | None = None

    def get(self, image_format: str, name: str) -> Image:
        """The image, and its kernels."""
        key = (image_format, name)
        if key not in self._built:
            self._built[key] = self._build(image_format, name)
        return self._built[key]

    def _build(self, image_format: str, name: str) -> Image:
        names = EXECUTABLES[name]
        if image_format == PYTHON:
            return PythonImage.of(**{each: CALLABLES[each] for each in names}), tuple(map(kernel, names))
        if image_format == CPU:
            entry_points = {"abs": "absolute"}
            return self._library(), tuple(kernel(each, entry_point=entry_points.get(each)) for each in names)
        if image_format in (SPIRV, ADDRESSES):
            return self._module(name, addresses=image_format == ADDRESSES)
        if image_format in (OPENCL_C, OPENCL_BINARY):
            kernels = tuple(kernel(each, entry_point={"abs": "absolute"}.get(each)) for each in names)
            source = (SOURCES / "kernels.cl").read_bytes()
            return (source if image_format == OPENCL_C else self._binary(source)), kernels
        return b"", tuple(map(kernel, names))

    def _library(self) -> bytes:
        from targetenv_runtime.drivers.cpu import include_directory

        path = self._directory / "kernels.so"
        if not path.exists():
            flags = ["-O2", "-shared", "-fPIC", "-fvisibility=hidden", "-I", include_directory()]
            run("cc", *flags, str(SOURCES / "kernels.c"), "-lm", "-o", str(path))
        return path.read_bytes()

    def _binary(self, source: bytes) -> bytes:
        """What the first OpenCL device makes of all kernels."""
        if self._opencl_binary is None:
            with open_device("opencl://0") as device:
                loaded = device.backend.load(source, OPENCL_C, ())
                self._opencl_binary = device.backend.binary(loaded)  # type: ignore[attr-defined]  # of this driver only
                device.backend.unload(loaded.handle)
        return self._opencl_binary

    def _source(self, name: str, *, addresses: bool) -> str:
        source = SOURCES / f"{name}.comp"
        if addresses:
            changed = self._directory / f"{name}.comp"
            changed.write_text(by_address(source.read_text()))
            source = changed
        return str(source)

    def _module(self, name: str, *, addresses: bool) -> Image:
        path = self._directory / f"{name}{'.addresses' * addresses}.spv"
        names = EXECUTABLES[name]
        target = "vulkan1.2" if addresses else "vulkan1.1"
        if len(names) == 1:
            run("glslc", f"--target-env={target}", self._source(name, addresses=addresses), "-o", str(path))
            return path.read_bytes(), (kernel(name, entry_point="main"),)
        parts = []
        for each in names:
            part = self._directory / f"{each}{'.addresses' * addresses}.spv"
            source = self._source(f"{name}.{each}", addresses=addresses)
            run(
                "glslangValidator",
                "-V",
                "--target-env",
                target,
                "-e",
                each,
                "--source-entrypoint",
                "main",
                source,
                "-o",
                str(part),
            )
            parts.append(str(part))
        run("spirv-link", "--target-env", target, *parts, "-o", str(path))
        return path.read_bytes(), tuple(map(kernel, names))


def by_address(shader: str) -> str:
    """A shader of the suite with its buffers as pointers at the beginning of its push constants."""
    buffers = re.findall(r"layout\(set = 0, binding = \d+\) (.*?buffer) (\w+) \{ \w+ (\w+)\[\]; \};\n", shader)
    shader = re.sub(r"layout\(set = 0, binding = \d+\)", "layout(buffer_reference, std430, buffer_reference_align = 4)", shader)
    constants = re.search(r"layout\(push_constant\).*?\{ (.*?) \};\n", shader)
    pointers = " ".join(f"{block} at_{member};" for _, block, member in buffers)
    names = "".join(f"#define {member} at_{member}.{member}\n" for _, _, member in buffers)
    pushed = f"layout(push_constant) uniform Pushed {{ {pointers} {constants[1] if constants else ''} }};\n{names}"
    shader = shader.replace(constants[0], "") if constants else shader
    shader = shader.replace("\nvoid main", f"\n{pushed}\nvoid main")
    return shader.replace("\n", "\n#extension GL_EXT_buffer_reference : require\n", 1)


def run(tool: str, *arguments: str) -> None:
    """Run a compiler."""
    program = shutil.which(tool)
    if program is None:
        raise ToolMissing(f"{tool} is not installed")
    subprocess.run([program, *arguments], check=True, capture_output=True)


# --- the same kernels in Python


def _floats(function: Callable[[float], float]) -> Callable[[Grid, Grid, Sequence[memoryview], bytes], None]:
    def each(workgroup: Grid, _: Grid, bindings: Sequence[memoryview], __: bytes) -> None:
        source, target = (binding.cast("f") for binding in bindings)
        target[workgroup[0]] = function(source[workgroup[0]])

    return each


def _export0(_: Grid, __: Grid, ___: Sequence[memoryview], ____: bytes) -> None:
    return


def _write_constants(_: Grid, __: Grid, bindings: Sequence[memoryview], constants: bytes) -> None:
    bindings[0][:16] = constants


def _scale_and_offset(workgroup: Grid, _: Grid, bindings: Sequence[memoryview], constants: bytes) -> None:
    scale, offset = unpack("<ii", constants)
    source, target = (binding.cast("i") for binding in bindings)
    target[workgroup[0]] = source[workgroup[0]] * scale + offset


def _write_workgroup_ids(workgroup: Grid, grid: Grid, bindings: Sequence[memoryview], _: bytes) -> None:
    x, y, z = workgroup
    bindings[0].cast("I")[(z * grid[1] + y) * grid[0] + x] = x | y << 10 | z << 20


def _write_dispatch_params(_: Grid, __: Grid, bindings: Sequence[memoryview], ___: bytes) -> None:
    bindings[0][:12] = pack("<3I", 4, 1, 1)


def _spin(_: Grid, __: Grid, bindings: Sequence[memoryview], ___: bytes) -> None:
    while not bindings[0][0]:
        time.sleep(0.001)


CALLABLES = {
    "export0": _export0,
    "abs": _floats(abs),
    "write_constants": _write_constants,
    "scale_and_offset": _scale_and_offset,
    "negate": _floats(lambda value: -value),
    "double_it": _floats(lambda value: 2 * value),
    "write_workgroup_ids": _write_workgroup_ids,
    "write_dispatch_params": _write_dispatch_params,
    "spin": _spin,
}
