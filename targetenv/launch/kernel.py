"""A kernel of a program: called with numbers and arrays, it runs on the program's device and gives arrays back."""

from __future__ import annotations

from targetenv.launch.arguments import prepare
from targetenv.launch.arrays import Array

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

    from targetenv_runtime.buffer import Buffer
    from targetenv_runtime.device import Device
    from targetenv_runtime.executable import Function

    from targetenv.launch.arguments import Prepared
    from targetenv.launch.arrays import Scalar
    from targetenv.launch.numpy_arguments import Frames
    from targetenv.wire.package import PackagedKernel, Variant


class Call:
    """One call with all its arguments in place: `run` it, as often as wanted, then read the `outputs`.

    A `readwrite` buffer goes on from what the run before left in it.
    """

    def __init__(self, device: Device, function: Function, prepared: Prepared) -> None:
        self._prepared = prepared
        self._buffers = [_buffer(device, slot.size, slot.given) for slot in prepared.buffers]
        self._bound = function.bind(prepared.grid, self._buffers, prepared.constants)

    def run(self) -> None:
        """Run the kernel to its end; HalError says what went wrong."""
        self._bound.run()

    def outputs(self) -> dict[str, Array]:
        """Copies of the buffers that the kernel writes, in their order."""
        pairs = zip(self._prepared.buffers, self._buffers, strict=True)
        return {
            slot.binding.name: Array(slot.dtype, slot.shape, buffer.read())
            for slot, buffer in pairs
            if slot.binding.access != "read"
        }

    def close(self) -> None:
        """Give the buffers back."""
        for buffer in self._buffers:
            buffer.close()


class LoadedKernel:
    """One kernel on one device, in the variant that was chosen for it."""

    def __init__(self, device: Device, function: Function, interface: PackagedKernel, variant: Variant) -> None:
        self.device = device
        self.function = function
        self.interface = interface
        self.variant = variant
        self._frames: Frames | None = None

    def __repr__(self) -> str:
        return f"<kernel `{self.interface.name}` as {self.variant.name} on {self.device.uri}>"

    def prepare(self, scalars: Mapping[str, Scalar], arrays: Mapping[str, Array], *, grid: Sequence[int] | None = None) -> Call:
        """Check the arguments, give them memory on the device, and be ready to run; CallError (TE52xx) when they do not fit.

        `grid` counts elements; it is needed only where the package does not say it, and overrides what it says.
        """
        return Call(self.device, self.function, prepare(self.interface, self.variant, scalars, arrays, grid))

    def __call__(self, *arguments: Any, grid: Sequence[int] | None = None, **named: Any) -> Any:
        """Call it with numbers and numpy arrays, in the order of its parameters or by name.

        What is passed: constants that do not follow from shapes, then the buffers that are read. What comes back: a new array
        for the one buffer that is written, or a tuple of them. No argument is changed. Memory on the device is kept for the
        next call with arrays of the same shapes.
        """
        if self._frames is None:
            from targetenv.launch.numpy_arguments import Frames  # numpy: only when a kernel is called with arrays

            self._frames = Frames(self)
        return self._frames.call(arguments, named, grid)

    async def later(self, *arguments: Any, grid: Sequence[int] | None = None, **named: Any) -> Any:
        """The same call for an event loop: `y = await program["saxpy"].later(2.0, x, y)`.

        The kernel is submitted before the first wait, so that calls that are gathered run side by side. No thread waits for any
        of them. On a device that works in the caller's thread (cpu) the kernel is done when there is something to await.
        """
        if self._frames is None:
            from targetenv.launch.numpy_arguments import Frames

            self._frames = Frames(self)
        return await self._frames.later(arguments, named, grid)

    def close(self) -> None:
        """Give the memory back that waits for further calls."""
        if self._frames is not None:
            self._frames.close()


def _buffer(device: Device, size: int, given: Array | None) -> Buffer:
    """Memory with the input in it; memory that is only written starts as zeros, so that results never show what was there."""
    buffer = device.allocate(size)
    if size:
        buffer.write(bytes(size) if given is None else given.data)
    return buffer
