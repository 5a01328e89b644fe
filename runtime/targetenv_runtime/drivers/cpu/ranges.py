"""Range entries for functions that have none: those of IREE's libraries compute one workgroup a call.

On x86-64 a stub for each function puts its address in a register and goes to one loop (`range_x86_64.s`, 176 bytes) in the same
page. Where there are no native loops the entry is a Python function behind a foreign one, a foreign call a workgroup.
"""

from __future__ import annotations

import ctypes
from _ctypes import CFuncPtr
from struct import Struct

from targetenv_runtime.drivers.cpu.loops import executable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

# `as range_x86_64.s`; tests/unit/runtime_cpu/test_iree_library.py assembles it again
_X86_64 = bytes.fromhex(
    "535541544155415641574883ec284989c44989fd4889f34989d64989cf31c04d"
    "39fe737d4c89f031d28b4b0c48f7f189142431d28b4b1048f7f1895424048944"
    "2408c744240c00000000488b43304889442410488b433848894424184c89ef48"
    "89de4889e241ffd485c0753549ffc64d39fe732dff04248b04243b430c72ddc7"
    "042400000000ff4424048b4424043b431072c9c744240400000000ff442408eb"
    "bb4883c428415f415e415d415c5d5bc3"
)
_STUB = Struct("<2sQcix")  # mov rax, function; jmp to the loop; one byte of room
_STUB_END = 15

_GRID, _LOCAL_MEMORY = 12, 48  # in targetenv_dispatch_t
_WORKGROUP = Struct("<IIHHIQQ")

_Entry = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_uint64, ctypes.c_uint64)
_Function = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_void_p)


class Ranges:
    """`addresses` are range entries for the functions at these addresses, in their order, as long as this object lives."""

    __slots__ = ("_held", "addresses")

    def __init__(self, functions: Sequence[int], *, native: bool) -> None:
        self._held: object
        self.addresses: tuple[int, ...]
        if not native:
            entries = [_entry(function) for function in functions]
            self._held = entries
            self.addresses = tuple(ctypes.cast(entry, ctypes.c_void_p).value or 0 for entry in entries)
            return
        code = bytearray(_X86_64)
        for function in functions:
            code += _STUB.pack(b"\x48\xb8", function, b"\xe9", -(len(code) + _STUB_END))
        self._held, address = executable(bytes(code))
        self.addresses = tuple(range(address + len(_X86_64), address + len(code), _STUB.size))


def _entry(address: int) -> CFuncPtr:
    function = _Function(address)

    def run(environment: int, dispatch: int, first: int, last: int) -> int:
        across, down = (ctypes.c_uint32 * 2).from_address(dispatch + _GRID)
        memory, size = (ctypes.c_uint64 * 2).from_address(dispatch + _LOCAL_MEMORY)
        for number in range(first, last):
            row, x = divmod(number, across)
            z, y = divmod(row, down)
            status: int = function(environment, dispatch, _WORKGROUP.pack(x, y, z, 0, 0, memory, size))
            if status:
                return status
        return 0

    return _Entry(run)
