"""`#spirv.target_env` as text, in any era, as the MLIR of that era printed it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from targetenv.syntax import dense, matrix_rows
from targetenv.syntax import value as v
from targetenv.syntax.spirv_target_env import KEYS
from targetenv.syntax.value_printer import text_of

if TYPE_CHECKING:
    from targetenv.syntax.spirv_target_env import LimitValue, SpirvLimit, SpirvTargetEnv
    from targetenv.syntax.value import Value

_I32 = v.Word(("i32",))
# SPIRVBase.td, DefaultValuedParameter: these are not printed.
_DEFAULTS: dict[str, LimitValue] = {
    "max_compute_shared_memory_size": 16384,
    "max_compute_workgroup_invocations": 128,
    "max_compute_workgroup_size": v.Array((v.Integer(128, _I32), v.Integer(128, _I32), v.Integer(64, _I32))),
    "subgroup_size": 32,
}


def text(env: SpirvTargetEnv) -> str:
    """The canonical text in the record's own era."""
    old = "" if env.era == "D" else "spv"
    prefix = old or "spirv"
    capabilities, extensions = f"[{', '.join(env.capabilities)}]", f"[{', '.join(env.extensions)}]"
    if env.era == "A":
        version = f"V_{env.version[1:].replace('.', '_')}"
        return f"#spv.target_env<{version}, {extensions}, {capabilities}, {_dictionary(env.limits or ())}>"
    vce = f"#{prefix}.vce<{env.version}, {capabilities}, {extensions}>"
    if env.limits is None:
        return vce
    parts = [vce]
    if env.api not in (None, "Unknown"):
        parts.append(f"api={env.api}")
    if env.device is not None and env.device[0] != "Unknown":
        parts.append(_device(*env.device))
    parts.append(_dictionary(env.limits) if env.era == "B" else f"#{prefix}.resource_limits<{_parameters(env.limits)}>")
    return f"#{prefix}.target_env<{', '.join(parts)}>"


def _device(vendor: str, device_type: str | None, number: int | None) -> str:
    if device_type in (None, "Unknown"):
        return vendor
    return f"{vendor}:{device_type}" + ("" if number is None else f":{number}")


def _parameters(limits: tuple[SpirvLimit, ...]) -> str:
    shown = [each for each in limits if _DEFAULTS.get(each.key) != each.value]
    shown.sort(key=lambda each: KEYS.index(each.key))
    return ", ".join(f"{each.key} = {text_of(_parameter(each.key, each.value))}" for each in shown)


def _parameter(key: str, value: LimitValue) -> Value:
    if isinstance(value, int):
        return v.Integer(value)
    if isinstance(value, tuple):
        return v.Array(tuple(matrix_rows.parameter(_form(key), each) for each in value))
    return value if isinstance(value, v.Array) else v.Array(tuple(v.Integer(each, _I32) for each in dense.elements(value)))


def _dictionary(limits: tuple[SpirvLimit, ...]) -> str:
    return text_of(v.Dictionary(tuple(v.Entry(each.key, _entry(each.key, each.value)) for each in limits)))


def _entry(key: str, value: LimitValue) -> Value:
    if isinstance(value, int):
        return v.Integer(value, _I32)
    if isinstance(value, tuple):
        return v.Array(tuple(matrix_rows.dictionary(_form(key), each) for each in value))
    if isinstance(value, v.Dense):
        return value
    numbers = v.Array(tuple(v.Integer(each.value) for each in value.items if isinstance(each, v.Integer)))
    return dense.canonical(v.Dense(numbers, v.Shaped("vector", (str(len(numbers.items)),), _I32)))


def _form(key: str) -> matrix_rows.Form:
    return matrix_rows.SPIRV_KHR if key.endswith("khr") else matrix_rows.SPIRV_NV
