"""Modules of IREE with two variants of a kernel: IREE takes the first of its format, targetenv the one that runs.

    python -m venv iree && iree/bin/pip install iree-base-compiler==3.13.0 iree-base-runtime==3.13.0
    python docs/examples/iree_selection.py iree/bin

compiles each case for two targets, once in each order, lets IREE run it, and lets targetenv choose on the driver's first device
here. Between variants of one format IREE 3.13 asks the device nothing: a module that has the wrong one first fails (Vulkan:
`requires subgroup size 32`; CPU: SIGILL, exit status 252), although the right one is in the file. The exit status is 0 where
targetenv chooses the same target in both orders of every case.
"""

from __future__ import annotations

import argparse
import subprocess
import tempfile
from pathlib import Path

from targetenv_runtime.probing import probe_all

from targetenv.artifacts import inspect
from targetenv.artifacts.iree_target import targets_in
from targetenv.model.record import record
from targetenv.resolve.explain import explain
from targetenv.resolve.resolution import resolve


@record
class Case:
    """A function, the flags for the target that does not run here and for the one that does, and who is to run it."""

    name: str
    function: str
    flags: tuple[tuple[str, ...], tuple[str, ...]]
    iree_device: str
    driver: str
    inputs: tuple[str, ...]


MATMUL = """
func.func @f(%a: tensor<64x64xf16>, %b: tensor<64x64xf16>) -> tensor<64x64xf32> {
  %zero = arith.constant 0.0 : f32
  %empty = tensor.empty() : tensor<64x64xf32>
  %filled = linalg.fill ins(%zero: f32) outs(%empty: tensor<64x64xf32>) -> tensor<64x64xf32>
  %c = linalg.matmul ins(%a, %b: tensor<64x64xf16>, tensor<64x64xf16>) outs(%filled: tensor<64x64xf32>) -> tensor<64x64xf32>
  return %c : tensor<64x64xf32>
}
"""
FMA = """
func.func @f(%x: tensor<1024xf32>, %y: tensor<1024xf32>) -> tensor<1024xf32> {
  %0 = math.fma %x, %y, %x : tensor<1024xf32>
  return %0 : tensor<1024xf32>
}
"""
VULKAN = "--iree-hal-target-device=vulkan"
CPU = (
    "--iree-hal-target-device=local",
    "--iree-hal-local-target-device-backends=llvm-cpu",
    "--iree-llvmcpu-target-cpu=generic",
)
CASES = (
    Case(
        "a product on Vulkan, for RDNA3 and for llvmpipe",
        MATMUL,
        ((VULKAN, "--iree-vulkan-target=rdna3"), (VULKAN, "--iree-vulkan-target=llvmpipe")),
        "vulkan",
        "vulkan",
        ("64x64xf16=1", "64x64xf16=2"),
    ),
    Case(
        "a fused multiply-add on x86-64, with FMA4 (which only AMD's Bulldozers had) and without",
        FMA,
        ((*CPU, "--iree-llvmcpu-target-cpu-features=+avx,+fma4"), CPU),
        "local-sync",
        "cpu",
        ("1024xf32=1", "1024xf32=2"),
    ),
)


def compiled(tools: Path, source: str, *flags: str) -> bytes:
    """The module that `iree-compile` makes."""
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "module.vmfb"
        subprocess.run([tools / "iree-compile", "-", "-o", out, *flags], input=source.encode(), check=True)  # noqa: S603  the caller's own
        return out.read_bytes()


def for_both(tools: Path, function: str, orders: tuple[tuple[str, ...], ...]) -> bytes:
    """One module with a variant for each target, in this order; the targets are what IREE makes of the flags."""
    targets = [targets_in(compiled(tools, function, *flags))[0] for flags in orders]
    device = "local" if targets[0].backend == "llvm-cpu" else "vulkan"
    wanted = f'#hal.device.target<"{device}", [{", ".join(target.text for target in targets)}]> : !hal.device'
    return compiled(tools, f"module attributes {{hal.device.targets = [{wanted}]}} {{ {function} }}")


def run_by_iree(tools: Path, module: Path, case: Case) -> str:
    """How it ends, and the first words of what IREE's runtime says."""
    options = [f"--device={case.iree_device}", f"--module={module}", "--function=f", *(f"--input={one}" for one in case.inputs)]
    done = subprocess.run([tools / "iree-run-module", *options], capture_output=True, text=True, check=False)  # noqa: S603  the same
    if done.returncode:
        said = [line for line in done.stderr.splitlines() if line.strip()] or [""]
        return f"fails with status {done.returncode}: {said[0][:160]}"
    return f"runs: {done.stdout.strip().splitlines()[-1][:32]}..."


def chosen(module: Path, driver: str) -> tuple[str | None, str]:
    """The target of our choice among the module's variants on the driver's first device, and the reasons."""
    devices, unavailable = probe_all([driver])
    if not devices:
        return None, f"no device: {unavailable[0].reason if unavailable else 'none is here'}"
    artifacts = inspect(module.read_bytes(), name=module.name).artifacts
    resolution = resolve({artifacts[0].kernels[0].name: artifacts}, devices[:1])
    choice = resolution.choices[0]
    return next((one.target for one in artifacts if one.name == choice.variant), None), explain(resolution)


def main() -> int:
    """Every case in both orders, chosen by both."""
    parser = argparse.ArgumentParser(description="IREE's choice between variants, and targetenv's.")
    parser.add_argument("compiler", type=Path, help="the folder of `iree-compile`")
    parser.add_argument("runtime", type=Path, nargs="?", help="the folder of `iree-run-module` (default: the same)")
    arguments = parser.parse_args()
    steady = True
    for case in CASES:
        choices = set()
        print(f"# {case.name}\n")
        for order, flags in (("wrong one first", case.flags), ("right one first", case.flags[::-1])):
            with tempfile.TemporaryDirectory() as folder:
                module = Path(folder) / "module.vmfb"
                module.write_bytes(for_both(arguments.compiler, case.function, flags))
                target, reasons = chosen(module, case.driver)
                choices.add(target)
                iree = run_by_iree(arguments.runtime or arguments.compiler, module, case)
            print(f"{order}\nIREE {iree}\ntargetenv\n{reasons}\n")
        steady = steady and len(choices) == 1 and None not in choices
    return 0 if steady else 1


if __name__ == "__main__":
    raise SystemExit(main())
