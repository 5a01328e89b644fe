"""How MLIR's SPIR-V dialect spells capabilities and extensions, as of a release of IREE."""

from __future__ import annotations

from functools import cache

from targetenv.syntax import mlir_enumerants as table

NEWEST = len(table.RELEASES) - 1


@cache
def names(release: int = NEWEST) -> frozenset[str]:
    """Every capability and extension that the release with this index in `mlir_enumerants.RELEASES` spells."""
    found = set()
    for row in f"{table.CAPABILITIES}, {table.EXTENSIONS}".split(", "):
        name, _, span = row.partition(" ")
        if not span or int(span[0]) <= release <= int(span[1]):
            found.add(name)
    return frozenset(found)


def release_index(name: str) -> int:
    """The recorded release whose dialect a release of IREE has: the newest that is not newer, from 2023-09 on the next.

    >>> [release_index(each) for each in ("20230524", "20231004", "20240410", "3.8", "3.13")]
    [0, 1, 2, 3, 4]
    """
    if "." in name:
        return NEWEST if tuple(map(int, name.split("."))) >= (3, 13) else 3
    return 0 if name < "20230926" else 1 if name < "20240226" else 2


@cache
def spelling(name: str, release: int = NEWEST) -> str:
    """MLIR's spelling of a capability: an alias where MLIR knows only that; the canonical name where it knows none.

    >>> spelling("UniformAndStorageBuffer16BitAccess")
    'StorageUniform16'
    """
    from targetenv.registry import spirv

    found = spirv.capability(name)
    if found is None:
        return name
    known = names(release)
    return next((each for each in (name, found.name, *found.aliases) if each in known), found.name)
