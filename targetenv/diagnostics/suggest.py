"""Did you mean."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable


def nearest(word: str, known: Iterable[str], *, most: int = 3) -> tuple[str, ...]:
    """The names in `known` most like `word`, best first; none when nothing is near.

    >>> nearest("VK_KHR_storage_bufer_storage_class", ["VK_KHR_storage_buffer_storage_class", "VK_KHR_8bit_storage"])
    ('VK_KHR_storage_buffer_storage_class',)
    """
    from difflib import get_close_matches  # 8 ms; only when something is wrong

    names = sorted(set(known))
    folded = [name for name in names if name.lower() == word.lower()]
    near = get_close_matches(word[:256], names, n=most, cutoff=0.75)
    return tuple(dict.fromkeys([*folded, *near]))[:most]


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """A help line for a misspelt name, empty when nothing is near."""
    names = nearest(word, known)
    return "did you mean " + " or ".join(f"`{name}`" for name in names) + "?" if names else ""
