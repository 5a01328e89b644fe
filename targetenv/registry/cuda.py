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

#: PTX families (PTX ISA, "Family-specific features"); 101 was renamed 110 in CUDA 13
_FAMILIES = {100: 10, 103: 10, 107: 10, 101: 11, 110: 11, 120: 12, 121: 12}

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

    Same major and no smaller minor; with `a` the very chip; with `f` the same family.

    >>> cubin_runs(86, "", 89), cubin_runs(89, "", 86), cubin_runs(80, "", 90), cubin_runs(90, "a", 90)
    (True, False, False, True)
    """
    if suffix == "a":
        return device == target
    if suffix == "f":
        return ptx_runs(target, suffix, device)
    return device // 10 == target // 10 and device >= target
