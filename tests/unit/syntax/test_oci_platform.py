"""Platforms of container images."""

from __future__ import annotations

import pytest

from targetenv.diagnostics.diagnostic import ParseError
from targetenv.syntax import parse, render


@pytest.mark.parametrize(
    ("text", "canonical", "isa"),
    [
        ("linux/amd64", "linux/amd64", "x86-64"),
        ("linux/x86_64/v3", "linux/amd64/v3", "x86-64-v3"),
        ("linux/amd64/v1", "linux/amd64", "x86-64"),
        ("linux/aarch64", "linux/arm64", "armv8-a"),
        ("linux/arm64/v8", "linux/arm64", "armv8-a"),
        ("linux/arm64/8.2", "linux/arm64/v8.2", "armv8.2-a"),
        ("linux/arm64/v9.0", "linux/arm64/v9", "armv9-a"),
        ("linux/armhf", "linux/arm/v7", "armv7"),
        ("Linux/ARM", "linux/arm/v7", "armv7"),
        ("macos/arm64", "darwin/arm64", "armv8-a"),
        ("windows(10.0.17763)/amd64", "windows(10.0.17763)/amd64", "x86-64"),
        ("linux/riscv64", "linux/riscv64", "riscv64"),
    ],
)
def test_a_platform_is_normalised(text: str, canonical: str, isa: str) -> None:
    parsed = parse(text)
    assert (parsed.dialect, parsed.canonical, parsed.env.offers.isa) == ("oci", canonical, isa)
    assert parse(canonical).env == parsed.env


@pytest.mark.parametrize(
    ("text", "platform"),
    [
        ("x86-64-v3", "linux/amd64/v3"),
        ("armv8-a", "linux/arm64"),
        ("armv8.2-a", "linux/arm64/v8.2"),
        ("x86_64-unknown-linux-gnu", "linux/amd64"),
    ],
)
def test_cpus_have_a_platform(text: str, platform: str) -> None:
    assert render(parse(text), "oci").text == platform


def test_features_beyond_the_level_are_a_loss() -> None:
    rendered = render(parse("x86-64-v2,+avx"), "oci")
    assert (rendered.text, rendered.losses) == ("linux/amd64/v2", ("features beyond the level: avx",))


@pytest.mark.parametrize(
    ("text", "place"), [("linux/amd46", "amd46"), ("linx/amd64", "linx"), ("linux/amd64/v5", "v5"), ("linux/arm64/v10", "v10")]
)
def test_mistakes_are_pointed_at(text: str, place: str) -> None:
    with pytest.raises(ParseError) as caught:
        parse(text)
    (diagnostic,) = caught.value.diagnostics
    assert diagnostic.span is not None
    assert (diagnostic.code, diagnostic.span.of(text)) == ("TE1213", place)


def test_what_is_no_cpu_has_no_platform() -> None:
    with pytest.raises(ParseError) as caught:
        render(parse("sm_90"), "oci")
    assert caught.value.code == "TE1220"
