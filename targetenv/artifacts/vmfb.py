"""Modules of IREE: every executable in them, with its variant, its target, and what it requires."""

from __future__ import annotations

import re

from targetenv.artifacts import aie_executable
from targetenv.artifacts.containers import Budget, adjusted, container, executable, member
from targetenv.artifacts.elf import MACHINES, MAGIC
from targetenv.artifacts.inspection import Inspection, Member, odd
from targetenv.artifacts.iree_executable import BINDING_TABLE, identifier
from targetenv.artifacts.iree_module import Module, Segment, is_module, read_module
from targetenv.artifacts.iree_target import Target, cpu_requirements, subgroup_requirements, targets_in
from targetenv.match.unknowns import AARCH64_FEATURES, SUBGROUP_SIZE, X86_LEVEL
from targetenv.model.artifact import Kernel
from targetenv.model.record import record, replace
from targetenv.model.requirement import NeedsFormat, NeedsSubgroupSize

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from targetenv.diagnostics.diagnostic import Diagnostic
    from targetenv.model.artifact import Artifact
    from targetenv.model.requirement import Requirement

#: Schema of an executable -> the formats that IREE's runtime is asked for (`hal.executable.format`) when it is loaded.
_FORMATS = {
    "VKE1": ("vulkan-spirv-fb", "vulkan-spirv-fb-ptr", BINDING_TABLE),
    "SPVE": ("vulkan-spirv-fb", "vulkan-spirv-fb-ptr"),
    "CDA1": ("cuda-nvptx-fb",),
    "CUDA": ("cuda-nvptx-fb",),
    "HIP1": ("rocm-hsaco-fb", "rocm-spirv-fb"),
    "HIPE": ("rocm-hsaco-fb",),
    "ROCM": ("rocm-hsaco-fb",),
    "AMD1": ("gfx",),  # the processor itself: `gfx942`
    "MTL1": ("metal-msl-fb", "metal-metallib-fb"),
    "MTLE": ("metal-msl-fb", "metal-metallib-fb"),
    "WGS1": ("webgpu-wgsl-fb",),
    "PDIR": ("amdaie-pdi-fb",),
    "XRTR": ("amdaie-xclbin-fb",),
}
_MACHINE = {"x86_64": "x86_64", "aarch64": "arm_64"}
_FORMAT = re.compile(
    r"(?:vulkan-spirv-(?:fb(?:-ptr)?|bda-v1)|cuda-nvptx-fb|rocm-(?:hsaco|spirv)-fb|metal-(?:msl|metallib)-fb|webgpu-wgsl-fb"
    r"|(?:embedded|system)-[a-z]+-\w+|vmvx-bytecode-fb|amd-?aie-\w+-fb|amdgcn-amd-amdhsa\S*|gfx[\w:+-]+|sm_\w+)"
)
_VARIANT = re.compile(
    r"(?P<executable>.+?)_(?P<variant>(?:vulkan|cuda|rocm|metal|embedded|system|vmvx|webgpu|amdaie)_.*|gfx\w+)\.\w+$"
)
_NUMBERED = re.compile(r"_\d+$")
_SILENT = (X86_LEVEL.requirement, AARCH64_FEATURES.requirement)
_LONGEST_FORMAT = 128


@record
class _Found:
    """One executable: where it is, the formats that it can be, and the number of its variant among those of its executable."""

    segment: Segment
    formats: tuple[str, ...]
    name: str


def inspect_vmfb(data: bytes | memoryview, *, name: str, budget: Budget) -> Inspection:
    """Every executable of a module; FormatError TE4701 to TE4703 where it, or one of them, is damaged."""
    module = read_module(data, name)
    targets = targets_in(module.bytecode)
    found, others = _executables(module)
    warnings: list[Diagnostic] = []
    members = []
    for row, target in zip(found, _assigned(found, targets), strict=True):
        warnings += _label_audit(row, name)
        members.append(_member(row, target, name, budget))
    return container("vmfb", members, details=_details(module, found, others, targets), diagnostics=warnings)


def _executables(module: Module) -> tuple[list[_Found], list[Segment]]:
    """The executables, and the other data that is worth a word: what lies outside the FlatBuffer."""
    found, others = [], []
    for segment in module.segments:
        formats = _formats(segment.data)
        if formats:
            found.append(_Found(segment, formats, segment.name or f"data {segment.ordinal}"))
        elif not segment.embedded:
            others.append(segment)
    return found, others


def _formats(data: memoryview) -> tuple[str, ...]:
    if bytes(data[:4]) == MAGIC:
        machine = MACHINES.get(int.from_bytes(data[18:20], "little"), "")
        return tuple(f"{kind}-elf-{_MACHINE.get(machine, machine)}" for kind in ("embedded", "system")) if machine else ("elf",)
    if is_module(data):
        return ("vmvx-bytecode-fb",)
    schema = identifier(data) or aie_executable.identifier(data)
    return _FORMATS.get(schema, ("unknown",)) if schema is not None else ()


def _member(row: _Found, target: Target | None, name: str, budget: Budget) -> Member:
    own = row.segment.name is not None and _stated_format(row)
    if row.formats == ("vmvx-bytecode-fb",):
        found = _vmvx(row, name, budget)
    else:
        found = member(
            row.segment.data, name=row.name, within=name, budget=budget, stated=own or row.formats[0], offset=row.segment.place
        )

    def change(artifact: Artifact) -> Artifact:
        artifact = replace(artifact, target=target.text if target is not None else artifact.target)
        if target is not None and SUBGROUP_SIZE.requirement in artifact.requires:
            return _with_subgroups(artifact, target)
        if "-elf-" not in row.formats[0]:
            return artifact
        library = target.format if target is not None else own or row.formats[0]
        requires = [one for one in artifact.requires if not isinstance(one, NeedsFormat)]
        stated = cpu_requirements(target) if target is not None else ()
        if stated:
            requires = [one for one in requires if one not in _SILENT]
        wanted: tuple[Requirement, ...] = (NeedsFormat(library), *requires, *stated)
        return replace(artifact, format=library, requires=tuple(dict.fromkeys(wanted)))

    return adjusted(found, change)


def _with_subgroups(artifact: Artifact, target: Target) -> Artifact:
    """The code with the subgroup sizes of its target; a single one is what its kernels run with."""
    needs = subgroup_requirements(target)
    kept = [need for need in artifact.requires if need != SUBGROUP_SIZE.requirement]
    artifact = replace(artifact, requires=(*kept, *needs))
    if len(needs) == 1 and isinstance(needs[0], NeedsSubgroupSize):
        size = needs[0].size
        artifact = replace(artifact, kernels=tuple(replace(kernel, subgroup_size=size) for kernel in artifact.kernels))
    return artifact


def _vmvx(row: _Found, name: str, budget: Budget) -> Member:
    """Code for IREE's own virtual machine is a module in the module; it is an executable, not a container."""
    budget.take(1, name)
    source = f"{name}!{row.name}"
    inner = read_module(row.segment.data, source)
    kernels = tuple(Kernel(export) for export in inner.exports if not export.startswith("__"))
    inspection = executable(
        row.segment.data,
        name=source,
        digest=budget.digest(row.segment.data),
        executable_format="vmvx-bytecode-fb",
        kernels=kernels,
        details=_details(inner, [], [], ()),
    )
    return Member(row.name, inspection, row.segment.data, offset=row.segment.place)


def _stated_format(row: _Found) -> str | None:
    """The format in the member's name, when the executable can be it."""
    variant = _variant(row)
    return next(
        (one for one in row.formats if variant is not None and variant.replace("-", "_") == one.replace("-", "_")), None
    )


def _variant(row: _Found) -> str | None:
    """The variant in the member's name, without the number that keeps two of one format apart."""
    matched = _VARIANT.match(row.segment.name or "")
    if matched is None:
        return None
    variant = matched["variant"]
    spelt = {one.replace("-", "_") for one in row.formats}
    return variant if variant in spelt else _NUMBERED.sub("", variant)


def _assigned(found: Sequence[_Found], targets: Sequence[Target]) -> list[Target | None]:
    """The target of each executable: the only one of its format, or the n-th for the n-th variant of an executable."""
    seen: dict[tuple[str, tuple[str, ...]], int] = {}
    counted: list[tuple[tuple[str, tuple[str, ...]], int]] = []
    for row in found:
        matched = _VARIANT.match(row.segment.name or "")
        group = (matched["executable"] if matched is not None else "", row.formats)
        counted.append((group, seen.get(group, 0)))
        seen[group] = seen.get(group, 0) + 1
    assigned: list[Target | None] = []
    for row, (group, place) in zip(found, counted, strict=True):
        fitting = [target for target in targets if _fits(target.format, row)]
        if len(fitting) == 1:
            assigned.append(fitting[0])
        else:
            assigned.append(fitting[place] if group[0] and len(fitting) == seen[group] else None)
    return assigned


def _fits(stated: str, row: _Found) -> bool:
    return stated in row.formats or (row.formats == ("gfx",) and stated.startswith("gfx"))


def _label_audit(row: _Found, name: str) -> list[Diagnostic]:
    """The member's name is made from the variant's, so it must name a format that the bytes can be."""
    variant = _variant(row)
    if variant is None or row.formats == ("unknown",) or _fits(variant, row):
        return []
    if variant in {one.replace("-", "_") for one in row.formats}:
        return []
    message = f"`{row.name}` is named as `{variant}`, but its bytes are {' or '.join(f'`{one}`' for one in row.formats)}"
    return [odd("TE4705", name, message, help="compile the module again; the runtime goes by the bytes")]


def _details(
    module: Module, found: Sequence[_Found], others: Sequence[Segment], targets: Sequence[Target]
) -> list[tuple[str, str]]:
    major, minor = module.version
    details = [
        ("module", module.name),
        ("container", "ZIP archive" if module.zipped else "flat file"),
        ("bytecode", f"version {major}.{minor}"),
        *(("depends on", f"{dependency} {version}") for dependency, version in module.dependencies),
        *(("function", export) for export in module.exports),
    ]
    for segment in module.segments:
        if segment.embedded and len(segment.data) <= _LONGEST_FORMAT:
            text = str(bytes(segment.data), "latin-1")
            if _FORMAT.fullmatch(text):
                details.append(("asks for", text))
    details += [("target", target.text) for target in targets]
    details += [("executable", f"{row.name}, {len(row.segment.data)} bytes") for row in found]
    details += [("data", f"{row.name or f'data {row.ordinal}'}, {len(row.data)} bytes") for row in others]
    return details
