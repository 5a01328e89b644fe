"""A shared library that is opened when it is needed, and that says what was tried when it cannot be.

Functions come without `argtypes`: a ctypes call with prebuilt objects and no declared arguments takes 0.2 us where the same
call with `argtypes` and Python integers takes 0.45 us. The price is a rule: without `argtypes` a Python int is passed as a C
`int`, so pointers, handles and other 64-bit values must be `c_void_p`, `c_uint64`, `byref(...)` or an array, never a bare int.
"""

from __future__ import annotations

import ctypes
from _ctypes import FUNCFLAG_CDECL, CFuncPtr

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, TypeAlias

    Native: TypeAlias = Callable[..., Any]


class LibraryMissing(OSError):
    """No candidate of a library could be opened. `tried` has each candidate with the dynamic loader's reason, in order."""

    def __init__(self, name: str, tried: tuple[tuple[str, str], ...]) -> None:
        super().__init__(f"no {name} library: " + "; ".join(reason for _, reason in tried))
        self.name = name
        self.tried = tried

    @property
    def absent(self) -> bool:
        """Whether every candidate is simply not there; otherwise one is there and could not be loaded."""
        return all("No such file" in reason for _, reason in self.tried)


class Library:
    """A shared library under one of several file names; nothing is loaded before `open`.

    >>> libc = Library("C", ("libc.so.6",))
    >>> function(libc.open(), "abs")(-3)
    3
    >>> Library("Vulkan loader", ("libnosuch.so.1",)).open()
    Traceback (most recent call last):
    ...
    targetenv_runtime.ffi.library.LibraryMissing: no Vulkan loader library: libnosuch.so.1: cannot open shared object file: ...
    """

    __slots__ = ("_handle", "candidates", "name")

    def __init__(self, name: str, candidates: tuple[str, ...]) -> None:
        self.name = name
        self.candidates = candidates
        self._handle: ctypes.CDLL | None = None

    def open(self) -> ctypes.CDLL:
        """The library, loaded once; LibraryMissing when no candidate can be."""
        if self._handle is None:
            tried: list[tuple[str, str]] = []
            for candidate in self.candidates:
                try:
                    self._handle = ctypes.CDLL(candidate)
                    break
                except OSError as error:
                    reason = str(error)
                    tried.append((candidate, reason if candidate in reason else f"{candidate}: {reason}"))
            else:
                raise LibraryMissing(self.name, tuple(tried))
        return self._handle


# `CFUNCTYPE(c_int)` would do, but its empty `argtypes` cost 45 ns a call; these classes have none, as CDLL's own functions.
class _Int(CFuncPtr):
    _flags_ = FUNCFLAG_CDECL  # the GIL is released during the call
    _restype_ = ctypes.c_int


class _Void(CFuncPtr):
    _flags_ = FUNCFLAG_CDECL
    _restype_ = None


class _Pointer(CFuncPtr):
    _flags_ = FUNCFLAG_CDECL
    _restype_ = ctypes.c_void_p


_SHAPES: dict[str, type[CFuncPtr]] = {"int": _Int, "void": _Void, "pointer": _Pointer}


def function(library: ctypes.CDLL, name: str, returns: str = "int") -> Native:
    """The function exported as `name`; AttributeError where the library has no such symbol. `returns` as in `at`."""
    return at(ctypes.cast(getattr(library, name), ctypes.c_void_p).value or 0, returns)


def at(address: int, returns: str = "int") -> Native:
    """The function at an address, without declared arguments. `returns` is `int` (32 bits, signed), `void` or `pointer`."""
    return _SHAPES[returns](address)
