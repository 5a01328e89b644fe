"""spirv-val: which SPIR-V version a Vulkan or OpenCL version takes, and which capabilities OpenCL guarantees."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

from targetenv.match.check import check
from targetenv.model.capabilities import Capabilities
from targetenv.model.requirement import NeedsCapability, NeedsVersion
from targetenv.model.verdict import Outcome
from targetenv.model.version import Version
from tests.differential.decisions.decision import Decision, Oracle, accepts, in_parallel, said, tool

_SHADER = """OpCapability Shader
OpMemoryModel Logical GLSL450
OpEntryPoint GLCompute %main "main"
OpExecutionMode %main LocalSize 1 1 1
%void = OpTypeVoid
%type = OpTypeFunction %void
%main = OpFunction %void None %type
%label = OpLabel
OpReturn
OpFunctionEnd
"""
_KERNEL = "OpCapability Addresses\nOpCapability Linkage\nOpCapability Kernel\n{}OpMemoryModel Physical64 OpenCL\n"
_VULKAN = {"vulkan1.0": "1.0", "vulkan1.1": "1.1", "vulkan1.1spv1.4": "1.1", "vulkan1.2": "1.2", "vulkan1.3": "1.3"}
_OPENCL = ("1.2", "2.0", "2.1", "2.2")
_CAPABILITIES = (
    "Addresses Float16Buffer Int64 Int16 Int8 Kernel Linkage Vector16 DeviceEnqueue GenericPointer Groups Pipes"
    " SubgroupDispatch PipeStorage Float64 Float16 Shader Matrix Geometry Tessellation Int64Atomics"
).split()
_SOME_DEVICE = "spirv-val accepts what some device of the version has; the rule asks this one, which does not say"
_MAY_TAKE_MORE = "a device may list more SPIR-V than its version requires, or take none: unknown here until it says so"


def version() -> str:
    found = re.search(r"v(\d{4}\.\d+)", said("spirv-val", "--version")) if tool("spirv-val") and tool("spirv-as") else None
    return f"SPIRV-Tools {found[1]}" if found else ""


def decide() -> Iterator[Decision]:
    with TemporaryDirectory() as folder:
        yield from _versions(folder)
        yield from _capabilities(folder)


def _versions(folder: str) -> Iterator[Decision]:
    spirv = [Version(1, minor) for minor in range(7)]
    for version in spirv:
        for kind, text in (("shader", _SHADER), ("kernel", _KERNEL.format(""))):
            _assemble(text, f"spv{version}", Path(folder, f"{kind}{version}.spv"))
    asked = [(env, "shader", version) for env, version in itertools.product(_VULKAN, spirv)]
    asked += [(f"opencl{opencl}", "kernel", version) for opencl, version in itertools.product(_OPENCL, spirv)]
    answers = in_parallel(lambda row: accepts(["spirv-val", "--target-env", row[0], f"{folder}/{row[1]}{row[2]}.spv"]), asked)
    for (env, kind, version), theirs in zip(asked, answers, strict=True):
        found = check(NeedsVersion("spirv", version), _offers(env)).outcome
        known = _MAY_TAKE_MORE if kind == "kernel" and found is Outcome.UNKNOWN else ""
        yield Decision(f"SPIR-V {version} in {env}", theirs, found is Outcome.SATISFIED, known)


def _capabilities(folder: str) -> Iterator[Decision]:
    asked = list(itertools.product(_OPENCL, _CAPABILITIES))
    for name in _CAPABILITIES:
        more = "" if name in ("Addresses", "Linkage", "Kernel") else f"OpCapability {name}\n"
        since = "spv1.1" if name in ("SubgroupDispatch", "PipeStorage") else "spv1.0"
        _assemble(_KERNEL.format(more), since, Path(folder, f"with{name}.spv"))
    answers = in_parallel(
        lambda row: accepts(["spirv-val", "--target-env", f"opencl{row[0]}", f"{folder}/with{row[1]}.spv"]), asked
    )
    for (opencl, name), theirs in zip(asked, answers, strict=True):
        found = check(NeedsCapability(name), _offers(f"opencl{opencl}")).outcome
        known = ""
        if found is not Outcome.SATISFIED and theirs:
            known = _SOME_DEVICE
        yield Decision(f"{name} in OpenCL {opencl}", theirs, found is Outcome.SATISFIED, known)


def _assemble(text: str, env: str, to: Path) -> None:
    assert accepts(["spirv-as", "--target-env", env, "-", "-o", str(to)], stdin=text), text


def _offers(env: str) -> Capabilities:
    formats = frozenset({"spirv"})
    if env.startswith("opencl"):
        return Capabilities("opencl", Version.parse(env.removeprefix("opencl")), formats=formats, complete=False)
    extensions = frozenset({"VK_KHR_spirv_1_4"} if env.endswith("spv1.4") else ())
    return Capabilities("vulkan", Version.parse(_VULKAN[env]), formats=formats, extensions=extensions)


ORACLES = (
    Oracle("spirv-val", "which SPIR-V a Vulkan or OpenCL version takes, which capabilities OpenCL guarantees", version, decide),
)
