"""Cubins: machine code for one NVIDIA architecture, in ELF files of machine 190.

Where the architecture stands has changed with the toolkit, and the suffix `a` is in another place each time (see `_TARGET`);
`f` is not stored at all. Attributes of `.nv.info` and `.nv.compat` are numbered and laid out as `cuobjdump -elf` prints them.
"""

from __future__ import annotations

import re

from targetenv.artifacts.containers import executable
from targetenv.artifacts.cuda import CUBIN_MACHINE, Launch, launch_limits, parameters_said
from targetenv.artifacts.elf_sections import Sections
from targetenv.artifacts.inspection import damaged
from targetenv.artifacts.window import Window
from targetenv.match.unknowns import TO_BE_LINKED
from targetenv.model.artifact import Kernel, Parameter
from targetenv.model.record import record
from targetenv.model.requirement import NeedsIsa

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from targetenv.artifacts.elf_sections import Section, Symbol
    from targetenv.artifacts.inspection import Inspection
    from targetenv.model.requirement import Requirement

_CODE = "TE4041"
_RELOCATABLE = 1
_FUNCTION = frozenset({2})
_ENTRY_POINT = 0x10  # in a symbol's `other`
_RESERVED_FROM, _RESERVED = 90, 1024  # shared memory of the system's, counted in the section since sm_90

# ELF ABI: OS/ABI, ABI version -> where the architecture and its `a` are in e_flags
_OLD, _NEW = (0x33, 7), (0x41, 8)
_OLD_A, _NEW_A = 0x800, 0x8
_COMPAT_A = 0x09

_BYTE, _HALF, _SIZED = 2, 3, 4
_MAX_THREADS, _REQUIRED_THREADS, _FRAME_SIZE, _PARAMETER, _PARAMETERS_SIZE = 0x05, 0x10, 0x11, 0x17, 0x19
_REGISTERS, _CLUSTER_SIZE, _EXPLICIT_CLUSTER, _LARGE_PARAMETER = 0x2F, 0x3D, 0x3E, 0x45
_ASKED = re.compile(rb"-arch[ =](sm_\d{2,3}[af]?)\b")
_TOOLKIT = re.compile(rb"release (\d{1,3}\.\d{1,3})")
_NOTES_AT_MOST = 1 << 16


@record
class _Target:
    """The architecture of a cubin, and which of the three encodings says so."""

    number: int
    suffix: str
    encoding: str

    @property
    def name(self) -> str:
        return f"sm_{self.number}{self.suffix}"


@record
class _Entry:
    """What a cubin says of one kernel."""

    name: str
    launch: Launch
    most_threads: tuple[int, int, int] | None
    stack: int
    constant: int
    cluster: tuple[int, int, int] | None
    parameters: tuple[Parameter, ...]
    parameters_size: int

    def said(self) -> str:
        facts = [parameters_said(self.parameters, self.parameters_size)]
        if self.launch.registers is not None:
            facts.append(f"{self.launch.registers} registers")
        facts += [f"{self.launch.shared} bytes shared"] if self.launch.shared else []
        facts += [f"{self.stack} bytes stack"] if self.stack else []
        facts += [f"{self.constant} bytes constant"] if self.constant else []
        for what, size in (
            ("blocks of", self.launch.threads),
            ("blocks of at most", self.most_threads),
            ("clusters of", self.cluster),
        ):
            if size is not None and any(size):
                facts.append(f"{what} {'x'.join(map(str, size))}")
        return f"{self.name} ({', '.join(facts)})"


def inspect_cubin(data: bytes | memoryview, *, name: str, digest: str) -> Inspection:
    """Its architecture and its kernels with what they take; FormatError TE4041 where it is damaged."""
    elf = Sections(data, name, _CODE)
    if elf.machine != CUBIN_MACHINE:
        raise damaged(_CODE, name, f"this ELF file is for machine {elf.machine}, not for NVIDIA GPUs ({CUBIN_MACHINE})")
    target = _target(elf)
    entries = tuple(_entries(elf, target))
    requires: list[Requirement] = [NeedsIsa(target.name), *launch_limits(entry.launch for entry in entries)]
    kernels = tuple(
        Kernel(
            entry.name,
            workgroup_size=entry.launch.threads,
            local_memory=entry.launch.shared,
            parameters=entry.parameters,  # pointers are values here: nothing tells them apart
        )
        for entry in entries
    )
    details = [("architecture", f"{target.name} ({target.encoding})")]
    if target.number >= 100 and not target.suffix:
        details.append(("suffix f", "not known: a cubin does not store it"))
    if elf.type == _RELOCATABLE:
        requires.append(TO_BE_LINKED.requirement)
        details.append(("type", "relocatable"))
    details += _notes(elf)
    details += [("kernel", entry.said()) for entry in entries]
    return executable(
        memoryview(data),
        name=name,
        executable_format="cubin",
        requires=requires,
        kernels=kernels,
        digest=digest,
        details=details,
    )


def _target(elf: Sections) -> _Target:
    window = elf.window
    if (elf.os_abi, elf.abi) == _OLD:
        number, suffix = elf.flags & 0xFF, "a" if elf.flags & _OLD_A else ""
        encoding = f"e_flags {elf.flags:#010x}, ABI 7"
    elif (elf.os_abi, elf.abi) == _NEW:
        number = elf.flags >> 8 & 0xFF
        in_flags, in_section = elf.flags & _NEW_A, _compat(elf).get(_COMPAT_A) == 1
        suffix = "a" if in_flags or in_section else ""
        where = " and .nv.compat" if in_section else ""
        encoding = f"e_flags {elf.flags:#010x}{where}, ABI 8"
    else:
        said = f"{elf.os_abi:#x} version {elf.abi}"
        raise damaged(_CODE, window.name, f"the cubin has ABI {said}; 0x33 version 7 and 0x41 version 8 are known")
    if number < 10:
        raise damaged(_CODE, window.name, f"e_flags {elf.flags:#010x} of the cubin name no architecture")
    return _Target(number, suffix, encoding)


def _compat(elf: Sections) -> dict[int, int]:
    """Attribute -> value, where the value is a number of at most two bytes."""
    section = elf.named(".nv.compat")
    rows = _attributes(section.data, elf.window.name) if section is not None else ()
    return {attribute: value for form, attribute, value, _ in rows if form in (_BYTE, _HALF)}


def _attributes(data: memoryview, name: str) -> Iterator[tuple[int, int, int, memoryview]]:
    """Form, attribute, short value, long value: a byte or half word lies in the attribute itself, a sized value behind it."""
    window = Window(data, name, _CODE)
    at = 0
    while at + 4 <= len(window):
        form, attribute, value = window.unpack("<BBH", at, "an attribute")
        size = value if form == _SIZED else 0
        yield form, attribute, value & 0xFF if form == _BYTE else value, window.part(at + 4, size, "an attribute's value")
        at += 4 + size


def _entries(elf: Sections, target: _Target) -> Iterator[_Entry]:
    symbols = {row.name: row for row in elf.symbols(_FUNCTION) if row.section and row.other & _ENTRY_POINT}
    if not symbols:
        return
    by_name = {row.name: row for row in elf.rows}
    common = _by_function(elf, by_name.get(".nv.info"))
    for symbol in symbols.values():
        yield _entry(elf, by_name, symbol, common, target)


def _by_function(elf: Sections, section: Section | None) -> dict[tuple[int, int], int]:
    """(attribute, symbol) -> value, for attributes that `.nv.info` gives of each function."""
    found = {}
    for form, attribute, _, value in _attributes(section.data, elf.window.name) if section is not None else ():
        if form == _SIZED and attribute in (_REGISTERS, _FRAME_SIZE) and len(value) == 8:
            symbol, number = Window(value, elf.window.name, _CODE).unpack("<II", 0, "an attribute's value")
            found[attribute, symbol] = number
    return found


def _entry(
    elf: Sections, by_name: dict[str, Section], symbol: Symbol, common: dict[tuple[int, int], int], target: _Target
) -> _Entry:
    name = symbol.name
    threads = most_threads = cluster = None
    parameters: list[Parameter] = []
    size, clusters = 0, False
    info = by_name.get(f".nv.info.{name}")
    for form, attribute, short, value in _attributes(info.data, elf.window.name) if info is not None else ():
        inside = Window(value, elf.window.name, _CODE)
        if form == _HALF and attribute == _PARAMETERS_SIZE:
            size = short
        elif attribute == _EXPLICIT_CLUSTER:
            clusters = True
        elif form == _SIZED and attribute in (_MAX_THREADS, _REQUIRED_THREADS, _CLUSTER_SIZE):
            x, y, z = inside.unpack("<III", 0, "an attribute's value")
            if attribute == _MAX_THREADS:
                most_threads = (x, y, z)
            elif attribute == _REQUIRED_THREADS:
                threads = (x, y, z)
            else:
                cluster = (x, y, z)
        elif form == _SIZED and attribute == _PARAMETER:
            _, _, offset, packed = inside.unpack("<IHHI", 0, "a parameter")
            parameters.append(Parameter(offset, packed >> 18, "value"))
        elif form == _SIZED and attribute == _LARGE_PARAMETER:
            _, _, offset, length = inside.unpack("<IHHH", 0, "a parameter")
            parameters.append(Parameter(offset, length, "value"))
    code = elf.rows[symbol.section] if symbol.section < len(elf.rows) else None
    registers = common.get((_REGISTERS, symbol.index), code.info >> 24 if code is not None else 0) or None
    shared = by_name.get(f".nv.shared.{name}")
    reserved = _RESERVED if target.number >= _RESERVED_FROM and elf.type != _RELOCATABLE else 0
    taken = max(0, shared.size - reserved) if shared is not None else 0
    constant = by_name.get(f".nv.constant0.{name}")
    return _Entry(
        name,
        Launch(threads, taken, registers, clusters=clusters or (cluster is not None and any(cluster))),
        most_threads,
        common.get((_FRAME_SIZE, symbol.index), 0),
        constant.size if constant is not None else 0,
        cluster,
        tuple(sorted(parameters, key=lambda row: row.offset)),
        size,
    )


def _notes(elf: Sections) -> list[tuple[str, str]]:
    """What the toolkit left about itself: free text, so nothing is decided by it."""
    found = []
    for section, pattern, key in ((".note.nv.tkinfo", _TOOLKIT, "toolkit"), (".note.nv.tkinfo", _ASKED, "ptxas was asked for")):
        row = elf.named(section)
        match = pattern.search(bytes(row.data[:_NOTES_AT_MOST])) if row is not None else None
        if match is not None:
            found.append((key, match[1].decode()))
    return found
