"""Where variants run among the devices that the tables name."""

from __future__ import annotations

import pytest

from targetenv.cli.gaps import spans
from targetenv.cli.zoo import families
from targetenv.match import match
from targetenv.model.artifact import Artifact
from targetenv.model.requirement import NeedsFeature, NeedsFormat, NeedsIsa
from targetenv.model.verdict import Outcome
from targetenv.resolve.gaps import KernelReach, Reach, gaps

FAMILIES = families()


def variant(name: str, kind: str, isa: str, *features: str) -> Artifact:
    return Artifact(name, kind, name, (NeedsFormat(kind), NeedsIsa(isa), *map(NeedsFeature, features)))


NVIDIA = [variant("sm80", "cubin", "sm_80"), variant("ptx90", "ptx", "compute_90")]
AMD = [variant("gfx9", "hsaco", "gfx9-generic"), variant("gfx90a", "hsaco", "gfx90a", "xnack+")]
X86 = [variant("v3", "elf-x86_64", "x86-64-v3"), variant("v4", "elf-x86_64", "x86-64-v4")]


def of(*variants: Artifact) -> KernelReach:
    (found,) = gaps({"k": variants}, FAMILIES)
    return found


def test_a_cubin_covers_its_generation_and_ptx_every_later_device() -> None:
    native, tegra, jit, none = of(*NVIDIA).reaches
    assert (native.how, native.devices, native.onward) == ("native", ("sm_80", "sm_86", "sm_88", "sm_89"), False)
    assert tegra.devices == ("sm_87",)  # its code goes to no other GPU and no other's to it, as far as anybody promises
    assert (jit.how, jit.variants, jit.onward) == ("JIT", ("ptx90",), True)
    assert "sm_121" in jit.devices
    assert (none.how, none.devices[-1], none.onward) == ("none", "sm_75", False)


@pytest.mark.parametrize("target", ["sm_90a", "sm_100f", "compute_90a", "compute_120f", "sm_121"])
def test_no_code_for_one_chip_or_family_is_promised_to_devices_to_come(target: str) -> None:
    kind = "ptx" if target.startswith("compute") else "cubin"
    assert not any(reach.onward for reach in of(variant("a", kind, target)).reaches)


def test_settings_of_a_feature_are_devices_of_their_own() -> None:
    native, none = of(*AMD).reaches
    assert {name for name in native.devices if name.startswith("gfx90a")} == {
        "gfx90a:sramecc+:xnack+",
        "gfx90a:sramecc-:xnack+",
    }
    assert "gfx908:sramecc+:xnack+" in none.devices


def test_levels_go_upwards() -> None:
    native, none = of(*X86).reaches
    assert (native.devices, native.onward, native.variants) == (("x86-64-v3", "x86-64-v4"), True, ("v3", "v4"))
    assert none.devices == ("x86-64", "x86-64-v2")


def test_families_that_load_none_of_the_formats_are_named_once() -> None:
    assert of(*X86).foreign == ("NVIDIA", "AMD", "AArch64", "AMD NPU", "Gaudi", "Vulkan", "OpenCL")


def test_what_a_name_does_not_say_is_a_condition_and_the_variant_is_the_one_that_asks_least() -> None:
    capability = "VkPhysicalDeviceFeatures::shaderInt64"
    spirv = [
        Artifact("plain", "spirv", "", (NeedsFormat("spirv"), NeedsFeature(capability))),
        Artifact("more", "spirv", "", (NeedsFormat("spirv"), NeedsFeature(capability), NeedsFeature("VkX::other"))),
    ]
    (reach,) = of(*spirv).reaches
    assert reach == Reach("Vulkan", "JIT", reach.devices, ("plain",), (f"feature {capability}",), onward=False)


@pytest.mark.parametrize("variants", [NVIDIA, AMD, X86, [*NVIDIA, *AMD, *X86]])
def test_every_device_of_a_family_is_in_one_row_and_none_means_that_nothing_runs_there(variants: list[Artifact]) -> None:
    found = of(*variants)
    for family in FAMILIES:
        rows = [row for row in found.reaches if row.family == family.name]
        if family.name not in found.foreign:
            assert sorted(name for row in rows for name in row.devices) == sorted(device.name for device in family.devices)
        for device in family.devices:
            runs = any(match(one, device).outcome is not Outcome.UNSATISFIED for one in variants)
            assert runs == any(device.name in row.devices for row in rows if row.how != "none")


@pytest.mark.parametrize(
    ("names", "told"),
    [
        ("a b c", "a to c"),
        ("a b", "a, b"),
        ("a c", "a, c"),
        ("d:x+ d:x-", "d"),
        ("c d:x+ d:x- e", "c to e"),
        ("d:x- e", "d:x-, e"),
        ("", ""),
    ],
)
def test_names_are_told_as_spans(names: str, told: str) -> None:
    assert spans(names.split(), ["a", "b", "c", "d:x+", "d:x-", "e"]) == told
