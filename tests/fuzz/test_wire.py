"""Hostile files: whatever is done to a package, a snapshot, a config or an array, reading it ends in an answer or a code."""

from __future__ import annotations

import json
from collections.abc import Callable
from hashlib import sha256
from random import Random

import pytest

from targetenv.diagnostics.diagnostic import FormatError, TargetEnvError
from targetenv.model.capabilities import Capabilities, Property
from targetenv.model.device import Device
from targetenv.model.requirement import NeedsFormat, NeedsLimit, Relation
from targetenv.model.version import Version
from targetenv.wire.archive import pack
from targetenv.wire.build_config import parse_config
from targetenv.wire.npy import read_npy, write_npy
from targetenv.wire.package import MANIFEST, Binding, Constant, Package, PackagedKernel, PackageFile, Variant, pack_package
from targetenv.wire.package_schema import check_manifest
from targetenv.wire.snapshot import parse_snapshot, write_snapshot

MUTATIONS = 1500
PAYLOAD = bytes(range(256))
NEEDS = (NeedsFormat("spirv"), NeedsLimit("A::b", Relation.AT_LEAST, (1, 2)))
PACKAGE = pack_package(
    Package(
        "p",
        "1",
        (PackagedKernel("k", (Constant("n", "u32", "x.size"),), (Binding("x", "f32", "read"),), ("x.size",)),),
        (Variant("v", "k", "spirv", "main", "k/v.spv", 256, sha256(PAYLOAD).hexdigest(), NEEDS, ("vulkan1.0",)),),
    ),
    {"k/v.spv": PAYLOAD},
)
SNAPSHOT = write_snapshot(
    [Device("cpu://0", "x", "cpu", Capabilities("cpu", Version(1, 2), properties=(Property("A::b", (1, 2)),)), memory=("m",))]
)
CONFIG = b"""[package]
name = "p" # comment
version = '1'
[[kernel]]
name = "k"
constants = [{name = "n", dtype = "u32", value = "x.size"}]
bindings = [ {name = "x", dtype = "f32", access = "read"}, ]
grid = ["x.size", 4]
[[kernel.variant]]
name = "v"
source = "s"
toolchain = "cc"
target = ["a", "b"]
"""
ARRAY = write_npy("f32", (2, 3), bytes(24))


def _read_package(data: bytes) -> None:
    with PackageFile("fuzzed", data) as opened:
        for variant in opened.package.variants:
            opened.payload(variant)


def _read_config(data: bytes) -> None:
    parse_config(data.decode("utf-8", "replace"), name="fuzzed", folder="/nosuch", toolchains=("cc",))


READERS: dict[str, tuple[bytes, Callable[[bytes], object]]] = {
    "package": (PACKAGE, _read_package),
    "snapshot": (SNAPSHOT, lambda data: parse_snapshot(data, name="fuzzed")),
    "config": (CONFIG, _read_config),
    "array": (ARRAY, lambda data: read_npy(data, name="fuzzed")),
}


def _survives(read: Callable[[bytes], object], data: bytes) -> None:
    error: TargetEnvError | None = None
    try:
        read(data)
    except FormatError as refused:
        error = refused
    if error is not None:
        assert all(diagnostic.code[:3] in ("TE4", "TE5") for diagnostic in error.diagnostics)
        text = str(error)
        assert len(text) < 20_000
        assert not any(ord(character) < 32 and character != "\n" for character in text)


def _mutated(original: bytes, random: Random) -> bytes:
    data = bytearray(original)
    for _ in range(random.choice((1, 1, 2, 4, 16))):
        at = random.randrange(len(data) or 1)
        match random.randrange(5):
            case 0:
                data[at : at + 1] = bytes([random.randrange(256)])
            case 1:
                data[at : at + 4] = random.choice((0, 1, 0x7FFFFFFF, 0xFFFFFFFF)).to_bytes(4, "little")
            case 2:
                del data[at : at + random.randrange(1, 9)]
            case 3:
                data[at:at] = random.choice(
                    (b"{", b"[", b'"', b"]", b"}", b",", b"=", b"0", b"9" * 400, b"\xff", b"\x1b[1m", b"null")
                )
            case _:
                start = random.randrange(len(data) or 1)
                data[at:at] = data[start : start + random.randrange(1, 40)]
    return bytes(data)


@pytest.mark.parametrize("name", READERS)
def test_a_file_changed_at_random_is_read_or_refused(name: str) -> None:
    original, read = READERS[name]
    random = Random(name)
    read_as_it_is = name != "config"  # its source is not there
    if read_as_it_is:
        read(original)
    for _ in range(MUTATIONS):
        _survives(read, _mutated(original, random))


@pytest.mark.parametrize("name", READERS)
def test_a_file_cut_at_any_byte_is_read_or_refused(name: str) -> None:
    original, read = READERS[name]
    for end in range(len(original)):
        _survives(read, original[:end])


def test_a_manifest_changed_inside_a_sound_container_is_read_or_refused() -> None:
    with PackageFile("x", PACKAGE) as opened:
        start = PACKAGE.index(b'{\n "schema"')
        manifest = PACKAGE[start : PACKAGE.index(b"\n}\n", start) + 3]
        assert opened.package.name == "p"
    json.loads(manifest)
    random = Random(7)
    for _ in range(MUTATIONS):
        data = pack([(MANIFEST, _mutated(manifest, random)), ("k/v.spv", PAYLOAD)])
        _survives(_read_package, data)
        _survives(lambda changed: check_manifest(changed, name="fuzzed"), data)
