"""The label audit: what somebody says about compiled code, held against what its bytes say.

A container's entry ID, a file's name, a target attribute, a manifest: all of them *claim* that the code runs on some target.
The claim is read as what that target offers, and the code's own requirements are judged against it.
"""

from __future__ import annotations

import re

from targetenv.artifacts.inspection import odd
from targetenv.match import isa as isas
from targetenv.match.check import Judge
from targetenv.match.pair import findings
from targetenv.match.phrases import listed
from targetenv.model import requirement as needs
from targetenv.model.artifact import Artifact
from targetenv.model.record import record, replace
from targetenv.model.verdict import Outcome

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from typing import TypeAlias

    from targetenv.artifacts.inspection import Inspection
    from targetenv.diagnostics.diagnostic import Diagnostic
    from targetenv.model.capabilities import Capabilities
    from targetenv.model.verdict import Finding
    from targetenv.model.version import Version

    # What a target's text offers, None where it is no target: texts are read by who may import `targetenv.syntax`.
    Reader: TypeAlias = Callable[[str], Capabilities | None]

# Executable format -> what kind of processor it is for, as `_kind` names the claims'.
_KINDS = {"hsaco": "rocm", "amdgpu-object": "rocm", "cubin": "cuda", "ptx": "cuda", "spirv": "spirv"}
_ELF = re.compile(r"(?:(?:embedded|system)-)?elf-(x86_64|aarch64|arm_64)")
_APIS = {"rocm": "rocm", "cuda": "cuda", "vulkan": "spirv", "spirv": "spirv", "opencl": "spirv"}
_SHOWN = {"rocm": "AMD GPUs", "cuda": "NVIDIA GPUs", "spirv": "SPIR-V", "x86_64": "x86-64", "aarch64": "AArch64"}
_JUDGED = (needs.NeedsIsa, needs.NeedsFeature, needs.NeedsVersion, needs.NeedsCapability, needs.NeedsExtension)
_ENTRY = re.compile(r"(?P<kind>host|hip|hipv4|openmp|cuda|sycl)-(?P<target>\w[\w.]*-.+)")
_PROCESSOR = re.compile(r"(gfx[0-9a-zA-Z]\S*|sm_\w+)$")
_NUMBER = re.compile(r" #\d+$")  # what keeps two entries of one ID apart
# What a file's name says, and the target that it means.
_IN_NAMES = (
    (re.compile(r"(?<![a-zA-Z0-9])(sm_\d{2,3}[af]?)(?![a-zA-Z0-9])"), r"\1"),
    (re.compile(r"(?<![a-zA-Z0-9])(gfx\d{1,2}(?:-\d)?-generic|gfx\d{2,3}[0-9a-f](?:[:][a-z]+[+-])*)(?![a-zA-Z0-9])"), r"\1"),
    (re.compile(r"(?<![a-zA-Z0-9])(?:x86[-_]64|amd64)[-_/]?(v[234])(?![a-zA-Z0-9])"), r"x86-64-\1"),
    (re.compile(r"(?<![a-zA-Z0-9])(?:x86[-_]64|amd64)(?![-_/]?v[234]|[a-zA-Z0-9])"), "x86-64"),
    (re.compile(r"(?<![a-zA-Z0-9])(?:aarch64|arm64)(?![a-zA-Z0-9])"), "linux/arm64"),
)
_KIND_ONLY = ("x86-64", "linux/arm64")  # as a platform of images they promise the baseline
_PLATFORM = re.compile(r"(?:^|/)(?:linux/(?:amd64|arm64)(?:/v\d)?|glibc-hwcaps/x86-64-v[234])/[^/]+$")


@record
class Claim:
    """What is said (`text`) by what (`by`: "entry ID", "file name", "target"), and which target that means.

    A `loose` claim names the kind of processor and promises no more: `x86_64` in the name of a file.
    """

    by: str
    text: str
    target: str
    loose: bool = False


@record
class Audited:
    """One claim about one executable, and how it fared: confirmed, contradicted (with the warning), or unknown.

    `path` leads to the executable through containers; `offset` is where it begins in the file, None inside of what was
    decompressed. `findings` are the requirements that the claimed target does not meet.
    """

    path: tuple[str, ...]
    offset: int | None
    claim: Claim
    outcome: str
    warning: Diagnostic | None = None
    findings: tuple[Finding, ...] = ()


def audit(inspection: Inspection, *, name: str, read: Reader, claimed: Iterable[Claim] = ()) -> tuple[Audited, ...]:
    """Every claim about every executable in the file `name`; `claimed` are claims about the file as a whole.

    A file's name is a claim only about a file that is an executable itself.
    """
    whole = list(claimed)
    if not inspection.members:
        whole += claims_of_name(name)
    return tuple(_walk(inspection, (), 0, whole, name, read))


def claims_of_name(name: str) -> list[Claim]:
    """What a file's name says, or the directories of an image or of the dynamic loader that it lies in.

    >>> [claim.target for claim in claims_of_name("out/saxpy-x86-64-v2.so")], claims_of_name("saxpy.so")
    (['x86-64-v2'], [])
    """
    path = name.replace("\\", "/")
    within = _PLATFORM.search(path)
    text = within[0].strip("/") if within is not None else path.rpartition("/")[2]
    found = [
        (at, Claim("file name", at[0], at.expand(target), loose=target in _KIND_ONLY and within is None))
        for row, target in _IN_NAMES
        for at in row.finditer(text)
    ]
    return [claim for _, claim in sorted(found, key=lambda pair: pair[0].start())]


def claims_of_label(label: str) -> list[Claim]:
    """What a container says about an entry: the processor in an entry ID, else its triple; any other label is a target.

    >>> claims_of_label("hipv4-amdgcn-amd-amdhsa--gfx90a:xnack+")[0].target
    'gfx90a:xnack+'
    """
    label = _NUMBER.sub("", label)
    entry = _ENTRY.fullmatch(label)
    if entry is None:
        return [Claim("label", label, label)]
    triple = entry["target"]
    if triple.startswith("spirv"):  # for whoever compiles it further
        return []
    processor = _PROCESSOR.search(triple)
    return [Claim("entry ID", label, processor[1] if processor is not None else triple.rstrip("-"))]


def _walk(
    inspection: Inspection, path: tuple[str, ...], offset: int | None, claims: list[Claim], name: str, read: Reader
) -> Iterator[Audited]:
    for member in inspection.members:
        more = claims_of_label(member.label) if member.label is not None else []
        at = offset + member.offset if offset is not None and member.offset is not None else None
        yield from _walk(member.inspection, (*path, member.name), at, [*claims, *more], name, read)
    if inspection.members:
        return
    for artifact in inspection.artifacts or (Artifact(name, inspection.format, ""),):
        about = list(claims)
        if artifact.target is not None and artifact.target.startswith("#"):
            about.append(Claim("target", artifact.target, artifact.target))
        for claim in dict.fromkeys(about):
            row = _audited(artifact, claim, "!".join((name, *path)), read)
            if row is not None:
                yield replace(row, path=path, offset=offset)


def _audited(artifact: Artifact, claim: Claim, place: str, read: Reader) -> Audited | None:
    """None where the format is one that no target is for, or the claim is about none."""
    kind = _kind_of_format(artifact.format)
    if kind is None:
        return None
    offers = read(claim.target)
    said = f"its {claim.by} says `{_short(claim.text)}`"
    if offers is None:
        if claim.by not in ("entry ID", "label"):
            return None
        warning = odd("TE4074", place, f"{said}, which names no target", help=f"name what it is for: {_made_for(artifact)}")
        return Audited((), None, claim, "unknown", warning)
    claimed = _kind_of_claim(offers)
    if claimed is None:
        return None
    if claimed == "rocm" and kind == "spirv":  # SPIR-V that ROCm compiles on the device
        return None
    if claimed != kind:
        message = f"{said}, which is for {_SHOWN[claimed]}, but its bytes are for {_SHOWN[kind]}"
        warning = odd("TE4073", place, message, help="put it where code of its kind belongs, or build it for what is said")
        return Audited((), None, claim, "contradicted", warning)
    return Audited((), None, claim, "confirmed") if claim.loose else _judged(artifact, claim, offers, said, place)


def _judged(artifact: Artifact, claim: Claim, offers: Capabilities, said: str, place: str) -> Audited:
    if claim.target.startswith("#"):
        offers = _promised(offers)
    found = findings((need for need in artifact.requires if _is_claimed(need, offers)), Judge(offers))
    against = tuple(row for row in found if row.outcome is Outcome.UNSATISFIED or _left_open(row, offers))
    if not against:
        unsure = any(isinstance(need, needs.NeedsUnknown) for need in artifact.requires) or _by_its_claim(artifact, claim)
        return Audited((), None, claim, "unknown" if unsure else "confirmed")
    advice = f"say what it is for ({_made_for(artifact)}), or build it for what is said"
    other = next((row.requirement for row in against if isinstance(row.requirement, needs.NeedsIsa)), None)
    if other is not None and offers.api != "cpu":
        message = f"{said}, but its code is for `{other.isa}`, which does not run there"
        return Audited((), None, claim, "contradicted", odd("TE4071", place, message, help=advice), against)
    message = f"{said}, but its code requires {listed((row.requires for row in against), most=4)}"
    return Audited((), None, claim, "contradicted", odd("TE4072", place, message, help=advice), against)


def _promised(offers: Capabilities) -> Capabilities:
    """An attribute promises what it lists, what that implies, and nothing else."""
    stated = offers.spirv
    if stated is None:
        return replace(offers, complete=True)
    from targetenv.registry import spirv

    implied = frozenset(name for one in stated.capabilities for name in spirv.implied(one))
    return replace(offers, complete=True, spirv=replace(stated, capabilities=stated.capabilities | implied))


def _is_claimed(need: needs.Requirement, offers: Capabilities) -> bool:
    """Whether a target says anything about this: of limits only those that it states, no extension that is in its SPIR-V."""
    if isinstance(need, needs.NeedsLimit):
        return offers.property(need.name) is not None
    if isinstance(need, needs.NeedsSubgroupSize):
        return bool(offers.subgroup_sizes)
    if isinstance(need, needs.NeedsMatrix):
        return bool(offers.matrices)
    if isinstance(need, needs.NeedsExtension) and offers.spirv is not None:
        return not _built_in(need.name, offers.spirv.version)
    return isinstance(need, _JUDGED)


def _built_in(extension: str, of: Version) -> bool:
    """Whether SPIR-V of this version has what the extension adds: the Vulkan that made it core takes no newer SPIR-V."""
    from targetenv.registry import vulkan
    from targetenv.registry.spirv_environment import conditions_of, spirv_version

    cores = [name for kind, names, *_ in conditions_of(extension) if kind == "v" for name in names]
    return any(spirv_version(vulkan.version(name), frozenset()) <= of for name in cores)


def _left_open(row: Finding, offers: Capabilities) -> bool:
    """A target ID that does not name a feature says that the code runs with it on and off."""
    return offers.api == "rocm" and isinstance(row.requirement, needs.NeedsFeature) and row.outcome is Outcome.UNKNOWN


def _by_its_claim(artifact: Artifact, claim: Claim) -> bool:
    """What IREE's CPU code requires was taken from the target, for ELF does not say it: that confirms nothing."""
    return claim.by == "target" and _ELF.fullmatch(artifact.format) is not None


def _made_for(artifact: Artifact) -> str:
    isa = [need.isa for need in artifact.requires if isinstance(need, needs.NeedsIsa)]
    pinned = [need.name for need in artifact.requires if isinstance(need, needs.NeedsFeature) and need.name[-1] in "+-"]
    return f"`{':'.join((*isa[:1], *pinned))}`" if isa else f"`{artifact.format}`"


def _kind_of_format(executable_format: str) -> str | None:
    elf = _ELF.fullmatch(executable_format)
    if elf is not None:
        return elf[1].replace("arm_64", "aarch64")
    return _KINDS.get(executable_format)


def _kind_of_claim(offers: Capabilities) -> str | None:
    return isas.architecture(offers.isa or "") if offers.api == "cpu" else _APIS.get(offers.api)


def _short(text: str) -> str:
    return text if len(text) <= 80 else f"{text[:77]}..."
