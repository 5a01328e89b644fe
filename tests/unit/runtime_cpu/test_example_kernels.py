"""The example's CPU kernels compute what they say, for every x86-64 level that runs here, with both compilers."""

from __future__ import annotations

import os
import shutil
import struct
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from targetenv_runtime.drivers.cpu import include_directory
from targetenv_runtime.drivers.cpu.probe import probe

from targetenv.model.artifact import Kernel
from targetenv.registry import x86

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from targetenv_runtime.device import Device
    from targetenv_runtime.executable import Function

    Array = np.ndarray[Any, Any]

EXAMPLE = Path(__file__).parents[3] / "docs" / "examples" / "saxpy"
KERNELS = {
    "saxpy": ("saxpy.c", Kernel("saxpy", bindings=2, constants=8)),
    "sum": ("reduce.c", Kernel("sum", bindings=2, constants=4)),
    "matmul": ("matmul_f16.c", Kernel("matmul", bindings=3, constants=12)),
}
LEVELS = x86.LEVELS[1:] if os.uname().machine == "x86_64" else ("",)


@pytest.fixture(scope="module")
def offered() -> frozenset[str]:
    return probe()[0][0].offers.features


@pytest.fixture(scope="module")
def images(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str, str, str], bytes]:
    folder = tmp_path_factory.mktemp("example")
    made: dict[tuple[str, str, str], bytes] = {}

    def build(kernel: str, level: str, compiler: str) -> bytes:
        key = kernel, level, compiler
        if key not in made:
            if shutil.which(compiler) is None:
                pytest.skip(f"{compiler} is not installed")
            output = folder / "-".join(key)
            flags = ["-O3", "-shared", "-fPIC", "-fvisibility=hidden", "-Wall", "-Wextra", "-Wpedantic", "-Werror"]
            march = [f"-march={level}"] if level else []
            source = str(EXAMPLE / KERNELS[kernel][0])
            subprocess.run([compiler, *flags, *march, "-I", include_directory(), source, "-o", str(output)], check=True)
            made[key] = output.read_bytes()
        return made[key]

    return build


@pytest.fixture(params=["gcc", "clang-19"])
def compiler(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(params=LEVELS)
def level(request: pytest.FixtureRequest, offered: frozenset[str]) -> str:
    if request.param and not x86.features(request.param) <= offered | x86.features("x86-64"):
        pytest.skip(f"this processor offers no {request.param}")
    return str(request.param)


@pytest.fixture
def kernel(
    device: Device, images: Callable[[str, str, str], bytes], level: str, compiler: str, image_format: str
) -> Callable[[str], Function]:
    def load(name: str) -> Function:
        return device.load(images(name, level, compiler), image_format, [KERNELS[name][1]])[name]

    return load


def call(device: Device, function: Function, extents: tuple[int, ...], constants: bytes, *arrays: Array) -> None:
    """Dispatch over a grid of elements; the arrays are copied in and out."""
    buffers = [device.allocate(array.nbytes) for array in arrays]
    for buffer, array in zip(buffers, arrays, strict=True):
        buffer.write(array.tobytes())
    size = function.workgroup_size
    assert size is not None
    grid = [-(-extent // covered) for extent, covered in zip(extents, size, strict=False)]
    function.run(grid, buffers, constants)
    for buffer, array in zip(buffers, arrays, strict=True):
        array[...] = np.frombuffer(buffer.read(), array.dtype).reshape(array.shape)


@pytest.mark.parametrize("n", [1, 7, 1024, 16384, 16385, 100_003])
def test_saxpy(device: Device, kernel: Callable[[str], Function], n: int) -> None:
    draw = np.random.default_rng(n)
    x, y = draw.standard_normal(n, "float32"), draw.standard_normal(n, "float32")
    expected = np.float32(1.5) * x + y

    call(device, kernel("saxpy"), (n,), struct.pack("<fI", 1.5, n), x, y)

    np.testing.assert_allclose(y, expected, rtol=1e-6, atol=1e-6)


def test_saxpy_walks_on_where_the_grid_is_narrower_than_the_array(device: Device, kernel: Callable[[str], Function]) -> None:
    x, y = np.ones(100_003, "float32"), np.zeros(100_003, "float32")

    call(device, kernel("saxpy"), (20_000,), struct.pack("<fI", 2.0, 100_003), x, y)

    assert (y == 2).all()


@pytest.mark.parametrize("n", [0, 1, 63, 64, 65, 4096, 4097, 1_000_003])
def test_sum(device: Device, kernel: Callable[[str], Function], n: int) -> None:
    x = np.random.default_rng(n).random(max(n, 1), "float32")
    out = np.full(1, np.nan, "float32")

    call(device, kernel("sum"), (1,), struct.pack("<I", n), x, out)

    np.testing.assert_allclose(out[0], x[:n].sum(dtype="float64"), rtol=2e-7)


def test_sum_gives_the_same_bits_whatever_it_was_compiled_for(
    device: Device, images: Callable[[str, str, str], bytes], offered: frozenset[str], image_format: str
) -> None:
    x = np.random.default_rng(3).standard_normal(1_234_567, "float32")
    results = set()
    for compiler in ("gcc", "clang-19"):
        for level in LEVELS:
            if shutil.which(compiler) and (not level or x86.features(level) <= offered | x86.features("x86-64")):
                function = device.load(images("sum", level, compiler), image_format, [KERNELS["sum"][1]])["sum"]
                out = np.zeros(1, "float32")
                call(device, function, (1,), struct.pack("<I", x.size), x, out)
                results.add(out.tobytes())

    assert len(results) == 1


@pytest.mark.parametrize(
    ("m", "n", "k"), [(1, 1, 1), (5, 7, 3), (96, 96, 256), (97, 95, 257), (130, 33, 600), (8, 48, 0), (191, 300, 64)]
)
def test_matmul(device: Device, kernel: Callable[[str], Function], m: int, n: int, k: int) -> None:
    draw = np.random.default_rng(m * n + k)
    a, b = draw.standard_normal((m, max(k, 1))).astype("float16"), draw.standard_normal((max(k, 1), n)).astype("float16")
    c = np.full((m, n), np.nan, "float32")

    call(device, kernel("matmul"), (n, m), struct.pack("<III", m, n, k), a, b, c)

    expected = a[:, :k].astype("float64") @ b[:k].astype("float64")
    np.testing.assert_allclose(c, expected, rtol=1e-5, atol=1e-5 * max(k, 1) ** 0.5)


def test_matmul_widens_every_half_exactly(device: Device, kernel: Callable[[str], Function]) -> None:
    halves = np.arange(1 << 16, dtype="uint16").view("float16")
    c = np.zeros((1, 1 << 16), "float32")

    call(device, kernel("matmul"), (1 << 16, 1), struct.pack("<III", 1, 1 << 16, 1), np.ones((1, 1), "float16"), halves, c)

    # 0 * inf never happens: each element of c is one half times 1, plus 0
    np.testing.assert_array_equal(c[0], halves.astype("float32"))
