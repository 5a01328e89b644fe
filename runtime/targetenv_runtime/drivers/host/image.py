"""Executables of the host driver: callables of this process, never text, so that no file can bring code in this way."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import TypeAlias

    Grid: TypeAlias = tuple[int, int, int]
    Kernel: TypeAlias = Callable[[Grid, Grid, Sequence[memoryview], bytes], object]

FORMAT = "python"


class PythonImage(bytes):
    """Kernels by name, in the shape of an image. The bytes say nothing; a copy of them loads nothing.

    A kernel is called once per workgroup with its (x, y, z), the grid's, the bindings as writable bytes, and the constants:

    >>> def negate(workgroup, grid, bindings, constants):
    ...     source, target = (binding.cast("f") for binding in bindings)
    ...     target[workgroup[0]] = -source[workgroup[0]]
    >>> PythonImage.of(negate=negate).kernels["negate"] is negate
    True
    """

    kernels: dict[str, Kernel]

    @classmethod
    def of(cls, **kernels: Kernel) -> PythonImage:
        """An image of these callables."""
        image = cls(b"targetenv python kernels: " + ", ".join(kernels).encode())
        image.kernels = kernels
        return image
