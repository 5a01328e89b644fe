"""Sizes and values of what a SPIR-V module declares: types in bytes, constants as numbers."""

from __future__ import annotations

from targetenv.artifacts.inspection import damaged

TYPE_CHECKING = False
if TYPE_CHECKING:
    from targetenv.artifacts.spirv_module import Module

_DEEPEST = 100  # structures may nest to 255; what compilers write stays below 20, and Python's stack is finite
_LARGEST = 1 << 63
_BOOL_BYTES = 4  # what the Vulkan specification counts for a bool in workgroup memory
_POINTER_BYTES = 8


class Layout:
    """Sizes of types and values of constants of one module; every id is looked at once.

    `is_open` becomes true when the length of an array could not be evaluated: sizes are then lower bounds.
    """

    def __init__(self, module: Module) -> None:
        self._module = module
        self._sizes: dict[tuple[int, bool], int] = {}
        self._values: dict[int, int | None] = {}
        self._specialized: dict[int, bool] = {}
        self.is_open = False

    def size(self, identifier: int, *, explicit: bool) -> int:
        """Bytes of a type: by its Offset and stride decorations where `explicit`, without any padding otherwise.

        A runtime array counts nothing. FormatError TE4103 where the id is no type, TE4104 where types nest too deeply.
        """
        return self._size(identifier, explicit, 0)

    def value(self, identifier: int) -> int | None:
        """The number behind a scalar integer constant, the default of a specialization constant; None for anything else."""
        return self._value(identifier, 0)

    def numbers(self, identifier: int) -> tuple[int | None, ...]:
        """The values of a composite constant's parts; none for anything else."""
        constant = self._module.constants.get(identifier)
        if constant is None or "Composite" not in constant.kind:
            return ()
        return tuple(self.value(part) for part in constant.operands[:16])

    def is_specialized(self, identifier: int, depth: int = 0) -> bool:
        """Whether a specialization constant has a say in this constant."""
        constant = self._module.constants.get(identifier)
        if constant is None or depth > _DEEPEST:
            return False
        if identifier not in self._specialized:
            self._specialized[identifier] = False  # for a constant that is, against the rules, made of itself
            self._specialized[identifier] = constant.kind.startswith("OpSpec") or (
                constant.kind == "OpConstantComposite"
                and any(self.is_specialized(part, depth + 1) for part in constant.operands)
            )
        return self._specialized[identifier]

    def _size(self, identifier: int, explicit: bool, depth: int) -> int:  # noqa: FBT001  recursion, not an interface
        known = self._sizes.get((identifier, explicit))
        if known is not None:
            return known
        if depth > _DEEPEST:
            raise damaged("TE4104", self._module.name, f"types are nested more than {_DEEPEST} deep, or contain themselves")
        size = self._measure(identifier, explicit, depth + 1)
        if size >= _LARGEST:
            raise damaged("TE4104", self._module.name, f"the type with id {identifier} takes 2^63 bytes or more")
        self._sizes[identifier, explicit] = size
        return size

    def _measure(self, identifier: int, explicit: bool, depth: int) -> int:  # noqa: FBT001
        kind, operands = self._module.type_of(identifier)
        decorations = self._module.decorations.get(identifier, {})
        match kind:
            case "OpTypeInt" | "OpTypeFloat":
                return operands[0] // 8
            case "OpTypeBool":
                return _BOOL_BYTES
            case "OpTypePointer":
                return _POINTER_BYTES
            case "OpTypeVector" | "OpTypeMatrix":
                return self._size(operands[0], explicit, depth) * operands[1]
            case "OpTypeArray":
                length = self._length(operands[1])
                size = self._size(operands[0], explicit, depth)
                stride = decorations.get("ArrayStride", ())
                return stride[0] * (length - 1) + size if explicit and stride and length else size * length
            case "OpTypeStruct":
                return self._structure(identifier, operands, explicit, depth)
            case _:
                return 0

    def _length(self, identifier: int) -> int:
        length = self.value(identifier)
        self.is_open |= length is None
        return length or 0

    def _structure(self, identifier: int, members: tuple[int, ...], explicit: bool, depth: int) -> int:  # noqa: FBT001
        end = 0
        for place, member in enumerate(members):
            size = self._size(member, explicit, depth)
            decorations = self._module.member_decorations.get((identifier, place), {})
            if explicit:
                offset = decorations.get("Offset", (end,))
                end = max(end, (offset[0] if offset else end) + self._strided(member, size, decorations))
            else:
                end += size
        return end

    def _strided(self, member: int, size: int, decorations: dict[str, tuple[int, ...]]) -> int:
        """A matrix in a block takes a stride for each column, or each row; its last one is not padded here, as in arrays."""
        kind, operands = self._module.type_of(member)
        stride = decorations.get("MatrixStride", ())
        if kind != "OpTypeMatrix" or not stride:
            return size
        column, columns = operands[:2]
        vector, shape = self._module.type_of(column)
        if vector != "OpTypeVector":
            raise self._module.refuse(f"the columns of a matrix are of type {column}, which is no vector")
        component, rows = shape[:2]
        element = self._size(component, explicit=True, depth=1)
        vectors, length = (rows, columns) if "RowMajor" in decorations else (columns, rows)
        return stride[0] * (vectors - 1) + element * length if vectors else 0

    def _value(self, identifier: int, depth: int) -> int | None:
        if identifier in self._values:
            return self._values[identifier]
        constant = self._module.constants.get(identifier)
        value = None
        if constant is not None and depth <= _DEEPEST:
            if constant.kind in ("OpConstant", "OpSpecConstant"):
                kind, shape = self._module.type_of(constant.type)
                value = _integer(constant.operands, shape) if kind == "OpTypeInt" else None
            elif constant.kind == "OpSpecConstantOp":
                value = self._operation(constant.operands, depth + 1)
        self._values[identifier] = value
        return value

    def _operation(self, operands: tuple[int, ...], depth: int) -> int | None:
        """The default of an operation on specialization constants, for the integer operations that sizes are made with."""
        from targetenv.registry.spirv import instructions

        instruction = instructions().get(operands[0])
        name = "" if instruction is None else instruction.name
        match operands[1:]:
            case (composite, place) if name == "OpCompositeExtract":
                constant = self._module.constants.get(composite)
                if constant is None or "Composite" not in constant.kind or place >= len(constant.operands):
                    return None
                return self._value(constant.operands[place], depth)
            case (one, other):
                return _computed(name, self._value(one, depth), self._value(other, depth))
            case (one,) if name in _UNCHANGED:
                return self._value(one, depth)
            case _:
                return None


_UNCHANGED = ("OpUConvert", "OpSConvert", "OpCopyObject")


def _computed(name: str, one: int | None, other: int | None) -> int | None:
    if one is None or other is None:
        return None
    match name:
        case "OpIAdd":
            return (one + other) & 0xFFFF_FFFF
        case "OpISub":
            return (one - other) & 0xFFFF_FFFF
        case "OpIMul":
            return (one * other) & 0xFFFF_FFFF
        case "OpUDiv" | "OpSDiv":
            return one // other if other else None
        case "OpUMod" | "OpSRem" | "OpSMod":
            return one % other if other else None
        case "OpShiftLeftLogical":
            return (one << other) & 0xFFFF_FFFF if other < 32 else None
        case "OpShiftRightLogical":
            return one >> other if other < 32 else None
        case "OpBitwiseAnd":
            return one & other
        case "OpBitwiseOr":
            return one | other
        case "OpBitwiseXor":
            return one ^ other
        case _:
            return None


def _integer(words: tuple[int, ...], shape: tuple[int, ...]) -> int:
    """An integer literal: low word first; narrower ones are sign- or zero-extended to a word, which the mask undoes."""
    raw = sum(word << 32 * place for place, word in enumerate(words[:2]))
    return raw & ((1 << max(1, min(shape[0], 64))) - 1)
