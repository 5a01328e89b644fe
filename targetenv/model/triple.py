"""A target triple in its four parts."""

from __future__ import annotations

from targetenv.model.record import record


@record
class Triple:
    """`arch-vendor-os-environment`; an empty `environment` is not written, `unknown` stands for the other parts.

    >>> str(Triple("amdgcn", "amd", "amdhsa"))
    'amdgcn-amd-amdhsa'
    """

    arch: str
    vendor: str = "unknown"
    os: str = "unknown"
    environment: str = ""

    def __str__(self) -> str:
        return "-".join((self.arch, self.vendor, self.os, *((self.environment,) if self.environment else ())))
