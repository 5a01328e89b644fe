"""Instructions bound from below what an object needs: every feature that a compiler was told to use is found, no other."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from targetenv.artifacts import inspect
from targetenv.artifacts.containers import Budget
from targetenv.artifacts.scan import scan, scanned
from targetenv.diagnostics.diagnostic import EnvironmentFailed, FormatError
from targetenv.match import isa as isas
from targetenv.model.requirement import NeedsFeature, NeedsIsa, NeedsUnknown
from tests.unit.artifacts import iree_builder as iree

pytest.importorskip("capstone")
GCC = shutil.which("gcc")
CLANG = shutil.which("clang-19")
SOURCE = """
float dot(const float *a, const float *b, int n) { float s = 0; for (int i = 0; i < n; i++) s += a[i] * b[i]; return s; }
void add(int *a, const int *b, int n) { for (int i = 0; i < n; i++) a[i] += b[i]; }
int bits(unsigned long x) { return __builtin_popcountl(x) + __builtin_ctzl(x) + __builtin_clzl(x | 1); }
int take(int *a) { return __atomic_fetch_add(a, 1, __ATOMIC_SEQ_CST); }
"""
CORPUS = Path(__file__).parents[2] / "corpora" / "artifacts"


def built(tmp_path: Path, *command: object) -> bytes:
    source, made = tmp_path / "a.c", tmp_path / "a.so"
    source.write_text(SOURCE)
    options = ("-O3", "-ffast-math", "-shared", "-fPIC", "-nostdlib", source, "-o", made)
    subprocess.run([str(word) for word in (*command, *options)], check=True, capture_output=True)
    return made.read_bytes()


def features(data: bytes, machine: str = "x86_64") -> set[str]:
    return {use.feature for use in scan(data, machine, name="a.so", budget=Budget()).uses}


@pytest.mark.skipif(GCC is None, reason="gcc is not installed")
@pytest.mark.parametrize(
    ("level", "least"),
    [
        ("x86-64", set()),
        ("x86-64-v2", {"popcnt"}),
        ("x86-64-v3", {"avx", "avx2", "fma", "lzcnt", "popcnt"}),
        ("x86-64-v4", {"avx", "avx512f", "avx512vl", "fma", "lzcnt", "popcnt"}),
    ],
)
def test_what_gcc_uses_of_a_level_is_found_and_nothing_above_it(level: str, least: set[str], tmp_path: Path) -> None:
    found = features(built(tmp_path, GCC, f"-march={level}"))
    assert least <= found <= isas.features(level)


@pytest.mark.skipif(CLANG is None, reason="clang-19 is not installed")
@pytest.mark.parametrize(
    ("march", "least"),
    [("armv8-a", set()), ("armv8.1-a", {"lse"}), ("armv8.2-a+dotprod", {"lse"}), ("armv9-a", {"lse", "sve"})],
)
def test_what_clang_uses_of_an_aarch64_version_is_found(march: str, least: set[str], tmp_path: Path) -> None:
    flags = ("--target=aarch64-linux-gnu", "-fuse-ld=lld-19", f"-march={march}", "-mno-outline-atomics")
    found = features(built(tmp_path, CLANG, *flags), "aarch64")
    assert least <= found
    assert not found - least - {"rdm", "dotprod"}


def test_a_silent_object_needs_what_it_uses_and_stays_unknown(tmp_path: Path) -> None:
    if GCC is None:
        pytest.skip("gcc is not installed")
    data = built(tmp_path, GCC, "-march=x86-64-v4")
    (artifact,) = scanned(inspect(data, name="a.so"), data, name="a.so", budget=Budget()).artifacts
    assert NeedsFeature("avx512f") in artifact.requires
    assert any(isinstance(need, NeedsUnknown) for need in artifact.requires)


def test_code_of_iree_is_held_against_the_target_it_is_said_to_be_for(tmp_path: Path) -> None:
    """ELF does not say what it needs, so IREE's target is taken for it; instructions that it does not have are required too."""
    if GCC is None:
        pytest.skip("gcc is not installed")
    fields = 'cpu = "x86-64-v2", cpu_features = "", target_triple = "x86_64-unknown-unknown-eabi-elf"'
    target = f'#hal.executable.target<"llvm-cpu", "embedded-elf-x86_64", {{{fields}}}>'
    message = f'HAL device `d` not found or unavailable: #hal.device.target<"local", [{target}]> : !hal.device'
    data = iree.module(built(tmp_path, GCC, "-march=x86-64-v4"), message=message)
    plain = inspect(data, name="a.vmfb")
    (artifact,) = scanned(plain, data, name="a.vmfb", budget=Budget()).artifacts
    assert NeedsIsa("x86-64-v2") in plain.artifacts[0].requires
    assert NeedsFeature("avx512f") in artifact.requires
    assert NeedsFeature("popcnt") not in artifact.requires, "x86-64-v2 has it"


def test_what_an_object_states_goes_before_what_it_holds() -> None:
    data = (CORPUS / "kernel_x86-64-v2.so").read_bytes()
    before = inspect(data, name="a.so")
    after = scanned(before, data, name="a.so", budget=Budget())
    assert after.artifacts == before.artifacts
    assert dict(after.details)["instructions up to"]


def test_without_capstone_the_way_to_get_it_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "capstone", None)
    with pytest.raises(EnvironmentFailed) as refused:
        features((CORPUS / "kernel_silent.so").read_bytes())
    assert refused.value.code == "TE4075"


def test_decoding_ends_with_the_time(tmp_path: Path) -> None:
    data = (CORPUS / "kernel_silent.so").read_bytes()
    ticks = iter((0.0, 5.0))
    with pytest.raises(FormatError) as refused:
        scan(data, "x86_64", name="a.so", budget=Budget(seconds=1, clock=lambda: next(ticks)))
    assert refused.value.code == "TE4081"


def test_code_longer_than_a_chunk_is_read_to_its_end() -> None:
    from targetenv.artifacts.scan import _CHUNK, _Decoder

    decoder = _Decoder("x86_64")
    nop, popcnt = b"\x0f\x1f\x40\x00", bytes.fromhex("f30fb8c7")
    decoder.read(memoryview(b"\x90" + nop * (_CHUNK // 2) + popcnt), "x", Budget())
    assert set(decoder.places) == {"popcnt"}
    assert decoder.places["popcnt"][0][0] == 1 + 4 * (_CHUNK // 2)
    assert decoder.skipped == 0
