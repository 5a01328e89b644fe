"""The package, `X.tenv`: kernels with their interface, the variants that implement them, and the executables themselves.

This module reads on the load path, so it neither imports pydantic nor trusts a byte: what `open_package` returns fits the
schema, and a payload is handed out only after its SHA-256 has been found to be right. `package_schema` is the strict form.
"""

from __future__ import annotations

from targetenv.model.artifact import Artifact, Kernel
from targetenv.model.record import record
from targetenv.wire.archive import members, refusal
from targetenv.wire.digest import sha256_of
from targetenv.wire.files import unreadable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from mmap import mmap
    from types import TracebackType

    from targetenv.model.requirement import Requirement
    from targetenv.wire.archive import Member

MANIFEST = "targetenv.json"
SCHEMA = 1
DTYPES = ("f16", "bf16", "f32", "f64", "i8", "u8", "i16", "u16", "i32", "u32", "i64", "u64")
ACCESSES = ("read", "write", "readwrite")


@record
class Constant:
    """A scalar parameter. `value` is an extent (`x.size`) that fills it in; without one the caller passes it.

    `dtype` is one of `DTYPES`, None where the package was made from executables alone, which do not say.
    """

    name: str
    dtype: str | None
    value: str | int | None = None


@record
class Binding:
    """A buffer parameter; `access` is `read`, `write` or `readwrite`. A `write` binding has a `shape`, in extents."""

    name: str
    dtype: str | None
    access: str = "readwrite"
    shape: tuple[str | int, ...] | None = None


@record
class PackagedKernel:
    """One kernel's interface, shared by all its variants: parameters in order and the grid, whose extents count elements.

    `grid` is None where the package does not know it; the caller then says how much there is to do. An `open` kernel may take
    more parameters than are listed: its executables do not say how many, and nobody declared it.
    """

    name: str
    constants: tuple[Constant, ...] = ()
    bindings: tuple[Binding, ...] = ()
    grid: tuple[str | int, ...] | None = None
    open: bool = False


@record
class Variant:
    """One way to run one kernel: which executable, what it requires, and how much of the grid one workgroup covers (`tile`)."""

    name: str
    kernel: str
    format: str
    entry_point: str
    member: str
    size: int
    sha256: str
    requires: tuple[Requirement, ...] = ()
    target: tuple[str, ...] = ()
    preference: int = 0
    workgroup_size: tuple[int, int, int] | None = None
    subgroup_size: int | None = None
    local_memory: int | None = None
    tile: tuple[int, int, int] | None = None

    def artifact(self, kernel: PackagedKernel) -> Artifact:
        """This variant as the resolver and the runtime take it."""
        inside = Kernel(
            kernel.name,
            self.workgroup_size,
            None if kernel.open else len(kernel.bindings),
            None if kernel.open else constant_block_size(kernel.constants),
            self.local_memory,
            None if self.entry_point == kernel.name else self.entry_point,
            self.subgroup_size,
            access=None if kernel.open else tuple(binding.access for binding in kernel.bindings),
        )
        target = ", ".join(self.target) or None
        return Artifact(self.name, self.format, self.sha256, self.requires, (inside,), target, self.preference, self.size)


@record
class Package:
    """What a manifest says; names of kernels are unique, names of variants are unique within a kernel."""

    name: str
    version: str
    kernels: tuple[PackagedKernel, ...]
    variants: tuple[Variant, ...]

    def kernel(self, name: str) -> PackagedKernel | None:
        """The kernel of this name, if there is one."""
        return next((kernel for kernel in self.kernels if kernel.name == name), None)

    def artifacts(self, kernel: str | None = None) -> dict[str, tuple[Artifact, ...]]:
        """Kernel name -> its variants, for `resolve`; `kernel` keeps only that one."""
        return {
            row.name: tuple(variant.artifact(row) for variant in self.variants if variant.kernel == row.name)
            for row in self.kernels
            if kernel in (None, row.name)
        }


class PackageFile:
    """An open package: `package`, and payloads as views into the mapped file. Close it, or use it as a context manager."""

    def __init__(self, name: str, data: mmap | bytes) -> None:
        """Check the container and the manifest in `data`; FormatError (TE44xx) says what is wrong."""
        from targetenv.wire.manifest import read_manifest

        self.name = name
        self._data = data
        self._view = memoryview(data)
        try:
            self._members: dict[str, Member] = {member.name: member for member in members(self._view, name=name)}
            self.package = read_manifest(self._view, self._members, name=name)
        except BaseException:
            self.close()
            raise
        self._checked: set[str] = set()

    def payload(self, variant: Variant) -> memoryview:
        """The executable of `variant`, 64-byte aligned in the file; TE4410 unless its SHA-256 is the one in the manifest."""
        member = self._members[variant.member]
        view = self._view[member.offset : member.offset + member.size]
        if variant.member not in self._checked:
            found = sha256_of(view)
            if found != variant.sha256:
                wrong = f"has SHA-256 {found[:16]}..., the manifest says {variant.sha256[:16]}..."
                advice = "build or copy the package again: it was damaged or changed after it was built"
                raise refusal("TE4410", f"the payload of variant `{variant.name}` {wrong}", self.name, advice)
            self._checked.add(variant.member)
        return view

    def close(self) -> None:
        """Unmap the file. Views that were handed out must be released first; those still held keep the mapping alive."""
        self._view.release()
        if not isinstance(self._data, bytes):
            try:
                self._data.close()
            except BufferError:  # an executable still uses its bytes; the mapping goes when the last view goes
                return

    def __enter__(self) -> PackageFile:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()


def open_package(path: str) -> PackageFile:
    """Map the package at `path` and check everything but the payloads; those are checked when they are asked for."""
    import os
    from mmap import ACCESS_READ, mmap

    try:
        descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_CLOEXEC", 0))
    except OSError as error:
        raise unreadable(path, error) from error
    try:
        if os.fstat(descriptor).st_size == 0:
            return PackageFile(path, b"")
        data = mmap(descriptor, 0, access=ACCESS_READ)
    except OSError as error:
        raise unreadable(path, error) from error
    finally:
        os.close(descriptor)
    return PackageFile(path, data)


def pack_package(package: Package, payloads: Mapping[str, bytes]) -> bytes:
    """The bytes of a package file; `payloads` maps each member that a variant names to its contents.

    The same package and payloads give the same bytes, whatever order `payloads` has.
    """
    from targetenv.wire.archive import pack
    from targetenv.wire.manifest import write_manifest

    used = dict.fromkeys(variant.member for variant in package.variants)
    return pack([(MANIFEST, write_manifest(package)), *((member, payloads[member]) for member in used)])


def constant_block_size(constants: tuple[Constant, ...]) -> int:
    """Bytes of the constants in order, each naturally aligned: push constants in Vulkan, the constant words on a CPU."""
    return constant_offsets(constants)[-1]


def constant_offsets(constants: tuple[Constant, ...]) -> tuple[int, ...]:
    """Where each constant begins, then the size of the block, a multiple of four.

    >>> constant_offsets((Constant("a", "f32"), Constant("n", "u64"), Constant("h", "f16")))
    (0, 8, 16, 20)
    """
    at = 0
    offsets: list[int] = []
    for constant in constants:
        width = item_size(constant.dtype)
        at += -at % width
        offsets.append(at)
        at += width
    return (*offsets, at + -at % 4)


def item_size(dtype: str | None) -> int:
    """Bytes of one element; four for a dtype that the package does not know.

    >>> item_size("bf16"), item_size("i8"), item_size("f64")
    (2, 1, 8)
    """
    return int(dtype.lstrip("bfiu")) // 8 if dtype else 4
