"""Which feature the layout of a module's blocks needs: offsets and strides that are tighter than Vulkan takes without one.

Source: Vulkan specification, chapter `Offset and Stride Assignment`. Without a feature a block in buffer memory and of push
constants keeps to the base alignment (std430), a uniform block to the extended one (std140). From Vulkan 1.1 on, vectors need
no more than the alignment of their components where they do not straddle 16 bytes. `uniformBufferStandardLayout` lets uniform
blocks be as the others, `scalarBlockLayout` lets every member be aligned as its components are.
"""

from __future__ import annotations

from enum import Enum

from targetenv.model.requirement import AnyOf, NeedsExtension, NeedsFeature, NeedsVersion
from targetenv.model.version import Version

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from targetenv.artifacts.spirv_layout import Layout
    from targetenv.artifacts.spirv_module import Module
    from targetenv.model.requirement import Requirement

SCALAR = NeedsFeature("VkPhysicalDeviceScalarBlockLayoutFeatures::scalarBlockLayout")
STANDARD = AnyOf((NeedsFeature("VkPhysicalDeviceUniformBufferStandardLayoutFeatures::uniformBufferStandardLayout"), SCALAR))
RELAXED = AnyOf((NeedsVersion("vulkan", Version(1, 1)), NeedsExtension("VK_KHR_relaxed_block_layout")))
_ARRAYS = ("OpTypeArray", "OpTypeRuntimeArray")
_LINE = 16  # bytes that a vector must not straddle, and to which extended alignment rounds up
_DEEPEST = 100


class Rules(Enum):
    """How blocks may be laid out, each a part of what the next one takes."""

    STD140 = "std140, vectors where they may be"
    STD430 = "std430, vectors where they may be"
    STRICT = "std430, vectors at their own alignment"


def block_layouts(module: Module, layout: Layout) -> Iterator[tuple[Requirement, str]]:
    """The features for blocks that are laid out tighter than Vulkan takes without them."""
    blocks = _Blocks(module, layout)
    for place, pointee in dict.fromkeys((one.storage_class, module.pointee(one)) for one in module.variables):
        block = blocks.structure(pointee)
        if block is None or place not in ("Uniform", "StorageBuffer", "PushConstant"):
            continue
        uniform = place == "Uniform" and "Block" in module.decorations.get(block, {})
        what = f"a block in {place} memory that is"
        if not blocks.fit(block, Rules.STD430):
            yield SCALAR, f"{what} packed tighter than std430"
        elif uniform and not blocks.fit(block, Rules.STD140):
            yield STANDARD, f"{what} packed tighter than std140"
        elif module.version < Version(1, 3) and not blocks.fit(block, Rules.STRICT):
            yield RELAXED, f"a block in {place} memory with a vector that is not at its own alignment"


class _Blocks:
    """Alignments and fits of the types of one module, each worked out once."""

    def __init__(self, module: Module, layout: Layout) -> None:
        self._module = module
        self._layout = layout
        self._fits: dict[tuple[int, int, bool, Rules], bool] = {}
        self._alignments: dict[tuple[int, bool, bool], int] = {}

    def structure(self, pointee: int) -> int | None:
        """The block that a variable holds, itself or as an array of descriptors; None for anything else."""
        for _ in range(_DEEPEST):
            kind, operands = self._module.types.get(pointee, ("", ()))
            if kind not in _ARRAYS:
                break
            pointee = operands[0]
        decorated = self._module.decorations.get(pointee, {})
        return pointee if kind == "OpTypeStruct" and ("Block" in decorated or "BufferBlock" in decorated) else None

    def fit(self, block: int, rules: Rules) -> bool:
        """Whether a block keeps to these rules."""
        return self._members(block, 0, rules, 0)

    def _members(self, struct: int, offset: int, rules: Rules, depth: int) -> bool:
        if depth > _DEEPEST:
            return True
        placed = []
        for place, member in enumerate(self._module.type_of(struct)[1]):
            decorations = self._module.member_decorations.get((struct, place), {})
            if offsets := decorations.get("Offset", ()):
                placed.append((offsets[0], member, decorations))
        following = 0
        for at, member, decorations in sorted(placed, key=lambda row: row[0]):
            if at < following or not self._fit(member, offset + at, decorations, rules, depth + 1):
                return False
            kind = self._module.type_of(member)[0]
            if rules is Rules.STD140 and (kind == "OpTypeStruct" or kind in _ARRAYS):
                end = at + self._layout.size(member, explicit=True)
                following = _rounded(end, self._alignment(member, "RowMajor" in decorations, rules, depth))
        return True

    def _fit(self, identifier: int, offset: int, decorations: dict[str, tuple[int, ...]], rules: Rules, depth: int) -> bool:
        """Whether something of this type may be at this offset; `decorations` are those of the member that it is of."""
        row_major = "RowMajor" in decorations
        key = identifier, offset % _LINE, row_major, rules
        found = self._fits.get(key)
        if found is None:
            self._fits[key] = True  # for a type that, against the rules, contains itself
            found = self._fits[key] = self._placed(identifier, offset % _LINE, decorations, rules, depth)
        alignment = self._alignment(identifier, row_major, rules, depth)
        kind, operands = self._module.type_of(identifier)
        if kind == "OpTypeVector" and rules is not Rules.STRICT:
            alignment = self._alignment(operands[0], row_major, rules, depth)
        stride = decorations.get("MatrixStride", ())
        if kind == "OpTypeMatrix" and stride and stride[0] % self._alignment(identifier, row_major, rules, depth):
            return False
        return found and offset % max(1, alignment) == 0

    def _placed(self, identifier: int, offset: int, decorations: dict[str, tuple[int, ...]], rules: Rules, depth: int) -> bool:
        kind, operands = self._module.type_of(identifier)
        if depth > _DEEPEST:
            return True
        if kind == "OpTypeVector":
            size = self._layout.size(identifier, explicit=True)
            return offset % _LINE == 0 if size > _LINE else offset // _LINE == (offset + size - 1) // _LINE
        if kind == "OpTypeStruct":
            return self._members(identifier, offset, rules, depth)
        if kind in _ARRAYS:
            stride = self._module.decorations.get(identifier, {}).get("ArrayStride", (0,))[0]
            if stride % max(1, self._alignment(identifier, "RowMajor" in decorations, rules, depth)):
                return False
            offsets = {(offset + stride * at) % _LINE for at in range(_LINE)}
            return all(self._fit(operands[0], at, decorations, rules, depth + 1) for at in sorted(offsets))
        return True

    def _alignment(self, identifier: int, row_major: bool, rules: Rules, depth: int) -> int:  # noqa: FBT001  recursion
        key = identifier, row_major, rules is Rules.STD140
        found = self._alignments.get(key)
        if found is None:
            self._alignments[key] = 1
            found = self._alignments[key] = self._aligned(identifier, row_major, rules, depth + 1)
        return found

    def _aligned(self, identifier: int, row_major: bool, rules: Rules, depth: int) -> int:  # noqa: FBT001  recursion
        kind, operands = self._module.type_of(identifier)
        if depth > _DEEPEST:
            return 1
        rounded = _LINE if rules is Rules.STD140 else 1
        match kind:
            case "OpTypeInt" | "OpTypeFloat":
                return max(1, operands[0] // 8)
            case "OpTypePointer":
                return 8
            case "OpTypeVector":
                return self._alignment(operands[0], row_major, rules, depth) * (4 if operands[1] == 3 else operands[1])
            case "OpTypeMatrix":
                vector, column = self._module.type_of(operands[0])
                if vector != "OpTypeVector":
                    raise self._module.refuse(f"the columns of a matrix are of type {operands[0]}, which is no vector")
                length = operands[1] if row_major else column[1]
                component = self._alignment(column[0], row_major, rules, depth)
                return _rounded(component * (4 if length == 3 else length), rounded)
            case "OpTypeArray" | "OpTypeRuntimeArray":
                return _rounded(self._alignment(operands[0], row_major, rules, depth), rounded)
            case "OpTypeStruct":
                members = [
                    self._alignment(
                        member, "RowMajor" in self._module.member_decorations.get((identifier, place), {}), rules, depth
                    )
                    for place, member in enumerate(operands)
                ]
                return _rounded(max(members, default=1), rounded)
            case _:
                return 1


def _rounded(value: int, to: int) -> int:
    return -(-value // to) * to
