"""GPU code by the names of what it is built for, whoever made the GPU."""

from __future__ import annotations

from functools import cache

NVIDIA = ("cuda",)
AMD = ("rocm", "hip")
NPUS = ("aie", "amdxdna", "habana")
_CAPABILITIES = range(10, 200)  # compute capability times ten: also of chips to come, so that open rules stay open


@cache
def reach(code: str) -> frozenset[str]:
    """Every GPU, as far as names go, that runs code built for `code`; none where the name is no GPU's.

    >>> reach("sm_89") < reach("sm_80"), reach("gfx942") < reach("gfx9-4-generic"), reach("x86-64")
    (True, True, frozenset())
    """
    from targetenv.registry import amdgpu, cuda

    built = cuda.NAME.fullmatch(code)
    if built is not None:
        rule = cuda.ptx_runs if built["kind"] == "compute" else cuda.cubin_runs
        number, suffix = int(built["number"]), built["suffix"]
        return frozenset(f"sm_{device}" for device in _CAPABILITIES if rule(number, suffix, device))
    return frozenset(name for name, row in amdgpu.processors().items() if code in (name, row.generic))
