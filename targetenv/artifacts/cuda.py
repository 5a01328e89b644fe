"""What PTX, cubins and fatbins begin with, and what launching their kernels takes of a device, in CUDA's own names."""

from __future__ import annotations

import re

from targetenv.model.record import record
from targetenv.model.requirement import NeedsLimit, Relation

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from targetenv.model.artifact import Kernel, Parameter
    from targetenv.model.requirement import Requirement

FORMATS = ("cubin", "ptx")
CUBIN_MACHINE = 190  # ELF's number for NVIDIA CUDA
FATBIN_MAGIC = bytes.fromhex("50ed55ba")
_PTX_HEAD = re.compile(rb"(?>\s++|//[^\n]*+|/\*.*?\*/)*+\.version\s+\d{1,3}\.\d{1,3}\s", re.DOTALL)
_PTX_HEAD_WITHIN = 1 << 16
_ATTRIBUTE = "CU_DEVICE_ATTRIBUTE_"
_THREADS = f"{_ATTRIBUTE}MAX_THREADS_PER_BLOCK"
_AXES = tuple(f"{_ATTRIBUTE}MAX_BLOCK_DIM_{axis}" for axis in "XYZ")
_SHARED = f"{_ATTRIBUTE}MAX_SHARED_MEMORY_PER_BLOCK"
_SHARED_AT_ALL, _WITHOUT_ASKING = (
    f"{_SHARED}_OPTIN",
    48 << 10,
)  # more must be asked for at launch, and only dynamic memory may be
_REGISTERS = f"{_ATTRIBUTE}MAX_REGISTERS_PER_BLOCK"
_CLUSTERS = f"{_ATTRIBUTE}CLUSTER_LAUNCH"
_WARP, _UNIT = (
    32,
    256,
)  # threads of a warp, registers that it gets at once: CUDA C++ Programming Guide, Technical Specifications


@record
class Launch:
    """What one kernel takes: threads that it must be launched with, and what each block then needs. None is "not said"."""

    threads: tuple[int, int, int] | None = None
    shared: int | None = None
    registers: int | None = None
    clusters: bool = False


def is_ptx(data: bytes | memoryview) -> bool:
    """Whether this is PTX: text whose first statement, within 64 KiB, is `.version`."""
    return _PTX_HEAD.match(bytes(data[:_PTX_HEAD_WITHIN])) is not None


def launch_limits(launches: Iterable[Launch]) -> tuple[NeedsLimit, ...]:
    """The limits that a device must offer to launch every one of these kernels; the strictest of each.

    >>> [(need.name, need.value) for need in launch_limits([Launch((256, 1, 1), 1024)])][0]
    ('CU_DEVICE_ATTRIBUTE_MAX_THREADS_PER_BLOCK', 256)
    """
    most: dict[str, int] = {}
    for launch in launches:
        needed: list[tuple[str, int]] = []
        if launch.threads is not None:
            x, y, z = launch.threads
            needed += [
                (_THREADS, x * y * z),
                *((axis, size) for axis, size in zip(_AXES, launch.threads, strict=True) if size > 1),
            ]
            if launch.registers:
                warps = -(-x * y * z // _WARP)
                needed.append((_REGISTERS, warps * (-(-launch.registers * _WARP // _UNIT) * _UNIT)))
        shared = launch.shared or 0
        needed += [(_SHARED if shared <= _WITHOUT_ASKING else _SHARED_AT_ALL, shared), (_CLUSTERS, int(launch.clusters))]
        for name, value in needed:
            most[name] = max(most.get(name, 0), value)
    return tuple(NeedsLimit(name, Relation.AT_LEAST, value) for name, value in most.items() if value > 0)


def with_launches(requires: Sequence[Requirement], kernels: Iterable[Kernel]) -> tuple[Requirement, ...]:
    """The requirements of CUDA code, and those of its kernels where a container says more of them than the code does."""
    added = {need.name: need for need in launch_limits(Launch(row.workgroup_size, row.local_memory) for row in kernels)}
    merged: list[Requirement] = []
    for need in requires:
        more = added.pop(need.name, None) if isinstance(need, NeedsLimit) else None
        merged.append(need if more is None or _value(more) < _value(need) else more)
    return (*merged, *added.values())


def _value(need: Requirement) -> int:
    return need.value if isinstance(need, NeedsLimit) and isinstance(need.value, int) else 0


def parameters_said(parameters: Iterable[Parameter], size: int) -> str:
    """`3 parameters in 68 bytes: 8 at 0, 48 at 16, 4 at 64`."""
    listed = ", ".join(f"{row.size} at {row.offset}" for row in parameters)
    count = listed.count(" at ")
    what = f"{count} parameter{'s' * (count != 1)} in {size} bytes"
    return f"{what}: {listed}" if listed else what
