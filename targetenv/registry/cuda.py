"""NVIDIA GPU architectures: `sm_90`, `sm_90a`, `sm_100f`; which of them runs code built for which.

There is no machine-readable registry. Rows: the table "Release Notes" of the PTX ISA document, release notes of CUDA toolkits.
The rules are NVIDIA's words (`ptxas --help`, Ada Compatibility Guide) and hold for every pair that ptxas 12.9, 13.0 and 13.4
decide; `tests/unit/registry/test_cuda.py` replays those decisions.
"""

from __future__ import annotations

import re
from functools import cache

from targetenv.model.record import record
from targetenv.model.version import Version

#: number, first PTX ISA (plain, `a`, `f`; `-` where the suffix does not exist), first toolkit, first toolkit without it
_ARCHITECTURES = """
30 3.0 - - 4.2 11.0
32 4.0 - - 6.0 11.0
35 3.1 - - 5.0 12.0
37 4.1 - - 6.5 12.0
50 4.0 - - 6.0 13.0
52 4.1 - - 6.5 13.0
53 4.2 - - 7.0 13.0
60 5.0 - - 8.0 13.0
61 5.0 - - 8.0 13.0
62 5.0 - - 8.0 13.0
70 6.0 - - 9.0 13.0
72 6.1 - - 9.2 13.0
75 6.3 - - 10.0 -
80 7.0 - - 11.0 -
86 7.1 - - 11.1 -
87 7.4 - - 11.4 -
88 9.0 - - 13.0 -
89 7.8 - - 11.8 -
90 7.8 8.0 - 11.8 -
100 8.6 8.6 8.8 12.8 -
101 8.6 8.6 8.8 12.8 13.0
103 8.8 8.8 8.8 12.9 -
110 9.0 9.0 9.0 13.0 -
120 8.7 8.7 8.8 12.8 -
121 8.8 8.8 8.8 12.9 -
"""

#: PTX ISA -> the first CUDA whose driver and ptxas take it (PTX ISA, "Release History"; 9.x held against ptxas 13.0 and 13.5)
_PTX = """
1.0=1.0 1.1=1.1 1.2=2.0 1.3=2.1 1.4=2.2 2.0=3.0 2.1=3.1 2.2=3.2 2.3=4.0 3.0=4.1 3.1=5.0 3.2=5.5 4.0=6.0 4.1=6.5 4.2=7.0 4.3=7.5
5.0=8.0 6.0=9.0 6.1=9.1 6.2=9.2 6.3=10.0 6.4=10.1 6.5=10.2 7.0=11.0 7.1=11.1 7.2=11.2 7.3=11.3 7.4=11.4 7.5=11.5 7.6=11.6
7.7=11.7 7.8=11.8 8.0=12.0 8.1=12.1 8.2=12.2 8.3=12.3 8.4=12.4 8.5=12.5 8.6=12.7 8.7=12.8 8.8=12.9 9.0=13.0 9.1=13.1 9.2=13.2
9.3=13.3 9.4=13.4 9.5=13.5
"""

#: Technical Specifications per Compute Capability (CUDA C++ Programming Guide): limit -> first capability, what it then offers
_LIMITS = {
    "CU_DEVICE_ATTRIBUTE_MAX_THREADS_PER_BLOCK": ((20, 1024),),
    "CU_DEVICE_ATTRIBUTE_MAX_BLOCK_DIM_X": ((20, 1024),),
    "CU_DEVICE_ATTRIBUTE_MAX_BLOCK_DIM_Y": ((20, 1024),),
    "CU_DEVICE_ATTRIBUTE_MAX_BLOCK_DIM_Z": ((10, 64),),
    "CU_DEVICE_ATTRIBUTE_MAX_SHARED_MEMORY_PER_BLOCK": ((20, 48 << 10),),
    "CU_DEVICE_ATTRIBUTE_MAX_SHARED_MEMORY_PER_BLOCK_OPTIN": (
        (50, 48 << 10), (70, 96 << 10), (75, 64 << 10), (80, 163 << 10), (86, 99 << 10), (87, 163 << 10), (88, 99 << 10),
        (90, 227 << 10), (120, 99 << 10)),
    "CU_DEVICE_ATTRIBUTE_MAX_REGISTERS_PER_BLOCK": (
        (20, 32 << 10), (30, 64 << 10), (53, 32 << 10), (60, 64 << 10), (62, 32 << 10), (70, 64 << 10)),
    "CU_DEVICE_ATTRIBUTE_WARP_SIZE": ((10, 32),),
    "CU_DEVICE_ATTRIBUTE_CLUSTER_LAUNCH": ((90, 1),),
}  # fmt: skip

#: PTX families (PTX ISA, "Family-specific features"); 101 was renamed 110 in CUDA 13
_FAMILIES = {100: 10, 103: 10, 107: 10, 101: 11, 110: 11, 120: 12, 121: 12}

#: Chips of the Tegra and Jetson line: NVIDIA promises no binary compatibility with others (CUDA C++ Programming Guide).
TEGRA = frozenset({32, 53, 62, 72, 87, 101, 110})

NAME = re.compile(r"(?P<kind>sm|compute)_(?P<number>\d{2,3})(?P<suffix>[af]?)")


@record
class Architecture:
    """One architecture. `ptx`, `ptx_a` and `ptx_f` are the first PTX ISA versions that know it plain and with each suffix.

    `toolkit` is the first CUDA toolkit that builds for it, `dropped` the first that does not any more.
    """

    number: int
    ptx: Version
    ptx_a: Version | None
    ptx_f: Version | None
    toolkit: Version
    dropped: Version | None

    @property
    def suffixes(self) -> tuple[str, ...]:
        """The suffixes that exist for it, the empty one first."""
        return ("", *(("a",) if self.ptx_a else ()), *(("f",) if self.ptx_f else ()))


@cache
def architectures() -> dict[int, Architecture]:
    """Every architecture by compute capability times ten (90, 121)."""
    found = {}
    for line in _ARCHITECTURES.strip().splitlines():
        number, *versions = line.split()
        ptx, ptx_a, ptx_f, toolkit, dropped = (None if text == "-" else Version.parse(text) for text in versions)
        assert ptx is not None
        assert toolkit is not None
        found[int(number)] = Architecture(int(number), ptx, ptx_a, ptx_f, toolkit, dropped)
    return found


@cache
def _ptx_releases() -> tuple[tuple[Version, Version], ...]:
    rows = (row.split("=") for row in _PTX.split())
    return tuple((Version.parse(toolkit), Version.parse(isa)) for isa, toolkit in rows)


def ptx_of(toolkit: Version) -> Version:
    """The newest PTX ISA that a driver (or ptxas) of this CUDA version is known to take; later drivers take more.

    >>> str(ptx_of(Version(12, 6))), str(ptx_of(Version(13, 0)))
    ('8.5', '9.0')
    """
    return next((isa for first, isa in reversed(_ptx_releases()) if first <= toolkit), _ptx_releases()[0][1])


def first_cuda(isa: Version) -> Version:
    """The first CUDA that takes this PTX ISA; the newest in the table where it is later than all.

    >>> str(first_cuda(Version(8, 8)))
    '12.9'
    """
    return next((toolkit for toolkit, known in _ptx_releases() if known >= isa), _ptx_releases()[-1][0])


def newest_ptx() -> Version:
    """The newest PTX ISA in the table."""
    return _ptx_releases()[-1][1]


def least_limit(attribute: str, isa: str) -> int | None:
    """What every device of that architecture offers under a CUdevice_attribute; None where nothing is promised.

    >>> least_limit("CU_DEVICE_ATTRIBUTE_MAX_SHARED_MEMORY_PER_BLOCK", "sm_90a")
    49152
    """
    found = NAME.fullmatch(isa)
    rows = _LIMITS.get(attribute, ()) if found else ()
    return next((value for first, value in reversed(rows) if found and first <= int(found["number"])), None)


def first_ptx(target: str) -> Version | None:
    """The first PTX ISA that knows the architecture `sm_90a` or `compute_90a`; None where none is known to.

    >>> str(first_ptx("sm_90")), str(first_ptx("compute_90a"))
    ('7.8', '8.0')
    """
    found = NAME.fullmatch(target)
    row = architectures().get(int(found["number"])) if found else None
    if found is None or row is None:
        return None
    return {"": row.ptx, "a": row.ptx_a, "f": row.ptx_f}[found["suffix"]]


def names(kind: str = "sm") -> tuple[str, ...]:
    """Every name of that kind, `sm` or `compute`, in order."""
    return tuple(f"{kind}_{number}{suffix}" for number, row in architectures().items() for suffix in row.suffixes)


def ptx_runs(target: int, suffix: str, device: int) -> bool:
    """Whether PTX with `.target sm_TARGETsuffix` can be compiled for a device of that compute capability times ten.

    Plain PTX goes to every later architecture, across generations; `f` stays in its family, `a` on the very chip.

    >>> ptx_runs(100, "", 121), ptx_runs(100, "f", 103), ptx_runs(100, "f", 120), ptx_runs(90, "a", 100)
    (True, True, False, False)
    """
    if suffix == "a":
        return device == target
    if suffix == "f":
        family = _FAMILIES.get(target)
        return family is not None and family == _FAMILIES.get(device) and device >= target
    return device >= target


def cubin_runs(target: int, suffix: str, device: int) -> bool:
    """Whether a cubin built for `sm_TARGETsuffix` runs on a device of that compute capability times ten.

    Same major and no smaller minor; with `a` the very chip; with `f` the same family. A Tegra runs what was built for it.

    >>> cubin_runs(86, "", 89), cubin_runs(89, "", 86), cubin_runs(80, "", 90), cubin_runs(90, "a", 90)
    (True, False, False, True)
    """
    if suffix == "a":
        return device == target
    if suffix == "f":
        return ptx_runs(target, suffix, device)
    if {target, device} & TEGRA:
        return device == target
    return device // 10 == target // 10 and device >= target
