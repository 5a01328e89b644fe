"""The dialect `cpu`: `x86-64-v3`, a compiler's `-march` or `-mcpu` name, and edits: `haswell,-fma` or `armv8.2-a+sve2+nofp16`.

    cpu   := name { "," ("+" | "-") feature } | name { "+" ["no"] feature }
    flags := ("-march=" | "-mcpu=") cpu [ "-mattr=" ("+" | "-") feature { "," ... } ]

A name is the closure of its features and nothing else (`targetenv.registry.x86`, `aarch64`); edits apply from left to right.
The second form of edits is Arm's (ACLE, "Feature modifiers") and is what AArch64 names print with.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from targetenv.diagnostics.diagnostic import Diagnostic, Label, ParseError
from targetenv.diagnostics.suggest import did_you_mean
from targetenv.model.capabilities import Capabilities
from targetenv.model.record import record
from targetenv.model.span import Span
from targetenv.model.target_env import TargetEnv
from targetenv.registry import aarch64, x86
from targetenv.syntax.complaints import Complaints
from targetenv.syntax.parsed import Parsed, Rendered

if TYPE_CHECKING:
    from collections.abc import Iterator

    from targetenv.diagnostics.diagnostic import Source
    from targetenv.syntax.compat import Compat

_FLAG = re.compile(r"\s*-(?P<flag>march|mcpu|mattr)=")
_NAME = re.compile(r"[A-Za-z0-9_.]+(?:-[A-Za-z0-9_.]+)*")
_EDIT = re.compile(
    r",(?P<sign>[+-])(?P<feature>[A-Za-z0-9][A-Za-z0-9_.-]*)|\+(?P<no>no)?(?P<modifier>[A-Za-z0-9][A-Za-z0-9_.-]*)"
)
_LOOKS_X86 = re.compile(r"(?:x86|amd64|x64)[-_0-9v]*", re.IGNORECASE)
_LOOKS_ARM = re.compile(r"arm(?:v[89]|64)[-.0-9a-z]*", re.IGNORECASE)


@record
class CpuName:
    """A name and its edits in the order in which they apply; True adds."""

    name: str
    edits: tuple[tuple[str, bool], ...] = ()

    @property
    def is_arm(self) -> bool:
        """Whether the name is one of AArch64's."""
        return self.name not in x86.names()

    @property
    def features(self) -> frozenset[str]:
        """The closure of the name with the edits applied."""
        found = set(aarch64.features(self.name) if self.is_arm else x86.features(self.name))
        for feature, add in self.edits:
            (found.add if add else found.discard)(feature)
        return frozenset(found)

    def __str__(self) -> str:
        if self.is_arm:
            return self.name + "".join(f"+{'' if add else 'no'}{feature}" for feature, add in self.edits)
        return ",".join((self.name, *(f"{'+' if add else '-'}{feature}" for feature, add in self.edits)))


def knows(text: str) -> bool:
    """Whether a text begins with a CPU's name, or with something that was surely meant as one."""
    flag = _FLAG.match(text)
    start = flag.end() if flag else 0
    found = _NAME.match(text, start)
    if found is None:
        return flag is not None
    name = found[0]
    return bool(flag or name in names() or name == "native" or _LOOKS_X86.fullmatch(name) or _LOOKS_ARM.fullmatch(name))


def names() -> tuple[str, ...]:
    """Every level, architecture version and `-march` name."""
    return (*sorted(x86.names()), *sorted(aarch64.names() - x86.names()))


def parse(source: Source, compat: Compat | None = None) -> Parsed:  # noqa: ARG001  no release of IREE differs here
    """Read a CPU's name (TE1213, TE1218, TE1002)."""
    tree = read(source)
    return Parsed("cpu", lower(tree), str(tree), (), tree)


def render(of: Parsed | TargetEnv, era: str | None = None, compat: Compat | None = None) -> Rendered:  # noqa: ARG001
    """The name and edits that say what the environment offers; TE1220 when it is no CPU's."""
    env = of.env if isinstance(of, Parsed) else of
    offers = env.offers
    isa = offers.isa
    if offers.api != "cpu" or isa is None or isa not in x86.names() | aarch64.names():
        raise ParseError(Diagnostic("TE1220", f"an environment for {offers.api} has no CPU's name"))
    bare = CpuName(isa)
    added = ((feature, True) for feature in sorted(offers.features - bare.features))
    # Where the source does not claim to know everything, what it does not name is not denied either.
    missing = bare.features - offers.features if offers.features and offers.complete else offers.denied & bare.features
    removed = ((feature, False) for feature in sorted(missing))
    return Rendered(str(CpuName(isa, (*added, *removed))))


def read(source: Source) -> CpuName:
    """The name and the edits of a text."""
    complaints = Complaints(source)
    text = source.text.rstrip()
    at = len(text) - len(text.lstrip())
    flag = _FLAG.match(text)
    at = flag.end() if flag else at
    found = _NAME.match(text, at)
    name = found[0] if found else ""
    end = found.end() if found else at
    if name not in names():
        raise ParseError(_unknown(name, source, Span(at, end)))
    known = aarch64.known_features() if CpuName(name).is_arm else x86.known_features()
    edits = []
    for feature, add, span in _edits(text, end, complaints):
        if feature in known:
            edits.append((feature, add))
        else:
            help_ = did_you_mean(feature, known) or "features have LLVM's names, as `llc -mattr=help` lists them"
            complaints.error("TE1218", f"unknown target feature `{feature}`", span, help=help_)
    complaints.settle()
    return CpuName(name, tuple(edits))


def lower(tree: CpuName) -> TargetEnv:
    """The environment: exactly these features; those that the name contains and an edit takes away are denied."""
    image = "elf-aarch64" if tree.is_arm else "elf-x86_64"
    denied = CpuName(tree.name).features - tree.features
    return TargetEnv(Capabilities("cpu", isa=tree.name, formats=frozenset({image}), features=tree.features, denied=denied))


def _edits(text: str, at: int, complaints: Complaints) -> Iterator[tuple[str, bool, Span]]:
    """Each edit behind the name, in any of the forms, with the place of its feature."""
    while at < len(text):
        flag = _FLAG.match(text, at)
        if flag and flag["flag"] == "mattr":
            # `-mattr=+a,-b` is the first form without its first comma.
            at = flag.end()
            found = _EDIT.match(f",{text[at:]}")
            shift = at - 1
        else:
            found = _EDIT.match(text, at)
            shift = 0
        if found is None:
            complaints.error("TE1002", f"expected `,+feature` or the end, found `{text[at:][:40]}`", Span(at, len(text)))
            return
        word = "feature" if found["feature"] else "modifier"
        add = found["sign"] == "+" if found["feature"] else not found["no"]
        yield found[word], add, Span(found.start(word) + shift, found.end(word) + shift)
        at = found.end() + shift


def _unknown(name: str, source: Source, span: Span) -> Diagnostic:
    if name == "native":
        help_ = "name a level, such as `x86-64-v3`; `targetenv probe --driver cpu` says what this machine offers"
        label = Label(span, "another CPU on every machine")
        return Diagnostic("TE1213", "`native` is not a target", source, (label,), help=help_)
    spelt = re.sub(r"^(?:x86|amd)[-_]?64", "x86-64", name.lower()).replace("_", "-")
    spelt = re.sub(r"^(x86-64)[-]?v(\d)", r"\1-v\2", spelt)
    help_ = f"write `{spelt}`" if spelt in names() else did_you_mean(spelt, names())
    return Diagnostic("TE1213", f"unknown target `{name}`", source, (Label(span, "not the name of a CPU"),), help=help_)
