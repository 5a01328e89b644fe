"""Bytes of compiled code: what they are, and what they require of a device. Pure Python; reads only inside the bytes given."""

from __future__ import annotations

from hashlib import sha256

from targetenv.artifacts.identify import identify
from targetenv.artifacts.inspection import Inspection, damaged

__all__ = ["Inspection", "identify", "inspect"]


def inspect(data: bytes | memoryview, *, name: str) -> Inspection:
    """What the file called `name` is, the executables in it with their requirements, and facts for people.

    FormatError: TE4001 where no reader knows the format, TE41xx and TE42xx where it is damaged. A package (`tenv`) is opened by
    `targetenv.wire`, not here.

    >>> inspect(b"", name="empty.spv")
    Traceback (most recent call last):
        ...
    targetenv.diagnostics.diagnostic.FormatError: error[TE4001]: this file is empty
     --> empty.spv
      = help: ...
    """
    executable_format = identify(data)
    digest = sha256(data).hexdigest()
    if executable_format == "spirv":
        from targetenv.artifacts.spirv import inspect_spirv

        return inspect_spirv(data, name=name, digest=digest)
    if executable_format is not None and executable_format.startswith("elf"):
        from targetenv.artifacts.elf_objects import inspect_elf

        return inspect_elf(data, name=name, digest=digest)
    if executable_format == "tenv":
        raise damaged("TE4002", name, "this is a package of executables, not an executable", help="open it as a package")
    what = f"this file begins with `{bytes(data[:4]).hex(' ')}`, which no known format does" if data else "this file is empty"
    raise damaged("TE4001", name, what, help="pass a SPIR-V module or an x86-64 or AArch64 shared object")
