"""ptxas: which PTX it compiles for which architecture, which architectures and PTX versions it knows."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

from targetenv.match import nvidia
from targetenv.match.stack import parse_stack
from targetenv.model.capabilities import Capabilities
from targetenv.model.verdict import Outcome
from targetenv.model.version import Version
from targetenv.registry import cuda
from tests.differential.decisions.decision import Decision, Oracle, in_parallel, said, tool

CORPUS = Path(__file__).parents[2] / "corpora" / "ptxas"
_UNPUBLISHED = "ptxas 13.4 lists sm_107, and no PTX version that it knows does: it refuses at the other gate"
_KERNEL = ".version {}\n.target {}\n.address_size 64\n.visible .entry k() {{ ret; }}\n"


def compiles(target: str, arch: str) -> bool:
    """Our rule for devices, put to an `-arch` value: code for one chip only wants exactly that chip's `a` architecture."""
    if target.endswith("a"):
        return arch == target
    chip = re.sub(r"[af]$", "", arch)
    found, *_ = nvidia.runs(f"compute_{target}", Capabilities("cuda", isa=f"sm_{chip}"), parse_stack("llvm=19"))
    return found is Outcome.SATISFIED


def recorded() -> Iterator[Decision]:
    for release in ("13.0", "13.4", "13.4_107"):
        first, *rows = (CORPUS / f"{release}.txt").read_text().strip().splitlines()
        archs = first.partition(": ")[2].split()
        for row in rows:
            target, _, accepted = row.partition(":")
            known = _UNPUBLISHED if target.startswith("107") else ""
            for arch in archs:
                yield Decision(f"{release}: {target} for {arch}", arch in accepted.split(), compiles(target, arch), known)


def _ptxas() -> str | None:
    return tool("ptxas")


def release() -> str:
    found = re.search(r"release (\d+\.\d+)", said(_ptxas() or "", "--version")) if _ptxas() else None
    return found[1] if found else ""


def live() -> Iterator[Decision]:
    """Every pair that the installed ptxas knows, every architecture of our table, and every PTX version."""
    as_of = f"cuda={release()}"
    program = str(_ptxas())
    with TemporaryDirectory() as folder:
        kernel = Path(folder, "old.ptx")
        kernel.write_text(_KERNEL.format("6.0", "sm_50"))
        names = cuda.names()
        defined = in_parallel(
            lambda name: "is not defined" not in said(program, f"-arch={name}", str(kernel), "-o", "/dev/null"), names
        )
        known = [name for name, there in zip(names, defined, strict=True) if there]
        for name, there in zip(names, defined, strict=True):
            answer, _, by, *_ = nvidia.runs(name, Capabilities("cuda", isa=name.rstrip("af")), parse_stack(as_of))
            yield Decision(f"-arch={name} is known", there, answer is Outcome.SATISFIED and by != "cuda.toolkit")
        pairs = []
        for target in known:
            row = cuda.architectures()[int(target.strip("sm_af"))]
            version = {"a": row.ptx_a, "f": row.ptx_f}.get(target[-1], row.ptx)
            source = Path(folder, f"{target}.ptx")
            source.write_text(_KERNEL.format(version, target))
            pairs += [(source, target, arch) for arch in known]
        for (_, target, arch), words in zip(
            pairs, in_parallel(lambda pair: _errors(program, pair[0], pair[2]), pairs), strict=True
        ):
            yield Decision(f"{target} for {arch}", not words, compiles(target[3:], arch[3:]))
        versions = [Version.parse(text) for text in "6.0 7.0 7.8 8.0 8.4 8.5 8.6 8.7 8.8 9.0 9.1 9.2 9.5".split()]
        for version in versions:
            kernel.write_text(_KERNEL.format(version, "sm_75" if version >= Version(6, 3) else "sm_50"))
            ours, *_ = nvidia.compiles(version, Capabilities("cuda", Version.parse(release()), "sm_90"), parse_stack(as_of))
            yield Decision(f"PTX {version}", not _errors(program, kernel, "sm_90"), ours is Outcome.SATISFIED)


def _errors(program: str, source: Path, arch: str) -> str:
    words = said(program, f"-arch={arch}", str(source), "-o", "/dev/null")
    return words if "fatal" in words or "error" in words else ""


ORACLES = (
    Oracle("ptxas", "which PTX goes to which architecture, as ptxas 13.0 and 13.4 once answered", lambda: "recorded", recorded),
    Oracle("ptxas", "the same of the ptxas that is installed, the architectures it knows and the PTX it reads", release, live),
)
