"""The targets that a module of IREE was compiled for, recovered from its bytecode.

No field of the file holds them. Since 2024-08 the code that looks for a device ends in a message with the whole attribute,
`HAL device ... not found or unavailable: #hal.device.target<...>`, in which every variant's `#hal.executable.target<...>` is.
"""

from __future__ import annotations

import re

from targetenv.match import isa as isas
from targetenv.match.unknowns import SUBGROUP_SIZE
from targetenv.model.record import record
from targetenv.model.requirement import AnyOf, NeedsFeature, NeedsIsa, NeedsSubgroupSize, NeedsUnknown

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from targetenv.model.requirement import Requirement

_OPENING = "#hal.executable.target<"
_MARK = re.compile(rb"not found or unavailable: ")
_TOKEN = re.compile(r'->|"(?:[^"\\]|\\.)*"|[<({\[>)}\]]')
_HEAD = re.compile(r'#hal\.executable\.target<"([^"]*)", "([^"]*)"')
_FACT = re.compile(r'\b(cpu|cpu_features|arch|features|target_triple|target_arch|chip)\s*=\s*"([^"]*)"')
_SUBGROUPS = re.compile(r"\bsubgroup_size_choices = \[([0-9, ]+)\]")
_LONGEST = 1 << 16
_MOST = 1024


@record
class Target:
    """One `#hal.executable.target`: the backend, the format that it makes, and the attribute as it stands in the module."""

    backend: str
    format: str
    text: str

    def fact(self, key: str) -> str | None:
        """The string under the first such key, at any depth (`cpu`, `cpu_features`, `arch`)."""
        return next((value for name, value in _FACT.findall(self.text) if name == key), None)


def targets_in(bytecode: bytes | memoryview) -> tuple[Target, ...]:
    """Every target, in the module's order, each once.

    >>> said = b'not found or unavailable: #hal.device.target<"x", [#hal.executable.target<"a", "b", {c = "]"}>]>'
    >>> targets_in(said)[0].text
    '#hal.executable.target<"a", "b", {c = "]"}>'
    """
    found: dict[Target, None] = {}
    bytecode = bytes(bytecode)
    for mark in _MARK.finditer(bytecode):
        if len(found) >= _MOST:
            break
        text = str(bytecode[mark.end() : mark.end() + _LONGEST], "utf-8", "replace")
        found |= dict.fromkeys(_targets(text[: _end(text, 0)]))
    return tuple(found)


def cpu_requirements(target: Target) -> tuple[Requirement, ...]:
    """What code for this CPU needs, as its compiler was told: the processor's features and every one switched on besides.

    ELF says none of this, so it is the only source. Switches of code generation (`+reserve-x18`) need nothing.
    """
    triple = target.fact("target_triple") or ""
    baseline = "x86-64" if triple.startswith("x86_64") else "armv8-a" if triple.startswith("aarch64") else None
    cpu = target.fact("cpu") or "generic"
    if cpu in ("generic", "") and baseline is not None:
        cpu = baseline
    if isas.architecture(cpu) is None:
        return (NeedsUnknown(f"which instructions `{cpu}` of `{triple or 'an unknown triple'}` stands for"),)
    has = isas.features(cpu)
    wanted = [name[1:] for name in (target.fact("cpu_features") or "").split(",") if name.startswith("+")]
    more = [NeedsFeature(name) for name in wanted if name not in has and not name.startswith("reserve-")]
    return (NeedsIsa(cpu), *more)


def subgroup_requirements(target: Target) -> tuple[Requirement, ...]:
    """Which subgroup sizes the compiler had to choose from; which of several it took, the target does not say.

    >>> subgroup_requirements(Target("vulkan-spirv", "vulkan-spirv-fb", "subgroup_size_choices = [32]"))
    (NeedsSubgroupSize(size=32),)
    """
    stated = _SUBGROUPS.search(target.text)
    sizes = tuple(NeedsSubgroupSize(int(size)) for size in stated[1].split(",") if size.strip()) if stated is not None else ()
    if len(sizes) == 1:
        return sizes
    return (*((AnyOf(sizes),) if sizes else ()), SUBGROUP_SIZE.requirement)


def _targets(text: str) -> Iterator[Target]:
    at = text.find(_OPENING)
    while at >= 0:
        end = _end(text, at)
        attribute = text[at:end]
        if (head := _HEAD.match(attribute)) is not None:
            yield Target(head[1], head[2], attribute)
        at = text.find(_OPENING, max(end, at + 1))


def _end(text: str, start: int) -> int:
    """Where the attribute that begins at `start` ends: after the bracket that closes its first one."""
    depth = 0
    for token in _TOKEN.finditer(text, start):
        if token[0] in "<({[":
            depth += 1
        elif token[0] in ">)}]":
            depth -= 1
            if depth <= 0:
                return token.end()
    return len(text)
