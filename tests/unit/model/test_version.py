"""Versions are ordered by their integers, as the rest of the world orders them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from packaging.version import Version as Oracle

from targetenv.model.version import Version

parts = st.integers(min_value=0, max_value=4095)
versions = st.builds(Version, parts, parts, parts)


@given(versions, versions)
def test_the_order_is_that_of_packaging(one: Version, other: Version) -> None:
    theirs = Oracle(f"{one.major}.{one.minor}.{one.patch}"), Oracle(f"{other.major}.{other.minor}.{other.patch}")
    assert (one < other, one <= other, one > other, one >= other, one == other) == (
        theirs[0] < theirs[1],
        theirs[0] <= theirs[1],
        theirs[0] > theirs[1],
        theirs[0] >= theirs[1],
        theirs[0] == theirs[1],
    )


@given(versions)
def test_what_is_printed_reads_back(version: Version) -> None:
    assert Version.parse(str(version)) == version


@given(st.integers(0, 7), st.integers(0, 127), st.integers(0, 1023), st.integers(0, 4095))
def test_a_packed_vulkan_version_unpacks_whatever_its_variant(variant: int, major: int, minor: int, patch: int) -> None:
    assert Version.unpack_vulkan(variant << 29 | major << 22 | minor << 12 | patch) == Version(major, minor, patch)


@pytest.mark.parametrize("text", ["", "v", "1.", ".1", "1.2.3.4", "1.2-rc1", "one", "1 .2", "-1", "1.3\n", "1" * 10])
def test_what_is_no_version_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="not a version"):
        Version.parse(text)


@pytest.mark.parametrize(("text", "parts"), [("1", (1, 0, 0)), ("v1.3", (1, 3, 0)), ("1.3.9", (1, 3, 9)), ("01.02", (1, 2, 0))])
def test_short_and_prefixed_forms_are_read(text: str, parts: tuple[int, int, int]) -> None:
    assert Version.parse(text).key == parts
