"""x86-64 and AArch64: levels, names and what Linux calls the features."""

from __future__ import annotations

import re
import shutil
import subprocess

import pytest

from targetenv.registry import aarch64, x86

# Flags that a Zen 4 guest showed (Linux 6.1, KVM).
CPUINFO_OF_A_ZEN4 = """
fpu vme de pse tsc msr pae mce cx8 apic sep mtrr pge mca cmov pat pse36 clflush mmx fxsr sse sse2 ht syscall nx mmxext
fxsr_opt pdpe1gb rdtscp lm constant_tsc rep_good nopl xtopology nonstop_tsc cpuid extd_apicid pni pclmulqdq ssse3 fma
cx16 sse4_1 sse4_2 x2apic movbe popcnt aes xsave avx f16c rdrand hypervisor lahf_lm cmp_legacy abm sse4a misalignsse
3dnowprefetch osvw topoext fsgsbase bmi1 avx2 smep bmi2 erms invpcid avx512f avx512dq rdseed adx smap avx512ifma
clflushopt clwb avx512cd sha_ni avx512bw avx512vl xsaveopt xsavec xgetbv1 xsaves avx512_bf16 clzero arat avx512vbmi umip
avx512_vbmi2 gfni vaes vpclmulqdq avx512_vnni avx512_bitalg avx512_vpopcntdq rdpid fsrm
"""
ZEN4 = tuple(CPUINFO_OF_A_ZEN4.split())


def test_each_level_contains_the_one_below() -> None:
    for below, above in zip(x86.LEVELS, x86.LEVELS[1:], strict=False):
        assert x86.features(below) < x86.features(above)


def test_a_real_machine_reaches_its_level() -> None:
    offered = x86.from_cpuinfo(ZEN4)
    assert x86.level(offered) == "x86-64-v4"
    assert x86.features("x86-64-v4") <= offered


@pytest.mark.parametrize(("flag", "level"), [("avx512cd", "x86-64-v3"), ("abm", "x86-64-v2"), ("lahf_lm", "x86-64")])
def test_one_masked_flag_lowers_the_level(flag: str, level: str) -> None:
    assert x86.level(x86.from_cpuinfo(name for name in ZEN4 if name != flag)) == level


def test_a_name_is_a_feature_set_not_an_identity() -> None:
    """This guest is a Zen 4 by name, with PKU and mwaitx masked: code for `znver4` may not be run on it."""
    assert x86.features("znver4") - x86.from_cpuinfo(ZEN4) == {"mwaitx", "pku", "rdpru"}
    assert x86.features("znver2") - x86.from_cpuinfo(ZEN4) == {"mwaitx", "rdpru"}


@pytest.mark.parametrize(
    ("flag", "feature"),
    [
        ("pni", "sse3"),
        ("sse4_1", "sse4.1"),
        ("abm", "lzcnt"),
        ("lahf_lm", "sahf"),
        ("bmi1", "bmi"),
        ("sha_ni", "sha"),
        ("pclmulqdq", "pclmul"),
    ],
)
def test_linux_names_become_llvm_names(flag: str, feature: str) -> None:
    assert x86.from_cpuinfo([flag]) == {feature}


def test_amx_is_never_offered_as_the_kernel_must_be_asked_first() -> None:
    assert x86.from_cpuinfo(["amx_tile", "amx_int8", "amx_bf16"]) == frozenset()


def test_archspec_and_clang_names_mean_the_same() -> None:
    assert x86.features("zen3") == x86.features("znver3")
    assert x86.features("skylake_avx512") == x86.features("skylake-avx512")


@pytest.mark.parametrize("names", [x86, aarch64])
def test_every_name_can_be_satisfied_by_some_device(names) -> None:  # type: ignore[no-untyped-def]
    for name in names.names():
        assert names.features(name), name
        assert names.features(name) <= names.known_features(), name


@pytest.mark.parametrize("names", [x86, aarch64])
def test_an_unknown_cpu_is_a_key_error(names) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(KeyError):
        names.features("z80")


def test_armv9_starts_from_armv8_5() -> None:
    levels = aarch64.levels()
    assert levels[0] == "armv8-a"
    assert aarch64.features("armv8.5-a") <= aarch64.features("armv9-a")
    assert not aarch64.features("armv8.6-a") <= aarch64.features("armv9-a")
    assert aarch64.features("armv8.9-a") <= aarch64.features("armv9.4-a")


def test_an_llvm_name_for_two_hwcaps_needs_both() -> None:
    assert aarch64.from_cpuinfo(["sha512"]) == frozenset()
    assert aarch64.from_cpuinfo(["sha3", "sha512"]) == {"sha3"}


def test_a_neoverse_n1_is_armv8_2() -> None:
    flags = "fp asimd evtstrm aes pmull sha1 sha2 crc32 atomics fphp asimdhp cpuid asimdrdm lrcpc dcpop asimddp ssbs"
    offered = aarch64.from_cpuinfo(flags.split())
    assert aarch64.level(offered) == "armv8.2-a"
    assert aarch64.features("neoverse-n1") <= offered


@pytest.mark.parametrize("level", x86.LEVELS)
def test_the_psabi_levels_are_what_clang_turns_on(level: str) -> None:
    clang = shutil.which("clang-19") or shutil.which("clang")
    if clang is None:
        pytest.skip("clang is not installed")
    options = ["--target=x86_64-linux-gnu", f"-march={level}", "-x", "c", "-", "-S", "-emit-llvm", "-o", "-"]
    text = subprocess.run(
        [clang, *options], input="int f(void) { return 1; }", capture_output=True, text=True, check=True
    ).stdout
    on = re.search(r'"target-features"="([^"]*)"', text)
    assert on is not None
    # LLVM splits CRC32 off SSE 4.2; evex512 says that 512-bit vectors may be used, and is no instruction set.
    assert {name[1:] for name in on[1].split(",") if name[0] == "+"} - {"crc32", "evex512"} == x86.features(level)
