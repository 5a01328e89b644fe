"""Arbitrary nouns, one strategy each. Names are drawn from few letters, so that equal ones meet."""

from __future__ import annotations

from hypothesis import strategies as st

from targetenv.model.artifact import Artifact, Kernel, Parameter
from targetenv.model.capabilities import Capabilities, CooperativeMatrix, Property, SpirvEnvironment
from targetenv.model.device import Device, Unavailable
from targetenv.model.lock import Drift, Lock, LockedAnswer, LockedChoice, LockedDevice, LockedVariant
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
    NeedsSubgroupSize,
    NeedsUnknown,
    NeedsVersion,
    Not,
    Relation,
)
from targetenv.model.span import Span
from targetenv.model.target_env import TargetEnv
from targetenv.model.triple import Triple
from targetenv.model.verdict import Finding, Outcome, Verdict
from targetenv.model.version import Version

TYPE_CHECKING = False
if TYPE_CHECKING:
    from targetenv.model.requirement import Requirement

names = st.text("abcXY_", min_size=1, max_size=4)
texts = st.text(st.characters(codec="utf-8"), max_size=12)
counts = st.integers(0, 2**32)
maybe = st.none
sets_of_names = st.frozensets(names, max_size=4)
numbers = st.integers(-(2**63), 2**64 - 1)
floats = st.floats(allow_nan=False)


def tuples_of(values: st.SearchStrategy[object], most: int = 3) -> st.SearchStrategy[tuple[object, ...]]:
    return st.lists(values, max_size=most).map(tuple)


versions = st.builds(Version, st.integers(0, 99), st.integers(0, 99), st.integers(0, 999))
spans = st.tuples(st.integers(0, 50), st.integers(0, 50)).map(lambda pair: Span(min(pair), max(pair)))

# --- what devices offer
matrices = st.builds(
    CooperativeMatrix,
    *(st.sampled_from([8, 16, 32]),) * 3,
    *(st.sampled_from(["f16", "f32", "bf16", "i8", "ui8"]),) * 4,
    st.sampled_from(["subgroup", "workgroup"]),
    st.booleans(),
)
spirv_environments = st.builds(SpirvEnvironment, versions, sets_of_names, sets_of_names)
property_values = st.one_of(st.booleans(), numbers, floats, texts, tuples_of(numbers), tuples_of(floats), tuples_of(texts))
properties = st.builds(Property, names, property_values)
property_tables = st.lists(properties, max_size=4, unique_by=lambda row: row.name).map(
    lambda rows: tuple(sorted(rows, key=lambda row: row.name))
)
capabilities = st.builds(
    Capabilities,
    api=st.sampled_from(["vulkan", "cpu", "cuda"]),
    version=maybe() | versions,
    isa=maybe() | names,
    formats=sets_of_names,
    extensions=sets_of_names,
    features=sets_of_names,
    denied=sets_of_names,
    properties=property_tables,
    subgroup_sizes=st.frozensets(st.sampled_from([4, 8, 16, 32, 64]), max_size=3),
    matrices=st.frozensets(matrices, max_size=2),
    spirv=maybe() | spirv_environments,
    complete=st.booleans(),
    unstated=sets_of_names,
)
pairs = st.dictionaries(names, texts, max_size=3).map(lambda rows: tuple(sorted(rows.items())))
devices = st.builds(
    Device,
    names,
    texts,
    names,
    capabilities,
    st.booleans(),
    pairs,
    pairs,
    st.lists(texts, max_size=2).map(tuple),
    tuples_of(texts),
)
unavailable = st.builds(Unavailable, names, names, texts, texts)
triples = st.builds(Triple, names, names, names, st.just("") | names)
target_envs = st.builds(
    TargetEnv, capabilities, maybe() | names, maybe() | names, maybe() | names, maybe() | counts, maybe() | triples
)

# --- what artifacts require
limit_values = st.one_of(numbers, floats, st.lists(numbers, min_size=1, max_size=3).map(tuple))
REQUIREMENTS: dict[type, st.SearchStrategy[Requirement]] = {
    NeedsFormat: st.builds(NeedsFormat, names),
    NeedsVersion: st.builds(NeedsVersion, names, versions),
    NeedsIsa: st.builds(NeedsIsa, names),
    NeedsExtension: st.builds(NeedsExtension, names),
    NeedsCapability: st.builds(NeedsCapability, names),
    NeedsFeature: st.builds(NeedsFeature, names),
    NeedsLimit: st.builds(NeedsLimit, names, st.sampled_from(Relation), limit_values),
    NeedsSubgroupSize: st.builds(NeedsSubgroupSize, counts),
    NeedsMatrix: st.builds(NeedsMatrix, matrices),
    NeedsUnknown: st.builds(NeedsUnknown, texts),
}
simple_requirements = st.one_of(*REQUIREMENTS.values())
requirements = st.recursive(
    simple_requirements,
    lambda inner: st.one_of(st.builds(AllOf, tuples_of(inner)), st.builds(AnyOf, tuples_of(inner)), st.builds(Not, inner)),
    max_leaves=6,
)
COMPOUND: dict[type, st.SearchStrategy[Requirement]] = {
    AllOf: st.builds(AllOf, tuples_of(requirements)),
    AnyOf: st.builds(AnyOf, tuples_of(requirements)),
    Not: st.builds(Not, requirements),
}
parameters = st.builds(Parameter, counts, counts, names, maybe() | names)
kernels = st.builds(
    Kernel,
    names,
    maybe() | st.tuples(counts, counts, counts),
    *(maybe() | counts,) * 3,
    maybe() | names,
    maybe() | counts,
    maybe() | tuples_of(parameters, 3),
)
artifacts = st.builds(
    Artifact, names, names, names, tuples_of(requirements), tuples_of(kernels, 2), maybe() | names, st.integers(-9, 9), counts
)

# --- answers
findings = st.builds(Finding, names, st.sampled_from(Outcome), requirements, texts, texts, names, texts)
verdicts = st.builds(Verdict, artifacts, devices, tuples_of(findings))

words = st.text(max_size=8)
names = st.text(min_size=1, max_size=8)
outcomes = st.sampled_from(("satisfied", "unknown", "unsatisfied"))
locked_answers = st.builds(LockedAnswer, names, outcomes, words, words)
locked_devices = st.builds(
    LockedDevice,
    names,
    words,
    st.text("0123456789abcdef", max_size=64),
    st.dictionaries(names, words, max_size=3).map(lambda told: tuple(told.items())),
    st.lists(locked_answers, max_size=3).map(tuple),
)
locked_variants = st.builds(
    LockedVariant, names, names, st.text("0123456789abcdef", max_size=64), st.lists(names, max_size=3).map(tuple)
)
locked_choices = st.builds(LockedChoice, names, names, st.none() | names, words)
locks = st.builds(
    Lock,
    st.dictionaries(names, words, max_size=3).map(lambda told: tuple(told.items())),
    st.dictionaries(names, words, max_size=3).map(lambda told: tuple(told.items())),
    st.lists(locked_devices, max_size=3).map(tuple),
    st.lists(locked_variants, max_size=3).map(tuple),
    st.lists(locked_choices, max_size=3).map(tuple),
)

NOUNS: dict[type, st.SearchStrategy[object]] = {
    Artifact: artifacts,
    Capabilities: capabilities,
    CooperativeMatrix: matrices,
    Device: devices,
    Finding: findings,
    Drift: st.builds(Drift, st.sampled_from(("device", "choice")), names, words, words),
    Lock: locks,
    LockedAnswer: locked_answers,
    LockedChoice: locked_choices,
    LockedDevice: locked_devices,
    LockedVariant: locked_variants,
    Parameter: parameters,
    Kernel: kernels,
    Property: properties,
    Span: spans,
    SpirvEnvironment: spirv_environments,
    TargetEnv: target_envs,
    Triple: triples,
    Unavailable: unavailable,
    Verdict: verdicts,
    Version: versions,
    **REQUIREMENTS,
    **COMPOUND,
}
