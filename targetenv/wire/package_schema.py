"""The manifest's schema as pydantic models: every misfit at once for `inspect`, and the JSON Schema for other people's tools.

`manifest` checks the same thing by hand on the load path; a test holds the two together.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import AfterValidator, Field, StringConstraints, ValidationError

from targetenv.diagnostics.diagnostic import Diagnostic, FormatError, Source
from targetenv.model.version import Version
from targetenv.wire.archive import members
from targetenv.wire.extent import Extent
from targetenv.wire.manifest import load_json
from targetenv.wire.validation import Strict, problems

if TYPE_CHECKING:
    from targetenv.wire.validation import Problem

_SHOWN = 10


def _extent(value: str | int) -> str | int:
    Extent.parse(value)
    return value


def _version(value: str) -> str:
    Version.parse(value)
    return value


Text = Annotated[str, StringConstraints(min_length=1, max_length=4096)]
VersionText = Annotated[str, AfterValidator(_version)]
Count = Annotated[int, Field(ge=0, lt=1 << 63)]
Positive = Annotated[int, Field(ge=1, lt=1 << 63)]
Three = Annotated[list[Positive], Field(min_length=3, max_length=3)]
ExtentValue = Annotated[str | int, AfterValidator(_extent)]
DType = Literal["f16", "bf16", "f32", "f64", "i8", "u8", "i16", "u16", "i32", "u32", "i64", "u64"]


class About(Strict):
    """The package itself."""

    name: Text
    version: Text


class ConstantEntry(Strict):
    """A scalar parameter; `value` is the extent that fills it in, `dtype` null where nobody declared it."""

    name: Text
    dtype: DType | None
    value: ExtentValue | None


class BindingEntry(Strict):
    """A buffer parameter; `shape` in extents."""

    name: Text
    dtype: DType | None
    access: Literal["read", "write", "readwrite"]
    shape: list[ExtentValue] | None


class KernelEntry(Strict):
    """A kernel's interface; `grid` counts elements, and is null where the caller has to say it."""

    name: Text
    constants: list[ConstantEntry]
    bindings: list[BindingEntry]
    grid: Annotated[list[ExtentValue], Field(min_length=1, max_length=3)] | None
    open: bool


class NeedsName(Strict):
    """A requirement that is a name."""

    needs: Literal["format", "isa", "extension", "capability", "feature"]
    name: str


class NeedsVersion(Strict):
    """At least this version."""

    needs: Literal["version"]
    of: str
    version: VersionText


class NeedsLimit(Strict):
    """A limit that stands in a relation to a value."""

    needs: Literal["limit"]
    name: str
    relation: Literal[">=", "<=", "==", "has all bits of", "divides", "contains range"]
    value: int | float | Annotated[list[int | float], Field(min_length=1)]


class NeedsSubgroupSize(Strict):
    """Exactly this subgroup size."""

    needs: Literal["subgroup-size"]
    size: int


class NeedsMatrix(Strict):
    """A cooperative-matrix row."""

    needs: Literal["matrix"]
    m: int
    n: int
    k: int
    a: str
    b: str
    c: str
    result: str
    scope: str
    saturating: bool


class NeedsUnknown(Strict):
    """Something that the executable may need and does not say."""

    needs: Literal["unknown"]
    what: str


class Several(Strict):
    """All of these, or any one of them."""

    needs: Literal["all", "any"]
    of: list[Requirement]


class Negated(Strict):
    """Not this."""

    needs: Literal["not"]
    of: Requirement


Requirement = Annotated[
    NeedsName | NeedsVersion | NeedsLimit | NeedsSubgroupSize | NeedsMatrix | NeedsUnknown | Several | Negated,
    Field(discriminator="needs"),
]
Several.model_rebuild()
Negated.model_rebuild()


class Payload(Strict):
    """Where the executable is, and what it must be."""

    member: Text
    size: Count
    sha256: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]


class VariantEntry(Strict):
    """One executable for one kernel; `tile` is how much of the grid one workgroup covers."""

    name: Text
    kernel: Text
    format: Text
    entry_point: Text
    target: list[Text]
    requires: list[Requirement]
    preference: Annotated[int, Field(ge=-(1 << 31), lt=1 << 63)]
    workgroup_size: Three | None
    subgroup_size: Positive | None
    local_memory: Count | None
    tile: Three | None
    payload: Payload


class ManifestFile(Strict):
    """`targetenv.json`, the first member of a package."""

    schema_version: Annotated[int, Field(ge=1, le=1, alias="schema")]
    package: About
    kernels: list[KernelEntry]
    variants: list[VariantEntry]


def check_manifest(data: bytes, *, name: str) -> None:
    """Raise FormatError (TE4409) with every misfit in the manifest of the package in `data`, if its types are at fault."""
    first = members(data, name=name)[0]
    value = load_json(data[first.offset : first.offset + first.size], name)
    try:
        ManifestFile.model_validate(value)
    except ValidationError as error:
        found = problems(error, ManifestFile)
        raise FormatError(*(_diagnostic(problem, name) for problem in found[:_SHOWN])) from None


def json_schema() -> dict[str, Any]:
    """The JSON Schema of the manifest."""
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **ManifestFile.model_json_schema(by_alias=True)}


def _diagnostic(problem: Problem, name: str) -> Diagnostic:
    where = problem.pointer if problem.kind == "value" else problem.pointer.rpartition("/")[0]
    message = f"the manifest does not fit the schema: {problem.message} at `{where or '/'}`"
    return Diagnostic("TE4409", message, Source(name, ""), help=problem.help)
