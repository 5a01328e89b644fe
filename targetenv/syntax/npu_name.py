"""The dialects `aie` and `habana`: devices by the names that their compilers give them, `npu1_4col`, `gaudi2`."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from targetenv.diagnostics.diagnostic import Diagnostic, Label, ParseError
from targetenv.diagnostics.suggest import did_you_mean
from targetenv.model.capabilities import Capabilities, Property
from targetenv.model.span import Span
from targetenv.model.target_env import TargetEnv
from targetenv.registry import npu
from targetenv.syntax.parsed import Parsed, Rendered

if TYPE_CHECKING:
    from targetenv.diagnostics.diagnostic import Source
    from targetenv.syntax.compat import Compat

_MEANT = re.compile(r"(?:npu|xcv|gaudi|goya)[\w-]*", re.IGNORECASE)


def knows(text: str) -> bool:
    """Whether somebody who wrote this meant an NPU."""
    return _MEANT.fullmatch(text) is not None


def names() -> tuple[str, ...]:
    """Every device."""
    return (*npu.aie_devices(), *npu.habana_devices())


def parse(source: Source, compat: Compat | None = None) -> Parsed:  # noqa: ARG001  no release of IREE differs here
    """Read a device's name; TE1213 for one that does not exist."""
    name = source.text.strip()
    if name in npu.aie_devices():
        return Parsed("aie", _aie(npu.aie_devices()[name]), name, (), name)
    if name in npu.habana_devices():
        offers = Capabilities("habana", isa=name, formats=frozenset({"tpc"}), complete=False)
        return Parsed("habana", TargetEnv(offers, vendor="Habana"), name, (), name)
    start = len(source.text) - len(source.text.lstrip())
    label = Label(Span(start, start + len(name)), "not an NPU that a compiler builds for")
    help_ = did_you_mean(name.lower(), names()) or f"write one of {', '.join(names())}"
    raise ParseError(Diagnostic("TE1213", f"unknown target `{name}`", source, (label,), help=help_))


def render(of: Parsed | TargetEnv, era: str | None = None, compat: Compat | None = None) -> Rendered:  # noqa: ARG001
    """Print the device's name; TE1220 when the environment is for something else."""
    env = of.env if isinstance(of, Parsed) else of
    if env.offers.isa not in names():
        raise ParseError(Diagnostic("TE1220", f"an environment for {env.offers.api} has no NPU"))
    return Rendered(str(env.offers.isa))


def _aie(device: npu.AieDevice) -> TargetEnv:
    """The environment: the shape of the array, all that a compiler's mapping depends on."""
    shape = {
        "aie::columns": device.partition or device.columns,
        "aie::coreDataKiB": device.core_data,
        "aie::coreProgramKiB": device.core_program,
        "aie::coreRows": device.core_rows,
        "aie::memoryTileKiB": device.memory_tile,
        "aie::memoryTileRows": device.memory_rows,
        "aie::rows": device.rows,
    }
    properties = tuple(Property(name, value) for name, value in sorted(shape.items()))
    formats = frozenset({"xclbin", "pdi", "pdir"})
    offers = Capabilities("aie", isa=device.name, formats=formats, features=frozenset({device.arch}), properties=properties)
    return TargetEnv(offers, vendor="AMD")
