"""What this machine's processor offers to code: features as the operating system has enabled them, never by model name.

A hypervisor masks features, a kernel turns some off, and the name of the model stays: only the flags of /proc/cpuinfo say what
instructions a process may execute. Where they cannot be read nothing is guessed.
"""

from __future__ import annotations

import os
import sys

from targetenv.model.capabilities import Capabilities, Property
from targetenv.model.device import Device, Unavailable
from targetenv_runtime.drivers.cpu.cores import cores, memory, numbers, text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from targetenv.model.capabilities import PropertyValue

_FLAGS = {"x86_64": "flags", "aarch64": "Features"}  # what a processor's paragraph calls them
_IDENTITY = {
    "x86_64": (("vendor", "vendor_id"), ("family", "cpu family"), ("model", "model"), ("stepping", "stepping")),
    "aarch64": (("vendor", "CPU implementer"), ("model", "CPU part"), ("variant", "CPU variant"), ("stepping", "CPU revision")),
}
_CACHES = {"Data": "Data", "Instruction": "Instruction", "Unified": ""}
_UNITS = {"K": 10, "M": 20, "G": 30}


def probe(
    root: str = "", *, machine: str | None = None, allowed: frozenset[int] | None = None
) -> tuple[list[Device], list[Unavailable]]:
    """This machine as `cpu://0`, or why it is none.

    Files are read below `root`, `machine` is what `uname -m` says, and `allowed` are the processors that the scheduler lets
    this process use: recorded machines can stand for this one.
    """
    if sys.platform != "linux" and machine is None:
        return [], [Unavailable("cpu", "TE5102", f"kernels are run on Linux only, and this is {sys.platform}")]
    machine = machine or os.uname().machine
    if machine not in _FLAGS or sys.maxsize <= 1 << 32:
        width = "" if sys.maxsize > 1 << 32 else " and a 32-bit Python"
        return [], [
            Unavailable("cpu", "TE5102", f"there is no loader for {machine}{width}", "use a 64-bit x86-64 or AArch64 system")
        ]
    if allowed is None:
        allowed = frozenset(os.sched_getaffinity(0))
    processors = _processors(text(f"{root}/proc/cpuinfo"), allowed)
    flags = _common(processors, _FLAGS[machine])
    if not flags:
        return [], [
            Unavailable(
                "cpu",
                "TE5103",
                f"{root}/proc/cpuinfo does not say which features the processor has",
                "mount /proc, and let this process read it",
            )
        ]
    if machine == "x86_64":
        from targetenv.registry import x86 as registry
    else:
        from targetenv.registry import aarch64 as registry  # type: ignore[no-redef]
    features = registry.from_cpuinfo(flags)
    facts = _facts(root, allowed)
    offers = Capabilities(
        "cpu",
        isa=registry.level(features),
        formats=frozenset({f"elf-{machine}"}),
        features=features,
        properties=tuple(Property(name, value) for name, value in sorted(facts.items())),
    )
    first = processors[0]
    model = first.get("model name", "")
    identity = [(key, first[field]) for key, field in _IDENTITY[machine] if field in first]
    device = Device(
        "cpu://0",
        model or f"{machine} processor",
        "cpu",
        offers,
        identity=tuple(sorted(identity)),
        provenance=(("features", f"`{_FLAGS[machine]}` of /proc/cpuinfo"), ("system", _system(root))),
        queues=(f"compute and transfer: the caller's thread, and up to {facts['cpu::logicalCores']} threads for a grid",),
        memory=(f"{facts['cpu::memoryBytes']} bytes, coherent",) if "cpu::memoryBytes" in facts else (),
    )
    return [device], []


def _processors(cpuinfo: str, allowed: frozenset[int]) -> list[dict[str, str]]:
    """The paragraphs of the processors that may be used; all of them when none has such a number."""
    found: list[dict[str, str]] = []
    for paragraph in cpuinfo.split("\n\n"):
        pairs = (line.partition(":") for line in paragraph.splitlines())
        fields = {key.strip(): value.strip() for key, colon, value in pairs if colon}
        if "processor" in fields:
            found.append(fields)
    usable = [fields for fields in found if fields["processor"].isdigit() and int(fields["processor"]) in allowed]
    return usable or found


def _common(processors: list[dict[str, str]], field: str) -> frozenset[str]:
    """The flags that every processor has: a kernel may be scheduled on any of them."""
    spelt = {fields.get(field, "") for fields in processors}
    sets = [frozenset(flags.split()) for flags in spelt]
    return frozenset.intersection(*sets) if sets else frozenset()


def _facts(root: str, allowed: frozenset[int]) -> dict[str, PropertyValue]:
    """Sizes and counts under their canonical names; what cannot be read is left out."""
    usable = cores(root, allowed)
    facts: dict[str, PropertyValue] = {
        "cpu::logicalCores": usable.available,
        "cpu::machineLogicalCores": usable.machine,
        "cpu::pageBytes": os.sysconf("SC_PAGE_SIZE"),
    }
    if usable.quota is not None:
        facts["cpu::coreQuota"] = usable.quota
    first = f"{root}/sys/devices/system/cpu/cpu{min(allowed)}" if allowed else ""
    siblings = {text(f"{root}/sys/devices/system/cpu/cpu{number}/topology/thread_siblings_list") for number in allowed}
    if "" not in siblings:
        facts["cpu::physicalCores"] = len(siblings)
    for index in range(16):
        folder = f"{first}/cache/index{index}"
        level, kind, size = (text(f"{folder}/{name}") for name in ("level", "type", "size"))
        if not level:
            break
        amount = _bytes(size)
        if kind in _CACHES and amount:
            facts[f"cpu::l{level}{_CACHES[kind]}CacheBytes"] = amount
        line = text(f"{folder}/coherency_line_size")
        if line.isdigit():
            facts.setdefault("cpu::cacheLineBytes", int(line))
        if level not in ("1", "2"):
            facts[f"cpu::l{level}CacheSharedBy"] = len(numbers(text(f"{folder}/shared_cpu_list"))) or 1
    available, machine = memory(root)
    if available is not None:
        facts["cpu::memoryBytes"] = available
    if machine is not None:
        facts["cpu::machineMemoryBytes"] = machine
    return facts


def _bytes(size: str) -> int | None:
    """What the kernel writes for a size.

    >>> _bytes("32K"), _bytes("1536"), _bytes("")
    (32768, 1536, None)
    """
    unit = _UNITS.get(size[-1:], 0)
    digits = size[:-1] if unit else size
    return int(digits) << unit if digits.isdigit() else None


def _system(root: str) -> str:
    release = text(f"{root}/proc/sys/kernel/osrelease")
    return f"Linux {release}".strip()
