"""A package on a device: `load` probes, resolves and opens the device; each kernel is loaded when it is asked for."""

from __future__ import annotations

from targetenv.launch.kernel import LoadedKernel
from targetenv.launch.refusals import UnknownKernel

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from os import PathLike
    from types import TracebackType
    from typing import Literal

    from targetenv_runtime.device import Device

    from targetenv.match.enabling import EnableList
    from targetenv.model.artifact import Artifact
    from targetenv.model.device import Device as DeviceInfo
    from targetenv.resolve.choice import Choice, Resolution
    from targetenv.resolve.policy import Policy
    from targetenv.wire.package import Package, PackageFile


class Program:
    """The kernels of a package on one device: `program["saxpy"](2.0, x, y)`.

    `resolution` has every decision with its reasons, `resolution.explain()` tells it. `chosen_for` is the recorded device that
    `device` stands in for, None where it stands for itself. Close it, or use it as a context manager.
    """

    def __init__(self, file: PackageFile, device: Device, resolution: Resolution, chosen_for: DeviceInfo | None = None) -> None:
        self._file = file
        self.chosen_for = chosen_for
        self._kernels: dict[str, LoadedKernel] = {}
        self.device = device
        self.resolution = resolution

    def __repr__(self) -> str:
        return f"<program `{self.package.name}` on {self.device.uri}>"

    @property
    def package(self) -> Package:
        """What the package says about itself."""
        return self._file.package

    def __iter__(self) -> Iterator[str]:
        return (kernel.name for kernel in self.package.kernels)

    def __getitem__(self, name: str) -> LoadedKernel:
        """The kernel of this name, loaded when it is first asked for.

        UnknownKernel (TE5201) when the package has none, NoCompatibleArtifact (TE3001) when no variant of it runs here.
        """
        found = self._kernels.get(name)
        if found is None:
            found = self._kernels[name] = self._load(name)
        return found

    def explain(self, *, everything: bool = False) -> str:
        """Why each variant was chosen or not, as text; `everything` adds what is satisfied."""
        return self.resolution.explain(everything=everything)

    def choice(self, name: str) -> Choice:
        """What was chosen for a kernel on this device."""
        return next(row for row in self.resolution.choices if row.kernel == name and row.device == self._chosen_on)

    @property
    def _chosen_on(self) -> str:
        return self.device.uri if self.chosen_for is None else self.chosen_for.uri

    def close(self) -> None:
        """Finish what runs and give the device and the file back."""
        for kernel in self._kernels.values():
            kernel.close()
        self._kernels.clear()
        self.device.close()
        self._file.close()

    def __enter__(self) -> Program:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def _load(self, name: str) -> LoadedKernel:
        interface = self.package.kernel(name)
        if interface is None:
            raise unknown_kernel(name, self.package)
        chosen = self.choice(name).variant
        if chosen is None:
            from targetenv.model.record import replace
            from targetenv.resolve import require

            mine = tuple(row for row in self.resolution.ranked if row.kernel == name and row.device.uri == self._chosen_on)
            require(replace(self.resolution, ranked=mine))
        variant = next(row for row in self.package.variants if row.kernel == name and row.name == chosen)
        (kernel,) = variant.artifact(interface).kernels
        executable = self.device.load(self._file.payload(variant), variant.format, (kernel,))
        return LoadedKernel(self.device, executable.lookup(name), interface, variant)


def load(
    path: str | PathLike[str],
    *,
    device: str | None = None,
    unknown: Literal["reject", "allow"] = "reject",
    kernels: Sequence[str] | None = None,
    prefer: Sequence[str] = (),
    pin: Mapping[str, str] | None = None,
    never_jit: bool = False,
    stand_in: str | None = None,
) -> Program:
    """The package at `path`, on the device that runs most of it, ready to be called.

    `device` names one (`vulkan://0`, `cpu`); only that one is then asked. `unknown` is what to do with variants of which it is
    not known whether they run. `kernels` restricts the choice to those that are wanted. `prefer` names kinds, formats or
    variants that win where nothing else separates two, `pin` a variant for a kernel; `never_jit` leaves out what would be
    compiled now. With `stand_in` `device` is a file that describes a device: what that device would run is run on `stand_in`,
    if it can, and on nothing else.

    FormatError (TE44xx) for a damaged package, UnknownKernel (TE5201), NoCompatibleArtifact (TE3001) with every reason,
    PolicyError (TE302x) where `prefer` or `pin` names what is not there,
    EnvironmentFailed and HalError when the device or its driver do not do their part.

    >>> program = load("saxpy.tenv")  # doctest: +SKIP
    >>> y = program["saxpy"](2.0, x, y)  # doctest: +SKIP
    """
    from os import fspath

    from targetenv.wire.package import open_package

    file = open_package(fspath(path))
    try:
        from targetenv.resolve.policy import policy

        wanted = policy(prefer, pin, never_jit=never_jit)
        if stand_in is not None:
            return _in_place(file, device, _runnable(stand_in), unknown, kernels, wanted)
        return _on_device(file, device, unknown, kernels, wanted)
    except BaseException:
        file.close()
        raise


def _on_device(
    file: PackageFile,
    wanted: str | None,
    unknown: Literal["reject", "allow"],
    kernels: Sequence[str] | None,
    policy: Policy,
) -> Program:
    from targetenv_runtime.device import open_device

    from targetenv.resolve import require, resolve

    artifacts = _artifacts(file, kernels)
    if wanted is None:
        from targetenv_runtime.drivers.table import DRIVERS
        from targetenv_runtime.probing import probe_all

        devices, unavailable = probe_all([row.name for row in DRIVERS.values() if row.default and row.runs])
        resolution = require_any(resolve(artifacts, devices, unavailable=unavailable, unknown=unknown, policy=policy))
        best = _best(resolution, devices)
        enables = resolution.enables(best) if DRIVERS[best.partition(":")[0]].enables else None
        return Program(file, open_device(best, enables=enables), resolution)
    decided: list[Resolution] = []

    def choose(info: DeviceInfo) -> Resolution:
        found = resolve(artifacts, [info], unknown=unknown, policy=policy)
        if kernels is not None:
            require(found)
        decided.append(require_any(found))
        return found

    def decide(info: DeviceInfo) -> EnableList:
        """Choose, while the device is not open yet: what is chosen says what it has to be opened with."""
        return choose(info).enables(info.uri)

    device = open_device(_runnable(wanted), enables=decide)
    try:
        if not decided:  # nothing has to be enabled on this device
            choose(device.info)
        return Program(file, device, decided[0])
    except BaseException:
        device.close()
        raise


def _artifacts(file: PackageFile, kernels: Sequence[str] | None) -> dict[str, tuple[Artifact, ...]]:
    """The variants of the kernels that are wanted."""
    for name in kernels or ():
        if file.package.kernel(name) is None:
            raise unknown_kernel(name, file.package)
    return {name: rows for name, rows in file.package.artifacts().items() if kernels is None or name in kernels}


def _in_place(
    file: PackageFile,
    device: str | None,
    stand_in: str,
    unknown: Literal["reject", "allow"],
    kernels: Sequence[str] | None,
    policy: Policy,
) -> Program:
    from targetenv.launch.refusals import refused
    from targetenv.launch.stand_in import open_in_place_of, recorded

    if device is None:
        raise refused("TE5209", f"`{stand_in}` stands in for nothing", "name a file that describes a device")
    info = recorded(device)
    opened, found = open_in_place_of(info, stand_in, _artifacts(file, kernels), unknown=unknown, policy=policy)
    return Program(file, opened, found, info)


def require_any(resolution: Resolution) -> Resolution:
    """The same resolution, if anything runs anywhere; otherwise NoCompatibleArtifact (TE3001) with the reasons."""
    if not any(choice.variant is not None for choice in resolution.choices):
        from targetenv.resolve import require

        require(resolution)
    return resolution


def unknown_kernel(name: str, package: Package) -> UnknownKernel:
    """The error for a kernel that a package does not have; raise it."""
    from targetenv.diagnostics.diagnostic import Diagnostic
    from targetenv.diagnostics.suggest import did_you_mean

    known = [kernel.name for kernel in package.kernels]
    advice = did_you_mean(name, known) or f"the kernels are {', '.join(known)}"
    return UnknownKernel(Diagnostic("TE5201", f"there is no kernel `{name}`", help=advice))


def _runnable(wanted: str) -> str:
    from targetenv.launch.devices import driver_of
    from targetenv.launch.refusals import refused

    if driver_of(wanted) is None:
        advice = "name a device of this machine, such as `cpu://0`, or let one stand in for the recorded one (`--stand-in`)"
        raise refused("TE5209", f"`{wanted}` is a file: nothing can run on a description of a device", advice)
    return wanted


def _best(resolution: Resolution, devices: Sequence[DeviceInfo]) -> str:
    """The device that runs most kernels; among equals the one that is best to use."""
    from targetenv.launch.devices import in_order_of_use

    runs = {device.uri: 0 for device in devices}
    for choice in resolution.choices:
        runs[choice.device] += choice.variant is not None
    return min(devices, key=lambda device: (-runs[device.uri], in_order_of_use(device))).uri
