"""A package is read back equal, is deterministic, is readable by other tools, and never lies unnoticed."""

from __future__ import annotations

import io
import json
import subprocess
import sys
import zipfile
from hashlib import sha256
from typing import TYPE_CHECKING, Any

import pytest

from targetenv.diagnostics.diagnostic import FormatError
from targetenv.model.requirement import NeedsFormat, NeedsIsa, NeedsLimit, NeedsSubgroupSize, Relation
from targetenv.wire.archive import ALIGNMENT, MAX_MEMBERS, pack
from targetenv.wire.manifest import to_document
from targetenv.wire.package import (
    MANIFEST,
    Binding,
    Constant,
    Package,
    PackagedKernel,
    PackageFile,
    Variant,
    open_package,
    pack_package,
)

if TYPE_CHECKING:
    from pathlib import Path

SPIRV = b"\x03\x02\x23\x07" + bytes(range(200))
ELF = b"\x7fELF" + b"x" * 77


def _variant(name: str, kernel: str, payload: bytes, **more: Any) -> Variant:
    member = f"{kernel}/{name}.bin"
    return Variant(name, kernel, "spirv", kernel, member, len(payload), sha256(payload).hexdigest(), **more)


KERNEL = PackagedKernel(
    "saxpy",
    (Constant("a", "f32"), Constant("n", "u32", "x.size")),
    (Binding("x", "f32", "read"), Binding("y", "f32")),
    ("x.size",),
)
PACKAGE = Package(
    "demo",
    "1.0",
    (KERNEL,),
    (
        _variant("plain", "saxpy", SPIRV, requires=(NeedsFormat("spirv"),), target=("vulkan1.0",), tile=(256, 1, 1)),
        _variant(
            "wide",
            "saxpy",
            ELF,
            requires=(NeedsIsa("x86-64-v3"), NeedsSubgroupSize(32), NeedsLimit("A::b", Relation.AT_LEAST, (1, 2, 3))),
            preference=-2,
            workgroup_size=(64, 1, 1),
            subgroup_size=32,
        ),
    ),
)
PAYLOADS = {"saxpy/plain.bin": SPIRV, "saxpy/wide.bin": ELF}
DATA = pack_package(PACKAGE, PAYLOADS)


def _code(data: bytes) -> str:
    with pytest.raises(FormatError) as caught:
        _read(data)
    assert str(caught.value)
    return caught.value.code


def _read(data: bytes) -> tuple[Package, list[bytes]]:
    with PackageFile("x.tenv", data) as opened:
        return opened.package, [bytes(opened.payload(variant)) for variant in opened.package.variants]


def _with_manifest(change: Any) -> bytes:
    document: Any = to_document(PACKAGE)
    changed = change(document)
    text = json.dumps(document if changed is None else changed)
    return pack([(MANIFEST, text.encode()), *PAYLOADS.items()])


def test_a_package_that_claims_too_much_is_refused() -> None:
    end = DATA.rindex(b"PK\x05\x06")
    for count in (MAX_MEMBERS + 1, 0xFFFF):
        members = count.to_bytes(2, "little")
        assert _code(DATA[: end + 8] + members + members + DATA[end + 12 :]) == "TE4406"
    with pytest.raises(FormatError) as caught:
        pack((f"member-{number}", b"") for number in range(MAX_MEMBERS + 1))
    assert caught.value.code == "TE4406"


def test_a_package_reads_back_equal(tmp_path: Path) -> None:
    path = tmp_path / "x.tenv"
    path.write_bytes(DATA)
    with open_package(str(path)) as opened:
        assert opened.package == PACKAGE
        assert [bytes(opened.payload(variant)) for variant in PACKAGE.variants] == [SPIRV, ELF]


def test_the_same_contents_give_the_same_bytes() -> None:
    assert pack_package(PACKAGE, dict(reversed(PAYLOADS.items()))) == DATA


def test_python_and_unzip_read_a_package_and_every_member_is_aligned() -> None:
    with zipfile.ZipFile(io.BytesIO(DATA)) as archive:
        assert archive.testzip() is None
        assert archive.namelist() == [MANIFEST, *PAYLOADS]
        assert archive.read("saxpy/wide.bin") == ELF
        assert json.loads(archive.read(MANIFEST))["schema"] == 1
        assert {member.compress_type for member in archive.infolist()} == {zipfile.ZIP_STORED}
    assert DATA.find(SPIRV) % ALIGNMENT == DATA.find(ELF) % ALIGNMENT == 0


def test_variants_become_artifacts_that_share_their_kernels_interface() -> None:
    plain, wide = PACKAGE.artifacts()["saxpy"]
    assert (plain.name, plain.digest, plain.target) == ("plain", sha256(SPIRV).hexdigest(), "vulkan1.0")
    assert (wide.kernels[0].bindings, wide.kernels[0].constants, wide.kernels[0].subgroup_size) == (2, 8, 32)


def test_reading_a_package_imports_neither_pydantic_nor_zipfile() -> None:
    probe = (
        "import sys, targetenv.wire.package as p, targetenv.wire.manifest\n"
        "heavy = {'pydantic', 'zipfile', 'typing', 'dataclasses', 'inspect', 'tempfile', 'pathlib', 'numpy', 'lark'}\n"
        "print(sorted(heavy & set(sys.modules)))"
    )
    result = subprocess.run([sys.executable, "-c", probe], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "[]"


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "TE4401"),
        (b"hello", "TE4401"),
        (ELF, "TE4401"),
        (DATA[:30], "TE4402"),
        (DATA[:-1], "TE4402"),
        (DATA + b"\0", "TE4402"),
        (DATA[: len(DATA) // 2], "TE4402"),
        (pack([("other.json", b"{}")]), "TE4403"),
        (pack([(MANIFEST, b"{}")]), "TE4409"),
        (pack([(MANIFEST, b"{")]), "TE4407"),
        (pack([(MANIFEST, b"\xff")]), "TE4407"),
        (pack([(MANIFEST, b'{"schema": NaN}')]), "TE4407"),
        (pack([(MANIFEST, b'{"schema": 1, "schema": 1}')]), "TE4407"),
        (pack([(MANIFEST, b"[" * 100_000)]), "TE4407"),
        (pack([(MANIFEST, b'{"schema": ' + b"9" * 5000 + b"}")]), "TE4407"),
        (pack([(MANIFEST, b'{"schema": 2}')]), "TE4408"),
        (pack([(MANIFEST, b'{"schema": true}')]), "TE4409"),
        (DATA.replace(SPIRV, SPIRV[:-1] + b"\0"), "TE4410"),
        (DATA.replace(b'"demo"', b'"dema"'), "TE4403"),
    ],
)  # fmt: skip
def test_damage_is_refused(data: bytes, code: str) -> None:
    assert _code(data) == code


def _set(document: Any, path: str, value: Any) -> None:
    *parents, last = path.split("/")
    for key in parents:
        document = document[int(key) if key.isdigit() else key]
    document[int(last) if last.isdigit() else last] = value


@pytest.mark.parametrize(
    ("path", "value", "code"),
    [
        ("variants/0/payload/size", 7, "TE4411"),
        ("variants/0/payload/size", -7, "TE4409"),
        ("variants/0/payload/size", 1.5, "TE4409"),
        ("variants/0/payload/member", "../etc/passwd", "TE4411"),
        ("variants/0/payload/member", MANIFEST, "TE4411"),
        ("variants/0/payload/sha256", "0" * 64, "TE4410"),
        ("variants/0/payload/sha256", "no", "TE4409"),
        ("variants/0/payload/extra", 1, "TE4409"),
        ("variants/0/kernel", "nosuch", "TE4409"),
        ("variants/0/requires/0", {"needs": "magic"}, "TE4409"),
        ("variants/0/requires/0", {"needs": ["format"]}, "TE4409"),
        ("variants/0/requires/0", {"needs": "format", "name": 5}, "TE4409"),
        ("variants/0/requires/0", {"needs": "version", "of": "vulkan", "version": "one"}, "TE4409"),
        ("variants/0/requires/0", {"needs": "limit", "name": "x", "relation": "~", "value": 1}, "TE4409"),
        ("variants/0/requires/0", {"needs": "limit", "name": "x", "relation": ">=", "value": []}, "TE4409"),
        ("variants/0/requires/0", {"needs": "limit", "name": "x", "relation": ">=", "value": [True]}, "TE4409"),
        ("variants/0/requires/0", "format", "TE4409"),
        ("variants/0/tile", [1, 2], "TE4409"),
        ("variants/0/tile", [1, 0, 1], "TE4409"),
        ("variants/0/tile", "x", "TE4409"),
        ("variants/0/subgroup_size", True, "TE4409"),
        ("variants/0/name", "wide", "TE4409"),
        ("variants/0/name", "", "TE4409"),
        ("variants/0", None, "TE4409"),
        ("variants", {}, "TE4409"),
        ("variants", [], "TE4403"),
        ("kernels", [], "TE4409"),
        ("kernels/0/name", 5, "TE4409"),
        ("kernels/0/grid", [], "TE4409"),
        ("kernels/0/grid", ["z.size"], "TE4409"),
        ("kernels/0/grid", ["x.size; drop"], "TE4409"),
        ("kernels/0/grid", [[1]], "TE4409"),
        ("kernels/0/bindings/0/dtype", "float", "TE4409"),
        ("kernels/0/bindings/0/dtype", ["f32"], "TE4409"),
        ("kernels/0/bindings/0/access", "execute", "TE4409"),
        ("kernels/0/bindings/0/name", "y", "TE4409"),
        ("kernels/0/constants/1/value", "a.size", "TE4409"),
        ("kernels/0/constants/1/value", -1, "TE4409"),
        ("package", None, "TE4409"),
    ],
)
def test_a_manifest_that_lies_is_refused(path: str, value: Any, code: str) -> None:
    assert _code(_with_manifest(lambda document: _set(document, path, value))) == code


def test_a_hostile_key_is_shown_without_control_characters() -> None:
    data = _with_manifest(lambda document: document.update({"\x1b[31mred" + "x" * 10_000: 1}))
    with pytest.raises(FormatError) as caught:
        PackageFile("x.tenv", data)
    assert "\x1b" not in str(caught.value)
    assert len(str(caught.value)) < 1000


def _zip(*members: tuple[str, bytes], compression: int = zipfile.ZIP_STORED) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", compression) as archive:
        for name, payload in members:
            archive.writestr(name, payload)
    return out.getvalue()


def test_other_peoples_zips_are_refused() -> None:
    assert _code(_zip((MANIFEST, b"{}" * 100), compression=zipfile.ZIP_DEFLATED)) == "TE4404"
    assert _code(_zip((MANIFEST, b"{}"))) in {"TE4404", "TE4411"}


@pytest.mark.parametrize("name", ["../up", "/root", "a//b", "a/./b", "a\\b", "a b", "a/", "\x01"])
def test_unsafe_member_names_are_refused(name: str) -> None:
    assert _code(pack([(MANIFEST, b"{}"), (name, b"x")])) == "TE4405"


def test_duplicate_members_are_refused() -> None:
    assert _code(pack([(MANIFEST, b"{}"), ("a", b"x"), ("a", b"x")])) == "TE4405"


def test_every_single_changed_byte_is_refused_or_harmless() -> None:
    codes = set()
    for at in range(0, len(DATA), 3):
        damaged = bytearray(DATA)
        damaged[at] ^= 0x41
        try:
            found = _read(bytes(damaged))
        except FormatError as error:
            codes.add(error.code)
        else:
            assert found == (PACKAGE, [SPIRV, ELF]), at
    assert all(code.startswith("TE44") for code in codes)


def test_every_truncation_is_refused() -> None:
    for end in range(len(DATA)):
        with pytest.raises(FormatError):
            PackageFile("x.tenv", DATA[:end])


def test_a_missing_file_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(FormatError) as caught:
        open_package(str(tmp_path / "none.tenv"))
    assert caught.value.code == "TE4301"
    with pytest.raises(FormatError) as caught:
        open_package(str(tmp_path))
    assert caught.value.code == "TE4301"
