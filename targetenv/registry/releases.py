"""Which release of a stack brought what: drivers of CUDA releases, AMD processors and code objects in LLVM and ROCm.

Tables for deciding as an older stack would (`--as-of`). None is machine-readable anywhere; each says below where it is from and
how it was checked.
"""

from __future__ import annotations

from functools import cache

from targetenv.model.record import record
from targetenv.model.version import Version

#: CUDA release and its first Linux driver: CUDA release notes, table "CUDA Toolkit and Corresponding Driver Versions".
_DRIVERS = """
8.0=367.48 9.0=384.81 9.1=387.26 9.2=396.26 10.0=410.48 10.1=418.39 10.2=440.33 11.0=450.36 11.1=455.23 11.2=460.27 11.3=465.19
11.4=470.42 11.5=495.29 11.6=510.39 11.7=515.43 11.8=520.61 12.0=525.60 12.1=530.30 12.2=535.54 12.3=545.23 12.4=550.54
12.5=555.42 12.6=560.28 12.7=565.57 12.8=570.26 12.9=575.51 13.0=580.65 13.1=590.44
"""

#: Compute capabilities times ten, up to which (included) a driver branch and later ones do not run any more.
#: NVIDIA: R470 is the last branch for Kepler, R580 the last for Maxwell, Pascal and Volta.
_LAST_BRANCHES = ((37, 495), (72, 590))

#: AMD processor, first LLVM that knows it, first LLVM without it. Asked of clang 15, 16, 17, 18, 19 and 21 and of the libraries
#: of LLVM 20 and 22; those of 23 are on LLVM's main branch and not in 22. What is not listed was there before 15.
_LLVM = """
gfx940 - 21
gfx941 17 21
gfx942 17 -
gfx1150 17 -
gfx1151 17 -
gfx1200 18 -
gfx1201 18 -
gfx1152 19 -
gfx9-generic 19 -
gfx10-1-generic 19 -
gfx10-3-generic 19 -
gfx11-generic 19 -
gfx12-generic 19 -
gfx950 20 -
gfx1153 20 -
gfx9-4-generic 20 -
gfx1250 21 -
gfx1251 22 -
gfx1154 23 -
gfx1170 23 -
gfx1171 23 -
gfx1172 23 -
gfx1310 23 -
gfx11-7-generic 23 -
gfx12-5-generic 23 -
gfx13-generic 23 -
"""

#: Generic families that the runtimes of a ROCm release load. HIP loads generics since 6.4 (ROCm/rocSOLVER#937); ROCr's isa.cpp
#: lists these six there. The rest came later (gfx12-5-generic: ROCm/rocm-systems#7300) or is not in a release of this table.
_ROCM_GENERICS = frozenset(
    {"gfx9-generic", "gfx9-4-generic", "gfx10-1-generic", "gfx10-3-generic", "gfx11-generic", "gfx12-generic"}
)

#: Code object version: first ROCm that loads it, first ROCm of which that is not certain (before: it does not), first and first
#: missing LLVM that makes it. V3 ROCm 3.5 (LLVM D81309), V4 ROCm 4.1 (D99235), V5 LLVM D129818 and ROCm 6.0, V6 ROCm 6.4
#: (ROCm/rocSOLVER#909); LLVM's columns were asked of clang 15 to 19.
_CODE_OBJECTS = """
2 3.5 3.5 - 18
3 3.5 3.5 - 19
4 4.1 4.1 - -
5 6.0 5.0 - -
6 6.4 6.2 19 -
"""

#: component -> oldest and newest version that the tables here know
COMPONENTS = {
    "driver": (Version(367), Version(590)),
    "cuda": (Version(8), Version(13, 5)),
    "rocm": (Version(3, 5), Version(7, 2)),
    "llvm": (Version(15), Version(23)),
    "vulkan": (Version(1, 0), Version(1, 4)),
}
#: The APIs whose rules each component selects.
APIS = {
    "driver": ("cuda",),
    "cuda": ("cuda",),
    "rocm": ("rocm", "hip"),
    "llvm": ("rocm", "hip"),
    "vulkan": ("vulkan",),
}
#: What each component is, for people.
MEANINGS = {
    "driver": "NVIDIA's driver",
    "cuda": "the CUDA toolkit",
    "rocm": "AMD's ROCm runtime",
    "llvm": "the LLVM that built AMD code",
    "vulkan": "the Vulkan version of loader and driver",
}


@cache
def drivers() -> tuple[tuple[Version, Version], ...]:
    """CUDA releases and the first driver of each, in order."""
    rows = (row.split("=") for row in _DRIVERS.split())
    return tuple((Version.parse(cuda), Version.parse(driver)) for cuda, driver in rows)


def cuda_of_driver(driver: Version) -> Version | None:
    """The CUDA release that a driver belongs to; a bare branch (`570`) means its newest driver.

    >>> str(cuda_of_driver(Version(570))), str(cuda_of_driver(Version(550, 40)))
    ('12.8', '12.3')
    """
    return next((cuda for cuda, first in reversed(drivers()) if has_driver(driver, first)), None)


def driver_of_cuda(cuda: Version) -> Version | None:
    """The first driver that belongs to a CUDA release or a later one, None where that is not known."""
    return next((first for release, first in drivers() if release >= cuda), None)


def has_driver(driver: Version, first: Version) -> bool:
    """Whether a driver is `first` or later; a bare branch stands for all of it."""
    return driver >= first or (driver.minor == driver.patch == 0 and driver.major == first.major)


def ends_with_driver(capability: int) -> int | None:
    """The first driver branch that does not run this compute capability times ten any more.

    >>> ends_with_driver(35), ends_with_driver(70), ends_with_driver(75)
    (495, 590, None)
    """
    return next((branch for last, branch in _LAST_BRANCHES if capability <= last), None)


@cache
def _llvm() -> dict[str, tuple[Version | None, Version | None]]:
    rows = (line.split() for line in _LLVM.strip().splitlines())
    return {name: (_version(since), _version(until)) for name, since, until in rows}


def llvm_span(processor: str) -> tuple[Version | None, Version | None]:
    """First LLVM that knows an AMD processor, and first that does not any more; None where that is outside of the table.

    >>> [str(version) for version in llvm_span("gfx9-generic")]
    ['19.0', 'None']
    """
    return _llvm().get(processor, (None, None))


def rocm_loads_generic(family: str, rocm: Version) -> bool | None:
    """Whether a ROCm release loads code for a generic family; None where only a release after the table can.

    >>> rocm_loads_generic("gfx11-generic", Version(6, 2)), rocm_loads_generic("gfx11-generic", Version(6, 4))
    (False, True)
    """
    if family in _ROCM_GENERICS:
        return rocm >= Version(6, 4)
    return None if rocm > COMPONENTS["rocm"][1] else False


@record
class CodeObject:
    """One version of AMD's code objects: from which ROCm on it is loaded, from which on it may be, and which LLVM make it."""

    loaded: Version
    perhaps: Version
    llvm: Version | None
    llvm_until: Version | None


@cache
def code_objects() -> dict[int, CodeObject]:
    """Every version of AMD's code objects."""
    found = {}
    for line in _CODE_OBJECTS.strip().splitlines():
        number, loaded, perhaps, llvm, until = line.split()
        found[int(number)] = CodeObject(Version.parse(loaded), Version.parse(perhaps), _version(llvm), _version(until))
    return found


def _version(text: str) -> Version | None:
    return None if text == "-" else Version.parse(text)
