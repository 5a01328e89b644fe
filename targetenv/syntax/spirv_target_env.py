"""`#spirv.target_env<...>` and `#spirv.vce<...>` as a record: what one text of any era says, with its order and duplicates."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lark import Token, Tree

from targetenv.diagnostics.suggest import did_you_mean
from targetenv.model.record import record
from targetenv.syntax import dense, device_words, matrix_rows, mlir_spirv, value_reader
from targetenv.syntax import value as v
from targetenv.syntax.complaints import Complaints
from targetenv.syntax.device_words import DEVICE_TYPES, VENDORS
from targetenv.syntax.grammar import tree
from targetenv.syntax.value import span_of

if TYPE_CHECKING:
    from typing import TypeAlias

    from targetenv.diagnostics.diagnostic import Diagnostic, Source
    from targetenv.model.span import Span
    from targetenv.syntax.grammar import Node
    from targetenv.syntax.value import Item

    LimitValue: TypeAlias = "int | v.Array | v.Dense | tuple[matrix_rows.MatrixRow, ...]"

APIS = ("Metal", "OpenCL", "Unknown", "Vulkan", "WebGPU")
VERSIONS = tuple(f"v1.{minor}" for minor in range(7))
ERAS = ("A", "B", "C", "D")
KEYS = (  # in the order in which `#spirv.resource_limits` prints them
    *("max_compute_shared_memory_size", "max_compute_workgroup_invocations", "max_compute_workgroup_size"),
    *("subgroup_size", "min_subgroup_size", "max_subgroup_size"),
    *("cooperative_matrix_properties_khr", "cooperative_matrix_properties_nv"),
)
WANTED = (
    ((("<", 0),), "`#spirv.vce<...>`"),
    ((("<", 1),), "`api=Vulkan`, a vendor such as `AMD:DiscreteGPU`, or `#spirv.resource_limits<...>`"),
    ((("<", 2),), "a vendor such as `AMD:DiscreteGPU`, or `#spirv.resource_limits<...>`"),
    ((("<", 3),), "`#spirv.resource_limits<...>`"),
    ((("<", 0), ("<", 0)), "a SPIR-V version such as `v1.6`"),
    ((("<", 0), ("<", 1), ("[", None)), "the name of a SPIR-V capability"),
    ((("<", 0), ("<", 2), ("[", None)), "the name of a SPIR-V extension"),
)


@record
class SpirvLimit:
    """One limit; `value` is a number, the literal as it was written, or matrix rows."""

    key: str
    value: LimitValue


@record
class SpirvTargetEnv:
    """One environment as written. `limits` is None for a `#spirv.vce` that stands alone, `device` where it is not written."""

    era: str
    version: str
    capabilities: tuple[str, ...]
    extensions: tuple[str, ...]
    api: str | None
    device: tuple[str, str | None, int | None] | None
    limits: tuple[SpirvLimit, ...] | None


def read(source: Source, release: int | None = None) -> tuple[SpirvTargetEnv, tuple[Diagnostic, ...]]:
    """The record of a text, and warnings; `release` (an index of `mlir_spirv`) asks for what that release of IREE accepts.

    Raises `ParseError` (TE10xx, TE12xx).
    """
    node = tree("spirv_target_env", source, WANTED)
    complaints = Complaints(source)
    reader = _Reader(complaints, release)
    parts = [child for child in node.children if isinstance(child, Tree)]
    made = reader.first_era(parts) if value_reader.rule(parts[0]) == "version" else reader.later_eras(parts)
    return made, complaints.settle()


class _Reader:
    def __init__(self, complaints: Complaints, release: int | None) -> None:
        self._complaints = complaints
        self._release = release

    def first_era(self, parts: list[Node]) -> SpirvTargetEnv:
        version, extensions, capabilities, limits = parts
        token = _tokens(version)[0]
        if not token.startswith("V_") or (word := f"v{token[2:].replace('_', '.')}") not in VERSIONS:
            self._version(str(token), value_reader.token_span(token))
            word = VERSIONS[0]
        if self._release is not None:
            self._complaints.error("TE1202", "only `#spirv.target_env` is read here", value_reader.span(version))
        return SpirvTargetEnv(
            *("A", word),
            self._capabilities([(str(each), value_reader.token_span(each)) for each in _tokens(capabilities)]),
            self._extensions([(str(each), value_reader.token_span(each)) for each in _tokens(extensions)]),
            *(None, None),
            self._limits(value_reader.item(limits), struct=False),
        )

    def later_eras(self, parts: list[Node]) -> SpirvTargetEnv:
        first = value_reader.item(parts[0])
        assert isinstance(first, v.Attribute)
        version, capabilities, extensions = self._vce(first)
        if len(parts) == 1:
            era = "D" if first.name.startswith("spirv") else "B"
            return SpirvTargetEnv(era, version, capabilities, extensions, None, None, None)
        named = {value_reader.rule(part): part for part in parts[1:]}
        last = value_reader.item(parts[-1])
        era = "B" if isinstance(last, v.Dictionary) else "D" if first.name.startswith("spirv") else "C"
        if self._release is not None and era != "D":
            self._complaints.error("TE1202", "only `#spirv.target_env` is read here", span_of(first))
        api = self._api(named["client_api"]) if "client_api" in named else None
        device = self._device(named["device"]) if "device" in named else None
        limits = self._limits(last, struct=era != "B")
        return SpirvTargetEnv(era, version, capabilities, extensions, api, device, limits)

    def _vce(self, attribute: v.Attribute) -> tuple[str, tuple[str, ...], tuple[str, ...]]:
        nothing: tuple[str, tuple[str, ...], tuple[str, ...]] = ("v1.0", (), ())
        name_span = attribute._name_span
        if attribute.name not in ("spirv.vce", "spv.vce"):
            help_ = did_you_mean(f"#{attribute.name}", ("#spirv.vce", "#spirv.target_env"))
            self._complaints.error("TE1202", f"expected `#spirv.vce`, found `#{attribute.name}`", name_span, help=help_)
            return nothing
        match attribute.body:
            case (v.Word() as version, v.Array() as capabilities, v.Array() as extensions):
                if version.text not in VERSIONS:
                    self._version(version.text, span_of(version))
                return (
                    version.text,
                    self._capabilities(self._words(capabilities)),
                    self._extensions(self._words(extensions)),
                )
        help_ = "write `#spirv.vce<v1.6, [Shader], []>`"
        self._complaints.error("TE1002", "expected a version, capabilities and extensions", span_of(attribute), help=help_)
        return nothing

    def _words(self, array: v.Array) -> list[tuple[str, Span]]:
        found = []
        for item in array.items:
            if isinstance(item, v.Word) and len(item.parts) == 1:
                found.append((item.text, span_of(item)))
            else:
                help_ = "remove the quotes" if isinstance(item, v.String) else ""
                self._complaints.error("TE1104", "expected a bare name", span_of(item), help=help_)
        return found

    def _version(self, word: str, span: Span) -> None:
        help_ = did_you_mean(word, VERSIONS) or f"write one of {', '.join(f'`{each}`' for each in VERSIONS)}"
        self._complaints.error("TE1201", f"unknown SPIR-V version `{word}`", span, help=help_)

    def _capabilities(self, words: list[tuple[str, Span]]) -> tuple[str, ...]:
        from targetenv.registry import spirv

        for word, span in words:
            if self._release is not None:
                known = word in mlir_spirv.names(self._release) and not word.startswith("SPV_")
            else:
                known = spirv.canonical_capability(word) is not None
            if not known:
                where = f"not in the SPIR-V grammar {spirv.GRAMMAR_VERSION}" if self._release is None else "not in this release"
                swapped = "capabilities come first, extensions behind them" if word.startswith("SPV_") else ""
                help_ = swapped or did_you_mean(word, spirv.capability_names())
                self._complaints.error("TE1231", f"unknown capability `{word}`", span, where, help=help_)
        return tuple(word for word, _ in words)

    def _extensions(self, words: list[tuple[str, Span]]) -> tuple[str, ...]:
        from targetenv.registry import spirv

        known = spirv.extension_names() | mlir_spirv.names() if self._release is None else mlir_spirv.names(self._release)
        for word, span in words:
            if word not in known or not word.startswith("SPV_"):
                where = f"not in the SPIR-V grammar {spirv.GRAMMAR_VERSION}" if self._release is None else "not in this release"
                extensions = [each for each in known if each.startswith("SPV_")]
                help_ = did_you_mean(word, extensions)
                self._complaints.error("TE1203", f"unknown extension `{word}`", span, where, help=help_)
        return tuple(word for word, _ in words)

    def _api(self, node: Node) -> str:
        key, name = _tokens(node)
        lenient = self._release is not None
        if key != "api":
            message = f"expected `api`, found `{key}`"
            self._complaints.error("TE1002", message, value_reader.token_span(key), help=f"write `api={name}`")
        return device_words.word(name, APIS, "TE1232", "client API", self._complaints, lenient=lenient)

    def _device(self, node: Node) -> tuple[str, str | None, int | None]:
        vendor, *rest = _tokens(node)
        lenient = self._release is not None
        vendors = tuple(each for each in VENDORS if each != "Broadcom") if lenient and (self._release or 0) < 3 else VENDORS
        kind = (
            device_words.word(rest[0], DEVICE_TYPES, "TE1210", "device type", self._complaints, lenient=lenient)
            if rest
            else None
        )
        return (
            device_words.word(vendor, vendors, "TE1209", "vendor", self._complaints, lenient=lenient),
            kind,
            device_words.device_id(rest[1:], self._complaints, lenient=lenient),
        )

    def _limits(self, item: Item, *, struct: bool) -> tuple[SpirvLimit, ...]:
        entries: list[v.Entry] = []
        if isinstance(item, v.Dictionary):
            entries = list(item.entries)
        elif (
            isinstance(item, v.Attribute)
            and item.name in ("spirv.resource_limits", "spv.resource_limits")
            and item.body is not None
        ):
            for each in item.body:
                if isinstance(each, v.Entry):
                    entries.append(each)
                else:
                    self._complaints.error("TE1002", "expected `key = value`", span_of(each))
        else:
            self._complaints.error("TE1202", "expected `#spirv.resource_limits<...>`", span_of(item))
        found: dict[str, SpirvLimit] = {}
        for entry in entries:
            span = entry._key_span
            if entry.key in found:
                self._complaints.error("TE1208", f"`{entry.key}` is given twice", span, help="remove one")
                continue
            if entry.key not in KEYS or (self._release == 0 and entry.key == KEYS[6]):
                self._complaints.error("TE1204", f"unknown limit `{entry.key}`", span, help=did_you_mean(entry.key, KEYS))
                continue
            value = self._limit(entry, struct=struct)
            if value is not None:
                found[entry.key] = SpirvLimit(entry.key, value)
        return tuple(found.values())

    def _limit(self, entry: v.Entry, *, struct: bool) -> LimitValue | None:
        value = entry.value
        key = entry.key
        if value is None:
            self._complaints.error("TE1205", f"`{key}` has no value", entry._key_span)
        elif key.startswith("cooperative"):
            return self._matrices(key, value, struct=struct)
        elif key == "max_compute_workgroup_size":
            return self._size(key, value, struct=struct)
        elif not isinstance(value, v.Integer):
            self._complaints.error("TE1205", f"`{key}` takes an integer", span_of(value))
        elif struct and value.type is not None:
            message = f"`{key}` takes an integer without a type"
            self._complaints.error("TE1205", message, span_of(value.type), help=f"write `{value.value}`")
        elif not (-(1 << 31) if self._release is not None else 0) <= value.value < 1 << 31:
            what = "is negative" if value.value < 0 else "is too large"
            self._complaints.error("TE1206", f"`{key}` {what}", span_of(value), help="write a number from 0 to 2147483647")
        else:
            return value.value
        return None

    def _matrices(self, key: str, value: v.Value, *, struct: bool) -> LimitValue | None:
        if not isinstance(value, v.Array):
            self._complaints.error("TE1205", f"`{key}` takes an array", span_of(value))
            return None
        form = matrix_rows.SPIRV_KHR if key.endswith("khr") else matrix_rows.SPIRV_NV
        lenient = self._release is not None
        if form is matrix_rows.SPIRV_NV and lenient:
            known = {0: "spirv.coop_matrix_props", 1: "spirv.coop_matrix_props_nv", 2: "spirv.coop_matrix_props_nv"}
            for each in value.items:
                if isinstance(each, v.Attribute) and each.name != known.get(self._release or 0):
                    self._complaints.error("TE1202", f"unknown attribute `#{each.name}`", span_of(each))
        return matrix_rows.read(form, value, self._complaints, struct=struct, lenient=lenient)

    def _size(self, key: str, value: v.Value, *, struct: bool) -> LimitValue | None:
        if struct and isinstance(value, v.Array):
            whole = all(isinstance(each, v.Integer) for each in value.items)
            if self._release is None and not (whole and len(value.items) == 3):
                self._complaints.error("TE2004", f"`{key}` takes three integers", span_of(value), help="write `[128, 128, 64]`")
                return None
            return value
        if not struct and isinstance(value, v.Dense):
            try:
                return dense.canonical(value)
            except dense.DenseError as error:
                self._complaints.error("TE1205", f"`{key}`: {error}", error.span)
                return None
        written = "`[128, 128, 64]`" if struct else "`dense<[128, 128, 64]> : vector<3xi32>`"
        self._complaints.error("TE1205", f"`{key}` takes {written}", span_of(value))
        return None


def _tokens(node: Node) -> list[Token]:
    return [child for child in node.children if isinstance(child, Token)]
