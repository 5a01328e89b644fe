"""The dialect `tvm`: TVM's targets as JSON, `{"kind": "cuda", "arch": "sm_90a"}`.

Keys are those of TVM 0.27 (src/target/target_kind.cc); a key that TVM refuses is refused, with the key meant. Unlike there,
values mean something: `arch` and `mcpu` have to exist.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from targetenv.diagnostics.diagnostic import Diagnostic, Label, ParseError, Source
from targetenv.diagnostics.suggest import did_you_mean
from targetenv.model.capabilities import Capabilities, Property, SpirvEnvironment
from targetenv.model.record import record
from targetenv.model.span import Span
from targetenv.model.target_env import TargetEnv
from targetenv.model.version import Version
from targetenv.registry import cuda, vulkan
from targetenv.syntax import amd_target_id, cpu_name, cuda_architecture, llvm_triple
from targetenv.syntax.parsed import Parsed, Rendered

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from targetenv.syntax.compat import Compat

_LIMITS = "VkPhysicalDeviceLimits"
#: Keys of every kind; those that say nothing about a device are carried along.
_COMMON = frozenset({"kind", "tag", "keys", "libs", "host", "device", "model", "from_device", "target_device_type", "mattr"})
_GPU = frozenset({"thread_warp_size", "max_num_threads", "max_threads_per_block", "max_shared_memory_per_block"})
_VULKAN_FEATURES = {
    key: vulkan.feature(f"VkPhysicalDevice{struct}", member)
    for key, struct, member in (
        ("supports_float16", "Vulkan12Features", "shaderFloat16"),
        ("supports_float64", "Features", "shaderFloat64"),
        ("supports_int8", "Vulkan12Features", "shaderInt8"),
        ("supports_int16", "Features", "shaderInt16"),
        ("supports_int64", "Features", "shaderInt64"),
        ("supports_8bit_buffer", "Vulkan12Features", "storageBuffer8BitAccess"),
        ("supports_16bit_buffer", "Vulkan11Features", "storageBuffer16BitAccess"),
        ("supports_integer_dot_product", "Vulkan13Features", "shaderIntegerDotProduct"),
        ("supports_cooperative_matrix", "CooperativeMatrixFeaturesKHR", "cooperativeMatrix"),
    )
}
_VULKAN_EXTENSIONS = {
    "supports_storage_buffer_storage_class": "VK_KHR_storage_buffer_storage_class",
    "supports_push_descriptor": "VK_KHR_push_descriptor",
    "supports_dedicated_allocation": "VK_KHR_dedicated_allocation",
}
_VULKAN_PROPERTIES = {
    "max_threads_per_block": vulkan.property_name(_LIMITS, "maxComputeWorkGroupInvocations"),
    "max_shared_memory_per_block": vulkan.property_name(_LIMITS, "maxComputeSharedMemorySize"),
    "max_push_constants_size": vulkan.property_name(_LIMITS, "maxPushConstantsSize"),
    "max_uniform_buffer_range": vulkan.property_name(_LIMITS, "maxUniformBufferRange"),
    "max_storage_buffer_range": vulkan.property_name(_LIMITS, "maxStorageBufferRange"),
    "max_per_stage_descriptor_storage_buffer": vulkan.property_name(_LIMITS, "maxPerStageDescriptorStorageBuffers"),
    "supported_subgroup_operations": vulkan.property_name("VkPhysicalDeviceVulkan11Properties", "subgroupSupportedOperations"),
}
_WORKGROUP_SIZE = vulkan.property_name(_LIMITS, "maxComputeWorkGroupSize")
_VULKAN_OTHER = frozenset(
    """
    supports_float32 supports_int32 max_block_size_x max_block_size_y max_block_size_z device_type device_name driver_name
    driver_version vulkan_api_version max_spirv_version
    """.split()
)
_KINDS: dict[str, frozenset[str]] = {
    "llvm": frozenset(
        """
        mcpu mtriple mabi num-cores vector-width fast-math fast-math-nnan fast-math-ninf fast-math-nsz fast-math-arcp
        fast-math-contract fast-math-reassoc opt-level cl-opt jit mfloat-abi
        """.split()
    ),
    "cuda": _GPU | {"mcpu", "arch", "max_shared_memory_per_block", "registers_per_block", "l2_cache_size_bytes"},
    "rocm": _GPU | {"mcpu", "mtriple"},
    "vulkan": _GPU | frozenset({**_VULKAN_FEATURES, **_VULKAN_EXTENSIONS, **_VULKAN_PROPERTIES}) | _VULKAN_OTHER,
    "metal": _GPU | {"max_function_args"},
    "opencl": _GPU | {"texture_spatial_limit", "texture_depth_limit", "max_function_args", "image_base_address_alignment"},
}
_APIS = {"llvm": "cpu"}  # the others are called what we call them


@record
class TvmTarget:
    """A kind and what was said about it, in the order written; values are JSON texts."""

    kind: str
    settings: tuple[tuple[str, str], ...]

    def values(self) -> dict[str, Any]:
        """Everything that was said, as Python values."""
        return {key: json.loads(value) for key, value in self.settings}

    def __str__(self) -> str:
        return (
            "{"
            + ", ".join(f"{json.dumps(key)}: {value}" for key, value in (("kind", json.dumps(self.kind)), *self.settings))
            + "}"
        )


def knows(text: str) -> bool:
    """Whether a text is a JSON object with a kind."""
    return text.startswith("{") and re.search(r'"kind"\s*:', text) is not None


def names() -> tuple[str, ...]:
    """TVM's targets have no plain names here: its tags are a table of TVM's."""
    return ()


def parse(source: Source, compat: Compat | None = None) -> Parsed:  # noqa: ARG001  no release of IREE differs here
    """Read a target (TE1002, TE1204, TE1205, TE1213)."""
    tree = read(source)
    return Parsed("tvm", _lower(tree, source), str(tree), (), tree)


def render(of: Parsed | TargetEnv, era: str | None = None, compat: Compat | None = None) -> Rendered:  # noqa: ARG001
    """The target that says most about the environment, and what TVM has no key for."""
    if isinstance(of, Parsed) and isinstance(of._tree, TvmTarget):
        return Rendered(str(of._tree))
    env = of.env if isinstance(of, Parsed) else of
    offers = env.offers
    kind = "llvm" if offers.api == "cpu" else offers.api
    if kind not in _KINDS:
        raise ParseError(Diagnostic("TE1220", f"TVM has no kind of target for {offers.api}"))
    said: dict[str, object] = {}
    losses: list[str] = []
    if kind == "vulkan":
        said, losses = _vulkan_settings(offers)
    elif kind == "cuda":
        said = {"arch": re.sub(r"^compute", "sm", offers.isa)} if offers.isa else {}
    elif kind == "rocm" and offers.isa:
        said = {"mtriple": "amdgcn-amd-amdhsa", "mcpu": offers.isa}
        pinned = sorted([f"+{name}" for name in offers.features] + [f"-{name}" for name in offers.denied])
        said |= {"mattr": pinned} if pinned else {}
    elif kind == "llvm":
        said = {"mtriple": llvm_triple.render(env).text}
        if offers.isa in cpu_name.names():
            name = cpu_name.CpuName(str(offers.isa))
            edits = [f"+{one}" for one in sorted(offers.features - name.features)]
            edits += [f"-{one}" for one in sorted(name.features - offers.features)] if offers.features else []
            said |= {"mcpu": offers.isa} | ({"mattr": edits} if edits else {})
    if len(offers.subgroup_sizes) == 1 and kind != "llvm":
        said["thread_warp_size"] = min(offers.subgroup_sizes)
    elif offers.subgroup_sizes:
        losses.append(f"subgroup sizes {', '.join(map(str, sorted(offers.subgroup_sizes)))}: TVM has room for one")
    tree = TvmTarget(kind, tuple((key, json.dumps(value)) for key, value in said.items()))
    return Rendered(str(tree), tuple(losses))


def read(source: Source) -> TvmTarget:
    """The target of a text."""
    try:
        pairs = json.loads(source.text, object_pairs_hook=list)
    except json.JSONDecodeError as error:
        label = Label(Span(min(error.pos, len(source.text)), min(error.pos + 1, len(source.text))))
        raise ParseError(Diagnostic("TE1002", f"this is not JSON: {error.msg.lower()}", source, (label,))) from None
    except (RecursionError, ValueError):
        raise ParseError(Diagnostic("TE1001", "a number or a nesting is too large", source)) from None
    said: dict[str, object] = {}
    for key, value in pairs:
        if key in said:
            raise ParseError(_at(source, key, "TE1208", f"`{key}` is given twice", ""))
        said[key] = value
    kind = said.pop("kind", None)
    if not isinstance(kind, str) or kind not in _KINDS:
        help_ = did_you_mean(str(kind), _KINDS) or f"kinds are {', '.join(_KINDS)}"
        raise ParseError(_at(source, "kind", "TE1213", f"unknown kind of target `{kind}`", help_))
    known = _KINDS[kind] | _COMMON
    for key, value in said.items():
        if key not in known:
            help_ = did_you_mean(key, known) or f"keys of {kind} are {', '.join(sorted(known))}"
            raise ParseError(_at(source, key, "TE1204", f"`{kind}` has no key `{key}`", help_))
        wanted = _type_of(key)
        if wanted is not None and (type(value) is not wanted):
            raise ParseError(_at(source, key, "TE1205", f"`{key}` takes {_SHOWN[wanted]}", ""))
        if isinstance(value, list) and wanted is list and not all(isinstance(each, str) for each in value):
            raise ParseError(_at(source, key, "TE1205", f"`{key}` takes {_SHOWN[list]}", ""))
    return TvmTarget(kind, tuple((key, json.dumps(_plain(value))) for key, value in said.items()))


_SHOWN = {bool: "true or false", int: "an integer", str: "a string", list: "a list of strings"}


def _plain(value: object) -> object:
    """JSON objects came as lists of pairs, so that duplicates could be seen."""
    if isinstance(value, list):
        if value and all(isinstance(each, tuple) for each in value):
            return {key: _plain(inner) for key, inner in value}
        return [_plain(each) for each in value]
    return value


def _type_of(key: str) -> type | None:
    if key.startswith("supports_"):
        return bool
    if key.startswith(("max_", "thread_", "num-", "vulkan_api", "registers_", "l2_")) or key == "supported_subgroup_operations":
        return int
    if key in ("arch", "mcpu", "mtriple", "mabi", "device_type", "device_name", "driver_name", "tag", "model", "device"):
        return str
    return list if key in ("mattr", "keys", "libs") else None


def _at(source: Source, key: str, code: str, message: str, advice: str) -> Diagnostic:
    """A diagnostic that points at the last place where the key stands."""
    places = [found.span() for found in re.finditer(re.escape(json.dumps(key)) + r"(?=\s*:)", source.text)]
    labels = (Label(Span(*places[-1])),) if places else ()
    return Diagnostic(code, message, source, labels, help=advice)


def _lower(tree: TvmTarget, source: Source) -> TargetEnv:
    said = tree.values()
    warp = frozenset({said["thread_warp_size"]} if "thread_warp_size" in said else set[int]())
    match tree.kind:
        case "cuda":
            if "arch" not in said:
                return TargetEnv(Capabilities("cuda", subgroup_sizes=warp, complete=False), vendor="NVIDIA")
            if said["arch"] not in cuda.names():
                help_ = did_you_mean(said["arch"], cuda.names())
                raise ParseError(_at(source, "arch", "TE1213", f"unknown target `{said['arch']}`", help_))
            return cuda_architecture.lower(said["arch"])
        case "rocm":
            pins = "".join(f":{edit[1:]}{edit[:1]}" for edit in said.get("mattr", ()))
            if "mcpu" not in said:
                return TargetEnv(Capabilities("rocm", subgroup_sizes=warp, complete=False), vendor="AMD")
            return _inner(source, "mcpu", said["mcpu"] + pins, amd_target_id.parse)
        case "llvm":
            if "mcpu" in said:
                edits = "".join(f",{edit}" for edit in said.get("mattr", ()))
                return _inner(source, "mcpu", said["mcpu"] + edits, cpu_name.parse)
            if "mtriple" in said:
                return _inner(source, "mtriple", said["mtriple"], llvm_triple.parse)
            return TargetEnv(Capabilities("cpu", complete=False))
        case "vulkan":
            return TargetEnv(_vulkan_offers(said, warp))
        case api:
            return TargetEnv(Capabilities(api, subgroup_sizes=warp, complete=False))


def _inner(source: Source, key: str, text: str, read_text: Callable[[Source], Parsed]) -> TargetEnv:
    """What another dialect reads in the value of `key`; its complaints point at the key."""
    try:
        return read_text(Source(source.name, text)).env
    except ParseError as error:
        first = error.diagnostics[0]
        raise ParseError(_at(source, key, first.code, first.message, first.help)) from None


def _vulkan_offers(said: dict[str, Any], warp: frozenset[int]) -> Capabilities:
    packed = said.get("vulkan_api_version")
    spirv = said.get("max_spirv_version")
    axes = [said.get(f"max_block_size_{axis}") for axis in "xyz"]
    properties = [Property(name, said[key]) for key, name in _VULKAN_PROPERTIES.items() if key in said]
    if None not in axes:
        properties.append(Property(_WORKGROUP_SIZE, tuple(int(axis) for axis in axes if axis is not None)))
    return Capabilities(
        "vulkan",
        Version.unpack_vulkan(packed) if packed else None,
        formats=frozenset({"spirv"}),
        extensions=frozenset(name for key, name in _VULKAN_EXTENSIONS.items() if said.get(key)),
        features=frozenset(name for key, name in _VULKAN_FEATURES.items() if said.get(key)),
        denied=frozenset(name for key, name in _VULKAN_FEATURES.items() if said.get(key) is False),
        properties=tuple(sorted(properties, key=lambda row: row.name)),
        subgroup_sizes=warp,
        spirv=SpirvEnvironment(Version(spirv >> 16 & 0xFF, spirv >> 8 & 0xFF)) if spirv else None,
        complete=False,
    )


def _vulkan_settings(offers: Capabilities) -> tuple[dict[str, object], list[str]]:
    said: dict[str, object] = {key: True for key, name in _VULKAN_FEATURES.items() if name in offers.features}
    said |= {key: True for key, name in _VULKAN_EXTENSIONS.items() if name in offers.extensions}
    values = ((key, offers.property(name)) for key, name in _VULKAN_PROPERTIES.items())
    said |= {key: value for key, value in values if value is not None}
    axes = offers.property(_WORKGROUP_SIZE)
    if isinstance(axes, tuple):
        said |= dict(zip(("max_block_size_x", "max_block_size_y", "max_block_size_z"), axes, strict=False))
    if offers.version is not None:
        said["vulkan_api_version"] = offers.version.major << 22 | offers.version.minor << 12 | offers.version.patch
    return said, list(_losses(offers))


def _losses(offers: Capabilities) -> Iterator[str]:
    groups = (
        ("extensions", offers.extensions - frozenset(_VULKAN_EXTENSIONS.values())),
        ("features", offers.features - frozenset(_VULKAN_FEATURES.values())),
        (
            "limits",
            {row.name for row in offers.properties} - {*_VULKAN_PROPERTIES.values(), _WORKGROUP_SIZE},
        ),
    )
    for what, left in groups:
        if left:
            yield f"{what} that TVM has no key for: {', '.join(sorted(name.rpartition('::')[2] for name in left))}"
    if offers.matrices:
        yield "the rows of cooperative matrices: TVM has only a yes or no"
