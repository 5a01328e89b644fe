"""Artifacts against devices: the ranked choice, the reasons, and what would change them."""

from targetenv.resolve.resolution import require, resolve

__all__ = ["require", "resolve"]
