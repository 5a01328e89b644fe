"""Cooperative-matrix rows inside `#vk.target_env`: `#vk.coop_matrix_props<...>` of era C, dictionaries of era B."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from targetenv.diagnostics.suggest import did_you_mean
from targetenv.model.record import record
from targetenv.syntax import value as v
from targetenv.syntax import vk_names
from targetenv.syntax.value import span_of

if TYPE_CHECKING:
    from targetenv.syntax.complaints import Complaints
    from targetenv.syntax.value import Item, Value

SIZES = ("mSize", "nSize", "kSize")
TYPES = ("aType", "bType", "cType", "resultType")
_ELEMENT = re.compile(
    r"[su]?i(?:8|16|32|64)|f(?:16|32|64)|bf16|tf32|f(?:8E5M2|8E4M3FN|8E5M2FNUZ|8E4M3FNUZ|8E4M3B11FNUZ|8E4M3|4E2M1FN)"
)
_ANY_TYPE = re.compile(r"[su]?i[1-9][0-9]*|f(?:16|32|64|80|128)|bf16|tf32|f8E\w+|f6E\w+|f4E\w+|index|none")


@record
class VkMatrix:
    """One row; `saturating` is None in the NV form, which has no such field."""

    sizes: tuple[int, int, int]
    types: tuple[str, str, str, str]
    saturating: bool | None
    scope: str


def read_matrices(
    key: str, array: v.Array, complaints: Complaints, release: vk_names.Release | None, *, struct: bool
) -> tuple[VkMatrix, ...] | v.Array:
    """The rows of an array; releases of IREE take other attributes as elements too, and then the array stays as written."""
    khr = key.endswith("KHR")
    rows = []
    for element in array.items:
        entries = _parameters(element, struct=struct)
        if entries is None:
            if release is not None and not (isinstance(element, v.Attribute) and element.name == "vk.coop_matrix_props"):
                return array
            form = "`#vk.coop_matrix_props<mSize = 16, ...>`" if struct else "`{mSize = 16 : i32, ...}`"
            complaints.error("TE1205", f"expected {form}", span_of(element), help="list one row for each supported shape")
            continue
        row = _row(entries, element, complaints, khr=khr, struct=struct)
        if row is not None:
            rows.append(row)
    return tuple(rows)


def _parameters(element: Value, *, struct: bool) -> tuple[Item, ...] | None:
    if struct and isinstance(element, v.Attribute) and element.name == "vk.coop_matrix_props" and element.type is None:
        return element.body
    if not struct and isinstance(element, v.Dictionary):
        return element.entries
    return None


def _row(entries: tuple[Item, ...], element: Value, complaints: Complaints, *, khr: bool, struct: bool) -> VkMatrix | None:
    expected = (*SIZES, *TYPES, *(("accSat",) if khr else ()), "scope")
    found: dict[str, object] = {}
    ok = True
    for entry in entries:
        if not isinstance(entry, v.Entry) or entry.value is None:
            complaints.error("TE1002", "expected `key = value`", span_of(entry))
            ok = False
            continue
        span = entry._key_span
        if entry.key not in expected:
            help_ = did_you_mean(entry.key, expected)
            complaints.error("TE1204", f"unknown key `{entry.key}` in a cooperative-matrix row", span, help=help_)
            ok = False
        elif entry.key in found:
            complaints.error("TE1208", f"`{entry.key}` is given twice", span, help="remove one")
            ok = False
        else:
            value = _field(entry.key, entry.value, complaints, struct=struct)
            found[entry.key] = value
            ok = ok and value is not None
    missing = [key for key in expected if key not in found]
    if missing and ok:
        names = ", ".join(f"`{key}`" for key in missing)
        complaints.error("TE1207", f"a cooperative-matrix row lacks {names}", span_of(element))
    if missing or not ok:
        return None
    m, n, k = (_int(found[key]) for key in SIZES)
    a, b, c, result = (str(found[key]) for key in TYPES)
    return VkMatrix((m, n, k), (a, b, c, result), bool(found["accSat"]) if khr else None, str(found["scope"]))


def _int(value: object) -> int:
    return value if isinstance(value, int) else 0


def _field(key: str, value: Value, complaints: Complaints, *, struct: bool) -> object:
    """The value of one field, None after a complaint."""
    span = span_of(value)
    if key in SIZES:
        plain = isinstance(value, v.Integer) and (value.type is None if struct else value.type == v.Word(("i32",)))
        if isinstance(value, v.Integer) and plain and 0 <= value.value < 1 << 32:
            return value.value
        complaints.error(
            "TE1205", f"`{key}` takes a positive integer", span, help="write `16`" if struct else "write `16 : i32`"
        )
    elif key in TYPES:
        if isinstance(value, v.Word) and _ANY_TYPE.fullmatch(value.text):
            return value.text
        complaints.error(
            "TE1205", f"`{key}` takes an element type", span, help="write a type such as `f16`, `f32`, `i8`, `ui8`"
        )
    elif key == "accSat":
        if isinstance(value, v.Word) and value.text in ("true", "false"):
            return value.text == "true"
        complaints.error("TE1205", "`accSat` takes `true` or `false`", span)
    else:
        return _scope(value, complaints, struct=struct)
    return None


def _scope(value: Value, complaints: Complaints, *, struct: bool) -> str | None:
    word = value
    if struct and isinstance(value, v.Short) and len(value.body) == 1 and isinstance(value.body[0], v.Word):
        word = value.body[0]
    elif struct and isinstance(value, v.Attribute) and value.name == "vk.scope" and value.body and len(value.body) == 1:
        word = value.body[0] if isinstance(value.body[0], v.Word) else value
    elif not struct and isinstance(value, v.Integer) and value.type == v.Word(("i32",)):
        for name, number in vk_names.SCOPES.items():
            if number == value.value:
                return name
    if word is not value and isinstance(word, v.Word):
        if word.text in vk_names.SCOPES:
            return word.text
        help_ = did_you_mean(word.text, vk_names.SCOPES) or f"write one of {', '.join(f'`{each}`' for each in vk_names.SCOPES)}"
        complaints.error("TE1212", f"unknown scope `{word.text}`", span_of(word), help=help_)
        return None
    form = "`<Subgroup>`" if struct else "`3 : i32`"
    complaints.error("TE1205", "`scope` takes a scope", span_of(value), help=f"write {form}")
    return None
