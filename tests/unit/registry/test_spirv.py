"""The SPIR-V vocabulary."""

from __future__ import annotations

from targetenv.model.version import Version
from targetenv.registry import spirv


def test_every_capability_has_its_own_number() -> None:
    numbers = {spirv.capability(name).number for name in spirv.capability_names()}  # type: ignore[union-attr]
    assert len(numbers) == len(spirv.capability_names())
    assert {spirv.capability_by_number(number) for number in numbers} == spirv.capability_names()


def test_every_alias_leads_to_a_canonical_name() -> None:
    for name in spirv.capability_names():
        for alias in spirv.capability(name).aliases:  # type: ignore[union-attr]
            assert spirv.canonical_capability(alias) == name


def test_every_implied_capability_is_there() -> None:
    for name in spirv.capability_names():
        assert spirv.implied(name) <= spirv.capability_names()


def test_a_capability_of_an_extension_only_has_no_version() -> None:
    found = spirv.capability("CooperativeMatrixKHR")
    assert found is not None
    assert (found.version, found.extensions) == (None, ("SPV_KHR_cooperative_matrix",))


def test_names_that_are_not_there_are_none() -> None:
    assert spirv.capability("Nothing") is None
    assert spirv.capability_by_number(1 << 31) is None
    assert spirv.implied("Nothing") == frozenset()


def test_every_operand_of_every_instruction_is_a_kind() -> None:
    kinds = {operand.rstrip("?*") for found in spirv.instructions().values() for operand in found.operands}
    for kind in kinds:
        assert spirv.operand_kind(kind).category in ("BitEnum", "ValueEnum", "Id", "Literal", "Composite")


def test_instructions_are_found_by_alias() -> None:
    assert spirv.instructions()[spirv.opcodes()["OpSDotKHR"]].name == "OpSDot"


def test_an_enumerant_keeps_its_gates() -> None:
    local_size_id = spirv.enumerants("ExecutionMode")[38]
    assert (local_size_id.name, local_size_id.version) == ("LocalSizeId", Version(1, 2))


def test_extensions_of_the_grammar_and_of_vulkan_are_both_known() -> None:
    assert {"SPV_INTEL_subgroups", "SPV_KHR_storage_buffer_storage_class"} <= spirv.extension_names()
