"""What pydantic found wrong, in our words: a place, a sentence, and what was probably meant. No pydantic error leaves wire/."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, get_args

from pydantic import BaseModel, ConfigDict

from targetenv.diagnostics.suggest import did_you_mean
from targetenv.model.record import record

if TYPE_CHECKING:
    from pydantic import ValidationError
    from pydantic_core import ErrorDetails

_EXPECTED = {
    "string_type": "a text",
    "int_type": "an integer",
    "int_from_float": "an integer",
    "float_type": "a number",
    "bool_type": "true or false",
    "list_type": "a list",
    "tuple_type": "a list",
    "dict_type": "a table of keys and values",
    "model_type": "a table of keys and values",
    "model_attributes_type": "a table of keys and values",
}


BRANCH = "|"  # begins the tags of a union's branches, which pydantic puts into the places of errors


class Strict(BaseModel):
    """Every model of a file: no unknown keys, no conversions, no changes."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, allow_inf_nan=False)


@record
class Problem:
    """One misfit. `kind` is `unknown`, `missing` or `value`; `location` leads to it from the root, keys and indices."""

    kind: str
    location: tuple[str | int, ...]
    message: str
    help: str = ""

    @property
    def pointer(self) -> str:
        """The location as a JSON pointer (RFC 6901); the root is the empty text."""
        return "".join("/" + str(part).replace("~", "~0").replace("/", "~1") for part in self.location)


def problems(error: ValidationError, model: type[BaseModel]) -> tuple[Problem, ...]:
    """Every misfit that validation against `model` found; a misspelt key is one, not an unknown key and a missing one."""
    found = [_problem(details, model) for details in error.errors(include_url=False)]
    meant = {(*row.location[:-1], name) for row in found if row.kind == "unknown" for name in row.help.split("`")[1::2]}
    return tuple(row for row in found if row.kind != "missing" or row.location not in meant)


def _problem(details: ErrorDetails, model: type[BaseModel]) -> Problem:
    location = tuple(part for part in details["loc"] if not str(part).startswith(BRANCH))
    context = details.get("ctx", {})
    match details["type"]:
        case "extra_forbidden":
            key = str(location[-1])
            owner = _model_at(model, location[:-1])
            known = sorted(field.alias or name for name, field in owner.model_fields.items()) if owner else []
            advice = did_you_mean(key, known) or (f"known keys are {_listed(known)}" if known else "")
            return Problem("unknown", location, f"unknown key `{_shown(key)}`", advice)
        case "missing":
            return Problem("missing", location, f"missing key `{location[-1]}`")
        case "value_error":
            return Problem("value", location, str(context["error"]))
        case "literal_error":
            found = details["input"]
            options = [str(option).strip("'\"") for option in str(context["expected"]).replace(" or ", ", ").split(", ")]
            advice = did_you_mean(found, options) if isinstance(found, str) else ""
            return Problem("value", location, f"expected {_listed(options, 'or')}, found {_value(found)}", advice)
        case kind if kind in _EXPECTED:
            return Problem("value", location, f"expected {_EXPECTED[kind]}, found {_value(details['input'])}")
        case _:
            said = details["msg"].removeprefix("Input should ").removeprefix("have ").rstrip(".")
            return Problem("value", location, f"{_value(details['input'])} will not do: it should {said}")


def _model_at(model: type[BaseModel], location: tuple[str | int, ...]) -> type[BaseModel] | None:
    """The model that a location leads to, where annotations say so."""
    here: Any = model
    for part in location:
        if isinstance(part, str) and isinstance(here, type) and issubclass(here, BaseModel):
            field = here.model_fields.get(part) or next((f for f in here.model_fields.values() if f.alias == part), None)
            here = field.annotation if field else None
        inside = [option for option in get_args(here) if _is_model(option)] or [
            deeper for option in get_args(here) for deeper in get_args(option) if _is_model(deeper)
        ]
        here = inside[0] if inside else here
    return here if _is_model(here) else None


def _is_model(option: object) -> bool:
    return isinstance(option, type) and issubclass(option, BaseModel)


def _value(value: object) -> str:
    if isinstance(value, bool):
        return "`true`" if value else "`false`"
    if isinstance(value, dict):
        return "a table"
    if isinstance(value, list):
        return "a list"
    return "nothing" if value is None else f"`{_shown(str(value))}`"


def _shown(text: str) -> str:
    """A text from a file as it may stand in a message: short, and without control characters."""
    cut = text if len(text) <= 80 else text[:77] + "..."
    return "".join(character if character.isprintable() else "\N{REPLACEMENT CHARACTER}" for character in cut)


def _listed(names: list[str], last: str = "and") -> str:
    quoted = [f"`{name}`" for name in names]
    return quoted[0] if len(quoted) == 1 else f"{', '.join(quoted[:-1])} {last} {quoted[-1]}"
