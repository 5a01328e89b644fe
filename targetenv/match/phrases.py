"""Requirements and offers as the short phrases that findings carry."""

from __future__ import annotations

from targetenv.model import requirement as needs
from targetenv.model.requirement import Relation

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from targetenv.model.capabilities import PropertyValue
    from targetenv.model.requirement import Requirement

_API = {"spirv": "SPIR-V", "vulkan": "Vulkan", "opencl": "OpenCL", "cuda": "CUDA", "ptx": "PTX", "code-object": "code object"}


def required(requirement: Requirement) -> str:
    """What is required, in the field's words.

    >>> required(needs.NeedsLimit("VkPhysicalDeviceLimits::maxComputeSharedMemorySize", Relation.AT_LEAST, 65536))
    'limit maxComputeSharedMemorySize >= 65536'
    """
    match requirement:
        case needs.NeedsFormat(name):
            return f"format {name}"
        case needs.NeedsVersion(of, version):
            return f"{_API.get(of, of)} >= {version}"
        case needs.NeedsIsa(isa):
            return f"instruction set {isa}"
        case needs.NeedsExtension(name):
            return f"extension {name}"
        case needs.NeedsCapability(name):
            return f"capability {name}"
        case needs.NeedsFeature(name):
            return f"feature {name}"
        case needs.NeedsLimit(name, relation, value):
            return f"limit {bare(name)} {relation.value} {shown(value, relation)}"
        case needs.NeedsSubgroupSize(size):
            return f"subgroup size {size}"
        case needs.NeedsMatrix(matrix):
            return f"cooperative matrix {matrix}"
        case needs.NeedsUnknown(what):
            return what
        case needs.AllOf(parts):
            return joined(" and ", (required(part) for part in parts)) or "nothing"
        case needs.AnyOf(parts):
            return joined(" or ", (required(part) for part in parts)) or "any of nothing"
        case needs.Not(part):
            return f"not {required(part)}" if not isinstance(part, (needs.AllOf, needs.AnyOf)) else f"not ({required(part)})"


def joined(word: str, phrases: Iterable[str]) -> str:
    """Phrases with a word between them; in parentheses where one of them is itself joined.

    >>> joined(" and ", ["a", "b or c"])
    'a and (b or c)'
    """
    return word.join(f"({phrase})" if " or " in phrase or " and " in phrase else phrase for phrase in phrases)


def bare(canonical: str) -> str:
    """The member of `Struct::member`; any other name unchanged."""
    return canonical.rpartition("::")[2]


def shown(value: PropertyValue, relation: Relation = Relation.EXACTLY) -> str:
    """A property's value: `32768`, `[128, 8, 4]`; a mask in hexadecimal."""
    if relation is Relation.ALL_BITS and isinstance(value, int):
        return hex(value)
    return f"[{', '.join(str(part) for part in value)}]" if isinstance(value, tuple) else str(value)


def listed(names: Iterable[str], *, most: int = 6) -> str:
    """Names in order, the tail counted: `a, b and 3 more`."""
    ordered = sorted(names)
    if len(ordered) <= most:
        return ", ".join(ordered)
    return f"{', '.join(ordered[: most - 1])} and {len(ordered) - most + 1} more"


def api_name(api: str) -> str:
    """`vulkan` as its owners write it."""
    return _API.get(api, api)
