"""Every device that the tables of targetenv name, family by family: what `resolve --gaps` asks."""

from __future__ import annotations

from itertools import product

from targetenv.match.environment import offers_of
from targetenv.model.capabilities import Capabilities
from targetenv.model.device import Device
from targetenv.model.record import replace
from targetenv.model.version import Version
from targetenv.registry import aarch64, amdgpu, cuda, npu, x86
from targetenv.resolve.gaps import Family
from targetenv.syntax import parse

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable


def families() -> tuple[Family, ...]:
    """NVIDIA's architectures, AMD's processors with each setting of their features, CPU levels, NPUs, versions of APIs."""
    numbers = sorted(cuda.architectures())
    later = 10 * (numbers[-1] // 10 + 1)  # a major capability that does not exist yet
    gpus = {
        f"sm_{number}": Capabilities("cuda", isa=f"sm_{number}", formats=frozenset({"ptx", "cubin"}), complete=False)
        for number in (*numbers, later)
    }
    ahead = gpus.pop(f"sm_{later}")
    return (
        Family("NVIDIA", _devices(gpus), _devices({f"sm_{later}": ahead})),
        Family("AMD", _devices({name: _open(name) for name in _amd()})),
        _levels("x86-64", x86.LEVELS),
        _levels("AArch64", aarch64.levels()),
        Family("AMD NPU", _devices({name: _open(name) for name in npu.aie_devices()})),
        Family("Gaudi", _devices({name: _open(name) for name in npu.habana_devices()})),
        Family("Vulkan", _devices({f"Vulkan 1.{minor}": _open(f"vulkan1.{minor}") for minor in range(5)})),
        Family("OpenCL", _devices({f"OpenCL {version}": _opencl(version) for version in ("1.2", "2.0", "2.1", "2.2", "3.0")})),
    )


def _opencl(version: str) -> Capabilities:
    return Capabilities("opencl", Version.parse(version), formats=frozenset({"opencl-c"}), complete=False)


def _amd() -> Iterable[str]:
    for row in amdgpu.processors().values():
        if not row.is_generic:
            for setting in product("+-", repeat=len(row.features)):
                yield ":".join([row.name, *(f"{name}{on}" for name, on in zip(row.features, setting, strict=True))])


def _levels(name: str, levels: Iterable[str]) -> Family:
    """CPU levels: code for one runs on every later one, so the last stands for those to come."""
    devices = _devices({level: offers_of(parse(level).env) for level in levels})
    return Family(name, devices, devices[-1:])


def _open(name: str) -> Capabilities:
    """What a name says, and nothing denied that it does not say."""
    return replace(offers_of(parse(name).env), complete=False)


def _devices(named: dict[str, Capabilities]) -> tuple[Device, ...]:
    return tuple(Device(name, name, "", offers) for name, offers in named.items())
