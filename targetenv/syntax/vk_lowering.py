"""`#vk.target_env` records as `TargetEnv`s, and back; what an era cannot say comes back as losses.

An environment is a promise: code may rely on what it lists and on nothing else, so it is complete.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from targetenv.model.capabilities import Capabilities, Property
from targetenv.model.record import replace
from targetenv.model.target_env import TargetEnv
from targetenv.model.version import Version
from targetenv.syntax import dense, matrix_rows, vk_names
from targetenv.syntax import value as v
from targetenv.syntax.device_words import VENDORS
from targetenv.syntax.vk_names import KEY_BY_NAME, KEYS, Kind
from targetenv.syntax.vk_settings import Setting, candidates, canonical
from targetenv.syntax.vk_target_env import VkTargetEnv

if TYPE_CHECKING:
    from targetenv.model.capabilities import CooperativeMatrix, PropertyValue
    from targetenv.syntax.vk_settings import SettingValue

_KHR_MATRIX = ("VkPhysicalDeviceCooperativeMatrixFeaturesKHR", "cooperativeMatrix")
_NV_MATRIX = ("VkPhysicalDeviceCooperativeMatrixFeaturesNV", "cooperativeMatrix")
# What Vulkan guarantees ("Required Limits"): written where a dialect demands a number that nobody stated.
_MINIMUM = {
    "maxComputeSharedMemorySize": 16384,
    "maxComputeWorkGroupInvocations": 128,
    "subgroupFeatures": 1,
    "subgroupSize": 1,
}
_I32 = v.Word(("i32",))


def lower(tree: VkTargetEnv) -> TargetEnv:
    """What a record means.

    Subgroup sizes are the powers of two from the smallest to the largest, or the one size. A list of cooperative matrices that
    is not empty implies the feature, as it did in IREE's conversion, which had no key for it.
    """
    from targetenv.registry import vulkan

    version = Version.parse(tree.version)
    features: set[str] = set()
    properties: list[Property] = []
    matrices: set[CooperativeMatrix] = set()
    sizes: dict[str, int] = {}
    for setting in tree.settings:
        value = setting.value
        if value is None:
            features.add(setting.name)
        elif isinstance(value, tuple):
            matrices |= {row.to_model() for row in value}
            if value:
                features.add(vulkan.feature(*(_KHR_MATRIX if value[0].saturating is not None else _NV_MATRIX)))
        else:
            properties.append(Property(setting.name, _plain(value)))
            if isinstance(value, int):
                sizes[setting.key] = value
    vendor, device_type, device_id = tree.device or ("Unknown", "Unknown", None)
    return TargetEnv(
        Capabilities(
            api="vulkan",
            version=Version(version.major, version.minor, tree.revision),
            formats=frozenset({"spirv"}),
            extensions=frozenset(tree.extensions),
            features=frozenset(features),
            properties=tuple(sorted(properties, key=lambda each: each.name)),
            subgroup_sizes=subgroup_sizes(
                sizes.get("subgroupSize"), sizes.get("minSubgroupSize"), sizes.get("maxSubgroupSize")
            ),
            matrices=frozenset(matrices),
        ),
        vendor=None if vendor == "Unknown" else vendor,
        device_type=None if device_type == "Unknown" else device_type,
        device_id=device_id,
    )


def subgroup_sizes(size: int | None, low: int | None, high: int | None) -> frozenset[int]:
    """Every size that a kernel may run with.

    >>> sorted(subgroup_sizes(64, 32, 64)), sorted(subgroup_sizes(4, None, None))
    ([32, 64], [4])
    """
    found = {1 << bit for bit in range(32) if (low or high or 1) <= 1 << bit <= (high or 0)} if low or high else set()
    return frozenset(found | ({size} if size else set()))


def _plain(value: SettingValue) -> PropertyValue:
    match value:
        case int():
            return value
        case v.Dense():
            return dense.elements(value)
        case v.Float(text):
            return float(text)
        case v.String(text):
            return text
        case v.Array(items):
            return _numbers(items)
        case _:
            raise AssertionError(value)


def _numbers(items: tuple[v.Value, ...]) -> PropertyValue:
    if items and all(isinstance(item, v.String) for item in items):
        return tuple(item.text for item in items if isinstance(item, v.String))
    if any(isinstance(item, v.Float) for item in items):
        return tuple(float(item.text if isinstance(item, v.Float) else getattr(item, "value", 0)) for item in items)
    return tuple(item.value for item in items if isinstance(item, v.Integer))


def raise_(env: TargetEnv, era: str) -> tuple[VkTargetEnv, tuple[str, ...]]:
    """The record that says most of `env` in an era, and what it cannot say.

    Extensions and features keep no order in the noun, so they come sorted; what a release of IREE takes is up to `within`.
    """
    offers = env.offers
    losses: list[str] = []
    version = offers.version or Version(1, 0)
    word = f"v{version.major}.{version.minor}"
    settings, unsaid = _settings(offers, era)
    losses += unsaid
    if offers.isa is not None:
        losses.append(f"instruction set `{offers.isa}`")
    device = (env.vendor or "Unknown", env.device_type or "Unknown", env.device_id)
    if device[0] not in VENDORS:
        losses.append(f"vendor `{device[0]}`")
        device = ("Unknown", *device[1:])
    if era not in ("B", "C"):
        losses += [
            f"{what} `{each}`" for what, each in zip(("vendor", "device type"), device[:2], strict=True) if each != "Unknown"
        ]
    tree = VkTargetEnv(
        era, word, version.patch, tuple(sorted(offers.extensions)), device if era in ("B", "C") else None, tuple(settings)
    )
    return tree, tuple(losses)


def _settings(offers: Capabilities, era: str) -> tuple[list[Setting], list[str]]:
    from targetenv.registry import vulkan

    names = {canonical(key): key for key in KEYS if key.kind is not Kind.MATRICES}
    settings: list[Setting] = []
    losses: list[str] = []
    khr, nv = vulkan.feature(*_KHR_MATRIX), vulkan.feature(*_NV_MATRIX)
    nv_form = nv in offers.features and khr not in offers.features
    form = matrix_rows.VK_NV if nv_form else matrix_rows.VK_KHR
    for name in sorted(offers.features):
        if name in (khr, nv) and offers.matrices:
            continue  # the rows say it
        key = names[name].name if name in names else _short(name)
        settings.append(Setting(key, name, None))
    for each in offers.properties:
        key_ = names.get(each.name)
        literal = _literal(each.value, key_)
        if literal is None:
            losses.append(f"property `{each.name}`")
        else:
            settings.append(Setting(key_.name if key_ else _short(each.name), each.name, literal))
    if offers.matrices:
        rows = tuple(matrix_rows.of_model(each, form) for each in sorted(offers.matrices, key=str))
        settings.append(Setting("cooperativeMatrixPropertiesNV" if nv_form else "cooperativeMatrixPropertiesKHR", "", rows))
    if era == "C":
        settings += _required(settings, offers, losses)
    return settings, losses


def _required(settings: list[Setting], offers: Capabilities, losses: list[str]) -> list[Setting]:
    """What `#vk.caps` cannot do without."""
    written = {each.key for each in settings}
    added: list[Setting] = []
    for name in vk_names.REQUIRED:
        if name in written:
            continue
        key = KEY_BY_NAME[name]
        value: SettingValue
        if name == "maxComputeWorkGroupSize":
            value = _literal((128, 128, 64), key)
        else:
            value = max(offers.subgroup_sizes, default=1) if name == "subgroupSize" else _MINIMUM[name]
        losses.append(f"`{name}` is not stated; the least that Vulkan guarantees is written")
        added.append(Setting(name, canonical(key), value))
    return added


def _short(name: str) -> str:
    """The member alone where it can be read back, else `Struct::member`."""
    member = name.rpartition("::")[2]
    return member if member not in KEY_BY_NAME and len(candidates(member)) == 1 else name


def _literal(value: PropertyValue, key: vk_names.Key | None) -> SettingValue:
    """The value as an attribute, None where there is no way to write it."""
    if key is not None and key.kind is Kind.SIZE and isinstance(value, tuple):
        numbers = v.Array(tuple(v.Integer(int(each)) for each in value))
        return dense.canonical(v.Dense(numbers, v.Shaped("vector", (str(len(value)),), _I32)))
    if isinstance(value, bool | int):
        return int(value)
    if isinstance(value, float):
        return v.Float(_float(value))
    if isinstance(value, str):
        return v.String(value)
    return v.Array(tuple(_element(each) for each in value))


def _element(value: float | str) -> v.Value:
    if isinstance(value, str):
        return v.String(value)
    return v.Float(_float(value)) if isinstance(value, float) else v.Integer(int(value))


def _float(value: float) -> str:
    """Digits that read back to the same number, with the point that tells them from an integer."""
    text = repr(value)
    if "e" in text and "." not in text:
        mantissa, _, exponent = text.partition("e")
        return f"{mantissa}.0e{exponent}"
    return text


def convert(tree: VkTargetEnv, era: str) -> tuple[VkTargetEnv, tuple[str, ...]]:
    """The same record in another era, order and duplicates kept."""
    losses: list[str] = []
    device = tree.device
    if era in ("B", "C"):
        device = device or ("Unknown", "Unknown", None)
    elif device is not None:
        losses += [
            f"{what} `{each}`" for what, each in zip(("vendor", "device type"), device[:2], strict=True) if each != "Unknown"
        ]
        device = None
    settings = list(tree.settings)
    if era == "C":
        settings += _required(settings, lower(tree).offers, losses)
    return replace(tree, era=era, device=device, settings=tuple(settings)), tuple(losses)


def within(tree: VkTargetEnv, release: vk_names.Release) -> tuple[VkTargetEnv, tuple[str, ...]]:
    """The part of an era-C record that one release of IREE accepts, and what that leaves out."""
    losses = [f"extension `{name}`" for name in tree.extensions if name not in release.extensions]
    version = tree.version
    if version not in release.versions:
        version = release.versions[-1]
        losses.append(f"Vulkan {tree.version}, written as {version}")
    settings = []
    for setting in tree.settings:
        if setting.key in release.keys and not (isinstance(setting.value, int) and setting.value > 0x7FFFFFFF):
            settings.append(_trimmed(setting, losses))
        else:
            losses.append(f"{'feature' if setting.value is None else 'property'} `{setting.key}`")
    vendor, device_type, number = tree.device or ("Unknown", "Unknown", None)
    if vendor not in release.vendors:
        losses.append(f"vendor `{vendor}`")
        vendor = "Unknown"
    extensions = tuple(name for name in tree.extensions if name in release.extensions)
    made = replace(tree, version=version, extensions=extensions, device=(vendor, device_type, number), settings=tuple(settings))
    return made, tuple(losses)


def _trimmed(setting: Setting, losses: list[str]) -> Setting:
    value = setting.value
    if setting.key == "subgroupFeatures" and isinstance(value, int) and value & ~vk_names.SUBGROUP_BITS:
        losses.append(f"subgroup features {value & ~vk_names.SUBGROUP_BITS:#x}")
        return Setting(setting.key, setting.name, value & vk_names.SUBGROUP_BITS)
    return setting
