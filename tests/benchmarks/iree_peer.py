"""What IREE's Python runtime needs for the same job. Run by an interpreter that has it, never imported by the others.

python iree_peer.py compile DIRECTORY          saxpy-cpu.vmfb and saxpy-vulkan.vmfb (needs iree.compiler)
python iree_peer.py run DRIVER FILE            one cold saxpy of 1024 floats, checked
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

SAXPY = """
func.func @saxpy(%a: tensor<f32>, %x: tensor<1024xf32>, %y: tensor<1024xf32>) -> tensor<1024xf32> {
  %empty = tensor.empty() : tensor<1024xf32>
  %z = linalg.generic {
    indexing_maps = [affine_map<(i) -> ()>, affine_map<(i) -> (i)>, affine_map<(i) -> (i)>, affine_map<(i) -> (i)>],
    iterator_types = ["parallel"]
  } ins(%a, %x, %y : tensor<f32>, tensor<1024xf32>, tensor<1024xf32>) outs(%empty : tensor<1024xf32>) {
  ^bb0(%s: f32, %l: f32, %r: f32, %o: f32):
    %m = arith.mulf %s, %l : f32
    %t = arith.addf %m, %r : f32
    linalg.yield %t : f32
  } -> tensor<1024xf32>
  return %z : tensor<1024xf32>
}
"""
FLAGS = {
    "cpu": [
        "--iree-hal-target-device=local",
        "--iree-hal-local-target-device-backends=llvm-cpu",
        "--iree-llvmcpu-target-cpu=host",
    ],
    "vulkan": ["--iree-hal-target-device=vulkan", "--iree-vulkan-target=vp_android_baseline_2022"],
}


def compile_into(directory: Path) -> None:
    from iree import compiler

    for name, flags in FLAGS.items():
        compiler.compile_str(SAXPY, extra_args=flags, output_file=str(directory / f"saxpy-{name}.vmfb"))


def run(driver: str, file: str) -> None:
    import numpy as np
    from iree import runtime

    config = runtime.Config(driver)
    context = runtime.SystemContext(config=config)
    context.add_vm_module(runtime.VmModule.mmap(config.vm_instance, file))
    saxpy = context.modules.module["saxpy"]
    x, y = np.arange(1024, dtype=np.float32), np.ones(1024, dtype=np.float32)
    result = saxpy(np.float32(2), x, y)
    if not np.array_equal(read(result, config.device), 2 * x + y):
        sys.exit("wrong result")


def read(result: Any, device: Any) -> Any:
    """The result on the host. IREE 3.13's own `to_host` is refused on lavapipe (minImportedHostPointerAlignment), so stage."""
    from iree import runtime

    if result.is_host_accessible:
        return result.to_host()
    source = result._buffer_view.get_buffer()
    staging = device.allocator.allocate_buffer(
        memory_type=int(runtime.MemoryType.HOST_LOCAL | runtime.MemoryType.DEVICE_VISIBLE),
        allowed_usage=int(runtime.BufferUsage.TRANSFER_TARGET | runtime.BufferUsage.MAPPING_SCOPED),
        allocation_size=source.byte_length(),
    )
    semaphore = device.create_semaphore(0)
    done = runtime.HalFence.create_at(semaphore, 1)
    device.queue_copy(source, staging, runtime.HalFence.create_at(semaphore, 0), done)
    done.wait()
    return staging.map().asarray(result.shape, result.dtype)


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["compile", directory]:
            compile_into(Path(directory))
        case ["run", driver, file]:
            run(driver, file)
        case _:
            sys.exit(__doc__)
