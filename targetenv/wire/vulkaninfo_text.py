"""What `vulkaninfo` prints for people, whole or as `--summary`, of any age: a tree of lines by their indentation.

A line is `name = value`, `name: count = 3` with its elements below it, or a heading with its members below. Enumerants stand
without `VK_`, numbers are decimal, hexadecimal or both (`0 (0x00000000)`), versions `1.3.230 (4206822)`.
"""

from __future__ import annotations

import re

from targetenv.model.record import record
from targetenv.registry import vulkan
from targetenv.wire.complaints import Complaints
from targetenv.wire.vulkan_claims import Claims

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from typing import Any

    from targetenv.model.device import Device

_GPU = re.compile(r"GPU(\d{1,3})\s*:?\s*")
_STRUCT = re.compile(r"(Vk\w+)\s*:?")
_HEADING = re.compile(r".*:|Vk\w+|GPU\d+|.*\bcount\b.*")
_RULE = re.compile(r"[=\-]{3,}")
_FAMILY = re.compile(r"(?:queueProperties|VkQueueFamilyProperties)\s*\[\d+\]\s*:?")
_ELEMENT = re.compile(r"(\w+)\s*\[\d+\]")
_EXTENSIONS = re.compile(r"Device Extensions\b.*")
_EXTENSION = re.compile(r"(VK_\w+)\s*:\s*extension revision")
_COUNT = re.compile(r"\s*=\s*\d+\s*")
_NUMBER_FIRST = re.compile(r"(0[xX][0-9a-fA-F]+|-?\d+)\s*\(.*")
_NUMBER_LAST = re.compile(r"[\w.]+\s*\((0[xX][0-9a-fA-F]+|\d+)\)")
_DEEPEST = 32
_MOST_GPUS = 64
_MOST_LINES = 500_000  # `--show-formats` prints some ten thousand
_LONGEST_LINE = 1024


@record
class Line:
    """One line, without its indentation, and the lines below it."""

    text: str
    below: tuple[Line, ...] = ()


def read(text: str, *, name: str, of_file: Complaints) -> Iterator[tuple[Device, str, Complaints]]:
    """Every GPU in the text, `vulkaninfo-text` or `vulkaninfo-summary`; nothing where the text is something else."""
    gpus = list(_gpus(_tree(text, of_file)))[:_MOST_GPUS]
    for index, lines in gpus:
        uri = name if len(gpus) == 1 else f"{name}#{index}"
        complaints = Complaints(uri, of_file)
        claims = Claims(complaints, texts=True)
        whole = _take(claims, lines)
        told = {"source": "vulkaninfo" if whole else "vulkaninfo --summary"}
        for line in lines:
            member, _, value = line.text.partition("=")
            if not whole and member.strip() == "driverVersion":
                told["driverVersion"] = value.strip()
        if whole and not claims.extensions:
            complaints.add("TE4314", "Device Extensions")
        if claims.values:
            kind = "vulkaninfo-text" if whole else "vulkaninfo-summary"
            yield claims.device(uri, complete=whole and bool(claims.extensions), provenance=told), kind, complaints


def _gpus(lines: Iterable[Line]) -> Iterator[tuple[str, list[Line]]]:
    """The lines of each GPU: those that follow its heading, and those below it."""
    index, mine = "", []
    for line in lines:
        heading = _GPU.fullmatch(line.text)
        if heading is None:
            mine.append(line)
            continue
        if index:
            yield index, mine
        index, mine = heading[1], list(line.below)
    if index:
        yield index, mine


def _take(claims: Claims, lines: list[Line]) -> bool:
    """Take in the lines of one GPU, and say whether they are more than a summary."""
    whole = False
    families: list[object] = []
    memory: dict[str, list[Any]] = {}
    plain: dict[str, Any] = {}
    for line in _flattened(lines):
        struct = _STRUCT.fullmatch(line.text)
        if _EXTENSIONS.fullmatch(line.text):
            for each in line.below:
                found = _EXTENSION.match(each.text)
                if found is not None:
                    claims.extension(found[1])
        elif _FAMILY.fullmatch(line.text):
            families.append(_members(line.below))
        elif struct is not None and line.below:
            whole = True
            _struct(claims, struct[1], _members(line.below))
        elif (heading := line.text.partition(":")[0].strip()) in ("memoryHeaps", "memoryTypes"):
            memory[heading] = [_members(each.below) for each in line.below]
        elif "=" in line.text:
            plain |= _members((line,))
    claims.queues_of(families)
    claims.memory_of(memory if len(memory) == 2 else None)
    if not whole:
        for member, value in plain.items():
            names = vulkan.find_property(member)
            if len(names) == 1 and not (member == "driverVersion" and "." in str(value)):
                claims.property(names[0], value, member)
    return whole


def _flattened(lines: Iterable[Line]) -> Iterator[Line]:
    """The lines, with the structs and queue families below others brought up: old versions nest limits in properties."""
    for line in lines:
        yield line
        for below in line.below:
            if (_STRUCT.fullmatch(below.text) and below.below) or _FAMILY.fullmatch(below.text):
                yield below


def _struct(claims: Claims, struct: str, members: dict[str, Any]) -> None:
    members = {key: value for key, value in members.items() if not key.startswith("Vk")}
    if vulkan.property_members(struct):
        claims.properties_of(struct, members)
    elif vulkan.feature_table(struct):
        claims.features_of(struct, members)
    elif struct.startswith("VkPhysicalDevice") and not vulkan.provided_by(struct):
        claims.complaints.add("TE4310", struct)


def _members(lines: Iterable[Line]) -> dict[str, Any]:
    """Lines as members of a struct: texts, lists of texts, or members again."""
    found: dict[str, Any] = {}
    for line in lines:
        name, equals, value = line.text.partition("=")
        name = name.strip()
        title, count, amount = line.text.rpartition("count")
        if line.below or (count and _COUNT.fullmatch(amount)):
            title = title if count and _COUNT.fullmatch(amount) else line.text
            name = title.partition("=")[0].strip().rstrip(":").strip()
            inner = [below.text for below in line.below]
            found[name] = _members(line.below) if any("=" in text for text in inner) else [t for t in inner if t != "None"]
        elif equals:
            element = _ELEMENT.fullmatch(name)
            if element is None:
                found[name] = _value(name, value.strip())
            else:
                before = found.setdefault(element[1], [])
                if isinstance(before, list):
                    before.append(_value(name, value.strip()))
    return found


def _value(name: str, text: str) -> str:
    """A value without what is only for people."""
    if name == "deviceName" or (name.startswith("driver") and name != "driverVersion"):
        return text
    first = _NUMBER_FIRST.fullmatch(text)
    if first is not None:
        return first[1]
    last = _NUMBER_LAST.fullmatch(text)
    return last[1] if last is not None else text


def _tree(text: str, complaints: Complaints) -> tuple[Line, ...]:
    """The text as a tree; lines of nothing but `=` or `-` underline headings."""
    root: list[Any] = []
    stack: list[tuple[int, list[Any]]] = [(-1, root)]
    in_gpu = False
    lines = text.splitlines()
    if len(lines) > _MOST_LINES:
        complaints.add("TE4315", f"more than {_MOST_LINES} lines")
    for raw in lines[:_MOST_LINES]:
        line = raw[:_LONGEST_LINE].expandtabs(8).rstrip()
        bare = line.lstrip()
        if not bare or _RULE.fullmatch(bare):
            continue
        indent = len(line) - len(bare)
        in_gpu = in_gpu or _GPU.fullmatch(bare) is not None
        if in_gpu and not indent and _HEADING.fullmatch(bare) is None:
            continue  # the rest of a value of several lines, such as Qualcomm's driverInfo
        while len(stack) > 1 and stack[-1][0] >= indent:
            stack.pop()
        if len(stack) > _DEEPEST:
            stack.pop()
        node: tuple[str, list[Any]] = (bare, [])
        stack[-1][1].append(node)
        stack.append((indent, node[1]))
    return tuple(map(_line, root))


def _line(node: tuple[str, list[Any]]) -> Line:
    text, below = node
    return Line(text, tuple(map(_line, below)))
