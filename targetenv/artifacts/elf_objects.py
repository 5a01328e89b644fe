"""CPU executables: which instruction set an ELF shared object needs, and which kernels it exports."""

from __future__ import annotations

from struct import unpack

from targetenv.artifacts.elf import MACHINES, TYPES, Elf
from targetenv.artifacts.inspection import Inspection, damaged, odd
from targetenv.artifacts.iree_library import QUERY, library_format, read_library
from targetenv.match.unknowns import AARCH64_FEATURES, X86_LEVEL
from targetenv.model.artifact import Artifact, Kernel
from targetenv.model.requirement import NeedsFormat, NeedsIsa, NeedsUnknown

TYPE_CHECKING = False
if TYPE_CHECKING:
    from targetenv.artifacts.elf import Symbol
    from targetenv.model.requirement import Requirement

# x86-64 psABI, section `Program Property`; bits: 1 baseline, 2 v2, 4 v3, 8 v4.
_X86_ISA_1_USED, _X86_ISA_1_NEEDED = 0xC0010002, 0xC0008002
_X86_LEVELS = ((8, "x86-64-v4"), (4, "x86-64-v3"), (2, "x86-64-v2"), (1, "x86-64"))
_AARCH64_FEATURE_1_AND = 0xC0000000
NOTE = "instruction set"  # how the details begin that tell what a GNU property note says
_RANGE, _WORKGROUP_SIZE, _LOCAL_MEMORY = "__range", "__workgroup_size", "__local_memory"


def inspect_elf(data: bytes | memoryview, *, name: str, digest: str) -> Inspection:
    """What an x86-64 or AArch64 shared object is and requires; FormatError TE42xx where it is damaged or something else."""
    elf = Elf(data, name)
    machine = MACHINES.get(elf.machine)
    if machine is None:
        raise damaged(
            "TE4203", name, f"this ELF file is for machine {elf.machine}; only x86-64 (62) and AArch64 (183) are known"
        )
    executable_format = f"elf-{machine}"
    details = [("type", TYPES.get(elf.type, f"ELF type {elf.type}")), ("machine", machine)]
    level, facts = _x86_level(elf) if machine == "x86_64" else _aarch64_level(elf)
    details += [*facts, *_libraries(elf)]
    if not elf.is_loadable:
        what = "executable" if elf.is_program else TYPES.get(elf.type, f"file of ELF type {elf.type}")
        advice = "link it into a shared object (`cc -shared -fPIC`)"
        warning = odd("TE4206", name, f"no loader takes this {what} as a library", help=advice)
        return Inspection(executable_format, (), (warning,), tuple(details))
    symbols = elf.symbols()
    if any(symbol.name == QUERY for symbol in symbols):
        found = read_library(elf)
        executable_format = library_format(elf)
        details += found.details
        artifact = Artifact(
            name, executable_format, digest, (NeedsFormat(executable_format), level), found.kernels, size=len(data)
        )
        return Inspection(executable_format, (artifact,), (), tuple(details))
    kernels, functions = _kernels(elf, symbols)
    details += [("kernel", kernel.name) for kernel in kernels]
    details += [("function", function) for function in functions]
    requires = (NeedsFormat(executable_format), level)
    artifact = Artifact(name, executable_format, digest, requires, kernels, size=len(data))
    return Inspection(executable_format, (artifact,), (), tuple(details))


def _libraries(elf: Elf) -> list[tuple[str, str]]:
    """What must be loaded with it, and which versions of the libraries' symbols it was linked against."""
    versions = elf.needed_versions()
    return [
        *(("needs library", library) for library in elf.needed),
        *(("of symbol versions", f"{library}: {', '.join(sorted(names))}") for library, names in versions.items()),
    ]


def _x86_level(elf: Elf) -> tuple[Requirement, list[tuple[str, str]]]:
    properties = elf.gnu_properties()
    needed, used = (_bits(properties.get(kind, b"")) for kind in (_X86_ISA_1_NEEDED, _X86_ISA_1_USED))
    facts = [(f"{NOTE} {what}", _level(bits)) for what, bits in (("needed", needed), ("used", used)) if bits]
    # Without a `needed` the object was linked from parts that did not say; what they use is then the least that is safe.
    stated = needed or used
    if not stated:
        return X86_LEVEL.requirement, facts
    if stated >= _X86_LEVELS[0][0] << 1:
        return NeedsUnknown(f"what the x86 instruction set bits {stated:#x} of this object's GNU property note mean"), facts
    return NeedsIsa(_level(stated)), facts


def _aarch64_level(elf: Elf) -> tuple[Requirement, list[tuple[str, str]]]:
    bits = _bits(elf.gnu_properties().get(_AARCH64_FEATURE_1_AND, b""))
    marks = [mark for bit, mark in ((1, "BTI"), (2, "PAC")) if bits & bit]
    return AARCH64_FEATURES.requirement, [("branch protection", ", ".join(marks))] if marks else []


def _bits(content: bytes) -> int:
    return int(unpack("<I", content)[0]) if len(content) == 4 else 0


def _level(bits: int) -> str:
    return next((level for bit, level in _X86_LEVELS if bits & bit), f"bits {bits:#x}")


def _kernels(elf: Elf, symbols: tuple[Symbol, ...]) -> tuple[tuple[Kernel, ...], list[str]]:
    """Kernels are functions with a range entry beside them (docs/reference/cpu-kernel-abi.md); the rest is just exported."""
    by_name = {symbol.name: symbol for symbol in symbols}
    functions = [symbol.name for symbol in symbols if symbol.kind == "function"]
    kernels = [name for name in functions if (twin := by_name.get(name + _RANGE)) is not None and twin.kind == "function"]
    made = {name + _RANGE for name in kernels}
    described = tuple(_kernel(elf, name, by_name) for name in kernels)
    return described, [name for name in functions if name not in made and name not in kernels]


def _kernel(elf: Elf, name: str, symbols: dict[str, Symbol]) -> Kernel:
    size = local = None
    if (symbol := symbols.get(name + _WORKGROUP_SIZE)) is not None and (raw := elf.contents(symbol, 12)) is not None:
        size = unpack("<III", raw)
    if (symbol := symbols.get(name + _LOCAL_MEMORY)) is not None and (raw := elf.contents(symbol, 4)) is not None:
        (local,) = unpack("<I", raw)
    return Kernel(name, workgroup_size=size, local_memory=local)
