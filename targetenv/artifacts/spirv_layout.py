"""Sizes and values of what a SPIR-V module declares: types in bytes, constants as numbers."""

from __future__ import annotations

from targetenv.artifacts.inspection import damaged
from targetenv.artifacts.spirv_constants import SIGNS, computed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from targetenv.artifacts.spirv_module import Constant, Module

_DEEPEST = 100  # structures may nest to 255; what compilers write stays below 20, and Python's stack is finite
_DEEPEST_SHOWN = 4  # operations inside operations, in what people read
_LARGEST = 1 << 63
_BOOL_BYTES = 4  # what the Vulkan specification counts for a bool in workgroup memory
_POINTER_BYTES = 8


class Layout:
    """Sizes of types and values of constants of one module; every id is looked at once.

    `values` are what specialization constants are set to, by SpecId; the others have their defaults. `is_open` becomes true
    when the length of an array could not be evaluated: sizes are then lower bounds.
    """

    def __init__(self, module: Module, values: Mapping[int, int] | None = None) -> None:
        self._module = module
        self._given = values or {}
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
        """The number behind a scalar constant, an integer or a truth; None for anything else."""
        return self._value(identifier, 0)

    def length(self, identifier: int) -> int | None:
        """The number of elements of an array; None, and `is_open`, where it cannot be evaluated."""
        length = self.value(identifier)
        self.is_open |= length is None
        return length

    def expression(self, identifier: int) -> str:
        """How a constant comes about: `64`, `spec(0)=32`, `(spec(0)=32 * 2)`; `spec` takes the SpecId, its value follows."""
        return self._expression(identifier, 0)

    def specialization(self) -> Iterator[tuple[int, str, int | None]]:
        """SpecId, type and value of every specialization constant, each once."""
        found = []
        for identifier, constant in self._module.constants.items():
            at = self._spec_id(identifier)
            if at is not None:
                kind, shape = self._module.types.get(constant.type, ("", ()))
                width = shape[0] if shape else ""
                name = {"OpTypeInt": f"{'iu'[shape[1:] == (0,)]}{width}", "OpTypeFloat": f"f{width}"}.get(kind, "bool")
                found.append((at, name, self.value(identifier)))
        return iter(sorted(set(found), key=lambda row: (row[0], row[1], row[2] or 0)))

    def lengths(self, identifier: int) -> tuple[str, ...]:
        """How the lengths of an array, and of the arrays in it, come about where specialization constants decide them."""
        found = []
        for _ in range(_DEEPEST_SHOWN):
            kind, operands = self._module.type_of(identifier)
            if kind != "OpTypeArray":
                break
            if self.is_specialized(operands[1]):
                found.append(self.expression(operands[1]))
            identifier = operands[0]
        return tuple(found)

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
                length = self.length(operands[1]) or 0
                size = self._size(operands[0], explicit, depth)
                stride = decorations.get("ArrayStride", ())
                return stride[0] * (length - 1) + size if explicit and stride and length else size * length
            case "OpTypeStruct":
                return self._structure(identifier, operands, explicit, depth)
            case _:
                return 0

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
            self._values[identifier] = None  # for a constant that is, against the rules, made of itself
            value = self._evaluated(identifier, constant, depth)
        self._values[identifier] = value
        return value

    def _evaluated(self, identifier: int, constant: Constant, depth: int) -> int | None:
        kind, shape = self._module.types.get(constant.type, ("", ()))
        if kind not in ("OpTypeInt", "OpTypeBool"):
            return None
        width = _bits(kind, shape)
        given = self._given.get(at) if (at := self._spec_id(identifier)) is not None else None
        if given is not None:
            return given & _mask(width)
        match constant.kind:
            case "OpConstant" | "OpSpecConstant":
                raw = sum(word << 32 * place for place, word in enumerate(constant.operands[:2]))
                return raw & _mask(width)  # narrower literals are sign- or zero-extended to a word
            case "OpConstantTrue" | "OpSpecConstantTrue":
                return 1
            case "OpConstantFalse" | "OpSpecConstantFalse":
                return 0
            case "OpSpecConstantOp":
                return self._operation(constant, width, depth + 1)
            case _:
                return None

    def _operation(self, constant: Constant, width: int, depth: int) -> int | None:
        """The result of an operation on specialization constants, for the operations that sizes are made with."""
        name, operands = self._operator(constant)
        if name == "OpCompositeExtract" and len(operands) == 2:
            part = self._part(*operands)
            return None if part is None else self._value(part, depth)
        values = [self._value(operand, depth) for operand in operands]
        widths = [self._width(operand) for operand in operands[:1]]
        return computed(name, values, widths[0] if widths else width, width)

    def _operator(self, constant: Constant) -> tuple[str, tuple[int, ...]]:
        from targetenv.registry.spirv import instructions

        instruction = instructions().get(constant.operands[0])
        return "" if instruction is None else instruction.name, constant.operands[1:]

    def _part(self, composite: int, place: int) -> int | None:
        constant = self._module.constants.get(composite)
        if constant is None or "Composite" not in constant.kind or place >= len(constant.operands):
            return None
        return constant.operands[place]

    def _width(self, identifier: int) -> int:
        constant = self._module.constants.get(identifier)
        kind, shape = self._module.types.get(constant.type, ("", ())) if constant is not None else ("", ())
        return _bits(kind, shape)

    def _spec_id(self, identifier: int) -> int | None:
        return next(iter(self._module.decorations.get(identifier, {}).get("SpecId", ())), None)

    def _expression(self, identifier: int, depth: int) -> str:
        constant = self._module.constants.get(identifier)
        value = self.value(identifier)
        shown = "?" if value is None else str(value)
        if constant is None or depth > _DEEPEST_SHOWN or not self.is_specialized(identifier):
            return shown
        at = self._spec_id(identifier)
        if at is not None:
            return f"spec({at})={shown}"
        if constant.kind != "OpSpecConstantOp":
            return shown
        name, operands = self._operator(constant)
        if name == "OpCompositeExtract" and len(operands) == 2 and (part := self._part(*operands)) is not None:
            return self._expression(part, depth + 1)
        parts = [self._expression(operand, depth + 1) for operand in operands[:3]]
        sign = SIGNS.get(name)
        return f"({f' {sign} '.join(parts)})" if sign and len(parts) == 2 else f"{name.removeprefix('Op')}({', '.join(parts)})"


def _bits(kind: str, shape: tuple[int, ...]) -> int:
    """How wide a value is, within what SPIR-V knows: a damaged module may claim billions of bits."""
    return max(1, min(shape[0], 64)) if kind == "OpTypeInt" else 1


def _mask(width: int) -> int:
    return (1 << width) - 1
