"""A totally ordered `major.minor.patch`: Vulkan `v1.1, r(120)` is `1.1.120`, SPIR-V 1.4 is `1.4.0`."""

from __future__ import annotations

import re

from targetenv.model.record import record

_TEXT = re.compile(r"v?(\d{1,9})(?:\.(\d{1,9}))?(?:\.(\d{1,9}))?")


@record
class Version:
    """A version whose parts are compared as integers.

    >>> Version.parse("1.10") > Version(1, 9, 300)
    True
    >>> str(Version(1, 3, 230)), str(Version(1, 6))
    ('1.3.230', '1.6')
    """

    major: int
    minor: int = 0
    patch: int = 0

    @classmethod
    def parse(cls, text: str) -> Version:
        """Read `1`, `1.3`, `1.3.230` or `v1.3`; anything else is a ValueError."""
        found = _TEXT.fullmatch(text)
        if found is None:
            raise ValueError(f"`{text}` is not a version: expected major.minor or major.minor.patch")
        return cls(*(int(part or 0) for part in found.groups()))

    @classmethod
    def unpack_vulkan(cls, packed: int) -> Version:
        """The version in a `uint32_t` made by VK_MAKE_API_VERSION; its variant bits are not part of the order."""
        return cls(packed >> 22 & 0x7F, packed >> 12 & 0x3FF, packed & 0xFFF)

    @property
    def key(self) -> tuple[int, int, int]:
        """The parts, most significant first."""
        return self.major, self.minor, self.patch

    def __lt__(self, other: Version) -> bool:
        return self.key < other.key

    def __le__(self, other: Version) -> bool:
        return self.key <= other.key

    def __gt__(self, other: Version) -> bool:
        return self.key > other.key

    def __ge__(self, other: Version) -> bool:
        return self.key >= other.key

    def __str__(self) -> str:
        return f"{self.major}.{self.minor}.{self.patch}" if self.patch else f"{self.major}.{self.minor}"
