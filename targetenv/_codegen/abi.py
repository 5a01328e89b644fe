"""Sizes, alignments and offsets of every Vulkan struct on LP64 (System V x86-64 and AAPCS64 agree on all of them)."""

from __future__ import annotations

from dataclasses import dataclass

from targetenv._codegen.vulkan_xml import Member, Registry

# C types that vk.xml takes from elsewhere, as `struct` module codes. Widths: vk_platform is <stdint.h>; windows.h on Win64;
# Xlib.h (XID is unsigned long), xcb/xproto.h (xcb_window_t is uint32_t), zircon/types.h (zx_handle_t is uint32_t), ggp_c
# (GgpStreamDescriptor is uint32_t, GgpFrameToken is uint64_t), nvscibuf.h and nvscisync.h (opaque pointers),
# vk_video/*.h (StdVideo types that are members by value are C enums).
_FOREIGN = {
    "char": "s", "int": "i", "int8_t": "b", "uint8_t": "B", "int16_t": "h", "uint16_t": "H", "int32_t": "i", "uint32_t": "I",
    "int64_t": "q", "uint64_t": "Q", "size_t": "Q", "float": "f", "double": "d",
    "DWORD": "I", "HANDLE": "P", "HINSTANCE": "P", "HMONITOR": "P", "HWND": "P", "LPCWSTR": "P",
    "Window": "Q", "VisualID": "Q", "RROutput": "Q", "xcb_window_t": "I", "xcb_visualid_t": "I",
    "zx_handle_t": "I", "GgpStreamDescriptor": "I", "GgpFrameToken": "Q",
    "NvSciBufAttrList": "P", "NvSciBufObj": "P", "NvSciSyncAttrList": "P", "NvSciSyncObj": "P",
}  # fmt: skip
_SIZES = {"s": 1, "b": 1, "B": 1, "h": 2, "H": 2, "i": 4, "I": 4, "f": 4, "q": 8, "Q": 8, "d": 8, "P": 8}


class UnknownTypeError(LookupError):
    """A type of which neither the registry nor the table of foreign types knows the size."""


@dataclass(frozen=True, slots=True)
class Field:
    """Where one member lies; `code` is empty for a nested struct; `bits` is (shift, width) inside the word at `offset`."""

    name: str
    type: str
    offset: int
    size: int
    code: str
    dimensions: tuple[int, ...]
    bits: tuple[int, int] | None = None


@dataclass(frozen=True, slots=True)
class Layout:
    """One struct, laid out."""

    name: str
    size: int
    alignment: int
    s_type: int | None
    fields: tuple[Field, ...]


class Abi:
    """Lays out the structs of one registry."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry
        self._done: dict[str, Layout] = {}

    def code(self, name: str, stars: int = 0) -> str:
        """The `struct` module's code of a C type, empty for a struct or union."""
        registry = self._registry
        while name in registry.type_aliases:
            name = registry.type_aliases[name]
        if stars or name.endswith("*"):
            return "P"
        if name in registry.structs:
            return ""
        if name in registry.base_types:
            return self.code(registry.base_types[name])
        match registry.types.get(name):
            case "enum":
                group = registry.enums.get(name)
                return "i" if group is None or not group.bitmask else "Q" if group.wide else "I"
            case "handle":
                return "P" if name in registry.dispatchable else "Q"
            case "funcpointer":
                return "P"
        if name in _FOREIGN:
            return _FOREIGN[name]
        if name.startswith("StdVideo"):
            return "i"
        raise UnknownTypeError(f"the size of `{name}` is not known")

    def layout(self, name: str) -> Layout:
        """The layout of a struct or union that is no alias."""
        if name not in self._done:
            self._done[name] = self._lay_out(name)
        return self._done[name]

    def _lay_out(self, name: str) -> Layout:
        struct = self._registry.structs[name]
        fields: list[Field] = []
        end = used = size = 0
        alignment = 1
        for member in struct.members:
            code = self.code(member.type, member.stars)
            nested = None if code else self.layout(self._resolve(member.type))
            one, align = (nested.size, nested.alignment) if nested else (_SIZES[code], _SIZES[code])
            alignment = max(alignment, align)
            dimensions = tuple(self._extent(dimension) for dimension in member.dimensions)
            total = one
            for extent in dimensions:
                total *= extent
            if member.bits is not None:
                # System V psABI 3.1.2: a bit-field lies in a storage unit of its type, beside its neighbour if it fits.
                if not used or used + member.bits > 8 * one:
                    end, used = _up(end, align) + one, 0
                fields.append(Field(member.name, member.type, end - one, one, code, (), (used, member.bits)))
                used += member.bits
                size = max(size, end)
                continue
            used = 0
            offset = 0 if struct.union else _up(end, align)
            end = offset + total
            size = max(size, end)
            fields.append(Field(member.name, self.spell(member), offset, total, code, dimensions))
        return Layout(name, _up(size, alignment), alignment, self._s_type(struct.members), tuple(fields))

    def spell(self, member: Member) -> str:
        """The C type without its qualifiers: `VkBuffer*`, `char**`."""
        return self._resolve(member.type) + "*" * member.stars

    def _resolve(self, name: str) -> str:
        while name in self._registry.type_aliases:
            name = self._registry.type_aliases[name]
        return name

    def _extent(self, text: str) -> int:
        return int(text) if text.isdigit() else self._registry.constant(text)

    def _s_type(self, members: tuple[Member, ...]) -> int | None:
        values = members[0].values if members and members[0].name == "sType" else None
        return None if values is None else self._registry.constant(values)


def _up(offset: int, alignment: int) -> int:
    return -(-offset // alignment) * alignment
