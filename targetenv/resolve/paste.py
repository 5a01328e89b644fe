"""Arguments that build code for what a device offers, ready to be pasted into a command line.

`targetenv parse TARGET --to flags:TOOL` knows every tool; these are the four that a repair names, and
tests/unit/resolve/test_paste.py holds them against it.
"""

from __future__ import annotations

import re

from targetenv.match.isa import architecture

TYPE_CHECKING = False
if TYPE_CHECKING:
    from targetenv.model.capabilities import Capabilities

_SM = re.compile(r"sm_(\d+[af]?)$")


def build_for(offers: Capabilities, executable_format: str) -> str:
    """The compiler and its arguments for this device and a kind of executable, empty where no tool takes the device's name.

    >>> from targetenv.model.capabilities import Capabilities
    >>> build_for(Capabilities("cuda", isa="sm_120"), "cubin")
    'nvcc -gencode arch=compute_120,code=sm_120'
    >>> build_for(Capabilities("cpu", isa="x86-64-v2"), "elf-x86_64")
    'gcc -march=x86-64-v2'
    """
    isa = offers.isa or ""
    match offers.api:
        case "cuda":
            number = _SM.match(isa)
            if number is None:
                return ""
            kind = "compute" if executable_format == "ptx" else "sm"
            return f"nvcc -gencode arch=compute_{number[1]},code={kind}_{number[1]}"
        case "rocm" | "hip" if isa:
            return f"hipcc --offload-arch={isa}"
        case "cpu" if architecture(isa):
            core = architecture(isa) == "aarch64" and not isa.startswith("armv")
            return f"gcc -m{'cpu' if core else 'arch'}={isa}"
        case "vulkan" if offers.version is not None:
            return f"glslc --target-env=vulkan{offers.version.major}.{offers.version.minor}"
        case _:
            return ""
