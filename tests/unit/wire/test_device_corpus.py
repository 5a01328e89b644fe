"""Device files of every form and age give what they say; what is wrong with them is said, and survived."""

from __future__ import annotations

from pathlib import Path

import pytest

from targetenv.diagnostics.diagnostic import FormatError
from targetenv.model.version import Version
from targetenv.wire.device_files import DeviceFile, contents, describes_devices, read_all, read_device

CORPUS = Path(__file__).parents[2] / "corpora" / "device-files"
INT64, INT16 = "VkPhysicalDeviceFeatures::shaderInt64", "VkPhysicalDeviceFeatures::shaderInt16"
STORAGE = "VkPhysicalDevice16BitStorageFeatures"
LIMITS = "VkPhysicalDeviceLimits"


def _all(name: str) -> tuple[DeviceFile, ...]:
    path = CORPUS / name
    data = contents(str(path))
    assert describes_devices(data)
    return read_all(data, name=path.name)


def _one(name: str) -> DeviceFile:
    (file,) = _all(name)
    return file


def _codes(file: DeviceFile) -> list[str]:
    return [diagnostic.code for diagnostic in file.diagnostics]


def test_vulkaninfo_of_today_as_json() -> None:
    file = _one("vulkaninfo_2022.json")
    device, offers = file.device, file.device.offers
    assert (file.kind, device.name, offers.version, offers.complete) == (
        "vulkaninfo-json",
        "Example 1 (TM)",
        Version(1, 3, 230),
        True,
    )
    assert file.diagnostics == ()
    assert offers.extensions == {"VK_KHR_16bit_storage", "VK_KHR_cooperative_matrix"}
    control = "VkPhysicalDeviceSubgroupSizeControlFeatures::subgroupSizeControl"
    assert offers.features == {INT64, f"{STORAGE}::storageBuffer16BitAccess", control}
    assert offers.denied == {INT16, f"{STORAGE}::storagePushConstant16"}
    assert offers.subgroup_sizes == {32, 64}
    told = {row.name: row.value for row in offers.properties}
    assert told["VkPhysicalDeviceSubgroupProperties::supportedStages"] == 0x30
    assert told["VkPhysicalDeviceSubgroupSizeControlProperties::requiredSubgroupSizeStages"] == 0x20, "not ALL: that is a mask"
    assert told[f"{LIMITS}::framebufferColorSampleCounts"] == 5
    assert told[f"{LIMITS}::timestampPeriod"] == 52.083332
    assert told["VkPhysicalDeviceFragmentShadingRatePropertiesKHR::maxFragmentSize"] == (2, 4)
    assert told["VkPhysicalDeviceDriverProperties::conformanceVersion"] == (1, 3, 1, 1)
    assert told["VkPhysicalDeviceProperties::pipelineCacheUUID"] == "0102030405060708090a0b0c0d0e0f10"
    assert dict(device.identity)["deviceType"] == "integrated-gpu"
    assert device.queues == ("family 0: 4 queues, graphics | compute",)
    assert "VkCooperativeMatrixPropertiesKHR" in offers.unstated, "no such file has the rows"
    assert "VkPhysicalDevice8BitStorageFeatures" in offers.unstated, "core in 1.2, and not in the file"
    assert "VkPhysicalDeviceShaderClockFeaturesKHR" not in offers.unstated, "its extension is not there"


def test_vulkaninfo_in_the_schema_of_2019() -> None:
    file = _one("devsim_2019.json")
    offers = file.device.offers
    assert (file.kind, offers.version, offers.complete) == ("vulkaninfo-devsim", Version(1, 1, 102), True)
    assert offers.features == {INT64, "VkPhysicalDeviceFeatures::robustBufferAccess"}
    assert offers.property(f"{LIMITS}::strictLines") is False
    assert STORAGE in offers.unstated
    heap, kind = file.device.memory
    assert heap == "heap 0: 6442450944 bytes, device-local"
    assert kind == "type 0: heap 0, device-local | host-visible | host-coherent"


def test_vulkaninfo_in_the_schema_of_2021_with_structs_of_extensions() -> None:
    offers = _one("devsim_2021.json").device.offers
    assert {
        f"{STORAGE}::storagePushConstant16",
        "VkPhysicalDevicePortabilitySubsetFeaturesKHR::pointPolygons",
    } < offers.features
    assert (offers.version, offers.subgroup_sizes) == (Version(1, 2, 176), frozenset({32}))


def test_documents_in_a_row_are_one_device_each() -> None:
    one, two = _all("two_gpus.json")
    assert (one.device.name, two.device.name, one.name, two.name) == (
        "Example 2",
        "Example 3",
        "two_gpus.json#0",
        "two_gpus.json#1",
    )
    assert read_device((CORPUS / "two_gpus.json").read_bytes(), name="x", select="Example 3").device.name == "Example 3"


def test_vulkaninfo_of_vulkan_1_0_as_text() -> None:
    file = _one("vulkaninfo_2016.txt")
    offers = file.device.offers
    assert (file.kind, file.device.name, offers.version, file.diagnostics) == (
        "vulkaninfo-text",
        "Example 4 (SKL GT2)",
        Version(1, 0, 21),
        (),
    )
    assert offers.extensions == {"VK_KHR_swapchain", "VK_KHR_sampler_mirror_clamp_to_edge"}
    assert offers.property(f"{LIMITS}::maxComputeWorkGroupCount") == (65535, 65535, 65535)
    assert offers.property(f"{LIMITS}::maxPushConstantsSize") == 128
    assert (INT64 in offers.features, INT16 in offers.denied) == (True, True)
    assert dict(file.device.identity)["deviceType"] == "integrated-gpu"
    assert file.device.queues == ("family 0: 1 queue, graphics | compute | transfer",)


def test_vulkaninfo_as_text_has_every_gpu_of_the_machine() -> None:
    one, two = _all("vulkaninfo_2024.txt")
    assert (one.device.name, two.device.name) == ("Example 5", "Example 6")
    assert two.device.offers.features - one.device.offers.features == {INT16}
    offers = one.device.offers
    assert offers.property(f"{LIMITS}::maxComputeWorkGroupSize") == (1024, 1024, 64)
    assert offers.property("VkPhysicalDeviceSubgroupProperties::supportedOperations") == 0
    assert one.device.memory == ("heap 0: 25757220864 bytes, device-local", "type 0: heap 0, device-local")
    assert f"{STORAGE}::storageInputOutput16" in offers.denied
    assert one.diagnostics == ()


def test_a_value_of_several_lines_does_not_cut_its_struct_off() -> None:
    text = (
        (CORPUS / "vulkaninfo_2024.txt")
        .read_text()
        .replace(
            "driverInfo      = 550.54.14\n", "driverInfo      = Driver Build: 1a2b\nDate: 12/12/19\nCompiler Version: E031\n"
        )
    )
    one, _ = read_all(text.encode(), name="x.txt")
    told = {row.name: row.value for row in one.device.offers.properties}
    assert told["VkPhysicalDeviceDriverProperties::conformanceVersion"] == (1, 3, 7, 2)
    assert told["VkPhysicalDeviceDriverProperties::driverInfo"] == "Driver Build: 1a2b"


def test_text_that_powershell_wrote_is_read() -> None:
    text = (CORPUS / "vulkaninfo_2024.txt").read_text()
    one, two = read_all(text.replace("\n", "\r\n").encode("utf-16"), name="x.txt")
    assert (one.device.name, two.device.name, one.diagnostics) == ("Example 5", "Example 6", ())


def test_a_summary_knows_who_the_device_is_and_denies_nothing() -> None:
    file = _one("summary.txt")
    offers = file.device.offers
    assert (file.kind, offers.version, offers.complete, offers.extensions) == (
        "vulkaninfo-summary",
        Version(1, 3, 278),
        False,
        frozenset(),
    )
    assert dict(file.device.provenance)["driverVersion"] == "550.54.14.0"
    assert dict(file.device.identity)["vendorID"] == "0x10de"


def test_a_report_of_version_1_4() -> None:
    file = _one("report_1.4.json")
    offers = file.device.offers
    assert (file.kind, offers.version, offers.subgroup_sizes, file.diagnostics) == (
        "capsviewer",
        Version(1, 0, 35),
        frozenset(),
        (),
    )
    assert offers.property(f"{LIMITS}::maxMemoryAllocationCount") == 0xFFFFFFFF, "written through a signed type"
    assert offers.property(f"{LIMITS}::nonCoherentAtomSize") == 64
    assert "VkPhysicalDeviceSubgroupProperties" in offers.unstated


def test_vkjson_of_android() -> None:
    file = _one("vkjson.json")
    assert (file.kind, file.device.name, file.device.offers.version) == ("vkjson", "Example 10", Version(1, 0, 35))
    assert INT16 in file.device.offers.features
    assert file.diagnostics == ()


def test_a_report_of_version_3_2() -> None:
    offers = _one("report_3.2.json").device.offers
    assert offers.subgroup_sizes == {64, 128}
    assert "VkPhysicalDeviceMultiviewFeatures::multiview" in offers.features, "whatever the extension was called then"
    assert "VkPhysicalDeviceShaderDrawParametersFeatures::shaderDrawParameters" in offers.features
    assert offers.property("VkPhysicalDeviceMaintenance3Properties::maxMemoryAllocationSize") == 1 << 30


def test_a_report_of_version_4_0() -> None:
    file = _one("report_4.0.json")
    offers = file.device.offers
    assert _codes(file) == ["TE4313"]
    assert "VkPhysicalDeviceShaderFloat16Int8Features::shaderInt8" in offers.features, "one spelling that says yes is enough"
    assert offers.property("VkPhysicalDeviceVulkan13Properties::maxBufferSize") == (1 << 64) - 1
    assert offers.property("VkPhysicalDeviceTimelineSemaphoreProperties::maxTimelineSemaphoreValueDifference") == (1 << 64) - 1


def test_a_profile_is_a_promise() -> None:
    base = read_device((CORPUS / "profiles.json").read_bytes(), name="p.json", select="VP_EXAMPLE_base")
    offers = base.device.offers
    assert (base.kind, base.name, base.alternatives, offers.complete) == ("profile", "p.json#VP_EXAMPLE_base", (), False)
    assert offers.version == Version(1, 1, 200)
    assert offers.features == {INT64, "VkPhysicalDeviceShaderFloat16Int8Features::shaderFloat16"}
    assert offers.denied == frozenset(), "a profile that does not demand a feature does not forbid it"


def test_a_profile_inherits_and_the_harder_limit_counts() -> None:
    more = read_device((CORPUS / "profiles.json").read_bytes(), name="p.json", select="VP_EXAMPLE_more")
    offers = more.device.offers
    assert offers.version == Version(1, 2, 100)
    assert offers.property(f"{LIMITS}::maxPushConstantsSize") == 256
    assert offers.property(f"{LIMITS}::maxComputeSharedMemorySize") == 16384
    assert offers.property("VkPhysicalDeviceSubgroupProperties::supportedOperations") == 5, "both masks"
    assert "VkPhysicalDevice8BitStorageFeatures::storageBuffer8BitAccess" in offers.features
    assert "VkPhysicalDeviceFeatures::geometryShader" not in offers.features, "optional"


def test_of_alternatives_a_profile_promises_what_they_share_and_demands_one() -> None:
    more = read_device((CORPUS / "profiles.json").read_bytes(), name="p.json", select="VP_EXAMPLE_more")
    offers, (choice,) = more.device.offers, more.alternatives
    assert offers.extensions == {"VK_KHR_8bit_storage", "VK_KHR_shader_clock"}
    assert offers.property(f"{LIMITS}::maxComputeWorkGroupInvocations") == 256
    assert [sorted(each.features) for each in choice] == [[], ["VkPhysicalDeviceFeatures::shaderFloat64"]]


def test_a_file_of_several_profiles_asks_which() -> None:
    with pytest.raises(FormatError) as caught:
        read_device((CORPUS / "profiles.json").read_bytes(), name="p.json")
    assert caught.value.code == "TE4307"
    assert "`VP_EXAMPLE_base`, `VP_EXAMPLE_more`" in str(caught.value)


MALFORMED: dict[str, list[str] | str] = {
    "profile_bad_value.json": ["TE4312"],
    "profile_circle.json": ["TE4317"],
    "profile_missing_block.json": ["TE4317"],
    "profile_numbers_as_texts.json": ["TE4311"],
    "profile_unknown_name.json": ["TE4310"],
    "profile_without_profiles.json": "TE4304",
    "report_bad_rows.json": ["TE4310", "TE4312", "TE4313"],
    "report_without_core12.json": ["TE4314"],
    "report_without_extensions.json": ["TE4313", "TE4314"],
    "text_cut.txt": ["TE4314"],
    "text_without_gpu.txt": "TE4304",
    "tvm_target.json": "TE4304",
    "vulkaninfo_contradiction.json": ["TE4313"],
    "vulkaninfo_cut.json": "TE4302",
    "vulkaninfo_key_in_list.json": ["TE4315"],
    "vulkaninfo_key_twice.json": ["TE4313"],
    "vulkaninfo_moltenvk.json": [],
    "vulkaninfo_no_extensions.json": ["TE4314"],
    "vulkaninfo_not_utf8.json": ["TE4315"],
    "vulkaninfo_stray_comma.json": ["TE4315"],
    "vulkaninfo_unknown_flag.json": ["TE4310"],
    "vulkaninfo_utf16.json": [],
    "vulkaninfo_with_messages.json": ["TE4315"],
}


def test_every_malformed_file_has_an_expectation() -> None:
    assert {path.name for path in (CORPUS / "malformed").iterdir()} == set(MALFORMED)


@pytest.mark.parametrize("name", MALFORMED)
def test_a_malformed_file_is_survived_with_its_warning_or_refused_with_its_code(name: str) -> None:
    expected = MALFORMED[name]
    data = contents(str(CORPUS / "malformed" / name))
    if isinstance(expected, str):
        with pytest.raises(FormatError) as caught:
            read_all(data, name=name)
        assert caught.value.code == expected
        return
    found = read_all(data, name=name)
    assert sorted({code for file in found for code in _codes(file)}) == expected
    assert all(file.device.offers.properties for file in found)


def test_a_moltenvk_driver_id_with_a_tag_too_many_is_understood() -> None:
    file = read_device((CORPUS / "malformed" / "vulkaninfo_moltenvk.json").read_bytes(), name="x")
    assert dict(file.device.identity)["driverID"] == "moltenvk"


def test_a_target_of_another_compiler_is_no_device_file() -> None:
    assert not describes_devices((CORPUS / "malformed" / "tvm_target.json").read_bytes())
    assert not describes_devices(b"#vk.target_env<v1.1>")


@pytest.mark.parametrize(
    "hostile",
    [
        b'{"capabilities": "' + b"\n" * 200_000,
        b'{"capabilities": ' + b"[" * 200_000,
        b'\n{"capabilities":' * 20_000,
        b"GPU0:\n" + b"\t" * 200_000 + b"a\n" + b" " * 200_000 + b"count\n",
        b"GPU0:\n" + b"".join(b" " * (at % 40) + b"a:\n" for at in range(100_000)),
        b"GPU0:\n" * 50_000,
        b'"deviceName":' + b"{" * 100_000,
    ],
    ids=["newlines", "brackets", "starts", "blanks", "indents", "gpus", "braces"],
)
def test_a_file_made_to_hurt_is_refused_soon(hostile: bytes) -> None:
    with pytest.raises(FormatError) as caught:
        read_all(hostile, name="x")
    assert caught.value.code in ("TE4302", "TE4304")
