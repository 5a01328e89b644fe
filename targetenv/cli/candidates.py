"""Targets that a population may be covered by: those that the user names, and all that have a name."""

from __future__ import annotations

from typing import TYPE_CHECKING

from targetenv.cli.environments import environments_from
from targetenv.diagnostics.diagnostic import Diagnostic, TargetEnvError
from targetenv.match.environment import KINDS, requirements_of, requirements_of_kind
from targetenv.model.artifact import Artifact
from targetenv.model.record import record
from targetenv.registry import aarch64, x86
from targetenv.syntax import is_constraint, parse, parse_constraint
from targetenv.syntax.dialects import DIALECTS

if TYPE_CHECKING:
    from targetenv.model.capabilities import Capabilities
    from targetenv.model.requirement import Requirement

_SOURCE = "CANDIDATE"


@record
class Target:
    """A target that may be picked: what code for it requires, and what that code may rely on where the name says so."""

    name: str
    requires: tuple[Requirement, ...]
    offers: Capabilities | None = None

    def artifact(self) -> Artifact:
        """Code for this target; every target is a format of its own, so that none is ranked before another."""
        return Artifact(self.name, self.name, "", self.requires)


def targets(text: str) -> list[Target]:
    """The targets that a text says: any dialect, `KIND:` before it (`cubin:sm_90a`), a constraint, or a file of profiles."""
    if is_constraint(text):
        return [Target(text, parse_constraint(text, source_name=_SOURCE))]
    kind, colon, rest = text.partition(":")
    if colon and kind in KINDS:
        env = parse(rest, source_name=_SOURCE).env
        try:
            return [Target(text, requirements_of_kind(kind, env), env.offers)]
        except ValueError as error:
            raise TargetEnvError(Diagnostic("TE5200", str(error), help="kinds are " + ", ".join(KINDS))) from None
    return [Target(each.name, requirements_of(each.env), each.env.offers) for each in environments_from(text, source=_SOURCE)]


def named() -> list[Target]:
    """Every name that stands for some kind of device: versions of Vulkan, triples, products, architectures, CPU levels."""
    names: dict[str, None] = {}
    for dialect in DIALECTS:
        match dialect.name:
            case "vulkan":
                names |= dict.fromkeys(name for name in dialect.names() if name.startswith("vulkan"))
            case "iree":
                names |= dict.fromkeys(name for name in dialect.names() if name.startswith("vulkan:"))
            case "triple":
                names |= dict.fromkeys(name for name in dialect.names() if not name.startswith(("unknown", "cpu")))
            case "cuda":
                architectures = [name for name in dialect.names() if name.startswith("sm_")]
                names |= dict.fromkeys(f"{kind}:{name}" for kind in ("cubin", "ptx") for name in architectures)
            case "amdgpu":
                names |= dict.fromkeys(f"hsaco:{name}" for name in dialect.names())
            case _:
                pass
    names |= dict.fromkeys([*x86.LEVELS, *aarch64.levels()])
    return [each for name in names for each in targets(name)]
