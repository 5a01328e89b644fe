"""What AMD's compilers say about kernels in a note of the code object: resources, and the layout of the argument block.

Code objects V3 and later say it in MessagePack, V2 in YAML of the shape that LLVM prints. Source: LLVM AMDGPUUsage.rst, "Code
Object Metadata".
"""

from __future__ import annotations

from targetenv.artifacts.msgpack import unpack
from targetenv.artifacts.yaml_block import read_yaml
from targetenv.model.artifact import Kernel, Parameter
from targetenv.model.record import record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from targetenv.artifacts.msgpack import Value

_MOST_KERNELS = 1 << 16

#: What an argument is, by either spelling of its `value_kind`.
_KINDS = {
    "by_value": "value",
    "global_buffer": "buffer",
    "dynamic_shared_pointer": "local",
    "sampler": "sampler",
    "image": "image",
    "pipe": "buffer",
    "queue": "buffer",
    "byvalue": "value",
    "globalbuffer": "buffer",
    "dynamicsharedpointer": "local",
}
# What is told, and its key in V3 and in V2 (there in `CodeProps`).
_LDS, _PRIVATE = (
    (".group_segment_fixed_size", "GroupSegmentFixedSize"),
    (".private_segment_fixed_size", "PrivateSegmentFixedSize"),
)
_WAVEFRONT, _ARGUMENTS = (".wavefront_size", "WavefrontSize"), (".kernarg_segment_size", "KernargSegmentSize")
_FACTS = (
    ("VGPRs", ".vgpr_count", "NumVGPRs"),
    ("SGPRs", ".sgpr_count", "NumSGPRs"),
    ("AGPRs", ".agpr_count", ""),
    ("spilled VGPRs", ".vgpr_spill_count", "NumSpilledVGPRs"),
    ("spilled SGPRs", ".sgpr_spill_count", "NumSpilledSGPRs"),
    ("bytes of LDS", *_LDS),
    ("bytes of private memory for each work-item", *_PRIVATE),
    ("work-items in a workgroup at most", ".max_flat_workgroup_size", "MaxFlatWorkGroupSize"),
    ("bytes of arguments", *_ARGUMENTS),
    ("work-items in a wavefront", *_WAVEFRONT),
)


@record
class AmdKernel:
    """One kernel: its interface, and the resources that it takes, for people."""

    kernel: Kernel
    facts: tuple[tuple[str, int], ...]


@record
class Metadata:
    """What the note says: the target ID where it has one (V4 and later), its own version, the kernels."""

    target: str | None
    version: tuple[int, int] | None
    kernels: tuple[AmdKernel, ...]


def from_msgpack(note: memoryview, name: str) -> Metadata:
    """The metadata of code objects V3 to V6; FormatError TE4061 where it is no MessagePack."""
    root = unpack(note, name, "TE4061")
    if not isinstance(root, dict):
        return Metadata(None, None, ())
    target = root.get("amdhsa.target")
    version = _numbers(root.get("amdhsa.version"), 2)
    kernels = tuple(_kernel(row, row, old=False) for row in _rows(root.get("amdhsa.kernels")))
    return Metadata(target if isinstance(target, str) else None, (version[0], version[1]) if version else None, kernels)


def from_yaml(note: memoryview, name: str) -> Metadata:
    """The metadata of code objects V2; FormatError TE4061 where it is not as LLVM prints it."""
    root = read_yaml(bytes(note).rstrip(b"\0").decode("utf-8", "replace"), name, "TE4061")
    if not isinstance(root, dict):
        return Metadata(None, None, ())
    version = _numbers(root.get("Version"), 2)
    kernels = []
    for row in _rows(root.get("Kernels")):
        properties, attributes = row.get("CodeProps"), row.get("Attrs")
        merged = row | (attributes if isinstance(attributes, dict) else {})
        kernels.append(_kernel(merged, properties if isinstance(properties, dict) else {}, old=True))
    return Metadata(None, (version[0], version[1]) if version else None, tuple(kernels))


def _kernel(row: dict[Value, Value], properties: dict[Value, Value], *, old: bool) -> AmdKernel:
    at = int(old)
    name = _text(row, (".name", "Name")[at]) or "?"
    symbol = _text(row, (".symbol", "SymbolName")[at])
    size = _numbers(row.get((".reqd_workgroup_size", "ReqdWorkGroupSize")[at]), 3)
    arguments = row.get((".args", "Args")[at])
    total = _number(properties, _ARGUMENTS[at])
    parameters = _parameters(_rows(arguments), old=old) if isinstance(arguments, list) or total == 0 else None
    explicit = [one for one in parameters or () if one.kind != "hidden"]
    local = _number(properties, _LDS[at])
    kernel = Kernel(
        name,
        workgroup_size=(size[0], size[1], size[2]) if size else None,
        bindings=sum(one.kind == "buffer" for one in explicit) if parameters is not None else None,
        constants=sum(one.size for one in explicit if one.kind == "value") if parameters is not None else None,
        local_memory=local,
        entry_point=symbol if symbol not in (None, name) else None,
        subgroup_size=_number(properties, _WAVEFRONT[at]) or None,
        parameters=parameters,
    )
    facts = [(what, _number(properties, (new, before)[at])) for what, new, before in _FACTS]
    return AmdKernel(kernel, tuple((what, value) for what, value in facts if value))


def _parameters(rows: list[dict[Value, Value]], *, old: bool) -> tuple[Parameter, ...]:
    """V2 gives no offsets: arguments follow one another, each aligned as it says."""
    found = []
    end = 0
    for row in rows:
        kind = (_text(row, "ValueKind" if old else ".value_kind") or "").lower()
        name = _text(row, "Name" if old else ".name")
        size = _number(row, "Size" if old else ".size") or 0
        offset = _number(row, ".offset")
        if offset is None:
            alignment = max(1, _number(row, "Align") or 1)
            offset = -(-end // alignment) * alignment
        end = offset + size
        hidden = kind.startswith("hidden")
        found.append(
            Parameter(offset, size, "hidden" if hidden else _KINDS.get(kind, kind or "value"), kind if hidden else name)
        )
    return tuple(found)


def _rows(value: Value) -> list[dict[Value, Value]]:
    return [row for row in value[:_MOST_KERNELS] if isinstance(row, dict)] if isinstance(value, list) else []


def _text(row: dict[Value, Value], key: str) -> str | None:
    value = row.get(key)
    return value if isinstance(value, str) else None


def _number(row: dict[Value, Value], key: str) -> int | None:
    value = row.get(key)
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 1 << 63 else None


def _numbers(value: Value, count: int) -> tuple[int, ...] | None:
    if not isinstance(value, list) or len(value) != count:
        return None
    found = tuple(one for one in value if isinstance(one, int) and not isinstance(one, bool) and 0 <= one < 1 << 32)
    return found if len(found) == count else None
