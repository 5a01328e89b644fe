"""Cooperative-matrix rows as the dialects write them: attributes of `vk` and `spirv`, dictionaries before 2022-06."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from targetenv.diagnostics.suggest import did_you_mean
from targetenv.model.capabilities import CooperativeMatrix
from targetenv.model.record import record
from targetenv.syntax import value as v
from targetenv.syntax.value import span_of
from targetenv.syntax.value_printer import text_of

if TYPE_CHECKING:
    from targetenv.syntax.complaints import Complaints
    from targetenv.syntax.value import Item, Value

_ELEMENT = re.compile(r"[su]?i[1-9][0-9]*|f(?:16|32|64|80|128)|bf16|tf32|f8E\w+|f6E\w+|f4E\w+|index|none")
_I32 = v.Word(("i32",))
SCOPE_WORDS = {
    "Subgroup": "subgroup",
    "Workgroup": "workgroup",
    "Device": "device",
    "QueueFamily": "queue-family",
    "CrossDevice": "cross-device",
    "Invocation": "invocation",
    "ShaderCallKHR": "shader-call",
}
_WORD_OF_SCOPE = {scope: word for word, scope in SCOPE_WORDS.items()}


@record
class Form:
    """How one dialect writes a row. `attributes` are the names that it takes, the first is the one that it prints.

    `saturating` is the key of that field, empty in the forms of the NV extension, which lack it; `scopes` has their numbers,
    which dictionaries write.
    """

    attributes: tuple[str, ...]
    sizes: tuple[str, str, str]
    types: tuple[str, str, str, str]
    saturating: str
    scope_attribute: str
    scopes: tuple[tuple[str, int], ...]

    @property
    def keys(self) -> tuple[str, ...]:
        """Every key, in the order in which they are printed."""
        return (*self.sizes, *self.types, *((self.saturating,) if self.saturating else ()), "scope")


_VK_SIZES, _VK_TYPES = ("mSize", "nSize", "kSize"), ("aType", "bType", "cType", "resultType")
_VK_SCOPES = (("Device", 1), ("Workgroup", 2), ("Subgroup", 3), ("QueueFamily", 5))  # VkScopeKHR
VK_KHR = Form(("vk.coop_matrix_props",), _VK_SIZES, _VK_TYPES, "accSat", "vk.scope", _VK_SCOPES)
VK_NV = Form(("vk.coop_matrix_props",), _VK_SIZES, _VK_TYPES, "", "vk.scope", _VK_SCOPES)
_SPIRV_SIZES, _SPIRV_TYPES = ("m_size", "n_size", "k_size"), ("a_type", "b_type", "c_type", "result_type")
_SPIRV_SCOPES = (
    *(("CrossDevice", 0), ("Device", 1), ("Workgroup", 2), ("Subgroup", 3), ("Invocation", 4)),
    *(("QueueFamily", 5), ("ShaderCallKHR", 6)),
)
SPIRV_KHR = Form(("spirv.coop_matrix_props_khr",), _SPIRV_SIZES, _SPIRV_TYPES, "acc_sat", "spirv.scope", _SPIRV_SCOPES)
SPIRV_NV = Form(
    ("spirv.coop_matrix_props_nv", "spirv.coop_matrix_props", "spv.coop_matrix_props"),
    *(_SPIRV_SIZES, _SPIRV_TYPES, "", "spirv.scope", _SPIRV_SCOPES),
)


@record
class MatrixRow:
    """One row as written; `saturating` is None in the NV forms."""

    sizes: tuple[int, int, int]
    types: tuple[str, str, str, str]
    saturating: bool | None
    scope: str

    def to_model(self) -> CooperativeMatrix:
        """The noun."""
        return CooperativeMatrix(*self.sizes, *self.types, scope=SCOPE_WORDS[self.scope], saturating=bool(self.saturating))


def of_model(row: CooperativeMatrix, form: Form) -> MatrixRow:
    """The row that says a noun in a form."""
    sizes, types = (row.m, row.n, row.k), (row.a, row.b, row.c, row.result)
    return MatrixRow(sizes, types, row.saturating if form.saturating else None, _WORD_OF_SCOPE[row.scope])


def read(form: Form, array: v.Array, complaints: Complaints, *, struct: bool, lenient: bool) -> tuple[MatrixRow, ...] | v.Array:
    """The rows of an array.

    `lenient` reads as MLIR does: any type as an element type, numbers as booleans, negative sizes as large ones, and an array
    that holds other attributes as it stands.
    """
    rows = []
    for element in array.items:
        parameters = _parameters(form, element, struct=struct)
        if parameters is None:
            if lenient and not (isinstance(element, v.Attribute) and "coop_matrix_props" in element.name):
                return array
            written = (
                f"`#{form.attributes[0]}<{form.sizes[0]} = 16, ...>`" if struct else f"`{{{form.sizes[0]} = 16 : i32, ...}}`"
            )
            complaints.error("TE1205", f"expected {written}", span_of(element), help="list one row for each supported shape")
            continue
        row = _row(form, parameters, element, complaints, struct=struct, lenient=lenient)
        if row is not None:
            rows.append(row)
    return tuple(rows)


def parameter(form: Form, row: MatrixRow, *, attribute: str = "") -> v.Attribute:
    """The row as an attribute, named otherwise than the form's own first name where `attribute` says so."""
    body: list[Item] = [v.Entry(key, v.Integer(size)) for key, size in zip(form.sizes, row.sizes, strict=True)]
    body += [v.Entry(key, v.Word((type_,))) for key, type_ in zip(form.types, row.types, strict=True)]
    if form.saturating and row.saturating is not None:
        body.append(v.Entry(form.saturating, v.Word(("true" if row.saturating else "false",))))
    body.append(v.Entry("scope", v.Short((v.Word((row.scope,)),))))
    return v.Attribute(attribute or form.attributes[0], tuple(body))


def dictionary(form: Form, row: MatrixRow) -> v.Dictionary:
    """The row as the dictionaries of 2020 had it."""
    entries = [v.Entry(key, v.Integer(size, _I32)) for key, size in zip(form.sizes, row.sizes, strict=True)]
    entries += [v.Entry(key, v.Word((type_,))) for key, type_ in zip(form.types, row.types, strict=True)]
    entries.append(v.Entry("scope", v.Integer(dict(form.scopes)[row.scope], _I32)))
    if form.saturating and row.saturating is not None:
        entries.append(v.Entry(form.saturating, v.Word(("true" if row.saturating else "false",))))
    return v.Dictionary(tuple(entries))


def _parameters(form: Form, element: Value, *, struct: bool) -> tuple[Item, ...] | None:
    if struct and isinstance(element, v.Attribute) and element.name in form.attributes and element.type is None:
        return element.body
    if not struct and isinstance(element, v.Dictionary):
        return element.entries
    return None


def _row(
    form: Form, parameters: tuple[Item, ...], element: Value, complaints: Complaints, *, struct: bool, lenient: bool
) -> MatrixRow | None:
    found: dict[str, object] = {}
    ok = True
    for entry in parameters:
        if not isinstance(entry, v.Entry) or entry.value is None:
            complaints.error("TE1002", "expected `key = value`", span_of(entry))
            ok = False
            continue
        span = entry._key_span
        if entry.key not in form.keys:
            help_ = did_you_mean(entry.key, form.keys)
            complaints.error("TE1204", f"unknown key `{entry.key}` in a cooperative-matrix row", span, help=help_)
            ok = False
        elif entry.key in found:
            complaints.error("TE1208", f"`{entry.key}` is given twice", span, help="remove one")
            ok = False
        else:
            value = _field(form, entry.key, entry.value, complaints, struct=struct, lenient=lenient)
            found[entry.key] = value
            ok = ok and value is not None
    missing = [key for key in form.keys if key not in found]
    if missing and ok:
        names = ", ".join(f"`{key}`" for key in missing)
        complaints.error("TE1207", f"a cooperative-matrix row lacks {names}", span_of(element))
    if missing or not ok:
        return None
    m, n, k = (_int(found[key]) for key in form.sizes)
    a, b, c, result = (str(found[key]) for key in form.types)
    saturating = bool(found[form.saturating]) if form.saturating else None
    return MatrixRow((m, n, k), (a, b, c, result), saturating, str(found["scope"]))


def _int(value: object) -> int:
    return value if isinstance(value, int) else 0


def _field(form: Form, key: str, value: Value, complaints: Complaints, *, struct: bool, lenient: bool) -> object:
    """The value of one field, None after a complaint."""
    span = span_of(value)
    if key in form.sizes:
        plain = isinstance(value, v.Integer) and (value.type is None if struct else value.type == _I32)
        if isinstance(value, v.Integer) and plain and -(1 << 31 if lenient else 0) <= value.value < 1 << 32:
            return value.value & 0xFFFFFFFF
        help_ = "write `16`" if struct else "write `16 : i32`"
        complaints.error("TE1205", f"`{key}` takes a positive integer", span, help=help_)
    elif key in form.types:
        if isinstance(value, v.Word) and _ELEMENT.fullmatch(value.text):
            return value.text
        if lenient and isinstance(value, v.Shaped | v.Opaque):
            return text_of(value)
        complaints.error("TE1205", f"`{key}` takes an element type", span, help="write `f16`, `f32`, `i8`, `ui8` or another")
    elif key == form.saturating:
        if isinstance(value, v.Word) and value.text in ("true", "false"):
            return value.text == "true"
        if lenient and isinstance(value, v.Integer) and value.type is None:
            return value.value != 0
        complaints.error("TE1205", f"`{key}` takes `true` or `false`", span)
    else:
        return _scope(form, value, complaints, struct=struct)
    return None


def _scope(form: Form, value: Value, complaints: Complaints, *, struct: bool) -> str | None:
    word = value
    known = dict(form.scopes)
    if struct and isinstance(value, v.Short) and len(value.body) == 1 and isinstance(value.body[0], v.Word):
        word = value.body[0]
    elif struct and isinstance(value, v.Attribute) and value.name == form.scope_attribute and len(value.body or ()) == 1:
        word = next((item for item in value.body or () if isinstance(item, v.Word)), value)
    elif not struct and isinstance(value, v.Integer) and value.type == _I32:
        for name, number in known.items():
            if number == value.value:
                return name
    if word is not value and isinstance(word, v.Word):
        if word.text in known:
            return word.text
        help_ = did_you_mean(word.text, known) or f"write one of {', '.join(f'`{each}`' for each in known)}"
        complaints.error("TE1212", f"unknown scope `{word.text}`", span_of(word), help=help_)
        return None
    written = "`<Subgroup>`" if struct else "`3 : i32`"
    complaints.error("TE1205", "`scope` takes a scope", span_of(value), help=f"write {written}")
    return None
