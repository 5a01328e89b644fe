"""`#hal.executable.target`, `#hal.device.target` and the attributes beside them, as records: checked, and printed by release.

Source: iree compiler/src/iree/compiler/Dialect/HAL/IR/HALAttrs.td and HALAttrs.cpp; what three releases accept and print.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from targetenv.diagnostics.diagnostic import ParseError, Source
from targetenv.diagnostics.suggest import did_you_mean
from targetenv.model.record import record
from targetenv.syntax import iree_gpu_target, spirv_printer, spirv_target_env, vk_printer, vk_target_env
from targetenv.syntax import value as v
from targetenv.syntax.attribute_text import Printer
from targetenv.syntax.complaints import in_source
from targetenv.syntax.iree_gpu_target import GpuTarget
from targetenv.syntax.value import span_of
from targetenv.syntax.value_printer import quote, text_of

if TYPE_CHECKING:
    from targetenv.syntax.attribute_text import Special
    from targetenv.syntax.complaints import Complaints
    from targetenv.syntax.spirv_target_env import SpirvTargetEnv
    from targetenv.syntax.value import Value
    from targetenv.syntax.vk_target_env import VkTargetEnv

ERAS = ("20231218", "20240410", "3.13")
EXECUTABLE, DEVICE, ALIAS, SELECT = (
    f"hal.{name}" for name in ("executable.target", "device.target", "device.alias", "device.select")
)
OTHERS = tuple(f"hal.device.{name}" for name in ("ordinal", "fallback", "promise", "affinity", "optimal", "topology"))
ATTRIBUTES = (EXECUTABLE, DEVICE, ALIAS, SELECT, *OTHERS)
GPU_KEYS = ("iree_codegen.target_info", "iree.gpu.target")  # since 3.8, and before
_DEVICE_TYPE = " : !hal.device"
_SPIRV = ("spirv.target_env", "spirv.vce", "spv.target_env", "spv.vce")


@record
class Executable:
    """One `#hal.executable.target`: backend, format and configuration."""

    backend: str
    format: str
    config: tuple[v.Entry, ...]

    def value(self, key: str) -> Value | None:
        """The value under a key of the configuration."""
        return next((entry.value for entry in self.config if entry.key == key), None)

    def string(self, key: str) -> str | None:
        """The string under a key."""
        value = self.value(key)
        return value.text if isinstance(value, v.String) else None


@record
class HalTarget:
    """What one text says. `executables` are those of its devices in order, `device` the first device's id.

    `inner` is the environment that the first executable carries, as the record of its own dialect.
    """

    attribute: v.Attribute
    executables: tuple[Executable, ...]
    device: str | None
    inner: GpuTarget | SpirvTargetEnv | VkTargetEnv | None
    source: str
    era: str

    @property
    def gpu(self) -> GpuTarget | None:
        """The GPU that the first executable is for, where it names one."""
        return self.inner if isinstance(self.inner, GpuTarget) else None


class Reader:
    """Checks the attributes, outermost first."""

    def __init__(self, complaints: Complaints, *, strict: bool, knows_gpu: bool = True) -> None:
        self._complaints = complaints
        self._strict = strict
        self._knows_gpu = knows_gpu
        self._inner: GpuTarget | SpirvTargetEnv | VkTargetEnv | None = None
        self._devices: list[str] = []
        self._executables: list[Executable] = []

    def read(self, attribute: v.Attribute, era: str) -> HalTarget:
        """The record; complaints about what is wrong."""
        self._check(attribute)
        device = self._devices[0] if self._devices else None
        return HalTarget(attribute, tuple(self._executables), device, self._inner, self._complaints.source.text, era)

    def _check(self, attribute: v.Attribute) -> None:
        match attribute.name:
            case name if name == EXECUTABLE:
                self._executable(attribute)
            case name if name == DEVICE:
                self._device(attribute)
            case name if name == ALIAS:
                self._alias(attribute)
            case name if name == SELECT:
                self._select(attribute)
            case name if name == "hal.device.optimal":
                self._nonempty(attribute, "affinities")
            case name if name == "hal.device.topology":
                self._topology(attribute)
            case name if name not in ATTRIBUTES:
                help_ = did_you_mean(f"#{name}", [f"#{each}" for each in ATTRIBUTES])
                self._complaints.error("TE1202", f"unknown attribute `#{name}`", attribute._name_span, help=help_)
            case _:
                pass

    def _executable(self, attribute: v.Attribute) -> None:
        body = attribute.body or ()
        names = [item.text for item in body[:2] if isinstance(item, v.String)]
        if len(names) != 2:
            message = f"`#{EXECUTABLE}` takes a backend and a format"
            self._complaints.error(
                "TE1205", message, span_of(attribute), help='write `<"vulkan-spirv", "vulkan-spirv-fb", {...}>`'
            )
            return
        config: tuple[v.Entry, ...] = ()
        for item in body[2:]:
            if isinstance(item, v.Dictionary) and item is body[2]:
                config = self._config(item)
            else:
                self._complaints.error("TE1205", "expected one dictionary behind the format", span_of(item))
        self._executables.append(Executable(names[0], names[1], config))

    def _config(self, dictionary: v.Dictionary) -> tuple[v.Entry, ...]:
        seen: dict[str, v.Entry] = {}
        for entry in dictionary.entries:
            if entry.key in seen:
                self._complaints.error("TE1208", f"`{entry.key}` is given twice", entry._key_span, help="remove one")
                continue
            seen[entry.key] = entry
            self._nested(entry.value)
        return tuple(seen.values())

    def _nested(self, value: Value | None) -> None:
        """Attributes of target descriptions inside a configuration are held to their own rules."""
        match value:
            case v.Attribute("iree_gpu.target", _) if not self._knows_gpu:
                self._complaints.error("TE1202", "this release has no `#iree_gpu.target`", value._name_span)
            case v.Attribute("iree_gpu.target"):
                found = iree_gpu_target.Reader(self._complaints, strict=self._strict).read(value)
                self._inner = self._inner or found
            case v.Attribute(name) if name in _SPIRV:
                self._inner = self._inner or _again(value, self._complaints.source)
            case v.Attribute("vk.target_env"):
                self._inner = self._inner or _again(value, self._complaints.source)
            case v.Attribute(name) if name.startswith("hal."):
                self._check(value)
            case v.Array(items):
                for item in items:
                    self._nested(item)
            case v.Dictionary():
                self._config(value)
            case _:
                pass

    def _device(self, attribute: v.Attribute) -> None:
        body = list(attribute.body or ())
        first = body.pop(0) if body else attribute
        if not isinstance(first, v.String):
            self._complaints.error(
                "TE1205", f"`#{DEVICE}` takes the name of a device", span_of(first), help='write `<"vulkan">`'
            )
            return
        self._devices.append(first.text)
        if body and isinstance(body[0], v.Dictionary):
            self._config(body.pop(0))  # type: ignore[arg-type]
        if body and isinstance(body[0], v.Array):
            array = body.pop(0)
            assert isinstance(array, v.Array)
            if not array.items:
                self._complaints.error(
                    "TE1236", "a list of executable targets is not empty", span_of(array), help="leave it out"
                )
            for item in array.items:
                if isinstance(item, v.Attribute) and item.name == EXECUTABLE:
                    self._executable(item)
                else:
                    self._complaints.error("TE1202", f"expected `#{EXECUTABLE}<...>`", span_of(item))
        if body:
            message = "expected a dictionary, then a list of executable targets"
            self._complaints.error("TE1205", message, span_of(body[0]))

    def _alias(self, attribute: v.Attribute) -> None:
        body = attribute.body or ()
        first = body[0] if body else attribute
        if not isinstance(first, v.String | v.Indexed):
            help_ = 'write `<"vulkan">` or `<"vulkan"[0]>`'
            self._complaints.error("TE1205", f"`#{ALIAS}` takes the name of a device", span_of(first), help=help_)
            return
        self._devices.append(first.text)
        for item in body[1:]:
            if isinstance(item, v.Dictionary):
                self._config(item)
            else:
                self._complaints.error("TE1205", "expected a dictionary", span_of(item))

    def _select(self, attribute: v.Attribute) -> None:
        array = self._nonempty(attribute, "devices")
        for item in array.items if array is not None else ():
            if isinstance(item, v.Attribute) and item.name in ATTRIBUTES:
                self._check(item)
            else:
                self._complaints.error("TE1202", f"expected a device such as `#{ALIAS}<...>`", span_of(item))

    def _topology(self, attribute: v.Attribute) -> None:
        for item in attribute.body or ():
            if isinstance(item, v.Entry) and item.key == "links" and item.value == v.Array(()):
                self._complaints.error("TE1236", "a topology has links", span_of(item), help="write `[(@a -> @b = {...})]`")

    def _nonempty(self, attribute: v.Attribute, what: str) -> v.Array | None:
        body = attribute.body or ()
        if len(body) == 1 and isinstance(body[0], v.Array) and body[0].items:
            return body[0]
        message = f"`#{attribute.name}` takes a list of {what} that is not empty"
        self._complaints.error("TE1236", message, span_of(attribute))
        return None


def text(target: HalTarget) -> str:
    """The canonical text in the record's own era."""
    return printer(target.source, target.era).text(target.attribute)


def printer(source: str, era: str) -> Printer:
    """Prints these attributes and those of other dialects inside them."""
    typed = _DEVICE_TYPE if era == ERAS[-1] else ""

    def executable(attribute: v.Attribute, inside: Printer) -> str:
        return f"#{EXECUTABLE}<{_parts(attribute, inside, drop_empty=True)}>"

    def device(attribute: v.Attribute, inside: Printer) -> str:
        return f"#{DEVICE}<{_parts(attribute, inside, drop_empty=True)}>{typed}"

    def alias(attribute: v.Attribute, inside: Printer) -> str:
        return f"#{ALIAS}<{_parts(attribute, inside, drop_empty=False)}>{typed}"

    def select(attribute: v.Attribute, inside: Printer) -> str:
        annotation = "" if attribute.type is None else f" : {text_of(attribute.type)}"
        return f"#{SELECT}<{_parts(attribute, inside, drop_empty=False)}>{annotation}"

    def other(attribute: v.Attribute, inside: Printer) -> str:
        keeps = attribute.name == "hal.device.ordinal" and attribute.type is not None
        annotation = f" : {text_of(attribute.type)}" if keeps and attribute.type is not None else ""
        return f"#{attribute.name}<{_parts(attribute, inside, drop_empty=False)}>{annotation}"

    def gpu(attribute: v.Attribute, inside: Printer) -> str:
        from targetenv.syntax.complaints import Complaints

        found = iree_gpu_target.Reader(Complaints(Source("", inside.source)), strict=False).read(attribute)
        return iree_gpu_target.text(found, inside)

    def foreign(attribute: v.Attribute, inside: Printer) -> str:
        found = _again(attribute, Source("", inside.source))
        return spirv_printer.text(found) if isinstance(found, spirv_target_env.SpirvTargetEnv) else vk_printer.text(found)

    special: dict[str, Special] = {EXECUTABLE: executable, DEVICE: device, ALIAS: alias, SELECT: select, "iree_gpu.target": gpu}
    special |= dict.fromkeys(OTHERS, other) | dict.fromkeys((*_SPIRV, "vk.target_env"), foreign)
    return Printer(source, special)


def _parts(attribute: v.Attribute, inside: Printer, *, drop_empty: bool) -> str:
    shown = []
    for item in attribute.body or ():
        if drop_empty and isinstance(item, v.Dictionary) and not item.entries:
            continue
        if isinstance(item, v.String):
            shown.append(quote(item.text))
        elif isinstance(item, v.Entry):
            shown.append(f"{item.key} = {inside.text(item.value)}" if item.value is not None else item.key)
        else:
            shown.append(inside.text(item, elide=True))
    return ", ".join(shown)


def _again(attribute: v.Attribute, source: Source) -> SpirvTargetEnv | VkTargetEnv:
    """An attribute of another dialect read by its own grammar, where it stands; its errors point into the whole text."""
    span = span_of(attribute)
    blanks = "".join(character if character == "\n" else " " for character in source.text[: span.start])
    alone = Source(source.name, blanks + span.of(source.text))
    try:
        if attribute.name == "vk.target_env":
            return vk_target_env.read(alone)[0]
        return spirv_target_env.read(alone)[0]
    except ParseError as error:
        raise in_source(error, source) from None
