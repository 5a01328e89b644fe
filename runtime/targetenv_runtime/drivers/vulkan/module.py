"""As much of a SPIR-V module as must be known before a driver sees it: drivers crash where a file is damaged.

What a module requires of a device is read by `targetenv.artifacts`; this reads only frames, entry points and bindings.
"""

from __future__ import annotations

from struct import unpack_from

from targetenv.diagnostics.suggest import did_you_mean
from targetenv_runtime.status import Code, HalError

MAGIC = 0x07230203
OP_ENTRY_POINT, OP_EXECUTION_MODE, OP_EXECUTION_MODE_ID, OP_CAPABILITY, OP_DECORATE = 15, 16, 331, 17, 71
OP_FUNCTION, OP_FUNCTION_END = 54, 56
OP_TYPE_STRUCT, OP_TYPE_POINTER, OP_VARIABLE = 30, 32, 59
MODEL_GL_COMPUTE, MODE_LOCAL_SIZE, MODE_LOCAL_SIZE_ID = 5, 17, 38
DECORATION_BINDING, DECORATION_DESCRIPTOR_SET = 33, 34
STORAGE_PUSH_CONSTANT, STORAGE_PHYSICAL = 9, 5349
CAPABILITY_ADDRESSES = 5347  # PhysicalStorageBufferAddresses
_HEADER = 5  # words: magic, version, generator, bound, schema
_LARGEST = 64 << 20  # bytes; no compiler writes a compute shader of a tenth of that
_BOUND = 0x3FFFFF  # ids that SPIR-V guarantees; drivers make tables of this many entries


class Module:
    """A module's words with the facts about its compute entry points.

    `entry_points` maps names to ids, `sizes` ids to literal workgroup sizes, `bindings` is one more than the highest binding in
    descriptor set 0, `sized_by_id` has the ids whose workgroup size is given by constants (`LocalSizeId`), `capabilities` the
    numbers that are declared. `addresses` is how many pointers to buffers the push constants begin with.
    """

    def __init__(self, image: bytes | memoryview) -> None:
        data = memoryview(image).cast("B")
        if len(data) < _HEADER * 4 or len(data) % 4 or len(data) > _LARGEST:
            raise _damaged(f"{len(data)} bytes cannot be a module")
        (magic,) = unpack_from("<I", data)
        if magic != MAGIC:
            swapped = magic == int.from_bytes(MAGIC.to_bytes(4, "little"), "big")
            raise _damaged("its words are big-endian" if swapped else f"it begins with {magic:#010x}, not with {MAGIC:#010x}")
        self.words = data.toreadonly().cast("I")
        if not 0 < self.words[3] <= _BOUND:
            raise _damaged(f"{self.words[3]} cannot be the number of its ids")
        self.entry_points: dict[str, int] = {}
        self.sizes: dict[int, tuple[int, int, int]] = {}
        self.sized_by_id: set[int] = set()
        self.capabilities: set[int] = set()
        functions: set[int] = set()
        sets: dict[int, int] = {}
        bindings: dict[int, int] = {}
        self._pointers: dict[int, tuple[int, int]] = {}  # id of a type: storage class, type
        self._structs: dict[int, tuple[int, ...]] = {}  # id of a type: its members' types
        self._pushed: list[int] = []  # types of variables in push constants
        opcode = OP_FUNCTION_END
        ended = True
        at = _HEADER
        while at < len(self.words):
            count, opcode = self.words[at] >> 16, self.words[at] & 0xFFFF
            if count == 0 or at + count > len(self.words):
                raise _damaged(
                    f"the instruction at word {at} reaches beyond the end" if count else f"word {at} is no instruction"
                )
            if opcode == OP_FUNCTION and ended and count == 5:
                ended = False
                functions.add(self.words[at + 2])
            elif opcode == OP_FUNCTION_END and not ended:
                ended = True
            elif opcode in (OP_FUNCTION, OP_FUNCTION_END):
                raise _damaged(f"a function begins or ends where it cannot, at word {at}")
            elif not functions:
                self._declare(opcode, self.words[at + 1 : at + count], sets, bindings)
            at += count
        if opcode != OP_FUNCTION_END or set(self.entry_points.values()) - functions:
            raise _damaged("a function is missing or not complete")
        if not self.entry_points:
            raise _damaged("it has no compute entry point")
        self.bindings = max((binding + 1 for target, binding in bindings.items() if sets.get(target) == 0), default=0)
        beyond = sorted({in_set for in_set in sets.values() if in_set})
        if beyond:
            raise HalError(
                Code.INVALID_ARGUMENT,
                f"the module takes resources from descriptor set {beyond[0]}; buffers are bound in set 0",
                help="put all buffers into set 0",
            )
        self.addresses = max(map(self._leading_pointers, self._pushed), default=0)
        if any(storage == STORAGE_PHYSICAL for storage, _ in self._pointers.values()):
            if CAPABILITY_ADDRESSES not in self.capabilities:
                raise _damaged("it has pointers to buffers, and does not declare `PhysicalStorageBufferAddresses`")
            if self.addresses and self.bindings:
                raise _damaged("it takes its buffers both as descriptors and as addresses")

    def _leading_pointers(self, variable: int) -> int:
        """How many pointers to buffers stand at the beginning of a variable's struct."""
        members = self._structs.get(self._pointers.get(variable, (0, 0))[1], ())
        count = 0
        while count < len(members) and self._pointers.get(members[count], (0, 0))[0] == STORAGE_PHYSICAL:
            count += 1
        return count

    def _declare(self, opcode: int, operands: memoryview, sets: dict[int, int], bindings: dict[int, int]) -> None:
        if opcode == OP_CAPABILITY and operands:
            self.capabilities.add(operands[0])
        if opcode == OP_TYPE_STRUCT and operands:
            self._structs[operands[0]] = tuple(operands[1:])
        if len(operands) < 2:
            return
        first, second, *rest = operands[:5]
        if opcode == OP_ENTRY_POINT and first == MODEL_GL_COMPUTE:
            name = _text(operands[2:])
            if name in self.entry_points:
                raise _damaged(f"it has two compute entry points `{name}`")
            self.entry_points[name] = second
        elif opcode == OP_EXECUTION_MODE and second == MODE_LOCAL_SIZE:
            if len(rest) != 3:
                raise _damaged(f"its workgroup has {len(rest)} dimensions")
            self.sizes[first] = (rest[0], rest[1], rest[2])
        elif opcode == OP_TYPE_POINTER and rest:
            self._pointers[first] = second, rest[0]
        elif opcode == OP_VARIABLE and rest and rest[0] == STORAGE_PUSH_CONSTANT:
            self._pushed.append(first)
        elif opcode == OP_EXECUTION_MODE_ID and second == MODE_LOCAL_SIZE_ID:
            self.sized_by_id.add(first)
        elif opcode == OP_DECORATE and rest and second in (DECORATION_BINDING, DECORATION_DESCRIPTOR_SET):
            (bindings if second == DECORATION_BINDING else sets)[first] = rest[0]

    def entry_point(self, name: str) -> int:
        """The id of a compute entry point; NOT_FOUND with what there is."""
        found = self.entry_points.get(name)
        if found is None:
            there = ", ".join(f"`{known}`" for known in sorted(self.entry_points)) or "none"
            raise HalError(
                Code.NOT_FOUND,
                f"the module has no compute entry point `{name}`",
                notes=(f"its entry points: {there}",),
                help=did_you_mean(name, self.entry_points),
            )
        return found


def _text(words: memoryview) -> str:
    return words.tobytes().split(b"\0", 1)[0].decode("utf-8", "replace")


def _damaged(what: str) -> HalError:
    return HalError(Code.INVALID_ARGUMENT, f"the image is no SPIR-V module: {what}", help="build it again")
