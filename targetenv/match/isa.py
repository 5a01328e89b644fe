"""Names of CPU instruction sets as sets of features. A name's meaning is its set; models and ages play no part."""

from __future__ import annotations

from targetenv.match.answer import NO, UNKNOWN, YES, decided
from targetenv.match.phrases import listed
from targetenv.registry import x86

TYPE_CHECKING = False
if TYPE_CHECKING:
    from targetenv.match.answer import Answer
    from targetenv.model.capabilities import Capabilities

#: 32-bit ARM, each running what the ones before it run.
_ARM = ("armv5", "armv6", "armv7")
#: 32-bit code that a 64-bit processor may run: architecture of the processor, the feature that says it does, the rule
_NARROWER = {
    "386": ("x86_64", "ia32", "oci.ia32"),
    "armv5": ("aarch64", "aarch32", "oci.arm32"),
    "armv6": ("aarch64", "aarch32", "oci.arm32"),
    "armv7": ("aarch64", "aarch32", "oci.arm32"),
    "armv8": ("aarch64", "aarch32", "oci.arm32"),
}

_X86_BASELINE = "x86-64"
_AARCH64_BASELINE = "armv8-a"
#: Names that stand for features and no model, highest first, by architecture.
LEVELS = {"x86_64": x86.LEVELS[::-1], "aarch64": (_AARCH64_BASELINE,)}


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


def rule_of(name: str) -> str:
    """The rule by which code for this name is judged."""
    return {"x86_64": "x86.features", "aarch64": "aarch64.features"}.get(architecture(name) or "", "isa.same")


def runs(code: str, offers: Capabilities) -> Answer:
    """Whether the device runs CPU code for `code`: it needs the features behind the name, whatever the device's own name is."""
    offered = offers.isa or ""
    known = architecture(code)
    if known is None or known != architecture(offered):
        return _other(code, offers)
    by = rule_of(code)
    missing = features(code) - ((features(offered) | offers.features) - offers.denied)
    if not missing:
        return YES, f"device offers {offered} with all features", by
    outcome = NO if offers.complete or missing & offers.denied else UNKNOWN
    return outcome, f"device offers {offered}, without {listed(missing)}", by


def _other(code: str, offers: Capabilities) -> Answer:
    """Code of another architecture: the very name, or 32-bit code on a processor that may run it."""
    offered = offers.isa or ""
    if code in _ARM and offered in _ARM:
        return decided(_ARM.index(code) <= _ARM.index(offered)), f"device offers {offered}", "oci.arm-version"
    processor, feature, by = _NARROWER.get(code, ("", "", ""))
    if processor and processor == architecture(offered):
        if feature in offers.features:
            return YES, f"device offers {offered} with {feature}", by
        if feature in offers.denied:
            return NO, f"device offers {offered} without {feature}", by
        return UNKNOWN, f"device offers {offered}; whether with {feature} is not stated", by
    return decided(code == offered), f"device offers {offered}", "isa.same"
