"""Executables of IREE's plugin for AMD's NPUs: `PDIR` (PDIs and transactions for amdxdna) and `XRTR` (xclbins for XRT).

FlatBuffers without a header. Schemas: iree-amd-aie pdi_executable_def.fbs and xrt_executable_def.fbs of 2023 to 2026.
"""

from __future__ import annotations

from targetenv.artifacts.aie import GENERATION, merged
from targetenv.artifacts.aie_transaction import is_transaction, read_transaction
from targetenv.artifacts.containers import Budget, container, executable, member
from targetenv.artifacts.flatbuffer import FlatBuffer, Table
from targetenv.artifacts.inspection import Inspection, damaged
from targetenv.artifacts.pdi import read_pdi
from targetenv.artifacts.window import Window
from targetenv.artifacts.xclbin import MAGIC as XCLBIN
from targetenv.model.artifact import Kernel
from targetenv.model.record import record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from targetenv.model.requirement import Requirement

SCHEMAS = ("PDIR", "XRTR")
_CODE = "TE4806"


@record
class Entry:
    """One entry point of a `PDIR`: its PDI, and the instruction streams of its runs."""

    name: str
    pdi: int | None
    runs: tuple[memoryview, ...]


def identifier(data: bytes | memoryview) -> str | None:
    """`PDIR` or `XRTR`; None for anything else."""
    found = bytes(data[4:8]).decode("latin-1")
    return found if found in SCHEMAS else None


def inspect_pdir(data: bytes | memoryview, *, name: str, budget: Budget) -> Inspection:
    """The kernels, and what array their PDIs and transactions need; FormatError TE4803 to TE4806 where it is damaged."""
    root = FlatBuffer(Window(data, name, _CODE)).root()
    pdis = tuple(row.bytes(0) for row in root.tables(2))
    entries = _entries(root, len(pdis), name)
    budget.take(len(pdis) + sum(len(entry.runs) for entry in entries), name)
    requires: list[Requirement] = []
    details = [("schema", "PDIR")]
    for place, image in enumerate(pdis):
        requires += read_pdi(image, f"{name}!pdi {place}").requires
        details.append(("pdi", f"{place}, {len(image)} bytes"))
    kernels = []
    for entry in entries:
        bindings = None
        for place, run in enumerate(entry.runs):
            if not is_transaction(run):
                continue
            found = read_transaction(run, f"{name}!{entry.name} run {place}")
            requires += found.requires
            bindings = max(bindings or 0, found.arguments or 0)
        kernels.append(Kernel(entry.name, bindings=bindings))
        loads = "no pdi" if entry.pdi is None else f"pdi {entry.pdi}"
        details.append(("entry point", f"{entry.name} ({loads}, {len(entry.runs)} runs)"))
    needs = [need for need in merged(requires) if need != GENERATION or not any(row.runs for row in entries)]
    digest = budget.digest(data)
    return executable(
        memoryview(data), name=name, digest=digest, executable_format="pdir", requires=needs, kernels=kernels, details=details
    )


def inspect_xrtr(data: bytes | memoryview, *, name: str, budget: Budget) -> Inspection:
    """The xclbins in it, and its entry points; FormatError TE4801 to TE4806 where it is damaged."""
    root = FlatBuffer(Window(data, name, _CODE)).root()
    names = root.texts(0)
    if not names or not all(names):
        raise damaged(_CODE, name, "the executable has no entry point, or one without a name")
    single = bytes(root.bytes(1)[:8]) == XCLBIN if root.has(1) else False
    images = (root.bytes(1),) if single else tuple(row.bytes(0) for row in root.tables(2))
    indices = (0,) * len(names) if single else tuple(place for (place,) in root.numbers(1, "<I"))
    if len(indices) != len(names) or any(place >= len(images) for place in indices):
        raise damaged(_CODE, name, f"{len(names)} entry points refer to {len(images)} xclbins by {len(indices)} numbers")
    members = [
        member(image, name=f"xclbin {place}", within=name, budget=budget, stated="xclbin") for place, image in enumerate(images)
    ]
    places = zip(names, indices, strict=True)
    details = [("schema", "XRTR"), *(("entry point", f"{text} (xclbin {place})") for text, place in places)]
    return container("xrtr", members, details=details)


def _entries(root: Table, pdis: int, name: str) -> tuple[Entry, ...]:
    """What the HAL driver verifies when it loads the executable, verified."""
    names = root.texts(0)
    indices = [place for (place,) in root.numbers(1, "<i")]
    lists = [place for (place,) in root.numbers(3, "<i")]
    runlists = [tuple(run.bytes(0, size=4) for run in row.tables(0)) for row in root.tables(4)]
    if not names or not all(names):
        raise damaged(_CODE, name, "the executable has no entry point, or one without a name")
    if not pdis:
        raise damaged(_CODE, name, "the executable has no PDI")
    if len(indices) != len(names) or len(lists) != len(names):
        raise damaged(_CODE, name, f"{len(names)} entry points have {len(indices)} PDIs and {len(lists)} lists of runs")
    if any(not -1 <= place < pdis for place in indices) or any(not -1 <= place < len(runlists) for place in lists):
        raise damaged(_CODE, name, "an entry point refers to a PDI or a list of runs that is not there")
    return tuple(
        Entry(text, None if pdi < 0 else pdi, () if runs < 0 else runlists[runs])
        for text, pdi, runs in zip(names, indices, lists, strict=True)
    )
