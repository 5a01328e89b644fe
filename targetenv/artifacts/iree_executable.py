"""IREE's executables, as a compiled module carries them and `--iree-hal-dump-executable-binaries-to` writes them.

A FlatBuffer that holds code for one API with the names, sizes and layouts of its entry points. Since late 2025 (3.9) a header
of 64 bytes comes first. Schemas: iree runtime/src/iree/schemas/*_executable_def.fbs of 2023-02 to 3.13.
"""

from __future__ import annotations

from targetenv.artifacts.containers import Budget, adjusted, container, member
from targetenv.artifacts.cuda import FORMATS as CUDA_FORMATS
from targetenv.artifacts.cuda import with_launches
from targetenv.artifacts.flatbuffer import FlatBuffer, Table
from targetenv.artifacts.inspection import Inspection, damaged, odd
from targetenv.artifacts.metal import LANGUAGE
from targetenv.artifacts.window import Window
from targetenv.match.unknowns import SUBGROUP_SIZE
from targetenv.model.artifact import Kernel
from targetenv.model.record import record, replace
from targetenv.model.requirement import NeedsCapability, NeedsFormat, NeedsSubgroupSize, NeedsVersion
from targetenv.model.version import Version

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from targetenv.artifacts.inspection import Member
    from targetenv.diagnostics.diagnostic import Diagnostic
    from targetenv.model.artifact import Artifact
    from targetenv.model.requirement import Requirement

HEADER_SIZE = 64
_SPIRV_MAGIC = 0x07230203
#: Vulkan code that finds its buffers in a table of addresses, whose own address is pushed; no driver of ours fills such a table
BINDING_TABLE = "vulkan-spirv-bda-v1"
_BY_SUBGROUP = ("GroupNonUniform", "Subgroup", "CooperativeMatrix")  # how such capabilities begin


@record
class Export:
    """One entry point: in which module it is, and what its pipeline says; None is "it does not say", `constants` in bytes.

    `by_table` is Vulkan code that takes its buffers as BINDING_TABLE does.
    """

    name: str
    module: int
    workgroup_size: tuple[int, int, int] | None = None
    bindings: int | None = None
    constants: int | None = None
    local_memory: int | None = None
    subgroup_size: int | None = None
    by_table: bool = False


@record
class Image:
    """One module: the format that the schema gives it, its bytes, and where in the FlatBuffer they begin."""

    format: str
    data: memoryview
    place: int | None = None

    @classmethod
    def of(cls, image_format: str, row: Table, field: int, *, size: int = 1) -> Image:
        """The vector of a field."""
        return cls(image_format, row.bytes(field, size=size), row.place(field) if row.has(field) else None)


@record
class Contents:
    """What one executable holds: entry points, and modules.

    `language` is the version of the language that sources are in, `target` the processor, where the executable says it.
    """

    exports: tuple[Export, ...]
    modules: tuple[Image, ...]
    details: tuple[tuple[str, str], ...] = ()
    language: Version | None = None
    target: str | None = None


def identifier(data: bytes | memoryview) -> str | None:
    """The schema's name (`VKE1`), with or without the header of 64 bytes before it; None where it is none of IREE's."""
    head = bytes(data[: HEADER_SIZE + 8])
    for found in (head[HEADER_SIZE + 4 :] if head[:4] == head[HEADER_SIZE + 4 :] else b"", head[4:8]):
        if found.decode("latin-1") in _SCHEMAS:
            return found.decode("latin-1")
    return None


def inspect_executable(data: bytes | memoryview, *, name: str, budget: Budget) -> Inspection:
    """The modules in it, each with what its own bytes require and what its pipelines add; FormatError TE4703 when damaged."""
    schema = identifier(data)
    if schema is None:
        raise damaged("TE4703", name, "this is no executable of IREE")
    content, details = _content(memoryview(data), name)
    start = HEADER_SIZE if details else 0
    buffer = FlatBuffer(Window(content, name, "TE4703"))
    if buffer.identifier.decode("latin-1") != schema:
        raise damaged("TE4703", name, f"the header says `{schema}`, the FlatBuffer behind it says something else")
    contents = _SCHEMAS[schema](buffer.root())
    warnings: list[Diagnostic] = []
    members = []
    for place, image in enumerate(contents.modules):
        own = [export for export in contents.exports if export.module == place]
        found = member(
            image.data,
            name=f"module {place}",
            within=name,
            budget=budget,
            stated=image.format,
            label=contents.target,
            offset=None if image.place is None else start + image.place,
        )
        warnings += _disagreements(found, own, name)
        members.append(adjusted(found, _with_exports(own, contents.language)))
    for export in contents.exports:
        if export.module >= len(contents.modules):
            message = f"entry point `{export.name}` is in module {export.module} of {len(contents.modules)}"
            raise damaged("TE4703", name, message)
    details = [("schema", schema), *details, *contents.details]
    details += [("entry point", _shown(export)) for export in contents.exports]
    return container("iree-executable", members, details=details, diagnostics=warnings)


def _content(data: memoryview, name: str) -> tuple[memoryview, list[tuple[str, str]]]:
    """The FlatBuffer, and what the header before it says."""
    if data[:4] != data[HEADER_SIZE + 4 : HEADER_SIZE + 8]:
        return data, []
    window = Window(data, name, "TE4703")
    version, size = window.unpack("<IQ", 4, "the executable's header")
    return window.part(HEADER_SIZE, size, "the executable's contents"), [("header version", str(version))]


def _with_exports(exports: Sequence[Export], language: Version | None) -> Callable[[Artifact], Artifact]:
    def change(artifact: Artifact) -> Artifact:
        inside = _by_symbol(artifact)
        kernels = tuple(_joined(inside.get(export.name, Kernel(export.name)), export) for export in exports)
        sizes = {kernel.subgroup_size for kernel in kernels if kernel.subgroup_size}
        known = [need for need in artifact.requires if need != LANGUAGE or language is None]
        if any(export.by_table for export in exports):
            known = [NeedsFormat(BINDING_TABLE) if isinstance(need, NeedsFormat) else need for need in known]
        if not sizes and _counts_on_subgroups(artifact.requires):
            known.append(SUBGROUP_SIZE.requirement)
        if language is not None:
            known.append(NeedsVersion("metal", language))
        requires = dict.fromkeys((*known, *(NeedsSubgroupSize(size) for size in sorted(sizes))))
        wanted = with_launches(tuple(requires), kernels) if artifact.format in CUDA_FORMATS else tuple(requires)
        return replace(artifact, kernels=kernels or artifact.kernels, requires=wanted)

    return change


def _counts_on_subgroups(requires: Sequence[Requirement]) -> bool:
    """Whether SPIR-V has operations whose results depend on the subgroup's size, which IREE's compiler takes as given."""
    return any(isinstance(need, NeedsCapability) and need.name.startswith(_BY_SUBGROUP) for need in requires)


def _joined(kernel: Kernel, export: Export) -> Kernel:
    """What the code says, with the pipeline's word on what only it knows: the layout and the subgroup size."""
    return replace(
        kernel,
        name=export.name,
        workgroup_size=kernel.workgroup_size or export.workgroup_size,
        bindings=kernel.bindings if export.bindings is None else export.bindings,
        constants=kernel.constants if export.constants is None else export.constants,
        local_memory=export.local_memory or kernel.local_memory,
        subgroup_size=export.subgroup_size or kernel.subgroup_size,
    )


def _disagreements(found: Member, exports: Sequence[Export], name: str) -> list[Diagnostic]:
    warnings = []
    for artifact in found.inspection.artifacts:
        inside = _by_symbol(artifact)
        for export in exports if inside else ():
            kernel = inside.get(export.name)
            if kernel is None:
                known = ", ".join(sorted(kernel.name for kernel in artifact.kernels))
                message = f"entry point `{export.name}` is not in {found.name}, which has {known}"
            elif export.workgroup_size and kernel.workgroup_size and export.workgroup_size != kernel.workgroup_size:
                stated, real = ("x".join(map(str, size)) for size in (export.workgroup_size, kernel.workgroup_size))
                message = f"entry point `{export.name}` is said to have workgroups of {stated}, its code has {real}"
            else:
                continue
            warnings.append(odd("TE4704", name, message, help="compile the module again"))
    return warnings


def _by_symbol(artifact: Artifact) -> dict[str, Kernel]:
    """The kernels by name, and by the symbol of an AMD kernel's descriptor, which some schemas name."""
    return {name: kernel for kernel in artifact.kernels for name in (kernel.entry_point, kernel.name) if name is not None}


def _shown(export: Export) -> str:
    facts = [f"module {export.module}"]
    if export.workgroup_size is not None:
        facts.append("workgroup " + "x".join(str(axis) for axis in export.workgroup_size))
    if export.subgroup_size:
        facts.append(f"subgroup {export.subgroup_size}")
    if export.bindings is not None:
        facts.append(f"{export.bindings} bindings")
    if export.constants:
        facts.append(f"{export.constants} bytes of constants")
    if export.local_memory:
        facts.append(f"{export.local_memory} bytes of local memory")
    return f"{export.name} ({', '.join(facts)})"


def _bindings(table: Table, field: int) -> int:
    return len(table.numbers(field, "<Q"))


def _vulkan(root: Table) -> Contents:
    sets = tuple(len(row.tables(0)) for row in root.tables(1))
    layouts = root.tables(2)
    exports = []
    for row in root.tables(0):
        constants = bindings = None
        if (layout := row.number(2)) < len(layouts):
            used = [ordinal for (ordinal,) in layouts[layout].numbers(0, "<I")]
            bindings = sum(sets[ordinal] for ordinal in used if ordinal < len(sets))
            constants = max((first + size for _, first, size in layouts[layout].numbers(1, "<III")), default=0)
        exports.append(
            Export(
                row.text(1),
                row.number(0),
                bindings=bindings,
                constants=constants,
                subgroup_size=row.number(3) or None,
                by_table=row.number(5) == 1,
            )
        )
    return Contents(tuple(exports), tuple(Image.of("spirv", row, 0, size=4) for row in root.tables(3)))


def _spirv_2023(root: Table) -> Contents:
    """Up to 2024-08. Until 2023-02 the code was one vector, which begins with SPIR-V's magic number."""
    sizes = [size for (size,) in root.numbers(1, "<I")]
    names = root.texts(0)
    words = root.numbers(2, "<I")
    single = words[:1] == ((_SPIRV_MAGIC,),)
    found = [(root, 2)] if single else [(row, 0) for row in root.tables(3)]
    modules = tuple(Image.of("spirv", row, field, size=4) for row, field in found)
    places = [0] * len(names) if single else [place for (place,) in words]
    exports = tuple(
        Export(text, place, subgroup_size=(sizes[at] or None) if at < len(sizes) else None)
        for at, (text, place) in enumerate(zip(names, places, strict=False))
    )
    return Contents(exports, modules)


def _gpu(executable_format: str) -> Callable[[Table], Contents]:
    def read(root: Table) -> Contents:
        exports = tuple(
            Export(
                row.text(1), row.number(0), row.struct(2, "<III"), _bindings(row, 5), 4 * row.number(4), row.number(3) or None
            )
            for row in root.tables(0)
        )
        return Contents(exports, tuple(Image.of(executable_format, row, 0) for row in root.tables(1)))

    return read


def _gpu_2023(executable_format: str) -> Callable[[Table], Contents]:
    def read(root: Table) -> Contents:
        sizes = root.numbers(1, "<III")
        shared = [size for (size,) in root.numbers(2, "<I")]
        exports = tuple(
            Export(
                text,
                0,
                sizes[at] if at < len(sizes) else None,
                local_memory=(shared[at] or None) if at < len(shared) else None,
            )
            for at, text in enumerate(root.texts(0))
        )
        return Contents(exports, (Image.of(executable_format, root, 3),))

    return read


def _amdgpu(root: Table) -> Contents:
    """`isa` became the first field in 2025; before, the exports were."""
    isa = bytes(root.bytes(0)[:64])
    first = 1 if root.has(2) and isa[:3] in (b"gfx", b"amd") else 0
    exports = tuple(
        Export(row.text(0), 0, row.struct(1, "<III"), _bindings(row, 3), 4 * row.number(2)) for row in root.tables(first)
    )
    target = root.text(0) if first else None
    details = (("target", target),) if target is not None else ()
    return Contents(exports, tuple(Image.of("hsaco", row, 0) for row in root.tables(first + 1)), details, target=target)


def _metal(root: Table) -> Contents:
    exports = tuple(
        Export(row.text(1), row.number(0), row.struct(3, "<III"), _bindings(row, 6), 4 * row.number(5))
        for row in root.tables(0)
    )
    modules: list[Image] = []
    details: list[tuple[str, str]] = []
    versions: list[Version] = []
    for row in root.tables(1):
        source = row.table(0)
        if source is not None:
            version = source.number(0)
            versions.append(Version(version >> 16, version & 0xFFFF))
            details.append(("Metal language version", f"{version >> 16}.{version & 0xFFFF}"))
        library = row.bytes(1)
        modules.append(Image.of("metallib", row, 1) if len(library) or source is None else Image.of("msl", source, 1))
    return Contents(exports, tuple(modules), tuple(details), max(versions, default=None))


def _metal_2023(root: Table) -> Contents:
    """One library for all entry points, or one source for each."""
    sizes = root.numbers(1, "<III")
    library = root.bytes(2)
    sources = tuple(row.encode() for row in root.texts(3))
    exports = tuple(
        Export(text, 0 if len(library) else at, sizes[at] if at < len(sizes) else None) for at, text in enumerate(root.texts(0))
    )
    modules = (Image.of("metallib", root, 2),) if len(library) else tuple(Image("msl", memoryview(row)) for row in sources)
    return Contents(exports, modules)


def _webgpu(root: Table) -> Contents:
    exports = tuple(
        Export(row.text(1), row.number(0), row.struct(2, "<III"), _bindings(row, 4), 4 * row.number(3))
        for row in root.tables(0)
    )
    return Contents(exports, tuple(Image.of("wgsl", row, 0) for row in root.tables(1)))


_SCHEMAS: dict[str, Callable[[Table], Contents]] = {
    "VKE1": _vulkan,
    "SPVE": _spirv_2023,
    "CDA1": _gpu("ptx"),
    "HIP1": _gpu("hsaco"),
    "CUDA": _gpu_2023("ptx"),
    "HIPE": _gpu_2023("hsaco"),
    "ROCM": _gpu_2023("hsaco"),
    "AMD1": _amdgpu,
    "MTL1": _metal,
    "MTLE": _metal_2023,
    "WGS1": _webgpu,
}
