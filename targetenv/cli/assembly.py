"""Executables into packages: what the bytes say and what was declared, joined, and held against each other.

The bytes are believed. A declaration adds what bytes cannot say (the subgroup size that a kernel needs, the instruction set of
an object without a note) and is complained about where the bytes contradict it.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from targetenv.artifacts import inspect
from targetenv.diagnostics.diagnostic import Diagnostic, FormatError, Severity, Source, TargetEnvError
from targetenv.diagnostics.suggest import did_you_mean
from targetenv.match.check import check
from targetenv.match.unknowns import AARCH64_FEATURES, X86_LEVEL
from targetenv.model.capabilities import Capabilities, SpirvEnvironment
from targetenv.model.formats import file_format
from targetenv.model.record import record, replace
from targetenv.model.requirement import NeedsIsa, NeedsSubgroupSize, NeedsVersion
from targetenv.model.verdict import Outcome
from targetenv.model.version import Version
from targetenv.registry import aarch64, x86
from targetenv.wire.package import Package, PackagedKernel, Variant, constant_block_size, pack_package

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from targetenv.artifacts.inspection import Inspection
    from targetenv.model.artifact import Artifact, Kernel
    from targetenv.model.requirement import Requirement

_SUFFIXES = {"spirv": ".spv", "elf-x86_64": ".so", "elf-aarch64": ".so"}
#: Versions of Vulkan and SPIR-V, as compilers spell them.
VERSIONED = re.compile(r"(vulkan|spirv|spv)-?(\d\.\d)")
_SILENT: dict[Requirement, Callable[[str], bool]] = {
    X86_LEVEL.requirement: lambda isa: isa in x86.names(),
    AARCH64_FEATURES.requirement: lambda isa: isa in aarch64.names() or isa.startswith("armv") or isa == "aarch64",
}


@record
class Declared:
    """What a person says about one variant: from the build config, or from the command line of `pack`."""

    name: str
    target: tuple[str, ...] = ()
    entry_point: str | None = None
    tile: tuple[int, int, int] | None = None
    subgroup_size: int | None = None
    preference: int = 0
    requires: tuple[Requirement, ...] = ()


@record
class Part:
    """One variant, ready to be packaged, and what is odd about it."""

    variant: Variant
    payload: bytes
    warnings: tuple[Diagnostic, ...] = ()


def part(kernel: PackagedKernel, declared: Declared, data: bytes, *, source: str, inspection: Inspection | None = None) -> Part:
    """The variant of `kernel` in `data`; FormatError (TE40xx to TE42xx, TE4605) when the bytes cannot be it.

    `source` is what diagnostics call the bytes. `inspection` is what they are, where that is known already, together with what
    a container adds to it.
    """
    inspection = inspection or inspect(data, name=source)
    if not inspection.artifacts:
        raise FormatError(*inspection.diagnostics)
    artifact = inspection.artifacts[0]
    about = f"variant `{kernel.name}/{declared.name}`"
    entry = _entry(kernel, declared, artifact, about, source)
    _check_interface(kernel, entry, about, source)
    tile = declared.tile or entry.workgroup_size
    if tile is None and kernel.grid is not None:
        message = f"it is not known how much of the grid one workgroup of {about} covers"
        raise FormatError(Diagnostic("TE4605", message, Source(source, ""), help="declare its `tile`, such as `tile = [256]`"))
    variant = Variant(
        name=declared.name,
        kernel=kernel.name,
        format=artifact.format,
        entry_point=entry.name,
        member=_member(kernel.name, declared.name, artifact.format),
        size=len(data),
        sha256=artifact.digest,
        requires=_requirements(artifact, entry, declared),
        target=declared.target,
        preference=declared.preference,
        workgroup_size=entry.workgroup_size,
        subgroup_size=declared.subgroup_size or entry.subgroup_size,
        local_memory=entry.local_memory,
        tile=tile,
    )
    contradictions = _contradictions(artifact, declared.target, about, source)
    return Part(variant, data, (*inspection.diagnostics, *contradictions))


def assemble(name: str, version: str, kernels: Sequence[PackagedKernel], parts: Sequence[Part]) -> tuple[Package, bytes]:
    """The package of these parts, and its bytes. Variants with equal bytes share one member."""
    members: dict[str, str] = {}
    payloads: dict[str, bytes] = {}
    variants = []
    for row in parts:
        member = members.setdefault(row.variant.sha256, row.variant.member)
        payloads[member] = row.payload
        variants.append(replace(row.variant, member=member))
    package = Package(name, version, tuple(kernels), tuple(variants))
    return package, pack_package(package, payloads)


def stated(target: str) -> Capabilities:
    """What a declared target says, in the only terms that are held against bytes: versions and the instruction set.

    >>> stated("spirv1.3").spirv.version
    Version(major=1, minor=3, patch=0)
    """
    if found := VERSIONED.fullmatch(target):
        version = Version.parse(found[2])
        if found[1] == "vulkan":
            return Capabilities("vulkan", version, formats=frozenset({"spirv"}), complete=False)
        return Capabilities("vulkan", spirv=SpirvEnvironment(version), complete=False)
    if target.startswith("x86"):
        return Capabilities("cpu", isa=target.replace("x86_64", "x86-64"), complete=False)
    if target.startswith("armv") or target == "aarch64":
        return Capabilities("cpu", isa=target, complete=False)
    from targetenv.syntax import parse

    return parse(target, source_name="<target>").env.offers


def _entry(kernel: PackagedKernel, declared: Declared, artifact: Artifact, about: str, source: str) -> Kernel:
    inside = {entry.name: entry for entry in artifact.kernels}
    names = [declared.entry_point] if declared.entry_point else [kernel.name, *(inside if len(inside) == 1 else ["main"])]
    found = next((inside[name] for name in names if name in inside), None)
    if found is not None:
        return found
    advice = did_you_mean(names[0], inside)
    if not advice:
        advice = f"its kernels are {', '.join(sorted(inside))}" if inside else _without_kernels(artifact.format)
    raise FormatError(Diagnostic("TE4605", f"{about} has no kernel `{names[0]}`", Source(source, ""), help=advice))


def _without_kernels(executable_format: str) -> str:
    if executable_format.startswith("elf"):
        return "it exports no kernel: define it with `TARGETENV_KERNEL(name)` of <targetenv/kernel.h>"
    return "it has no compute entry point"


def _check_interface(kernel: PackagedKernel, entry: Kernel, about: str, source: str) -> None:
    block = constant_block_size(kernel.constants)
    wrong = ""
    if entry.bindings is not None and entry.bindings > len(kernel.bindings):
        wrong = f"{about} uses {entry.bindings} buffers, kernel `{kernel.name}` declares {len(kernel.bindings)}"
    elif entry.constants is not None and entry.constants > block:
        wrong = f"{about} uses {entry.constants} bytes of constants, kernel `{kernel.name}` declares {block}"
    if wrong:
        advice = "declare every parameter that the source uses, in its order"
        raise FormatError(Diagnostic("TE4605", wrong, Source(source, ""), help=advice))


def _requirements(artifact: Artifact, entry: Kernel, declared: Declared) -> tuple[Requirement, ...]:
    """What the bytes require, with what they leave unsaid filled in from the declaration."""
    isas = [isa for target in declared.target if (isa := _stated_isa(target))]
    spoken: list[Requirement]
    required: dict[Requirement, None] = {}
    for requirement in artifact.requires:
        belongs = _SILENT.get(requirement)
        spoken = [NeedsIsa(isa) for isa in isas if belongs and belongs(isa)]
        required |= dict.fromkeys(spoken or [requirement])
    size = declared.subgroup_size or entry.subgroup_size
    if size is not None:
        required[NeedsSubgroupSize(size)] = None
    required |= dict.fromkeys(declared.requires)
    return tuple(required)


def _stated_isa(target: str) -> str | None:
    try:
        return stated(target).isa
    except TargetEnvError:
        return None


def _contradictions(artifact: Artifact, targets: Sequence[str], about: str, source: str) -> tuple[Diagnostic, ...]:
    """Where the bytes require more than the declared target offers (TE4604)."""
    found = []
    for target in targets:
        try:
            offers = stated(target)
        except TargetEnvError:
            continue  # the toolchain understood it; nothing here can be held against it
        for requirement in artifact.requires:
            if not isinstance(requirement, NeedsVersion | NeedsIsa):
                continue
            finding = check(requirement, offers)
            if finding.outcome is Outcome.UNSATISFIED:
                message = f"{about} is declared for `{target}`, but its bytes require {finding.requires}"
                advice = "declare the target that it needs, or build it for the one that is declared"
                found.append(Diagnostic("TE4604", message, Source(source, ""), help=advice, severity=Severity.WARNING))
    return tuple(found)


def _member(kernel: str, variant: str, executable_format: str) -> str:
    """A name that a package member may have; names of ours are already, those from other people's symbols may not be."""
    plain = [re.sub(r"[^A-Za-z0-9_+.@$-]", "_", name).lstrip(".") or "_" for name in (kernel, variant)]
    return f"{plain[0]}/{plain[1]}{_SUFFIXES.get(file_format(executable_format), '.bin')}"
