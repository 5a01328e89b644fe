"""What is wrong with a device file and survived: counted, named, and said once for each kind, as warnings."""

from __future__ import annotations

from targetenv.diagnostics.diagnostic import Diagnostic, Severity, Source

# code -> what to say of one and of several; the names that it is about follow.
_KINDS = {
    "TE4310": ("a name that the registry does not have is left out", "{} names that the registry does not have are left out"),
    "TE4311": ("a number is written as a text", "{} numbers are written as texts"),
    "TE4312": ("a value cannot be read and is left out", "{} values cannot be read and are left out"),
    "TE4313": ("a thing is stated twice, differently", "{} things are stated twice, differently"),
    "TE4314": ("the file lacks a part that such files have", "the file lacks {} parts that such files have"),
    "TE4315": ("the file is damaged and was repaired", "the file is damaged in {} ways and was repaired"),
    "TE4316": ("an extension that the registry does not have", "{} extensions that the registry does not have"),
    "TE4317": ("a part of the profile cannot be followed", "{} parts of the profile cannot be followed"),
}
_SHOWN = 3
_LONGEST = 100  # characters of a name from a file


class Complaints:
    """Collects what is odd about one file; `diagnostics` says it."""

    __slots__ = ("_found", "_name")

    def __init__(self, name: str, of_file: Complaints | None = None) -> None:
        """`of_file` has what was found before the file was told apart into devices."""
        self._name = name
        self._found: dict[str, dict[str, int]] = {} if of_file is None else {k: dict(v) for k, v in of_file._found.items()}

    def add(self, code: str, about: str) -> None:
        """Note one more case of `code`; `about` is what it is about, a name or a few words."""
        rows = self._found.setdefault(code, {})
        rows[about] = rows.get(about, 0) + 1

    def diagnostics(self) -> tuple[Diagnostic, ...]:
        """One warning for each kind, in the order of codes.

        >>> complaints = Complaints("x.json")
        >>> complaints.add("TE4310", "VkStruct::member")
        >>> complaints.diagnostics()[0].message
        'a name that the registry does not have is left out: `VkStruct::member`'
        """
        made = []
        for code, rows in sorted(self._found.items()):
            one, several = _KINDS[code]
            what = one if len(rows) == 1 else several.format(len(rows))
            shown = [f"`{shortened(about)}`" for about in list(rows)[:_SHOWN]]
            more = f" and {len(rows) - _SHOWN} more" if len(rows) > _SHOWN else ""
            message = f"{what}: {', '.join(shown)}{more}"
            made.append(Diagnostic(code, message, Source(self._name, ""), severity=Severity.WARNING))
        return tuple(made)


def shortened(text: str) -> str:
    """A text from a file as it may stand in a message."""
    text = text if len(text) <= _LONGEST else text[: _LONGEST - 3] + "..."
    return text if text.isprintable() else "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text)
