"""Device files read back to equal devices; whatever else is in a file becomes one of our diagnostics."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from targetenv.diagnostics.diagnostic import FormatError
from targetenv.model.capabilities import Capabilities, CooperativeMatrix, Property, SpirvEnvironment
from targetenv.model.device import Device, Unavailable
from targetenv.model.version import Version
from targetenv.wire.snapshot import parse_snapshot, read_snapshot, write_snapshot

DEVICE = Device(
    "vulkan://0",
    "llvmpipe",
    "vulkan",
    Capabilities(
        "vulkan",
        Version(1, 3, 230),
        formats=frozenset({"spirv"}),
        extensions=frozenset({"VK_KHR_a", "VK_KHR_b"}),
        features=frozenset({"VkPhysicalDeviceFeatures::shaderInt64"}),
        denied=frozenset({"VkPhysicalDeviceFeatures::shaderInt16"}),
        properties=(
            Property("A::float", 1.5),
            Property("A::list", (1, 2)),
            Property("A::no", False),
            Property("A::text", "x"),
            Property("B::int", 7),
        ),
        subgroup_sizes=frozenset({8, 32}),
        matrices=frozenset({CooperativeMatrix(16, 16, 16, "f16", "f16", "f32", "f32")}),
        spirv=SpirvEnvironment(Version(1, 6), frozenset({"Shader"}), frozenset({"SPV_KHR_x"})),
    ),
    identity=(("uuid", "00"),),
    provenance=(("driver", "lavapipe"),),
    queues=("compute",),
    memory=("heap 0",),
)
MISSING = Unavailable("cuda", "TE5101", "libcuda.so.1 is not installed")


def test_one_device_reads_back_equal() -> None:
    assert parse_snapshot(write_snapshot([DEVICE]), name="x") == ((DEVICE,), ())


def test_a_probe_reads_back_equal() -> None:
    assert parse_snapshot(write_snapshot([DEVICE, DEVICE], [MISSING]), name="x") == ((DEVICE, DEVICE), (MISSING,))


def _refused(change: Any) -> FormatError:
    document = json.loads(write_snapshot([DEVICE]))
    changed = change(document)
    with pytest.raises(FormatError) as caught:
        parse_snapshot(json.dumps(document if changed is None else changed).encode(), name="x.device.json")
    return caught.value


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "TE4302"),
        (b"\xff\xfe", "TE4302"),
        (b"{", "TE4302"),
        (b"[" * 200_000, "TE4302"),
        (b'{"a": NaN}', "TE4302"),
        (b'{"a": 1, "a": 1}', "TE4302"),
        (b"9" * 5000, "TE4302"),
        (b"[]", "TE4304"),
        (b"{}", "TE4304"),
        (b'{"schema": 1}', "TE4304"),
        (b'{"schema": 2}', "TE4303"),
        (b'{"schema": 1, "devices": []}', "TE4305"),
    ],
)
def test_other_files_are_refused(data: bytes, code: str) -> None:
    with pytest.raises(FormatError) as caught:
        parse_snapshot(data, name="x")
    assert caught.value.code == code
    assert str(caught.value)


def test_an_unknown_key_names_its_place_and_what_was_meant() -> None:
    error = _refused(lambda document: document["device"]["offers"].update(extentions=[]))
    assert (error.code, error.diagnostics[0].message) == ("TE4304", "unknown key `extentions` at `/device/offers`")
    assert error.diagnostics[0].help == "did you mean `extensions`?"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda d: d["device"].pop("uri"), "missing key `uri` at `/device`"),
        (lambda d: d["device"].update(uri=5), "expected a text, found `5` at `/device/uri`"),
        (lambda d: d["device"]["offers"].update(version="one"), "`one` is not a version: expected major.minor"),
        (lambda d: d["device"]["offers"]["properties"].update({"A::b": [True, 1]}), "expected a number, a text"),
        (lambda d: d["device"]["offers"].update(complete=1), "expected true or false, found `1` at `/device/offers/complete`"),
        (lambda d: d["device"]["offers"].update(matrices=[{"m": 1}]), "missing key `n` at `/device/offers/matrices/0`"),
        (lambda d: d["device"]["offers"].update(subgroup_sizes=["8"]), "expected an integer, found `8`"),
    ],
)
def test_a_misfit_names_its_place(change: Any, message: str) -> None:
    error = _refused(lambda document: change(document) and None)
    assert error.code == "TE4304"
    assert error.diagnostics[0].message.startswith(message)


def test_several_misfits_are_reported_at_once_but_not_hundreds() -> None:
    assert len(_refused(lambda document: document["device"].update(uri=1, name=2)).diagnostics) == 2
    error = _refused(lambda document: document["device"]["offers"].update(extensions=[1] * 500))
    assert len(error.diagnostics) == 3
    assert error.diagnostics[0].notes == ("the file has 500 problems; the first 3 are shown",)


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FormatError) as caught:
        read_snapshot(str(tmp_path / "none.device.json"))
    assert caught.value.code == "TE4301"
