"""`resolve --why`."""

from __future__ import annotations

from pathlib import Path

from tests.unit.cli.conftest import Typed

CORPORA = Path(__file__).parents[2] / "corpora"
SNAPSHOT = CORPORA / "lavapipe-22.3.6" / "lavapipe.device.json"
F16 = CORPORA / "artifacts" / "matmul_f16.spv"
COOPMAT = Path(__file__).parents[3] / "docs" / "examples" / "saxpy" / "matmul_coopmat.spv"


def test_the_json_of_a_choice_has_what_the_device_is_opened_with(te: Typed) -> None:
    said = te("resolve", F16, "--device", SNAPSHOT, "--format", "json")
    assert said.json["chosen"][0]["enables"] == {
        "features": [
            {
                "name": "VkPhysicalDevice16BitStorageFeatures::storageBuffer16BitAccess",
                "because": ["capability StorageBuffer16BitAccess"],
            }
        ],
        "extensions": [],
    }
    assert all("why" not in finding for finding in said.json["verdicts"][0]["findings"])


def test_the_json_of_an_unmet_capability_has_its_alternatives_atom_by_atom(te: Typed) -> None:
    said = te("resolve", COOPMAT, "--device", SNAPSHOT, "--why", "--format", "json")
    assert said.status == 1
    told = {finding["requires"]: finding.get("why") for finding in said.json["verdicts"][0]["findings"]}
    (alternative,) = told["capability CooperativeMatrixKHR"]["alternatives"]
    feature = "VkPhysicalDeviceCooperativeMatrixFeaturesKHR::cooperativeMatrix"
    assert alternative["enables"] == ["VK_KHR_cooperative_matrix", feature]
    assert [(atom["kind"], atom["holds"]) for atom in alternative["atoms"]] == [("feature", False), ("place", False)]
    assert told["capability CooperativeMatrixKHR"]["sentence"].startswith(f"needs `{feature}`; the device does not offer it; ")
    assert told["capability Shader"] is None
    assert told["format spirv"] is None


def test_the_text_names_the_variant_that_fits(te: Typed) -> None:
    said = te("resolve", COOPMAT, F16, "--device", SNAPSHOT, "--why")
    assert f"the device does not offer it; variant `{F16}` fits" in said.out
    assert "the device is opened with" in said.out


def test_a_match_says_why_too(te: Typed) -> None:
    pair = ("#vk.target_env<v1.2, r(1), [], {shaderFloat16, subgroupSize = 32: i32}>", "vulkan1.1")
    assert "alternatives" not in te("match", *pair, "--format", "json").out
    said = te("match", *pair, "--why", "--format", "json")
    told = {finding["requires"]: finding.get("alternatives") for finding in said.json["findings"]}
    feature = "VkPhysicalDeviceShaderFloat16Int8Features::shaderFloat16"
    ((alternative,),) = (rows for requires, rows in told.items() if requires == f"feature {feature}")
    assert alternative["enables"] == ["VK_KHR_shader_float16_int8", feature]
    assert f"needs `{feature}`; " in te("match", *pair, "--why").out
