"""What a device offers, in one shape for every API."""

from __future__ import annotations

from bisect import bisect_left

from targetenv.model.record import record
from targetenv.model.version import Version

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import TypeAlias

    PropertyValue: TypeAlias = int | float | str | tuple[int, ...] | tuple[float, ...] | tuple[str, ...]


@record
class CooperativeMatrix:
    """One row of matrix shapes and element types that a device multiplies in hardware: D(MxN) = A(MxK) * B(KxN) + C(MxN).

    Element types are spelt as MLIR does (`f16`, `f32`, `bf16`, `i8`, `ui8` ...); `scope` is `subgroup`, `workgroup`, `device`
    or `queue-family`. Source: VkCooperativeMatrixPropertiesKHR. In what is *required*, a size of 0 and an element type of ""
    leave that open: code that only loads and stores an A needs some row with that A.
    """

    m: int
    n: int
    k: int
    a: str
    b: str
    c: str
    result: str
    scope: str = "subgroup"
    saturating: bool = False

    def __str__(self) -> str:
        saturating = ", saturating" if self.saturating else ""
        m, n, k, a, b, c, result = (part or "?" for part in self._parts())
        return f"{m}x{n}x{k} {a}*{b}+{c}->{result} per {self.scope}{saturating}"

    def meets(self, required: CooperativeMatrix) -> bool:
        """Whether this row is one that is asked for.

        >>> CooperativeMatrix(16, 8, 16, "f16", "f16", "f32", "f32").meets(CooperativeMatrix(16, 0, 16, "f16", "", "", ""))
        True
        """
        if self == required:
            return True
        asked = required._parts()
        if all(asked) or self.scope != required.scope:
            return False
        return all(not want or want == have for want, have in zip(asked, self._parts(), strict=True))

    def _parts(self) -> tuple[int | str, ...]:
        return self.m, self.n, self.k, self.a, self.b, self.c, self.result


@record
class SpirvEnvironment:
    """What SPIR-V a consumer takes: the highest version, the capabilities and the extensions a module may declare.

    Names are canonical (the first enumerant of the SPIR-V grammar, never an alias).
    """

    version: Version
    capabilities: frozenset[str] = frozenset()
    extensions: frozenset[str] = frozenset()


@record
class Property:
    """One named fact: a limit, an identity, a size. The name is canonical: `VkPhysicalDeviceLimits::maxBoundDescriptorSets`."""

    name: str
    value: PropertyValue


@record
class Capabilities:
    """Everything that one device offers to code, in canonical names.

    A feature is `Struct::member` for Vulkan, an LLVM feature name for a CPU (`avx512f`). `features` were answered with yes,
    `denied` with no. Where `complete` is true the source answered everything, so an absent name is a no; otherwise unknown.
    `unstated` are structs that the device has and a source, complete but for them, does not answer in full: what is absent of
    their members is unknown.
    `properties` are sorted by name. `spirv` is set where the source states it; for Vulkan it follows from the rest
    (`targetenv.registry.spirv_environment`).
    """

    api: str
    version: Version | None = None
    isa: str | None = None
    formats: frozenset[str] = frozenset()
    extensions: frozenset[str] = frozenset()
    features: frozenset[str] = frozenset()
    denied: frozenset[str] = frozenset()
    properties: tuple[Property, ...] = ()
    subgroup_sizes: frozenset[int] = frozenset()
    matrices: frozenset[CooperativeMatrix] = frozenset()
    spirv: SpirvEnvironment | None = None
    complete: bool = True
    unstated: frozenset[str] = frozenset()

    def is_unstated(self, name: str) -> bool:
        """Whether the source leaves open what a `Struct::member` is that it does not name."""
        return not self.complete or (bool(self.unstated) and name.partition("::")[0] in self.unstated)

    def property(self, name: str) -> PropertyValue | None:
        """The value under this canonical name, or None when the source did not say."""
        at = bisect_left(self.properties, name, key=lambda row: row.name)
        return self.properties[at].value if at < len(self.properties) and self.properties[at].name == name else None
