"""Which processor feature an instruction belongs to, from what capstone says of it. Names are LLVM's.

Capstone puts most x86 instructions into groups by feature, and hardly any of AArch64; what it leaves out is told by mnemonic
and operands. Sources: Intel SDM volume 2; Arm A-profile instruction set, "FEAT_" of each instruction.
"""

from __future__ import annotations

import re

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

_GROUPS = {
    "sse3": "sse3", "ssse3": "ssse3", "sse41": "sse4.1", "sse42": "sse4.2", "sse4a": "sse4a", "avx": "avx", "avx2": "avx2",
    "avx512": "avx512f", "cdi": "avx512cd", "dqi": "avx512dq", "bwi": "avx512bw", "vlx": "avx512vl", "bmi": "bmi",
    "bmi2": "bmi2", "fc16": "f16c", "fma": "fma", "fma4": "fma4", "aes": "aes", "adx": "adx", "sha": "sha", "pclmul": "pclmul",
    "xop": "xop", "tbm": "tbm", "rtm": "rtm", "fsgsbase": "fsgsbase",
}  # fmt: skip
_X86 = {"popcnt": "popcnt", "lzcnt": "lzcnt", "movbe": "movbe", "cmpxchg16b": "cx16", "crc32": "sse4.2"}
_OLDER_TAKE_IT = frozenset({"tzcnt"})  # for `bsf`, and compilers count on that
_FMA = re.compile(r"vfn?m(?:add|sub|addsub|subadd)(?:132|213|231)[ps][sd]$")
_EVEX = re.compile(r"[xyz]mm(?:1[6-9]|2\d|3[01])|zmm|\{")  # only the encoding of AVX-512 has these
_AARCH64 = (
    ("lse", re.compile(r"(?:(?:ld|st)(?:add|clr|eor|set|[su]max|[su]min)|swp|casp?)a?l?[bh]?$"), None),
    ("crc", re.compile(r"crc32"), None),
    ("rdm", re.compile(r"sqrdml[as]h$"), None),
    ("dotprod", re.compile(r"[us]dot$"), re.compile(r"\bv\d")),
    ("i8mm", re.compile(r"(?:[us]|us)mmla$|usdot$|sudot$"), None),
    ("bf16", re.compile(r"bf(?:dot|mmla|mlal|cvt)"), None),
    ("aes", re.compile(r"aes(?:e|d|mc|imc)$"), None),
    ("sha2", re.compile(r"sha(?:1|256)"), None),
    ("sha3", re.compile(r"(?:eor3|rax1|xar|bcax|sha512\w*)$"), re.compile(r"\bv\d|\bq\d")),
    ("sm4", re.compile(r"sm[34]"), None),
    ("rcpc", re.compile(r"ldapu?r"), None),
    ("jsconv", re.compile(r"fjcvtzs$"), None),
    ("pauth", re.compile(r"(?:reta|bra|blra)[ab]z?$"), None),
    ("fullfp16", re.compile(r"f(?!cvt|mlal|mlsl)"), re.compile(r"\bh\d|\.[48]h")),
    ("sve", re.compile(r""), re.compile(r"\bz\d+(?:\.[bhsdq])?\b|\bp\d+[./]")),
    ("sve", re.compile(r"(?:cnt[bhwd]|rdvl|addvl|addpl|ptrue|whilel[oest])$"), None),
)


def kind_of(mnemonic: str, operands: str, *, x86: bool) -> tuple[str, ...]:
    """What tells instructions of different features apart: two of one kind belong to the same."""
    if x86:
        return (mnemonic, *(word for word in ("ymm", "xmm") if word in operands), *(["evex"] if _EVEX.search(operands) else []))
    return (mnemonic, *sorted(aarch64_features(mnemonic, operands)))


def x86_features(kind: tuple[str, ...], groups: Iterable[str]) -> frozenset[str]:
    """The features of an x86 instruction of this kind, in these groups of capstone's.

    >>> sorted(x86_features(kind_of("vfmadd231ps", "ymm0, ymm17, ymm1", x86=True), ()))
    ['avx512f', 'avx512vl', 'fma']
    """
    mnemonic, *marks = kind
    if mnemonic in _OLDER_TAKE_IT:
        return frozenset()
    found = {_GROUPS[group] for group in groups if group in _GROUPS}
    if mnemonic in _X86:
        found.add(_X86[mnemonic])
    if _FMA.match(mnemonic):
        found.add("fma")
    if "evex" in marks:
        found |= {"avx512f", "avx512vl"} if "ymm" in marks else {"avx512f"}
    return frozenset(found)


def aarch64_features(mnemonic: str, operands: str) -> frozenset[str]:
    """The features of an AArch64 instruction.

    >>> sorted(aarch64_features("ldaddal", "w0, w0, [x1]")), sorted(aarch64_features("fadd", "v0.4s, v1.4s, v2.4s"))
    (['lse'], [])
    """
    return frozenset(
        feature
        for feature, name, registers in _AARCH64
        if name.match(mnemonic) and (registers is None or registers.search(operands))
    )
