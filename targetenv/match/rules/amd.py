"""AMD GPUs: processors, generic processors, target features, code object versions."""

from __future__ import annotations

from targetenv.match.rules.row import Rule

_USAGE = "LLVM AMDGPUUsage.rst"

ROWS: tuple[Rule, ...] = (
    Rule(
        "amd.processor",
        "code runs on the very processor that it was built for",
        f"{_USAGE}, Processors; ROCr isa.cpp",
        "iree-target-id",
        others="IREE runs code for an unknown processor on one with a higher stepping, and LLVM takes an unknown name for any"
        " processor; AMD promises neither. HSA_OVERRIDE_GFX_VERSION makes ROCr believe another name",
    ),
    Rule(
        "amd.generic",
        "code for a generic processor runs on every member of its family",
        f"{_USAGE}, Generic Processors",
        "iree-target-id",
        since="llvm 19, rocm 6.4",
        others="hip_kpack counts gfx908 and gfx90a to gfx9-generic, and gfx940 and gfx941 to gfx9-4-generic; IREE counts"
        " gfx1170 to gfx1172 to gfx11-generic; ROCr and HIP do not have gfx11-7-generic, gfx12-5-generic and"
        " gfx13-generic in every release. LLVM is followed, because its back end decides which instructions are in"
        " the code. A later version of a family runs on all that earlier ones do, as LLVM promises; ROCr and IREE compare with"
        " version 1 only, which all families are at today",
    ),
    Rule(
        "amd.feature",
        "a target feature that code pins on or off must be so on the device; one that it leaves open may be either",
        f"{_USAGE}, Target Features and Target ID",
        "iree-target-id",
        others="ROCr runs code that pins a feature which the device does not have in release builds and stops on an"
        " assertion in debug builds. It is a no here, because nobody promises it",
    ),
    Rule(
        "amd.code-object",
        "a loader reads code objects up to a version; where a device does not say up to which, every published one is read",
        f"{_USAGE}, Code Object Metadata V2 to V6; release notes of ROCm",
        "clang-amdgpu",
    ),
    Rule(
        "amd.limit",
        "work-items in a workgroup and its local memory are facts of the processor, where the device does not state them",
        "LLVM AMDGPU.td, AddressableLocalMemorySize; AMDGPUUsage.rst, max_flat_workgroup_size",
    ),
    Rule(
        "amd.llvm",
        "a compiler builds for the processors that it knows: from the first LLVM with one to the last",
        "LLVM, GCNProcessors.td of the releases",
        "clang-amdgpu",
    ),
)
