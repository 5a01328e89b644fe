"""AArch64: architecture versions, feature closures of `-mcpu` names, and what `/proc/cpuinfo` calls the features. LLVM's names.

Only features that code at EL0 can use and that Linux shows (HWCAP, HWCAP2) take part: whether the kernel uses PAN is no concern
of a compiled kernel, and nothing here could find out.
"""

from __future__ import annotations

from functools import cache

from targetenv.registry.rows import keys, row

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

# Linux's name (arch/arm64/kernel/cpuinfo.c, hwcap_str) -> LLVM's (llvm/lib/Target/AArch64/AArch64Features.td). LLVM has one
# name for some pairs (`sha3` is SHA512 and SHA3): those need both, joined by `&`.
_CPUINFO = """
aes&pmull aes
asimd neon
asimddp dotprod
asimdfhm fp16fml
asimdrdm rdm
atomics lse
bf16 bf16
bti bti
crc32 crc
cssc cssc
dcpodp ccdp
dcpop ccpp
dit dit
faminmax faminmax
fcma complxnum
flagm flagm
flagm2 altnzcv
fp fp-armv8
fphp&asimdhp fullfp16
frint fptoint
gcs gcs
hbc hbc
i8mm i8mm
ilrcpc rcpc-immo
jscvt jsconv
lrcpc rcpc
lrcpc3 rcpc3
lse128 lse128
lut lut
mops mops
mte mte
paca&pacg pauth
rng rand
sb sb
sha1&sha2 sha2
sha3&sha512 sha3
sm3&sm4 sm4
sme sme
sme2 sme2
sme2p1 sme2p1
smef64f64 sme-f64f64
smei16i64 sme-i16i64
ssbs ssbs
sve sve
sve2 sve2
sve2p1 sve2p1
sveaes&svepmull sve2-aes
svebitperm sve2-bitperm
svef32mm f32mm
svef64mm f64mm
svesha3 sve2-sha3
svesm4 sve2-sm4
uscat lse2
wfxt wfxt
"""


@cache
def levels() -> tuple[str, ...]:
    """The architecture versions, in order: `armv8-a` to `armv8.9-a`, then `armv9-a` and on."""
    from targetenv.registry._generated.cpus import AARCH64

    return tuple(name for name in keys(AARCH64) if name.startswith("armv"))


@cache
def features(name: str) -> frozenset[str]:
    """Every feature that code built for this architecture version or `-mcpu` name may use; an unknown name is a `KeyError`.

    >>> sorted(features("armv8.1-a") - features("armv8-a"))
    ['crc', 'lse', 'rdm']
    >>> features("armv8.5-a") <= features("armv9-a")
    True
    """
    from targetenv.registry._generated.cpus import AARCH64

    found = row(AARCH64, name)
    if found is None:
        raise KeyError(name)
    return frozenset(found.split(","))


@cache
def names() -> frozenset[str]:
    """Every name that `features` takes."""
    from targetenv.registry._generated.cpus import AARCH64

    return frozenset(keys(AARCH64))


def level(offered: frozenset[str]) -> str:
    """The highest architecture version of which all features are offered; `armv8-a` is a given.

    >>> level(frozenset({"lse", "crc", "rdm"}))
    'armv8.1-a'
    """
    have = offered | features("armv8-a")
    return [name for name in levels() if features(name) <= have][-1]


def from_cpuinfo(flags: Iterable[str]) -> frozenset[str]:
    """LLVM's names for the `Features` of /proc/cpuinfo.

    >>> sorted(from_cpuinfo(["fp", "asimd", "atomics", "fphp", "evtstrm"]))
    ['fp-armv8', 'lse', 'neon']
    """
    have = frozenset(flags)
    return frozenset(feature for needed, feature in _cpuinfo() if needed <= have)


def known_features() -> frozenset[str]:
    """Every feature that a device can show."""
    return frozenset(feature for _, feature in _cpuinfo())


@cache
def _cpuinfo() -> tuple[tuple[frozenset[str], str], ...]:
    rows = (line.split(" ") for line in _CPUINFO.split("\n") if line)
    return tuple((frozenset(flags.split("&")), feature) for flags, feature in rows)
