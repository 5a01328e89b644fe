"""A kernel so small that nothing can be wrong with it, run on a device and checked: x[i] = 3 * x[i] + 7 for 256 integers."""

from __future__ import annotations

import shutil
import struct
import tempfile
from pathlib import Path

from targetenv.diagnostics.diagnostic import TargetEnvError
from targetenv.model.artifact import Kernel
from targetenv.model.record import record
from targetenv.registry import spirv

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from targetenv.model.device import Device

_COUNT = 256
_INPUT = struct.pack(f"<{_COUNT}I", *range(_COUNT))
_EXPECTED = struct.pack(f"<{_COUNT}I", *(3 * number + 7 for number in range(_COUNT)))

_SPIRV = """
OpCapability Shader
OpMemoryModel Logical GLSL450
OpEntryPoint GLCompute %1 "self_test" %2
OpExecutionMode %1 LocalSize 64 1 1
OpDecorate %2 BuiltIn GlobalInvocationId
OpDecorate %3 ArrayStride 4
OpDecorate %4 BufferBlock
OpMemberDecorate %4 0 Offset 0
OpDecorate %5 DescriptorSet 0
OpDecorate %5 Binding 0
OpTypeVoid %6
OpTypeFunction %7 %6
OpTypeInt %8 32 0
OpTypeVector %9 %8 3
OpTypePointer %10 Input %9
OpTypePointer %11 Input %8
OpVariable %10 %2 Input
OpTypeRuntimeArray %3 %8
OpTypeStruct %4 %3
OpTypePointer %12 Uniform %4
OpTypePointer %13 Uniform %8
OpVariable %12 %5 Uniform
OpConstant %8 %14 0
OpConstant %8 %15 3
OpConstant %8 %16 7
OpFunction %6 %1 None %7
OpLabel %17
OpAccessChain %11 %18 %2 %14
OpLoad %8 %19 %18
OpAccessChain %13 %20 %5 %14 %19
OpLoad %8 %21 %20
OpIMul %8 %22 %21 %15
OpIAdd %8 %23 %22 %16
OpStore %20 %23
OpReturn
OpFunctionEnd
"""
_C = """
#include <targetenv/kernel.h>
TARGETENV_KERNEL(self_test) {
  uint32_t *x = (uint32_t *)targetenv_binding(dispatch, 0);
  for (uint64_t i = workgroup->id_x * 64u; i < workgroup->id_x * 64u + 64u; ++i) x[i] = 3 * x[i] + 7;
  return 0;
}
"""

_OPENCL = """
__kernel void self_test(__global uint *x) { x[get_global_id(0)] = 3 * x[get_global_id(0)] + 7; }
"""


@record
class Trial:
    """What came of one test: `passed`, `failed` or `left out`, with the reason."""

    device: str
    format: str
    outcome: str
    reason: str = ""

    def document(self) -> dict[str, object]:
        """As JSON."""
        return {"device": self.device, "format": self.format, "outcome": self.outcome, "reason": self.reason}

    def cells(self) -> tuple[str, str, str, str]:
        """As a row of a table."""
        return self.device, self.format, self.outcome, self.reason


class _LeftOut(Exception):
    """Why a format cannot be tested here."""


def self_test(device: Device) -> list[Trial]:
    """Run the kernel on the device in every format that it loads."""
    if not device.offers.formats:
        return [Trial(device.uri, "-", "left out", "it loads no format")]
    return [_tested(device, name) for name in sorted(device.offers.formats)]


def assemble(text: str) -> bytes:
    """A SPIR-V 1.0 module of one instruction a line, operands in the order of the grammar.

    >>> assemble("OpCapability Shader")[20:].hex()
    '1100020001000000'
    """
    code: list[int] = []
    bound = 0
    for line in filter(None, text.splitlines()):
        name, *operands = line.split()
        instruction = spirv.instructions()[spirv.opcodes()[name]]
        kinds = iter(instruction.operands)
        words: list[int] = []
        kind = ""
        for operand in operands:
            kind = next(kinds, kind).rstrip("?*")
            words += _encoded(operand, kind)
            bound = max(bound, int(operand[1:]) + 1 if operand.startswith("%") else 0)
        code += [(len(words) + 1) << 16 | instruction.value, *words]
    header = [spirv.MAGIC, 1 << 16, 0, bound, 0]
    return struct.pack(f"<{len(header) + len(code)}I", *header, *code)


def _encoded(operand: str, kind: str) -> list[int]:
    if operand.startswith("%"):
        return [int(operand[1:])]
    if operand.startswith('"'):
        raw = operand.strip('"').encode() + b"\0"
        raw += bytes(-len(raw) % 4)
        return list(struct.unpack(f"<{len(raw) // 4}I", raw))
    if operand.isdigit():
        return [int(operand)]
    # A decoration or an execution mode is followed by operands of its own kinds, such as the name of a built-in.
    kinds = (kind, "BuiltIn", "Decoration")
    return [next(values[operand] for name in kinds if operand in (values := _values(name)))]


def _values(kind: str) -> dict[str, int]:
    try:
        return spirv.enumerant_values(kind)
    except KeyError:
        return {}


def _tested(device: Device, name: str) -> Trial:
    from targetenv_runtime.drivers.table import DRIVERS

    if not DRIVERS[device.driver].runs:
        return Trial(device.uri, name, "left out", f"the {device.driver} driver finds devices but runs nothing yet")
    make = _IMAGES.get(name)
    if make is None or (device.driver == "opencl" and name == "spirv"):  # that module is for Vulkan
        return Trial(device.uri, name, "left out", "there is no test in this format")
    try:
        image, kernel = make()
        wrong = _run(device.uri, name, image, kernel)
    except _LeftOut as reason:
        return Trial(device.uri, name, "left out", str(reason))
    except TargetEnvError as error:
        return Trial(device.uri, name, "failed", error.diagnostics[0].message)
    if wrong:
        return Trial(device.uri, name, "failed", f"{wrong} of {_COUNT} results are wrong")
    return Trial(device.uri, name, "passed", f"{_COUNT} results are right")


def _run(uri: str, name: str, image: bytes, kernel: Kernel) -> int:
    """How many of the results are wrong."""
    from targetenv_runtime.device import open_device

    with open_device(uri) as device:
        executable = device.load(image, name, (kernel,))
        buffer = device.allocate(len(_INPUT))
        buffer.write(_INPUT)
        executable.lookup(kernel.name).run((_COUNT // 64, 1, 1), [buffer])
        found = buffer.read()
        buffer.close()
    return sum(found[at : at + 4] != _EXPECTED[at : at + 4] for at in range(0, len(_EXPECTED), 4))


def _spirv_image() -> tuple[bytes, Kernel]:
    return assemble(_SPIRV), Kernel("self_test", (64, 1, 1), bindings=1, constants=0)


def _opencl_source() -> tuple[bytes, Kernel]:
    return _OPENCL.encode(), Kernel("self_test", (64, 1, 1), bindings=1, constants=0)


def _shared_object() -> tuple[bytes, Kernel]:
    from targetenv_runtime.drivers.cpu import include_directory

    from targetenv.build.execute import execute
    from targetenv.build.step import Built, Missing, Step
    from targetenv.build.toolchains import Workshop
    from targetenv.cli.build import ninja_program

    def installed(name: str) -> tuple[str, ...] | None:
        found = shutil.which(name)
        return (found,) if found else None

    def understand(text: str) -> TargetEnvError:
        raise AssertionError(text)

    with tempfile.TemporaryDirectory(prefix="targetenv-self-test-") as folder:
        (Path(folder) / "self_test.c").write_text(_C)
        workshop = Workshop(installed, understand, (include_directory(),))  # type: ignore[arg-type]  # no target is given
        (made,) = execute([Step("self_test", "cc", "self_test.c")], workshop, folder=folder, ninja=ninja_program())
    if isinstance(made, Missing):
        raise _LeftOut(f"no C compiler is installed: {', '.join(made.tools)}")
    if not isinstance(made, Built):
        raise _LeftOut(f"the C compiler failed: {made.lines[0]}")
    return made.data, Kernel("self_test", (64, 1, 1), bindings=1, constants=0)


_IMAGES: dict[str, Callable[[], tuple[bytes, Kernel]]] = {
    "opencl-c": _opencl_source,
    "spirv": _spirv_image,
    "elf-x86_64": _shared_object,
    "elf-aarch64": _shared_object,
}
