"""Executables that IREE's compilers make for CPUs compute on our `cpu` device what IREE's own runtime computes with them.

How many workgroups cover an array is decided by the compiler; it is read where the compiler writes it for people, in the
`workgroups([...])` of the one dispatch of `--compile-to=hal`.
"""

from __future__ import annotations

import os
import re
import subprocess
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from targetenv_runtime.device import open_device
from targetenv_runtime.drivers.cpu.image_tables import check
from targetenv_runtime.status import Code, HalError

from targetenv.artifacts import inspect
from targetenv.cli.app import run as te
from tests.differential.oracles import IREE, iree, iree_runtime

if TYPE_CHECKING:
    from targetenv.artifacts.inspection import Inspection

pytestmark = [
    pytest.mark.differential,
    pytest.mark.skipif(os.uname().machine != "x86_64", reason="the compilers write code for x86-64 here"),
]

RELEASES = sorted(IREE)
LINKS = {"embedded": (), "system": ("--iree-llvmcpu-link-embedded=false",)}
FLAGS = ("--iree-hal-target-backends=llvm-cpu", "--iree-llvmcpu-target-cpu=generic")
MUL = """
func.func @mul(%a: tensor<{n}xf32>, %b: tensor<{n}xf32>) -> tensor<{n}xf32> {{
  %0 = arith.mulf %a, %b : tensor<{n}xf32>
  return %0 : tensor<{n}xf32>
}}
"""
SMALL, BIG = 1024, 1_000_000
"""One workgroup; and 245 of 4096 elements, the last of which is not whole."""


@cache
def module(release: str, link: str, size: int) -> bytes:
    done = subprocess.run(
        [str(iree(release).home / "bin" / "iree-compile"), *FLAGS, *LINKS[link], "-", "-o", "-"],
        input=MUL.format(n=size).encode(),
        capture_output=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@cache
def workgroups(release: str, size: int) -> tuple[int, int, int]:
    text = iree(release).compile(MUL.format(n=size), *FLAGS, "--compile-to=hal").stdout
    (counts,) = re.findall(r"workgroups\(\[%c(\d+), %c(\d+), %c(\d+)\]\)", text)
    return tuple(map(int, counts))  # type: ignore[return-value]


def library(data: bytes) -> tuple[bytes, Inspection]:
    """The one executable in a module."""
    ((_, leaf, payload),) = inspect(data, name="module.vmfb").leaves()
    assert payload is not None
    return bytes(payload), leaf


def operands(size: int) -> tuple[np.ndarray[Any, np.dtype[np.float32]], np.ndarray[Any, np.dtype[np.float32]]]:
    draw = np.random.default_rng(size)
    return draw.standard_normal(size, dtype=np.float32), draw.standard_normal(size, dtype=np.float32)


@pytest.mark.parametrize("size", [SMALL, BIG])
@pytest.mark.parametrize("link", sorted(LINKS))
@pytest.mark.parametrize("release", RELEASES)
def test_a_library_computes_what_numpy_does(release: str, link: str, size: int) -> None:
    image, leaf = library(module(release, link, size))
    (artifact,) = leaf.artifacts
    assert artifact.format == f"{link}-elf-x86_64"
    grid = workgroups(release, size)
    a, b = operands(size)
    with open_device("cpu://0", threads=3) as device:
        executable = device.load(image, artifact.format, artifact.kernels)
        buffers = [device.allocate(4 * size) for _ in range(3)]
        x, y, z = (buffer.numpy("float32") for buffer in buffers)
        x[:], y[:] = a, b
        executable[0].run(grid, buffers)
        assert np.array_equal(z, a * b)
        z[:] = 0
        bound = executable[0].bind(grid, buffers)
        for _ in range(4):  # alone, tried, then on as many threads as it is worth
            bound.run()
        assert np.array_equal(z, a * b)
        z[:] = 0
        if grid[0] > 1:
            executable[0].run((grid[0] - 1, 1, 1), buffers)
            assert not np.array_equal(z, a * b), "every workgroup is needed"
        del x, y, z


@pytest.mark.parametrize("size", [SMALL, BIG])
def test_a_library_computes_what_irees_runtime_does(size: int, tmp_path: Path) -> None:
    tool = iree_runtime() / "iree-run-module"
    data = module("iree@3.13", "embedded", size)
    a, b = operands(size)
    (tmp_path / "mul.vmfb").write_bytes(data)
    np.save(tmp_path / "a.npy", a)
    np.save(tmp_path / "b.npy", b)
    command = [str(tool), "--device=local-sync", "--module=mul.vmfb", "--function=mul", "--input=@a.npy", "--input=@b.npy"]
    subprocess.run([*command, "--output=@theirs.npy"], cwd=tmp_path, check=True, capture_output=True, timeout=120)

    image, leaf = library(data)
    with open_device("cpu://0") as device:
        executable = device.load(image, leaf.artifacts[0].format, leaf.artifacts[0].kernels)
        assert (executable[0].bindings, executable[0].constants) == (3, 0), "the library says it"
        buffers = [device.allocate(4 * size) for _ in range(3)]
        for buffer, values in zip(buffers, (a, b), strict=False):
            buffer.numpy("float32")[:] = values
        executable[0].run(workgroups("iree@3.13", size), buffers)
        assert np.array_equal(buffers[2].numpy("float32"), np.load(tmp_path / "theirs.npy"))


@pytest.mark.parametrize("link", sorted(LINKS))
def test_a_module_is_packed_and_run(link: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("mul.vmfb").write_bytes(module("iree@3.13", link, BIG))
    a, b = operands(BIG)
    np.save("a.npy", a)
    np.save("b.npy", b)
    (kernel,) = library(Path("mul.vmfb").read_bytes())[1].artifacts[0].kernels
    assert te(["pack", "mul.vmfb", "-o", "mul.tenv"]) == 0
    grid = ",".join(map(str, workgroups("iree@3.13", BIG)))
    inputs = ["--input", "b0=@a.npy", "--input", "b1=@b.npy", "--input", f"b2={BIG}xf32=0"]
    assert te(["run", "mul.tenv", kernel.name, "--device", "cpu://0", *inputs, "--output", "b2=c.npy", "--grid", grid]) == 0
    assert np.array_equal(np.load("c.npy"), a * b)


def test_a_binding_that_the_code_cannot_address_is_refused() -> None:
    image, leaf = library(module("iree@3.13", "embedded", SMALL))
    with open_device("cpu://0") as device:
        (function,) = device.load(image, leaf.artifacts[0].format, leaf.artifacts[0].kernels)
        buffer = device.allocate(4 * SMALL + 64)
        for run in (function.run, function.bind):
            with pytest.raises(HalError, match="multiple of 64 bytes") as error:
                run((1,), [buffer[0 : 4 * SMALL], buffer[16 : 4 * SMALL + 16], buffer[0 : 4 * SMALL]])
            assert error.value.status is Code.INVALID_ARGUMENT


@pytest.mark.parametrize("release", RELEASES)
def test_a_library_that_was_cut_short_is_refused_before_it_is_loaded(release: str) -> None:
    image, _ = library(module(release, "embedded", SMALL))
    machine = os.uname().machine
    last = check(image, machine).image.loads[-1]
    for size in range(0, last.offset + last.stored, 37):  # what is behind it nobody loads
        with pytest.raises(HalError) as error:
            check(image[:size], machine)
        assert error.value.status is Code.INVALID_ARGUMENT
