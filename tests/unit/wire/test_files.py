"""Outputs appear whole or not at all."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from targetenv.diagnostics.diagnostic import EnvironmentFailed, FormatError
from targetenv.wire.files import Output, read_bytes, write_bytes


def test_what_is_written_is_read_back(tmp_path: Path) -> None:
    path = tmp_path / "out"
    write_bytes(str(path), b"new")
    assert read_bytes(str(path)) == b"new"
    assert [entry.name for entry in tmp_path.iterdir()] == ["out"]


@pytest.mark.parametrize("interruption", [RuntimeError, KeyboardInterrupt])
def test_an_interrupted_write_leaves_the_old_file_and_nothing_else(tmp_path: Path, interruption: type[BaseException]) -> None:
    path = tmp_path / "out"
    path.write_bytes(b"old")

    def work() -> None:
        with Output(str(path)) as output:
            output.write(b"half")
            raise interruption

    with pytest.raises(interruption):
        work()
    assert path.read_bytes() == b"old"
    assert [entry.name for entry in tmp_path.iterdir()] == ["out"]


def test_an_unwritable_place_is_a_diagnostic(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "no" / "folder", "nul\0byte"):
        with pytest.raises(EnvironmentFailed) as caught:
            write_bytes(str(path), b"x")
        assert caught.value.code == "TE4306"
    assert not list(tmp_path.iterdir())


def test_devices_are_written_to_as_they_are() -> None:
    write_bytes(os.devnull, b"x")
    assert stat.S_ISCHR(Path(os.devnull).stat().st_mode)


def test_a_symbolic_link_stays_one(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to("real")
    write_bytes(str(tmp_path / "link"), b"x")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "real").read_bytes() == b"x"


def test_the_umask_is_obeyed(tmp_path: Path) -> None:
    before = os.umask(0o027)
    try:
        write_bytes(str(tmp_path / "out"), b"x")
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "out").stat().st_mode) == 0o640


def test_a_file_larger_than_the_bound_is_refused(tmp_path: Path) -> None:
    (tmp_path / "big").write_bytes(bytes(101))
    with pytest.raises(FormatError) as caught:
        read_bytes(str(tmp_path / "big"), largest=100)
    assert caught.value.code == "TE4301"
