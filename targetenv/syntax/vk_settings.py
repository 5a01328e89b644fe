"""The features and limits inside `#vk.target_env`: `#vk.caps<key = value>` of era C, the dictionary of the eras before."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from targetenv.diagnostics.suggest import did_you_mean
from targetenv.model.record import record
from targetenv.model.span import Span
from targetenv.model.version import Version
from targetenv.syntax import dense, matrix_rows, vk_names
from targetenv.syntax import value as v
from targetenv.syntax.complaints import beside
from targetenv.syntax.value import span_of
from targetenv.syntax.vk_names import KEY_BY_NAME, Kind

if TYPE_CHECKING:
    from typing import TypeAlias

    from targetenv.syntax.complaints import Complaints
    from targetenv.syntax.value import Item, Value

    SettingValue: TypeAlias = "int | v.Dense | v.Array | v.Float | v.String | tuple[matrix_rows.MatrixRow, ...] | None"

_I32 = v.Word(("i32",))
_UNIT = v.Word(("unit",))
_INTEGER_TYPE = re.compile(r"[su]?i(?:8|16|32|64)")
_BITS = 0x7FF  # every bit of VkSubgroupFeatureFlagBits, Vulkan 1.4 included
_LARGEST = (1 << 31) - 1


@record
class Setting:
    """One feature or limit. `name` is the registry's `Struct::member`, empty for cooperative matrices.

    `value` is None for a unit, a tuple of matrices for them, a number, or a literal as it was written.
    """

    key: str
    name: str
    value: SettingValue
    _span: Span = Span(0, 0)


class Reader:
    """Reads settings, by our rules or by those of one release."""

    def __init__(self, complaints: Complaints, release: vk_names.Release | None) -> None:
        self._complaints = complaints
        self._release = release

    def settings(self, body: Item, *, has_device: bool) -> tuple[Setting, ...]:
        """Every setting in the order of the text; complaints about the others."""
        if isinstance(body, v.Dictionary):
            found = self._entries(body.entries, struct=False)
        elif isinstance(body, v.Attribute) and body.name == "vk.caps" and body.body is not None:
            entries = [each for each in map(self._parameter, body.body) if each is not None]
            found = self._entries(tuple(entries), struct=True)
            self._require(found, entries, body)
            if body.type is not None:
                self._complaints.error("TE1205", "`#vk.caps` takes no type", span_of(body.type), help="remove the type")
        else:
            shown = f"`#{body.name}`" if isinstance(body, v.Attribute) else "something else"
            expected = "`#vk.caps<...>`" if has_device else "`Vendor:DeviceType, #vk.caps<...>`"
            self._complaints.error("TE1202", f"expected {expected}, found {shown}", span_of(body))
            return ()
        if self._release is None:
            self._judge(found)
        return found

    def _parameter(self, item: Item) -> v.Entry | None:
        if isinstance(item, v.Entry):
            return item
        if isinstance(item, v.Word) and len(item.parts) == 1:
            self._complaints.error(
                "TE1103",
                f"`{item.text}` has no value",
                span_of(item),
                "a bare key, as the dictionary of era B has them",
                help=f"write `{item.text} = unit`",
            )
            return v.Entry(item.text, _UNIT, span_of(item), span_of(item))
        self._complaints.error("TE1002", "expected `key = value`", span_of(item))
        return None

    def _entries(self, entries: tuple[v.Entry, ...], *, struct: bool) -> tuple[Setting, ...]:
        found: list[Setting] = []
        places: dict[str, Span] = {}
        for entry in entries:
            span = entry._key_span
            if struct and self._complaints.source.text.startswith('"', span.start):
                self._complaints.error("TE1104", "a parameter is a bare name", span, help=f"write `{entry.key}`")
                continue
            resolved = self._resolve(entry.key, span)
            if resolved is None:
                continue
            kind, name = resolved
            identity = name or "cooperativeMatrixProperties"
            if identity in places:
                first = (beside(places[identity], "first given here"),)
                self._complaints.error("TE1208", f"`{entry.key}` is given twice", span, help="remove one", also=first)
                continue
            places[identity] = span
            value = self._value(entry, kind, struct=struct)
            if value is not _BAD:
                found.append(Setting(entry.key, name, value, entry._span))  # type: ignore[arg-type]
        return tuple(found)

    def _resolve(self, key: str, span: Span) -> tuple[Kind | None, str] | None:
        """What a key takes (None: whatever its registry entry is), and its canonical name."""
        known = KEY_BY_NAME.get(key)
        if self._release is not None and key not in self._release.keys:
            help_ = did_you_mean(key, self._release.keys)
            self._complaints.error("TE1204", f"unknown key `{key}`", span, f"not in iree@{self._release.name}", help=help_)
            return None
        if known is not None:
            return known.kind, canonical(known)
        names = candidates(key)
        if not names:
            from targetenv.registry import vulkan

            help_ = did_you_mean(key, {*KEY_BY_NAME, *_members()})
            where = f"not in the Vulkan registry {vulkan.HEADER_VERSION}"
            self._complaints.error("TE1204", f"unknown feature or limit `{key}`", span, where, help=help_)
            return None
        if len(names) > 1:
            help_ = "write " + " or ".join(f"`{name}`" for _, name in names)
            self._complaints.error("TE1211", f"several structures have a member `{key}`", span, help=help_)
            return None
        return names[0]

    def _value(self, entry: v.Entry, kind: Kind | None, *, struct: bool) -> object:
        value = entry.value
        match kind:
            case Kind.UNIT:
                return self._unit(entry, struct=struct)
            case Kind.INTEGER:
                return self._integer(entry, value, struct=struct)
            case Kind.BITS:
                return self._bits(entry, value)
            case Kind.SIZE:
                return self._size(entry, value)
            case Kind.MATRICES:
                if isinstance(value, v.Array):
                    form = matrix_rows.VK_KHR if entry.key.endswith("KHR") else matrix_rows.VK_NV
                    lenient = self._release is not None
                    return matrix_rows.read(form, value, self._complaints, struct=struct, lenient=lenient)
                return self._wrong(entry, Kind.MATRICES.value)
            case None:
                return self._open(entry, value)

    def _unit(self, entry: v.Entry, *, struct: bool) -> object:
        if entry.value is None and not struct:
            return None
        if entry.value == _UNIT:
            return None
        form = f"`{entry.key} = unit`" if struct else f"`{entry.key}`"
        return self._wrong(entry, "a unit", help_=f"write {form} where the device has it, and leave it out where it does not")

    def _integer(self, entry: v.Entry, value: Value | None, *, struct: bool) -> object:
        if not isinstance(value, v.Integer):
            return self._wrong(entry, "an integer")
        if struct and value.type is not None:
            message = f"`{entry.key}` takes an integer without a type"
            span = span_of(value.type)
            self._complaints.error("TE1103", message, span, "as the dictionary of era B has it", help=f"write `{value.value}`")
            return _BAD
        if not struct and value.type != _I32:
            message = f"`{entry.key}` takes a 32-bit integer"
            label = "without a type, as `#vk.caps` of era C has it" if value.type is None else "another type"
            self._complaints.error("TE1103", message, span_of(value), label, help=f"write `{value.value} : i32`")
            return _BAD
        return self._ranged(entry, value, -_LARGEST - 1 if self._release else 0, _LARGEST)

    def _bits(self, entry: v.Entry, value: Value | None) -> object:
        if not isinstance(value, v.Integer):
            return self._wrong(entry, Kind.BITS.value)
        if value.type != _I32:
            message = f"`{entry.key}` takes an integer of type `i32`"
            self._complaints.error("TE1205", message, span_of(value), help=f"write `{value.value} : i32`")
            return _BAD
        return self._ranged(entry, value, 0, vk_names.SUBGROUP_BITS if self._release else _BITS)

    def _ranged(self, entry: v.Entry, value: v.Integer, low: int, high: int) -> object:
        if low <= value.value <= high:
            return value.value
        what = "is negative" if value.value < 0 else "is too large"
        help_ = f"write a number from {low} to {high}"
        self._complaints.error("TE1206", f"`{entry.key}` {what}", span_of(value), help=help_)
        return _BAD

    def _size(self, entry: v.Entry, value: Value | None) -> object:
        if not isinstance(value, v.Dense):
            return self._wrong(entry, Kind.SIZE.value, help_="write `dense<[128, 128, 64]> : vector<3xi32>`")
        try:
            numbers = dense.elements(value)
        except dense.DenseError as error:
            self._complaints.error("TE1205", f"`{entry.key}`: {error}", error.span)
            return _BAD
        if self._release is None:
            if len(numbers) != 3:
                message = f"a workgroup size has three components, this one has {len(numbers)}"
                self._complaints.error("TE2004", message, span_of(value), help="write `dense<[128, 128, 64]> : vector<3xi32>`")
                return _BAD
            if min(numbers) < 1:
                self._complaints.error("TE2004", "a workgroup size is positive in every component", span_of(value))
                return _BAD
        return dense.canonical(value)

    def _open(self, entry: v.Entry, value: Value | None) -> object:
        """A feature or property of the registry for which no release of IREE had a key."""
        _, name = candidates(entry.key)[0]
        if candidates(entry.key)[0][0] is Kind.UNIT:
            if value is None or value == _UNIT:
                return None
            return self._wrong(entry, "a unit", help_=f"write `{entry.key} = unit` where the device has it, else leave it out")
        match value:
            case v.Integer(number, type_) if type_ is None or _INTEGER_TYPE.fullmatch(getattr(type_, "text", "")):
                return number
            case v.Dense():
                try:
                    return dense.canonical(value)
                except dense.DenseError as error:
                    self._complaints.error("TE1205", f"`{entry.key}`: {error}", error.span)
                    return _BAD
            case v.Array() | v.Float() | v.String():
                return value
            case _:
                return self._wrong(entry, f"a number, an array or a string ({name} is a property)")

    def _wrong(self, entry: v.Entry, expected: str, *, help_: str = "") -> object:
        span = entry._key_span if entry.value is None else span_of(entry.value)
        self._complaints.error("TE1205", f"`{entry.key}` takes {expected}", span, help=help_)
        return _BAD

    def _require(self, found: tuple[Setting, ...], entries: list[v.Entry], body: v.Attribute) -> None:
        written = {entry.key for entry in entries} | {setting.key for setting in found}
        missing = [key for key in vk_names.REQUIRED if key not in written]
        if missing:
            names = ", ".join(f"`{key}`" for key in missing)
            end = span_of(body).end
            self._complaints.error("TE1207", f"`#vk.caps` lacks {names}", Span(end - 1, end), "missing before this")

    def judge_features(self, found: tuple[Setting, ...], version: str, extensions: tuple[str, ...]) -> None:
        """Warn of features whose structure neither the version nor an extension brings."""
        if self._release is not None or version not in vk_names.VERSIONS:
            return
        for setting in found:
            lacking = unprovided(setting.name, Version.parse(version), frozenset(extensions)) if setting.value is None else ()
            if lacking:
                names = " or ".join(lacking)
                message = f"no device without {names} has the feature `{setting.key}`"
                help_ = f"add `{lacking[-1]}` to the extensions" if lacking[-1].startswith("VK_") else ""
                self._complaints.warning("TE2031", message, setting._span, help=help_)

    def _judge(self, found: tuple[Setting, ...]) -> None:
        """What no device can say of itself; IREE takes all of it."""
        at = {setting.key: setting for setting in found}

        def number(key: str) -> int | None:
            setting = at.get(key)
            return setting.value if setting is not None and isinstance(setting.value, int) else None

        low, high, size = number("minSubgroupSize"), number("maxSubgroupSize"), number("subgroupSize")
        if low is not None and high is not None and low > high:
            message = f"the smallest subgroup size, {low}, is larger than the largest, {high}"
            where = (beside(at["maxSubgroupSize"]._span, "the largest"),)
            self._complaints.error("TE2002", message, at["minSubgroupSize"]._span, also=where, help="swap the two")
        elif size is not None and not (low or size) <= size <= (high or size):
            message = f"subgroup size {size} is not between the smallest, {low}, and the largest, {high}"
            self._complaints.warning("TE2002", message, at["subgroupSize"]._span)
        for key in ("subgroupSize", "minSubgroupSize", "maxSubgroupSize"):
            value = number(key)
            if value is not None and (value & (value - 1) or not value):
                message = f"`{key}` is {value}, and no device has a subgroup size that is not a power of two"
                self._complaints.warning("TE2005", message, at[key]._span)
        invocations = number("maxComputeWorkGroupInvocations")
        shape = at.get("maxComputeWorkGroupSize")
        if invocations is not None and shape is not None and isinstance(shape.value, v.Dense):
            x, y, z = dense.elements(shape.value)
            if invocations > x * y * z:
                message = f"{invocations} invocations do not fit a workgroup of {x} x {y} x {z}"
                where = (beside(shape._span, f"at most {x * y * z}"),)
                self._complaints.warning("TE2003", message, at["maxComputeWorkGroupInvocations"]._span, also=where)


_BAD = object()


def canonical(key: vk_names.Key) -> str:
    """The registry's name of a known key, empty for cooperative matrices."""
    from targetenv.registry import vulkan

    if key.kind is Kind.MATRICES:
        return ""
    lookup = vulkan.feature if key.kind is Kind.UNIT else vulkan.property_name
    return lookup(key.struct, key.member_name)


def unprovided(feature: str, version: Version, extensions: frozenset[str]) -> tuple[str, ...]:
    """What would bring the structure of a canonical feature, where neither the version nor an extension does; else nothing.

    >>> unprovided("VkPhysicalDevice8BitStorageFeatures::storageBuffer8BitAccess", Version(1, 1), frozenset())
    ('Vulkan 1.2', 'VK_KHR_8bit_storage')
    """
    from targetenv.registry import vulkan

    wanted = []
    for name in vulkan.provided_by(feature.partition("::")[0]):
        if vulkan.is_version(name):
            since = vulkan.version(name)
            if version >= since:
                return ()
            wanted.append((since.key, f"Vulkan {since}"))
        elif name in extensions:
            return ()
        else:
            core = vulkan.core_since(name)
            if core is not None and version >= core:
                return ()
            if core is not None:
                wanted.append((core.key, f"Vulkan {core}"))
            wanted.append(((9, 0, 0), name))
    return tuple(dict.fromkeys(name for _, name in sorted(wanted)))


def candidates(key: str) -> tuple[tuple[Kind | None, str], ...]:
    """What a key of the open vocabulary may stand for: `member` or `Struct::member` of the registry."""
    from targetenv.registry import vulkan

    struct, _, member = key.rpartition("::")
    if not struct:
        features = tuple((Kind.UNIT, name) for name in vulkan.find_feature(member))
        return (*features, *((None, name) for name in vulkan.find_property(member)))
    try:
        return ((Kind.UNIT, vulkan.feature(struct, member)),)
    except KeyError:
        pass
    try:
        return ((None, vulkan.property_name(struct, member)),)
    except KeyError:
        return ()


def _members() -> set[str]:
    from targetenv.registry import vulkan

    return {name.rpartition("::")[2] for name in (*vulkan.feature_names(), *vulkan.property_names())}
