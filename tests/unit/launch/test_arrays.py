"""Numbers become the bytes that numpy makes of them."""

from __future__ import annotations

import math
import struct

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from targetenv.launch.arrays import Array, pack_number, unpack_numbers
from targetenv.launch.refusals import CallError

NUMPY = {"f16": "<f2", "f32": "<f4", "f64": "<f8", "i8": "i1", "u16": "<u2", "i32": "<i4", "u64": "<u8"}


@pytest.mark.parametrize(("dtype", "numpy"), NUMPY.items())
def test_a_number_has_the_bytes_that_numpy_gives_it(dtype: str, numpy: str) -> None:
    for value in (0, 1, 100, 127):
        packed = pack_number(value, dtype, name="x")
        assert packed == np.array(value, numpy).tobytes()
        assert unpack_numbers(Array(dtype, (1,), packed), 5) == (value,)


@given(st.floats(width=32))
def test_bf16_is_the_nearest_one_ties_to_even(value: float) -> None:
    packed = pack_number(value, "bf16", name="x")
    (back,) = unpack_numbers(Array("bf16", (1,), packed), 1)
    if math.isnan(value):
        assert math.isnan(back)
        return
    (bits,) = struct.unpack("<I", struct.pack("<f", value))
    below, above = bits & 0xFFFF0000, (bits & 0xFFFF0000) + 0x10000
    (got,) = struct.unpack("<I", struct.pack("<f", back)) if not math.isinf(back) else (above if bits & 0xFFFF else below,)
    assert got in (below, above)
    if bits & 0xFFFF != 0x8000 and not math.isinf(back):
        assert got == (above if bits & 0xFFFF > 0x8000 else below)


@pytest.mark.parametrize(
    ("value", "dtype"),
    [(256, "u8"), (-1, "u32"), (1.5, "i32"), (1e39, "f32"), (70000.0, "f16"), (1 << 5000, "i64"), (math.nan, "i8")],
)
def test_a_number_that_does_not_fit_is_refused(value: float, dtype: str) -> None:
    with pytest.raises(CallError) as caught:
        pack_number(value, dtype, name="x")
    assert caught.value.code == "TE5212"
    assert len(str(caught.value)) < 300
