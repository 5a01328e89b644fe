"""`#vk.target_env` as text, in any era, as the compiler of that era printed it.

Era C prints parameters in the order of their declaration, the dictionaries of the eras before are sorted by key. Features and
limits for which IREE never had a key follow behind its keys (era C) or sort in (dictionaries).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from targetenv.syntax import value as v
from targetenv.syntax import vk_names
from targetenv.syntax.matrix_rows import VK_KHR, dictionary, parameter
from targetenv.syntax.value_printer import text_of

if TYPE_CHECKING:
    from targetenv.syntax.value import Value
    from targetenv.syntax.vk_settings import Setting, SettingValue
    from targetenv.syntax.vk_target_env import VkTargetEnv

_I32, _I64 = v.Word(("i32",)), v.Word(("i64",))
_UNIT = v.Word(("unit",))


def text(env: VkTargetEnv) -> str:
    """The canonical text in the record's own era."""
    parts = [env.version, f"r({env.revision})", f"[{', '.join(env.extensions)}]"]
    if env.device is not None:
        vendor, device_type, number = env.device
        parts.append(f"{vendor}:{device_type}" + ("" if number is None else f":{number}"))
    parts.append(_caps(env.settings) if env.era == "C" else _dictionary(env.settings))
    return f"#vk.target_env<{', '.join(parts)}>"


def _caps(settings: tuple[Setting, ...]) -> str:
    last = len(vk_names.ORDER)
    ordered = sorted(settings, key=lambda each: (vk_names.ORDER.get(each.key, last), each.key))
    return f"#vk.caps<{', '.join(f'{each.key} = {text_of(_parameter(each))}' for each in ordered)}>"


def _parameter(setting: Setting) -> Value:
    value = setting.value
    if value is None:
        return _UNIT
    if isinstance(value, int):
        return v.Integer(value, _I32 if setting.key == "subgroupFeatures" else None)
    if isinstance(value, tuple):
        return v.Array(tuple(parameter(VK_KHR, each) for each in value))
    return value


def _dictionary(settings: tuple[Setting, ...]) -> str:
    return text_of(v.Dictionary(tuple(v.Entry(each.key, _entry(each.value)) for each in settings)))


def _entry(value: SettingValue) -> Value | None:
    if value is None:
        return None
    if isinstance(value, int):
        return v.Integer(value, _I32 if -(1 << 31) <= value < 1 << 31 else _I64)
    if isinstance(value, tuple):
        return v.Array(tuple(dictionary(VK_KHR, each) for each in value))
    return value
