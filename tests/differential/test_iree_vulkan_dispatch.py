"""Vulkan executables that IREE's compilers make here and now: chosen by what they need, dispatched under validation.

What they compute is held against numpy, and against IREE's own runtime where that can be had.
"""

from __future__ import annotations

import os
import platform
import struct
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest
from targetenv_runtime.device import Device, open_device
from targetenv_runtime.drivers.vulkan.compute import VulkanBackend
from targetenv_runtime.drivers.vulkan.probe import probe
from targetenv_runtime.status import Code, HalError

from targetenv.artifacts import inspect
from targetenv.cli.app import run as targetenv
from targetenv.model.artifact import Artifact
from targetenv.model.requirement import NeedsFormat, NeedsSubgroupSize
from targetenv.resolve.explain import explain
from targetenv.resolve.resolution import resolve
from tests.differential.oracles import IREE, iree, iree_runtime

ROOT = Path(__file__).parents[2]
COUNT = 1024
ADD = f"""
func.func @add(%x: tensor<{COUNT}xf32>, %y: tensor<{COUNT}xf32>) -> tensor<{COUNT}xf32> {{
  %0 = arith.addf %x, %y : tensor<{COUNT}xf32>
  %1 = arith.mulf %0, %y : tensor<{COUNT}xf32>
  return %1 : tensor<{COUNT}xf32>
}}
"""
MATMUL = """
func.func @mm(%a: tensor<?x64x{0}>, %b: tensor<64x32x{0}>) -> tensor<?x32xf32> {{
  %zero = arith.constant 0.0 : f32
  %first = arith.constant 0 : index
  %rows = tensor.dim %a, %first : tensor<?x64x{0}>
  %empty = tensor.empty(%rows) : tensor<?x32xf32>
  %filled = linalg.fill ins(%zero: f32) outs(%empty: tensor<?x32xf32>) -> tensor<?x32xf32>
  %c = linalg.matmul ins(%a, %b: tensor<?x64x{0}>, tensor<64x32x{0}>) outs(%filled: tensor<?x32xf32>) -> tensor<?x32xf32>
  return %c : tensor<?x32xf32>
}}
"""
OLD = ("--iree-hal-target-backends=vulkan-spirv",)
NEW = ("--iree-hal-target-device=vulkan",)
RDNA3 = (*NEW, "--iree-vulkan-target=rdna3")
OLD_RDNA3 = (*OLD, "--iree-vulkan-target-triple=rdna3-unknown-linux")

pytestmark = pytest.mark.differential


def compiled(folder: Path, name: str, source: str, *flags: str) -> Path:
    path = folder / "module.vmfb"
    done = iree(name).compile(source, *(flags or (NEW if name == "iree@3.13" else OLD)), "-o", str(path))
    assert done.returncode == 0, done.stderr
    return path


def modules(path: Path) -> list[tuple[Artifact, bytes]]:
    """Every SPIR-V module in a file, with its bytes."""
    found = []
    for _, leaf, payload in inspect(path.read_bytes(), name="module.vmfb").leaves():
        assert payload is not None
        found += [(artifact, bytes(payload)) for artifact in leaf.artifacts]
    return found


def why_not(artifact: Artifact) -> str:
    """What our resolver has against a module on this machine's Vulkan device, nothing if it fits."""
    devices, unavailable = probe()
    if not devices:
        pytest.skip(unavailable[0].reason if unavailable else "no Vulkan device")
    found = resolve({artifact.kernels[0].name: [artifact]}, devices[:1])
    return "" if found.choices[0].variant is not None else explain(found)


@pytest.fixture
def device(required_drivers: frozenset[str]) -> Iterator[Device]:
    try:
        opened = open_device("vulkan://0", validation=True)
    except HalError as error:
        if error.status is Code.UNAVAILABLE and "vulkan" not in required_drivers:
            pytest.skip(error.message)
        raise
    yield opened
    opened.close()
    assert isinstance(opened.backend, VulkanBackend)
    assert opened.backend.validation_messages == ()


def dispatch(
    device: Device, module: tuple[Artifact, bytes], grid: tuple[int, ...], arrays: Sequence[np.ndarray], constants: bytes = b""
) -> np.ndarray:
    """What is in the last array after the module's only kernel has run."""
    artifact, image = module
    (kernel,) = artifact.kernels
    buffers = []
    for array in arrays:
        buffers.append(device.allocate(array.nbytes))
        buffers[-1].write(array.tobytes())
    device.load(image, artifact.format, artifact.kernels)[kernel.name].run(grid, buffers, constants)
    return np.frombuffer(bytes(buffers[-1].read()), arrays[-1].dtype).reshape(arrays[-1].shape)


def operands() -> tuple[np.ndarray, np.ndarray]:
    return np.linspace(-3, 3, COUNT, dtype="f4"), np.linspace(0.1, 7, COUNT, dtype="f4")


@pytest.mark.parametrize("name", sorted(IREE))
def test_an_elementwise_function_fits_runs_and_equals_numpy(name: str, device: Device, tmp_path: Path) -> None:
    (module,) = modules(compiled(tmp_path, name, ADD))
    assert why_not(module[0]) == ""
    (kernel,) = module[0].kernels
    assert (kernel.bindings, kernel.constants) == (3, 0)
    x, y = operands()
    out = np.full(COUNT, np.nan, "f4")
    one = dispatch(device, module, (1, 1, 1), (x, y, out))
    tile = int(np.count_nonzero(~np.isnan(one)))
    assert COUNT % tile == 0
    assert np.array_equal(one[:tile], ((x + y) * y)[:tile]), "the first workgroup does the first elements"
    assert np.array_equal(dispatch(device, module, (COUNT // tile, 1, 1), (x, y, out)), (x + y) * y)


def test_what_irees_own_runtime_computes_is_the_same(device: Device, tmp_path: Path) -> None:
    runtime = iree_runtime()
    path = compiled(tmp_path, "iree@3.13", ADD)
    x, y = operands()
    np.save(tmp_path / "x.npy", x)
    np.save(tmp_path / "y.npy", y)
    options = ("--function=add", "--input=@x.npy", "--input=@y.npy", "--output=@out.npy")
    command = [str(runtime / "iree-run-module"), "--device=vulkan", f"--module={path}", *options]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=120)
    if "no devices" in done.stderr or "UNAVAILABLE" in done.stderr:
        pytest.skip(f"IREE's runtime has no Vulkan device: {done.stderr.strip().splitlines()[0]}")
    assert done.returncode == 0, done.stderr
    (module,) = modules(path)
    ours = dispatch(device, module, (COUNT // 256, 1, 1), (x, y, np.zeros(COUNT, "f4")))
    assert np.array_equal(ours, np.load(tmp_path / "out.npy"))


@pytest.mark.parametrize("name", sorted(IREE))
def test_a_size_that_is_known_late_is_pushed(name: str, device: Device, tmp_path: Path) -> None:
    module = modules(compiled(tmp_path, name, MATMUL.format("f32")))[0]
    (kernel,) = module[0].kernels
    assert (kernel.bindings, kernel.constants) == (3, 8), "one size of 64 bits"
    random = np.random.default_rng(7)
    for rows in (64, 128):
        a, b = random.random((rows, 64), "f4"), random.random((64, 32), "f4")
        out = np.zeros((rows, 32), "f4")
        arguments = (a, b, out), struct.pack("<Q", rows)
        one, two = (dispatch(device, module, (1, high, 1), *arguments) for high in (1, 2))
        tall, wide = (int(np.count_nonzero(one.any(axis=axis))) for axis in (1, 0))
        by_row = np.count_nonzero(two) > np.count_nonzero(one)  # the older compiler drops an axis of length one
        grid = (32 // wide, rows // tall, 1) if by_row else (rows // tall, 1, 1)
        found = dispatch(device, module, grid, *arguments)
        assert np.allclose(found, a @ b, rtol=1e-5)


@pytest.mark.parametrize(("name", "flags"), [("iree@20231218", OLD_RDNA3), ("iree@20240410", OLD_RDNA3), ("iree@3.13", RDNA3)])
def test_code_that_counts_on_a_subgroup_size_is_not_taken_for_fitting(
    name: str, flags: tuple[str, ...], tmp_path: Path
) -> None:
    """It reduces over the subgroup that it was compiled for and says so nowhere: on another it computes something else."""
    artifact, _ = modules(compiled(tmp_path, name, MATMUL.format("f32"), *flags))[0]
    assert "which subgroup size the compiler of this code counted on" in why_not(artifact)
    assert ("subgroup size 32 or subgroup size 64" in why_not(artifact)) == (name == "iree@3.13"), "the target is known"


def test_capabilities_that_the_device_lacks_are_named(tmp_path: Path) -> None:
    source = MATMUL.replace("?", "64").replace("(%rows)", "()").format("f16")
    ((artifact, _),) = modules(compiled(tmp_path, "iree@3.13", source, *RDNA3))
    assert NeedsSubgroupSize(32) in artifact.requires
    assert "capability CooperativeMatrixKHR" in why_not(artifact)


def test_buffers_in_a_table_of_addresses_are_a_format_that_no_driver_takes(tmp_path: Path) -> None:
    path = compiled(tmp_path, "iree@3.13", ADD, *NEW, "--iree-vulkan-target=rdna3", "--iree-vulkan-dispatch-abi=all")
    table, descriptors = (artifact for artifact, _ in modules(path))
    assert [need for need in table.requires if isinstance(need, NeedsFormat)] == [NeedsFormat("vulkan-spirv-bda-v1")]
    assert "they are vulkan-spirv-bda-v1" in why_not(table)
    assert NeedsFormat("spirv") in descriptors.requires
    assert [(artifact.target or "").split('"')[3] for artifact in (table, descriptors)] == [
        "vulkan-spirv-bda-v1",
        "vulkan-spirv-fb",
    ]


def test_a_module_goes_through_inspect_resolve_pack_and_run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = compiled(tmp_path, "iree@3.13", ADD)
    ((artifact, _),) = modules(path)
    assert why_not(artifact) == ""
    name = artifact.kernels[0].name
    packed, out = tmp_path / "add.tenv", tmp_path / "out.npy"
    x, y = operands()
    np.save(tmp_path / "x.npy", x)
    np.save(tmp_path / "y.npy", y)
    assert targetenv(["inspect", str(path)]) == 0
    assert f"{name}: descriptors  3 storage buffers" in capsys.readouterr().out
    assert targetenv(["resolve", str(path), "--device", "vulkan://0"]) == 0
    assert targetenv(["pack", str(path), "-o", str(packed)]) == 0
    given = [f"b0=@{tmp_path / 'x.npy'}", f"b1=@{tmp_path / 'y.npy'}", f"b2={COUNT}xf32=0"]
    inputs = [word for spec in given for word in ("--input", spec)]
    where = ["--device", "vulkan://0", "--grid", "256", "--output", f"b2={out}"]
    assert targetenv(["run", str(packed), name, *where, *inputs]) == 0
    assert np.array_equal(np.load(out), (x + y) * y)


@pytest.mark.skipif(platform.machine() != "x86_64", reason="the example has a module for x86-64")
@pytest.mark.usefixtures("device")
def test_targetenv_chooses_the_same_of_two_variants_in_either_order() -> None:
    """The example shows IREE's runtime failing where the wrong one comes first."""
    tools = [iree("iree@3.13").home / "bin", iree_runtime()]
    paths = {"PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "runtime")])}
    command = [sys.executable, str(ROOT / "docs" / "examples" / "iree_selection.py"), *map(str, tools)]
    done = subprocess.run(command, env=os.environ | paths, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
