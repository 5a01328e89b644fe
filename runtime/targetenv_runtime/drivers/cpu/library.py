"""Loading an image from memory as a library of its own."""

from __future__ import annotations

import ctypes
import os
from _ctypes import dlclose, dlopen, dlsym
from itertools import count

from targetenv_runtime.status import Code, HalError

_ROOT = "/proc/self/fd"
_numbers = count()


class Library:
    """A shared object, loaded privately (its symbols are nobody else's) and apart from every other load of the same bytes.

    The image never gets a name in a file system: it is written to an anonymous file (`memfd_create`), which the dynamic loader
    opens through `/proc/self/fd`. `through` is `memfd`; where the system refuses that, it is `file`: a file in the folder for
    temporary files, which is deleted as soon as it is loaded. `ranges` is code of the driver's that calls into it.
    """

    __slots__ = ("_handle", "ranges", "through")

    def __init__(self, image: bytes | memoryview, name: str) -> None:
        self.ranges: object = None
        descriptor, self.through = _stored(image, name)
        try:
            # The loader takes two equal names for the same library, even when the file behind the name is another by now.
            path = f"{_ROOT}{_spelling(next(_numbers))}{descriptor}"
            try:
                self._handle = dlopen(path, os.RTLD_NOW | os.RTLD_LOCAL)
            except OSError as error:
                reason = str(error).replace(path, name)
                raise HalError(Code.FAILED_PRECONDITION, f"the dynamic loader refuses the image: {reason}") from error
            except UnicodeDecodeError as error:  # the loader's message has a name from the image in it
                reason = error.object.decode("utf-8", "replace").replace(path, name)
                raise HalError(Code.FAILED_PRECONDITION, f"the dynamic loader refuses the image: {reason}") from error
        finally:
            os.close(descriptor)

    def address(self, symbol: str) -> int | None:
        """Where this symbol is, or None when the library exports none of that name."""
        try:
            found: int = dlsym(self._handle, symbol)
        except OSError:
            return None
        return found or None

    def words(self, symbol: str, length: int) -> tuple[int, ...] | None:
        """The first `length` 32-bit words of the data under this symbol, or None when there is no such symbol."""
        address = self.address(symbol)
        return None if address is None else tuple((ctypes.c_uint32 * length).from_address(address))

    def close(self) -> None:
        """Unload it; nothing of it may be in use."""
        dlclose(self._handle)


def _spelling(number: int) -> str:
    """A path from a folder to itself, another one for each number: `/` for a 0 bit, `/.` for a 1 bit, and a `/` at the end.

    >>> _spelling(0), _spelling(1), _spelling(6)
    ('//', '/./', '/././/')
    """
    return "".join("/" if bit == "0" else "/." for bit in f"{number:b}") + "/"


def _stored(image: bytes | memoryview, name: str) -> tuple[int, str]:
    try:
        descriptor, through = os.memfd_create(name, os.MFD_CLOEXEC), "memfd"
    except (AttributeError, OSError):
        descriptor, through = _temporary(), "file"
    try:
        rest = memoryview(image)
        while rest:
            rest = rest[os.write(descriptor, rest) :]
    except OSError as error:
        os.close(descriptor)
        raise HalError(Code.RESOURCE_EXHAUSTED, f"the image cannot be stored for loading: {error.strerror}") from error
    return descriptor, through


def _temporary() -> int:
    from tempfile import TemporaryFile  # only where memfd_create is refused

    try:
        with TemporaryFile() as file:
            return os.dup(file.fileno())
    except OSError as error:
        raise HalError(Code.FAILED_PRECONDITION, f"there is no place to load an image from: {error.strerror}") from error
