"""What stands behind `driver://`, for drivers whose devices are numbered."""

from __future__ import annotations

from targetenv_runtime.status import Code, HalError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping


def ordinal(selector: str, count: int, identities: Mapping[str, int] | None = None) -> int:
    """The ordinal that a selector names: a decimal number, one of the identities (in any case), or "" for the first device.

    >>> ordinal("", 2), ordinal("1", 2), ordinal("GPU-AB", 2, {"gpu-ab": 1})
    (0, 1, 1)
    """
    if not selector and count:
        return 0
    if selector.isascii() and selector.isdecimal() and len(selector) < 10 and int(selector) < count:
        return int(selector)
    for identity, number in (identities or {}).items():
        if identity.lower() == selector.lower():
            return number
    raise HalError(
        Code.NOT_FOUND, f"`{selector}` is neither an ordinal below {count} nor an identity" if count else "there is none"
    )
