"""Bad input of every kind: one code, one clear message, the right exit status, no traceback, no partial file."""

from __future__ import annotations

import io
import json
import random
from pathlib import Path
from typing import Any

import pytest

from targetenv.wire.archive import pack
from targetenv.wire.manifest import to_document
from targetenv.wire.package import MANIFEST, open_package

RUN = ("--device", "cpu://0", "--input", "a=2", "--input", "x=4xf32=1")


def _assert_refused(said: Any, code: str, status: int) -> None:
    errors = [line for line in said.err.splitlines() if line.startswith("error[")]
    assert [line[6:12] for line in errors[:1]] == [code], said.err
    assert len(errors) == 1, said.err
    assert said.status == status, said.err
    assert "Traceback" not in said.err
    assert "TE9001" not in said.err


def _env(text: str) -> str:
    return f"#vk.target_env<v1.1, r(120), {text}>"


@pytest.mark.parametrize(
    "text",
    [
        _env("[VK_KHR_storage_bufer_storage_class], {}"),  # misspelt
        _env("[VK_KHR_nosuch_thing_at_all], {}"),  # unknown
        _env("[VK_KHR_16bit_storage], {subgrupSize = 64 : i32}"),
        _env("[], {subgroupSize = 64 : i32, subgroupSize = 32 : i32}"),  # duplicate and contradictory
        _env("[], {subgroupSize = true}"),  # wrong type
        _env('[], {subgroupSize = "64"}'),
        _env(f"[], {{subgroupSize = {10**40} : i32}}"),  # absurd
        _env("[], {subgroupSize = -1 : i32}"),
        "#vk.target_env<v9999999999999.1, r(120), [], {}>",
        "#vk.target_env<" * 200,  # nested
        "[" * 100_000,
        "x" * 1_000_000,
        "#vk.target_env<v1.1, r(120)",  # too short
        "",
        "   ",
        "nosuchtarget",
        "\x00\x01\x02",
    ],
    ids=range(17),
)
def test_a_target_that_is_wrong(text: str, te: Any) -> None:
    said = te("parse", text)
    assert said.status == 2
    assert said.err.startswith("error[TE"), said.err
    assert said.err[6:9] in ("TE1", "TE2"), said.err
    assert said.out == ""
    assert len(said.err) < 4000


@pytest.mark.parametrize("seed", range(20))
def test_binary_junk_on_the_standard_input(seed: int, te: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    data = random.Random(seed).randbytes(4096)
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(data)))
    said = te("parse", "-")
    assert said.status == 2
    assert said.err.startswith("error[TE1"), said.err
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(data)))
    batch = te("parse", "--lines", "-")
    assert batch.status == 2
    assert all(json.loads(line)["ok"] is False for line in batch.out.splitlines())


def _changed(package: Path, change: Any) -> None:
    with open_package(str(package)) as opened:
        document = to_document(opened.package)
        payloads = {row.member: bytes(opened.payload(row)) for row in opened.package.variants}
    text = change(document) or json.dumps(document)
    package.write_bytes(pack([(MANIFEST, text.encode()), *payloads.items()]))


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (lambda d: d["variants"][0]["payload"].update(sha256="0" * 64), "TE4410"),
        (lambda d: d["variants"][0]["payload"].update(size=7), "TE4411"),
        (lambda d: d["variants"][0]["payload"].update(member="nosuch"), "TE4411"),
        (lambda d: d["variants"][0].update(tile="wide"), "TE4409"),
        (lambda d: d.update(schema=99), "TE4408"),
        (lambda _: "{", "TE4407"),
        (lambda _: "[]", "TE4409"),
        (lambda _: "[" * 100_000, "TE4407"),
    ],
)
def test_a_package_whose_digest_bounds_or_json_lie(change: Any, code: str, package: Path, te: Any) -> None:
    _changed(package, change)
    _assert_refused(te("run", package, "scale", *RUN, "--output", "x=out.npy"), code, 2)
    assert not Path("out.npy").exists()


def test_truncated_packages(package: Path, te: Any) -> None:
    data = package.read_bytes()
    for end in (0, 1, 30, len(data) // 2, len(data) - 1):
        package.write_bytes(data[:end])
        _assert_refused(te("run", package, "scale", *RUN), "TE4402" if end > 4 else "TE4401", 2)
        _assert_refused(te("inspect", package), "TE4402" if end > 4 else "TE4001", 2)


@pytest.mark.parametrize(
    ("arguments", "code", "status"),
    [
        (("run", "demo.tenv", "nosuch"), "TE5201", 2),
        (("run", "nosuch.tenv", "scale"), "TE4301", 2),
        (("run", ".", "scale"), "TE4301", 2),
        (("run", "targetenv.toml", "scale"), "TE4401", 2),
        (("run", "demo.tenv", "scale", "--device", "cpu://0"), "TE5203", 2),
        (("run", "demo.tenv", "scale", *RUN[:4], "--input", "x=3xf32=1,2"), "TE5204", 2),
        (("run", "demo.tenv", "scale", *RUN, "--input", "x=1"), "TE5202", 2),
        (("run", "demo.tenv", "scale", *RUN, "--input", "z=1"), "TE5202", 2),
        (("run", "demo.tenv", "scale", *RUN, "--input", "z"), "TE5206", 2),
        (("run", "demo.tenv", "scale", *RUN, "--input", "n=1"), "TE5202", 2),
        (("run", "demo.tenv", "scale", *RUN, "--grid", "-1"), "TE5207", 2),
        (("run", "demo.tenv", "scale", *RUN, "--grid", "1,2,3,4"), "TE5207", 2),
        (("run", "demo.tenv", "scale", *RUN, "--grid", "9" * 30), "TE5207", 2),
        (("run", "demo.tenv", "scale", *RUN, "--grid", "9" * 19), "TE5207", 2),
        (("run", "demo.tenv", "scale", *RUN, "--repeat", "0"), "TE5206", 2),
        (("run", "demo.tenv", "scale", *RUN, "--repeat", "many"), "TE5200", 2),
        (("run", "demo.tenv", "scale", *RUN, "--output", "a=out"), "TE5202", 2),
        (("run", "demo.tenv", "scale", *RUN, "--output", "x"), "TE5206", 2),
        (("run", "demo.tenv", "scale", *RUN, "--output", "x=/nosuch/out.npy"), "TE4306", 3),
        (("run", "demo.tenv", "scale", *RUN, "--output", "x=."), "TE4306", 3),
        (("run", "demo.tenv", "scale", "--device", "cpu://9"), "TE5005", 3),
        (("run", "demo.tenv", "scale", "--device", "cpo://0"), "TE5209", 2),
        (("run", "demo.tenv", "scale", "--device", "habana://0"), "TE5012", 3),
        (("run", "demo.tenv", "scale", "--device", "null://0"), "TE3001", 1),
        (("resolve", "demo.tenv", "--device", "cpu://9"), "TE5211", 3),
        (("resolve", "demo.tenv", "--device", "nosuch.device.json"), "TE4301", 2),
        (("resolve", "demo.tenv", "--device", "targetenv.toml"), "TE4302", 2),
        (("resolve", "demo.tenv", "--device", "nosuch"), "TE5209", 2),
        (("resolve", "scale.c"), "TE4001", 2),
        (("inspect", "scale.c"), "TE4001", 2),
        (("inspect", "nosuch"), "TE4301", 2),
        (("match", "#vk.target_env<", "#vk.target_env<"), "TE1003", 2),
        (("match", "scale.c", "cpu://0"), "TE4304", 2),
        (("match", "x86-64-v3"), "TE5200", 2),
        (("probe", "--driver", "cpo"), "TE5209", 2),
        (("probe", "--driver", "null", "-o", "/nosuch/x.device.json"), "TE4306", 3),
        (("probe", "--driver", "null", "--to", "nosuch"), "TE1215", 2),
        (("probe", "--timeout", "soon"), "TE5200", 2),
        (("build", "nosuch.toml"), "TE4301", 2),
        (("build", "scale.c"), "TE4501", 2),
        (("build", "-o", "/nosuch/x.tenv"), "TE4306", 3),
        (("pack", "-o", "x.tenv", "scale.c"), "TE4001", 2),
        (("pack", "-o", "x.tenv"), "TE5200", 2),
        (("explain", "TE0000"), "TE5213", 2),
        (("parse", "@nosuch"), "TE4301", 2),
        (("parse",), "TE5200", 2),
        (("parse", "x86-64", "--to", "nosuch"), "TE1215", 2),
        (("parse", "x86-64", "--compat", "iree@1"), "TE1214", 2),
        (("parse", "--lines", "nosuch"), "TE4301", 2),
    ],
    ids=lambda value: " ".join(value[:6])[:70] if isinstance(value, tuple) else None,
)
def test_a_command_line_that_cannot_be(arguments: tuple[str, ...], code: str, status: int, package: Path, te: Any) -> None:
    before = sorted(package.parent.iterdir())
    said = te(*arguments)
    _assert_refused(said, code, status)
    assert sorted(package.parent.iterdir()) == before
    shown = te(*arguments, "--format", "json")
    assert shown.status == status
    if "--lines" not in arguments:
        assert shown.json["diagnostics"][0]["code"] == code


def test_a_missing_compiler(project: Path, te: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(project))
    said = te("build", "--strict")
    assert said.status == 3
    assert {line[6:12] for line in said.err.splitlines() if line.startswith("error[")} == {"TE4601"}
    assert not (project / "demo.tenv").exists()
    _assert_refused(te("build"), "TE4606", 3)


def test_a_device_that_disappears(package: Path, te: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from targetenv_runtime.drivers.cpu import backend
    from targetenv_runtime.status import Code, HalError

    def vanish(self: Any, *arguments: object, **named: object) -> None:
        raise HalError(Code.UNAVAILABLE, "the device is gone", device="cpu://0")

    monkeypatch.setattr(backend.CpuBackend, "load", vanish)
    _assert_refused(te("run", package, "scale", *RUN, "--output", "x=out.npy"), "TE5014", 3)
    assert not Path("out.npy").exists()


def test_arguments_that_are_no_unicode_do_not_confuse_anything(package: Path, te: Any) -> None:
    for arguments in (("parse", "\udcff"), ("inspect", "\udcff"), ("run", "\udcff", "scale"), ("run", package, "\udcff")):
        said = te(*arguments)
        assert said.status == 2
        assert said.err.startswith("error[TE")
        assert "TE9001" not in said.err


def test_names_that_would_steer_a_terminal_are_shown_harmless(package: Path, te: Any) -> None:
    said = te("run", package, "\x1b[31mred\x1b[0m")
    assert "\x1b" not in said.err
