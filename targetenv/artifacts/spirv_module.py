"""SPIR-V modules: the binary stream as declarations, nothing interpreted yet.

Source: SPIR-V Specification 1.6, sections 2.3 (physical layout), 2.16 (universal limits) and 3 (binary form). Instruction and
operand numbers come from the registry.
"""

from __future__ import annotations

from array import array
from functools import cache

from targetenv.artifacts.inspection import damaged
from targetenv.model.record import record
from targetenv.model.version import Version
from targetenv.registry import spirv

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from typing import TypeAlias, TypeVar

    from targetenv.artifacts.containers import Budget

    T = TypeVar("T")
    Operands: TypeAlias = Sequence[int]
    Handler: TypeAlias = Callable[["Module", str, Operands], None]

MOST_BYTES = 16 << 20
_MOST_GROUP_TARGETS = 65_535
_MOST_MODES = 65_535
MOST_DECLARED = 4096  # of capabilities, extensions, instruction sets, entry points; compilers declare a few dozen
_BETWEEN_CHECKS = 1 << 16  # words that are read before the time is looked at
_MOST_IDS = 4_194_303  # universal limit
_LONGEST_STRING = 65_535  # universal limit, in characters; here in bytes
_REPEATED = "FuncParamAttr"  # the one decoration of which one target may have several
_MOST_ATTRIBUTES = 32
ATOMICS_WITHOUT_RESULT = ("OpAtomicStore", "OpAtomicFlagClear")
_SWAPPED = int.from_bytes(spirv.MAGIC.to_bytes(4, "little"), "big")


@record
class EntryPoint:
    """One OpEntryPoint; `interface` are the ids of the global variables it lists."""

    model: str
    id: int
    name: str
    interface: frozenset[int]


@record
class Mode:
    """One OpExecutionMode (operands are literals) or OpExecutionModeId (operands are ids of constants)."""

    entry_point: int
    name: str
    operands: tuple[int, ...]


@record
class Variable:
    """One global variable; `type` is the id of its pointer type, `holds` what it holds where that type does not say it."""

    id: int
    type: int
    storage_class: str
    has_initializer: bool
    holds: int = 0


@record
class Constant:
    """A constant, or a specialization constant with its default: literal words, parts (ids), or an operation on ids."""

    kind: str
    type: int
    operands: tuple[int, ...]


class Module:
    """One module as declared. FormatError TE41xx where the stream is damaged; ids are looked up through methods that check."""

    def __init__(self, data: bytes | memoryview, name: str, budget: Budget | None = None) -> None:
        self.name = name
        self._budget = budget
        self.words = _words(data, name)
        self.version, self.bound = _header(self.words, name)
        self.capabilities: list[int] = []
        self.extensions: list[str] = []
        self.imports: list[str] = []
        self.addressing = self.memory_model = ""
        self.entry_points: list[EntryPoint] = []
        self.modes: list[Mode] = []
        self.modes_of: dict[int, dict[str, tuple[int, ...]]] = {}  # entry point -> mode -> operands
        self.decorations: dict[int, dict[str, tuple[int, ...]]] = {}
        self.member_decorations: dict[tuple[int, int], dict[str, tuple[int, ...]]] = {}
        self.types: dict[int, tuple[str, tuple[int, ...]]] = {}
        self.constants: dict[int, Constant] = {}
        self.variables: list[Variable] = []
        self.group_operations: set[tuple[str, int, int]] = set()
        self.atomic_operations: set[str] = set()
        self.multiplications: list[tuple[int, ...]] = []
        self.memory_scopes: dict[int, str] = {}  # id of a memory scope -> the first barrier or atomic that takes it
        self.has_typed_atomics = self.has_wide_atomics = False  # anything but 32-bit integers; 64-bit integers
        self._group_targets = 0
        self.opcodes = frozenset(self._read())  # of every instruction that the module has, declared or in a function

    def refuse(self, message: str) -> Exception:
        """The error for a module whose parts do not fit together; raise it."""
        return damaged("TE4103", self.name, message)

    def type_of(self, identifier: int) -> tuple[str, tuple[int, ...]]:
        """Name and operands (without the result) of the OpType instruction that defines this id."""
        found = self.types.get(identifier)
        if found is None:
            raise self.refuse(f"id {identifier} is used as a type and is none")
        return found

    def pointee(self, variable: Variable) -> int:
        """The id of the type that a variable holds."""
        if variable.holds:
            return variable.holds
        kind, operands = self.type_of(variable.type)
        if kind != "OpTypePointer":
            raise self.refuse(f"variable {variable.id} is not of a pointer type")
        return operands[1]

    def result_types(self) -> dict[int, int]:
        """Result id -> type id for every instruction of the module that has both: a second pass, for those who need it."""
        typed = _typed_opcodes()
        words = self.words
        found = {}
        at = 5
        while at < len(words):
            word = words[at]
            if word & 0xFFFF in typed and word >> 16 > 2:
                found[words[at + 2]] = words[at + 1]
            at += word >> 16
        return found

    def names(self, identifiers: set[int]) -> dict[int, str]:
        """What OpName calls these ids, for people; FormatError where a name is no text."""
        rows = self.instructions(("OpName",)) if identifiers else []
        return {operands[0]: self._text(operands[1:])[0] for _, operands in rows if operands and operands[0] in identifiers}

    def instructions(self, names: Iterable[str]) -> list[tuple[str, tuple[int, ...]]]:
        """Every instruction of these names, in order, with its operands: a second pass if there is one at all."""
        wanted = {code: name for name in names if (code := spirv.opcodes()[name]) in self.opcodes}
        words = self.words
        found = []
        at = 5
        while wanted and at < len(words):
            word = words[at]
            if (name := wanted.get(word & 0xFFFF)) is not None:
                found.append((name, tuple(words[at + 1 : at + (word >> 16)])))
            at += word >> 16
        return found

    def _read(self) -> set[int]:
        """Hands every instruction to its handler; the opcodes that there were."""
        known: dict[int, tuple[int, str, Handler | None]] = {}
        instructions = spirv.instructions()
        words = self.words
        end = len(words)
        at = check = 5
        while at < end:
            if at >= check and self._budget is not None:
                self._budget.tick(self.name)
                check = at + _BETWEEN_CHECKS
            word = words[at]
            found = known.get(word)
            if found is None:
                found = self._meet(word, at)
                if word & 0xFFFF in instructions:  # the table stays small, whatever the file has
                    known[word] = found
            count, name, handle = found
            after = at + count
            if after > end:
                raise damaged("TE4102", self.name, f"the instruction at byte {4 * at} of {count} words goes beyond the end")
            if handle is not None:
                handle(self, name, words[at + 1 : after])
            at = after
        return {word & 0xFFFF for word in known}

    def _meet(self, word: int, at: int) -> tuple[int, str, Handler | None]:
        """The first word of an instruction says its length and its name; the same word is looked at once."""
        count = word >> 16
        if count == 0:
            raise damaged("TE4102", self.name, f"the instruction at byte {4 * at} has no length")
        handler = _handlers().get(word & 0xFFFF)
        if handler is None:
            return count, "", None
        name, fewest, handle = handler
        if count <= fewest:
            raise damaged("TE4102", self.name, f"`{name}` at byte {4 * at} has {count - 1} operands, it needs {fewest}")
        return count, name, handle

    def _define(self, identifier: int) -> int:
        if not 0 < identifier < self.bound:
            raise self.refuse(f"id {identifier} is outside the bound {self.bound} that the header gives")
        if identifier in self.types or identifier in self.constants:
            raise self.refuse(f"id {identifier} is defined twice")
        return identifier

    def _text(self, operands: Operands) -> tuple[str, int]:
        """A literal string and how many words it takes; octets are packed from the low end of each word."""
        raw = b"".join(word.to_bytes(4, "little") for word in operands[: _LONGEST_STRING // 4])
        stop = raw.find(0)
        if stop < 0:
            raise damaged("TE4102", self.name, "a string does not end inside its instruction")
        try:
            return raw[:stop].decode(), stop // 4 + 1
        except UnicodeDecodeError as error:
            raise damaged("TE4102", self.name, "a string is not UTF-8 text") from error

    def _declare(self, among: list[T], declared: T) -> None:
        if len(among) >= MOST_DECLARED:
            message = f"the module has more than the {MOST_DECLARED} declarations of a kind that are read"
            raise damaged("TE4104", self.name, message)
        among.append(declared)

    def _capability(self, _: str, operands: Operands) -> None:
        self._declare(self.capabilities, operands[0])

    def _extension(self, _: str, operands: Operands) -> None:
        self._declare(self.extensions, self._text(operands)[0])

    def _import(self, _: str, operands: Operands) -> None:
        self._declare(self.imports, self._text(operands[1:])[0])

    def _memory_model(self, _: str, operands: Operands) -> None:
        self.addressing = _name("AddressingModel", operands[0])
        self.memory_model = _name("MemoryModel", operands[1])

    def _entry_point(self, _: str, operands: Operands) -> None:
        text, length = self._text(operands[2:])
        model = _name("ExecutionModel", operands[0])
        self._declare(self.entry_points, EntryPoint(model, operands[1], text, frozenset(operands[2 + length :])))

    def _mode(self, _: str, operands: Operands) -> None:
        if len(self.modes) >= _MOST_MODES:
            raise damaged("TE4104", self.name, f"the module has more than the {_MOST_MODES} execution modes that are read")
        mode = Mode(operands[0], _name("ExecutionMode", operands[1]), tuple(operands[2:]))
        self.modes.append(mode)
        self.modes_of.setdefault(mode.entry_point, {})[mode.name] = mode.operands

    def _decorate(self, _: str, operands: Operands) -> None:
        name = _name("Decoration", operands[1])
        row = self.decorations.setdefault(operands[0], {})
        before = row.get(name, ()) if name == _REPEATED else ()
        row[name] = (*before[: _MOST_ATTRIBUTES - 1], *operands[2:])

    def _member_decorate(self, _: str, operands: Operands) -> None:
        at = operands[0], operands[1]
        self.member_decorations.setdefault(at, {})[_name("Decoration", operands[2])] = tuple(operands[3:])

    def _group_decorate(self, _: str, operands: Operands) -> None:
        shared = self.decorations.get(operands[0], {})
        self._group_targets += len(operands) - 1
        if self._group_targets > _MOST_GROUP_TARGETS:
            message = f"decoration groups have more than the {_MOST_GROUP_TARGETS} targets that are read"
            raise damaged("TE4104", self.name, message)
        for target in operands[1:]:
            self.decorations.setdefault(target, {}).update(shared)

    def _type(self, name: str, operands: Operands) -> None:
        self.types[self._define(operands[0])] = name, tuple(operands[1:])

    def _constant(self, name: str, operands: Operands) -> None:
        self.constants[self._define(operands[1])] = Constant(name, operands[0], tuple(operands[2:]))

    def _variable(self, _: str, operands: Operands) -> None:
        storage_class = _name("StorageClass", operands[2])
        if storage_class != "Function":
            self.variables.append(Variable(operands[1], operands[0], storage_class, len(operands) > 3))

    def _untyped_variable(self, _: str, operands: Operands) -> None:
        """A variable whose pointer does not say what it points to; without a data type nothing is known of its size."""
        storage_class = _name("StorageClass", operands[2])
        if len(operands) > 3 and storage_class != "Function":
            self.variables.append(Variable(operands[1], operands[0], storage_class, len(operands) > 4, operands[3]))

    def _group_operation(self, name: str, operands: Operands) -> None:
        self.group_operations.add((name, operands[0], operands[3] if len(operands) > 3 else -1))

    def _barrier(self, name: str, operands: Operands) -> None:
        self.memory_scopes.setdefault(operands[-2], name)  # the scope, then the semantics

    def _atomic(self, name: str, operands: Operands) -> None:
        self.atomic_operations.add(name)
        if name in ATOMICS_WITHOUT_RESULT:
            self.memory_scopes.setdefault(operands[1], name)
            self.has_typed_atomics = True
        else:
            self.memory_scopes.setdefault(operands[3], name)
            kind, shape = self.types.get(operands[0], ("", ()))
            self.has_typed_atomics |= kind != "OpTypeInt" or shape[:1] != (32,)
            self.has_wide_atomics |= kind == "OpTypeInt" and shape[:1] == (64,)

    def _multiplication(self, _: str, operands: Operands) -> None:
        self.multiplications.append(tuple(operands))


def _words(data: bytes | memoryview, name: str) -> Sequence[int]:
    if len(data) < 20:
        raise damaged("TE4101", name, f"a SPIR-V header has 20 bytes, the file has {len(data)}")
    if len(data) % 4:
        raise damaged("TE4101", name, f"SPIR-V consists of 4-byte words, the file has {len(data)} bytes")
    if len(data) > MOST_BYTES:
        raise damaged("TE4104", name, f"a module of {len(data)} bytes is larger than the {MOST_BYTES} that are read")
    words = array("I", bytes(data))
    if words[0] not in (spirv.MAGIC, _SWAPPED):
        raise damaged("TE4101", name, f"this is no SPIR-V: it begins with {words[0]:#010x} in place of {spirv.MAGIC:#010x}")
    if words[0] == _SWAPPED:
        words.byteswap()
    return words.tolist() if len(words) < 1 << 18 else words  # a list is faster, an array smaller


def _header(words: Sequence[int], name: str) -> tuple[Version, int]:
    packed, bound, schema = words[1], words[3], words[4]
    version = Version(packed >> 16 & 0xFF, packed >> 8 & 0xFF)
    if packed & 0xFF0000FF or version.major != 1:
        raise damaged("TE4101", name, f"the header's version {packed:#010x} is none of SPIR-V's")
    if not 0 < bound <= _MOST_IDS:
        raise damaged("TE4101", name, f"the header's id bound {bound} is outside 1 to {_MOST_IDS}")
    if schema != 0:
        raise damaged("TE4101", name, f"the header's instruction schema is {schema}, only 0 exists")
    return version, bound


def _name(kind: str, value: int) -> str:
    """The name of an operand's value; a value that the grammar does not have is kept as its number."""
    found = spirv.enumerants(kind).get(value)
    return found.name if found is not None else str(value)


_HANDLERS: dict[str, tuple[int, Handler]] = {
    "OpCapability": (1, Module._capability),
    "OpExtension": (1, Module._extension),
    "OpExtInstImport": (2, Module._import),
    "OpMemoryModel": (2, Module._memory_model),
    "OpEntryPoint": (3, Module._entry_point),
    "OpExecutionMode": (2, Module._mode),
    "OpExecutionModeId": (2, Module._mode),
    "OpDecorate": (2, Module._decorate),
    "OpMemberDecorate": (3, Module._member_decorate),
    "OpGroupDecorate": (1, Module._group_decorate),
    "OpConstant": (3, Module._constant),
    "OpConstantTrue": (2, Module._constant),
    "OpConstantFalse": (2, Module._constant),
    "OpSpecConstantTrue": (2, Module._constant),
    "OpSpecConstantFalse": (2, Module._constant),
    "OpSpecConstant": (3, Module._constant),
    "OpConstantComposite": (2, Module._constant),
    "OpSpecConstantComposite": (2, Module._constant),
    "OpSpecConstantOp": (3, Module._constant),
    "OpVariable": (3, Module._variable),
    "OpUntypedVariableKHR": (3, Module._untyped_variable),
    "OpControlBarrier": (3, Module._barrier),
    "OpMemoryBarrier": (2, Module._barrier),
    "OpCooperativeMatrixMulAddKHR": (5, Module._multiplication),
    "OpCooperativeMatrixMulAddNV": (5, Module._multiplication),
}
# How many operands a type has at least, its result included, where the layout depends on them.
_TYPE_OPERANDS = {
    "OpTypeInt": 3,
    "OpTypeFloat": 2,
    "OpTypeVector": 3,
    "OpTypeMatrix": 3,
    "OpTypeArray": 3,
    "OpTypeRuntimeArray": 2,
    "OpTypePointer": 3,
    "OpTypeImage": 8,
    "OpTypeSampledImage": 2,
    "OpTypeCooperativeMatrixKHR": 6,
    "OpTypeCooperativeMatrixNV": 5,
    "OpTypeUntypedPointerKHR": 2,
}
_NO_TYPES = ("OpTypeForwardPointer",)


@cache
def _handlers() -> dict[int, tuple[str, int, Handler]]:
    found = {}
    for opcode, instruction in spirv.instructions().items():
        name = instruction.name
        if name in _HANDLERS:
            found[opcode] = (name, *_HANDLERS[name])
        elif name.startswith("OpType") and name not in _NO_TYPES:
            found[opcode] = (name, _TYPE_OPERANDS.get(name, 1), Module._type)
        elif name.startswith(("OpGroupNonUniform", "OpSubgroup")) and instruction.operands[:1] == ("IdResultType",):
            found[opcode] = (name, 3, Module._group_operation)
        elif name.startswith("OpAtomic"):
            found[opcode] = (name, 3 if name in ATOMICS_WITHOUT_RESULT else 5, Module._atomic)
    return found


@cache
def _typed_opcodes() -> frozenset[int]:
    rows = spirv.instructions().items()
    return frozenset(code for code, row in rows if row.operands[:2] == ("IdResultType", "IdResult"))
