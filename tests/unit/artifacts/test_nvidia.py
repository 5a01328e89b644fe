"""PTX, cubins and fatbins: what their bytes say, against facts recorded from ptxas and files written by hand."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from targetenv.artifacts import identify, inspect
from targetenv.artifacts.ptx_kernels import variables
from targetenv.diagnostics.diagnostic import FormatError
from targetenv.model.artifact import Artifact, Kernel, Parameter
from targetenv.model.requirement import NeedsFormat, NeedsIsa, NeedsLimit, NeedsUnknown, NeedsVersion, Relation
from targetenv.model.version import Version
from tests.unit.artifacts import nvidia_builder as nv

CORPUS = Path(__file__).parents[2] / "corpora" / "nvidia"
HEADERS = [line.split() for line in (CORPUS / "headers.txt").read_text().splitlines()]


def limit(name: str, value: int) -> NeedsLimit:
    return NeedsLimit(f"CU_DEVICE_ATTRIBUTE_{name}", Relation.AT_LEAST, value)


def only(data: bytes) -> Artifact:
    (artifact,) = inspect(data, name="x").artifacts
    return artifact


def refusal(data: bytes) -> str:
    with pytest.raises(FormatError) as refused:
        inspect(data, name="x")
    return refused.value.diagnostics[0].code


@pytest.mark.parametrize("row", HEADERS, ids=lambda row: f"{row[0]}-{row[1]}")
def test_the_architecture_of_a_cubin_is_read_in_each_encoding(row: list[str]) -> None:
    _, asked, os_abi, abi, version, flags, compat = row
    content = None if compat == "-" else bytes.fromhex(compat)
    data = nv.header_only(int(os_abi, 16), int(abi), int(version), int(flags, 16), content)
    assert identify(data) == "cubin"
    assert only(data).requires == (NeedsFormat("cubin"), NeedsIsa(asked.rstrip("f"))), "`f` is not stored"


def test_a_cubin_says_what_its_kernels_take() -> None:
    found = only(nv.cubin(90, a=True, kernels=("k", "another"), clusters=True))
    parameters = (Parameter(0, 8, "value"), Parameter(8, 4, "value"))
    assert found.kernels == tuple(
        Kernel(name, (64, 2, 1), local_memory=512, parameters=parameters) for name in ("k", "another")
    )
    assert found.requires == (
        NeedsFormat("cubin"),
        NeedsIsa("sm_90a"),
        limit("MAX_THREADS_PER_BLOCK", 128),
        limit("MAX_BLOCK_DIM_X", 64),
        limit("MAX_BLOCK_DIM_Y", 2),
        limit("MAX_REGISTERS_PER_BLOCK", 4 * 1280),
        limit("MAX_SHARED_MEMORY_PER_BLOCK", 512),
        limit("CLUSTER_LAUNCH", 1),
    )
    (line, _) = (value for key, value in inspect(nv.cubin(kernels=("k", "another")), name="x").details if key == "kernel")
    assert line == (
        "k (2 parameters in 12 bytes: 8 at 0, 4 at 8, 40 registers, 512 bytes shared, 16 bytes stack, 540 bytes constant,"
        " blocks of 64x2x1)"
    )


def test_registers_are_counted_as_warps_get_them() -> None:
    assert limit("MAX_REGISTERS_PER_BLOCK", 2 * 512) in only(nv.cubin(threads=(33, 1, 1), registers=10)).requires


def test_a_relocatable_cubin_is_never_known_to_run() -> None:
    assert any(isinstance(need, NeedsUnknown) for need in only(nv.cubin(kind=1)).requires)


def test_the_systems_share_of_shared_memory_is_not_the_kernels() -> None:
    assert (
        only(nv.cubin(80, shared=512)).kernels[0].local_memory == only(nv.cubin(90, shared=512)).kernels[0].local_memory == 512
    )


def test_ptx_says_its_version_its_target_and_its_kernels() -> None:
    found = only(nv.SOURCE.encode())
    parameters = (Parameter(0, 8, "buffer", "p"), Parameter(8, 4, "value", "a"), Parameter(16, 24, "value", "s"))
    assert found.kernels == (Kernel("k", (64, 2, 1), local_memory=256, parameters=parameters),)
    assert found.requires == (
        NeedsFormat("ptx"),
        NeedsVersion("ptx", Version(8, 0)),
        NeedsIsa("compute_90a"),
        limit("MAX_THREADS_PER_BLOCK", 128),
        limit("MAX_BLOCK_DIM_X", 64),
        limit("MAX_BLOCK_DIM_Y", 2),
        limit("MAX_SHARED_MEMORY_PER_BLOCK", 256),
    )
    details = dict(inspect(nv.SOURCE.encode(), name="x").details)
    assert details["kernel"] == "k (3 parameters in 40 bytes: 8 at 0, 4 at 8, 24 at 16, 256 bytes shared, .reqntid 64,2)"


@pytest.mark.parametrize(
    ("declaration", "size", "alignment"),
    [
        (".align 16 .b8 a[3][5]", 15, 16),
        (".f32 a", 4, 4),
        (".v4 .f32 a[2]", 32, 16),
        (".param .u64 .ptr .shared .align 4 a", 8, 8),
        (".attribute(.managed) .align 8 .f16x2 a[0x10]", 64, 8),
        (".texref a", 8, 8),
        (".b8 a[]", 0, 1),
    ],
)
def test_a_declaration_has_its_size(declaration: str, size: int, alignment: int) -> None:
    (found,) = variables(declaration)
    assert (found.name, found.size, found.alignment) == ("a", size, alignment)


def ptx(body: str, *, head: str = ".version 7.8\n.target sm_80\n.address_size 64\n") -> bytes:
    return (head + body).encode()


def test_shared_memory_of_the_module_and_of_functions_counts_where_it_is_reached() -> None:
    text = """
    .shared .align 8 .b8 all[64];
    .shared .align 8 .b8 nobody[4096];
    .func inner { .shared .b8 own[32]; mov.u32 %r, all; ret; }
    .func outer(.param .b32 x) { call inner; ret; }
    .entry far() { call outer; ret; }
    .entry alone() { .shared .b8 t[8]; ret; }
    """
    assert {row.name: row.local_memory for row in only(ptx(text)).kernels} == {"far": 96, "alone": 8}


def test_comments_and_texts_are_no_directives() -> None:
    text = '/* .version 1.0 { */ // .target sm_90a {\n.entry k() { .pragma "} .entry n() {"; ret; } /* open'
    assert [row.name for row in only(ptx(text)).kernels] == ["k"]


def test_a_module_with_several_targets_needs_the_strictest() -> None:
    head = ".version 8.0 .target sm_70, texmode_independent .target sm_80 .address_size 64 "
    found = inspect(ptx(".entry k() { ret; }", head=head), name="x")
    assert [need for need in found.artifacts[0].requires if isinstance(need, NeedsIsa)] == [NeedsIsa("compute_80")]
    assert ("mode", "texmode_independent") in found.details


def test_functions_from_elsewhere_are_named_and_the_drivers_own_are_not() -> None:
    text = """.extern .func (.param .b32 r) vprintf (.param .b64 a);
    .extern .func (.param .b32 r) helper (.param .b64 a);
    .func mine(); .func mine() { ret; } .entry k() { ret; }"""
    found = inspect(ptx(text), name="x")
    assert [value for key, value in found.details if key == "needs function"] == ["helper"]
    assert any(isinstance(need, NeedsUnknown) for need in found.artifacts[0].requires)


@pytest.mark.parametrize(
    ("version", "target", "warned"), [("7.8", "sm_90a", True), ("8.0", "sm_90a", False), ("9.0", "sm_999", False)]
)
def test_ptx_that_does_not_know_its_target_is_a_warning(version: str, target: str, warned: bool) -> None:
    head = f".version {version}\n.target {target}\n.address_size 64\n"
    assert [row.code for row in inspect(ptx("", head=head), name="x").diagnostics] == ["TE4043"] * warned


@pytest.mark.parametrize(
    "text", [".version 7.0\n.target texmode_unified\n", ".version 7.0\n.target sm_80 .entry k() { ", ".version 7.0 } "]
)
def test_damaged_ptx_is_refused(text: str) -> None:
    assert refusal(text.encode()) == "TE4040"


@pytest.mark.parametrize("begin", [b"\n\n\n", b"// a\n/* b\n */ ", b"\t\r\n"])
def test_ptx_is_known_behind_comments(begin: bytes) -> None:
    assert identify(begin + b".version 8.0\n.target sm_80\n") == "ptx"


def test_whitespace_without_end_is_decided_at_once() -> None:
    assert identify(b" " * 100_000) is None
    assert identify(b"/* " * 30_000) is None


def test_a_fatbin_gives_each_image_under_its_header() -> None:
    data = nv.fatbin(
        nv.entry(nv.cubin(80), 80),
        nv.entry(nv.cubin(90, a=True), 90, flags=nv.A),
        nv.entry(nv.cubin(100), 100, flags=nv.F),
        nv.entry(nv.SOURCE.encode(), 90, kind=nv.PTX, flags=nv.A, version=(8, 0)),
    )
    found = inspect(data, name="x")
    assert [row.name for row in found.members] == ["1.sm_80.cubin", "2.sm_90a.cubin", "3.sm_100f.cubin", "1.sm_90a.ptx"]
    isas = [need.isa for row in found.artifacts for need in row.requires if isinstance(need, NeedsIsa)]
    assert isas == ["sm_80", "sm_90a", "sm_100", "sm_100f", "compute_90a"]
    assert [row.target for row in found.artifacts] == ["sm_80", "sm_90a", "sm_100f", "sm_90a"]
    assert found.diagnostics == ()


@pytest.mark.parametrize(
    ("image", "number", "flags", "kind"),
    [
        (nv.cubin(80), 90, 0, nv.ELF),
        (nv.cubin(90, a=True), 90, 0, nv.ELF),
        (nv.cubin(103), 100, nv.F, nv.ELF),
        (nv.SOURCE.encode(), 90, 0, nv.PTX),
        (nv.cubin(90), 90, 0, nv.PTX),
    ],
)
def test_an_image_under_another_architecture_is_a_warning(image: bytes, number: int, flags: int, kind: int) -> None:
    found = inspect(nv.fatbin(nv.entry(image, number, kind=kind, flags=flags)), name="x")
    assert [row.code for row in found.diagnostics] == ["TE4044"]


def test_a_compressed_image_is_read_like_a_plain_one() -> None:
    text = nv.SOURCE.encode()
    packed = nv.entry(nv.lz4(text), 90, kind=nv.PTX, flags=nv.A | nv.LZ4, size=len(text), version=(8, 0))
    plain = nv.entry(text, 90, kind=nv.PTX, flags=nv.A, version=(8, 0))
    (one,), (other,) = (inspect(nv.fatbin(row), name="x").artifacts for row in (packed, plain))
    assert one.requires == other.requires
    assert one.kernels == other.kernels


def test_of_what_is_too_large_for_python_the_header_says_what_it_can(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("targetenv.artifacts.decompress._zstd", lambda: None)
    monkeypatch.setattr("targetenv.artifacts.decompress._MOST_IN_PYTHON", 100)
    data = nv.fatbin(nv.entry(b"\x28\xb5\x2f\xfd", 90, kind=nv.PTX, flags=nv.A | nv.ZSTD, size=900, version=(8, 5)))
    found = inspect(data, name="x")
    assert [row.code for row in found.diagnostics] == ["TE4045"]
    assert found.artifacts[0].requires[:3] == (NeedsFormat("ptx"), NeedsVersion("ptx", Version(8, 5)), NeedsIsa("compute_90a"))
    assert isinstance(found.artifacts[0].requires[3], NeedsUnknown)


@pytest.mark.parametrize(
    "row",
    [
        nv.entry(b"\xf0", 80, flags=nv.LZ4, size=1 << 40),
        nv.entry(nv.lz4(b"abc"), 80, flags=nv.LZ4, size=4),
        nv.entry(b"\x10a\x00\x00", 80, flags=nv.LZ4, size=9),
        nv.entry(b"\x10a\x09\x00", 80, flags=nv.LZ4, size=9),
        nv.entry(b"\x10", 80, flags=nv.LZ4, size=1),
        nv.entry(b"\xf0\xff\xff", 80, flags=nv.LZ4, size=600),
    ],
)
def test_a_compressed_image_that_is_not_what_it_says_is_refused(row: bytes) -> None:
    assert refusal(nv.fatbin(row)) in ("TE4042", "TE4003")


def test_a_damaged_fatbin_is_refused() -> None:
    whole = nv.fatbin(nv.entry(nv.cubin(), 90))
    assert refusal(whole[:-1]) == "TE4042"
    assert refusal(whole[:4] + b"\x02" + whole[5:]) == "TE4042"
    assert refusal(nv.fatbin(nv.entry(nv.cubin(), 90)[:40])) == "TE4042"
    assert refusal(nv.fatbin(bytes(64))) == "TE4042"


def test_a_cubin_with_sections_over_one_another_or_without_an_architecture_is_refused() -> None:
    big = [nv.Part(f".nv.info.{at}", bytes(200)) for at in range(40)]
    data = bytearray(nv.elf(big, machine=190, os_abi=0x41, abi=8, flags=0x5A02))
    (table,) = (int.from_bytes(data[40:48], "little"),)
    for row in range(1, 41):
        data[table + 64 * row + 24 : table + 64 * row + 40] = (64).to_bytes(8, "little") + (8000).to_bytes(8, "little")
    assert refusal(bytes(data)) == "TE4041"
    assert refusal(nv.header_only(0x41, 8, 1, 0, None)) == "TE4041"
    assert refusal(nv.header_only(0x33, 9, 1, 0x5A, None)) == "TE4041"


def test_the_recorded_headers_cover_what_the_registry_knows() -> None:
    from targetenv.registry import cuda

    recorded = {row[1] for row in HEADERS}
    missing = [name for name in cuda.names() if name not in recorded]
    assert missing == [name for name in missing if re.fullmatch(r"sm_3[02]", name)], "no ptxas at hand builds for these two"


def test_an_executable_of_irees_says_what_its_ptx_needs() -> None:
    from tests.unit.artifacts import iree_builder as iree

    found = inspect(iree.gpu(b"CDA1", nv.SOURCE.replace(" k(", " add(").replace(".reqntid 64, 2", "").encode()), name="x")
    (artifact,) = found.artifacts
    assert artifact.format == "ptx"
    assert NeedsIsa("compute_90a") in artifact.requires
    assert limit("MAX_SHARED_MEMORY_PER_BLOCK", 1024) in artifact.requires, "the executable asks for more than the code has"
    (kernel,) = artifact.kernels
    assert kernel.workgroup_size is not None
    x, y, z = kernel.workgroup_size
    assert limit("MAX_THREADS_PER_BLOCK", x * y * z) in artifact.requires


def test_headers_of_images_are_shown() -> None:
    text = nv.SOURCE.encode()
    packed = nv.lz4(text)
    data = nv.fatbin(
        nv.entry(nv.cubin(80), 80, flags=2),
        nv.entry(packed, 90, kind=nv.PTX, flags=nv.A | nv.LZ4, size=len(text), version=(8, 0), options="--compile-only"),
    )
    size = len(nv.cubin(80))
    assert inspect(data, name="x").details == (
        ("1.sm_80.cubin", f"{size} bytes, with debug information"),
        ("1.sm_90a.ptx", f"PTX 8.0, LZ4, {len(packed)} of {len(text)} bytes, ptxas options `--compile-only`"),
    )


@pytest.mark.parametrize(("kind", "executable_format"), [(8, "nvidia-lto"), (77, "nvidia-kind-77")])
def test_images_of_closed_kinds_are_named_and_never_known_to_run(kind: int, executable_format: str) -> None:
    found = only(nv.fatbin(nv.entry(b"\xab5\xb9\xbf", 90, kind=kind, flags=nv.ZSTD, size=2772)))
    assert found.format == executable_format
    assert NeedsIsa("sm_90") in found.requires
    assert any(isinstance(need, NeedsUnknown) for need in found.requires)
