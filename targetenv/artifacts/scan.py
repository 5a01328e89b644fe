"""Which instructions the code of a CPU object holds: a bound from below on what it needs, where the object itself says nothing.

Instructions are decoded one behind another, as a disassembler does, by capstone (extra `scan`). Code that asks the processor
first and then branches holds instructions that it may never run, so this is asked for, and what an object states goes before.
"""

from __future__ import annotations

import re
from importlib import import_module

from targetenv.artifacts.elf import Elf
from targetenv.artifacts.elf_objects import NOTE
from targetenv.artifacts.elf_sections import Sections
from targetenv.artifacts.instruction_features import kind_of, x86_features
from targetenv.diagnostics.diagnostic import Diagnostic, EnvironmentFailed
from targetenv.match import isa as isas
from targetenv.model.record import record, replace
from targetenv.model.requirement import NeedsFeature, NeedsIsa
from targetenv.registry import x86

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from typing import Any

    from targetenv.artifacts.containers import Budget
    from targetenv.artifacts.inspection import Inspection
    from targetenv.model.requirement import Requirement

_MACHINES = {"x86_64": "x86-64", "aarch64": "armv8-a", "arm_64": "armv8-a"}  # and what every one of them runs
_FORMAT = re.compile(r"(?:(?:embedded|system)-)?elf-(x86_64|aarch64|arm_64)")
_INSTALL = "`pip install targetenv[scan]`"
_CHUNK, _LONGEST = 1 << 18, 16
_MOST = 256 << 20


@record
class Use:
    """One feature whose instructions are there: how many different ones, and where the first of them is."""

    feature: str
    kinds: int
    first: int
    example: str


@record
class Scan:
    """What decoding found: bytes looked at, those that are no instruction, and the features used beyond the baseline."""

    size: int
    skipped: int
    uses: tuple[Use, ...]


def scanned(inspection: Inspection, data: bytes | memoryview, *, name: str, budget: Budget) -> Inspection:
    """The inspection with the instructions of every CPU object in it: as details, and required where no note says what is.

    EnvironmentFailed TE4075 without capstone; FormatError TE4081 where there is not enough time.
    """
    if inspection.members:
        members = tuple(
            replace(row, inspection=scanned(row.inspection, row.payload, name=f"{name}!{row.name}", budget=budget))
            for row in inspection.members
        )
        artifacts = tuple(artifact for row in members for artifact in row.inspection.artifacts)
        return replace(inspection, members=members, artifacts=artifacts)
    matched = _FORMAT.fullmatch(inspection.format)
    if matched is None:
        return inspection
    machine = matched[1]
    found = scan(data, machine, name=name, budget=budget)
    artifacts = inspection.artifacts
    if not any(key.startswith(NOTE) for key, _ in inspection.details):
        artifacts = tuple(replace(row, requires=_with_uses(row.requires, found)) for row in artifacts)
    return replace(inspection, artifacts=artifacts, details=(*inspection.details, *_details(found, machine)))


def _with_uses(requires: tuple[Requirement, ...], found: Scan) -> tuple[Requirement, ...]:
    """The requirements, and the features used that none of them has in it."""
    known = {feature for need in requires if isinstance(need, NeedsIsa) for feature in isas.features(need.isa)}
    used = [NeedsFeature(use.feature) for use in found.uses if use.feature not in known]
    return tuple(dict.fromkeys((*requires, *used)))


def scan(data: bytes | memoryview, machine: str, *, name: str, budget: Budget) -> Scan:
    """Decode the executable sections of an object (`x86_64` or `aarch64`); without sections, its exported functions."""
    decoder = _Decoder(machine)
    for code in _code(data, name):
        decoder.read(code, name, budget)
    baseline = isas.features(_MACHINES[machine])
    uses = [
        Use(feature, len(places), min(places)[0], min(places)[1])
        for feature, places in decoder.places.items()
        if feature not in baseline
    ]
    return Scan(decoder.size, decoder.skipped, tuple(sorted(uses, key=lambda use: use.feature)))


def _code(data: bytes | memoryview, name: str) -> Iterator[memoryview]:
    rows = [row for row in Sections(data, name, "TE4202").rows if re.fullmatch(r"\.(?:text|init|fini)(?:\..*)?", row.name)]
    if rows:
        yield from (row.data for row in rows)
        return
    elf = Elf(data, name)
    for symbol in elf.symbols():
        if symbol.kind == "function" and symbol.size:
            yield elf.loaded_until(symbol.address, symbol.size) or memoryview(b"")


class _Decoder:
    """Decodes without detail, which is fast, and with detail once for every kind of instruction."""

    def __init__(self, machine: str) -> None:
        try:
            capstone: Any = import_module("capstone")
        except ImportError as error:
            missing = Diagnostic("TE4075", "capstone, which decodes instructions, is not installed", help=_INSTALL)
            raise EnvironmentFailed(missing) from error
        self._x86 = machine == "x86_64"
        kind = (capstone.CS_ARCH_X86, capstone.CS_MODE_64) if self._x86 else (capstone.CS_ARCH_ARM64, capstone.CS_MODE_ARM)
        self._plain, self._detailed = capstone.Cs(*kind), capstone.Cs(*kind)
        self._plain.skipdata = True
        self._detailed.detail = True
        self._known: set[tuple[str, ...]] = set()
        self.places: dict[str, list[tuple[int, str]]] = {}
        self.size = self.skipped = 0

    def read(self, code: memoryview, name: str, budget: Budget) -> None:
        """Decode one section, in chunks: the last instructions of a chunk are decoded again with the next one."""
        at, end = 0, min(len(code), _MOST - self.size)
        while at < end:
            budget.tick(name)
            begin = at
            chunk = bytes(code[begin : min(begin + _CHUNK, end)])
            whole = begin + len(chunk) == end
            for address, size, mnemonic, operands in self._plain.disasm_lite(chunk, begin):
                if not whole and address > begin + len(chunk) - _LONGEST:
                    break
                at = address + size
                if mnemonic == ".byte":
                    self.skipped += size
                    continue
                kind = kind_of(mnemonic, operands, x86=self._x86)
                if kind not in self._known:
                    self._known.add(kind)
                    self._look(chunk[address - begin : at - begin], self.size + address, kind)
            if at == begin:  # nothing at all was decoded
                at = begin + len(chunk)
        self.size += end

    def _look(self, raw: bytes, address: int, kind: tuple[str, ...]) -> None:
        if self._x86:
            instruction = next(self._detailed.disasm(raw, address), None)
            groups = [instruction.group_name(group) for group in instruction.groups] if instruction is not None else []
            found: Iterable[str] = x86_features(kind, groups)
        else:
            found = kind[1:]
        for feature in found:
            self.places.setdefault(feature, []).append((address, kind[0]))


def _details(found: Scan, machine: str) -> list[tuple[str, str]]:
    details = [
        ("scanned", f"{found.size} bytes of code" + (f", {found.skipped} that are no instructions" if found.skipped else ""))
    ]
    if machine == "x86_64":
        used = {use.feature for use in found.uses}
        level = next(level for level in x86.LEVELS if used & isas.features(x86.LEVELS[-1]) <= isas.features(level))
        details.append(("instructions up to", level))
    details += [
        ("instructions of", f"{use.feature}: {use.kinds} kinds, first `{use.example}` at byte {use.first:#x} of the code")
        for use in found.uses
    ]
    return details
