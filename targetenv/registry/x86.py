"""x86-64: levels, feature closures of `-march` names, and what `/proc/cpuinfo` calls the features. All in LLVM's names.

A level or a name is a set of features and nothing else: a device runs code for `znver4` when it has all of that set, whatever
its model is called, and does not when a hypervisor masks one of them.
"""

from __future__ import annotations

from functools import cache

from targetenv.registry.rows import keys, row

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

LEVELS = ("x86-64", "x86-64-v2", "x86-64-v3", "x86-64-v4")

# What each level adds. Source: x86-64 psABI 1.0, section 3.1.1 "Processor Architecture", table 3.1. The baseline's OSFXSR and
# SCE are the operating system's part and have no name in LLVM; LAHF-SAHF is `sahf`, FPU is `x87`, OSXSAVE is `xsave`.
_ADDS = {
    "x86-64": "cmov cx8 fxsr mmx sse sse2 x87",
    "x86-64-v2": "cx16 popcnt sahf sse3 sse4.1 sse4.2 ssse3",
    "x86-64-v3": "avx avx2 bmi bmi2 f16c fma lzcnt movbe xsave",
    "x86-64-v4": "avx512bw avx512cd avx512dq avx512f avx512vl",
}

# Linux's name (arch/x86/include/asm/cpufeatures.h) -> LLVM's (llvm/lib/Target/X86/X86.td), where code can use the feature.
# Linux clears what the operating system has not enabled, so this is the view that counts. AMX is left out on purpose: a process
# must ask the kernel for its tiles first (arch_prctl ARCH_REQ_XCOMP_PERM), and until then the instructions fault.
_CPUINFO = """
3dnowprefetch prfchw
abm lzcnt
adx adx
aes aes
avx avx
avx10_1 avx10.1-256
avx2 avx2
avx512_4fmaps avx5124fmaps
avx512_4vnniw avx5124vnniw
avx512_bf16 avx512bf16
avx512_bitalg avx512bitalg
avx512_fp16 avx512fp16
avx512_vbmi2 avx512vbmi2
avx512_vnni avx512vnni
avx512_vp2intersect avx512vp2intersect
avx512_vpopcntdq avx512vpopcntdq
avx512bw avx512bw
avx512cd avx512cd
avx512dq avx512dq
avx512er avx512er
avx512f avx512f
avx512ifma avx512ifma
avx512pf avx512pf
avx512vbmi avx512vbmi
avx512vl avx512vl
avx_ifma avxifma
avx_ne_convert avxneconvert
avx_vnni avxvnni
avx_vnni_int16 avxvnniint16
avx_vnni_int8 avxvnniint8
bmi1 bmi
bmi2 bmi2
cldemote cldemote
clflushopt clflushopt
clwb clwb
clzero clzero
cmov cmov
cmpccxadd cmpccxadd
cx16 cx16
cx8 cx8
f16c f16c
fma fma
fma4 fma4
fpu x87
fsgsbase fsgsbase
fxsr fxsr
gfni gfni
lahf_lm sahf
lwp lwp
mmx mmx
movbe movbe
movdir64b movdir64b
movdiri movdiri
mwaitx mwaitx
ospke pku
pclmulqdq pclmul
pni sse3
popcnt popcnt
prefetchi prefetchi
rao_int raoint
rdpid rdpid
rdpru rdpru
rdrand rdrnd
rdseed rdseed
rtm rtm
serialize serialize
sha512 sha512
sha_ni sha
sm3 sm3
sm4 sm4
sse sse
sse2 sse2
sse4_1 sse4.1
sse4_2 sse4.2,crc32
sse4a sse4a
ssse3 ssse3
tbm tbm
tsxldtrk tsxldtrk
vaes vaes
vpclmulqdq vpclmulqdq
waitpkg waitpkg
xop xop
xsave xsave
xsavec xsavec
xsaveopt xsaveopt
xsaves xsaves
"""


@cache
def features(name: str) -> frozenset[str]:
    """Every feature that code built for this name may use: a level, or a `-march` name of clang or archspec.

    A name that is neither is a `KeyError`. Of a `-march` name all features count that a device can show (`from_cpuinfo`), also
    those that a compiler emits only when asked (`mwaitx`): nobody can tell from the name whether it was asked. The rest, such
    as `ptwrite` or `invpcid`, no device shows and no compiler emits on its own.

    >>> sorted(features("x86-64-v2") - features("x86-64"))
    ['cx16', 'popcnt', 'sahf', 'sse3', 'sse4.1', 'sse4.2', 'ssse3']
    >>> features("x86-64-v3") <= features("zen4") == features("znver4")
    True
    """
    if name in _ADDS:
        below = LEVELS[: LEVELS.index(name) + 1]
        return frozenset(feature for level in below for feature in _ADDS[level].split(" "))
    from targetenv.registry._generated.cpus import X86

    found = row(X86, name)
    if found is None:
        raise KeyError(name)
    return features(found[1:]) if found.startswith("=") else frozenset(found.split(","))


@cache
def names() -> frozenset[str]:
    """Every name that `features` takes."""
    from targetenv.registry._generated.cpus import X86

    return frozenset(keys(X86)) | frozenset(LEVELS)


def level(offered: frozenset[str]) -> str:
    """The highest level of which all features are offered; the baseline is a given on any x86-64.

    >>> level(frozenset({"avx2"}))
    'x86-64'
    """
    have = offered | features(LEVELS[0])
    return [name for name in LEVELS if features(name) <= have][-1]


def from_cpuinfo(flags: Iterable[str]) -> frozenset[str]:
    """LLVM's names for the `flags` of /proc/cpuinfo; flags that code cannot use are left out.

    >>> sorted(from_cpuinfo(["pni", "sse4_1", "abm", "lahf_lm", "tsc"]))
    ['lzcnt', 'sahf', 'sse3', 'sse4.1']
    """
    known = _cpuinfo()
    return frozenset(feature for flag in flags for feature in known.get(flag, ()))


def known_features() -> frozenset[str]:
    """Every feature that a device can show."""
    return frozenset(feature for named in _cpuinfo().values() for feature in named)


@cache
def _cpuinfo() -> dict[str, tuple[str, ...]]:
    rows = (line.split(" ") for line in _CPUINFO.split("\n") if line)
    return {flag: tuple(named.split(",")) for flag, named in rows}
