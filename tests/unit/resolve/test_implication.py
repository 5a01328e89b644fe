"""When one requirement contains another, branch by branch; the laws are in tests/property/test_match.py."""

from __future__ import annotations

import pytest

from targetenv.model.capabilities import CooperativeMatrix
from targetenv.model.requirement import (
    AllOf,
    AnyOf,
    NeedsCapability,
    NeedsExtension,
    NeedsFeature,
    NeedsFormat,
    NeedsIsa,
    NeedsLimit,
    NeedsMatrix,
    NeedsUnknown,
    NeedsVersion,
    Not,
    Relation,
)
from targetenv.model.version import Version
from targetenv.resolve.implication import implies

TYPE_CHECKING = False
if TYPE_CHECKING:
    from targetenv.model.requirement import LimitValue, Requirement

A, B, C = (NeedsFeature(name) for name in "abc")
ROW = CooperativeMatrix(16, 8, 16, "f16", "f16", "f32", "f32")


def limit(relation: Relation, value: LimitValue, name: str = "n") -> NeedsLimit:
    return NeedsLimit(name, relation, value)


@pytest.mark.parametrize(
    ("one", "other", "follows"),
    [
        (A, A, True),
        (A, B, False),
        (A, NeedsCapability("a"), False),
        (NeedsFormat("spirv"), NeedsFormat("spirv"), True),
        (NeedsUnknown("x"), NeedsUnknown("y"), False),
        # versions
        (NeedsVersion("spirv", Version(1, 3)), NeedsVersion("spirv", Version(1, 3)), True),
        (NeedsVersion("spirv", Version(1, 3)), NeedsVersion("spirv", Version(1, 4)), False),
        (NeedsVersion("vulkan", Version(1, 3)), NeedsVersion("spirv", Version(1, 0)), False),
        # every part
        (A, AllOf((A,)), True),
        (A, AllOf((A, B)), False),
        (A, AllOf(()), True),
        (AllOf((A, B)), A, True),
        (AllOf((A, B)), C, False),
        (AllOf((A, B)), AllOf((B, A)), True),
        (AllOf(()), A, False),
        # any part
        (A, AnyOf((A, B)), True),
        (C, AnyOf((A, B)), False),
        (A, AnyOf(()), False),
        (AnyOf((A, B)), A, False),
        (AnyOf((A, A)), A, True),
        (AnyOf(()), A, False),
        (AnyOf(()), AnyOf(()), True),
        (AnyOf((A, B)), AnyOf((B, C, A)), True),
        (AnyOf((A, C)), AnyOf((A, B)), False),
        (AllOf((A, C)), AnyOf((A, B)), True),
        (AllOf((C,)), AnyOf((A, B)), False),
        (AnyOf((AllOf((A, B)), AllOf((A, C)))), A, True),
        (AnyOf((AllOf((A, B)), AllOf((B, C)))), A, False),
        # a limit is compared with limits only
        (NeedsLimit("n", Relation.AT_LEAST, 8), A, False),
        (A, NeedsLimit("n", Relation.AT_LEAST, 8), False),
        (NeedsLimit("n", Relation.AT_LEAST, 8), AnyOf((NeedsLimit("n", Relation.AT_LEAST, 4), A)), True),
        # what must not hold
        (Not(A), Not(A), True),
        (Not(A), Not(B), False),
        # instruction sets
        (NeedsIsa("x86-64-v3"), NeedsIsa("x86-64-v2"), True),
        (NeedsIsa("x86-64-v2"), NeedsIsa("x86-64-v3"), False),
        (NeedsIsa("x86-64-v3"), NeedsFeature("avx2"), True),
        (NeedsIsa("x86-64-v2"), NeedsFeature("avx2"), False),
        (NeedsFeature("avx2"), NeedsIsa("x86-64-v3"), False),
        (NeedsIsa("no such thing"), NeedsIsa("no such thing"), True),
        (NeedsIsa("no such thing"), NeedsIsa("another"), False),
        (NeedsIsa("no such thing"), NeedsIsa("x86-64-v2"), False),
        (NeedsIsa("x86-64-v2"), NeedsIsa("no such thing"), False),
        # rows of matrices, in which something may be left open
        (NeedsMatrix(ROW), NeedsMatrix(ROW), True),
        (NeedsMatrix(ROW), NeedsMatrix(CooperativeMatrix(16, 0, 16, "f16", "", "", "")), True),
        (NeedsMatrix(ROW), NeedsMatrix(CooperativeMatrix(16, 0, 16, "bf16", "", "", "")), False),
        (NeedsMatrix(ROW), NeedsMatrix(CooperativeMatrix(16, 0, 16, "f16", "", "", "", "workgroup")), False),
        (NeedsMatrix(CooperativeMatrix(16, 0, 16, "f16", "", "", "")), NeedsMatrix(ROW), False),
        (NeedsMatrix(ROW), NeedsExtension("VK_KHR_cooperative_matrix"), False),
    ],
)
def test_what_follows(one: Requirement, other: Requirement, follows: bool) -> None:
    assert implies(one, other) is follows


LEAST, MOST, EXACT = Relation.AT_LEAST, Relation.AT_MOST, Relation.EXACTLY


@pytest.mark.parametrize(
    ("one", "other", "follows"),
    [
        (limit(LEAST, 8), limit(LEAST, 8), True),
        (limit(LEAST, 8), limit(LEAST, 9), False),
        (limit(LEAST, 8), limit(LEAST, 8, "other"), False),
        (limit(LEAST, 8), limit(MOST, 8), False),
        (limit(LEAST, 8), limit(EXACT, 8), False),
        (limit(LEAST, 8.5), limit(LEAST, 8), True),
        (limit(LEAST, 8), limit(LEAST, 8.5), False),
        (limit(LEAST, (8, 8)), limit(LEAST, (8,)), True),
        (limit(LEAST, (8,)), limit(LEAST, (8, 8)), False),
        (limit(LEAST, (8, 8)), limit(LEAST, 8), True),
        (limit(MOST, 8), limit(MOST, 8), True),
        (limit(MOST, 8), limit(LEAST, 8), False),
        (limit(MOST, 8), limit(EXACT, 8), False),
        (limit(EXACT, 8), limit(LEAST, 8), True),
        (limit(EXACT, 8), limit(MOST, 8), True),
        (limit(EXACT, 8), limit(MOST, 7), False),
        (limit(EXACT, 8), limit(EXACT, 8), True),
        (limit(EXACT, 8), limit(EXACT, 9), False),
        (limit(EXACT, 6), limit(Relation.ALL_BITS, 2), True),
        (limit(EXACT, 6), limit(Relation.ALL_BITS, 1), False),
        (limit(EXACT, 4), limit(Relation.MULTIPLE_OF, 8), True),
        (limit(EXACT, 3), limit(Relation.MULTIPLE_OF, 8), False),
        (limit(Relation.ALL_BITS, 3), limit(Relation.ALL_BITS, 3), True),
        (limit(Relation.ALL_BITS, 3), limit(Relation.ALL_BITS, 4), False),
        (limit(Relation.ALL_BITS, 3), limit(LEAST, 1), False),
        (limit(Relation.MULTIPLE_OF, 8), limit(Relation.MULTIPLE_OF, 8), True),
        (limit(Relation.MULTIPLE_OF, 8), limit(Relation.MULTIPLE_OF, 24), True),
        (limit(Relation.MULTIPLE_OF, 8), limit(Relation.MULTIPLE_OF, 12), False),
        (limit(Relation.MULTIPLE_OF, 8), limit(Relation.MULTIPLE_OF, 4), False),
        (limit(Relation.MULTIPLE_OF, 0), limit(Relation.MULTIPLE_OF, 0), False),
        (limit(Relation.MULTIPLE_OF, 8), limit(Relation.MULTIPLE_OF, 0), False),
        (limit(Relation.MULTIPLE_OF, (8, 4)), limit(Relation.MULTIPLE_OF, (16, 4)), True),
        (limit(Relation.MULTIPLE_OF, (8, 4)), limit(Relation.MULTIPLE_OF, (16, 6)), False),
        (limit(Relation.MULTIPLE_OF, (8, 4)), limit(Relation.MULTIPLE_OF, (16,)), True),
        (limit(Relation.MULTIPLE_OF, (8,)), limit(Relation.MULTIPLE_OF, (16, 4)), False),
        (limit(Relation.MULTIPLE_OF, (8, 4)), limit(Relation.MULTIPLE_OF, 16), True),
        (limit(Relation.WITHIN, (0, 9)), limit(Relation.WITHIN, (0, 9)), True),
        (limit(Relation.WITHIN, (0, 9)), limit(Relation.WITHIN, (0, 10)), False),
        (limit(Relation.WITHIN, (0, 9)), limit(LEAST, 9), False),
    ],
)
def test_what_follows_of_limits(one: Requirement, other: Requirement, follows: bool) -> None:
    assert implies(one, other) is follows
