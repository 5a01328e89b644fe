"""The cpu driver: this machine's processor, running kernels from shared objects (docs/reference/cpu-kernel-abi.md)."""

from __future__ import annotations


def include_directory() -> str:
    """The folder to pass to a C compiler as `-I`, so that `#include <targetenv/kernel.h>` is found.

    >>> from pathlib import Path
    >>> (Path(include_directory()) / "targetenv" / "kernel.h").is_file()
    True
    """
    from pathlib import Path  # only builds ask

    return str(Path(__file__).resolve().parent.parent.parent / "include")
