"""AMD: IREE's reader of target IDs, clang's list of processors, the choice of clang-offload-bundler."""

from __future__ import annotations

import itertools
import re
import struct
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from targetenv.match import amd
from targetenv.match.stack import parse_stack
from targetenv.model.capabilities import Capabilities
from targetenv.model.verdict import Outcome
from targetenv.model.version import Version
from targetenv.registry import amdgpu, releases
from tests.differential.decisions.decision import Decision, Oracle, accepts, in_parallel, said, tool
from tests.differential.decisions.ours import fits

PAIRS = Path(__file__).parents[2] / "corpora" / "amdgpu" / "pairs.txt"
_FAMILY = "IREE counts gfx1170 to gfx1172 to gfx11-generic; LLVM gives them a family of their own, and LLVM makes the code"
_STRINGS = "the bundler of LLVM 19 compares processors as strings; code for a generic processor runs on its family"
_TRIPLE = "amdgcn-amd-amdhsa"


def recorded() -> Iterator[Decision]:
    for line in PAIRS.read_text().splitlines():
        code, agent, answer = line.split("\t")
        known = _FAMILY if code.startswith("gfx11-generic") and agent.startswith("gfx117") else ""
        yield Decision(f"{code} on {agent}", answer == "0", fits(code, agent), known)


@cache
def _clang() -> tuple[str, int] | None:
    """The newest clang of those that the tables know, and its version."""
    known = releases.COMPONENTS["llvm"]
    found = []
    for name in ("clang", *(f"clang-{number}" for number in range(known[0].major, known[1].major + 1))):
        program = tool(name)
        version = re.search(r"clang version (\d+)", said(program, "--version")) if program else None
        if program and version and known[0].major <= int(version[1]) <= known[1].major:
            found.append((int(version[1]), program))
    return max(found)[::-1] if found else None


def clang_version() -> str:
    found = _clang()
    return f"clang {found[1]}" if found else ""


def clang() -> Iterator[Decision]:
    """Which processors it knows, which features they have, their numbers, which code objects it makes."""
    as_of = parse_stack(f"llvm={clang_version().split()[1]}")
    with TemporaryDirectory() as folder:
        questions = [
            (name, feature, 5) for name in amdgpu.processors() for feature in ("", *(f":{word}+" for word in amdgpu.FEATURES))
        ] + [("gfx900", "", version) for version in (2, 3, 4, 6)]
        images = in_parallel(lambda asked: _compiled(*asked, folder=folder), questions)
    for (name, feature, version), image in zip(questions, images, strict=True):
        row = amdgpu.processors()[name]
        knows, *_ = amd.runs(name, Capabilities("rocm", isa=name, formats=frozenset({"hsaco"})), as_of)
        loads, *_ = amd.loads(Version(version), Capabilities("rocm", isa=name, formats=frozenset({"hsaco"})), as_of)
        ours = knows is Outcome.SATISFIED and loads is Outcome.SATISFIED and (not feature or feature[1:-1] in row.features)
        yield Decision(f"-mcpu={name}{feature} -mcode-object-version={version}", image is not None, ours)
        if image is not None and not feature:
            yield Decision(f"EF_AMDGPU_MACH of {name}, V{version}", struct.unpack_from("<I", image, 48)[0] & 0xFF, row.mach)


def _compiled(name: str, feature: str, version: int, *, folder: str) -> bytes | None:
    program, _ = _clang() or ("clang", 0)
    made = Path(folder, f"{name}{feature}-{version}.o".replace(":", "_"))
    options = [f"--target={_TRIPLE}", f"-mcpu={name}{feature}", "-nogpulib", f"-mcode-object-version={version}"]
    if not accepts([program, *options, "-c", "-x", "c", "/dev/null", "-o", str(made)]):
        return None
    return made.read_bytes()


def _bundler() -> str | None:
    return tool("clang-offload-bundler", "clang-offload-bundler-21", "clang-offload-bundler-20", "clang-offload-bundler-19")


def bundler_version() -> str:
    found = re.search(r"version (\d+)", said(_bundler() or "", "--version")) if _bundler() else None
    return f"clang-offload-bundler {found[1]}" if found else ""


def bundler() -> Iterator[Decision]:
    """Whether the entry of a bundle is found for a device whose features are all stated."""
    settings = ["".join(part) for part in itertools.product(("", ":sramecc+", ":sramecc-"), ("", ":xnack+", ":xnack-"))]
    entries = [f"gfx90a{setting}" for setting in settings] + [
        "gfx942",
        "gfx908:xnack+",
        "gfx9-generic",
        "gfx1100",
        "gfx11-generic",
    ]
    devices = [f"{name}{setting}" for name in ("gfx90a", "gfx942", "gfx906") for setting in settings if setting.count(":") == 2]
    devices += ["gfx1100", "gfx1151"]
    program = str(_bundler())
    with TemporaryDirectory() as folder:
        image = Path(folder, "image")
        image.write_bytes(b"image")
        for number, entry in enumerate(entries):
            accepts([program, "--type=bc", f"--targets=host-x86_64-unknown-linux-gnu-,hip-{_TRIPLE}-unknown-{entry}",
                     "--input=/dev/null", f"--input={image}", f"--output={folder}/{number}.bundle"])  # fmt: skip
        asked = list(itertools.product(range(len(entries)), range(len(devices))))
        found = in_parallel(lambda pair: _unbundled(program, folder, pair[0], devices[pair[1]]), asked)
    for (number, place), theirs in zip(asked, found, strict=True):
        entry, device = entries[number], devices[place]
        ours = fits(entry, device)
        generic = entry.partition(":")[0].endswith("-generic")
        yield Decision(f"{entry} for {device}", theirs, ours, _STRINGS if generic and ours and not theirs else "")


def _unbundled(program: str, folder: str, number: int, device: str) -> bool:
    options = ["--type=bc", "--unbundle", f"--targets=hip-{_TRIPLE}-unknown-{device}", f"--input={folder}/{number}.bundle"]
    return accepts([program, *options, f"--output={folder}/{number}-{device.replace(':', '_')}.out"])


ORACLES = (
    Oracle(
        "iree-target-id",
        "which code object runs on which agent, as IREE's amdgpu driver once answered",
        lambda: "recorded",
        recorded,
    ),
    Oracle("clang-amdgpu", "which processors, features and code objects a compiler of that age knows", clang_version, clang),
    Oracle("bundler", "which entry of a bundle serves which device", bundler_version, bundler),
)
