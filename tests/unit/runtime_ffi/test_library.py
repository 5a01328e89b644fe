"""Late-bound libraries."""

from __future__ import annotations

import ctypes
from pathlib import Path

import pytest
from targetenv_runtime.ffi.library import Library, LibraryMissing, at, function


def test_nothing_is_loaded_before_open() -> None:
    Library("anything", ("libnosuch.so.9",))


def test_a_missing_library_names_every_candidate_and_its_reason() -> None:
    with pytest.raises(LibraryMissing) as caught:
        Library("Vulkan loader", ("libnosuch.so.1", "libnosuch.so")).open()
    assert [candidate for candidate, _ in caught.value.tried] == ["libnosuch.so.1", "libnosuch.so"]
    assert all(candidate in reason for candidate, reason in caught.value.tried)
    assert caught.value.absent


def test_a_damaged_library_is_told_from_an_absent_one(tmp_path: Path) -> None:
    damaged = tmp_path / "libdamaged.so"
    damaged.write_bytes(b"\x7fELF not really")
    with pytest.raises(LibraryMissing) as caught:
        Library("damaged", (str(damaged),)).open()
    assert not caught.value.absent


def test_the_first_candidate_that_opens_is_kept() -> None:
    library = Library("C", ("libnosuch.so.1", "libc.so.6"))
    assert library.open() is library.open()


def test_functions_take_prebuilt_objects_and_return_what_was_asked() -> None:
    libc = Library("C", ("libc.so.6",)).open()
    assert function(libc, "abs")(ctypes.c_int(-7)) == 7
    text = ctypes.create_string_buffer(b"abc")
    assert function(libc, "strchr", "pointer")(text, ctypes.c_int(ord("b"))) == ctypes.addressof(text) + 1
    address = ctypes.cast(libc.abs, ctypes.c_void_p).value
    assert address is not None
    assert at(address)(ctypes.c_int(-1)) == 1


def test_an_absent_symbol_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError):
        function(Library("C", ("libc.so.6",)).open(), "no_such_function")
