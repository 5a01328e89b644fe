"""The dialect `iree`: the names of GPUs that IREE takes since 2024-08, `rdna3`, `a100`, `mi300x`, `mali-g715`.

Several APIs know some of them, and each makes another target of it: `vulkan:a100`, `cuda:a100`, `rocm:mi300x`, `amdgpu:mi300x`.
IREE looks names up in any case and then loses the architecture of most that are not in lower case, without a word; here
another case is an error, and with `compat` it is what the compiler makes of it.
"""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING

from targetenv.diagnostics.diagnostic import Diagnostic, Label, ParseError, Source
from targetenv.diagnostics.suggest import did_you_mean
from targetenv.model.record import record, replace
from targetenv.model.span import Span
from targetenv.syntax import iree_gpu_lowering, iree_gpu_target, iree_names_table
from targetenv.syntax import value as v
from targetenv.syntax.attribute_text import Printer
from targetenv.syntax.complaints import Complaints
from targetenv.syntax.float_text import float_text
from targetenv.syntax.iree_gpu_target import GpuTarget
from targetenv.syntax.not_expressible import refuse
from targetenv.syntax.parsed import Parsed, Rendered
from targetenv.syntax.single_attribute import attribute

if TYPE_CHECKING:
    from targetenv.model.target_env import TargetEnv
    from targetenv.syntax.compat import Compat

APIS = {"vulkan": "v", "cuda": "c", "rocm": "r", "metal": "m", "amdgpu": "r", "hip": "r"}
_QUALIFIED = re.compile(r"(?:(?P<api>vulkan|cuda|rocm|metal|amdgpu|hip):)?(?P<name>[A-Za-z0-9_-]+)")
_ADRENO = re.compile(r"adreno-[0-9]{3}l?")
_ADRENO_MEANT = re.compile(r"adreno[-_]?\w{0,5}")
_ADRENO_OF_IREE = re.compile(r"adreno-[0-9]..l?")
# What `--iree-cuda-target` takes without knowing it: it attaches no GPU target, and compiling fails later.
_EMPTY = re.compile(r"sm_\w+|rtx20[78]0")
_NO_GPU = '#hal.device.target<"cuda", [#hal.executable.target<"cuda", "cuda-nvptx-fb">]> : !hal.device'
_KEEPS_CASE = ("videocore_vii", "vp_android_baseline_2022")
# What IREE recognises in lower case only, after it has looked the name up in any case.
_LOST = re.compile(r"rdna\d|sm_\d+|valhall\d?|rtx\d.*")
_VENDORS_OWN = re.compile(r"gfx\w+|sm_\w+")
_ONLY_LOWER = re.compile(r"llvmpipe|adreno.*")
_DOCUMENTED = {  # names of IREE's documentation, help or lookup that lead nowhere, and what to write instead
    "rocm": {"cdna3": "gfx942", "cdna4": "gfx950", "rdna3": "gfx1100", "rdna4": "gfx1201", "gfx1102": "gfx1101"},
    "cuda": {"hopper": "sm_90", "rtx2070super": "turing", "rtx2070": "turing", "rtx2080": "turing"},
}
_SOURCE = "iree KnownTargets.cpp, 3.13"


@record
class Name:
    """A name, the API that reads it, and the GPU target that it stands for."""

    api: str
    name: str
    gpu: GpuTarget

    @property
    def text(self) -> str:
        """The name with the API in front, where others know it too."""
        return self.name if _alone(self.name) else f"{self.api}:{self.name}"

    @property
    def device(self) -> str:
        """`#hal.device.target` as `iree-compile` attaches it."""
        target = iree_gpu_target.text(self.gpu, Printer("", {}))
        info = f"iree_codegen.target_info = {target}"
        if self.api == "vulkan":
            executable = f'"vulkan-spirv", "vulkan-spirv-fb", {{{info}}}'
        elif self.api == "metal":
            executable = f'"metal-spirv", "metal-msl-fb", {{{info}}}'
        elif self.api == "cuda":
            executable = f'"cuda", "cuda-nvptx-fb", {{{info}}}'
        else:
            sku = next((entry.value for entry in self.gpu.chip or () if entry.key == "sku"), None)
            spec = sku.text if isinstance(sku, v.String) else "gfx942" if self.gpu.arch == "gfx942" else ""
            tuning = f'#rocm.builtin.tuning_module<"iree_default_tuning_spec_{spec}.mlir">'
            parts = [f'abi = "{"amdgpu" if self.api == "amdgpu" else "hip"}"']
            parts += ["iree.encoding.resolver = #iree_gpu.gpu_encoding_resolver<>"]
            parts += [f"iree_codegen.default_tuning_spec = {tuning}"] if spec else []
            parts += [info, 'ukernels = "none"']
            format_ = self.gpu.arch if self.api == "amdgpu" else "rocm-hsaco-fb"
            executable = f'"rocm", "{format_}", {{{", ".join(parts)}}}'
        device = "hip" if self.api in ("rocm", "hip") else self.api
        return f'#hal.device.target<"{device}", [#hal.executable.target<{executable}>]> : !hal.device'


def knows(text: str) -> bool:
    """Whether somebody who wrote this meant a GPU by its name; vendors' own ids without an API in front are read as such."""
    found = _QUALIFIED.fullmatch(text)
    if found is None:
        return False
    lower = found["name"].lower()
    return lower in _rows() or _ADRENO_MEANT.fullmatch(lower) is not None or bool(_documented(lower))


def names() -> tuple[str, ...]:
    """Every name that one API alone knows, and the others with each of theirs."""
    made = []
    for name in _rows():
        made += [name] if _alone(name) else [f"{api}:{name}" for api in _apis(name)]
    return tuple(made)


def parse(source: Source, compat: Compat | None = None) -> Parsed:
    """Read a name (TE1213; TE1237 where several APIs know it). With `compat`, in any case and as the compiler takes it."""
    text = source.text.strip()
    start = len(source.text) - len(source.text.lstrip())
    found = _QUALIFIED.fullmatch(text)
    api, written = (found["api"], found["name"]) if found else (None, text.rpartition(":")[2])
    span = Span(start + len(text) - len(written), start + len(text))
    name = written.lower() if compat is not None else written
    known = _apis(name) if compat is not None or not name.startswith("adreno-") or _ADRENO.fullmatch(name) else ()
    if api is None and len(known) > 1:
        choices = " or ".join(f"`{each}:{name}`" for each in known)
        raise ParseError(_error("TE1237", f"`{name}` is a target of several APIs", source, span, help_=f"write {choices}"))
    if api == "cuda" and compat is not None and not known and _EMPTY.fullmatch(written):
        return _without_gpu(written)
    if not known and api is None:
        raise ParseError(_unknown("", written, source, span, known))
    api = api or known[0]
    if api not in (*known, *(("amdgpu", "hip") if "rocm" in known else ())) or _case_refused(written, api):
        raise ParseError(_unknown(api, written, source, span, known))
    complaints = Complaints(source)
    row = _rows().get(name, "v adreno adreno").split(" ")
    if "!" in row[0] and api == "vulkan" and compat is None:
        note = f'iree@{iree_gpu_target.ERAS[-1]} makes `arch = ""` of it, and generates other code than for its relatives'
        complaints.warning("TE2036", f"IREE loses the architecture of `{name}`", span, notes=(note,))
    made = Name("rocm" if api == "hip" else api, name, expansion(api, name, _arch(written, name, api, compat)))
    env = replace(iree_gpu_lowering.lower(made.gpu), name=made.text)
    return Parsed("iree", env, made.text, complaints.settle(), made)


def _without_gpu(written: str) -> Parsed:
    """What the compiler makes of a name that it takes and does not know."""
    from targetenv.syntax import hal_dialect

    made = hal_dialect.parse(Source("<table>", _NO_GPU))
    return Parsed("iree", replace(made.env, name=f"cuda:{written}"), f"cuda:{written}", (), made._tree)


def render(of: Parsed | TargetEnv, era: str | None = None, compat: Compat | None = None) -> Rendered:  # noqa: ARG001
    """The name whose target this is; an architecture alone finds the name of the architecture."""
    tree = of._tree if isinstance(of, Parsed) else None
    if isinstance(tree, Name):
        return Rendered(tree.text)
    env = of.env if isinstance(of, Parsed) else of
    gpu = tree if isinstance(tree, GpuTarget) else getattr(tree, "gpu", None)
    found = _find(env, gpu if isinstance(gpu, GpuTarget) else None)
    if found is None:
        refuse(env, "iree", "IREE has no name for it")
    return Rendered(found)


def _find(env: TargetEnv, gpu: GpuTarget | None) -> str | None:
    api = env.offers.api
    for name in _rows():
        if api in _apis(name):
            target = expansion(api, name, None)
            same = gpu is None and api != "vulkan" and target.arch == env.offers.isa == name
            if same or target == gpu:
                return Name(api, name, target).text
    arch = gpu.arch if gpu is not None else ""
    return arch if _ADRENO.fullmatch(arch) and expansion("vulkan", arch, None) == gpu else None


def expansion(api: str, name: str, arch: str | None) -> GpuTarget:
    """The target that a name stands for under an API; `arch` in place of its own."""
    row = _rows().get(name)
    apis, true_arch, wgp, *chip = row.split(" ") if row else ("v", name, "adreno")
    del apis
    key = APIS[api]
    features = iree_names_table.FEATURES.get((key, true_arch), iree_names_table.USUAL_FEATURES[key])
    return replace(_wgp(wgp), arch=true_arch if arch is None else arch, features=features, chip=_chip(chip))


def targets() -> tuple[tuple[str, str, str], ...]:
    """Every name with what it expands to and its source."""
    rows = []
    for text in names():
        api, _, name = text.rpartition(":")
        gpu = expansion(api or _apis(name)[0], name, None)
        sizes = " or ".join(map(str, gpu.numbers("subgroup_size_choices")))
        memory = gpu.numbers("max_workgroup_memory_bytes")[0] // 1024
        parts = [gpu.arch, gpu.features, f"subgroups of {sizes}", f"{memory} KiB workgroup memory"]
        rows.append((text, ", ".join(part for part in parts if part), _SOURCE))
    return tuple(rows)


@cache
def _rows() -> dict[str, str]:
    lines = iree_names_table.NAMES.strip().split("\n")
    return {name: row for name, _, row in (line.partition(" ") for line in lines)}


def _apis(name: str) -> tuple[str, ...]:
    if _ADRENO_OF_IREE.fullmatch(name):
        return ("vulkan",)
    row = _rows().get(name, "")
    return tuple(api for api in ("vulkan", "cuda", "rocm", "metal") if APIS[api] in row.partition(" ")[0])


def _alone(name: str) -> bool:
    """Whether a name says enough without an API: no other API has it, and it is no vendor's id of an instruction set."""
    return len(_apis(name)) == 1 and not _VENDORS_OWN.fullmatch(name)


def _case_refused(written: str, api: str) -> bool:
    lower = written.lower()
    if written == lower:
        return False
    return bool(_ONLY_LOWER.fullmatch(lower)) or (api == "cuda" and bool(_LOST.fullmatch(lower)))


def _arch(written: str, name: str, api: str, compat: Compat | None) -> str | None:
    """The architecture that the compiler prints, None for the right one."""
    if compat is None or api != "vulkan":
        return None
    if "!" in _rows().get(name, "v").partition(" ")[0]:
        return ""
    if written != name:
        return written if name in _KEEPS_CASE else "" if _LOST.fullmatch(name) else None
    return None


@cache
def _wgp(key: str) -> GpuTarget:
    text = f'#iree_gpu.target<arch = "", features = "", wgp = <{iree_names_table.WGP[key]}>>'
    source = Source("<table>", text)
    return iree_gpu_target.Reader(Complaints(source), strict=True).read(attribute(source))


def _chip(words: list[str]) -> tuple[v.Entry, ...] | None:
    if not words:
        return None
    f32 = v.Word(("f32",))

    def number(text: str) -> v.Float:
        return v.Float(float_text(text, "f32"), f32)

    made = [v.Entry("wgp_count", v.Integer(int(words[0])))]
    made += [v.Entry("sku", v.String(word)) for word in words[1:2]]
    made += [v.Entry("memory_bandwidth_tbps", number(word)) for word in words[2:3]]
    rates = [v.Entry(key, number(rate)) for key, _, rate in (word.partition("=") for word in words[3:])]
    made += [v.Entry("perf_tflops", v.Dictionary(tuple(rates)))] if rates else []
    return tuple(made)


def _documented(name: str) -> str:
    return next((api for api, rows in _DOCUMENTED.items() if name in rows), "")


def _unknown(api: str, written: str, source: Source, span: Span, known: tuple[str, ...]) -> Diagnostic:
    notes: tuple[str, ...] = ()
    lower = written.lower()
    instead = _DOCUMENTED.get(api or _documented(lower), {}).get(lower)
    if lower in _rows() and written != lower:
        notes = ("IREE takes names in any case, and loses the architecture of most that are not in lower case",)
        help_ = f"write `{lower}`"
    elif instead:
        notes = (f"IREE knows the name `{written}`, and compiles nothing for it",)
        help_ = f"write `{api or _documented(lower)}:{instead}`"
    elif known:
        help_ = "write " + " or ".join(f"`{each}:{lower}`" for each in known)
    else:
        help_ = did_you_mean(lower, [name for name in _rows() if not api or APIS[api] in _rows()[name].partition(" ")[0]])
    kind = f"{api} target" if api else "target"
    return _error("TE1213", f"unknown {kind} `{written}`", source, span, notes=notes, help_=help_)


def _error(code: str, message: str, source: Source, span: Span, *, help_: str, notes: tuple[str, ...] = ()) -> Diagnostic:
    return Diagnostic(code, message, source, (Label(span),), notes, help_)
