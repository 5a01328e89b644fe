"""The dialect `llvm`: triples in LLVM's order, and `TRIPLE--ARCH` (HSA's and clang's offload ids) where a processor is known.

Also what LLVM main is about to print, the processor inside the triple: `amdgpu9.00-amd-amdhsa` is gfx900.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from targetenv.diagnostics.diagnostic import Diagnostic, Label, ParseError
from targetenv.diagnostics.suggest import did_you_mean
from targetenv.match import metal
from targetenv.model.capabilities import Capabilities, Property, SpirvEnvironment
from targetenv.model.record import replace
from targetenv.model.span import Span
from targetenv.model.target_env import TargetEnv
from targetenv.model.triple import Triple
from targetenv.model.version import Version
from targetenv.registry import triples
from targetenv.registry.spirv_environment import support
from targetenv.syntax import amd_target_id, cpu_name, cuda_architecture
from targetenv.syntax.complaints import Complaints
from targetenv.syntax.parsed import Parsed, Rendered

if TYPE_CHECKING:
    from targetenv.diagnostics.diagnostic import Source
    from targetenv.syntax.compat import Compat

_SUBARCH = re.compile(r"amdgpu(?P<major>\d{1,2})(?:\.(?P<rest>[0-9a-f]{2}))?")
_CPU = {"amd64": "x86-64", "x86_64": "x86-64", "x86_64h": "x86-64", "aarch64": "armv8-a", "arm64": "armv8-a"}


def knows(text: str) -> bool:
    """Whether a text is a triple: an architecture that LLVM or Metal knows, and more parts."""
    first, dash, _ = text.partition("-")
    return bool(dash) and (triples.is_architecture(first) or triples.AIR.fullmatch(first) is not None)


def names() -> tuple[str, ...]:
    """Triples that are worth suggesting."""
    return ("x86_64-unknown-linux-gnu", "aarch64-unknown-linux-gnu", "amdgcn-amd-amdhsa", "nvptx64-nvidia-cuda")


def parse(source: Source, compat: Compat | None = None) -> Parsed:  # noqa: ARG001  no release of IREE differs here
    """Read a triple (TE1213; warning TE2008 for a word that LLVM does not know)."""
    text = source.text.strip()
    start = len(source.text) - len(source.text.lstrip())
    bare, _, processor = text.partition("--")
    first = bare.partition("-")[0]
    if not knows(f"{first}-"):
        label = Label(Span(start, start + len(first)), "not an architecture")
        help_ = did_you_mean(first, triples.ARCHITECTURES)
        raise ParseError(Diagnostic("TE1213", f"unknown target `{text}`", source, (label,), help=help_))
    parts = (bare if triples.AIR.fullmatch(first) else triples.normalized(bare)).split("-")
    arch, vendor, system, *rest = parts + ["unknown"] * (3 - len(parts))
    made = Triple(arch, vendor, system, "-".join(rest))
    complaints = Complaints(source)
    checks = ((made.vendor, triples.is_vendor), (made.os, triples.is_os), (made.environment, triples.is_environment))
    for word, known in checks:
        if word not in ("", "unknown", "none") and not known(word):
            at = source.text.find(word, start)
            complaints.warning("TE2008", f"LLVM does not know `{word}`", Span(at, at + len(word)), help="check the spelling")
    env = _with_processor(made, processor, source) if processor else _lower(made)
    return Parsed("llvm", env, render(env, None).text, complaints.settle(), made)


def render(of: Parsed | TargetEnv, era: str | None = None, compat: Compat | None = None) -> Rendered:  # noqa: ARG001
    """The triple of an environment, with `--` and the processor where offload tools write one."""
    env = of.env if isinstance(of, Parsed) else of
    offers = env.offers
    triple = env.triple or _triple_of(env)
    if triple is None:
        raise ParseError(Diagnostic("TE1220", f"an environment for {offers.api} has no LLVM triple"))
    if _SUBARCH.fullmatch(triple.arch):
        pinned = bool(offers.features or offers.denied)
        return Rendered(str(triple), ("target features: this form of triple names none",) if pinned else ())
    if offers.api == "rocm" and offers.isa is not None:
        return Rendered(f"{triple}--{amd_target_id.raise_(env)}")
    if offers.api == "cuda" and offers.isa is not None:
        return Rendered(f"{triple}--{offers.isa}")
    losses = []
    if offers.isa not in (None, _CPU.get(triple.arch)):
        losses.append(f"instruction set {offers.isa}: a triple names none, pass `-mcpu={offers.isa}` beside it")
    elif offers.features and offers.api == "cpu" and offers.isa is None:
        losses.append("features: a triple names none, pass `-mattr` beside it")
    for what, said in (("extensions", offers.extensions), ("limits", offers.properties), ("matrices", offers.matrices)):
        if said and offers.api == "vulkan":
            losses.append(f"{what}: a triple names none")
    if offers.features and offers.api == "vulkan":
        losses.append("features: a triple names none")
    return Rendered(str(triple), tuple(losses))


def _lower(triple: Triple) -> TargetEnv:
    vendor = {"amd": "AMD", "nvidia": "NVIDIA", "apple": "Apple", "intel": "Intel"}.get(triple.vendor)
    subarch = _SUBARCH.fullmatch(triple.arch)
    if subarch and subarch["rest"]:
        env = amd_target_id.lower(amd_target_id.TargetId(f"gfx{subarch['major']}{subarch['rest']}"))
        return replace(env, triple=triple)
    if triple.arch.startswith(("amdgcn", "amdgpu", "r600")):
        offers = Capabilities("rocm", formats=frozenset({"hsaco"}), complete=False)
    elif triple.arch.startswith("nvptx"):
        offers = Capabilities("cuda", formats=frozenset({"ptx"}), complete=False)
    elif triple.arch.startswith("spirv"):
        offers = _spirv(triple)
    elif triple.arch.startswith("air64"):
        offers = _metal(triple)
    else:
        name = _CPU.get(triple.arch, triple.arch)
        features = cpu_name.CpuName(name).features if name in cpu_name.names() else frozenset[str]()
        offers = Capabilities("cpu", isa=name, features=features, complete=False)
    return TargetEnv(offers, vendor=vendor, triple=triple)


def _metal(triple: Triple) -> Capabilities:
    """`air64-apple-macosx14.0.0`: a library for that system, from that version on."""
    offers = Capabilities("metal", formats=frozenset({"metallib"}), complete=False)
    found = re.fullmatch(r"([a-z]+)((?:\d+\.){0,2}\d+)", triple.os)
    system = found[1].replace("macosx", "macos") if found else ""
    if found is None or system not in metal.SYSTEMS:
        return offers
    version = Property(metal.VERSION, Version.parse(found[2]).key)
    return replace(offers, features=frozenset({system}), properties=(version,))


def _spirv(triple: Triple) -> Capabilities:
    """`spirv1.5-unknown-vulkan1.2-compute`: what the triple says; LLVM fills the gaps from the newest Vulkan that it knows."""
    stated = re.search(r"1\.\d", triple.arch)
    vulkan = re.fullmatch(r"vulkan(1\.\d)?", triple.os)
    version = Version.parse(vulkan[1]) if vulkan and vulkan[1] else None
    spirv = SpirvEnvironment(Version.parse(stated[0])) if stated else None
    api = "vulkan" if vulkan else "opencl"
    return Capabilities(api, version, formats=frozenset({"spirv"}), spirv=spirv, complete=False)


def _with_processor(triple: Triple, processor: str, source: Source) -> TargetEnv:
    """`nvptx64-nvidia-cuda--sm_90a`: read by the dialect of the triple's vendor."""
    from targetenv.diagnostics.diagnostic import Source as Text

    inner = Text(source.name, processor)
    parse_processor = cuda_architecture.parse if triple.arch.startswith("nvptx") else amd_target_id.parse
    return replace(parse_processor(inner).env, triple=triple)


def _triple_of(env: TargetEnv) -> Triple | None:
    offers = env.offers
    match offers.api:
        case "rocm":
            return Triple("amdgcn", "amd", "amdhsa")
        case "cuda":
            return Triple("nvptx64", "nvidia", "cuda")
        case "cpu" if offers.isa in cpu_name.names():
            arch = "aarch64" if cpu_name.CpuName(str(offers.isa)).is_arm else "x86_64"
            return Triple(arch, "unknown", "linux", "gnu")
        case "vulkan" if offers.version is not None:
            core = f"{offers.version.major}.{offers.version.minor}"
            spirv = support(offers).environment.version
            return Triple(f"spirv{spirv}", "unknown", f"vulkan{core}", "compute")
        case _:
            return None
