"""`.npy` files without numpy: what `numpy.save` writes of plain numbers, read and written as bytes.

Source of the format: numpy.lib.format, versions 1.0 to 3.0.
"""

from __future__ import annotations

import re

from targetenv.diagnostics.diagnostic import Diagnostic, FormatError, Source

_MAGIC = b"\x93NUMPY"
_HEADER = re.compile(
    r"\{'descr': '(?P<descr>[^']*)', 'fortran_order': (?P<fortran>True|False), "
    r"'shape': \((?P<shape>(?:[0-9]{1,19}, ?)*(?:[0-9]{1,19})?)\), \} *\n?"
)
_ALIGNMENT = 64
_DTYPES = {
    "<f2": "f16", "<f4": "f32", "<f8": "f64", "|i1": "i8", "|u1": "u8", "<i2": "i16", "<u2": "u16",
    "<i4": "i32", "<u4": "u32", "<i8": "i64", "<u8": "u64", "|V2": "bf16", "<V2": "bf16",
}  # fmt: skip
_DESCRIPTIONS = {ours: descr for descr, ours in _DTYPES.items() if descr != "<V2"}


def read_npy(data: bytes, *, name: str) -> tuple[str, tuple[int, ...], memoryview]:
    """dtype, shape and the bytes of the elements in C order; FormatError (TE5210) for anything else than plain numbers."""
    if data[:6] != _MAGIC or len(data) < 10 or data[6] not in (1, 2, 3):
        raise _refused(name, "the file is not one that `numpy.save` writes")
    width = 2 if data[6] == 1 else 4
    begin = 8 + width
    end = begin + int.from_bytes(data[8:begin], "little")
    header = _HEADER.fullmatch(data[begin:end].decode("latin-1")) if end <= len(data) else None
    if header is None:
        raise _refused(name, "the file's header is damaged, or describes more than an array of plain numbers")
    dtype = _DTYPES.get(header["descr"])
    if dtype is None:
        raise _refused(name, f"the file holds elements of type `{header['descr']}`", "save numbers in the machine's byte order")
    shape = tuple(int(length) for length in header["shape"].split(",") if length.strip())
    if header["fortran"] == "True" and sum(length > 1 for length in shape) > 1:
        raise _refused(name, "the file holds an array in Fortran order", "save `numpy.ascontiguousarray(x)`")
    count = int(header["descr"][2:])
    for length in shape:
        count *= length
    if len(data) - end != count:
        raise _refused(name, f"the file holds {len(data) - end} bytes of elements, its header says {count}")
    return dtype, shape, memoryview(data)[end:]


def write_npy(dtype: str, shape: tuple[int, ...], data: bytes | bytearray | memoryview) -> bytes:
    """The file that holds this array; `numpy.load` reads it (bf16 as opaque elements of two bytes).

    >>> read_npy(write_npy("i16", (2,), b"abcd"), name="x.npy")[:2]
    ('i16', (2,))
    """
    dimensions = f"({shape[0]},)" if len(shape) == 1 else f"({', '.join(map(str, shape))})"
    header = f"{{'descr': '{_DESCRIPTIONS[dtype]}', 'fortran_order': False, 'shape': {dimensions}, }}"
    header += " " * (-(10 + len(header) + 1) % _ALIGNMENT) + "\n"
    return b"".join((_MAGIC, b"\x01\x00", len(header).to_bytes(2, "little"), header.encode("latin-1"), data))


def _refused(name: str, message: str, advice: str = "") -> FormatError:
    return FormatError(Diagnostic("TE5210", message, Source(name, ""), help=advice))
