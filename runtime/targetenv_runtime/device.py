"""Opening devices by URI, and the handle on an open one."""

from __future__ import annotations

from targetenv.diagnostics.suggest import did_you_mean
from targetenv_runtime import executable
from targetenv_runtime.drivers import table
from targetenv_runtime.ownership import Ownership
from targetenv_runtime.queue import Queue
from targetenv_runtime.reclaim import DRAIN
from targetenv_runtime.semaphore import Semaphore
from targetenv_runtime.status import Code, HalError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from mmap import mmap
    from typing import Any

    import numpy as np

    from targetenv.match.enabling import EnableList
    from targetenv.model.artifact import Kernel
    from targetenv.model.device import Device as DeviceInfo
    from targetenv_runtime.backend import Backend, Memory
    from targetenv_runtime.buffer import Buffer
    from targetenv_runtime.checks import Checks
    from targetenv_runtime.command_buffer import CommandBuffer
    from targetenv_runtime.executable import Executable
    from targetenv_runtime.profile import Profile


def _checks() -> Checks:
    from targetenv_runtime.checks import Checks  # for who asks for them

    return Checks()


class Device:
    """An open device. It is closed by `close`, at the end of `with`, or when it and all its children are gone."""

    __slots__ = ("__weakref__", "_info", "backend", "owner", "queues", "uri")

    def __init__(self, backend: Backend, *, checks: bool = False) -> None:
        self.backend = backend
        self.owner = Ownership(backend, _checks() if checks else None)
        self.queues = tuple(Queue(self.owner, index) for index in range(backend.queue_count))
        self.uri = backend.uri
        self._info: DeviceInfo | None = None

    def __repr__(self) -> str:
        return f"<Device {self.uri}>"

    def __enter__(self) -> Device:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def info(self) -> DeviceInfo:
        """What the device is and offers; asked for once, when somebody wants to know."""
        if self._info is None:
            self._info = self.backend.describe()
        return self._info

    @property
    def queue(self) -> Queue:
        """The first queue."""
        return self.queues[0]

    def allocate(self, size: int, memory: Memory = "shared") -> Buffer:
        """A buffer of `size` bytes with undefined contents.

        `device` memory is best for kernels and may be out of the host's sight, `host` memory is the host's own and within the
        device's reach, `shared` is reachable by both and as close to the device as that allows.
        """
        return self.owner.allocate(size, memory)

    def import_host(
        self, memory: bytearray | memoryview | mmap | np.ndarray[Any, Any], release: Callable[[], object] | None = None
    ) -> Buffer:
        """The host's own memory as a buffer, nothing copied: any writable, contiguous object with a buffer interface.

        It is kept until the last view and the last work are done with it; then `release` is called, once. UNIMPLEMENTED and
        INVALID_ARGUMENT where the device cannot reach it.
        """
        view: memoryview = memoryview(memory)  # type: ignore[arg-type]  # numpy's arrays have the interface
        if view.readonly or not view.c_contiguous:
            raise HalError(Code.INVALID_ARGUMENT, "only memory that is contiguous and may be written can be a buffer")
        view = view.cast("B")
        buffer = self.owner.reserve(len(view), "host")
        buffer.commit(self.owner.imported(view, release))
        return buffer

    def trim(self) -> None:
        """Give back memory that is only kept for later: the pool's (see `Queue.alloca`) and the driver's."""
        self.owner.trim()

    def profile(self) -> Profile:
        """A context in which every operation is timed; see `Profile`."""
        from targetenv_runtime.profile import Profile  # for those who measure

        return Profile(self.owner)

    def semaphore(self, initial: int = 0) -> Semaphore:
        """A timeline; any device can use it."""
        return Semaphore(initial)

    def command_buffer(self, *, slots: int = 0, one_shot: bool = False, auto_barriers: bool = False) -> CommandBuffer:
        """A new command buffer, with so many buffers left open for its execution; see `CommandBuffer`."""
        from targetenv_runtime.command_buffer import CommandBuffer  # not for who only runs kernels

        return CommandBuffer(self.owner, slots=slots, one_shot=one_shot, auto_barriers=auto_barriers)

    def takes(self, image_format: str) -> bool:
        """Whether `load` knows this format."""
        return self.backend.takes(image_format)

    def load(self, image: bytes | memoryview, image_format: str, kernels: Sequence[Kernel] = ()) -> Executable:
        """Load an executable whose kernels are described; choosing one that fits the device is the resolver's job."""
        return executable.load(self.owner, image, image_format, kernels)

    def close(self, timeout: float = DRAIN) -> None:
        """Refuse new work, cancel what is held back, finish what was submitted, give everything back. May be called again."""
        self.owner.close(timeout)


def open_device(
    uri: str,
    *,
    extensions: Iterable[str] | None = None,
    features: Iterable[str] | None = None,
    enables: EnableList | Callable[[DeviceInfo], EnableList] | None = None,
    checks: bool = False,
    **options: object,
) -> Device:
    """Open `driver://ordinal`, `driver://ID` or `driver` (its first device).

    `extensions` and `features` are what has to be enabled, in canonical names; None leaves it to the driver. `enables` gives
    both instead, to drivers whose devices have anything to enable; a function is asked when the device is found, before it is
    opened. With `checks` new memory is filled with 0xCD, the host is kept from buffers that submitted work may still write, and
    command buffers are searched for commands that need an order and have none: for finding mistakes, and slow. Other options
    are the driver's own.

    NOT_FOUND says what exists and what was perhaps meant, UNAVAILABLE why the driver has no devices here.

    >>> with open_device("null://0") as device:
    ...     device.info.name
    'null: executes nothing'
    """
    name, separator, selector = uri.partition("://")
    if not name or (not separator and not name.replace("_", "").isalnum()):
        raise HalError(
            Code.INVALID_ARGUMENT,
            f"`{uri}` is not a device: expected `driver://ordinal` or `driver://ID`",
            help=f"name one of the drivers {', '.join(table.DRIVERS)}, for example `cpu://0`",
        )
    row = table.driver(name)
    module = row.backend()
    chosen: dict[str, object] = {
        key: tuple(value) for key, value in (("extensions", extensions), ("features", features)) if value is not None
    }
    if enables is not None and row.enables:
        chosen["enables"] = enables
    _require_options(row.name, module.open, options)
    try:
        backend = module.open(selector, **chosen, **options)
    except HalError as error:
        if error.status is not Code.NOT_FOUND:
            raise
        raise _not_found(row, uri, selector, error) from error
    return Device(backend, checks=checks)


def _require_options(driver: str, opening: Callable[..., Backend], options: Mapping[str, object]) -> None:
    """INVALID_ARGUMENT for an option that the driver does not have; one that takes any has to look for itself."""
    known: Mapping[str, object] = getattr(opening, "__kwdefaults__", None) or {}
    unknown = options.keys() - known.keys()
    if unknown and known:
        own = ", ".join(f"`{name}`" for name in known if name not in ("extensions", "features", "enables", "library"))
        raise HalError(
            Code.INVALID_ARGUMENT,
            f"the {driver} driver has no option `{min(unknown)}`",
            notes=(f"it has {own or 'none'}",),
            help=did_you_mean(min(unknown), known),
        )


def _not_found(row: table.Driver, uri: str, selector: str, error: HalError) -> HalError:
    """The driver's answer, with everything that it has instead."""
    devices, unavailable = row.probe().probe()
    if not devices and unavailable:
        return HalError(
            Code.UNAVAILABLE, f"{row.name} has no device here: {unavailable[0].reason}", help=unavailable[0].help, device=uri
        )
    names: dict[str, str] = {}
    for device in devices:
        names[device.uri.partition("://")[2]] = device.uri
        names |= {value: device.uri for key, value in device.identity if key in ("uuid", "deviceUUID", "pci", "id")}
    there = "; ".join(f"{device.uri} ({device.name})" for device in devices) or "no device"
    hint = did_you_mean(selector, names) or (f"use `{devices[0].uri}`" if devices else "")
    return HalError(Code.NOT_FOUND, f"no device `{uri}`: {error.message}", notes=(f"{row.name} has {there}",), help=hint)
