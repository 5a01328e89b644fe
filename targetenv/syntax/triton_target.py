"""The dialect `triton`: `GPUTarget(backend='cuda', arch=90, warp_size=32)`, as Triton prints and takes it.

Source: triton/backends/compiler.py, `GPUTarget`. For `cuda` the architecture is a number, for `hip` AMD's processor without
features.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from targetenv.diagnostics.diagnostic import Diagnostic, Label, ParseError
from targetenv.diagnostics.suggest import did_you_mean
from targetenv.model.span import Span
from targetenv.registry import amdgpu, cuda
from targetenv.syntax import amd_target_id, cuda_architecture
from targetenv.syntax.parsed import Parsed, Rendered

if TYPE_CHECKING:
    from targetenv.diagnostics.diagnostic import Source
    from targetenv.model.target_env import TargetEnv
    from targetenv.syntax.compat import Compat

_CALL = re.compile(
    r"""GPUTarget\(\s*(?:backend\s*=\s*)?(?P<q>['"])(?P<backend>\w*)(?P=q)\s*,\s*(?:arch\s*=\s*)?"""
    r"""(?P<arch>\d+|(?P<r>['"])[\w:+-]*(?P=r))\s*,\s*(?:warp_size\s*=\s*)?(?P<warp>\d{1,4})\s*\)"""
)


def knows(text: str) -> bool:
    """Whether a text is a call of GPUTarget."""
    return text.startswith("GPUTarget")


def names() -> tuple[str, ...]:
    """Triton's targets have no plain names."""
    return ()


def parse(source: Source, compat: Compat | None = None) -> Parsed:  # noqa: ARG001  no release of IREE differs here
    """Read a target (TE1002, TE1213, TE1206)."""
    text = source.text.strip()
    start = len(source.text) - len(source.text.lstrip())
    found = _CALL.fullmatch(text)
    if found is None:
        label = Label(Span(start, start + len(text)), "not GPUTarget(backend, arch, warp_size)")
        help_ = "write `GPUTarget(backend='cuda', arch=90, warp_size=32)`, for example"
        raise ParseError(Diagnostic("TE1002", "malformed GPUTarget", source, (label,), help=help_))
    backend, arch, warp = found["backend"], found["arch"].strip("'\""), int(found["warp"])

    def refuse(part: str, code: str, message: str, advice: str) -> ParseError:
        span = Span(start + found.start(part), start + found.end(part))
        return ParseError(Diagnostic(code, message, source, (Label(span),), help=advice))

    if backend not in ("cuda", "hip"):
        raise refuse("backend", "TE1213", f"unknown backend `{backend}`", "backends are `cuda` and `hip`")
    if backend == "cuda":
        numbers = [str(number) for number in cuda.architectures()]
        if arch not in numbers:
            raise refuse("arch", "TE1213", f"unknown target `{arch}`", did_you_mean(arch, numbers) or "write 90 for sm_90")
        env = cuda_architecture.lower(f"sm_{arch}")
    else:
        if arch not in amdgpu.processors():
            advice = "write the processor alone" if ":" in arch else did_you_mean(arch, amdgpu.processors())
            raise refuse("arch", "TE1213", f"unknown target `{arch}`", advice)
        env = amd_target_id.lower(amd_target_id.TargetId(arch))
    if warp not in env.offers.subgroup_sizes:
        sizes = " or ".join(str(size) for size in sorted(env.offers.subgroup_sizes))
        raise refuse("warp", "TE1206", f"{arch} has no warps of {warp}", f"write {sizes}")
    return Parsed("triton", env, _text(backend, arch, warp), (), (backend, arch, warp))


def render(of: Parsed | TargetEnv, era: str | None = None, compat: Compat | None = None) -> Rendered:  # noqa: ARG001
    """The GPUTarget of an environment; TE1220 when it names no GPU that Triton knows."""
    if isinstance(of, Parsed) and of.dialect == "triton" and of._tree is not None:
        return Rendered(of.canonical)
    env = of.env if isinstance(of, Parsed) else of
    offers = env.offers
    warp = max(offers.subgroup_sizes, default=32) if offers.api == "rocm" else 32
    if offers.api == "rocm" and offers.isa is not None:
        warp = 64 if offers.subgroup_sizes == {64} else 32
        pinned = sorted(offers.features | offers.denied)
        losses = (f"target features {', '.join(pinned)}: Triton takes the processor alone",) if pinned else ()
        return Rendered(_text("hip", offers.isa, warp), losses)
    found = cuda.NAME.fullmatch(offers.isa or "") if offers.api == "cuda" else None
    if found is None:
        raise ParseError(Diagnostic("TE1220", f"an environment for {offers.api} has no GPUTarget"))
    losses = (f"suffix {found['suffix']}: Triton adds its own",) if found["suffix"] else ()
    return Rendered(_text("cuda", found["number"], warp), losses)


def _text(backend: str, arch: str, warp: int) -> str:
    shown = arch if backend == "cuda" else repr(arch)
    return f"GPUTarget(backend={backend!r}, arch={shown}, warp_size={warp})"
