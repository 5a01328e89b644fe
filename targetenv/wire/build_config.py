"""`targetenv.toml`, the build config: kernels, their interface, and how each variant is built. Read, checked, frozen."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import AfterValidator, Discriminator, Field, StringConstraints, Tag, ValidationError

from targetenv.diagnostics.diagnostic import Diagnostic, FormatError, Label, Source
from targetenv.diagnostics.suggest import did_you_mean
from targetenv.model.record import record
from targetenv.model.requirement import Relation
from targetenv.registry import vulkan
from targetenv.wire import toml_places
from targetenv.wire.extent import Extent
from targetenv.wire.files import read_bytes
from targetenv.wire.package import Binding, Constant, PackagedKernel
from targetenv.wire.validation import BRANCH, Strict, problems

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from targetenv.model.span import Span

    Location = tuple[str | int, ...]

LARGEST = 4 << 20
_CODES = {"unknown": "TE4502", "missing": "TE4503", "value": "TE4504"}


@record
class VariantConfig:
    """How one variant is built: `source` is a path, `target` what its toolchain is told, `options` what it is told besides.

    `require` are constraints that a device must meet beyond what the bytes say.
    """

    name: str
    source: str
    toolchain: str
    target: tuple[str, ...] = ()
    options: tuple[str, ...] = ()
    entry_point: str | None = None
    tile: tuple[int, int, int] | None = None
    subgroup_size: int | None = None
    preference: int = 0
    require: tuple[str, ...] = ()
    _place: Span | None = None


@record
class KernelConfig:
    """One kernel's interface and its variants."""

    kernel: PackagedKernel
    variants: tuple[VariantConfig, ...]


@record
class BuildConfig:
    """A whole `targetenv.toml`; `source` is its text, to point at, and paths are relative to `folder`."""

    name: str
    version: str
    kernels: tuple[KernelConfig, ...]
    folder: str
    source: Source


def _extent(value: object) -> object:
    if type(value) not in (str, int):
        raise ValueError("expected an integer, `NAME.size` or `NAME.shape[I]`")
    Extent.parse(value)  # type: ignore[arg-type]  # a text or an integer
    return value


Name = Annotated[str, StringConstraints(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$", max_length=128)]
Label_ = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_][A-Za-z0-9_.+@-]*$", max_length=128)]
Text = Annotated[str, StringConstraints(pattern=r"^[^\x00-\x1f\x7f]+$", max_length=4096)]
ExtentValue = Annotated[Any, AfterValidator(_extent)]
Extents = Annotated[list[ExtentValue], Field(min_length=1, max_length=3)]
DType = Literal["f16", "bf16", "f32", "f64", "i8", "u8", "i16", "u16", "i32", "u32", "i64", "u64"]
Size = Annotated[int, Field(ge=1, le=(1 << 31) - 1)]


def _target(value: object) -> object:
    entries = value if isinstance(value, list) else [value]
    if not entries or any(not isinstance(entry, str) or not entry for entry in entries):
        raise ValueError("expected a target, a list of targets, or a table with `base`, `require`, `forbid`, `limits`")
    return value


def _required(table: TargetTable) -> tuple[str, ...]:
    """The table's demands as constraints; a limit is compared as the registry says that it is."""
    texts = list(table.require)
    texts += [f"not ({name})" for name in table.forbid]
    for name, value in table.limits.items():
        texts.append(f"{name} {_operator(name)} {value}")
    return tuple(texts)


def _operator(limit: str) -> str:
    found = vulkan.find_property(limit.rpartition("::")[2])
    relation = vulkan.relation(found[0]) if found else None
    if limit == "subgroupSize" or relation is Relation.EXACTLY:
        return "=="
    return "<=" if relation is Relation.AT_MOST else ">="


class PackageTable(Strict):
    """`[package]`."""

    name: Label_
    version: Text


class ConstantTable(Strict):
    """An entry of `constants`."""

    name: Name
    dtype: DType
    value: ExtentValue | None = None


class BindingTable(Strict):
    """An entry of `bindings`."""

    name: Name
    dtype: DType
    access: Literal["read", "write", "readwrite"]
    shape: Annotated[list[ExtentValue], Field(max_length=8)] | None = None


_AS_TABLE, _AS_TEXT = f"{BRANCH}table", f"{BRANCH}text"


class TargetTable(Strict):
    """`target` as a table: what the toolchain is told, and constraints on the device that the bytes do not show."""

    base: Annotated[Any, AfterValidator(_target)]
    require: list[Text] = []
    forbid: list[Text] = []
    limits: dict[Text, int | list[int] | Text] = {}


class VariantTable(Strict):
    """`[[kernel.variant]]`."""

    name: Label_
    source: Text
    toolchain: Text
    target: Annotated[
        Annotated[TargetTable, Tag(_AS_TABLE)] | Annotated[Any, AfterValidator(_target), Tag(_AS_TEXT)],
        Discriminator(lambda value: _AS_TABLE if isinstance(value, dict | TargetTable) else _AS_TEXT),
    ] = None
    tile: Annotated[list[Size], Field(min_length=1, max_length=3)] | None = None
    entry_point: Text | None = None
    subgroup_size: Annotated[int, Field(ge=1, le=128)] | None = None
    preference: Annotated[int, Field(ge=-1000, le=1000)] = 0
    options: list[Text] = []


class KernelTable(Strict):
    """`[[kernel]]`."""

    name: Name
    constants: list[ConstantTable] = []
    bindings: list[BindingTable] = []
    grid: Extents
    variant: Annotated[list[VariantTable], Field(min_length=1)]


class ConfigFile(Strict):
    """The whole file."""

    package: PackageTable
    kernel: Annotated[list[KernelTable], Field(min_length=1)]


def read_config(path: str, *, toolchains: Collection[str]) -> BuildConfig:
    """The config at `path`; everything that is wrong with it at once (TE4301, TE45xx), each with its place.

    `toolchains` are the names that a variant may ask for.
    """
    data = read_bytes(path, largest=LARGEST)
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        raise FormatError(Diagnostic("TE4501", "not valid TOML: the file is not UTF-8 text", Source(path, ""))) from None
    return parse_config(text, name=path, folder=str(Path(path).parent), toolchains=toolchains)


def parse_config(text: str, *, name: str, folder: str, toolchains: Collection[str]) -> BuildConfig:
    """The same for a text; sources are looked for in `folder`."""
    source = Source(name, text)
    value = _load(source)
    try:
        file = ConfigFile.model_validate(value)
    except ValidationError as error:
        found = problems(error, ConfigFile)
        raise FormatError(*(_pointed(source, _CODES[row.kind], row.location, row.message, row.help) for row in found)) from None
    complaints = tuple(_complaints(file, source, folder, toolchains))
    if complaints:
        raise FormatError(*complaints)
    kernels = tuple(_kernel(table, source, at) for at, table in enumerate(file.kernel))
    return BuildConfig(file.package.name, file.package.version, kernels, folder, source)


def _load(source: Source) -> dict[str, Any]:
    try:
        return tomllib.loads(source.text)
    except RecursionError:
        raise FormatError(Diagnostic("TE4501", "not valid TOML: it is nested too deeply", Source(source.name, ""))) from None
    except ValueError as error:  # TOMLDecodeError; or a ValueError from an integer of thousands of digits
        message, _, place = str(error).partition(" (at ")
        labels = (Label(_place_of(place, source.text)),) if place else ()
        said = f"not valid TOML: {message[:1].lower()}{message[1:200]}".replace("'", "`")
        raise FormatError(Diagnostic("TE4501", said, source if labels else Source(source.name, ""), labels)) from None


def _place_of(place: str, text: str) -> Span:
    from targetenv.model.span import Span

    if not place.startswith("line "):
        return Span(len(text), len(text))
    line, column = (int(part) for part in place.removeprefix("line ").rstrip(")").split(", column "))
    at = sum(len(row) + 1 for row in text.split("\n")[: line - 1]) + column - 1
    return Span(min(at, len(text)), min(at + 1, len(text)))


def _pointed(source: Source, code: str, location: Location, message: str, advice: str = "") -> Diagnostic:
    return Diagnostic(code, message, source, (Label(toml_places.find(source.text, location)),), help=advice)


def _complaints(file: ConfigFile, source: Source, folder: str, toolchains: Collection[str]) -> Iterator[Diagnostic]:
    """What types cannot say: names that clash, extents that name nothing, sources and toolchains that are not there."""
    kernels: set[str] = set()
    for at, kernel in enumerate(file.kernel):
        here: Location = ("kernel", at)
        if kernel.name in kernels:
            yield _pointed(source, "TE4505", (*here, "name"), f"two kernels are called `{kernel.name}`")
        kernels.add(kernel.name)
        yield from _parameter_complaints(kernel, source, here)
        variants: set[str] = set()
        for index, variant in enumerate(kernel.variant):
            where: Location = (*here, "variant", index)
            if variant.name in variants:
                message = f"two variants of kernel `{kernel.name}` are called `{variant.name}`"
                yield _pointed(source, "TE4505", (*where, "name"), message)
            variants.add(variant.name)
            if variant.toolchain not in toolchains:
                advice = did_you_mean(variant.toolchain, toolchains) or f"the toolchains are {', '.join(sorted(toolchains))}"
                yield _pointed(source, "TE4504", (*where, "toolchain"), f"unknown toolchain `{variant.toolchain}`", advice)
            path = Path(folder) / variant.source
            if not path.is_file():
                near = did_you_mean(path.name, [entry.name for entry in path.parent.glob("*")]) if path.parent.is_dir() else ""
                yield _pointed(source, "TE4507", (*where, "source"), f"there is no file `{path}`", near)


def _parameter_complaints(kernel: KernelTable, source: Source, here: Location) -> Iterator[Diagnostic]:
    names: set[str] = set()
    parameters = [("constants", at, row.name) for at, row in enumerate(kernel.constants)]
    parameters += [("bindings", at, row.name) for at, row in enumerate(kernel.bindings)]
    for key, index, name in parameters:
        if name in names:
            message = f"two parameters of kernel `{kernel.name}` are called `{name}`"
            yield _pointed(source, "TE4505", (*here, key, index, "name"), message)
        names.add(name)
    given = {row.name for row in kernel.bindings if row.access != "write" or row.shape is not None}
    inputs = {row.name for row in kernel.bindings if row.access != "write"}
    extents: list[tuple[Location, object, set[str]]] = [
        *(((*here, "grid", index), size, given) for index, size in enumerate(kernel.grid)),
        *(((*here, "constants", at, "value"), row.value, given) for at, row in enumerate(kernel.constants)),
    ]
    for at, row in enumerate(kernel.bindings):
        place = (*here, "bindings", at)
        if row.access == "write" and row.shape is None:
            message = f"binding `{row.name}` is only written, so it needs a `shape`"
            advice = 'add `shape = ["x.shape[0]"]` or what follows from the arguments'
            yield _pointed(source, "TE4503", (*place, "access"), message, advice)
        extents += [((*place, "shape", index), size, inputs) for index, size in enumerate(row.shape or ())]
    for location, size, known in extents:
        of = Extent.parse(size).name if isinstance(size, str) else None
        if of is not None and of not in known:
            advice = did_you_mean(of, known) or (f"the bindings are {', '.join(sorted(known))}" if known else "")
            yield _pointed(source, "TE4506", location, f"`{of}` is no binding whose shape is known here", advice)


def _kernel(table: KernelTable, source: Source, at: int) -> KernelConfig:
    kernel = PackagedKernel(
        table.name,
        tuple(Constant(row.name, row.dtype, row.value) for row in table.constants),
        tuple(Binding(row.name, row.dtype, row.access, _tuple(row.shape)) for row in table.bindings),
        tuple(table.grid),
    )
    variants = tuple(
        VariantConfig(
            row.name,
            row.source,
            row.toolchain,
            _texts(row.target.base if isinstance(row.target, TargetTable) else row.target),
            tuple(row.options),
            row.entry_point,
            _three(row.tile),
            row.subgroup_size,
            row.preference,
            _required(row.target) if isinstance(row.target, TargetTable) else (),
            toml_places.find(source.text, ("kernel", at, "variant", index)),
        )
        for index, row in enumerate(table.variant)
    )
    return KernelConfig(kernel, variants)


def _texts(value: object) -> tuple[str, ...]:
    return tuple(value) if isinstance(value, list) else (str(value),) if value else ()


def _three(sizes: list[int] | None) -> tuple[int, int, int] | None:
    if sizes is None:
        return None
    x, y, z = (*sizes, 1, 1)[:3]
    return x, y, z


def _tuple(rows: list[Any] | None) -> tuple[Any, ...] | None:
    return None if rows is None else tuple(rows)
