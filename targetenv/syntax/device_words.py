"""`Vendor:DeviceType:id`, which `#vk.target_env` and `#spirv.target_env` share, and the words that MLIR has for it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from targetenv.diagnostics.suggest import did_you_mean
from targetenv.syntax import value_reader

if TYPE_CHECKING:
    from lark import Token

    from targetenv.syntax.complaints import Complaints

VENDORS = ("AMD", "ARM", "Apple", "Broadcom", "Imagination", "Intel", "NVIDIA", "Qualcomm", "SwiftShader", "Unknown")
DEVICE_TYPES = ("CPU", "DiscreteGPU", "IntegratedGPU", "Other", "Unknown")
NO_DEVICE_ID = 0x7FFFFFFF  # mlir::spirv::TargetEnvAttr::kUnknownDeviceID: not printed


def word(token: Token, known: tuple[str, ...], code: str, what: str, complaints: Complaints, *, lenient: bool) -> str:
    """A word of an enumeration. MLIR complains about others and goes on with `Unknown`; so does `lenient`, silently."""
    text = str(token)
    if text in known:
        return text
    if not lenient:
        complaints.error(
            code,
            f"unknown {what} `{text}`",
            value_reader.token_span(token),
            help=did_you_mean(text, known) or f"write one of {', '.join(f'`{each}`' for each in known)}",
            notes=(f"IREE would have complained, gone on with {what} `Unknown` and exited with 0",),
        )
    return "Unknown"


def number(token: Token, what: str, complaints: Complaints, *, lenient: bool) -> int:
    """A 32-bit unsigned number; MLIR wraps negative ones, which are errors unless `lenient`."""
    value = value_reader.integer(token)
    span = value_reader.token_span(token)
    if not -(1 << 31) < value < 1 << 32:
        complaints.error("TE1206", f"{what} does not fit 32 bits", span, help="write a number from 0 to 4294967295")
        return 0
    if value < 0 and not lenient:
        note = f"IREE would have read it as {value & 0xFFFFFFFF}"
        complaints.error("TE1206", f"{what} is negative", span, help="write a number from 0 to 4294967295", notes=(note,))
    return value & 0xFFFFFFFF


def device_id(tokens: list[Token], complaints: Complaints, *, lenient: bool) -> int | None:
    """The id behind vendor and type; None where it is not written, or is the number that stands for that."""
    if not tokens:
        return None
    found = number(tokens[0], "the device id", complaints, lenient=lenient)
    return None if found == NO_DEVICE_ID else found
