"""Artifacts against devices: the ranked choice, the reasons, and what would change them."""

from targetenv.resolve.chooser import Chooser
from targetenv.resolve.resolution import require, resolve

__all__ = ["Chooser", "require", "resolve"]
