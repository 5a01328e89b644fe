"""Constraints: what they mean, how they print, and what is said about mistakes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from targetenv.diagnostics.diagnostic import ParseError, Source
from targetenv.match import check
from targetenv.model.capabilities import Capabilities, Property
from targetenv.model.requirement import (
    AllOf,
    AnyOf,
    NeedsCapability,
    NeedsExtension,
    NeedsFeature,
    NeedsIsa,
    NeedsLimit,
    NeedsSubgroupSize,
    NeedsVersion,
    Not,
    Relation,
)
from targetenv.model.verdict import Outcome
from targetenv.model.version import Version
from targetenv.syntax import is_constraint, parse_constraint
from targetenv.syntax.constraint import read, show

if TYPE_CHECKING:
    from targetenv.model.requirement import Requirement

SHARED = "VkPhysicalDeviceLimits::maxComputeSharedMemorySize"
GROUP = "VkPhysicalDeviceLimits::maxComputeWorkGroupSize"
INT64 = NeedsFeature("VkPhysicalDeviceFeatures::shaderInt64")
VULKAN = NeedsVersion("vulkan", Version(1, 1))


@pytest.mark.parametrize(
    ("text", "meaning"),
    [
        ("vulkan >= 1.1", VULKAN),
        ("shaderInt64", INT64),
        ("VkPhysicalDeviceFeatures::shaderInt64", INT64),
        ("VK_KHR_16bit_storage", NeedsExtension("VK_KHR_16bit_storage")),
        ("SPV_KHR_16bit_storage", NeedsExtension("SPV_KHR_16bit_storage")),
        ("capability Float16", NeedsCapability("Float16")),
        ("isa x86-64-v3", NeedsIsa("x86-64-v3")),
        ("avx512f", NeedsFeature("avx512f")),
        ("subgroupSize == 32", NeedsSubgroupSize(32)),
        ("subgroupSize in {32, 64}", AnyOf((NeedsSubgroupSize(32), NeedsSubgroupSize(64)))),
        ("maxComputeSharedMemorySize >= 32 KiB", NeedsLimit(SHARED, Relation.AT_LEAST, 32768)),
        ("maxComputeSharedMemorySize >= 0x8000", NeedsLimit(SHARED, Relation.AT_LEAST, 32768)),
        ("maxComputeSharedMemorySize < 32KiB", Not(NeedsLimit(SHARED, Relation.AT_LEAST, 32768))),
        ("maxComputeWorkGroupSize >= [128, 8, 4]", NeedsLimit(GROUP, Relation.AT_LEAST, (128, 8, 4))),
        ("vulkan == 1.1", AllOf((VULKAN, Not(NeedsVersion("vulkan", Version(1, 2)))))),
        ("shaderInt64 or vulkan >= 1.1 and not shaderInt64", AnyOf((INT64, AllOf((VULKAN, Not(INT64)))))),
        ("(shaderInt64 or vulkan >= 1.1) and shaderInt64", AllOf((AnyOf((INT64, VULKAN)), INT64))),
    ],
)  # fmt: skip
def test_a_text_means(text: str, meaning: Requirement) -> None:
    made = read(Source("text", text))
    assert made == meaning
    assert read(Source("text", show(made))) == meaning
    assert is_constraint(text)


@pytest.mark.parametrize(
    ("text", "code", "place"),
    [
        ("vulkan >= 1.1 and shaderFlot16", "TE1301", "shaderFlot16"),
        ("maxComputeSharedMemorySiz >= 3", "TE1301", "maxComputeSharedMemorySiz"),
        ("VK_KHR_16bit_storag", "TE1301", "VK_KHR_16bit_storag"),
        ("capability Flot16", "TE1301", "Flot16"),
        ("cooperativeMatrix", "TE1302", "cooperativeMatrix"),
        ("maxComputeSharedMemorySize >= 32 KB", "TE1303", "KB"),
        ("shaderInt8 >= 3", "TE1304", "shaderInt8"),
        ("maxPushConstantsSize", "TE1304", "maxPushConstantsSize"),
        ("vulkan", "TE1304", "vulkan"),
        ("shaderInt8 shaderInt16", "TE1304", "shaderInt8"),
        ("vulkan >= [1]", "TE1305", "[1]"),
        ("maxPushConstantsSize >= 1.5", "TE1305", "1.5"),
        ("maxPushConstantsSize >= 99999999999999999999", "TE1206", "99999999999999999999"),
        ("vulkan >= 1.1 and", "TE1003", ""),
        ("vulkan => 1.1", "TE1002", "="),
        ("(" * 100 + "shaderInt8" + ")" * 100, "TE1001", None),
    ],
)
def test_mistakes_are_pointed_at(text: str, code: str, place: str | None) -> None:
    with pytest.raises(ParseError) as caught:
        parse_constraint(text)
    diagnostic = caught.value.diagnostics[0]
    assert diagnostic.code == code
    assert place is None or (diagnostic.span is not None and diagnostic.span.of(text) == place)


def test_what_is_joined_by_and_is_judged_part_by_part() -> None:
    assert parse_constraint("vulkan >= 1.1 and shaderInt64") == (VULKAN, INT64)


def test_unknown_stays_unknown_through_not_and_or() -> None:
    offers = Capabilities("vulkan", Version(1, 0), properties=(Property(SHARED, 16384),), complete=False)
    outcomes = {
        text: check(read(Source("text", text)), offers).outcome
        for text in ("shaderInt64", "not shaderInt64", "shaderInt64 or vulkan >= 1.0", "shaderInt64 and vulkan >= 1.1")
    }
    assert list(outcomes.values()) == [Outcome.UNKNOWN, Outcome.UNKNOWN, Outcome.SATISFIED, Outcome.UNSATISFIED]
