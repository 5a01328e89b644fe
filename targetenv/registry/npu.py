"""AMD's AI engines and Habana's Gaudi: the devices that compilers name, and their shapes.

Sources: iree-amd-aie AMDAIEEnums.td and iree_aie_runtime.cc (names, partitions), aie-rt xaiemlgbl_reginit.c (tiles and sizes),
amdxdna_pci_drv.c and npu*_regs.c (PCI ids, first columns); habanalabs_drv.c (Gaudi's PCI ids).
"""

from __future__ import annotations

from functools import cache

from targetenv.model.record import record

#: name, architecture, columns and rows of the array, columns of a partition (0: not partitioned), rows of cores, rows of memory
#: tiles, KiB of a memory tile, KiB of data and of program in a core
_AIE = """
xcvc1902 aie 50 9 0 8 0 0 32 16
xcve2302 aie2 17 4 0 2 1 512 64 16
xcve2802 aie2 38 11 0 8 2 512 64 16
npu1 aie2 5 6 5 4 1 512 64 16
npu1_1col aie2 5 6 1 4 1 512 64 16
npu1_2col aie2 5 6 2 4 1 512 64 16
npu1_3col aie2 5 6 3 4 1 512 64 16
npu1_4col aie2 5 6 4 4 1 512 64 16
npu4 aie2p 8 6 8 4 1 512 64 16
"""

#: name, PCI device ids (vendor 1da3), whether the kernel's own driver knows it
_HABANA = """
goya 0001 yes
gaudi 1000,1001,1010,1011 yes
gaudi2 1020,1021 yes
gaudi3 1060,1063 no
"""


@record
class AieDevice:
    """One AI engine array, or a partition of one. Sizes are in KiB."""

    name: str
    arch: str
    columns: int
    rows: int
    partition: int
    core_rows: int
    memory_rows: int
    memory_tile: int
    core_data: int
    core_program: int


@record
class HabanaDevice:
    """One generation of Habana's processors."""

    name: str
    pci_ids: tuple[int, ...]
    mainline: bool


@cache
def aie_devices() -> dict[str, AieDevice]:
    """Every AI engine device by the name that compilers give it."""
    rows = (line.split() for line in _AIE.strip().splitlines())
    return {name: AieDevice(name, arch, *(int(number) for number in numbers)) for name, arch, *numbers in rows}


@cache
def habana_devices() -> dict[str, HabanaDevice]:
    """Every Habana device by name."""
    rows = (line.split() for line in _HABANA.strip().splitlines())
    return {
        name: HabanaDevice(name, tuple(int(number, 16) for number in ids.split(",")), known == "yes")
        for name, ids, known in rows
    }
