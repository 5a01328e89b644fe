"""Processors: what glibc's loader says of this one."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

from targetenv_runtime.drivers.cpu.probe import probe

from targetenv.match.check import Judge
from targetenv.model.requirement import NeedsIsa
from targetenv.model.verdict import Outcome
from tests.differential.decisions.decision import Decision, Oracle, said

LOADER = Path("/lib64/ld-linux-x86-64.so.2")


def version() -> str:
    if os.uname().machine != "x86_64" or not LOADER.exists() or "glibc-hwcaps" not in said(str(LOADER), "--help"):
        return ""
    found = re.search(r"version (\d+\.\d+)", said(str(LOADER), "--version"))
    return f"glibc {found[1]}" if found else ""


def levels() -> Iterator[Decision]:
    judge = Judge(probe()[0][0].offers)
    for level, taken in re.findall(r"^  (x86-64-v\d)( \(supported, searched\))?$", said(str(LOADER), "--help"), re.MULTILINE):
        ours = judge.check(NeedsIsa(level)).outcome is Outcome.SATISFIED
        yield Decision(f"this processor runs {level}", bool(taken), ours)


ORACLES = (Oracle("ld.so", "which x86-64 levels this processor runs (glibc-hwcaps)", version, levels),)
