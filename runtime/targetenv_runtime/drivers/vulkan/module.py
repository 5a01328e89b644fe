"""As much of a SPIR-V module as must be known before a driver sees it: drivers crash where a file is damaged.

What a module requires of a device is read by `targetenv.artifacts`; this reads only frames, entry points and bindings.
"""

from __future__ import annotations

from struct import unpack_from

from targetenv.diagnostics.suggest import did_you_mean
from targetenv_runtime.status import Code, HalError

MAGIC = 0x07230203
OP_ENTRY_POINT, OP_EXECUTION_MODE, OP_DECORATE, OP_FUNCTION, OP_EXECUTION_MODE_ID = 15, 16, 71, 54, 331
MODEL_GL_COMPUTE, MODE_LOCAL_SIZE, MODE_LOCAL_SIZE_ID = 5, 17, 38
DECORATION_BINDING, DECORATION_DESCRIPTOR_SET = 33, 34
_HEADER = 5  # words: magic, version, generator, bound, schema
_LARGEST = 64 << 20  # bytes; no compiler writes a compute shader of a tenth of that


class Module:
    """A module's words with the facts about its compute entry points.

    `entry_points` maps names to ids, `sizes` ids to literal workgroup sizes, `bindings` is one more than the highest binding in
    descriptor set 0, `sized_by_id` has the ids whose workgroup size is given by constants (`LocalSizeId`).
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
        self.entry_points: dict[str, int] = {}
        self.sizes: dict[int, tuple[int, int, int]] = {}
        self.sized_by_id: set[int] = set()
        sets: dict[int, int] = {}
        bindings: dict[int, int] = {}
        in_functions = False
        at = _HEADER
        while at < len(self.words):
            count, opcode = self.words[at] >> 16, self.words[at] & 0xFFFF
            if count == 0 or at + count > len(self.words):
                raise _damaged(
                    f"the instruction at word {at} reaches beyond the end" if count else f"word {at} is no instruction"
                )
            in_functions |= opcode == OP_FUNCTION
            if not in_functions:
                self._declare(opcode, self.words[at + 1 : at + count], sets, bindings)
            at += count
        self.bindings = max((binding + 1 for target, binding in bindings.items() if sets.get(target) == 0), default=0)

    def _declare(self, opcode: int, operands: memoryview, sets: dict[int, int], bindings: dict[int, int]) -> None:
        match opcode, [*operands[:6]]:
            case 15, [5, identifier, _, *_]:
                self.entry_points[_text(operands[2:])] = identifier
            case 16, [identifier, 17, x, y, z, *_]:
                self.sizes[identifier] = (x, y, z)
            case 331, [identifier, 38, *_]:
                self.sized_by_id.add(identifier)
            case 71, [target, 33, binding, *_]:
                bindings[target] = binding
            case 71, [target, 34, number, *_]:
                sets[target] = number

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
