"""Deciding as of an older stack: versions of driver, toolkit, runtime and compiler select the rules."""

from __future__ import annotations

import pytest

from targetenv.diagnostics.diagnostic import ParseError
from targetenv.match.check import Judge
from targetenv.match.environment import offers_of, requirements_of_kind
from targetenv.match.stack import Stack, parse_stack
from targetenv.model.capabilities import Capabilities
from targetenv.model.requirement import NeedsExtension, NeedsIsa, NeedsVersion
from targetenv.model.verdict import Finding, Outcome
from targetenv.model.version import Version
from targetenv.registry import amdgpu, cuda, releases
from targetenv.syntax import parse

YES, NO, UNKNOWN = Outcome.SATISFIED, Outcome.UNSATISFIED, Outcome.UNKNOWN


def isa(kind: str, code: str, device: str, as_of: str) -> Finding:
    stack = parse_stack(as_of) if as_of else Stack()
    judge = Judge(offers_of(parse(device).env), stack)
    return next(judge.check(need) for need in requirements_of_kind(kind, parse(code).env) if isinstance(need, NeedsIsa))


@pytest.mark.parametrize(
    ("kind", "code", "device", "as_of", "outcome", "rule"),
    [
        ("cubin", "sm_100f", "sm_103", "", YES, "cuda.cubin-family"),
        ("cubin", "sm_100f", "sm_103", "cuda=12.9", YES, "cuda.cubin-family"),
        ("cubin", "sm_100f", "sm_103", "cuda=12.8", NO, "cuda.toolkit"),
        ("ptx", "sm_100f", "sm_103", "cuda=12.8,driver=570", NO, "cuda.toolkit"),
        ("cubin", "sm_120", "sm_120", "driver=570", YES, "cuda.cubin"),
        ("cubin", "sm_120", "sm_120", "driver=550", NO, "cuda.driver-chip"),
        ("cubin", "sm_35", "sm_35", "driver=470", YES, "cuda.cubin"),
        ("cubin", "sm_35", "sm_35", "driver=535", NO, "cuda.driver-chip"),
        ("cubin", "sm_70", "sm_70", "cuda=13.0", NO, "cuda.toolkit"),
        ("cubin", "sm_70", "sm_70", "driver=580", YES, "cuda.cubin"),
        ("cubin", "sm_70", "sm_70", "driver=590", NO, "cuda.driver-chip"),
        ("hsaco", "gfx11-generic", "gfx1100", "", YES, "amd.generic"),
        ("hsaco", "gfx11-generic", "gfx1100", "rocm=6.4", YES, "amd.generic"),
        ("hsaco", "gfx11-generic", "gfx1100", "rocm=6.2", NO, "amd.generic"),
        ("hsaco", "gfx11-generic", "gfx1100", "llvm=18", NO, "amd.llvm"),
        ("hsaco", "gfx9-4-generic", "gfx942", "llvm=19", NO, "amd.llvm"),
        ("hsaco", "gfx12-5-generic", "gfx1250", "rocm=7.0", NO, "amd.generic"),
        ("hsaco", "gfx12-5-generic", "gfx1250", "rocm=8.0", UNKNOWN, "amd.generic"),
        ("hsaco", "gfx940", "gfx940", "llvm=20", YES, "amd.processor"),
        ("hsaco", "gfx940", "gfx940", "llvm=21", NO, "amd.llvm"),
        ("hsaco", "gfx90a", "gfx90a", "llvm=15,rocm=5.0", YES, "amd.processor"),
    ],
)
def test_names_are_judged_as_the_stack_would(
    kind: str, code: str, device: str, as_of: str, outcome: Outcome, rule: str
) -> None:
    found = isa(kind, code, device, as_of)
    assert (found.outcome, found.rule) == (outcome, rule)


@pytest.mark.parametrize(
    ("as_of", "ptx", "outcome"),
    [
        ("driver=570", "8.7", YES),
        ("driver=570", "8.8", NO),
        ("driver=550.54.14", "8.4", YES),
        ("driver=550.40", "8.4", NO),
        ("cuda=12.8", "8.7", YES),
        ("cuda=12.8,driver=535", "8.7", NO),
        ("driver=600", "9.1", YES),
        ("driver=600", "9.9", UNKNOWN),
        ("cuda=14.0", "9.5", YES),
        ("cuda=14.0", "9.9", UNKNOWN),
        ("llvm=19", "7.8", YES),
        ("llvm=19", "8.0", UNKNOWN),
    ],
)
def test_the_driver_compiles_the_ptx_of_its_age(as_of: str, ptx: str, outcome: Outcome) -> None:
    found = Judge(offers_of(parse("sm_90").env), parse_stack(as_of)).check(NeedsVersion("ptx", Version.parse(ptx)))
    assert (found.outcome, found.rule) == (outcome, "cuda.ptx-isa")


def test_a_device_with_a_driver_is_asked_for_its_own_ptx_version() -> None:
    device = Capabilities("cuda", Version(12, 4), "sm_90", frozenset({"ptx", "cubin"}), complete=False)
    assert Judge(device).check(NeedsVersion("ptx", Version(8, 4))).outcome is YES
    assert Judge(device).check(NeedsVersion("ptx", Version(8, 5))).outcome is NO
    assert Judge(device, parse_stack("driver=560")).check(NeedsVersion("ptx", Version(8, 5))).outcome is YES


@pytest.mark.parametrize(
    ("as_of", "version", "outcome"),
    [
        ("", 4, YES),
        ("", 5, YES),
        ("", 6, YES),
        ("", 7, UNKNOWN),
        ("rocm=6.4", 6, YES),
        ("rocm=6.3", 6, UNKNOWN),
        ("rocm=6.1", 6, NO),
        ("rocm=4.0", 4, NO),
        ("rocm=7.0,llvm=18", 6, NO),
        ("llvm=19", 3, NO),
        ("rocm=9.0", 7, UNKNOWN),
        ("rocm=7.0", 7, NO),
    ],
)
def test_the_runtime_loads_the_code_objects_of_its_age(as_of: str, version: int, outcome: Outcome) -> None:
    stack = parse_stack(as_of) if as_of else Stack()
    for api in ("rocm", "hip"):
        device = Capabilities(api, isa="gfx942", formats=frozenset({"hsaco"}))
        found = Judge(device, stack).check(NeedsVersion("code-object", Version(version)))
        assert (found.outcome, found.rule) == (outcome, "amd.code-object")


def test_an_older_vulkan_has_promoted_less() -> None:
    device = Capabilities("vulkan", Version(1, 3, 200), formats=frozenset({"spirv"}))
    need = NeedsExtension("VK_KHR_16bit_storage")
    assert Judge(device).check(need).rule == "extension.promoted"
    assert Judge(device, parse_stack("vulkan=1.0")).check(need).outcome is NO
    assert Judge(device, parse_stack("vulkan=1.1")).check(NeedsVersion("spirv", Version(1, 4))).outcome is NO


@pytest.mark.parametrize(
    ("text", "code", "place"),
    [
        ("driver", "TE3011", "driver"),
        ("driver=", "TE3011", "driver="),
        ("", "TE3011", ""),
        ("cuda=12.8,", "TE3011", ""),
        ("cuda=twelve", "TE3011", "cuda=twelve"),
        ("cuda=12.8, drivr=570", "TE3012", "drivr=570"),
        ("windows=11", "TE3012", "windows=11"),
        ("cuda=5.0", "TE3013", "cuda=5.0"),
        ("rocm=6.2,llvm=9", "TE3013", "llvm=9"),
        ("vulkan=2.0", "TE3014", "vulkan=2.0"),
        ("cuda=12.8,CUDA=12.9", "TE3015", "CUDA=12.9"),
    ],
)
def test_what_is_no_stack_is_refused_where_it_is_wrong(text: str, code: str, place: str) -> None:
    with pytest.raises(ParseError) as refused:
        parse_stack(text)
    (diagnostic,) = refused.value.diagnostics
    assert diagnostic.code == code
    assert diagnostic.span is not None
    assert diagnostic.span.of(text) == place
    assert diagnostic.help


def test_a_stack_is_printed_in_order() -> None:
    assert str(parse_stack("rocm=6.2, driver=570 ,cuda=13")) == "cuda 13.0, driver 570, rocm 6.2"


def test_tables_grow_and_name_what_the_registries_know() -> None:
    rows = releases.drivers()
    assert list(rows) == sorted(rows, key=lambda row: row[0].key) == sorted(rows, key=lambda row: row[1].key)
    assert rows[0][0] == releases.COMPONENTS["cuda"][0]
    assert rows[0][1].major == releases.COMPONENTS["driver"][0].major
    assert rows[-1][1].major == releases.COMPONENTS["driver"][1].major
    assert cuda.ptx_of(releases.COMPONENTS["cuda"][1]) == cuda.newest_ptx()
    for name in amdgpu.processors():
        since, until = releases.llvm_span(name)
        assert since is None or until is None or since < until


def test_an_older_stack_never_runs_more() -> None:
    for device in ("sm_90", "sm_103", "sm_120"):
        for code in cuda.names():
            runs = [
                isa("cubin", code, device, f"cuda={release}").outcome is YES
                for release, _ in releases.drivers()
                if release < Version(13)  # later toolkits drop architectures
            ]
            assert runs == sorted(runs), (code, device)
