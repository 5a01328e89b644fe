"""What a file claims about one Vulkan device, brought to canonical names on its way in, and the device that follows from it."""

from __future__ import annotations

from functools import cache, lru_cache

from targetenv.model.capabilities import Capabilities, Property
from targetenv.model.device import Device
from targetenv.model.version import Version
from targetenv.registry import vulkan
from targetenv.registry.vulkan_device import (
    driver_facts,
    heap_line,
    identity,
    memory_type_line,
    queue_line,
    subgroup_sizes,
)
from targetenv.wire.vulkan_enumerants import PartlyReadError
from targetenv.wire.vulkan_values import Plan, boolean, flag_bits, integer, packed_version, plan, printable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from targetenv.model.capabilities import PropertyValue
    from targetenv.wire.complaints import Complaints

_PROPERTIES = "VkPhysicalDeviceProperties"
_FEATURES2 = ("VkPhysicalDeviceFeatures2", "VkPhysicalDeviceFeatures2KHR")
_PROPERTIES2 = ("VkPhysicalDeviceProperties2", "VkPhysicalDeviceProperties2KHR")
_NESTED = {"limits": "VkPhysicalDeviceLimits", "sparseProperties": "VkPhysicalDeviceSparseProperties"}
_NOTHING = ("NULL", None)  # what vulkaninfo writes for a list without elements
_HEADER = frozenset({"sType", "pNext"})
_LONGEST = 256
_SUBGROUPS = "VkPhysicalDeviceSubgroupProperties"
_MATRICES, _MATRIX_ROWS = "VK_KHR_cooperative_matrix", "VkCooperativeMatrixPropertiesKHR"
FORMATS = frozenset({"spirv"})


class Claims:
    """The claims of one file, or of one block of a profile.

    A feature that any spelling answers with yes is offered; two spellings that differ are complained about. `texts` says
    whether numbers are written as texts in this kind of file (then that is no mistake).
    """

    __slots__ = ("complaints", "denied", "extensions", "features", "memory", "queues", "texts", "values", "version")

    def __init__(self, complaints: Complaints, *, texts: bool = False) -> None:
        self.complaints = complaints
        self.texts = texts
        self.extensions: set[str] = set()
        self.features: set[str] = set()
        self.denied: set[str] = set()
        self.values: dict[str, PropertyValue] = {}
        self.version: Version | None = None
        self.queues: list[str] = []
        self.memory: list[str] = []

    def extension(self, name: object) -> None:
        """One extension of the device; one that the registry does not have is kept, for the device does."""
        if (
            not isinstance(name, str)
            or not name.startswith("VK_")
            or len(name) > _LONGEST
            or not (name.isascii() and name.isidentifier())
        ):
            self.complaints.add("TE4312", f"extension {name}")
            return
        if vulkan.extension(name) is None:
            self.complaints.add("TE4316", name)
        self.extensions.add(name)

    def extensions_of(self, rows: object, part: str) -> bool:
        """The extensions in a list of VkExtensionProperties, and whether there is one: such lists are whole."""
        if not isinstance(rows, list):
            self.complaints.add("TE4314", part)
            return False
        for row in rows:
            if isinstance(row, dict):
                self.extension(row.get("extensionName"))
            else:
                self.complaints.add("TE4312", f"a row of {part}")
        return True

    def queues_of(self, rows: object) -> None:
        """Queue families, each with `queueCount` and `queueFlags`."""
        try:
            for index, family in enumerate(rows or ()):  # type: ignore[var-annotated, arg-type]
                bits = self._bits(family["queueFlags"], "VkQueueFlagBits")
                self.queues.append(queue_line(index, integer(family["queueCount"]), bits))
        except (KeyError, TypeError, ValueError):
            self.complaints.add("TE4312", "queues")

    def memory_of(self, memory: object) -> None:
        """Heaps and types of a VkPhysicalDeviceMemoryProperties."""
        try:
            for index, heap in enumerate(memory["memoryHeaps"] if memory else ()):  # type: ignore[index]
                self.memory.append(heap_line(index, integer(heap["size"]), self._bits(heap["flags"], "VkMemoryHeapFlagBits")))
            for index, kind in enumerate(memory["memoryTypes"] if memory else ()):  # type: ignore[index]
                bits = self._bits(kind["propertyFlags"], "VkMemoryPropertyFlagBits")
                self.memory.append(memory_type_line(index, integer(kind["heapIndex"]), bits))
        except (KeyError, TypeError, ValueError):
            self.complaints.add("TE4312", "memory")

    def _bits(self, raw: object, of: str) -> int:
        try:
            return flag_bits(raw, of)
        except PartlyReadError as partly:
            self.complaints.add("TE4310", partly.unknown)
            return partly.value

    def feature(self, canonical: str, raw: object, stated: str) -> None:
        """One feature under its canonical name; `stated` is how the file calls it."""
        try:
            offered = raw if raw is True or raw is False else boolean(raw)
        except ValueError:
            self.complaints.add("TE4312", stated)
            return
        if raw.__class__ is str and not self.texts:
            self.complaints.add("TE4311", stated)
        if offered:
            self.features.add(canonical)
            if canonical in self.denied:
                self._contradiction(canonical)
        else:
            self.denied.add(canonical)
            if canonical in self.features:
                self._contradiction(canonical)

    def features_of(self, struct: str, members: object) -> None:
        """Every member of one feature struct, in any of its spellings."""
        if struct in _FEATURES2 and isinstance(members, dict):
            struct, members = "VkPhysicalDeviceFeatures", members.get("features", members)
        self._struct(struct, members, vulkan.feature_table, self.feature)

    def properties_of(self, struct: str, members: object) -> None:
        """Every member of one property struct; limits and sparse properties may be nested in it, as in the C struct."""
        if isinstance(members, dict) and struct in (_PROPERTIES, *_PROPERTIES2):
            nested = {key: value for key, value in members.items() if key in _NESTED}
            for key, value in nested.items():
                self._struct(_NESTED[key], value, vulkan.property_members, self.property)
            inner = members.get("properties")
            if isinstance(inner, dict) and struct != _PROPERTIES:
                self.properties_of(_PROPERTIES, inner)
            members = {key: value for key, value in members.items() if key not in nested and key != "properties"}
            struct = _PROPERTIES
        self._struct(struct, members, vulkan.property_members, self.property)

    def _struct(
        self, struct: str, members: object, table_of: Callable[[str], dict[str, str]], take: Callable[[str, object, str], None]
    ) -> None:
        if not isinstance(members, dict):
            self.complaints.add("TE4312", struct)
            return
        table = table_of(struct)
        for member, raw in members.items():
            canonical = table.get(member)
            if canonical is not None:
                take(canonical, raw, f"{struct}::{member}")
            elif member not in _HEADER:
                self.complaints.add("TE4310", f"{struct}::{member}" if table else struct)

    def property(self, canonical: str, raw: object, stated: str) -> None:
        """One property under its canonical name; `stated` is how the file calls it."""
        how = _plan(canonical)
        if how is None or how.convert is None or raw in _NOTHING:
            return
        try:
            value = how.convert(raw)
        except PartlyReadError as partly:
            value = partly.value
            self.complaints.add("TE4310", partly.unknown)
        except (ValueError, OverflowError, TypeError):
            self.complaints.add("TE4312", stated)
            return
        if raw.__class__ is str and not self.texts and how.is_number and not raw[:1].isalpha():
            self.complaints.add("TE4311", stated)
        before = self.values.get(canonical)
        if before is not None and before != value:
            self._contradiction(canonical)
        self.values[canonical] = value

    def api_version(self, raw: object) -> None:
        """The version of Vulkan where a file states it beside the properties."""
        try:
            self.version = Version.unpack_vulkan(packed_version(raw))
        except (ValueError, TypeError):
            self.complaints.add("TE4312", f"api-version {raw}")

    def _contradiction(self, canonical: str) -> None:
        self.complaints.add("TE4313", canonical)

    def stated_version(self) -> Version | None:
        """The version that the device's properties name, else the one stated beside them."""
        packed = self.values.get(f"{_PROPERTIES}::apiVersion")
        return Version.unpack_vulkan(packed) if isinstance(packed, int) else self.version

    def offers(self, *, complete: bool) -> Capabilities:
        """The claims as capabilities; what was denied in one spelling and offered in another is offered."""
        values = self.values
        return Capabilities(
            api="vulkan",
            version=self.stated_version(),
            formats=FORMATS,
            extensions=frozenset(self.extensions),
            features=frozenset(self.features),
            denied=frozenset(self.denied - self.features),
            properties=tuple([Property(name, values[name]) for name in sorted(values)]),
            subgroup_sizes=subgroup_sizes(self.features, values),
            complete=complete,
            unstated=self._unstated() if complete else frozenset(),
        )

    def _unstated(self) -> frozenset[str]:
        """The structs that the device has, by its version and extensions, and that the file does not answer in full."""
        version = self.stated_version()
        cores = range(0 if version is None else version.minor + 1)
        told = self.features | self.denied | self.values.keys()
        found = {
            struct
            for provider in (*(f"VK_VERSION_1_{minor}" for minor in cores), *self.extensions)
            for struct, names in _wanted(provider)
            if not names <= told
        }
        if f"{_SUBGROUPS}::subgroupSize" not in told:
            found.add(_SUBGROUPS)
        if _MATRICES in self.extensions:
            found.add(_MATRIX_ROWS)  # no file of these kinds has them
        return frozenset(found)

    def device(self, uri: str, *, complete: bool, provenance: Mapping[str, str], name: str = "") -> Device:
        """The device; `provenance` says what the file says of itself."""
        told = driver_facts(self.values) | {key: value for key, value in provenance.items() if value}
        return Device(
            uri=printable(uri),
            name=str(self.values.get(f"{_PROPERTIES}::deviceName") or printable(name or uri)),
            driver="vulkan",
            offers=self.offers(complete=complete),
            identity=identity(self.values),
            provenance=tuple(sorted((key, printable(value)) for key, value in told.items())),
            queues=tuple(self.queues),
            memory=tuple(self.memory),
        )


@cache
def _plan(canonical: str) -> Plan | None:
    """The plan, None for a property that the registry's structs do not hold as such."""
    try:
        return plan(canonical)
    except KeyError:
        return None


@lru_cache(maxsize=1024)
def _wanted(provider: str) -> tuple[tuple[str, frozenset[str]], ...]:
    """What a version or an extension brings to be answered: canonical names by the struct that they are named after.

    Identities (`noauto`) are no answers: nothing can require them.
    """
    if not vulkan.is_version(provider) and vulkan.extension(provider) is None:
        return ()
    found: dict[str, set[str]] = {}
    properties = [
        name
        for name in vulkan.provided_properties(provider).values()
        if (how := _plan(name)) and how.convert and vulkan.limit_type(name) not in (None, "noauto")
    ]
    for name in (*vulkan.provided_features(provider).values(), *properties):
        found.setdefault(name.partition("::")[0], set()).add(name)
    return tuple((struct, frozenset(names)) for struct, names in found.items())
