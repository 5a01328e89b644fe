"""AMD GPU processors: their target-ID features, the generic processor whose code they run, their number in an ELF's `e_flags`.

There is no machine-readable registry; the rows are facts of LLVM's AMDGPUUsage.rst and llvm/BinaryFormat/ELF.h (main, 2026-08)
with ROCr's `isa.cpp` where that is older. `tests/differential/decisions` holds every row that an installed clang
knows against that clang.
"""

from __future__ import annotations

import re
from functools import cache

from targetenv.model.record import record

#: processor, EF_AMDGPU_MACH, generic processor or `-`, target-ID features
_PROCESSORS = """
gfx600 0x20 -
gfx601 0x21 -
gfx602 0x3a -
gfx700 0x22 -
gfx701 0x23 -
gfx702 0x24 -
gfx703 0x25 -
gfx704 0x26 -
gfx705 0x3b -
gfx801 0x28 - xnack
gfx802 0x29 -
gfx803 0x2a -
gfx805 0x3c -
gfx810 0x2b - xnack
gfx900 0x2c gfx9-generic xnack
gfx902 0x2d gfx9-generic xnack
gfx904 0x2e gfx9-generic xnack
gfx906 0x2f gfx9-generic sramecc xnack
gfx908 0x30 - sramecc xnack
gfx909 0x31 gfx9-generic xnack
gfx90a 0x3f - sramecc xnack
gfx90c 0x32 gfx9-generic xnack
gfx940 0x40 gfx9-4-generic sramecc xnack
gfx941 0x4b gfx9-4-generic sramecc xnack
gfx942 0x4c gfx9-4-generic sramecc xnack
gfx950 0x4f gfx9-4-generic sramecc xnack
gfx1010 0x33 gfx10-1-generic xnack
gfx1011 0x34 gfx10-1-generic xnack
gfx1012 0x35 gfx10-1-generic xnack
gfx1013 0x42 gfx10-1-generic xnack
gfx1030 0x36 gfx10-3-generic
gfx1031 0x37 gfx10-3-generic
gfx1032 0x38 gfx10-3-generic
gfx1033 0x39 gfx10-3-generic
gfx1034 0x3e gfx10-3-generic
gfx1035 0x3d gfx10-3-generic
gfx1036 0x45 gfx10-3-generic
gfx1100 0x41 gfx11-generic
gfx1101 0x46 gfx11-generic
gfx1102 0x47 gfx11-generic
gfx1103 0x44 gfx11-generic
gfx1150 0x43 gfx11-generic
gfx1151 0x4a gfx11-generic
gfx1152 0x55 gfx11-generic
gfx1153 0x58 gfx11-generic
gfx1154 0x57 gfx11-generic
gfx1170 0x5d gfx11-7-generic
gfx1171 0x5e gfx11-7-generic
gfx1172 0x5c gfx11-7-generic
gfx1200 0x48 gfx12-generic
gfx1201 0x4e gfx12-generic
gfx1250 0x49 gfx12-5-generic
gfx1251 0x5a gfx12-5-generic
gfx1310 0x50 gfx13-generic
gfx9-generic 0x51 - xnack
gfx9-4-generic 0x5f - sramecc xnack
gfx10-1-generic 0x52 - xnack
gfx10-3-generic 0x53 -
gfx11-generic 0x54 -
gfx11-7-generic 0x62 -
gfx12-generic 0x59 -
gfx12-5-generic 0x5b -
gfx13-generic 0x63 -
"""

#: The spelling of every processor, of those to come too: major in decimal, minor and stepping one hexadecimal digit each.
PROCESSOR = re.compile(r"gfx(?P<major>\d{1,2})(?P<minor>[0-9a-fA-F])(?P<stepping>[0-9a-fA-F])|gfx\d{1,2}(?:-\d{1,2})?-generic")

#: Features that a target ID may carry. The set grows (silicon steppings are named after their processor), so it is open.
FEATURES = ("sramecc", "xnack")


@record
class Processor:
    """One processor, or one generic processor (`gfx9-generic`) that stands for a family.

    `features` are the target-ID features it can switch, in canonical (alphabetical) order; `generic` is the family whose code
    it runs; `mach` is its EF_AMDGPU_MACH number.
    """

    name: str
    mach: int
    generic: str | None
    features: tuple[str, ...]

    @property
    def is_generic(self) -> bool:
        """Whether this names a family."""
        return self.name.endswith("-generic")


@cache
def processors() -> dict[str, Processor]:
    """Every processor by name."""
    rows = (line.split() for line in _PROCESSORS.strip().splitlines())
    return {
        name: Processor(name, int(mach, 16), None if generic == "-" else generic, tuple(features))
        for name, mach, generic, *features in rows
    }


def processor(name: str) -> Processor | None:
    """The processor of that name.

    >>> processor("gfx942").generic
    'gfx9-4-generic'
    """
    return processors().get(name)


@cache
def _by_mach() -> dict[int, Processor]:
    return {row.mach: row for row in processors().values()}


def by_mach(mach: int) -> Processor | None:
    """The processor with that EF_AMDGPU_MACH number."""
    return _by_mach().get(mach)


def wavefront_sizes(name: str) -> frozenset[int]:
    """Invocations in a wavefront: 64 up to gfx9, 32 or 64 since gfx10, 32 since gfx12.5 (AMDGPUUsage.rst, `wavefrontsize64`).

    Empty when the name does not say its generation.
    """
    generation = _generation(name)
    if generation is None:
        return frozenset()
    if generation < (10, 0):
        return frozenset({64})
    return frozenset({32, 64}) if generation < (12, 5) else frozenset({32})


def local_memory(name: str) -> int | None:
    """Bytes of LDS that one workgroup may have (LLVM AMDGPU.td, `AddressableLocalMemorySize`); None for what is to come.

    >>> local_memory("gfx90a"), local_memory("gfx950"), local_memory("gfx9-4-generic")
    (65536, 163840, 65536)
    """
    generation = _generation(name)
    if generation is None or generation > (12, 5):
        return None
    if generation < (7, 0):
        return 32 << 10
    if name == "gfx950":
        return 160 << 10
    return 320 << 10 if generation == (12, 5) else 64 << 10


#: Work-items in a workgroup, of every processor (AMDGPUUsage.rst, `max_flat_workgroup_size`).
WORKGROUP = 1024


def _generation(name: str) -> tuple[int, int] | None:
    found = re.match(r"gfx(\d+)(?:-(\d+))?-generic$", name)
    if found:
        return int(found[1]), int(found[2] or 0)
    exact = PROCESSOR.fullmatch(name)
    return (int(exact["major"]), int(exact["minor"], 16)) if exact is not None and exact["major"] is not None else None
