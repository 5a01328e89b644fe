"""`#vk.target_env<...>` as a record: what one text of any era says, in its order, with its duplicates.

`read` makes it from text, `vk_printer` prints it in any era, `vk_lowering` turns it into a `TargetEnv` and back.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from lark import Token, Tree

from targetenv.diagnostics.diagnostic import Diagnostic, Label, Source
from targetenv.diagnostics.suggest import did_you_mean
from targetenv.model.record import record
from targetenv.model.span import Span
from targetenv.syntax import device_words, value_reader, vk_names
from targetenv.syntax import value as v
from targetenv.syntax.complaints import Complaints, beside
from targetenv.syntax.device_words import DEVICE_TYPES, VENDORS, device_id, word
from targetenv.syntax.grammar import tree
from targetenv.syntax.vk_settings import Reader, Setting

if TYPE_CHECKING:
    from targetenv.syntax.brackets import Open
    from targetenv.syntax.grammar import Node
    from targetenv.syntax.unexpected import Found

WANTED = (
    ((("<", 0),), "a Vulkan version such as `v1.1`"),
    ((("<", 1),), "a revision such as `r(120)`"),
    ((("<", 2), ("[", None)), "the name of a Vulkan extension"),
    ((("<", 2),), "a list of extensions in `[` and `]`"),
    ((("<", 3),), "`Vendor:DeviceType` such as `AMD:DiscreteGPU`, or `{`"),
    ((("<", 4),), "`#vk.caps<...>` or `{`"),
    ((("<", 3), ("{", None)), "a feature or limit such as `subgroupSize = 64 : i32`"),
    ((("<", 4), ("{", None)), "a feature or limit such as `subgroupSize = 64 : i32`"),
    ((("<", 3), ("<", None)), "a feature or limit such as `subgroupSize = 64`"),
    ((("<", 4), ("<", None)), "a feature or limit such as `subgroupSize = 64`"),
)


@record
class VkTargetEnv:
    """One target environment as written. `extensions` keep order and duplicates; `settings` keep order.

    `device` is None in the eras that have none, else vendor, device type and device id (None: not written).
    """

    era: str
    version: str
    revision: int
    extensions: tuple[str, ...]
    device: tuple[str, str, int | None] | None
    settings: tuple[Setting, ...]

    def setting(self, key: str) -> Setting | None:
        """The setting of that key, if it was written."""
        return next((each for each in self.settings if each.key == key), None)


def read(source: Source, release: vk_names.Release | None = None) -> tuple[VkTargetEnv, tuple[Diagnostic, ...]]:
    """The record of a text, and warnings; `release` asks for what that release of IREE accepts, neither more nor less.

    Raises `ParseError` (TE10xx, TE12xx, TE20xx).
    """
    node = tree("vk_target_env", source, WANTED, _usual_mistake)
    complaints = Complaints(source)
    apart = re.search(r"#vk\.\w+(\s+)<", source.text) if release is not None else None
    if apart is not None:
        complaints.error("TE1002", "white space before `<`", Span(*apart.span(1)), help="remove it")
    parts = {value_reader.rule(child): child for child in node.children if isinstance(child, Tree)}
    body = value_reader.item(parts.get("dictionary") or parts["attribute"])
    device_node = parts.get("device")
    reader = Reader(complaints, release)
    made = VkTargetEnv(
        _era(body, device_node, complaints, release),
        _version(parts["version"], complaints, release),
        _revision(parts["revision"], complaints, release),
        _extensions(parts["extensions"], complaints, release),
        None if device_node is None else _device(device_node, complaints, release),
        reader.settings(body, has_device=device_node is not None),
    )
    reader.judge_features(made.settings, made.version, made.extensions)
    return made, complaints.settle()


def _usual_mistake(source: Source, found: Found, stack: tuple[Open, ...]) -> Diagnostic | None:
    path = tuple((each.bracket, each.commas) for each in stack)
    before = source.text[: found.at].rstrip()
    last = re.search(r"[A-Za-z_][\w$.]*$", before)
    if path == (("<", 1),) and last and re.fullmatch(r"r\d+", last[0]):
        label = Label(Span(*last.span()), "the number goes in parentheses")
        return Diagnostic("TE1101", f"malformed revision `{last[0]}`", source, (label,), help=f"write `r({last[0][1:]})`")
    if path[:1] == (("<", 2),) and len(path) == 2 and found.kind == "STRING":
        label = Label(Span(found.at, found.at + len(found.text)))
        help_ = f"write {found.text[1:-1]} without the quotes"
        return Diagnostic("TE1104", "an extension is a bare name", source, (label,), help=help_)
    if path == (("<", 3),) and found.text == "," and last:
        label = Label(Span(*last.span()), "no device type follows")
        return Diagnostic(
            "TE1102", "missing device type", source, (label,), help=f"write `{last[0]}:DiscreteGPU` or another type"
        )
    return None


def _tokens(node: Node) -> list[Token]:
    return [child for child in node.children if isinstance(child, Token)]


def _era(body: v.Item, device: Node | None, complaints: Complaints, release: vk_names.Release | None) -> str:
    if isinstance(body, v.Attribute):
        if device is None:
            complaints.error(
                "TE1102",
                "missing vendor and device type",
                body._name_span,
                "expected `Vendor:DeviceType,` before this",
                help="write `Unknown:Unknown,` in front of `#vk.caps` if the device does not matter",
            )
        return "C"
    keys = {entry.key for entry in body.entries} if isinstance(body, v.Dictionary) else set()
    era = "B" if device is not None else "A" if keys <= vk_names.ERA_A_KEYS else "doc"
    if release is not None:
        complaints.error(
            "TE1103",
            f"iree@{release.name} reads only the form with `#vk.caps`",
            v.span_of(body),
            f"a dictionary, as in era {era}",
            help="print it with `--to vk@C` first",
        )
    return era


def _version(node: Node, complaints: Complaints, release: vk_names.Release | None) -> str:
    token = _tokens(node)[0]
    known = vk_names.VERSIONS if release is None else release.versions
    if token not in known:
        suggestion = did_you_mean(str(token), known) or f"write one of {', '.join(f'`{each}`' for each in known)}"
        complaints.error(
            "TE1201", f"unknown Vulkan version `{token}`", value_reader.token_span(token), "not a version", help=suggestion
        )
    return str(token)


def _revision(node: Node, complaints: Complaints, release: vk_names.Release | None) -> int:
    name, number = _tokens(node)
    if name != "r":
        span = value_reader.token_span(name)
        complaints.error("TE1101", f"expected a revision, found `{name}`", span, help="write the revision as `r(120)`")
    return device_words.number(number, "the revision", complaints, lenient=release is not None)


def _extensions(node: Node, complaints: Complaints, release: vk_names.Release | None) -> tuple[str, ...]:
    from targetenv.registry import vulkan

    seen: dict[str, Span] = {}
    names = []
    known = vulkan.extension_names() if release is None else release.extensions
    for token in _tokens(node):
        name, span = str(token), value_reader.token_span(token)
        if name not in known:
            where = f"the Vulkan registry {vulkan.HEADER_VERSION}" if release is None else f"iree@{release.name}"
            complaints.error("TE1203", f"unknown extension `{name}`", span, f"not in {where}", help=did_you_mean(name, known))
        elif name in seen and release is None:
            first = (beside(seen[name], "first listed here"),)
            complaints.warning("TE2001", f"extension `{name}` is listed twice", span, help="remove one", also=first)
        seen.setdefault(name, span)
        names.append(name)
    return tuple(names)


def _device(node: Node, complaints: Complaints, release: vk_names.Release | None) -> tuple[str, str, int | None]:
    vendor, device_type, *number = _tokens(node)
    vendors = VENDORS if release is None else release.vendors
    lenient = release is not None
    return (
        word(vendor, vendors, "TE1209", "vendor", complaints, lenient=lenient),
        word(device_type, DEVICE_TYPES, "TE1210", "device type", complaints, lenient=lenient),
        device_id(number, complaints, lenient=lenient),
    )
