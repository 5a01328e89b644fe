"""Names of CPU instruction sets as sets of features. A name's meaning is its set; models and ages play no part."""

from __future__ import annotations

from targetenv.registry import x86

_X86_BASELINE = "x86-64"
_AARCH64_BASELINE = "armv8-a"


def architecture(isa: str) -> str | None:
    """`x86_64` or `aarch64` for a name that the CPU tables have, None for any other.

    >>> architecture("x86-64-v3"), architecture("cortex-a76"), architecture("gfx942")
    ('x86_64', 'aarch64', None)
    """
    if isa in x86.LEVELS:
        return "x86_64"
    from targetenv.registry import aarch64  # with the tables of `-march` names, which levels do without

    return "x86_64" if isa in x86.names() else "aarch64" if isa in aarch64.names() else None


def features(isa: str) -> frozenset[str]:
    """Every feature that code for this CPU name may use, the architecture's baseline included; none for any other name."""
    known = architecture(isa)
    if known is None:
        return frozenset()
    if known == "x86_64":
        return x86.features(isa) | x86.features(_X86_BASELINE)
    from targetenv.registry import aarch64

    return aarch64.features(isa) | aarch64.features(_AARCH64_BASELINE)
