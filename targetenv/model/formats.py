"""Names of executable formats that are one format to whoever loads them."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Set as AbstractSet

_LIBRARIES = {
    f"{link}-elf-{theirs}": f"elf-{ours}"
    for link in ("embedded", "system")
    for theirs, ours in (("x86_64", "x86_64"), ("arm_64", "aarch64"))
}


def file_format(executable_format: str) -> str:
    """The format of the file that an executable is: IREE's libraries for CPUs are shared objects that answer a query.

    >>> file_format("embedded-elf-arm_64"), file_format("spirv")
    ('elf-aarch64', 'spirv')
    """
    return _LIBRARIES.get(executable_format, executable_format)


def loads(formats: AbstractSet[str], executable_format: str) -> bool:
    """Whether who loads these formats loads this one: the loader of shared objects takes IREE's libraries too.

    >>> loads({"elf-x86_64"}, "system-elf-x86_64"), loads({"elf-x86_64"}, "embedded-elf-arm_64")
    (True, False)
    """
    return executable_format in formats or file_format(executable_format) in formats


def libraries_of(file_format: str) -> tuple[str, ...]:
    """What IREE calls its libraries in files of this format.

    >>> libraries_of("elf-aarch64")
    ('embedded-elf-arm_64', 'system-elf-arm_64')
    """
    return tuple(name for name, inside in _LIBRARIES.items() if inside == file_format)
