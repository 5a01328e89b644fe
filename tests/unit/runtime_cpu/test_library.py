"""Images are loaded from memory, each load apart from the others, and leave nothing behind."""

from __future__ import annotations

import ctypes
import gc
import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from targetenv_runtime.drivers.cpu.library import Library
from targetenv_runtime.status import Code, HalError

if TYPE_CHECKING:
    from collections.abc import Callable

COUNTER = """
static int value = START;
extern __attribute__((visibility("default"))) int next(void);
int next(void) { return value++; }
extern __attribute__((visibility("default"))) const unsigned start[2];
const unsigned start[2] = {START, 7};
"""


def call(library: Library, symbol: str) -> int:
    address = library.address(symbol)
    assert address is not None
    result: int = ctypes.CFUNCTYPE(ctypes.c_int)(address)()
    return result


def test_two_loads_of_the_same_bytes_share_nothing(compiled: Callable[..., bytes]) -> None:
    image = compiled(COUNTER, "-DSTART=5")
    first, second = Library(image, "counter"), Library(image, "counter")

    assert [call(first, "next"), call(first, "next"), call(second, "next")] == [5, 6, 5]
    first.close()
    assert call(second, "next") == 6
    second.close()


def test_a_load_never_gets_an_earlier_library_that_stays_in_memory(compiled: Callable[..., bytes]) -> None:
    """The dynamic loader knows libraries by name, and a file descriptor's name is soon another file's."""
    for start in range(10, 20):
        library = Library(compiled(COUNTER, f"-DSTART={start}", "-Wl,-z,nodelete"), "counter")
        assert call(library, "next") == start
        library.close()


def test_symbols_and_data_are_found_by_name(compiled: Callable[..., bytes]) -> None:
    library = Library(compiled(COUNTER, "-DSTART=3"), "counter")

    assert library.words("start", 2) == (3, 7)
    assert library.address("value") is None
    assert library.words("nosuch", 1) is None
    library.close()


def test_symbols_are_private(compiled: Callable[..., bytes]) -> None:
    library = Library(compiled(COUNTER, "-DSTART=3"), "counter")

    assert not hasattr(ctypes.CDLL(None), "next_of_counter")
    with pytest.raises(AttributeError):
        _ = ctypes.CDLL(None).start
    library.close()


def test_loading_leaves_no_descriptor_open(compiled: Callable[..., bytes]) -> None:
    image = compiled(COUNTER, "-DSTART=1")
    gc.collect()
    before = len(list(Path("/proc/self/fd").iterdir()))
    libraries = [Library(image, "counter") for _ in range(20)]

    assert len(list(Path("/proc/self/fd").iterdir())) == before
    for library in libraries:
        library.close()


def test_where_anonymous_files_are_refused_a_deleted_file_does(
    compiled: Callable[..., bytes], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def refuse(name: str, flags: int) -> int:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(os, "memfd_create", refuse)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    library = Library(compiled(COUNTER, "-DSTART=8"), "counter")

    assert library.through == "file"
    assert call(library, "next") == 8
    assert not list(tmp_path.iterdir())
    library.close()


def test_an_anonymous_file_is_the_rule(compiled: Callable[..., bytes]) -> None:
    library = Library(compiled(COUNTER, "-DSTART=8"), "counter")

    assert library.through == "memfd"
    library.close()


def test_no_place_for_the_image_is_a_failed_precondition(
    compiled: Callable[..., bytes], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def refuse(name: str, flags: int) -> int:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(os, "memfd_create", refuse)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "nowhere"))
    with pytest.raises(HalError) as error:
        Library(compiled(COUNTER, "-DSTART=8"), "counter")

    assert error.value.status is Code.FAILED_PRECONDITION


def test_what_the_loader_refuses_is_said_in_its_words(compiled: Callable[..., bytes]) -> None:
    image = compiled("int missing(void); int use(void); int use(void) { return missing(); }", "-fvisibility=default")
    with pytest.raises(HalError, match="undefined symbol: missing") as error:
        Library(image, "broken.so")

    assert error.value.status is Code.FAILED_PRECONDITION
    assert "/proc/" not in str(error.value)
    assert "broken.so" in str(error.value)
