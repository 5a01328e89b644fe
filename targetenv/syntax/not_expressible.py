"""When a dialect cannot describe a target at all."""

from __future__ import annotations

from typing import TYPE_CHECKING

from targetenv.diagnostics.diagnostic import Diagnostic, ParseError

if TYPE_CHECKING:
    from typing import NoReturn

    from targetenv.model.target_env import TargetEnv


def refuse(env: TargetEnv, dialect: str, why: str) -> NoReturn:
    """Say that `dialect` has no way to write `env` (TE1220)."""
    name = f"`{env.name}`" if env.name else "this target"
    message = f"dialect `{dialect}` cannot describe {name}, a target of {env.offers.api}"
    raise ParseError(Diagnostic("TE1220", message, notes=(why,), help="choose a dialect of the same API with `--to`"))
