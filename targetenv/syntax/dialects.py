"""Every dialect: what it is called, how its texts are recognised, and who reads and prints them."""

from __future__ import annotations

import re
from importlib import import_module
from typing import TYPE_CHECKING

from targetenv.diagnostics.diagnostic import Diagnostic, Label, ParseError, Source
from targetenv.diagnostics.suggest import did_you_mean
from targetenv.model.record import record
from targetenv.model.span import Span

if TYPE_CHECKING:
    from targetenv.model.target_env import TargetEnv
    from targetenv.syntax.compat import Compat
    from targetenv.syntax.parsed import Parsed, Rendered

_HASH = re.compile(r"(?:\s|//[^\n]*\n)*(#[A-Za-z_][\w$.]*)?")
_COMMENT = re.compile(r"//[^\n]*")
_BARE = re.compile(r"([a-z_]+\.[\w.]+)\s*<")
_SPECIFIC = re.compile(r"([a-z_]+)(?:@([\w.]+))?")


@record
class Dialect:
    """One dialect. `module` has `parse(source, compat)` and `render(of, era, compat)`.

    `attributes` are the MLIR attributes that it reads. A dialect of plain names has none; its module has `knows(text)` instead.
    """

    name: str
    module: str
    about: str
    attributes: tuple[str, ...] = ()
    eras: tuple[str, ...] = ()

    def knows(self, text: str) -> bool:
        """Whether a text that is not an attribute is one of this dialect's names."""
        return not self.attributes and bool(self._module().knows(text))

    def names(self) -> tuple[str, ...]:
        """The plain names of this dialect that are worth suggesting."""
        made: tuple[str, ...] = () if self.attributes else self._module().names()
        return made

    def parse(self, source: Source, compat: Compat | None) -> Parsed:
        """Read a text; `ParseError` when it is not right."""
        made: Parsed = self._module().parse(source, compat)
        return made

    def render(self, of: Parsed | TargetEnv, era: str | None, compat: Compat | None) -> Rendered:
        """Print an environment."""
        made: Rendered = self._module().render(of, era, compat)
        return made

    def _module(self) -> Any:
        return import_module(f"targetenv.syntax.{self.module}")


if TYPE_CHECKING:
    from typing import Any

DIALECTS = (
    Dialect("vk", "vk_dialect", "#vk.target_env of IREE 2020 to 2024", ("vk.target_env",), ("A", "doc", "B", "C")),
    Dialect(
        *("spirv", "spirv_dialect", "#spirv.target_env and #spirv.vce of MLIR, #spv.* before 2022-09"),
        ("spirv.target_env", "spirv.vce", "spv.target_env", "spv.vce"),
        ("A", "B", "C", "D"),
    ),
    Dialect(
        *("iree_gpu", "iree_gpu_dialect", "#iree_gpu.target of IREE since 2024-06"),
        ("iree_gpu.target",),
        ("20240621", "20240724", "20240828", "20241104", "3.1", "3.4", "3.8", "3.13"),
    ),
    Dialect(
        *("hal", "hal_dialect", "#hal.executable.target and #hal.device.* of IREE"),
        tuple(
            f"hal.{name}"
            for name in (
                *("executable.target", "device.target", "device.alias", "device.select", "device.ordinal"),
                *("device.fallback", "device.promise", "device.affinity", "device.optimal", "device.topology"),
            )
        ),
        ("20231218", "20240410", "3.13"),
    ),
    Dialect("vulkan", "vulkan_version", "versions as toolchains name them: vulkan1.1, spirv1.3, vulkan1.1+spirv1.4"),
    Dialect("amdgpu", "amd_target_id", "AMD target IDs: gfx90a:sramecc+:xnack-"),
    Dialect("cuda", "cuda_architecture", "NVIDIA architectures: sm_90a, compute_90"),
    Dialect("cpu", "cpu_name", "CPUs: x86-64-v3, haswell,-fma, armv8.2-a+sve2"),
    Dialect("oci", "oci_platform", "OCI platforms: linux/arm64/v8"),
    Dialect("aie", "npu_name", "AMD AI engines: npu1_4col"),
    Dialect("habana", "npu_name", "Habana: gaudi2"),
    Dialect("tvm", "tvm_target", 'TVM targets: {"kind": "cuda", "arch": "sm_90"}'),
    Dialect("triton", "triton_target", "Triton: GPUTarget(backend='cuda', arch=90, warp_size=32)"),
    Dialect("iree", "iree_name", "names of GPUs that IREE takes since 2024-08: rdna3, cuda:a100, rocm:mi300x"),
    Dialect("llvm", "llvm_triple", "LLVM triples, with the processor where offload tools write one"),
    Dialect("triple", "iree_triple", "IREE's Vulkan triples of 2021 to 2024: rdna3-unknown-linux"),
)


def find(name: str) -> tuple[Dialect, str | None]:
    """The dialect and the era that `vk` or `vk@C` names; TE1215 for others."""
    found = _SPECIFIC.fullmatch(name)
    for dialect in DIALECTS:
        if found and dialect.name == found[1]:
            era = found[2]
            if era is None or era in dialect.eras:
                return dialect, era
            known = tuple(f"{dialect.name}@{each}" for each in dialect.eras)
            help_ = f"write one of {', '.join(f'`{each}`' for each in (dialect.name, *known))}"
            raise ParseError(Diagnostic("TE1215", f"dialect `{dialect.name}` has no era `{era}`", help=help_))
    known = tuple(dialect.name for dialect in DIALECTS)
    known_files = "`flags:TOOL`, and for devices `json`, `profile` or `capsviewer`"
    help_ = did_you_mean(name, known) or f"write one of {', '.join(f'`{each}`' for each in known)}, {known_files}"
    raise ParseError(Diagnostic("TE1215", f"unknown dialect `{name}`", help=help_))


def detect(source: Source) -> Dialect:
    """The dialect that a text is written in; TE1213 when it is none."""
    text = source.text
    found = _HASH.match(text)
    word = found[1] if found else None
    if found and word:
        for dialect in DIALECTS:
            if word[1:] in dialect.attributes:
                return dialect
        known = [f"#{name}" for dialect in DIALECTS for name in dialect.attributes]
        help_ = did_you_mean(word, known) or f"write one of {', '.join(f'`{each}`' for each in known)}"
        label = Label(Span(*found.span(1)), "not an attribute that describes a target")
        raise ParseError(Diagnostic("TE1202", f"unknown attribute `{word}`", source, (label,), help=help_))
    start = found.end() if found else 0
    plain = text[start:].strip()
    for dialect in DIALECTS:
        if plain and dialect.knows(plain):
            return dialect
    end = start + len(plain)
    if not plain or _COMMENT.fullmatch(plain):
        empty = Label(Span(len(text), len(text)), "nothing to read")
        raise ParseError(Diagnostic("TE1003", "the text is empty", source, (empty,), help="write a target description"))
    shown = plain if len(plain) <= 60 and "\n" not in plain else plain[:60].split("\n", 1)[0] + "..."
    bare = _BARE.match(plain)
    meant = f"write `#{bare[1]}`" if bare and any(bare[1] in dialect.attributes for dialect in DIALECTS) else ""
    help_ = meant or did_you_mean(plain, known_names()) or "`targetenv targets` lists every name that is known"
    label = Label(Span(start, end))
    raise ParseError(Diagnostic("TE1213", f"unknown target `{shown}`", source, (label,), help=help_))


def knows_whole(source: Source) -> bool:
    """Whether some dialect of names reads a text as it stands."""
    plain = source.text.strip()
    return any(dialect.knows(plain) for dialect in DIALECTS)


def known_names() -> tuple[str, ...]:
    """Every plain name of every dialect."""
    return tuple(name for dialect in DIALECTS for name in dialect.names())
