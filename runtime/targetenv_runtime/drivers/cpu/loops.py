"""Running many kernels in one foreign call.

A call from Python costs 0.15 us and more, a tiny kernel a tenth of that. So a recorded range of dispatches, and the share that
one thread takes of a big grid, are run by two loops of machine code (`loops_x86_64.s`, 162 bytes) in a page of their own, which
is written first, then made executable and never written again. Where a system refuses executable pages (SELinux `execmem`, a
seccomp filter), and on other machines, two Python functions do the same, a foreign call at a time.
"""

from __future__ import annotations

import ctypes
from _ctypes import FUNCFLAG_CDECL, CFuncPtr
from _thread import allocate_lock

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, TypeAlias

    Pointer: TypeAlias = Any  # what ctypes.byref returns; it has no public name
    Records: TypeAlias = Callable[[Pointer], int]
    Share: TypeAlias = Callable[[Pointer, ctypes.c_void_p], int]

# `as loops_x86_64.s`; tests/unit/runtime_cpu/test_loops.py assembles it again
_X86_64 = bytes.fromhex(
    "53415441554c8b27488d5f084531ed4d85e47422488b7b08488b7310488b5318"
    "488b4b20ff1385c075104883c32849ffc54d39e572de31c0eb0989c049c1e520"
    "4c09e8415d415c5bc3cccccccccccccc5341544883ec084889fb4989f4488b53"
    "084889d0f0480fc103488b4b104839c873264801c24839ca480f42ca4889c24c"
    "89e6488b7b20ff531885c074d0488b4b1048890b89c0eb0231c04883c408415c"
    "5bc3"
)
_SHARE_OFFSET = 80
_READ_WRITE, _READ_EXECUTE = 3, 5  # PROT_*

_claim = allocate_lock()

RECORD_WORDS = 5  # function, environment, dispatch, first, last


class _Word(CFuncPtr):
    """A C function without declared arguments that returns 64 bits; the GIL is released while it runs."""

    _flags_ = FUNCFLAG_CDECL
    _restype_ = ctypes.c_uint64


class _Status(CFuncPtr):
    _flags_ = FUNCFLAG_CDECL
    _restype_ = ctypes.c_int


class Loops:
    """The two loops. `native` says whether they are machine code; if not, `reason` says why.

    `records(byref(block))` runs the records behind a count, in order: 0, or the index of the record whose kernel failed in the
    upper and what it returned in the lower 32 bits. `share(byref(work), c_void_p(dispatch))` takes `step` workgroups at a time
    from `work` (next, step, total, function, environment) until none are left, beside any number of other threads: 0, or what
    a kernel returned.
    """

    __slots__ = ("_page", "native", "reason", "records", "share")

    def __init__(self, *, machine: str) -> None:
        self._page: object = None
        self.reason = ""
        self.records: Records = run_records
        self.share: Share = run_share
        if machine != "x86_64":
            self.reason = f"there are no native loops for {machine}"
        else:
            try:
                self._page, address = executable(_X86_64)
            except OSError as error:
                self.reason = f"the system refuses executable pages: {error}"
            else:
                self.records = _Word(address)
                self.share = _Word(address + _SHARE_OFFSET)
        self.native = not self.reason


def executable(code: bytes) -> tuple[object, int]:
    """Pages with this code, readable and executable, and their address; OSError where that is refused.

    The first value owns the pages.
    """
    import mmap

    page = mmap.mmap(-1, len(code), prot=_READ_WRITE, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    page.write(code)
    address = ctypes.addressof(ctypes.c_char.from_buffer(page))
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.mprotect(ctypes.c_void_p(address), ctypes.c_size_t(len(code)), _READ_EXECUTE) != 0:
        import os

        number = ctypes.get_errno()
        page.close()
        raise OSError(number, os.strerror(number))
    return page, address


def run_records(block: Pointer) -> int:
    """`Loops.records` in Python."""
    words = _words(block)
    for index in range(words[0]):
        function, environment, dispatch, first, last = words[1 + RECORD_WORDS * index : 1 + RECORD_WORDS * (index + 1)]
        status = _range(function, environment, dispatch, first, last)
        if status:
            return index << 32 | status & 0xFFFFFFFF
    return 0


def run_share(work: Pointer, dispatch: ctypes.c_void_p) -> int:
    """`Loops.share` in Python, a lock in the place of an atomic addition."""
    state = work._obj
    _, step, total, function, environment = state
    while True:
        with _claim:
            first = state[0]
            state[0] = first + step
        if first >= total:
            return 0
        status = _range(function, environment, dispatch.value or 0, first, min(first + step, total))
        if status:
            state[0] = total
            return int(status) & 0xFFFFFFFF


def _range(function: int, environment: int, dispatch: int, first: int, last: int) -> int:
    status: int = _Status(function)(
        ctypes.c_void_p(environment), ctypes.c_void_p(dispatch), ctypes.c_uint64(first), ctypes.c_uint64(last)
    )
    return status


def _words(block: Pointer) -> memoryview:
    return memoryview(block._obj).cast("B").cast("Q")
