"""`#iree_gpu.target<arch = ..., features = ..., wgp = <...>, chip = <...>>` as a record, from its first form in 2024 to 3.13.

Keys and enumerations are known and checked; matrix intrinsics and keys that are not known are kept and printed back: they have
been renamed and added in nearly every release.

Source: iree compiler/src/iree/compiler/Codegen/Dialect/GPU/IR/IREEGPUAttrs.td, and what ten releases printed.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from targetenv.diagnostics.suggest import did_you_mean
from targetenv.model.record import record
from targetenv.model.span import Span
from targetenv.syntax import value as v
from targetenv.syntax import value_printer
from targetenv.syntax.complaints import beside
from targetenv.syntax.iree_intrinsics import INTRINSICS
from targetenv.syntax.value import span_of

if TYPE_CHECKING:
    from targetenv.syntax.attribute_text import Printer
    from targetenv.syntax.complaints import Complaints
    from targetenv.syntax.value import Item, Value

ERAS = ("20240621", "20240724", "20240828", "20241104", "3.1", "3.4", "3.8", "3.13")
BITS = {  # in the order in which they are printed
    "compute": ("fp64", "fp32", "fp16", "int64", "int32", "int16", "int8", "fp8", "fp6", "fp4"),
    "storage": ("b64", "b32", "b16", "b8"),
    "subgroup": ("none", "shuffle", "arithmetic"),
    "dot": ("none", "dp4xi8toi32"),
}
WGP = (
    *("compute", "storage", "subgroup", "dot", "mma", "scaled_mma", "subgroup_size_choices", "max_workgroup_sizes"),
    *("max_thread_count_per_workgroup", "max_workgroup_memory_bytes", "max_workgroup_counts", "max_load_instruction_bits"),
    *("simds_per_wgp", "vgpr_space_bits", "dma_sizes", "workgroup_memory_bank_count", "extra"),
)
REQUIRED = tuple(key for key in WGP[:11] if key not in ("dot", "mma", "scaled_mma"))
CHIP = ("wgp_count", "sku", "memory_bandwidth_tbps", "perf_tflops", "extra")
_ARRAYS = frozenset({"subgroup_size_choices", "max_workgroup_sizes", "max_workgroup_counts", "dma_sizes"})
_INTEGERS = frozenset(WGP[8:14]) - _ARRAYS | {"workgroup_memory_bank_count", "wgp_count"}
_REVERSED = re.compile(r"(?:MFMA|WMMA)_(?:(?:F16|BF16|F8\w+)_\d+x\d+x\d+_F32|I8_\d+x\d+x\d+_I32)")  # until 2024-08
_SHARED = re.compile(r"WMMA_(?:F32|F16|I32)_16x16x16_(?:F16|I8)")  # AMD's and NVIDIA's alike: until 3.1
_INTRINSIC = re.compile(r"[A-Z][A-Z0-9_]*[0-9][A-Za-z0-9_]*")


@record
class GpuTarget:
    """One target as written. `wgp` and `chip` hold entries in the order in which they are printed."""

    era: str
    arch: str
    features: str
    wgp: tuple[v.Entry, ...]
    chip: tuple[v.Entry, ...] | None = None

    def setting(self, key: str) -> Value | None:
        """The value of a key of `wgp`."""
        return next((entry.value for entry in self.wgp if entry.key == key), None)

    def bits(self, key: str) -> tuple[str, ...]:
        """The words of an enumeration, empty for `none`."""
        value = self.setting(key)
        return tuple(word for word in value.parts if word != "none") if isinstance(value, v.Word) else ()

    def numbers(self, key: str) -> tuple[int, ...]:
        """The numbers of a key."""
        match self.setting(key):
            case v.Integer(value):
                return (value,)
            case v.Array(items):
                return tuple(item.value for item in items if isinstance(item, v.Integer))
        return ()

    @property
    def intrinsics(self) -> tuple[str, ...]:
        """The names of the matrix intrinsics."""
        rows = self.setting("mma")
        return tuple(name for name in map(intrinsic, rows.items) if name) if isinstance(rows, v.Array) else ()


def intrinsic(item: Item) -> str | None:
    """`MFMA_F32_16x16x16_F16` of `<MFMA_...>` and of `#iree_gpu.mma_layout<MFMA_...>`."""
    body = item.body if isinstance(item, v.Short | v.Attribute) else None
    if body and len(body) == 1 and isinstance(body[0], v.Word):
        return body[0].text
    return None


class Reader:
    """Reads the attribute by our rules, or by those of the newest release (`strict`)."""

    def __init__(self, complaints: Complaints, *, strict: bool) -> None:
        self._complaints = complaints
        self._strict = strict

    def read(self, attribute: v.Attribute) -> GpuTarget:
        """The record; complaints about what is wrong."""
        found = self._struct(attribute.body or (), ("arch", "features", "wgp", "chip"), "`#iree_gpu.target`", attribute)
        self._require(found, ("arch", "features", "wgp"), "`#iree_gpu.target`", attribute)
        wgp, chip = found.get("wgp"), found.get("chip")
        made = GpuTarget(
            ERAS[-1],
            self._string(found.get("arch")),
            self._string(found.get("features")),
            () if wgp is None else self._wgp(wgp),
            None if chip is None else self._chip(chip),
        )
        return GpuTarget(_era(made), made.arch, made.features, made.wgp, made.chip)

    def _string(self, entry: v.Entry | None) -> str:
        if entry is None:
            return ""
        if isinstance(entry.value, v.String):
            return entry.value.text
        self._complaints.error("TE1205", f"`{entry.key}` takes a string", _place(entry), help="write it in double quotes")
        return ""

    def _struct(self, items: tuple[Item, ...], known: tuple[str, ...], what: str, whole: v.Attribute) -> dict[str, v.Entry]:
        del whole
        found: dict[str, v.Entry] = {}
        for item in items:
            if not isinstance(item, v.Entry) or item.value is None:
                self._complaints.error("TE1002", "expected `key = value`", span_of(item))
                continue
            span = item._key_span
            if item.key in found:
                first = (beside(found[item.key]._key_span, "first given here"),)
                self._complaints.error("TE1208", f"`{item.key}` is given twice", span, help="remove one", also=first)
                continue
            if item.key not in known:
                near = did_you_mean(item.key, known)
                message = f"unknown key `{item.key}` in {what}"
                if self._strict or near:
                    self._complaints.error("TE1204", message, span, help=near)
                    continue
                self._complaints.warning("TE2034", message, span, "kept as it is")
            found[item.key] = item
        return found

    def _require(self, found: dict[str, v.Entry], keys: tuple[str, ...], what: str, whole: Item) -> None:
        missing = [key for key in keys if key not in found]
        if missing:
            names = ", ".join(f"`{key}`" for key in missing)
            end = span_of(whole).end
            self._complaints.error("TE1207", f"{what} lacks {names}", Span(max(end - 1, 0), end), "missing before this")

    def _body(self, entry: v.Entry, long: str) -> tuple[Item, ...] | None:
        value = entry.value
        if isinstance(value, v.Short):
            return value.body
        if isinstance(value, v.Attribute) and value.name == f"iree_gpu.{long}" and value.type is None:
            return value.body or ()
        self._complaints.error("TE1205", f"`{entry.key}` takes `<...>`", _place(entry))
        return None

    def _wgp(self, entry: v.Entry) -> tuple[v.Entry, ...]:
        body = self._body(entry, "target_wgp")
        if body is None or entry.value is None:
            return ()
        found = self._struct(body, WGP, "`wgp`", v.Attribute("wgp", body))
        required = REQUIRED if self._strict else tuple(key for key in REQUIRED if key != "max_workgroup_counts")
        self._require(found, required, "`wgp`", entry.value)
        return tuple(
            sorted(
                (made for each in found.values() if (made := self._setting(each)) is not None),
                key=lambda each: (WGP.index(each.key) if each.key in WGP else len(WGP), each.key),
            )
        )

    def _setting(self, entry: v.Entry) -> v.Entry | None:
        value = entry.value
        if entry.key in BITS:
            return self._enumeration(entry)
        if entry.key in ("mma", "scaled_mma"):
            return self._intrinsics(entry)
        if entry.key in _ARRAYS:
            if isinstance(value, v.Array) and all(isinstance(item, v.Integer) and item.type is None for item in value.items):
                return entry
            self._complaints.error("TE1205", f"`{entry.key}` takes integers", _place(entry), help="write `[1024, 1024, 64]`")
            return None
        if entry.key in _INTEGERS:
            return self._integer(entry)
        if entry.key == "extra" and not isinstance(value, v.Dictionary):
            self._complaints.error("TE1205", "`extra` takes a dictionary", _place(entry))
            return None
        return entry

    def _integer(self, entry: v.Entry) -> v.Entry | None:
        value = entry.value
        if not isinstance(value, v.Integer) or value.type is not None:
            self._complaints.error("TE1205", f"`{entry.key}` takes an integer without a type", _place(entry))
        elif not (-(1 << 31) if self._strict else 0) <= value.value < 1 << 31:
            what = "is negative" if value.value < 0 else "is too large"
            self._complaints.error("TE1206", f"`{entry.key}` {what}", _place(entry), help="write a number from 0 to 2147483647")
        else:
            return entry
        return None

    def _enumeration(self, entry: v.Entry) -> v.Entry | None:
        known = BITS[entry.key]
        value = entry.value
        if not isinstance(value, v.Word):
            self._complaints.error(
                "TE1205", f"`{entry.key}` takes words joined by `|`", _place(entry), help=f"write `{known[1]}`"
            )
            return None
        for word in value.parts:
            if word not in known:
                help_ = did_you_mean(word, known) or f"write one of {', '.join(f'`{each}`' for each in known)}"
                self._complaints.error("TE1204", f"unknown word `{word}` in `{entry.key}`", span_of(value), help=help_)
        ordered = tuple(word for word in known if word in value.parts and (word != "none" or len(set(value.parts)) == 1))
        return v.Entry(entry.key, v.Word(ordered), entry._key_span, entry._span)

    def _intrinsics(self, entry: v.Entry) -> v.Entry | None:
        value = entry.value
        if not isinstance(value, v.Array):
            self._complaints.error(
                "TE1205", f"`{entry.key}` takes an array", _place(entry), help="write `[<WMMAR3_F32_16x16x16_F16>]`"
            )
            return None
        rows: list[Value] = []
        for item in value.items:
            name = intrinsic(item)
            if entry.key == "scaled_mma" and name is None:
                rows.append(item)  # parameters that change with every release
            elif name is None:
                self._complaints.error("TE1205", "expected the name of an intrinsic in `<` and `>`", span_of(item))
            elif (self._strict and entry.key == "mma" and name not in INTRINSICS) or not _INTRINSIC.fullmatch(name):
                help_ = did_you_mean(name, INTRINSICS)
                self._complaints.error("TE1234", f"unknown matrix intrinsic `{name}`", span_of(item), help=help_)
            else:
                if entry.key == "mma" and not (name in INTRINSICS or _REVERSED.fullmatch(name) or _SHARED.fullmatch(name)):
                    near = did_you_mean(name, INTRINSICS)
                    message = f"`{name}` is no intrinsic that iree@{ERAS[-1]} knows"
                    self._complaints.warning("TE2034", message, span_of(item), "kept as it is", help=near)
                rows.append(v.Short((v.Word((name,)),)))
        return v.Entry(entry.key, v.Array(tuple(rows)), entry._key_span, entry._span)

    def _chip(self, entry: v.Entry) -> tuple[v.Entry, ...] | None:
        body = self._body(entry, "target_chip")
        if body is None or entry.value is None:
            return None
        found = self._struct(body, CHIP, "`chip`", v.Attribute("chip", body))
        self._require(found, ("wgp_count",), "`chip`", entry.value)
        order = (*CHIP, *sorted(set(found) - set(CHIP)))
        return tuple(found[key] for key in order if key in found)


def text(target: GpuTarget, printer: Printer) -> str:
    """The canonical text in the record's own era."""
    joined = ERAS.index(target.era)
    parts = [f"arch = {value_printer.quote(target.arch)}", f"features = {value_printer.quote(target.features)}"]
    settings = []
    for entry in target.wgp:
        value = entry.value
        if entry.key == "dot" and value == v.Word(("none",)):
            continue
        if entry.key in ("mma", "scaled_mma") and value == v.Array(()) and joined >= ERAS.index("3.8"):
            continue
        blank = " " if entry.key in BITS and joined < ERAS.index("3.13") else ""
        settings.append(f"{entry.key} = {blank}{_setting_text(entry, printer)}")
    parts.append(f"wgp = <{', '.join(settings)}>")
    if target.chip is not None:
        parts.append(f"chip = <{', '.join(f'{each.key} = {_setting_text(each, printer)}' for each in target.chip)}>")
    return f"#iree_gpu.target<{', '.join(parts)}>"


def _setting_text(entry: v.Entry, printer: Printer) -> str:
    value = entry.value
    assert value is not None
    plain = isinstance(value, v.Integer | v.Word | v.String) or entry.key in _ARRAYS
    return value_printer.text_of(value) if plain else printer.text(value)


def _era(target: GpuTarget) -> str:
    """The newest release that takes it."""
    if target.setting("max_workgroup_counts") is None:
        return "20240724"
    names = [name for name in target.intrinsics if name not in INTRINSICS]
    if any(map(_REVERSED.fullmatch, names)):
        return "20240724"
    return "3.1" if any(map(_SHARED.fullmatch, names)) else ERAS[-1]


def _place(entry: v.Entry) -> Span:
    return entry._key_span if entry.value is None else span_of(entry.value)
