"""Bytes of compiled code: what they are, and what they require of a device. Pure Python; reads only inside the bytes given."""

from __future__ import annotations

from importlib import import_module

from targetenv.artifacts.identify import identify
from targetenv.artifacts.inspection import Inspection, Member, damaged

TYPE_CHECKING = False
if TYPE_CHECKING:
    from targetenv.artifacts.containers import Budget

__all__ = ["Inspection", "Member", "identify", "inspect"]

#: Format, or the part of it before `-` -> module and function that read it.
_EXECUTABLES = {
    "elf": ("elf_objects", "inspect_elf"),
    "aie-elf": ("aie_elf", "inspect_aie_elf"),
    "aie-transaction": ("aie_transaction", "inspect_transaction"),
    "cdo": ("cdo", "inspect_cdo"),
    "hsaco": ("hsaco", "inspect_hsaco"),
    "cubin": ("cubin", "inspect_cubin"),
    "metallib": ("metal", "inspect_metal"),
    "msl": ("metal", "inspect_source"),
    "opencl-c": ("opencl_c", "inspect_opencl_c"),
    "pdi": ("pdi", "inspect_pdi"),
    "ptx": ("ptx", "inspect_ptx"),
    "tpc": ("tpc", "inspect_tpc"),
}
#: The same for containers, whose readers are also handed the budget that their payloads share, and for what takes time.
_CONTAINERS = {
    "elf-aarch64": ("host_elf", "inspect_host"),
    "elf-x86_64": ("host_elf", "inspect_host"),
    "fatbin": ("fatbin", "inspect_fatbin"),
    "spirv": ("spirv", "inspect_spirv"),
    "offload-binary": ("offload_binary", "inspect_offload"),
    "static-library": ("static_library", "inspect_library"),
    "vmfb": ("vmfb", "inspect_vmfb"),
    "compressed-offload-bundle": ("compressed_bundle", "inspect_compressed"),
    "offload-bundle": ("offload_bundle", "inspect_bundle"),
    "iree-executable": ("iree_executable", "inspect_executable"),
    "pdir": ("aie_executable", "inspect_pdir"),
    "xclbin": ("xclbin", "inspect_xclbin"),
    "xrtr": ("aie_executable", "inspect_xrtr"),
}


def inspect(data: bytes | memoryview, *, name: str, budget: Budget | None = None) -> Inspection:
    """What the file called `name` is, the executables in it with their requirements, and facts for people.

    Containers are opened as far as `budget` allows (default: `containers.Budget()`). FormatError: TE4001 where no reader knows
    the format, TE4003 where the budget is used up, TE41xx to TE48xx where it is damaged. A package (`tenv`) is opened by
    `targetenv.wire`, not here.

    >>> inspect(b"", name="empty.spv")
    Traceback (most recent call last):
        ...
    targetenv.diagnostics.diagnostic.FormatError: error[TE4001]: this file is empty
     --> empty.spv
      = help: ...
    """
    from targetenv.artifacts.containers import Budget

    known = identify(data)
    budget = budget or Budget()
    family = (known or "").partition("-")[0]
    row = _EXECUTABLES.get(known or "") or (_EXECUTABLES.get(family) if known not in _CONTAINERS else None)
    if row is not None:
        read = getattr(import_module(f"targetenv.artifacts.{row[0]}"), row[1])
        return read(data, name=name, digest=budget.digest(data))  # type: ignore[no-any-return]
    if known in _CONTAINERS:
        module, function = _CONTAINERS[known]
        read = getattr(import_module(f"targetenv.artifacts.{module}"), function)
        return read(data, name=name, budget=budget)  # type: ignore[no-any-return]
    if known == "tenv":
        raise damaged("TE4002", name, "this is a package of executables, not an executable", help="open it as a package")
    what = f"this file begins with `{bytes(data[:4]).hex(' ')}`, which no known format does" if data else "this file is empty"
    raise damaged("TE4001", name, what, help="`targetenv explain TE4001` lists the formats that are read")
