"""The dialect `vulkan`: versions as toolchains name them. `vulkan1.1`, `spirv1.3`, and `vulkan1.1+spirv1.4` for both.

A version is not a device: what it does not guarantee is not known, rather than not there.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from targetenv.diagnostics.diagnostic import Diagnostic, Label, ParseError
from targetenv.diagnostics.suggest import did_you_mean
from targetenv.model.capabilities import Capabilities, SpirvEnvironment
from targetenv.model.record import replace
from targetenv.model.span import Span
from targetenv.model.target_env import TargetEnv
from targetenv.model.version import Version
from targetenv.syntax.not_expressible import refuse
from targetenv.syntax.parsed import Parsed, Rendered

if TYPE_CHECKING:
    from targetenv.diagnostics.diagnostic import Source
    from targetenv.syntax.compat import Compat

VULKAN = ("1.0", "1.1", "1.2", "1.3", "1.4")
SPIRV = ("1.0", "1.1", "1.2", "1.3", "1.4", "1.5", "1.6")
SOURCE = "Vulkan specification, appendix `Vulkan Environment for SPIR-V`"
_NAME = re.compile(r"(?:vulkan-?(?P<vulkan>1\.\d))?\+?(?:(?:spirv|spv)-?(?P<spirv>1\.\d))?")
_MEANT = re.compile(r"(?:vulkan|spirv|spv|vk)[-_ ]?\d[^:<>]*", re.IGNORECASE)


def knows(text: str) -> bool:
    """Whether somebody who wrote this meant a version of Vulkan or SPIR-V."""
    return _MEANT.fullmatch(text) is not None and "-unknown" not in text


def names() -> tuple[str, ...]:
    """Every version on its own, and the one pair in which an extension raises SPIR-V."""
    return (*(f"vulkan{each}" for each in VULKAN), *(f"spirv{each}" for each in SPIRV), "vulkan1.1+spirv1.4")


def parse(source: Source, compat: Compat | None = None) -> Parsed:  # noqa: ARG001  no release of IREE reads these
    """Read a version; TE1213 for one that does not exist, TE2032 for a SPIR-V that the Vulkan version does not take."""
    from targetenv.registry.spirv_environment import spirv_version

    text = source.text.strip()
    start = len(source.text) - len(source.text.lstrip())
    found = _NAME.fullmatch(text)
    vulkan, spirv = (found["vulkan"], found["spirv"]) if found else (None, None)
    if not (vulkan or spirv) or vulkan not in (*VULKAN, None) or spirv not in (*SPIRV, None):
        label = Label(Span(start, start + len(text)))
        help_ = did_you_mean(text.lower(), names()) or f"write one of {', '.join(f'`{each}`' for each in names())}"
        raise ParseError(Diagnostic("TE1213", f"unknown target `{text}`", source, (label,), help=help_))
    if vulkan and spirv:
        highest = spirv_version(Version.parse(vulkan), frozenset({"VK_KHR_spirv_1_4"}))
        if Version.parse(spirv) > highest:
            label = Label(Span(start, start + len(text)), f"SPIR-V {highest} is the highest")
            message = f"Vulkan {vulkan} takes no SPIR-V {spirv}"
            raise ParseError(Diagnostic("TE2032", message, source, (label,), help="raise the Vulkan version"))
    env = lower(vulkan, spirv)
    return Parsed("vulkan", env, render(env).text)


def lower(vulkan: str | None, spirv: str | None) -> TargetEnv:
    """The environment of a version of Vulkan, of SPIR-V, or of both.

    Vulkan 1.1 with SPIR-V 1.4 is Vulkan 1.1 with the extension that raises it. A SPIR-V version below what Vulkan takes is
    stated with the capabilities that every device of that Vulkan version has.
    """
    from targetenv.registry.spirv_environment import spirv_version, support
    from targetenv.syntax.spirv_lowering import with_guarantees

    formats = frozenset({"spirv"})
    if vulkan is None:
        environment = SpirvEnvironment(Version.parse(spirv or "1.0"))
        return TargetEnv(Capabilities("vulkan", formats=formats, spirv=environment, complete=False))
    version = Version.parse(vulkan)
    offers = Capabilities("vulkan", version, formats=formats, complete=False)
    if spirv is not None and Version.parse(spirv) != spirv_version(version, frozenset()):
        raised = replace(offers, extensions=frozenset({"VK_KHR_spirv_1_4"}))
        if Version.parse(spirv) == spirv_version(version, raised.extensions):
            offers = raised
        else:
            environment = support(with_guarantees(replace(offers, complete=True))).environment
            offers = replace(offers, spirv=replace(environment, version=Version.parse(spirv)))
    return TargetEnv(offers)


def render(of: Parsed | TargetEnv, era: str | None = None, compat: Compat | None = None) -> Rendered:  # noqa: ARG001
    """The versions of an environment; everything else of it is a loss."""
    from targetenv.registry.spirv_environment import spirv_version

    env = of.env if isinstance(of, Parsed) else of
    offers = env.offers
    if offers.api != "vulkan" and offers.spirv is None:
        refuse(env, "vulkan", "it names versions of Vulkan and SPIR-V")
    parts = []
    version = offers.version
    raised = frozenset({"VK_KHR_spirv_1_4"}) & offers.extensions
    if version is not None:
        parts.append(f"vulkan{version.major}.{version.minor}")
    if offers.spirv is not None:
        parts.append(f"spirv{offers.spirv.version}")
    elif version is not None and raised and spirv_version(version, raised) != spirv_version(version, frozenset()):
        parts.append(f"spirv{spirv_version(version, raised)}")
    if not parts:
        refuse(env, "vulkan", "it says no version")
    losses = [f"revision {version.patch}"] if version is not None and version.patch else []
    losses += [f"extension `{name}`" for name in sorted(offers.extensions - {"VK_KHR_spirv_1_4"})]
    losses += [f"feature `{name}`" for name in sorted(offers.features)]
    losses += [f"property `{each.name}`" for each in offers.properties]
    return Rendered("+".join(parts), tuple(losses))


def targets() -> tuple[tuple[str, str, str], ...]:
    """Every name with what it expands to and its source."""
    from targetenv.registry.spirv_environment import spirv_version

    rows = []
    for name in names():
        found = _NAME.fullmatch(name)
        vulkan, spirv = (found["vulkan"], found["spirv"]) if found else (None, None)
        if vulkan:
            extensions = frozenset({"VK_KHR_spirv_1_4"}) if spirv else frozenset[str]()
            takes = spirv_version(Version.parse(vulkan), extensions)
            rows.append((name, f"Vulkan {vulkan}{' with VK_KHR_spirv_1_4' if spirv else ''}, SPIR-V {takes}", SOURCE))
        else:
            rows.append((name, f"SPIR-V {spirv}", "SPIR-V specification, universal"))
    return tuple(rows)
