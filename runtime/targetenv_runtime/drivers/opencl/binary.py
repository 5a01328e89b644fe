"""A device's own code in an envelope: `opencl-binary` images.

What clGetProgramInfo hands out is good for one device and one version of its driver, and drivers crash on anything else (PoCL
3.1 on a cut one). So it goes with the names of both and a digest, and reaches a driver only when all three are right.
"""

from __future__ import annotations

import json
from hashlib import sha256

from targetenv_runtime.status import Code, HalError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import TypeAlias

    Identity: TypeAlias = tuple[str, str, str]  # device, platform, driver

_MAGIC = b"targetenv opencl binary 1\n"
_LONGEST = 1 << 16  # of the line that describes it


def wrap(code: bytes, made_by: Identity) -> bytes:
    """The image for code that this device has made.

    >>> unwrap(wrap(b"code", ("d", "p", "1")), ("d", "p", "1"))
    b'code'
    """
    line = json.dumps({"made_by": list(made_by), "sha256": sha256(code).hexdigest()}).encode()
    return _MAGIC + line + b"\n" + code


def unwrap(image: bytes, here: Identity) -> bytes:
    """The code in an image; INVALID_ARGUMENT when it is damaged, FAILED_PRECONDITION when another device or driver made it."""
    line, newline, code = image[len(_MAGIC) : len(_MAGIC) + _LONGEST].partition(b"\n")
    code = image[len(_MAGIC) + len(line) + 1 :]
    try:
        told = json.loads(line) if image.startswith(_MAGIC) and newline else None
    except ValueError:  # also of what is not UTF-8
        told = None
    if not isinstance(told, dict) or not isinstance(told.get("made_by"), list):
        raise HalError(Code.INVALID_ARGUMENT, "the image is not an OpenCL binary that targetenv has saved")
    if told.get("sha256") != sha256(code).hexdigest():
        raise HalError(Code.INVALID_ARGUMENT, "the OpenCL binary is damaged: its digest is another", help="make it again")
    if told["made_by"] != list(here):
        made = ", ".join(map(str, told["made_by"]))
        raise HalError(
            Code.FAILED_PRECONDITION,
            f"the binary was made by another device or driver: {made}",
            notes=(f"this is {', '.join(here)}",),
            help="load the source on this device, and save its binary",
        )
    return code
