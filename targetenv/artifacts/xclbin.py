"""xclbin: the container that XRT and amdxdna load for an NPU. Header, section table, the sections that decide what can run.

Layout: XRT core/include/xrt/detail/xclbin.h. Nothing has a checksum, and tools check little: xclbinutil writes, and XRT loads,
files in which one kernel silently runs another's code. So what contradicts itself is said here.
"""

from __future__ import annotations

from targetenv.artifacts.aie import COLUMNS, merged
from targetenv.artifacts.containers import Budget, executable
from targetenv.artifacts.inspection import damaged, odd
from targetenv.artifacts.pdi import is_pdi, read_pdi
from targetenv.artifacts.window import Window
from targetenv.artifacts.xclbin_metadata import Argument, read_kernels
from targetenv.model.artifact import Kernel
from targetenv.model.record import record
from targetenv.model.requirement import NeedsLimit, NeedsUnknown, Relation

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from targetenv.artifacts.inspection import Inspection
    from targetenv.diagnostics.diagnostic import Diagnostic
    from targetenv.model.requirement import Requirement

MAGIC = b"xclbin2\0"
_TABLE, _ENTRY = 456, 40
_METADATA, _MEMORY, _CONNECTIVITY, _IP_LAYOUT, _PARTITION = 2, 6, 7, 8, 32
_SECTIONS = {
    0: "BITSTREAM", 2: "EMBEDDED_METADATA", 6: "MEM_TOPOLOGY", 7: "CONNECTIVITY", 8: "IP_LAYOUT", 14: "BUILD_METADATA",
    18: "PDI", 20: "PARTITION_METADATA", 25: "AIE_METADATA", 26: "GROUP_TOPOLOGY", 27: "GROUP_CONNECTIVITY",
    29: "AIE_RESOURCES", 32: "AIE_PARTITION", 33: "IP_METADATA", 34: "AIE_RESOURCES_BIN", 35: "AIE_TRACE_METADATA",
}  # fmt: skip
_PS_KERNEL = 7
_MOST_UNITS = 32  # MAX_NUM_CUS of the kernel driver amdxdna, for one hardware context
_INSTRUCTIONS = "SRAM"  # the memory that the instruction stream of a kernel is bound to


@record
class Memory:
    """One memory: its tag, size in KiB and base address."""

    tag: str
    size: int
    base: int
    used: bool


@record
class Ip:
    """One instance of a kernel: `name` is `kernel:instance`, `kernel_id` what the partition's groups refer to."""

    name: str
    kind: int
    kernel_id: int


@record
class CdoGroup:
    """Which kernels a PDI serves."""

    name: str
    kind: int
    pdi_id: int
    kernel_ids: tuple[int, ...]
    before: tuple[int, ...]


@record
class PartitionPdi:
    """One PDI of the partition and the groups of kernels that it serves."""

    uuid: str
    image: memoryview
    groups: tuple[CdoGroup, ...]


@record
class Partition:
    """The columns that the design takes, where it may be placed, and its PDIs."""

    columns: int
    starts: tuple[int, ...]
    operations_per_cycle: int
    fingerprint: int
    pdis: tuple[PartitionPdi, ...]


@record
class Xclbin:
    """Everything of a file that is read. `connections` are (argument, instance, memory)."""

    uuid: str
    version: tuple[int, int, int]
    length: int
    sections: tuple[tuple[str, str, int], ...]
    memories: tuple[Memory, ...]
    ips: tuple[Ip, ...]
    connections: tuple[tuple[int, int, int], ...]
    partition: Partition | None
    kernels: Mapping[str, tuple[Argument, ...]]


def read_xclbin(data: bytes | memoryview, name: str) -> Xclbin:
    """The file's contents; FormatError TE4801 where anything lies outside of what it is in."""
    window = Window(data, name, "TE4801")
    if bytes(window.part(0, 8, "the header")) != MAGIC:
        raise damaged("TE4801", name, "this is no xclbin: it does not begin with `xclbin2`")
    length, _, _, patch, major, minor = window.unpack("<QQQHBB", 304, "the header")
    uuid = _uuid(window.part(416, 16, "the header"))
    (count,) = window.unpack("<I", 448, "the header")
    window.part(_TABLE, _ENTRY * count, "the section table")
    sections: list[tuple[str, str, int]] = []
    found: dict[int, Window] = {}
    total = 0
    for place in range(count):
        kind, raw, offset, size = window.unpack("<I16s4xQQ", _TABLE + _ENTRY * place, "a section header")
        what = _SECTIONS.get(kind, f"section {kind}")
        content = Window(window.part(offset, size, f"section {what}"), name, "TE4801")
        total += size
        if total > len(window) or (size and offset < _TABLE + _ENTRY * count):
            raise damaged("TE4801", name, f"section {what} lies over another one")
        sections.append((what, raw.split(b"\0")[0].decode("latin-1"), size))
        found.setdefault(kind, content)
    rows = {kind: found.get(kind, Window(b"", name, "TE4801")) for kind in (_MEMORY, _IP_LAYOUT, _CONNECTIVITY, _METADATA)}
    return Xclbin(
        uuid,
        (major, minor, patch),
        length,
        tuple(sections),
        tuple(_memories(rows[_MEMORY])),
        tuple(_ips(rows[_IP_LAYOUT])),
        tuple(_connections(rows[_CONNECTIVITY])),
        _partition(found[_PARTITION]) if _PARTITION in found else None,
        read_kernels(rows[_METADATA].data, name) if len(rows[_METADATA]) else {},
    )


def inspect_xclbin(data: bytes | memoryview, *, name: str, budget: Budget) -> Inspection:
    """The kernels, the partition that they need, and what is wrong though tools accept it (TE4802)."""
    found = read_xclbin(data, name)
    requires: list[Requirement] = []
    partition = found.partition
    details = [("uuid", found.uuid), ("made by", f"xclbin tools {'.'.join(map(str, found.version))}")]
    details += [("section", f"{what}{f' `{label}`' if label else ''}, {size} bytes") for what, label, size in found.sections]
    details += [("memory", f"{row.tag}, {row.size} KiB at {row.base:#x}") for row in found.memories]
    if partition is not None:
        requires.append(NeedsLimit(COLUMNS, Relation.AT_LEAST, partition.columns))
        starts = ", ".join(map(str, partition.starts))
        details.append(("partition", f"{partition.columns} columns, starting at {starts or 'any'}"))
        budget.take(len(partition.pdis), name)
        for pdi in partition.pdis:
            ids = ", ".join(f"{one:#x}" for group in pdi.groups for one in group.kernel_ids)
            details.append(("pdi", f"{pdi.uuid}, {len(pdi.image)} bytes, for kernels {ids or 'none'}"))
            if is_pdi(pdi.image):
                requires += read_pdi(pdi.image, f"{name}!{pdi.uuid}").requires
    else:
        requires.append(NeedsUnknown("which device this xclbin is for: it has no AIE partition"))
    return executable(
        memoryview(data),
        name=name,
        digest=budget.digest(data),
        executable_format="xclbin",
        requires=merged(requires),
        kernels=tuple(_kernels(found)),
        details=details,
        diagnostics=tuple(_contradictions(found, len(data), name)),
    )


def _kernels(found: Xclbin) -> Iterator[Kernel]:
    """Kernels with their buffers: arguments in global memory, but for the one that takes the instructions."""
    tags = [row.tag for row in found.memories]
    instances = {row.name.partition(":")[0]: place for place, row in reversed(tuple(enumerate(found.ips)))}
    for kernel, arguments in found.kernels.items():
        place = instances.get(kernel)
        bound = {argument: memory for argument, instance, memory in found.connections if instance == place}
        buffers = [row for row in arguments if row.is_global and _tag(tags, bound.get(row.number)) != _INSTRUCTIONS]
        yield Kernel(kernel, bindings=len(buffers))


def _tag(tags: Sequence[str], memory: int | None) -> str | None:
    return tags[memory] if memory is not None and 0 <= memory < len(tags) else None


def _contradictions(found: Xclbin, size: int, name: str) -> Iterator[Diagnostic]:
    def wrong(message: str, advice: str) -> Diagnostic:
        return odd("TE4802", name, message, help=advice)

    again = "make the file again with xclbinutil"
    if found.length != size:
        yield wrong(f"the header says that the file has {found.length} bytes, and it has {size}", again)
    units = [row for row in found.ips if row.kind == _PS_KERNEL]
    by_id: dict[int, list[str]] = {}
    for row in units:
        by_id.setdefault(row.kernel_id, []).append(row.name)
    for kernel_id, names in by_id.items():
        if len(names) > 1:
            sharing = " and ".join(f"`{one}`" for one in names)
            message = f"kernels {sharing} share id {kernel_id:#x}: the first one's code runs for all"
            yield wrong(message, "give every kernel a `dpu_kernel_id` of its own")
    if len(units) > _MOST_UNITS:
        yield wrong(f"{len(units)} kernels are more than the {_MOST_UNITS} that one hardware context takes", "split the file")
    if found.partition is None:
        return
    served = [one for pdi in found.partition.pdis for group in pdi.groups for one in group.kernel_ids]
    for kernel_id, names in by_id.items():
        if served.count(kernel_id) != 1:
            message = f"kernel `{names[0]}` with id {kernel_id:#x} is in {served.count(kernel_id)} PDIs in place of one"
            yield wrong(message, "name it in the `dpu_kernel_ids` of exactly one PDI")
    images: dict[str, bytes] = {}
    for pdi in found.partition.pdis:
        if images.setdefault(pdi.uuid, bytes(pdi.image)) != pdi.image:
            yield wrong(f"two PDIs have the UUID {pdi.uuid} and differ", "give every PDI a UUID of its own")
        if not is_pdi(pdi.image):
            yield wrong(f"what the PDI {pdi.uuid} holds is no PDI", "make it with bootgen")


def _memories(rows: Window) -> Iterator[Memory]:
    for at in _rows(rows, 8, 40):
        _, used, size, base, tag = rows.unpack("<BB6xQQ16s", at, "a memory")
        yield Memory(tag.split(b"\0")[0].decode("latin-1"), size, base, bool(used))


def _ips(rows: Window) -> Iterator[Ip]:
    for at in _rows(rows, 8, 80):
        kind, properties, _, label = rows.unpack("<IIQ64s", at, "a kernel instance")
        yield Ip(label.split(b"\0")[0].decode("latin-1"), kind, properties >> 16 & 0xFFF)


def _connections(rows: Window) -> Iterator[tuple[int, int, int]]:
    for at in _rows(rows, 4, 12):
        argument, instance, memory = rows.unpack("<iii", at, "a connection")
        yield argument, instance, memory


def _rows(rows: Window, first: int, size: int) -> range:
    """Where the rows of a counted table are; the count is its first word."""
    if not len(rows):
        return range(0)
    (count,) = rows.unpack("<I", 0, "a table's length")
    rows.part(first, size * count, "a table")
    return range(first, first + size * count, size)


def _partition(rows: Window) -> Partition:
    operations, fingerprint = rows.unpack("<I4xQ", 8, "the AIE partition")
    columns, starts, starts_at = rows.unpack("<H6xII", 32, "the AIE partition")
    count, at = rows.unpack("<II", 120, "the AIE partition")
    rows.part(at, 96 * count, "the partition's PDIs")
    pdis = []
    left = len(rows)
    for place in range(count):
        raw, size, image, groups, groups_at = rows.unpack("<16sIIII", at + 96 * place, "a PDI")
        read = []
        rows.part(groups_at, 96 * groups, "the groups of a PDI")
        left -= size + 96 * groups
        for group in range(groups if left >= 0 else 0):
            label, kind, pdi_id, ids, ids_at, before, before_at = rows.unpack("<IB3xQIIII", groups_at + 96 * group, "a group")
            left -= 8 * (ids + before)
            if left < 0:
                break
            text = rows.string(label, len(rows), "a group's name")
            read.append(CdoGroup(text, kind, pdi_id, _u64s(rows, ids_at, ids), _u64s(rows, before_at, before)))
        if left < 0:
            raise damaged(rows.code, rows.name, "the parts of the AIE partition lie over one another")
        pdis.append(PartitionPdi(_uuid(memoryview(raw)), rows.part(image, size, "a PDI's image"), tuple(read)))
    (label,) = rows.unpack("<I", 4, "the AIE partition")
    rows.string(label, len(rows), "the partition's name")
    columns_at = rows.unpack(f"<{starts}H", starts_at, "the partition's places") if 2 * starts <= len(rows) else None
    if columns_at is None:
        raise damaged(rows.code, rows.name, f"the AIE partition says that it has {starts} places")
    return Partition(columns, columns_at, operations, fingerprint, tuple(pdis))


def _u64s(rows: Window, at: int, count: int) -> tuple[int, ...]:
    return rows.unpack(f"<{count}Q", at, "kernel ids")


def _uuid(raw: memoryview) -> str:
    text = bytes(raw).hex()
    return "-".join((text[:8], text[8:12], text[12:16], text[16:20], text[20:]))
