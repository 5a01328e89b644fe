"""The cpu probe says what the operating system lets this process use, and never guesses."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from targetenv_runtime.drivers.cpu.cores import Cores, cores, memory, numbers
from targetenv_runtime.drivers.cpu.probe import probe

from targetenv.match.pair import match
from targetenv.model import document
from targetenv.model.artifact import Artifact
from targetenv.model.device import Device
from targetenv.model.requirement import NeedsFormat, NeedsIsa
from targetenv.model.verdict import Outcome

PROCESSORS = json.loads((Path(__file__).parents[2] / "corpora" / "cpus" / "processors.json").read_text(encoding="utf-8"))


def machine(root: Path, *, name: str = "ryzen-5950x", count: int = 4, flags: list[str] | None = None) -> str:
    """A recorded processor, `count` times, as files below `root`; `flags` replaces the flags one processor after the other."""
    recorded = PROCESSORS[name]
    field = "flags" if recorded["machine"] == "x86_64" else "Features"
    paragraphs = []
    for number in range(count):
        lines = [f"processor\t: {number}", *(f"{key}\t: {value}" for key, value in recorded["identity"].items())]
        spelt = flags[number] if flags is not None else recorded["flags"]
        lines += [f"{field}\t\t: {spelt}"] if spelt else []
        paragraphs.append("\n".join(lines) + "\n")
    write(root, "proc/cpuinfo", "\n".join(paragraphs))
    write(root, "proc/meminfo", "MemTotal:       16384000 kB\nMemFree: 1 kB\n")
    write(root, "proc/sys/kernel/osrelease", "6.1.0")
    write(root, "sys/devices/system/cpu/online", f"0-{count - 1}")
    return str(root)


def write(root: Path, path: str, content: str) -> None:
    file = root / path
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(content, encoding="utf-8")


def everything(count: int = 4) -> frozenset[int]:
    return frozenset(range(count))


def only(root: str, name: str = "ryzen-5950x", allowed: frozenset[int] | None = None) -> Device:
    devices, unavailable = probe(
        root, machine=PROCESSORS[name]["machine"], allowed=everything() if allowed is None else allowed
    )
    assert not unavailable
    return devices[0]


@pytest.mark.parametrize("name", sorted(PROCESSORS))
def test_recorded_processors_get_the_level_that_they_have(tmp_path: Path, name: str) -> None:
    device = only(machine(tmp_path, name=name), name)

    assert device.uri == "cpu://0"
    assert device.offers.isa == PROCESSORS[name]["isa"]
    assert device.offers.formats == {f"elf-{PROCESSORS[name]['machine']}"}
    assert device.offers.complete
    assert dict(device.identity)["vendor"] in {"AuthenticAMD", "GenuineIntel", "0x41"}
    assert document.to_device(document.of_device(device)) == device


def test_a_masked_feature_lowers_the_level_whatever_the_model_is_called(tmp_path: Path) -> None:
    masked = PROCESSORS["xeon-6972p"]["flags"].replace(" avx512bw ", " ").replace(" movbe ", " ")
    device = only(machine(tmp_path, name="xeon-6972p", flags=[masked] * 4), "xeon-6972p")

    assert device.name == "Intel(R) Xeon(R) 6972P"
    assert device.offers.isa == "x86-64-v2"
    assert "avx2" in device.offers.features


def test_amx_is_not_offered_before_it_was_asked_for(tmp_path: Path) -> None:
    device = only(machine(tmp_path, name="xeon-6972p"), "xeon-6972p")

    assert not any(feature.startswith("amx") for feature in device.offers.features)


def test_only_what_every_usable_core_has_is_offered(tmp_path: Path) -> None:
    big = PROCESSORS["neoverse-v3ae"]["flags"]
    little = PROCESSORS["graviton2"]["flags"]
    root = machine(tmp_path, name="neoverse-v3ae", flags=[big, big, little, little])

    assert only(root, "neoverse-v3ae").offers.isa == "armv8.2-a"
    assert only(root, "neoverse-v3ae", frozenset({0, 1})).offers.isa == "armv9.2-a"


def test_a_v3_device_takes_v2_code_and_refuses_v4_code(tmp_path: Path) -> None:
    device = only(machine(tmp_path))
    outcomes = []
    for level in ("x86-64", "x86-64-v2", "x86-64-v3", "x86-64-v4"):
        artifact = Artifact(level, "elf-x86_64", "", (NeedsFormat("elf-x86_64"), NeedsIsa(level)))
        outcomes.append(match(artifact, device).outcome)

    assert outcomes == [Outcome.SATISFIED, Outcome.SATISFIED, Outcome.SATISFIED, Outcome.UNSATISFIED]


# --- absence


@pytest.mark.parametrize("content", [None, "", "processor\t: 0\nmodel name\t: a mystery\n"])
def test_unreadable_features_make_the_driver_unavailable(tmp_path: Path, content: str | None) -> None:
    if content is not None:
        write(tmp_path, "proc/cpuinfo", content)
    devices, (reason,) = probe(str(tmp_path), machine="x86_64", allowed=everything())

    assert not devices
    assert reason.code == "TE5103"
    assert "cpuinfo" in reason.reason


def test_other_machines_are_unavailable() -> None:
    devices, (reason,) = probe(machine="riscv64", allowed=everything())

    assert not devices
    assert reason.code == "TE5102"
    assert "riscv64" in reason.reason


def test_binary_junk_in_proc_raises_nothing(tmp_path: Path) -> None:
    (tmp_path / "proc").mkdir()
    (tmp_path / "proc" / "cpuinfo").write_bytes(bytes(range(256)) * 40)
    devices, unavailable = probe(str(tmp_path), machine="x86_64", allowed=everything())

    assert not devices
    assert unavailable


# --- cores and memory


def test_the_scheduler_and_the_machine_are_told_apart(tmp_path: Path) -> None:
    root = machine(tmp_path, count=8)

    assert cores(root, everything(8)) == Cores(8, 8)
    assert cores(root, frozenset({1, 5, 6})) == Cores(3, 8)
    offers = only(root, allowed=frozenset({1, 5, 6})).offers
    assert (offers.property("cpu::logicalCores"), offers.property("cpu::machineLogicalCores")) == (3, 8)
    assert offers.property("cpu::coreQuota") is None


@pytest.mark.parametrize(
    ("limits", "expected"),
    [
        ({"cpu.max": "200000 100000"}, Cores(2, 8, 2.0)),
        ({"cpu.max": "150000 100000"}, Cores(2, 8, 1.5)),
        ({"cpu.max": "10000 100000"}, Cores(1, 8, 0.1)),
        ({"cpu.max": "max 100000"}, Cores(8, 8)),
        ({"cpu.max": "9900000 100000"}, Cores(8, 8, 99.0)),
        ({"cpu.max": "max 100000", "a/b/cpu.max": "max 100000", "a/cpu.max": "300000 100000"}, Cores(3, 8, 3.0)),
        ({"a/b/cpu.max": "500000 100000", "a/cpu.max": "300000 100000"}, Cores(3, 8, 3.0)),
        ({"cpu.max": "junk"}, Cores(8, 8)),
        ({"cpu.max": "1 0"}, Cores(8, 8)),
    ],
)
def test_a_control_group_bounds_the_cores(tmp_path: Path, limits: dict[str, str], expected: Cores) -> None:
    root = machine(tmp_path, count=8)
    write(tmp_path, "proc/self/cgroup", "0::/a/b\n")
    for path, content in limits.items():
        write(tmp_path, f"sys/fs/cgroup/{path}", content)

    assert cores(root, everything(8)) == expected


def test_a_control_group_of_the_first_version_bounds_the_cores(tmp_path: Path) -> None:
    root = machine(tmp_path, count=8)
    write(tmp_path, "proc/self/cgroup", "5:memory:/job\n4:cpu,cpuacct:/job\n0::/\n")
    write(tmp_path, "sys/fs/cgroup/cpu/job/cpu.cfs_quota_us", "250000")
    write(tmp_path, "sys/fs/cgroup/cpu/job/cpu.cfs_period_us", "100000")
    write(tmp_path, "sys/fs/cgroup/cpu/cpu.cfs_quota_us", "-1")
    write(tmp_path, "sys/fs/cgroup/cpu/cpu.cfs_period_us", "100000")
    write(tmp_path, "sys/fs/cgroup/memory/job/memory.limit_in_bytes", str(1 << 30))

    assert cores(root, everything(8)) == Cores(3, 8, 2.5)
    assert memory(root) == (1 << 30, 16384000 * 1024)


def test_a_control_group_bounds_the_memory(tmp_path: Path) -> None:
    root = machine(tmp_path)
    write(tmp_path, "proc/self/cgroup", "0::/job\n")
    assert memory(root) == (16384000 * 1024, 16384000 * 1024)
    write(tmp_path, "sys/fs/cgroup/job/memory.max", "max")
    assert memory(root) == (16384000 * 1024, 16384000 * 1024)
    write(tmp_path, "sys/fs/cgroup/memory.max", str(2 << 30))

    assert memory(root) == (2 << 30, 16384000 * 1024)


def test_what_cannot_be_read_is_left_out(tmp_path: Path) -> None:
    root = machine(tmp_path)
    (tmp_path / "proc" / "meminfo").unlink()
    offers = only(root).offers

    assert offers.property("cpu::memoryBytes") is None
    assert offers.property("cpu::l1DataCacheBytes") is None
    assert offers.property("cpu::physicalCores") is None


def test_caches_and_siblings_are_read(tmp_path: Path) -> None:
    root = machine(tmp_path, count=4)
    caches = ((0, 1, "Data", "48K"), (1, 1, "Instruction", "32K"), (2, 2, "Unified", "2048K"), (3, 3, "Unified", "36M"))
    for index, level, kind, size in caches:
        folder = f"sys/devices/system/cpu/cpu0/cache/index{index}"
        for name, content in (("level", str(level)), ("type", kind), ("size", size), ("coherency_line_size", "64")):
            write(tmp_path, f"{folder}/{name}", content)
        write(tmp_path, f"{folder}/shared_cpu_list", "0-3" if level == 3 else "0-1")
    for number in range(4):
        write(tmp_path, f"sys/devices/system/cpu/cpu{number}/topology/thread_siblings_list", "0-1" if number < 2 else "2-3")
    facts = {row.name: row.value for row in only(root).offers.properties}

    assert facts["cpu::l1DataCacheBytes"] == 48 << 10
    assert facts["cpu::l1InstructionCacheBytes"] == 32 << 10
    assert facts["cpu::l2CacheBytes"] == 2 << 20
    assert facts["cpu::l3CacheBytes"] == 36 << 20
    assert facts["cpu::l3CacheSharedBy"] == 4
    assert facts["cpu::cacheLineBytes"] == 64
    assert facts["cpu::physicalCores"] == 2


@pytest.mark.parametrize("ranges", ["", "junk", "3-", "-3", "a-b", "5-1"])
def test_odd_ranges_of_processors_are_no_error(ranges: str) -> None:
    assert numbers(ranges) <= {3, 5}


def test_this_machine_is_a_device() -> None:
    if os.uname().machine not in ("x86_64", "aarch64"):
        pytest.skip("no cpu driver for this machine")
    devices, unavailable = probe()

    assert not unavailable
    assert devices[0].offers.property("cpu::logicalCores") == len(os.sched_getaffinity(0)) or devices[0].offers.property(
        "cpu::coreQuota"
    )
