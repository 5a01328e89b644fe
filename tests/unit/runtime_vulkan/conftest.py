"""A Vulkan device under the validation layer, and kernels for it."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from targetenv_runtime.device import Device, open_device
from targetenv_runtime.executable import Function
from targetenv_runtime.status import Code, HalError

from tests.unit.runtime_vulkan.kernels import add_on, backend_of


@pytest.fixture
def opening(required_drivers: frozenset[str]) -> Iterator[Callable[..., Device]]:
    """Opens devices under the validation layer, closes them, and holds the layer's silence against them."""
    opened: list[Device] = []

    def open_one(uri: str = "vulkan://0", **options: Any) -> Device:
        try:
            opened.append(open_device(uri, validation=True, **options))
        except HalError as error:
            if error.status is Code.UNAVAILABLE and "vulkan" not in required_drivers:
                pytest.skip(error.message)
            raise
        return opened[-1]

    yield open_one
    for device in opened:
        device.close()
        assert backend_of(device).validation_messages == ()


@pytest.fixture
def device(opening: Callable[..., Device]) -> Device:
    return opening()


@pytest.fixture(scope="session")
def glslc(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., bytes]:
    """Compiles GLSL, given as text or as a file."""
    compiler = shutil.which("glslc")
    if compiler is None:
        pytest.skip("glslc is not installed")
    folder = tmp_path_factory.mktemp("spirv")

    def compile_one(source: str | Path, target: str = "vulkan1.0") -> bytes:
        file = source if isinstance(source, Path) else folder / f"{abs(hash(source))}.comp"
        if isinstance(source, str):
            file.write_text(source, encoding="utf-8")
        out = folder / f"{file.stem}-{target}.spv"
        if not out.exists():
            subprocess.run([compiler, "-O", f"--target-env={target}", "-o", out, file], check=True)
        return out.read_bytes()

    return compile_one


@pytest.fixture(scope="session")
def assemble(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], bytes]:
    """Assembles SPIR-V text."""
    assembler = shutil.which("spirv-as")
    if assembler is None:
        pytest.skip("spirv-as is not installed")
    folder = tmp_path_factory.mktemp("assembled")

    def assemble_one(text: str) -> bytes:
        source, out = folder / "module.spvasm", folder / "module.spv"
        source.write_text(text, encoding="utf-8")
        subprocess.run([assembler, "--target-env", "spv1.3", "-o", out, source], check=True)
        return out.read_bytes()

    return assemble_one


@pytest.fixture
def add(device: Device, glslc: Callable[..., bytes]) -> Function:
    """A kernel that adds its constant to every word of its buffer."""
    return add_on(device, glslc)
