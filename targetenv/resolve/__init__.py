"""Artifacts against devices: the ranked choice, the reasons, and what would change them."""

from targetenv.resolve.chooser import Chooser
from targetenv.resolve.resolution import require, resolve

TYPE_CHECKING = False
if TYPE_CHECKING:
    from targetenv.resolve.fleets import fleet as fleet

__all__ = ["Chooser", "fleet", "require", "resolve"]


def __getattr__(name: str) -> object:
    if name == "fleet":  # whole populations are not resolved where programs are loaded
        from targetenv.resolve.fleets import fleet

        return fleet
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
