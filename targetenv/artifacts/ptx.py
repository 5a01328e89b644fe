"""PTX: text for NVIDIA's virtual machine, which the driver compiles. PTX ISA, "Directives".

Only what the module says of itself is read: version, targets, kernels with their parameters and bounds, shared memory, and what
it needs from elsewhere. Instructions are not: `.target` names everything that they may be.
"""

from __future__ import annotations

import re
import string

from targetenv.artifacts.containers import executable
from targetenv.artifacts.cuda import launch_limits, parameters_said
from targetenv.artifacts.inspection import damaged, odd
from targetenv.artifacts.ptx_kernels import Entry, Function, Variable, entries, variables
from targetenv.match.gpu import reach
from targetenv.match.unknowns import NARROW_ADDRESSES, TO_BE_LINKED
from targetenv.model.artifact import Kernel
from targetenv.model.record import record
from targetenv.model.requirement import NeedsIsa, NeedsVersion
from targetenv.model.version import Version
from targetenv.registry import cuda

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from targetenv.artifacts.inspection import Inspection
    from targetenv.diagnostics.diagnostic import Diagnostic
    from targetenv.model.requirement import Requirement

_CODE = "TE4040"
_NOISE = re.compile(r'"[^"\n]*"|//[^\n]*|/\*(?:.*?\*/|.*)', re.DOTALL)
_BRACE = re.compile(r"[{}]")
_STATEMENT = re.compile(
    r"""\{ | (?<![\w.%$])\. (?:
        version \s+ (?P<version>\d{1,3}\.\d{1,3}) \b
      | target \s+ (?P<target>\w+(?:\s*,\s*\w+)*)
      | address_size \s+ (?P<bits>\d{1,3}) \b
      | extern \b (?P<extern>[^;{}]*)
      | entry \s+ (?P<entry>[\w$%]+) (?P<header>[^;{}]*)
      | func \b (?P<function>[^;{}]*)
      | shared \b (?P<shared>[^;{}]*)
    )""",
    re.VERBOSE,
)
_SHARED = re.compile(r"\.shared\b([^;{}]*)")  # begins with a literal, so that instructions are passed over fast
_IN_NAME = frozenset(string.ascii_letters + string.digits + "_.%$")
_FUNCTION_NAME = re.compile(r"\s*+(?:\.\w++\s*+)*+(?:\([^)]*+\)\s*+)?([\w$%]+)")
_MOST_FUNCTIONS = 1 << 16
_WIDE = 64
#: functions that the driver brings: CUDA C++ Programming Guide, "Formatted Output", "Dynamic Global Memory", "Assertion"
_BUILT_IN = frozenset({"vprintf", "malloc", "free", "__assertfail"})


@record
class _Module:
    """What the statements of one module say; `elsewhere` are functions that it calls and does not define."""

    version: Version
    targets: tuple[str, ...]
    modes: tuple[str, ...]
    bits: int
    entries: tuple[Entry, ...]
    elsewhere: tuple[str, ...]
    dynamic: bool


def inspect_ptx(data: bytes | memoryview, *, name: str, digest: str) -> Inspection:
    """Its version, targets and kernels; FormatError TE4040 where it is damaged, TE4043 warns where it cannot be compiled."""
    text = bytes(data).partition(b"\0")[0].decode("latin-1")  # the driver takes a C string
    module = _read(_NOISE.sub(" ", text), name)
    requires: list[Requirement] = [
        NeedsVersion("ptx", module.version),
        *(NeedsIsa(target) for target in _strictest(module.targets)),
        *launch_limits(entry.launch for entry in module.entries),
    ]
    requires += [NARROW_ADDRESSES.requirement] if module.bits != _WIDE else []
    requires += [TO_BE_LINKED.requirement] if module.elsewhere else []
    kernels = tuple(
        Kernel(row.name, workgroup_size=row.launch.threads, local_memory=row.launch.shared, parameters=row.parameters)
        for row in module.entries
    )
    targets = ", ".join(target.replace("compute_", "sm_") for target in module.targets)
    details = [("PTX ISA", str(module.version)), ("architecture", targets), ("address size", f"{module.bits} bits")]
    details += [("mode", mode) for mode in module.modes]
    details += [("shared memory", "also dynamic, of a size that the launch states")] if module.dynamic else []
    details += [("needs function", function) for function in module.elsewhere]
    details += [("kernel", _said(entry)) for entry in module.entries]
    return executable(
        memoryview(data),
        name=name,
        executable_format="ptx",
        requires=requires,
        kernels=kernels,
        digest=digest,
        details=details,
        diagnostics=tuple(_too_new(module, name)),
    )


def _read(text: str, name: str) -> _Module:
    head, bodies = _parted(text, name)
    version, bits, dynamic = "", _WIDE, False
    header: tuple[str, bool, str] | None = None
    targets: list[str] = []
    functions: list[Function] = []
    declared: dict[str, None] = {}
    shared: list[Variable] = []
    place = 0
    for found in _STATEMENT.finditer(head):
        match found.lastgroup:
            case None:
                if header is not None:
                    functions.append(Function(*header, bodies[place], tuple(_shared(bodies[place]))))
                header = None
                place += 1
            case "version":
                version = version or found["version"]
            case "target":
                targets += [part.strip() for part in found["target"].split(",")]
            case "bits":
                bits = int(found["bits"])
            case "shared":
                shared += variables(found["shared"])
            case "extern":
                space, _, rest = found["extern"].strip().partition(" ")
                dynamic = dynamic or space == ".shared"
                if space == ".func" and (named := _FUNCTION_NAME.match(rest)):
                    declared[named[1]] = None
            case "header":
                header = (found["entry"], True, found["header"])
            case _:
                named = _FUNCTION_NAME.match(found["function"])
                if named is not None and head[found.end() : found.end() + 1] == "{":
                    header = (named[1], False, "")
                elif named is not None:
                    declared[named[1]] = None
        if len(functions) > _MOST_FUNCTIONS:
            raise damaged(_CODE, name, f"this PTX has more than the {_MOST_FUNCTIONS} functions that are read")
    architectures = tuple(dict.fromkeys(target for target in targets if cuda.NAME.fullmatch(target)))
    if not version or not architectures:
        raise damaged(_CODE, name, f"this PTX has no {'`.target` with an architecture' if version else '`.version`'}")
    try:
        kernels = entries(functions, shared)
    except OverflowError as error:
        raise damaged(_CODE, name, "the functions of this PTX call one another in too many ways to follow") from error
    defined = {row.name for row in functions}
    return _Module(
        Version.parse(version),
        tuple(target.replace("sm_", "compute_") for target in architectures),
        tuple(dict.fromkeys(target for target in targets if target not in architectures)),
        bits,
        kernels,
        tuple(sorted(declared.keys() - defined - _BUILT_IN)),
        dynamic,
    )


def _parted(text: str, name: str) -> tuple[str, list[str]]:
    """What stands outside of braces, with `{}` for each outermost pair, and what stands in each of these."""
    outside: list[str] = []
    bodies: list[str] = []
    depth = start = last = 0
    for found in _BRACE.finditer(text):
        if found[0] == "{":
            depth += 1
            if depth == 1:
                start = found.end()
                outside.append(text[last:start])
        else:
            depth -= 1
            if depth == 0:
                last = found.start()
                bodies.append(text[start:last])
            elif depth < 0:
                break
    if depth:
        raise damaged(_CODE, name, "the braces in this PTX do not match")
    return "".join((*outside, text[last:])), bodies


def _shared(body: str) -> Iterator[Variable]:
    """The shared variables that a function declares; `ld.shared` and the like declare none."""
    for found in _SHARED.finditer(body):
        if found.start() == 0 or body[found.start() - 1] not in _IN_NAME:
            yield from variables(found[1])


def _strictest(targets: tuple[str, ...]) -> tuple[str, ...]:
    """A module with several targets needs a device that each of them runs on; those that follow from others are left out."""
    return tuple(one for one in targets if not any(reach(other) < reach(one) for other in targets))


def _too_new(module: _Module, name: str) -> Iterator[Diagnostic]:
    """TE4043 for each target that the version does not know: no driver compiles that."""
    for target in module.targets:
        first = cuda.first_ptx(target)
        if first is not None and first > module.version:
            message = f"PTX {module.version} does not know `{target.replace('compute_', 'sm_')}`, which came with PTX {first}"
            yield odd("TE4043", name, message, help=f"write `.version {first}` or later, or target an older architecture")


def _said(entry: Entry) -> str:
    facts = [parameters_said(entry.parameters, entry.parameters_size)]
    facts += [f"{entry.launch.shared} bytes shared"] if entry.launch.shared else []
    facts += [" ".join(("." + bound, ",".join(map(str, numbers)))).rstrip() for bound, numbers in entry.bounds]
    return f"{entry.name} ({', '.join(facts)})"
