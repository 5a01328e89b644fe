"""`.npy` files are read and written as numpy does, and everything else is refused."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from targetenv.diagnostics.diagnostic import FormatError
from targetenv.wire.npy import read_npy, write_npy

DTYPES = {"f16": "<f2", "f32": "<f4", "f64": "<f8", "i8": "|i1", "u8": "|u1", "i16": "<i2", "u32": "<u4", "i64": "<i8"}


def _saved(array: Any, **options: Any) -> bytes:
    out = io.BytesIO()
    np.lib.format.write_array(out, np.asarray(array), **options)
    return out.getvalue()


@given(st.sampled_from(sorted(DTYPES)), st.lists(st.integers(0, 4), max_size=4))
def test_numpy_and_this_write_the_same_file(dtype: str, shape: list[int]) -> None:
    array = np.arange(int(np.prod(shape)), dtype=DTYPES[dtype]).reshape(shape)
    data = write_npy(dtype, tuple(shape), array.tobytes())
    assert data == _saved(array, version=(1, 0))
    found = read_npy(data, name="x.npy")
    assert (found[0], found[1], bytes(found[2])) == (dtype, tuple(shape), array.tobytes())


def test_newer_versions_of_the_format_are_read() -> None:
    for version in ((2, 0), (3, 0)):
        assert read_npy(_saved(np.ones(3, np.float32), version=version), name="x")[:2] == ("f32", (3,))


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"junk",
        b"\x93NUMPY",
        b"\x93NUMPY\x01\x00\xff\xff{}",
        _saved(np.ones(3))[:-1],
        _saved(np.ones(3)) + b"x",
        _saved(np.ones(3, ">f4")),
        _saved(np.ones(3, np.complex64)),
        _saved(np.array(["a"])),
        _saved(np.array([("a", 1)], dtype=[("x", "U1"), ("y", "i4")])),
        _saved(np.asfortranarray(np.ones((2, 3)))),
        b"\x93NUMPY\x01\x00\x76\x00"
        + b"{'descr': '<f4', 'fortran_order': False, 'shape': (999999999999999999999,), }".ljust(118),
        b"\x93NUMPY\x01\x00\x76\x00" + b"{'descr': '<f4', 'fortran_order': False, 'shape': (0 3,), }".ljust(118),
        b"\x93NUMPY\x01\x00\x76\x00" + b"__import__('os').system('true')".ljust(118),
    ],
)
def test_other_files_are_refused(data: bytes) -> None:
    with pytest.raises(FormatError) as caught:
        read_npy(data, name="x.npy")
    assert caught.value.code == "TE5210"
