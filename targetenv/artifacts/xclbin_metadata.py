"""The kernels of an xclbin and their arguments, from its XML. Document types and entities are refused, so nothing expands."""

from __future__ import annotations

from targetenv.artifacts.inspection import damaged
from targetenv.model.record import record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_GLOBAL = ("1",)
_DEEPEST = 64
_MOST_ARGUMENTS = 1 << 16


@record
class Argument:
    """One argument: its number, name, C type, and whether it is a buffer in global memory."""

    number: int
    name: str
    type: str
    offset: int
    is_global: bool


def read_kernels(data: bytes | memoryview, name: str) -> dict[str, tuple[Argument, ...]]:
    """Kernel -> its arguments, in the file's order; FormatError TE4801 where it is no XML, or XML with a document type."""
    from xml.parsers.expat import ExpatError, ParserCreate  # 3 ms, and only for this one section

    kernels: dict[str, list[Argument]] = {}
    path: list[str] = []
    current: list[Argument] = []

    def start(tag: str, attributes: dict[str, str]) -> None:
        nonlocal current
        path.append(tag)
        if len(path) > _DEEPEST:
            raise damaged("TE4801", name, f"the metadata has more than {_DEEPEST} elements inside one another")
        if tag == "kernel":
            current = kernels.setdefault(attributes.get("name", ""), [])
        elif tag == "arg" and "kernel" in path:
            if len(current) >= _MOST_ARGUMENTS:
                raise damaged("TE4801", name, "a kernel in the metadata has too many arguments")
            current.append(_argument(attributes, name))

    def refuse(*_: Any) -> None:
        raise damaged("TE4801", name, "the metadata declares a document type or an entity, which no tool writes")

    parser = ParserCreate()
    parser.StartElementHandler = start
    parser.EndElementHandler = lambda _: path.pop()
    parser.StartDoctypeDeclHandler = parser.EntityDeclHandler = refuse
    try:
        parser.Parse(bytes(data).rstrip(b"\0"), True)
    except (ExpatError, ValueError, LookupError) as error:  # ValueError, LookupError: an encoding that does not exist
        raise damaged("TE4801", name, f"the metadata is not valid XML: {str(error).lower()}") from error
    return {kernel: tuple(arguments) for kernel, arguments in kernels.items() if kernel}


def _argument(attributes: dict[str, str], name: str) -> Argument:
    try:
        number, offset = (int(attributes.get(key, "0"), 0) for key in ("id", "offset"))
    except ValueError as error:
        raise damaged("TE4801", name, "an argument in the metadata has a number that is none") from error
    is_global = attributes.get("addressQualifier") in _GLOBAL
    return Argument(number, attributes.get("name", ""), attributes.get("type", ""), offset, is_global)
