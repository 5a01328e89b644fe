"""OpenCL C: source that the device's driver compiles when it is loaded. Its text says what its kernels take.

It is not preprocessed: what stands between `#if` and `#endif` may or may not be there, so that nothing is required because of
it; what a file includes is not known.
"""

from __future__ import annotations

import re

from targetenv.artifacts.containers import executable
from targetenv.match.unknowns import INCLUDES
from targetenv.model.artifact import Kernel
from targetenv.model.requirement import AnyOf, NeedsExtension, NeedsFeature, NeedsSubgroupSize

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from targetenv.artifacts.inspection import Inspection
    from targetenv.model.requirement import Requirement

_HEAD = 1 << 20
_MOST_KERNELS = 1024
_GUESSES = 64  # words `kernel` after which a text is none of OpenCL C
_NOTHING_SAID = re.compile(r'/\*(?:.*?\*/|.*)|//[^\n]*|"(?:\\.|[^"\\\n])*"?', re.DOTALL)
_CONTINUED = re.compile(r"\\\r?\n")
_KEYWORD = re.compile(r"\b(?:__)?kernel\b")
_TOKEN = re.compile(r"[A-Za-z_]\w*|[^\w\s]")
_AROUND = 1024  # characters before a kernel's parameters that are looked at
_LONGEST = 4096  # characters of the parameters
_PRAGMA = re.compile(r"^\s*#\s*pragma\s+OPENCL\s+EXTENSION\s+(cl_\w+)\s*:\s*(?:enable|require)\b")
_INCLUDE = re.compile(r"^\s*#\s*include\b")
_IF, _ENDIF = re.compile(r"^\s*#\s*if"), re.compile(r"^\s*#\s*endif")
_SIZE = re.compile(r"\breqd_work_group_size\s*\(\s*(\d{1,9})\s*,\s*(\d{1,9})\s*,\s*(\d{1,9})\s*\)")
_SUBGROUP = re.compile(r"\bintel_reqd_sub_group_size\s*\(\s*(\d{1,4})\s*\)")
_DOUBLE = re.compile(r"\bdouble(?:2|3|4|8|16)?\b")
#: OpenCL 3.0 made it an optional feature of the language; before it was an extension only.
_NEEDS_DOUBLE = AnyOf((NeedsExtension("cl_khr_fp64"), NeedsFeature("__opencl_c_fp64")))
_POINTER = re.compile(r"\b(?:__)?(global|constant|local)\b")
_VALUE = re.compile(r"(?:\bconst\b|\bunsigned\b|\s)*([a-z_]+?)(2|3|4|8|16)?\s+[A-Za-z_]\w*\s*$")
_SIZES = {"char": 1, "uchar": 1, "short": 2, "ushort": 2, "half": 2, "int": 4, "uint": 4, "float": 4, "long": 8, "ulong": 8}
_SIZES |= {"double": 8}


def is_source(data: bytes | memoryview) -> bool:
    """Whether this is text that defines a kernel of OpenCL C.

    >>> is_source(b"__kernel void k(__global float *x) {}"), is_source(b"kernel trick")
    (True, False)
    """
    head = bytes(data[:_HEAD])
    return b"kernel" in head and b"\0" not in head and next(_kernels(_text(head), most=_GUESSES), None) is not None


def inspect_opencl_c(data: bytes | memoryview, *, name: str, digest: str) -> Inspection:
    """The kernels that the text defines, with their parameters, and the extensions that it enables."""
    text = _text(bytes(data))
    plain, extensions, includes = _directives(text)
    requires: list[Requirement] = [NeedsExtension(extension) for extension in extensions]
    if _DOUBLE.search(plain):
        requires.append(_NEEDS_DOUBLE)
    if includes:
        requires.append(INCLUDES.requirement)
    kernels = [_kernel(*found) for found in _kernels(plain)]
    requires += [NeedsSubgroupSize(size) for size in sorted({row.subgroup_size for row in kernels if row.subgroup_size})]
    details = [("kernel", kernel.name) for kernel in kernels]
    return executable(
        memoryview(data),
        name=name,
        digest=digest,
        executable_format="opencl-c",
        requires=requires,
        kernels=tuple(kernels),
        details=details,
    )


def _text(data: bytes) -> str:
    """The text without comments and strings, and with continued lines joined."""
    return _NOTHING_SAID.sub(" ", _CONTINUED.sub("", data.decode("utf-8", errors="replace")))


def _directives(text: str) -> tuple[str, list[str], bool]:
    """The text without directives, the extensions that it enables in any case, and whether it includes files."""
    extensions: dict[str, None] = {}
    lines, includes, depth = [], False, 0
    for line in text.splitlines():
        if _IF.match(line):
            depth += 1
        elif _ENDIF.match(line):
            depth = max(0, depth - 1)
        elif depth == 0 and (found := _PRAGMA.match(line)):
            extensions[found[1]] = None
        elif _INCLUDE.match(line):
            includes = True
        lines.append("" if line.lstrip().startswith("#") else line)
    return "\n".join(lines), [*extensions], includes


def _kernels(text: str, *, most: int = _MOST_KERNELS) -> Iterator[tuple[str, str, list[str] | None]]:
    """For each kernel: what is said before its parameters, its name, and the parameters."""
    keyword, looked = _KEYWORD.search(text), 0
    while keyword is not None and looked < most:
        head = _head(text, keyword.end())
        if head is not None:
            name, opened = head
            yield text[_begin(text, keyword.start()) : opened], name, _parameters(text, opened + 1)
        keyword = _KEYWORD.search(text, head[1] if head is not None else keyword.end())
        looked += 1


def _begin(text: str, keyword: int) -> int:
    """Where the declaration begins in which this keyword stands: attributes may come before it."""
    lowest = max(0, keyword - _AROUND)
    return max(lowest, *(text.rfind(end, lowest, keyword) + 1 for end in ";{}"))


def _head(text: str, at: int) -> tuple[str, int] | None:
    """The name of the kernel whose keyword ends at `at`, and where its parameters open; None where it is no kernel's."""
    depth, void, word = 0, False, ""
    for token in _TOKEN.finditer(text, at, at + _AROUND):
        said = token[0]
        if said in ";{}":
            return None
        if said == "(" and depth == 0 and void and word not in ("", "void", "__attribute__"):
            return word, token.start()
        depth += (said == "(") - (said == ")")
        if depth == 0:
            void |= said == "void"
            word = said if said.isidentifier() else ""
    return None


def _kernel(said: str, name: str, parameters: list[str] | None) -> Kernel:
    size = _SIZE.search(said)
    subgroup = _SUBGROUP.search(said)
    bindings, at, known = 0, 0, parameters is not None
    for parameter in parameters or ():
        space = _POINTER.search(parameter)
        if space is not None:
            bindings += space[1] != "local"
            continue
        value = _VALUE.fullmatch(parameter.strip())
        width = _SIZES.get(("u" if "unsigned" in parameter else "") + value[1]) if value is not None else None
        if width is None or value is None:
            known = False
            break
        width *= 4 if value[2] == "3" else int(value[2] or 1)
        at += -at % min(width, 16) + width
    return Kernel(
        name,
        (int(size[1]), int(size[2]), int(size[3])) if size else None,
        bindings if known else None,
        at + -at % 4 if known else None,
        subgroup_size=int(subgroup[1]) if subgroup else None,
    )


def _parameters(text: str, at: int) -> list[str] | None:
    """The parameters of the list that begins at `at`; None where it does not end."""
    depth, begin, found = 1, at, []
    for place in range(at, min(len(text), at + _LONGEST)):
        character = text[place]
        depth += (character == "(") - (character == ")")
        if depth == 0 or (depth == 1 and character == ","):
            found.append(text[begin:place])
            begin = place + 1
        if depth == 0:
            return [parameter for parameter in found if parameter.strip() not in ("", "void")]
    return None
