"""The dialect `oci`: platforms of container images, `linux/arm64/v8`, `linux/amd64/v3`.

    platform := os [ "(" version ")" ] "/" architecture [ "/" variant ]

Names are normalised as containerd does (platforms/database.go): `x86_64` is `amd64`, `aarch64` is `arm64`, `v8` is not written.
Unlike there, nothing is filled in from the machine that reads the text, and an architecture that nobody knows is an error.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from targetenv.diagnostics.diagnostic import Diagnostic, Label, ParseError
from targetenv.diagnostics.suggest import did_you_mean
from targetenv.model.capabilities import Capabilities, Property
from targetenv.model.record import record
from targetenv.model.span import Span
from targetenv.model.target_env import TargetEnv
from targetenv.registry import aarch64, x86
from targetenv.syntax.parsed import Parsed, Rendered

if TYPE_CHECKING:
    from targetenv.diagnostics.diagnostic import Source
    from targetenv.syntax.compat import Compat

_PLATFORM = re.compile(
    r"(?P<os>[A-Za-z0-9_-]+)(?:\((?P<version>[\w.-]+)\))?/(?P<arch>[A-Za-z0-9_-]+)(?:/(?P<variant>[A-Za-z0-9_.-]+))?"
)
#: Go's GOOS and GOARCH (go/src/internal/syslist), which OCI's image-index specification refers to.
SYSTEMS = tuple("aix android darwin dragonfly freebsd illumos ios js linux netbsd openbsd plan9 solaris wasip1 windows".split())
ARCHITECTURES = tuple("386 amd64 arm arm64 loong64 mips mips64 mips64le mipsle ppc64 ppc64le riscv64 s390x wasm".split())
_SYSTEM_ALIASES = {"macos": "darwin"}
#: what is written -> architecture, variant where none is given
_ALIASES = {
    "i386": ("386", ""),
    "x86_64": ("amd64", ""),
    "x86-64": ("amd64", ""),
    "aarch64": ("arm64", ""),
    "armhf": ("arm", "v7"),
    "armel": ("arm", "v6"),
}
_X86 = {"": "x86-64", "v2": "x86-64-v2", "v3": "x86-64-v3", "v4": "x86-64-v4"}


@record
class Platform:
    """A platform in normal form; empty parts are not written."""

    os: str
    arch: str
    variant: str = ""
    os_version: str = ""

    def __str__(self) -> str:
        version = f"({self.os_version})" if self.os_version else ""
        return "/".join((f"{self.os}{version}", self.arch, *((self.variant,) if self.variant else ())))


def knows(text: str) -> bool:
    """Whether a text has the shape of a platform."""
    found = _PLATFORM.fullmatch(text)
    return found is not None and (_system(found["os"]) in SYSTEMS or _architecture(found["arch"])[0] in ARCHITECTURES)


def names() -> tuple[str, ...]:
    """Platforms that are worth suggesting."""
    return tuple(f"linux/{arch}" for arch in ("386", "amd64", "arm/v7", "arm64", "ppc64le", "riscv64", "s390x"))


def parse(source: Source, compat: Compat | None = None) -> Parsed:  # noqa: ARG001  no release of IREE differs here
    """Read a platform; TE1213 with the part that nobody knows."""
    tree = read(source)
    return Parsed("oci", lower(tree), str(tree), (), tree)


def render(of: Parsed | TargetEnv, era: str | None = None, compat: Compat | None = None) -> Rendered:  # noqa: ARG001
    """The platform that runs what the environment is for; TE1220 when it is no CPU's."""
    if isinstance(of, Parsed) and isinstance(of._tree, Platform):
        return Rendered(str(of._tree))
    env = of.env if isinstance(of, Parsed) else of
    offers = env.offers
    system = env.triple.os if env.triple else "linux"
    written = re.match(r"[a-z]+", "darwin" if system.startswith("macos") else system)
    system = written[0] if written and written[0] in SYSTEMS else "linux"
    if offers.api == "cpu" and offers.isa in x86.names():
        level = x86.level(offers.features) if offers.features else "x86-64"
        variant = "" if level == "x86-64" else level.removeprefix("x86-64-")
        beyond = offers.features - x86.features(level)
        losses = (f"features beyond the level: {', '.join(sorted(beyond))}",) if beyond else ()
        return Rendered(str(Platform(system, "amd64", variant)), losses)
    if offers.api == "cpu" and (offers.isa in aarch64.names()):
        level = aarch64.level(offers.features)
        variant = level.removeprefix("arm").removesuffix("-a")
        beyond = offers.features - aarch64.features(level)
        losses = (f"features beyond the version: {', '.join(sorted(beyond))}",) if beyond else ()
        return Rendered(str(Platform(system, "arm64", "" if variant == "v8" else variant)), losses)
    raise ParseError(Diagnostic("TE1220", f"an environment for {offers.api} has no OCI platform"))


def read(source: Source) -> Platform:
    """The platform of a text, in normal form."""
    text = source.text.strip()
    start = len(source.text) - len(source.text.lstrip())
    found = _PLATFORM.fullmatch(text)
    if found is None:
        label = Label(Span(start, start + len(text)), "not `os/architecture` or `os/architecture/variant`")
        raise ParseError(
            Diagnostic("TE1213", f"unknown target `{text}`", source, (label,), help="write `linux/amd64`, for example")
        )
    system = _system(found["os"])
    arch, variant = _architecture(found["arch"])
    variant = (found["variant"] or variant).lower()
    for part, value, known in (("os", system, SYSTEMS), ("arch", arch, ARCHITECTURES)):
        if value not in known:
            span = Span(start + found.start(part), start + found.end(part))
            help_ = did_you_mean(value, known) or f"write one of {', '.join(known)}"
            raise ParseError(Diagnostic("TE1213", f"unknown target `{text}`", source, (Label(span, "not known"),), help=help_))
    variant = _normal(arch, variant)
    if not _is_variant(arch, variant):
        span = Span(start + found.start("variant"), start + found.end("variant"))
        label = Label(span, f"not a variant of {arch}")
        raise ParseError(Diagnostic("TE1213", f"unknown target `{text}`", source, (label,), help=_variants(arch)))
    return Platform(system, arch, variant, found["version"] or "")


def lower(tree: Platform) -> TargetEnv:
    """The environment: the level or architecture version that the variant stands for."""
    system = (Property("oci::os", tree.os),)
    if tree.arch == "amd64":
        name = _X86[tree.variant]
        offers = Capabilities(
            "cpu", isa=name, formats=frozenset({"elf-x86_64"}), features=x86.features(name), properties=system
        )
    elif tree.arch == "arm64":
        name = f"arm{tree.variant or 'v8'}-a"
        features = aarch64.features(name)
        offers = Capabilities("cpu", isa=name, formats=frozenset({"elf-aarch64"}), features=features, properties=system)
    else:
        offers = Capabilities("cpu", isa=f"{tree.arch}{tree.variant}", properties=system, complete=False)
    return TargetEnv(offers)


def _system(written: str) -> str:
    return _SYSTEM_ALIASES.get(written.lower(), written.lower())


def _architecture(written: str) -> tuple[str, str]:
    return _ALIASES.get(written.lower(), (written.lower(), ""))


def _normal(arch: str, variant: str) -> str:
    """containerd `normalizeArch`: the baseline is not written, `8` is `v8`, and 32-bit Arm without a word is v7."""
    variant = f"v{variant}" if variant[:1].isdigit() else variant
    if (arch, variant) in (("arm64", "v8"), ("arm64", "v8.0"), ("amd64", "v1")):
        return ""
    if (arch, variant) == ("arm64", "v9.0"):
        return "v9"
    return variant or ("v7" if arch == "arm" else "")


def _is_variant(arch: str, variant: str) -> bool:
    if arch == "amd64":
        return variant in _X86
    if arch == "arm64":
        return f"arm{variant or 'v8'}-a" in aarch64.levels()
    if arch == "arm":
        return variant in ("v5", "v6", "v7", "v8")
    return True


def _variants(arch: str) -> str:
    match arch:
        case "amd64":
            return "variants of amd64 are v2, v3 and v4"
        case "arm64":
            levels = [level.removeprefix("arm").removesuffix("-a") for level in aarch64.levels()]
            return f"variants of arm64 are {', '.join(levels)}"
        case _:
            return "variants of arm are v5, v6, v7 and v8"
