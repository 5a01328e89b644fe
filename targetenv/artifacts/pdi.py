"""PDI: the programmable device image that an NPU loads for a kernel, mostly one image with one partition, a CDO.

A partial image has its image header table at 0x10; a boot image has a boot header there (`XNLX` at 0x14) that tells at 0xC4
where the table is. Lengths and offsets in the tables are in words; each table ends with the complement of its words' sum.
Sources: XRT load_pdi.h; Versal Technical Reference Manual, `Programmable Device Image`; the files that bootgen writes.
"""

from __future__ import annotations

from targetenv.artifacts.aie import GENERATION, merged
from targetenv.artifacts.cdo import Cdo, details_of, is_cdo, read_cdo
from targetenv.artifacts.containers import executable
from targetenv.artifacts.inspection import damaged, odd
from targetenv.artifacts.window import Window
from targetenv.model.record import record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from targetenv.artifacts.inspection import Inspection
    from targetenv.model.requirement import Requirement

_BUS_WIDTH = bytes.fromhex("dd000000 44332211 88776655 ccbbaa99")
_BOOT, _TABLE = b"XNLX", b"IDPP"
_MOST_PARTITIONS = 1024
_VERSION = 4


@record
class Pdi:
    """One image: `kind` is `partial` or `boot`; `id_code` that of the device it is for; `cdos` the CDOs in its partitions."""

    kind: str
    id_code: int
    images: tuple[str, ...]
    partitions: tuple[tuple[int, int], ...]
    cdos: tuple[Cdo, ...]

    @property
    def requires(self) -> tuple[Requirement, ...]:
        """What the array must have for all of it."""
        return (*merged(need for cdo in self.cdos for need in cdo.extent.requirements()), GENERATION)


def is_pdi(data: bytes | memoryview) -> bool:
    """Whether this begins as a PDI does; the rest may be damaged."""
    head = bytes(data[:64])
    return head[:16] == _BUS_WIDTH and (head[0x14:0x18] == _BOOT or head[0x38:0x3C] == _TABLE)


def read_pdi(data: bytes | memoryview, name: str) -> Pdi:
    """The image; FormatError TE4803 where a table or a partition is damaged, TE4804 where a CDO is."""
    if not is_pdi(data):
        raise damaged("TE4803", name, "this is no PDI: it does not begin with the bus width pattern and an image header")
    window = Window(data, name, "TE4803")
    boot = bytes(window.part(0x14, 4, "the header")) == _BOOT
    (table,) = window.unpack("<I", 0xC4, "the place of the image header table") if boot else (0x10,)
    words = _checked(window, table, 32, "the image header table")
    version, images, image_at, partitions, partition_at, _, id_code = words[:7]
    if version >> 16 != _VERSION:
        raise damaged("TE4803", name, f"the image header table has version {version:#x}, which is not known")
    if images > _MOST_PARTITIONS or partitions > _MOST_PARTITIONS:
        raise damaged("TE4803", name, f"{images} images and {partitions} partitions are more than {_MOST_PARTITIONS}")
    names = []
    for place in range(images):
        _checked(window, 4 * image_at + 64 * place, 16, "an image header")
        raw = bytes(window.part(4 * image_at + 64 * place + 16, 16, "an image's name"))
        names.append(raw.rstrip(b"\0").decode("latin-1"))
    found, cdos, read = [], [], 0
    for place in range(partitions):
        header = _checked(window, 4 * partition_at + 128 * place, 32, "a partition header")
        offset, length = 4 * header[8], 4 * header[1]
        part = window.part(offset, length, "a partition")
        read += length
        if read > len(window):
            raise damaged("TE4803", name, "the partitions of the PDI lie over one another")
        found.append((offset, length))
        if is_cdo(part):
            cdos.append(read_cdo(part, name))
    return Pdi("boot" if boot else "partial", id_code, tuple(names), tuple(found), tuple(cdos))


def inspect_pdi(data: bytes | memoryview, *, name: str, digest: str) -> Inspection:
    """What the image is and what the array must have for it."""
    found = read_pdi(data, name)
    warnings = []
    if found.kind == "partial" and (len(found.images), len(found.partitions)) != (1, 1):
        message = f"this PDI has {len(found.images)} images and {len(found.partitions)} partitions; an NPU loads one of each"
        warnings.append(odd("TE4802", name, message, help="make it of one CDO with `bootgen -arch versal`"))
    return executable(
        memoryview(data),
        name=name,
        digest=digest,
        executable_format="pdi",
        requires=found.requires,
        details=[
            ("kind", f"{found.kind} image"),
            ("id code", f"{found.id_code:#x}"),
            *(("image", image) for image in found.images),
            *(("partition", f"{length} bytes at {offset}") for offset, length in found.partitions),
            *(detail for cdo in found.cdos for detail in details_of(cdo)),
        ],
        diagnostics=warnings,
    )


def _checked(window: Window, at: int, count: int, what: str) -> tuple[int, ...]:
    """That many words, the last of which is the complement of the others' sum."""
    words: tuple[int, ...] = window.unpack(f"<{count}I", at, what)
    if ~sum(words[:-1]) & 0xFFFFFFFF != words[-1]:
        raise damaged(window.code, window.name, f"the checksum of {what} at byte {at} is wrong")
    return words
