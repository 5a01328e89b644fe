"""Text to model to text: every spelling of a target. The only room that imports lark, and it does so on use.

>>> parsed = parse("#vk.target_env<v1.1, r(120), [VK_KHR_16bit_storage], {subgroupSize = 64: i32}>")
>>> parsed.dialect, str(parsed.env.offers.version)
('vk@doc', '1.1.120')
>>> render(parsed, "vk@A").text
'#vk.target_env<v1.1, r(120), [VK_KHR_16bit_storage], {subgroupSize = 64 : i32}>'
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from targetenv.model.requirement import Requirement
    from targetenv.model.target_env import TargetEnv
    from targetenv.syntax.parsed import Parsed, Rendered
    from targetenv.syntax.target_names import TargetName

_MOST = 4096
_plain: dict[str, Parsed] = {}
_specific: dict[tuple[str, str, str | None, str | None], Parsed] = {}


def parse(text: str, *, source_name: str = "<argument>", dialect: str | None = None, compat: str | None = None) -> Parsed:
    """What a target description says, in whatever dialect it is written; `ParseError` (TE1, TE2) with places in the text.

    `dialect` (`vk`, `vk@C`) refuses texts in another one. `compat` (`iree@20231218`) accepts what that release of IREE
    accepts, no more and no less. The same text read again is looked up.
    """
    if dialect is None and compat is None:
        found = _plain.get(text)
        if found is not None:
            return found
    key = (text, source_name, dialect, compat)
    found = _specific.get(key)
    if found is not None:
        return found
    from targetenv.syntax.reading import read

    made = read(text, source_name, dialect, compat)
    if dialect is None and compat is None and not made.diagnostics:  # warnings carry the name of their source
        _keep(_plain, text, made)
    else:
        _keep(_specific, key, made)
    return made


def parse_constraint(text: str, *, source_name: str = "<argument>") -> tuple[Requirement, ...]:
    """What a constraint requires, one requirement for each part that `and` joins; `ParseError` (TE10, TE13).

    >>> len(parse_constraint("vulkan >= 1.1 and (shaderInt8 or shaderInt16)"))
    2
    """
    from targetenv.diagnostics.diagnostic import Source
    from targetenv.model.requirement import AllOf
    from targetenv.syntax import constraint
    from targetenv.syntax.reading import checked

    made = constraint.read(checked(Source(source_name, text)))
    return made.parts if isinstance(made, AllOf) else (made,)


def is_constraint(text: str) -> bool:
    """Whether a text is meant as a constraint and not as a target."""
    from targetenv.syntax import constraint

    return constraint.is_constraint(text)


def render(of: Parsed | TargetEnv, dialect: str, compat: str | None = None) -> Rendered:
    """The text of an environment in a dialect (`spirv`, `vk@C`), and what that dialect cannot say.

    A `Parsed` is printed from what was read, with its order and duplicates, where the dialect stays the same. `compat` prints
    what that release of IREE would.
    """
    if dialect.startswith("flags:"):
        from targetenv.syntax import flags

        return flags.render(of, dialect.removeprefix(flags.PREFIX))
    from targetenv.syntax import compat as releases
    from targetenv.syntax.dialects import find

    row, era = find(dialect)
    return row.render(of, era, None if compat is None else releases.of(compat))


def targets(pattern: str = "") -> tuple[TargetName, ...]:
    """Every name that we know and that contains `pattern` (or matches it, where it has wildcards), with what it expands to."""
    from targetenv.syntax.target_names import targets as find

    return find(pattern)


def _keep(cache: dict[Any, Parsed], key: object, made: Parsed) -> None:
    if len(cache) >= _MOST:
        cache.pop(next(iter(cache)), None)
    cache[key] = made
