"""The probe on devices that are not here, and on machines without any."""

from __future__ import annotations

import pytest
from targetenv_runtime.drivers.vulkan.probe import probe
from targetenv_runtime.ffi.library import Library

from targetenv.model import document
from targetenv.model.capabilities import CooperativeMatrix
from targetenv.model.device import Device
from targetenv.model.version import Version
from targetenv.registry import vulkan as registry
from targetenv.registry import vulkan_abi as abi
from targetenv.registry.vulkan_device import subgroup_sizes
from tests.unit.runtime_vulkan.fake import FakeDevice, FakeLoader

COMPUTE = 0x20
CONTROL = "VkPhysicalDeviceSubgroupSizeControl"


def only(loader: FakeLoader) -> Device:
    devices, unavailable = probe(loader)
    assert unavailable == []
    (device,) = devices
    return device


# --- nothing there


def test_without_a_loader_every_candidate_is_told() -> None:
    devices, (why,) = probe(Library("Vulkan loader", ("libnosuch-vulkan.so.1", "libnosuch-vulkan.so")))
    assert (devices, why.driver, why.code) == ([], "vulkan", "TE5101")
    assert "libnosuch-vulkan.so.1" in why.reason
    assert "libvulkan1" in why.help


@pytest.mark.parametrize("result", ["VK_ERROR_INCOMPATIBLE_DRIVER", "VK_ERROR_INITIALIZATION_FAILED"])
def test_a_loader_without_a_driver_names_the_package(result: str) -> None:
    devices, (why,) = probe(FakeLoader(create=abi.constant(result)))
    assert (devices, why.code) == ([], "TE5102")
    assert result in why.reason
    assert "mesa-vulkan-drivers" in why.help


def test_drivers_without_a_device_are_no_device() -> None:
    assert probe(FakeLoader())[1][0].code == "TE5102"


def test_a_driver_that_fails_is_told_with_its_call() -> None:
    loader = FakeLoader(enumerate_result=abi.constant("VK_ERROR_OUT_OF_HOST_MEMORY"))
    devices, (why,) = probe(loader)
    assert (devices, why.code) == ([], "TE5103")
    assert "vkEnumeratePhysicalDevices" in why.reason
    assert loader.destroyed == 1


# --- the instance


def test_portability_devices_are_enumerated_where_the_loader_can() -> None:
    bit = abi.constant("VK_INSTANCE_CREATE_ENUMERATE_PORTABILITY_BIT_KHR")
    plain = FakeLoader(FakeDevice())
    only(plain)
    assert plain.instance["flags"] == 0
    able = FakeLoader(FakeDevice(), extensions=("VK_KHR_get_physical_device_properties2", "VK_KHR_portability_enumeration"))
    only(able)
    assert able.instance["flags"] == bit
    assert "VK_KHR_portability_enumeration" in able.instance["extensions"]  # type: ignore[operator]


def test_the_newest_known_version_is_asked_for_but_not_of_a_1_0_loader() -> None:
    new = FakeLoader(FakeDevice())
    only(new)
    assert new.instance["version"] == 1 << 10 | Version.parse(abi.HEADER_VERSION).minor
    old = FakeLoader(FakeDevice(version=(1, 0)), version=None)
    only(old)
    assert old.instance["version"] == 1 << 10


# --- what is asked


def test_only_what_the_device_provides_is_chained() -> None:
    for version in ((1, 0), (1, 1), (1, 2), (1, 3), (1, 4)):
        fake = FakeDevice(version=version, extensions=("VK_KHR_shader_clock",))
        only(FakeLoader(fake))
        for struct in (name for asked in fake.asked for name in asked):
            providers = registry.provided_by(struct)
            core = [registry.version(name) for name in providers if registry.is_version(name)]
            assert "VK_KHR_shader_clock" in providers or any(since <= Version(*version) for since in core), struct
        features = fake.asked[0]
        assert len(features) == len(set(features))
        assert "VkPhysicalDeviceShaderClockFeaturesKHR" in features
        assert ("VkPhysicalDeviceVulkan12Features" in features) == (version >= (1, 2))
        assert ("VkPhysicalDeviceVulkan14Features" in features) == (version >= (1, 4))


def test_lists_are_asked_for_twice_and_read() -> None:
    layouts = [1, 2, 5, 1000001002]
    values: dict[str, dict[str, object]] = {
        "VkPhysicalDeviceHostImageCopyProperties": {"pCopySrcLayouts": layouts, "pCopyDstLayouts": []},
        "VkPhysicalDeviceVulkan14Properties": {"pCopySrcLayouts": layouts, "pCopyDstLayouts": []},
    }
    fake = FakeDevice(version=(1, 4), values=values)
    offers = only(FakeLoader(fake)).offers
    assert offers.property("VkPhysicalDeviceHostImageCopyProperties::pCopySrcLayouts") == tuple(layouts)
    assert offers.property("VkPhysicalDeviceHostImageCopyProperties::pCopyDstLayouts") == ()
    assert offers.property("VkPhysicalDeviceHostImageCopyProperties::copySrcLayoutCount") == 4
    assert len(fake.asked) == 3  # features once, properties twice


def test_a_list_without_end_is_cut() -> None:
    values: dict[str, dict[str, object]] = {"VkPhysicalDeviceVulkan14Properties": {"pCopySrcLayouts": [7] * 5000}}
    found = only(FakeLoader(FakeDevice(version=(1, 4), values=values))).offers
    lists = [row.value for row in found.properties if row.name.endswith("pCopySrcLayouts")]
    assert lists == [(7,) * 4096]


def test_a_loader_of_1_0_gives_the_plain_structs() -> None:
    values: dict[str, dict[str, object]] = {
        "VkPhysicalDeviceFeatures": {"shaderInt64": 1},
        "VkPhysicalDeviceLimits": {"maxBoundDescriptorSets": 4},
    }
    fake = FakeDevice(version=(1, 0), values=values)
    offers = only(FakeLoader(fake, version=None, extensions=())).offers
    assert fake.asked == []
    assert "VkPhysicalDeviceFeatures::shaderInt64" in offers.features
    assert "VkPhysicalDeviceFeatures::shaderInt16" in offers.denied
    assert offers.property("VkPhysicalDeviceLimits::maxBoundDescriptorSets") == 4
    assert offers.version == Version(1, 0)


# --- what is answered


def test_either_spelling_of_a_feature_counts_under_one_name() -> None:
    bundle = FakeDevice(version=(1, 2), values={"VkPhysicalDeviceVulkan12Features": {"shaderFloat16": 1}})
    split = FakeDevice(
        version=(1, 1),
        extensions=("VK_KHR_shader_float16_int8",),
        values={"VkPhysicalDeviceShaderFloat16Int8Features": {"shaderFloat16": 1}},
    )
    for fake in (bundle, split):
        offers = only(FakeLoader(fake)).offers
        assert "VkPhysicalDeviceShaderFloat16Int8Features::shaderFloat16" in offers.features
        assert "VkPhysicalDeviceShaderFloat16Int8Features::shaderInt8" in offers.denied
        assert not offers.features & offers.denied


def test_rows_of_matrices_are_read() -> None:
    names = ("MSize", "NSize", "KSize", "AType", "BType", "CType", "ResultType", "saturatingAccumulation", "scope")
    rows = [(16, 16, 16, 0, 0, 1, 1, 0, 3), (16, 8, 32, 3, 7, 5, 5, 1, 3), (16, 16, 16, 1000141000, 1000141000, 1, 1, 0, 2)]
    fake = FakeDevice(
        extensions=("VK_KHR_cooperative_matrix",), matrices=tuple(dict(zip(names, row, strict=True)) for row in rows)
    )
    assert only(FakeLoader(fake)).offers.matrices == {
        CooperativeMatrix(16, 16, 16, "f16", "f16", "f32", "f32"),
        CooperativeMatrix(16, 8, 32, "i8", "ui8", "i32", "i32", saturating=True),
        CooperativeMatrix(16, 16, 16, "bf16", "bf16", "f32", "f32", scope="workgroup"),
    }


def test_matrices_are_not_asked_of_a_device_without_the_extension() -> None:
    assert only(FakeLoader(FakeDevice(matrices=({"MSize": 8},)))).offers.matrices == frozenset()


@pytest.mark.parametrize(
    ("control", "stages", "wanted"),
    [(1, COMPUTE, {16, 32, 64}), (1, COMPUTE | 1, {16, 32, 64}), (1, 1, {32}), (0, COMPUTE, {32})],
)
def test_subgroup_sizes_are_a_set(control: int, stages: int, wanted: set[int]) -> None:
    sizes = {"minSubgroupSize": 16, "maxSubgroupSize": 64, "requiredSubgroupSizeStages": stages}
    values: dict[str, dict[str, object]] = {
        "VkPhysicalDeviceSubgroupProperties": {"subgroupSize": 32},
        "VkPhysicalDeviceVulkan11Properties": {"subgroupSize": 32},
        f"{CONTROL}Features": {"subgroupSizeControl": control},
        "VkPhysicalDeviceVulkan13Features": {"subgroupSizeControl": control},
        f"{CONTROL}Properties": dict(sizes),
        "VkPhysicalDeviceVulkan13Properties": dict(sizes),
    }
    assert only(FakeLoader(FakeDevice(values=values))).offers.subgroup_sizes == wanted


def test_a_device_that_says_nothing_of_subgroups_has_no_size() -> None:
    assert subgroup_sizes(set(), {}) == frozenset()


def test_identity_tells_devices_apart() -> None:
    uuid = bytes.fromhex("00112233445566778899aabbccddeeff")
    values: dict[str, dict[str, object]] = {
        "VkPhysicalDeviceProperties": {
            "vendorID": 0x10DE,
            "deviceID": 0x2330,
            "deviceType": 2,
            "driverVersion": 550 << 22 | 54 << 14,
        },
        "VkPhysicalDeviceIDProperties": {"deviceUUID": uuid, "deviceLUID": b"\1\2\3\4\5\6\7\x08", "deviceLUIDValid": 1},
        "VkPhysicalDeviceVulkan11Properties": {"deviceUUID": uuid, "deviceLUID": b"\1\2\3\4\5\6\7\x08", "deviceLUIDValid": 1},
        "VkPhysicalDevicePCIBusInfoPropertiesEXT": {"pciDomain": 0, "pciBus": 0x5E, "pciDevice": 0, "pciFunction": 1},
        "VkPhysicalDeviceDriverProperties": {"driverID": 4, "driverName": "NVIDIA", "driverInfo": "550.54"},
        "VkPhysicalDeviceVulkan12Properties": {"driverID": 4, "driverName": "NVIDIA", "driverInfo": "550.54"},
    }
    device = only(FakeLoader(FakeDevice(name="H100", extensions=("VK_EXT_pci_bus_info",), values=values)))
    identity, provenance = dict(device.identity), dict(device.provenance)
    assert device.name == "H100"
    assert identity["deviceUUID"] == "00112233-4455-6677-8899-aabbccddeeff"
    assert identity["deviceLUID"] == "0102030405060708"
    assert identity["pci"] == "0000:5e:00.1"
    assert (identity["vendorID"], identity["deviceID"], identity["deviceType"]) == ("0x10de", "0x2330", "discrete-gpu")
    assert identity["driverID"] == "nvidia-proprietary"
    assert provenance["driverVersion"] == "550.54.00.00"
    assert "deviceUUID" not in provenance


def test_a_uuid_that_is_a_version_says_so() -> None:
    values: dict[str, dict[str, object]] = {
        "VkPhysicalDeviceIDProperties": {"deviceUUID": b"mesa22.3.6"},
        "VkPhysicalDeviceVulkan11Properties": {"deviceUUID": b"mesa22.3.6"},
    }
    assert "mesa22.3.6" in dict(only(FakeLoader(FakeDevice(values=values))).provenance)["deviceUUID"]


def test_devices_keep_the_loaders_order_and_survive_a_round_trip() -> None:
    loader = FakeLoader(FakeDevice(name="b", queues=((7, 1), (6, 8))), FakeDevice(name="a", version=(1, 1)))
    devices, _ = probe(loader)
    assert [(device.uri, device.name) for device in devices] == [("vulkan://0", "b"), ("vulkan://1", "a")]
    assert devices[0].queues == ("family 0: 1 queue, graphics | compute | transfer", "family 1: 8 queues, compute | transfer")
    assert devices[0].memory[0] == f"heap 0: {1 << 33} bytes, device-local"
    assert [document.to_device(document.of_device(device)) for device in devices] == devices
    assert loader.destroyed == 1


def test_properties_are_sorted_and_floats_are_what_people_write() -> None:
    values: dict[str, dict[str, object]] = {
        "VkPhysicalDeviceLimits": {"timestampPeriod": 0.1, "pointSizeRange": (1.0, 2047.9375)}
    }
    offers = only(FakeLoader(FakeDevice(values=values))).offers
    names = [row.name for row in offers.properties]
    assert names == sorted(names)
    assert offers.property("VkPhysicalDeviceLimits::timestampPeriod") == 0.1
    assert offers.property("VkPhysicalDeviceLimits::pointSizeRange") == (1.0, 2047.9375)
