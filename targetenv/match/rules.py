"""Compatibility rules as rows: what decides, where the rule comes from, and between which versions it holds."""

from __future__ import annotations

from targetenv.model.record import record


@record
class Rule:
    """One rule. `since` and `until` bound the versions of what `source` describes; empty is open."""

    id: str
    text: str
    source: str
    since: str = ""
    until: str = ""


_SPIRV_APPENDIX = "Vulkan specification, appendix `Vulkan Environment for SPIR-V` (spirvenv.adoc)"

ROWS: tuple[Rule, ...] = (
    Rule("format.listed", "a loader takes the formats that it lists and no other", "targetenv: the drivers' loaders"),
    Rule("version.at-least", "the offered version is the required one or a later one", "Vulkan specification, Version Numbers"),
    Rule(
        "spirv.version",
        "Vulkan 1.0 takes SPIR-V 1.0, 1.1 takes 1.3, 1.2 takes 1.5, 1.3 and 1.4 take 1.6; VK_KHR_spirv_1_4 lifts 1.1 to 1.4",
        _SPIRV_APPENDIX,
        since="1.0",
    ),
    Rule("spirv.stated", "the source states SPIR-V version, capabilities and extensions itself", "the device or environment"),
    Rule(
        "spirv.enabled",
        "a capability or extension that a module declares is usable when any one of its `enable` rows holds",
        "vk.xml, `spirvcapability` and `spirvextension`",
    ),
    Rule("extension.listed", "the device lists the extension", "Vulkan specification, vkEnumerateDeviceExtensionProperties"),
    Rule(
        "extension.promoted",
        "an extension promoted to a core version is there when the device offers that version",
        "vk.xml, `promotedto`",
        since="1.1",
    ),
    Rule(
        "feature.answered",
        "the device answered the feature query with yes",
        "Vulkan specification, Features",
    ),
    Rule(
        "feature.by-extension",
        "a core feature that replaces an extension without a feature struct is there when the extension is",
        "vk.xml, `member alias`",
    ),
    Rule(
        "feature.guaranteed",
        "a version or an extension makes the feature mandatory, so that every device with it offers it",
        "vk.xml, `require` with `feature`",
    ),
    Rule(
        "cuda.ptx",
        "PTX goes to every later architecture; with `f` only within its family, with `a` only to that very chip",
        "NVIDIA, ptxas --help, `--gpu-name`; held against ptxas 12.9 to 13.4",
    ),
    Rule(
        "cuda.cubin",
        "a cubin runs on the same major compute capability and no smaller minor; with `a` only on that very chip",
        "NVIDIA Ada GPU Architecture Compatibility Guide",
    ),
    Rule(
        "cuda.ptx-isa",
        "a driver takes PTX up to the version that came with its CUDA; any driver takes the first that knew its device",
        "NVIDIA PTX ISA, Release History; cuDriverGetVersion",
    ),
    Rule(
        "amd.processor",
        "code runs on the processor that it was built for, and code for a generic processor on every member of that family",
        "LLVM AMDGPUUsage.rst, Generic Processors",
    ),
    Rule(
        "amd.feature",
        "a target feature that code pins on or off must be so on the device; one that it leaves open may be either",
        "LLVM AMDGPUUsage.rst, Target Features",
    ),
    Rule(
        "amd.code-object",
        "a loader reads code objects up to a version; where a device does not say up to which, every published one is read",
        "LLVM AMDGPUUsage.rst, Code Object Metadata V2 to V6",
    ),
    Rule(
        "amd.limit",
        "work-items in a workgroup and its local memory are facts of the processor, where the device does not state them",
        "LLVM AMDGPU.td, AddressableLocalMemorySize; AMDGPUUsage.rst, max_flat_workgroup_size",
    ),
    Rule("compound.all", "every part holds", "Kleene, Introduction to Metamathematics, section 64 (strong tables)"),
    Rule("compound.any", "at least one part holds", "Kleene, Introduction to Metamathematics, section 64 (strong tables)"),
    Rule("compound.not", "the part does not hold", "Kleene, Introduction to Metamathematics, section 64 (strong tables)"),
    Rule("limit.relation", "the offered value stands to the required one as the limit's type says", "vk.xml, `limittype`"),
    Rule(
        "limit.guaranteed",
        "where the source does not state a limit, every implementation offers at least the required minimum",
        "Vulkan specification, table `Required Limits`",
    ),
    Rule(
        "cuda.capability",
        "where the source does not state a limit, every device of that compute capability offers what its column says",
        "CUDA C++ Programming Guide, Technical Specifications per Compute Capability",
    ),
    Rule("isa.same", "code runs on the instruction set that it was built for", "targetenv: equal names"),
    Rule(
        "isa.features",
        "every feature that code for this name may use is present and enabled by the operating system",
        "x86-64 psABI, table 3.1; feature closures of LLVM's `-march` and `-mcpu` names",
    ),
    Rule(
        "subgroup.in-set",
        "the size is one of those that the device can run a compute pipeline with",
        "Vulkan specification, VkPhysicalDeviceSubgroupSizeControlProperties",
    ),
    Rule(
        "matrix.row",
        "shape, types and scope are one of the rows that the device lists",
        "Vulkan specification, VkCooperativeMatrixPropertiesKHR",
    ),
    Rule("unknown.never-satisfied", "what is not known is not taken as offered", "targetenv: docs/concepts/matching.md"),
)

_BY_ID = {row.id: row for row in ROWS}


def rule(identifier: str) -> Rule:
    """The row under this id; a KeyError otherwise, since ids are ours.

    >>> rule("extension.promoted").source
    'vk.xml, `promotedto`'
    """
    return _BY_ID[identifier]
