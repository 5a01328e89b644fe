"""The drivers: which there are, and where their code is. Nothing of a driver is imported before it is used."""

from __future__ import annotations

from importlib import import_module

from targetenv.diagnostics.suggest import did_you_mean
from targetenv.model.record import record
from targetenv_runtime.status import Code, HalError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Protocol

    from targetenv.model.device import Device, Unavailable
    from targetenv_runtime.backend import Backend

    class Probing(Protocol):
        """A driver's `probe.py`."""

        def probe(self) -> tuple[list[Device], list[Unavailable]]:
            """Every device of this driver, and why there are none or not more. Never raises for absence."""

    class Opening(Protocol):
        """A driver's `backend.py`."""

        def open(self, selector: str, **options: object) -> Backend:
            """An open device; see `Backend`."""


@record
class Driver:
    """One row: the driver's name, its package, what it drives, whether commands ask it without being told to.

    `runs` says whether there is a backend yet; a driver without one can be probed only. `enables` says whether features and
    extensions are switched on when a device is opened.
    """

    name: str
    package: str
    drives: str
    default: bool = True
    runs: bool = True
    enables: bool = False

    def probe(self) -> Probing:
        """The driver's prober."""
        return import_module(f"{self.package}.probe")

    def backend(self) -> Opening:
        """The driver's backend; UNIMPLEMENTED where there is none."""
        if not self.runs:
            raise HalError(
                Code.UNIMPLEMENTED, f"the {self.name} driver finds devices but runs nothing yet", help="use another driver"
            )
        return import_module(f"{self.package}.backend")


_HERE = "targetenv_runtime.drivers"

DRIVERS: dict[str, Driver] = {
    row.name: row
    for row in (
        Driver("null", f"{_HERE}.null", "nothing: accepts all work and executes none", default=False),
        Driver("host", f"{_HERE}.host", "this process: kernels are Python callables", default=False),
        Driver("cpu", f"{_HERE}.cpu", "this machine's processor, through shared objects"),
        Driver("vulkan", f"{_HERE}.vulkan", "Vulkan devices, through the system's loader", enables=True),
        Driver("cuda", f"{_HERE}.cuda", "NVIDIA GPUs, through libcuda", runs=False),
        Driver("hip", f"{_HERE}.hip", "AMD GPUs, through libamdhip64", runs=False),
        Driver("opencl", f"{_HERE}.opencl", "OpenCL devices, through the ICD loader"),
        Driver("amdxdna", f"{_HERE}.amdxdna", "AMD NPUs, through /dev/accel", runs=False),
        Driver("habana", f"{_HERE}.habana", "Intel Gaudi, through /dev/accel", runs=False),
    )
}


def default() -> list[Driver]:
    """The drivers that are asked when nobody names one."""
    return [row for row in DRIVERS.values() if row.default]


def driver(name: str) -> Driver:
    """The row of this name; NOT_FOUND with what there is."""
    row = DRIVERS.get(name)
    if row is None:
        raise HalError(
            Code.NOT_FOUND, f"no driver `{name}`", notes=(f"there are {', '.join(DRIVERS)}",), help=did_you_mean(name, DRIVERS)
        )
    return row
