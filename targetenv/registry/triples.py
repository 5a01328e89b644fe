"""The words that LLVM takes in each part of a triple, and how it puts a triple in order.

Source: llvm/lib/TargetParser/Triple.cpp (main, 2026-08): `parseArch`, `parseVendor`, `parseOS`, `parseEnvironment`,
`parseFormat` and `Triple::normalize`. `tests/differential/test_triples_clang.py` holds it against the installed clang.
"""

from __future__ import annotations

import re

ARCHITECTURES = frozenset(
    """
    i386 i486 i586 i686 i786 i886 i986 amd64 x86_64 x86_64h powerpc powerpcspe ppc ppc32 ppcle ppc32le powerpcle ppu
    ppc64 powerpc64 powerpc64le ppc64le xscale xscaleeb aarch64 aarch64_be aarch64_32 arc arm64 arm64_32 arm64e
    arm64ec arm thumb armeb thumbeb avr m68k mips mipseb mipsallegrex mipsisa32r6 mipsr6 mipsel mipsallegrexel
    mipsisa32r6el mipsr6el mips64 mips64eb mipsn32 mipsisa64r6 mips64r6 mipsn32r6 mips64el mipsn32el mipsisa64r6el
    mips64r6el mipsn32r6el msp430 r600 amdgcn riscv32 riscv64 hexagon s390x systemz sparc sparcel sparcv9 sparc64 tce
    tcele xcore nvptx nvptx64 amdil amdil64 hsail hsail64 spir spir64 spirv spirv32 spirv64 lanai renderscript32
    renderscript64 shave ve wasm32 wasm64 csky loongarch32 loongarch64 xtensa dxil
    """.split()
)
#: Architectures whose name carries a version or sub-architecture.
_VERSIONED = re.compile(
    r"spirv(?:32|64)?v?1\.[0-6]|dxilv1\.[0-9]|(?:arm|thumb)(?:eb)?v[4-9][a-z0-9._-]*|aarch64v\d[a-z0-9.]*|kalimba[0-9]*"
    r"|bpf(?:_le|_be|el|eb)?|amdgpu(?:\d+(?:\.\d+)?(?:[0-9a-f]+)?)?|air64(?:_v\d+)?"
)
#: Not LLVM's: Metal's AIR. LLVM 19 answers `unknown`, Apple's own compiler prints it.
AIR = re.compile(r"air64(?:_v\d+)?")

VENDORS = frozenset("apple pc scei sie fsl ibm img mti nvidia csr amd mesa suse oe intel meta".split())
_OPERATING_SYSTEMS = tuple(
    """
    darwin dragonfly freebsd fuchsia ios kfreebsd linux lv2 macos netbsd openbsd solaris uefi win32 windows zos haiku
    rtems nacl aix cuda nvcl amdhsa ps4 ps5 elfiamcu tvos watchos bridgeos driverkit xros visionos mesa3d amdpal
    hermit hurd wasi emscripten shadermodel liteos serenity vulkan
    """.split()
)
_ENVIRONMENTS = tuple(
    """
    eabihf eabi gnuabin32 gnuabi64 gnueabihft64 gnueabihf gnueabit64 gnueabi gnuf32 gnuf64 gnusf gnux32 gnu_ilp32
    code16 gnut64 gnu android muslabin32 muslabi64 musleabihf musleabi muslf32 muslsf muslx32 musl msvc itanium cygnus
    coreclr simulator macabi pixel vertex geometry hull domain compute library raygeneration intersection anyhit
    closesthit miss callable mesh amplification opencl ohos pauthtest llvm mlibc mtia
    """.split()
)
_FORMATS = ("xcoff", "coff", "elf", "goff", "macho", "wasm", "spirv")


def is_architecture(word: str) -> bool:
    """Whether the word names an architecture (`x86_64`, `spirv1.6`, `amdgpu9.00`).

    >>> is_architecture("spirv1.6"), is_architecture("rdna3")
    (True, False)
    """
    return word in ARCHITECTURES or _VERSIONED.fullmatch(word) is not None


def is_vendor(word: str) -> bool:
    """Whether the word names a vendor."""
    return word in VENDORS


def is_os(word: str) -> bool:
    """Whether the word names an operating system, with or without a version behind it."""
    return word.startswith((*_OPERATING_SYSTEMS, "cygwin", "mingw"))


def is_environment(word: str) -> bool:
    """Whether the word names an environment or an object format."""
    return word.startswith(_ENVIRONMENTS) or word.endswith(_FORMATS)


_RECOGNISE = (is_architecture, is_vendor, is_os, is_environment)


def normalized(text: str) -> str:
    """The triple with its parts in LLVM's order, gaps filled with `unknown`.

    >>> normalized("x86_64-linux-gnu"), normalized("aarch64-linux-androideabi21")
    ('x86_64-unknown-linux-gnu', 'aarch64-unknown-linux-android21')
    """
    parts = text.split("-")
    fixed = [position < len(parts) and _RECOGNISE[position](parts[position]) for position in range(4)]
    for position in range(4):
        if fixed[position]:
            continue
        for index, word in enumerate(list(parts)):
            if (index < 4 and fixed[index]) or not word or not _RECOGNISE[position](word):
                continue
            if position < index:
                _pull_left(parts, fixed, position, index)
            else:
                _push_right(parts, fixed, position, index)
            fixed[position] = True
            break
    if fixed[0] and not fixed[1] and not fixed[2] and fixed[3] and parts[1] == "none" and not parts[2]:
        parts[1], parts[2] = parts[2], parts[1]
    return "-".join(_special([part or "unknown" for part in parts]))


def _pull_left(parts: list[str], fixed: list[bool], position: int, index: int) -> None:
    """Move the word at `index` left to `position`; what is in the way moves right, over fixed words."""
    moving, parts[index] = parts[index], ""
    at = position
    while moving:
        while at < 4 and fixed[at]:
            at += 1
        parts[at], moving = moving, parts[at]
        at += 1


def _push_right(parts: list[str], fixed: list[bool], position: int, index: int) -> None:
    """Insert empty words before the one at `index` until it stands at `position`."""
    while index < position:
        moving, at = "", index
        while at < len(parts):
            parts[at], moving = moving, parts[at]
            if not moving:
                break
            at += 1
            while at < 4 and fixed[at]:
                at += 1
        if moving:
            parts.append(moving)
        index += 1
        while index < 4 and fixed[index]:
            index += 1


def _special(parts: list[str]) -> list[str]:
    """What LLVM spells in another way than it was written."""
    if len(parts) > 3 and parts[3].startswith("androideabi"):
        parts[3] = "android" + parts[3].removeprefix("androideabi")
    if parts[1:2] == ["suse"] and parts[3:4] == ["gnueabi"]:
        parts[3] = "gnueabihf"
    system = parts[2] if len(parts) > 2 else ""
    last = parts[3] if len(parts) > 3 else ""
    named = last.startswith(_ENVIRONMENTS)
    binary = next((name for name in _FORMATS if last.endswith(name) and name != "coff"), "")
    if system.startswith(("win32", "windows")):
        return [*parts[:2], "windows", *((last, *([binary] if binary else ())) if named else (binary or "msvc",))]
    for prefix, environment in (("mingw", "gnu"), ("cygwin", "cygnus")):
        if system.startswith(prefix):
            return [*parts[:2], "windows", environment, *([binary] if binary else ())]
    return parts
