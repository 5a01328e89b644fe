"""The manifest, `targetenv.json`: plain JSON <-> `Package`; checked by hand, as pydantic costs more than a whole cold run."""

from __future__ import annotations

import json
import re
from binascii import crc32

from targetenv.model import document
from targetenv.model.requirement import AllOf, AnyOf, Not, Relation
from targetenv.wire.archive import refusal
from targetenv.wire.extent import Extent
from targetenv.wire.package import ACCESSES, DTYPES, MANIFEST, SCHEMA, Binding, Constant, Package, PackagedKernel, Variant

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any, TypeVar

    from targetenv.model.requirement import Requirement
    from targetenv.wire.archive import Member

    T = TypeVar("T")

MAX_BYTES = 64 << 20
MAX_DEPTH = 16  # of requirements inside requirements
_DIGEST = re.compile(r"[0-9a-f]{64}")
_MATRIX = {"m": int, "n": int, "k": int, "a": str, "b": str, "c": str, "result": str, "scope": str, "saturating": bool}
_REQUIREMENTS: dict[str, dict[str, type]] = {
    "format": {"name": str},
    "version": {"of": str, "version": str},
    "isa": {"name": str},
    "extension": {"name": str},
    "capability": {"name": str},
    "feature": {"name": str},
    "limit": {"name": str, "relation": str, "value": object},
    "subgroup-size": {"size": int},
    "matrix": _MATRIX,
    "unknown": {"what": str},
}
_RELATIONS = frozenset(relation.value for relation in Relation)


class _Misfit(ValueError):
    """The manifest does not fit the schema; the text says where and how."""


def write_manifest(package: Package) -> bytes:
    """The manifest's bytes; equal packages give equal bytes.

    >>> write_manifest(Package("p", "1", (), ()))[:36]
    b'{\\n "schema": 1,\\n "package": {\\n  "nam'
    """
    return (json.dumps(to_document(package), indent=1, ensure_ascii=True) + "\n").encode("ascii")


def to_document(package: Package) -> dict[str, object]:
    """The package as the JSON document that the file holds."""
    return {
        "schema": SCHEMA,
        "package": {"name": package.name, "version": package.version},
        "kernels": [_kernel_document(kernel) for kernel in package.kernels],
        "variants": [_variant_document(variant) for variant in package.variants],
    }


def read_manifest(view: memoryview, members: Mapping[str, Member], *, name: str) -> Package:
    """The package that the first member describes; each payload has the size that is claimed for it (TE4406 to TE4411)."""
    first = next(iter(members.values()), None)
    if first is None or first.name != MANIFEST:
        raise refusal("TE4403", f"the first member is not `{MANIFEST}`", name, "build one with `targetenv build`")
    if first.size > MAX_BYTES:
        raise refusal("TE4406", f"`{MANIFEST}` claims {first.size} bytes; at most {MAX_BYTES} are read", name)
    raw = bytes(view[first.offset : first.offset + first.size])
    if crc32(raw) != first.crc:
        raise refusal("TE4403", f"`{MANIFEST}` is damaged: its checksum does not fit", name, "copy or build it again")
    package = from_document(load_json(raw, name), name=name)
    for variant in package.variants:
        _check_payload(variant, members, name)
    spare = members.keys() - {variant.member for variant in package.variants} - {MANIFEST}
    if spare:
        raise refusal("TE4403", f"no variant uses member `{min(spare)}`", name)
    return package


def load_json(raw: bytes, name: str) -> object:
    """The JSON value in `raw`, or TE4407: also for duplicate keys, NaN, absurd numbers and absurd nesting."""
    try:
        return json.loads(raw.decode("utf-8"), object_pairs_hook=_unique, parse_constant=_no_constant)
    except RecursionError:
        reason = "it is nested too deeply"
    except UnicodeDecodeError:
        reason = "it is not UTF-8"
    except ValueError as error:
        reason = str(error)
    raise refusal("TE4407", f"`{MANIFEST}` is not valid JSON: {reason}", name)


def from_document(value: object, *, name: str) -> Package:
    """The package in a JSON value; TE4408 for another schema, TE4409 for what does not fit this one."""
    if isinstance(value, dict) and type(value.get("schema")) is int and value["schema"] != SCHEMA:
        advice = "update targetenv" if value["schema"] > SCHEMA else "build the package again"
        raise refusal("TE4408", f"the package has schema {value['schema']}; this targetenv reads schema {SCHEMA}", name, advice)
    try:
        return _package(value)
    except _Misfit as error:
        raise refusal("TE4409", f"`{MANIFEST}` does not fit the schema: {error}", name) from None


def _package(value: object) -> Package:
    root = _object(value, "", "schema", "package", "kernels", "variants")
    if type(root["schema"]) is not int:
        raise _Misfit("`/schema` must be 1")
    about = _object(root["package"], "/package", "name", "version")
    kernels = tuple(_kernel(row, at) for row, at in _rows(root["kernels"], "/kernels"))
    by_name = {kernel.name: kernel for kernel in kernels}
    if len(by_name) != len(kernels):
        raise _Misfit("two kernels have the same name")
    variants = tuple(_variant(row, at) for row, at in _rows(root["variants"], "/variants"))
    if len({(variant.kernel, variant.name) for variant in variants}) != len(variants):
        raise _Misfit("two variants of one kernel have the same name")
    stray = next((variant for variant in variants if variant.kernel not in by_name), None)
    if stray is not None:
        raise _Misfit(f"variant `{stray.name}` is for kernel `{stray.kernel}`, which is not there")
    return Package(_text(about, "name", "/package"), _text(about, "version", "/package"), kernels, variants)


def _kernel(value: object, at: str) -> PackagedKernel:
    row = _object(value, at, "name", "constants", "bindings", "grid", "open")
    constants = tuple(_constant(entry, where) for entry, where in _rows(row["constants"], f"{at}/constants"))
    bindings = tuple(_binding(entry, where) for entry, where in _rows(row["bindings"], f"{at}/bindings"))
    grid = _optional(row["grid"], lambda entry: _extents(entry, f"{at}/grid"))
    if grid is not None and not 1 <= len(grid) <= 3:
        raise _Misfit(f"`{at}/grid` must have 1 to 3 extents")
    names = [constant.name for constant in constants] + [binding.name for binding in bindings]
    if len(set(names)) != len(names):
        raise _Misfit(f"two parameters in `{at}` have the same name")
    known = {binding.name for binding in bindings}
    of_bindings = [size for binding in bindings for size in binding.shape or ()]
    for size in (*(constant.value for constant in constants), *(grid or ()), *of_bindings):
        if size is not None and Extent.parse(size).name not in (None, *known):
            raise _Misfit(f"`{size}` in `{at}` names no binding")
    if not isinstance(row["open"], bool):
        raise _Misfit(f"`{at}/open` must be true or false")
    return PackagedKernel(_text(row, "name", at), constants, bindings, grid, row["open"])


def _constant(value: object, at: str) -> Constant:
    row = _object(value, at, "name", "dtype", "value")
    return Constant(_text(row, "name", at), _dtype(row["dtype"], at), _optional(row["value"], lambda entry: _extent(entry, at)))


def _binding(value: object, at: str) -> Binding:
    row = _object(value, at, "name", "dtype", "access", "shape")
    if row["access"] not in ACCESSES:
        raise _Misfit(f"`{at}/access` must be one of {', '.join(ACCESSES)}")
    shape = _optional(row["shape"], lambda entry: _extents(entry, f"{at}/shape"))
    return Binding(_text(row, "name", at), _dtype(row["dtype"], at), row["access"], shape)


def _variant(value: object, at: str) -> Variant:
    row = _object(
        value, at, "name", "kernel", "format", "entry_point", "target", "requires", "preference",
        "workgroup_size", "subgroup_size", "local_memory", "tile", "payload",
    )  # fmt: skip
    payload = _object(row["payload"], f"{at}/payload", "member", "size", "sha256")
    digest = _text(payload, "sha256", f"{at}/payload")
    if _DIGEST.fullmatch(digest) is None:
        raise _Misfit(f"`{at}/payload/sha256` is not a SHA-256 in hexadecimal")
    return Variant(
        name=_text(row, "name", at),
        kernel=_text(row, "kernel", at),
        format=_text(row, "format", at),
        entry_point=_text(row, "entry_point", at),
        member=_text(payload, "member", f"{at}/payload"),
        size=_integer(payload["size"], f"{at}/payload/size"),
        sha256=digest,
        requires=tuple(_requirement(entry, where) for entry, where in _rows(row["requires"], f"{at}/requires")),
        target=tuple(_string(entry, where) for entry, where in _rows(row["target"], f"{at}/target")),
        preference=_integer(row["preference"], f"{at}/preference", least=-(1 << 31)),
        workgroup_size=_optional(row["workgroup_size"], lambda entry: _three(entry, f"{at}/workgroup_size")),
        subgroup_size=_optional(row["subgroup_size"], lambda entry: _integer(entry, f"{at}/subgroup_size", least=1)),
        local_memory=_optional(row["local_memory"], lambda entry: _integer(entry, f"{at}/local_memory")),
        tile=_optional(row["tile"], lambda entry: _three(entry, f"{at}/tile")),
    )


def _requirement(value: object, at: str, depth: int = 0) -> Requirement:
    kind = value.get("needs") if isinstance(value, dict) else None
    if kind in ("all", "any", "not"):
        return _compound(value, at, kind, depth)
    if not isinstance(value, dict) or not isinstance(kind, str) or kind not in _REQUIREMENTS:
        raise _Misfit(f"`{at}` is not a requirement that this targetenv knows")
    fields = _REQUIREMENTS[value["needs"]]
    row = _object(value, at, "needs", *fields)
    for key, kind in fields.items():
        if kind is not object and type(row[key]) is not kind:
            raise _Misfit(f"`{at}/{key}` must be of type {kind.__name__}")
    if value["needs"] == "limit":
        parts = row["value"] if isinstance(row["value"], list) else [row["value"]]
        if row["relation"] not in _RELATIONS or not parts or any(type(part) not in (int, float) for part in parts):
            raise _Misfit(f"`{at}` is not a limit with a relation and a number")
    try:
        return document.to_requirement(row)
    except ValueError as error:
        raise _Misfit(f"`{at}`: {error}") from None


def _compound(value: object, at: str, kind: str, depth: int) -> Requirement:
    """`all` and `any` of several requirements, `not` of one; nested at most `MAX_DEPTH` deep."""
    if depth == MAX_DEPTH:
        raise _Misfit(f"`{at}` is nested more than {MAX_DEPTH} deep")
    inside = _object(value, at, "needs", "of")["of"]
    if kind == "not":
        return Not(_requirement(inside, f"{at}/of", depth + 1))
    parts = tuple(_requirement(entry, where, depth + 1) for entry, where in _rows(inside, f"{at}/of"))
    return AllOf(parts) if kind == "all" else AnyOf(parts)


def _check_payload(variant: Variant, members: Mapping[str, Member], name: str) -> None:
    member = members.get(variant.member)
    if member is None or member.name == MANIFEST:
        raise refusal("TE4411", f"variant `{variant.name}` has its payload in `{variant.member}`, which is not there", name)
    if member.size != variant.size:
        raise refusal(
            "TE4411", f"the payload of variant `{variant.name}` has {member.size} bytes, the manifest says {variant.size}", name
        )


def _object(value: object, at: str, *keys: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise _Misfit(f"`{at or '/'}` must be an object")
    if value.keys() != set(keys):
        missing, unknown = sorted(set(keys) - value.keys()), sorted(value.keys() - set(keys))
        raise _Misfit(f"`{at}/{missing[0]}` is missing" if missing else f"`{at}/{unknown[0]}` is not a key of schema {SCHEMA}")
    return value


def _rows(value: object, at: str) -> list[tuple[object, str]]:
    if not isinstance(value, list):
        raise _Misfit(f"`{at}` must be an array")
    return [(entry, f"{at}/{index}") for index, entry in enumerate(value)]


def _optional(value: object, read: Callable[[object], T]) -> T | None:
    return None if value is None else read(value)


def _text(row: dict[str, Any], key: str, at: str) -> str:
    return _string(row[key], f"{at}/{key}")


def _string(value: object, at: str) -> str:
    if not isinstance(value, str) or not value or len(value) > 4096:
        raise _Misfit(f"`{at}` must be a text of 1 to 4096 characters")
    return value


def _integer(value: object, at: str, *, least: int = 0) -> int:
    if type(value) is not int or not least <= value < 1 << 63:
        raise _Misfit(f"`{at}` must be an integer not below {least}")
    return value


def _three(value: object, at: str) -> tuple[int, int, int]:
    rows = _rows(value, at)
    if len(rows) != 3:
        raise _Misfit(f"`{at}` must have three numbers")
    x, y, z = (_integer(entry, where, least=1) for entry, where in rows)
    return x, y, z


def _dtype(value: object, at: str) -> str | None:
    if value is not None and value not in DTYPES:
        raise _Misfit(f"`{at}/dtype` must be null or one of {', '.join(DTYPES)}")
    return value


def _extent(value: object, at: str) -> str | int:
    if type(value) not in (str, int):
        raise _Misfit(f"`{at}` must be an integer or a text")
    try:
        Extent.parse(value)  # type: ignore[arg-type]  # str or int
    except ValueError as error:
        raise _Misfit(f"`{at}`: {error}") from None
    return value  # type: ignore[return-value]  # str or int


def _extents(value: object, at: str) -> tuple[str | int, ...]:
    return tuple(_extent(entry, where) for entry, where in _rows(value, at))


def _unique(pairs: list[tuple[str, object]]) -> dict[str, object]:
    made = dict(pairs)
    if len(made) != len(pairs):
        raise ValueError("a key appears twice in one object")
    return made


def _no_constant(text: str) -> object:
    raise ValueError(f"`{text}` is not a JSON number")


def _kernel_document(kernel: PackagedKernel) -> dict[str, object]:
    return {
        "name": kernel.name,
        "constants": [{"name": row.name, "dtype": row.dtype, "value": row.value} for row in kernel.constants],
        "bindings": [
            {"name": row.name, "dtype": row.dtype, "access": row.access, "shape": _list(row.shape)} for row in kernel.bindings
        ],
        "grid": _list(kernel.grid),
        "open": kernel.open,
    }


def _variant_document(variant: Variant) -> dict[str, object]:
    return {
        "name": variant.name,
        "kernel": variant.kernel,
        "format": variant.format,
        "entry_point": variant.entry_point,
        "target": list(variant.target),
        "requires": [document.of_requirement(requirement) for requirement in variant.requires],
        "preference": variant.preference,
        "workgroup_size": _list(variant.workgroup_size),
        "subgroup_size": variant.subgroup_size,
        "local_memory": variant.local_memory,
        "tile": _list(variant.tile),
        "payload": {"member": variant.member, "size": variant.size, "sha256": variant.sha256},
    }


def _list(value: tuple[object, ...] | None) -> list[object] | None:
    return None if value is None else list(value)
