"""Target names as the words that each toolchain takes."""

from __future__ import annotations

import re

from targetenv.model.record import record
from targetenv.registry import aarch64, x86

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from targetenv.model.target_env import TargetEnv

_VULKAN = re.compile(r"vulkan-?(1\.[0-4])")
_SPIRV = re.compile(r"(?:spirv|spv)-?(1\.[0-6])")
_X86 = re.compile(r"x86[-_]64(-v[2-4])?")
_ARM = re.compile(r"armv[89](?:\.\d)?-a(?:\+[a-z0-9]+)*")


@record
class Words:
    """What a command template is told about the target; empty where nothing is said."""

    environment: str = ""
    spirv: str = ""
    march: str = ""
    level: str = ""


def words(toolchain: str, targets: Sequence[str], understand: Callable[[str], TargetEnv]) -> Words:
    """The words for `toolchain`; a target that it cannot be told, or two that say the same thing differently, is a ValueError.

    `understand` reads every other spelling of a target (`#vk.target_env<...>`); it may raise what it likes.

    >>> words("glslc", ["vulkan1.1", "spirv1.3"], understand=None)
    Words(environment='vulkan1.1', spirv='spv1.3', march='', level='')
    >>> words("cc", ["x86-64-v3"], understand=None).level
    'x86-64-v3'
    """
    told: dict[str, str] = {}
    for target in targets:
        for key, word in _told(toolchain, target, understand).items():
            if told.setdefault(key, word) != word:
                raise ValueError(f"`{target}` contradicts another target of this variant: one variant is built for one target")
    return Words(**told)


def _told(toolchain: str, target: str, understand: Callable[[str], TargetEnv]) -> dict[str, str]:
    match toolchain:
        case "glslc":
            return _for_glslc(target, understand)
        case "cc":
            return _for_cc(target, understand)
        case _:
            return {}  # a prebuilt file is what it is; its declared target is held against its bytes later


def _for_glslc(target: str, understand: Callable[[str], TargetEnv]) -> dict[str, str]:
    if found := _VULKAN.fullmatch(target):
        return {"environment": f"vulkan{found[1]}"}
    if found := _SPIRV.fullmatch(target):
        return {"spirv": f"spv{found[1]}"}
    offers = understand(target).offers
    if offers.api != "vulkan" or offers.version is None:
        raise ValueError(
            f"glslc cannot be told to build for `{target}`: expected `vulkan1.0` ... `vulkan1.4` or `spirv1.0` ..."
        )
    return {"environment": f"vulkan{offers.version.major}.{offers.version.minor}"}


def _for_cc(target: str, understand: Callable[[str], TargetEnv]) -> dict[str, str]:
    if target == "native":
        raise ValueError("`native` would build another program on every machine: name the level, such as `x86-64-v3`")
    name = target
    if not (_X86.fullmatch(name) or _ARM.fullmatch(name) or name == "aarch64"):
        offers = understand(target).offers
        name = offers.isa or "" if offers.api == "cpu" else ""
    if found := _X86.fullmatch(name):
        march = f"x86-64{found[1] or ''}"
        # GNU ld 2.40 aborts on `-z x86-64-baseline`, so that the baseline is left unsaid.
        return {"march": march, "level": march if found[1] else ""}
    if _ARM.fullmatch(name):
        return {"march": name}
    if name == "aarch64":
        return {"march": "armv8-a"}
    if name in x86.names() or name in aarch64.names():
        return {"march": name}  # compilers know most CPUs by the same names, and say so where they do not
    raise ValueError(f"cc cannot be told to build for `{target}`: expected `x86-64`, `x86-64-v2` ... `-v4`, `armv8-a` or a CPU")
