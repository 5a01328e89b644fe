"""The stack as of which something is decided: versions of drivers, toolkits and runtimes that select rules."""

from __future__ import annotations

from targetenv.diagnostics.diagnostic import Diagnostic, Label, ParseError, Source
from targetenv.model.record import record
from targetenv.model.span import Span
from targetenv.model.version import Version

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from targetenv.match.rules import Rule


@record
class Stack:
    """Components and their versions, sorted; what is not named is the newest that the rules know.

    >>> Stack((("cuda", Version(12, 8)), ("driver", Version(570)))).version("driver")
    Version(major=570, minor=0, patch=0)
    """

    versions: tuple[tuple[str, Version], ...] = ()

    def __bool__(self) -> bool:
        return bool(self.versions)

    def __str__(self) -> str:
        return ", ".join(f"{component} {version_text(version)}" for component, version in self.versions)

    def version(self, component: str) -> Version | None:
        """The version of a component, None where it was not named."""
        return next((version for name, version in self.versions if name == component), None)

    def idle(self, apis: Iterable[str]) -> tuple[str, ...]:
        """The components that select no rule for any of these APIs: an answer about them is the same without.

        >>> Stack((("rocm", Version(6, 2)),)).idle(["cuda", "cpu"])
        ('rocm',)
        """
        from targetenv.registry.releases import APIS

        asked = frozenset(apis)
        return tuple(component for component, _ in self.versions if not asked.intersection(APIS[component]))

    def beyond(self, component: str) -> bool:
        """Whether the component is newer than the tables: what they do not have yet is then unknown, not absent."""
        from targetenv.registry.releases import COMPONENTS

        version = self.version(component)
        return version is not None and version_key(version) > version_key(COMPONENTS[component][1])

    def refuses(self, rule: Rule) -> str:
        """Why a rule does not hold as of this stack, as a phrase; empty where it does.

        >>> from targetenv.match.rules import rule
        >>> Stack((("cuda", Version(12, 8)),)).refuses(rule("cuda.ptx-family"))
        'cuda 12.8 does not have this rule yet: it came with cuda 12.9'
        """
        if not self.versions:
            return ""
        for component, since in spans(rule.since):
            version = self.version(component)
            if version is not None and version < since:
                what = f"{component} {version_text(version)}"
                return f"{what} does not have this rule yet: it came with {component} {version_text(since)}"
        for component, until in spans(rule.until):
            version = self.version(component)
            if version is not None and version >= until:
                what = f"{component} {version_text(version)}"
                return f"{what} does not have this rule any more: it went with {component} {version_text(until)}"
        return ""


def spans(text: str) -> tuple[tuple[str, Version], ...]:
    """`llvm 19, rocm 6.4` as components and versions."""
    words = (part.split() for part in text.split(",") if part.strip())
    return tuple((component, Version.parse(version)) for component, version in words)


def version_text(version: Version) -> str:
    """A version as stacks are written: `570`, not `570.0`; `12.8`.

    >>> version_text(Version(570)), version_text(Version(13)), version_text(Version(12, 8))
    ('570', '13.0', '12.8')
    """
    return str(version.major) if version.major >= 15 and not version.minor and not version.patch else str(version)


def version_key(version: Version) -> tuple[int, ...]:
    """A key by which a later build of a release that the tables know (driver 590.44) is not newer than it (590)."""
    return (version.major,) if version.major >= 15 else (version.major, version.minor)


def parse_stack(text: str, *, source_name: str = "--as-of") -> Stack:
    """Read `driver=570,cuda=12.8`; ParseError: TE3011 what is no `component=version`, TE3012 an unknown component, TE3013 a
    version before the tables begin, TE3014 one that was never released, TE3015 a component that is named twice.

    >>> str(parse_stack("driver=570,cuda=12.8"))
    'cuda 12.8, driver 570'
    """
    source = Source(source_name, text)
    found: dict[str, Version] = {}
    at = 0
    for part in text.split(","):
        component, version = _component(part, at, source)
        if component in found:
            raise _refused("TE3015", f"`{component}` is named twice", source, at, part, "name each component once")
        found[component] = version
        at += len(part) + 1
    return Stack(tuple(sorted(found.items())))


def _component(part: str, at: int, source: Source) -> tuple[str, Version]:
    from targetenv.registry.releases import COMPONENTS, MEANINGS

    name, separator, number = (word.strip() for word in part.partition("="))
    if not separator or not name or not number:
        advice = "write `component=version`, separated by commas: `driver=570,cuda=12.8`"
        raise _refused("TE3011", f"`{part.strip()}` is not a component and its version", source, at, part, advice)
    name = name.lower()
    if name not in COMPONENTS:
        from targetenv.diagnostics.suggest import did_you_mean

        known = ", ".join(f"`{component}` ({MEANINGS[component]})" for component in COMPONENTS)
        advice = did_you_mean(name, COMPONENTS) or f"the components are {known}"
        raise _refused("TE3012", f"there are no rules by the version of `{name}`", source, at, part, advice)
    try:
        version = Version.parse(number)
    except ValueError:
        advice = f"write a version such as `{name}={version_text(COMPONENTS[name][1])}`"
        raise _refused("TE3011", f"`{number}` is not a version", source, at, part, advice) from None
    first, last = COMPONENTS[name]
    if version < first:
        advice = f"the rules begin with {name} {version_text(first)}"
        raise _refused("TE3013", f"{name} {version_text(version)} is before what the rules know", source, at, part, advice)
    if name == "vulkan" and version_key(version) > version_key(last):
        advice = f"the newest is {version_text(last)}"
        raise _refused("TE3014", f"there is no {name} {version_text(version)}", source, at, part, advice)
    return name, version


def _refused(code: str, message: str, source: Source, at: int, part: str, advice: str) -> ParseError:
    start = at + len(part) - len(part.lstrip())
    span = Span(start, max(start, at + len(part.rstrip())))
    return ParseError(Diagnostic(code, message, source, (Label(span),), help=advice))
