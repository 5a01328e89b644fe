"""`--compat iree@RELEASE`: whose answer is wanted where ours is more complete."""

from __future__ import annotations

import re

from targetenv.diagnostics.diagnostic import Diagnostic, ParseError
from targetenv.diagnostics.suggest import did_you_mean
from targetenv.model.record import record
from targetenv.syntax.vk_names import RELEASES, Release

NEW = ("20240621", "20240724", "20240828", "20241104", "2.9", "3.0", "3.1", "3.4", "3.8", "3.13")
_POINT = re.compile(r"(\d+\.\d+)(?:\.\w+)?")


@record
class Compat:
    """One release of IREE; `vk` is None from 2024-06-19 on, when the dialect `vk` was gone."""

    name: str
    vk: Release | None

    @property
    def order(self) -> tuple[int, ...]:
        """Sorts releases by age: dates came before point releases."""
        return tuple(int(part) for part in self.name.split(".")) if "." in self.name else (0, int(self.name))


def names() -> tuple[str, ...]:
    """Every release that `compat` takes, oldest first."""
    return tuple(f"iree@{name}" for name in (*sorted(RELEASES), *NEW))


def of(text: str) -> Compat:
    """The release that `iree@20231218`, `iree@3.13` or `iree@3.13.0` names; TE1214 for others.

    >>> of("iree@3.13.0").name
    '3.13'
    """
    tool, _, name = text.partition("@")
    point = _POINT.fullmatch(name)
    name = point[1] if point else name.partition(".")[0]
    if tool == "iree" and (name in RELEASES or name in NEW):
        return Compat(name, RELEASES.get(name))
    known = names()
    help_ = did_you_mean(text, known) or f"write one of {', '.join(f'`{each}`' for each in known)}"
    raise ParseError(Diagnostic("TE1214", f"unknown release `{text}`", help=help_))
