"""Imports, parsing a target environment, choosing among 32 and among 10,000 variants."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from random import Random

from packaging.markers import Marker

from targetenv.match.check import Judge
from targetenv.model.artifact import Artifact
from targetenv.model.document import to_device
from targetenv.model.requirement import (
    NeedsCapability,
    NeedsExtension,
    NeedsFormat,
    NeedsLimit,
    NeedsSubgroupSize,
    NeedsVersion,
    Relation,
)
from targetenv.model.verdict import Outcome
from targetenv.model.version import Version
from targetenv.registry.spirv import capability_names
from targetenv.registry.vulkan import extension_names
from targetenv.resolve import resolve
from targetenv.resolve.chooser import Chooser
from targetenv.syntax import parse
from tests.benchmarks import options, table
from tests.benchmarks.measure import Case, Sample, case, interleave, process
from tests.benchmarks.table import Row

TYPE_CHECKING = False
if TYPE_CHECKING:
    from targetenv.model.device import Device
    from targetenv.model.requirement import Requirement

LAVAPIPE = Path(__file__).parents[1] / "corpora" / "lavapipe-22.3.6" / "lavapipe.device.json"
TEXT = (
    "#vk.target_env<v1.1, r(120), [VK_KHR_spirv_1_4, VK_KHR_storage_buffer_storage_class], AMD:DiscreteGPU, #vk.caps<"
    "maxComputeSharedMemorySize = 16384, maxComputeWorkGroupInvocations = %d, "
    "maxComputeWorkGroupSize = dense<[128, 8, 4]>: vector<3xi32>, subgroupFeatures = 7: i32, subgroupSize = 64>>"
)


MARKER = "python_version >= '3.11' and sys_platform == 'linux' and extra == 'x%d'"
TVM = '{"kind": "llvm", "mcpu": "x86-64-v3", "num-cores": %d}'
IREE_PARSE = ("from iree.compiler import ir; ir.Context().__enter__()", "ir.Attribute.parse(text % number)", TEXT)
TVM_PARSE = ("import json; from tvm.target import Target", "Target(json.loads(text % number))", TVM)


def rows(chosen: options.Options) -> list[Row]:
    made = []
    processes = [process("ours", sys.executable, "-c", "import targetenv"), process("bare", sys.executable, "-c", "pass")]
    timing = interleave(processes, rounds=chosen.rounds)
    made.append(Row("`python -c 'import targetenv'`", timing["ours"], "python -c pass", timing["bare"], "+ 5 ms"))
    imported = interleave([Case("ours", reported("import targetenv"))], rounds=chosen.rounds)["ours"]
    made.append(Row("`import targetenv` alone", imported, budget="5 ms"))

    counter = iter(range(10**9))
    cases = [case("first", lambda: parse(TEXT % next(counter)), 200), case("repeat", repeat(), 20000)]
    cases += [
        case("marker", lambda: Marker(MARKER % next(counter)), 200),
        case("json", lambda: parse(TVM % next(counter)), 200),
    ]
    if chosen.iree_parser:
        cases.append(served("iree", chosen.iree_parser, *IREE_PARSE))
    if chosen.tvm:
        cases.append(served("tvm", chosen.tvm, *TVM_PARSE))
    timing = interleave(cases, rounds=chosen.rounds)
    made.append(
        Row("parse `#vk.target_env`, 250 characters, a new text", timing["first"], "IREE's C++", timing.get("iree"), "1.5")
    )
    made.append(Row("the same text again", timing["repeat"], budget="0.15 us"))
    made.append(Row("the first, beside packaging's Marker", timing["first"], "Marker", timing["marker"]))
    made.append(Row("parse a TVM target, a new text", timing["json"], "TVM's Target", timing.get("tvm")))
    # interegular, a tool of the tests, makes lark check every grammar while it loads (150 ms); users do not have it.
    code = f"import sys; sys.modules['interegular'] = None; from targetenv.syntax import parse; parse({TEXT % 1024!r})"
    fresh = [process("ours", sys.executable, "-c", code), process("bare", sys.executable, "-c", "pass")]
    timing = interleave(fresh, rounds=chosen.rounds)
    made.append(Row("a fresh process that parses it", timing["ours"], "python -c pass", timing["bare"]))

    device = to_device(json.loads(LAVAPIPE.read_text(encoding="utf-8"))["device"])
    kernels = {"kernel": variants()}
    prepared = Chooser(kernels).on(device.offers)
    cases = [case("resolve", lambda: resolve(kernels, [device]), 200), case("choose", lambda: prepared.choose("kernel"), 20000)]
    timing = interleave(cases, rounds=chosen.rounds)
    made.append(Row("choose among 32 variants, warm", timing["choose"], budget="8 us"))
    made.append(Row("resolve them: every verdict with its reasons", timing["resolve"]))
    return made + thousands(device, chosen.rounds)


def thousands(device: Device, rounds: int) -> list[Row]:
    """10,000 variants, beside a frozenset of requirements for each that is held against the set of what is met."""
    kernels = {"kernel": many(10_000)}
    prepared = Chooser(kernels).on(device.offers)
    judge = Judge(device.offers)
    met = {need for row in kernels["kernel"] for need in row.requires if judge.check(need).outcome is Outcome.SATISFIED}
    asked = [frozenset(row.requires) for row in kernels["kernel"]]
    assert prepared.choose("kernel") is not None
    timing = interleave(
        [
            case("choose", lambda: prepared.choose("kernel"), 50),
            case("sets", lambda: [needs <= met for needs in asked], 1),
            case("prepare", lambda: Chooser(kernels), 1),
        ],
        rounds=rounds,
    )
    return [
        Row("choose among 10,000 variants, warm", timing["choose"], "frozensets", timing["sets"], "0.25 ms"),
        Row("prepare 10,000 variants", timing["prepare"]),
    ]


def repeat() -> Callable[[], object]:
    text = TEXT % 1024
    return lambda: parse(text)


def reported(statement: str) -> Callable[[], Sample]:
    """A run that takes the time of one statement in a fresh interpreter."""
    code = f"from time import perf_counter_ns as now; start = now(); {statement}; print(now() - start)"

    def run() -> Sample:
        done = subprocess.run([sys.executable, "-c", code], stdout=subprocess.PIPE, check=True)
        return Sample(int(done.stdout) * 1e-9, int(done.stdout) * 1e-9)

    return run


def served(name: str, interpreter: str, setup: str, parse_one: str, text: str, count: int = 200) -> Case:
    """A peer's parser in a process of its own, asked for `count` parses at a time."""
    code = f"""
import sys, time
{setup}
text = {text!r}
number = 0
for line in sys.stdin:
    start = time.perf_counter_ns()
    for _ in range({count}):
        number += 1
        {parse_one}
    print(time.perf_counter_ns() - start, flush=True)
"""
    server = subprocess.Popen([interpreter, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def run() -> Sample:
        assert server.stdin is not None
        assert server.stdout is not None
        server.stdin.write("\n")
        server.stdin.flush()
        took = int(server.stdout.readline()) * 1e-9
        return Sample(took, took)

    return Case(name, run, count)


def variants() -> tuple[Artifact, ...]:
    """Thirty-two variants: half of them run, and every kind of requirement is there."""
    made = []
    for number in range(32):
        needs: tuple[Requirement, ...] = (
            NeedsFormat("spirv"),
            NeedsVersion("spirv", Version(1, number % 6)),
            NeedsCapability("Shader"),
            NeedsLimit("VkPhysicalDeviceLimits::maxComputeWorkGroupInvocations", Relation.AT_LEAST, 64 << number % 8),
            NeedsSubgroupSize(8 if number % 2 else 32),
        )
        made.append(Artifact(f"variant-{number:02}", "spirv", f"{number:064x}", needs, preference=number % 3))
    return tuple(made)


def many(count: int) -> tuple[Artifact, ...]:
    """Variants with three to twelve of some 600 distinct requirements, of which lavapipe meets about two thirds."""
    random = Random(0)
    extensions = sorted(extension_names())
    pool: list[Requirement] = [NeedsExtension(name) for name in random.sample(extensions, 250)]
    pool += [NeedsCapability(name) for name in sorted(capability_names())[:200]]
    pool += [
        NeedsLimit(f"VkPhysicalDeviceLimits::{name}", Relation.AT_LEAST, 1 << power)
        for name in (
            "maxComputeWorkGroupInvocations",
            "maxComputeSharedMemorySize",
            "maxPushConstantsSize",
            "maxBoundDescriptorSets",
        )
        for power in range(30)
    ]
    judge = Judge(to_device(json.loads(LAVAPIPE.read_text(encoding="utf-8"))["device"]).offers)
    easy = [need for need in pool if judge.check(need).outcome is Outcome.SATISFIED]
    made = []
    for number in range(count):
        needs = (NeedsFormat("spirv"), *random.sample(easy if number % 3 else pool, random.randint(3, 12)))
        made.append(Artifact(f"variant-{number:05}", "spirv", f"{number:064x}", needs, preference=number % 3))
    return tuple(made)


if __name__ == "__main__":
    table.emit(rows(options.parse()))
