"""The dialect `triple`: `arch-product-os`, as `--iree-vulkan-target-triple` took it from 2021 to 2024.

IREE looked every part up and took what it did not know for `unknown`, without a word: `RDNA3-unknown-linux` compiled for the
lowest common denominator. Here such a part is an error; with `compat` it is what that release made of it.

Source: iree compiler/src/iree/compiler/Dialect/Vulkan/Utils/TargetTriple.cpp of the releases, checked by running them.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from targetenv.diagnostics.diagnostic import Diagnostic, ParseError
from targetenv.diagnostics.suggest import did_you_mean
from targetenv.model.record import record, replace
from targetenv.model.span import Span
from targetenv.syntax import compat as releases
from targetenv.syntax import vk_lowering
from targetenv.syntax.complaints import Complaints
from targetenv.syntax.iree_triple_table import ARCHES, OPERATING_SYSTEMS, PRODUCTS, expansion
from targetenv.syntax.not_expressible import refuse
from targetenv.syntax.parsed import Parsed, Rendered

if TYPE_CHECKING:
    from targetenv.diagnostics.diagnostic import Source
    from targetenv.model.target_env import TargetEnv
    from targetenv.syntax.compat import Compat
    from targetenv.syntax.vk_target_env import VkTargetEnv

_MEANT = re.compile(r"[A-Za-z0-9_]+-[A-Za-z0-9_]+-[A-Za-z0-9_]+")
_DEFAULT = "iree@20231218"
_OLDEST, _NEWEST = "20231004", "20240410"


@record
class IreeTriple:
    """The parts as IREE understood them, and the environment that they stand for."""

    arch: str
    product: str
    os: str
    vk: VkTargetEnv

    @property
    def text(self) -> str:
        """`arch-product-os`"""
        return f"{self.arch}-{self.product}-{self.os}"

    def in_release(self, release: str) -> IreeTriple:
        """The same triple as another release expands it."""
        return replace(self, vk=expansion(self.arch, self.product, self.os, release))


def knows(text: str) -> bool:
    """Whether somebody who wrote this meant a triple of IREE; LLVM's triples are asked first."""
    return _MEANT.fullmatch(text) is not None or (text.count("-") == 1 and text.partition("-")[0] in ARCHES)


def names() -> tuple[str, ...]:
    """A triple for every architecture."""
    return tuple(f"{arch}-unknown-{'macos' if arch == 'm1' else 'linux'}" for arch in ARCHES)


def parse(source: Source, compat: Compat | None = None) -> Parsed:
    """Read a triple; TE1213 for a part that no release knew. `compat` takes any text that the release took."""
    release = _release(compat)
    words = [part for part in source.text.strip().split("-") if part]
    complaints = Complaints(source)
    if compat is not None and words:
        words = [*words[:3], *["unknown"] * (3 - len(words))]
    elif len(words) != 3:
        start = len(source.text) - len(source.text.lstrip())
        span = Span(start, start + len(source.text.strip()))
        message = f"a triple has three parts, this one has {len(words)}"
        complaints.error("TE1233", message, span, help=f"write `{words[0] if words else 'unknown'}-unknown-linux`")
        complaints.settle()
    parts = []
    at = 0
    for word, known, what in zip(
        words, (ARCHES, PRODUCTS, OPERATING_SYSTEMS), ("architecture", "product", "system"), strict=True
    ):
        at = source.text.find(word, at)
        span = Span(max(at, 0), max(at, 0) + len(word))
        if word in known:
            parts.append(word)
        elif compat is not None:
            parts.append("unknown")
        elif word == "a640" and what == "product":
            message = "`a640` is defined in IREE's sources and missing in its list of products"
            complaints.warning("TE2033", message, span, "read as `unknown`", help="write `unknown`")
            parts.append("unknown")
        else:
            note = f"IREE takes an unknown {what} for `unknown`, says nothing, and exits with 0"
            help_ = did_you_mean(word, known) or f"write one of {', '.join(f'`{each}`' for each in known)}"
            complaints.error("TE1213", f"unknown {what} `{word}`", span, help=help_, notes=(note,))
        at = span.end
    warnings = complaints.settle()
    arch, product, system = parts
    made = IreeTriple(arch, product, system, expansion(arch, product, system, release))
    env = replace(vk_lowering.lower(made.vk), name=made.text)
    return Parsed("triple", env, made.text, warnings, made)


def render(of: Parsed | TargetEnv, era: str | None = None, compat: Compat | None = None) -> Rendered:  # noqa: ARG001
    """The triple whose environment this is, if there is one; TE1220 otherwise."""
    if isinstance(of, Parsed) and isinstance(of._tree, IreeTriple):
        return Rendered(of._tree.text)
    env = of.env if isinstance(of, Parsed) else of
    found = _matching(env, _release(compat))
    if found is None:
        refuse(env, "triple", "no triple of IREE stands for exactly this")
    return Rendered(found)


def _matching(env: TargetEnv, release: str) -> str | None:
    variants = (("unknown", "linux"), ("unknown", "android31"), ("unknown", "android30"), ("swiftshader", "linux"))
    for arch in ARCHES:
        for product, system in variants:
            if vk_lowering.lower(expansion(arch, product, system, release)).offers == env.offers:
                return f"{arch}-{product}-{system}"
    return None


def targets() -> tuple[tuple[str, str, str], ...]:
    """Every architecture with what it expands to."""
    rows = []
    for name in names():
        vk = expansion(*name.split("-"), _DEFAULT.partition("@")[2])
        vendor, kind, _ = vk.device or ("", "", None)
        sizes = {each.key: each.value for each in vk.settings}
        expands = (
            f"Vulkan {vk.version[1:]}, {vendor}:{kind}, {len(vk.extensions)} extensions, subgroups of {sizes['subgroupSize']}"
        )
        rows.append((name, expands, "iree TargetTriple.cpp, 20231218"))
    return tuple(rows)


def _release(compat: Compat | None) -> str:
    name = (compat or releases.of(_DEFAULT)).name
    if not ("." not in name and _OLDEST <= name <= _NEWEST):
        message = f"the triples of iree@{name} are not known"
        help_ = f"triples are known from iree@{_OLDEST} to iree@{_NEWEST}"
        raise ParseError(Diagnostic("TE1214", message, help=help_))
    return name
