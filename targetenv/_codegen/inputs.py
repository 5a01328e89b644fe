"""Where the generator's inputs come from, and what they call themselves."""

from __future__ import annotations

import hashlib
import importlib.metadata
import importlib.util
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Source:
    """One input: what to call it in the head of what is generated from it, where it is from, and its bytes."""

    name: str
    data: bytes
    note: str = ""

    @property
    def sha256(self) -> str:
        """Hexadecimal digest of the bytes."""
        return hashlib.sha256(self.data).hexdigest()


def vk_xml(path: Path | None = None) -> Source:
    """The Vulkan registry at `path`, or the one that the pinned `vulkan-object` wheel carries."""
    if path is not None:
        return from_file(path)
    found = importlib.util.find_spec("vulkan_object")
    if found is None or found.origin is None:
        raise FileNotFoundError(
            "vk.xml: install the pinned `vulkan-object` wheel (dependency group dev), or pass --vk-xml FILE"
        )
    version = importlib.metadata.version("vulkan-object")
    return Source("vk.xml", Path(found.origin).with_name("vk.xml").read_bytes(), f" from vulkan-object {version}")


def from_file(path: Path) -> Source:
    """A file under its own name, without the folder it lies in."""
    return Source(path.name, path.read_bytes())
