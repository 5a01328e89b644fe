"""Files as bytes: read with a bound, written whole or not at all. On the load path, hence `os` and nothing above it."""

# pathlib would cost 5 ms of a cold run:
# ruff: noqa: PTH105, PTH108, PTH116, PTH123

from __future__ import annotations

import os
import stat

from targetenv.diagnostics.diagnostic import Diagnostic, EnvironmentFailed, FormatError, Source

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import TracebackType

LARGEST = 1 << 30  # of any file that is read whole
_MAPPED = 1 << 20


def read_bytes(path: str, *, largest: int = LARGEST) -> bytes:
    """The contents of a file, at most `largest` bytes; TE4301 says why it cannot be read."""
    try:
        descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_CLOEXEC", 0))
        with open(descriptor, "rb", buffering=0) as file:
            data = file.read(largest + 1)
            while data and len(data) <= largest and (more := file.read(largest + 1 - len(data))):
                data += more
    except (OSError, ValueError) as error:
        raise unreadable(path, error) from error
    if len(data) > largest:
        raise FormatError(Diagnostic("TE4301", f"the file has more than {largest} bytes", Source(path, "")))
    return data


def map_bytes(path: str) -> memoryview:
    """The contents of a file, of which only what is looked at is read where it is large; TE4301 as for `read_bytes`.

    A large file must not be cut off while the view is in use.
    """
    try:
        status = os.stat(path)
        whole = not stat.S_ISREG(status.st_mode) or status.st_size < _MAPPED
    except (OSError, ValueError) as error:
        raise unreadable(path, error) from error
    if whole:
        return memoryview(read_bytes(path))
    try:
        from mmap import ACCESS_READ, mmap

        with open(path, "rb", buffering=0) as file:
            return memoryview(mmap(file.fileno(), 0, access=ACCESS_READ))
    except (OSError, ValueError) as error:
        raise unreadable(path, error) from error


def unreadable(path: str, error: OSError | ValueError) -> FormatError:
    """The error for a file that could not be opened or read."""
    reason = (getattr(error, "strerror", None) or str(error)).lower()
    return FormatError(Diagnostic("TE4301", f"cannot read the file: {reason}", Source(path, "")))


class Output:
    """A file in the making: it appears under its name when the `with` block ends well, and not at all when it does not.

    A device or a pipe that already stands at `path` is written to as it is. TE4306 says why the file cannot be written.
    """

    def __init__(self, path: str) -> None:
        self.path = path
        self._temporary: str | None = None

    def __enter__(self) -> Output:
        try:
            self._descriptor = self._open()
        except (OSError, ValueError) as error:
            raise self._unwritable(error) from error
        return self

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Append `data`."""
        view = memoryview(data).cast("B")
        try:
            while view:
                view = view[os.write(self._descriptor, view) :]
        except OSError as error:
            raise self._unwritable(error) from error

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        os.close(self._descriptor)
        if self._temporary is None:
            return
        try:
            if kind is None:
                os.replace(self._temporary, self._target)
                return
        except OSError as problem:
            raise self._unwritable(problem) from problem
        finally:
            if kind is not None or os.path.lexists(self._temporary):
                os.unlink(self._temporary)

    def _open(self) -> int:
        self._target = os.path.realpath(self.path)
        flags = os.O_WRONLY | getattr(os, "O_CLOEXEC", 0)
        try:
            mode = os.stat(self._target).st_mode
        except FileNotFoundError:
            mode = stat.S_IFREG
        if stat.S_ISDIR(mode):
            raise IsADirectoryError(21, "is a directory")
        if not stat.S_ISREG(mode):
            return os.open(self._target, flags)
        temporary = f"{self._target}.{os.getpid()}.partial"
        descriptor = os.open(temporary, flags | os.O_CREAT | os.O_TRUNC, 0o666)
        self._temporary = temporary
        return descriptor

    def _unwritable(self, error: OSError | ValueError) -> EnvironmentFailed:
        reason = (getattr(error, "strerror", None) or str(error)).lower()
        return EnvironmentFailed(Diagnostic("TE4306", f"cannot write the file: {reason}", Source(self.path, "")))


def write_bytes(path: str, data: bytes | memoryview) -> None:
    """Write a whole file, or nothing."""
    with Output(path) as output:
        output.write(data)
