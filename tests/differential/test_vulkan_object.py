"""Our tables against vulkan-object's reading of the same vk.xml."""

from __future__ import annotations

import itertools
import re
import sys
from pathlib import Path

import pytest

from targetenv._codegen import inputs, vulkan_xml
from targetenv.registry import depends, spirv, spirv_environment, vulkan, vulkan_abi

pytestmark = pytest.mark.differential


@pytest.fixture(scope="module")
def theirs():  # type: ignore[no-untyped-def]
    package = pytest.importorskip("vulkan_object", reason="vulkan-object is not installed")
    return package.get_vulkan_object()


def test_both_read_the_same_registry(theirs) -> None:  # type: ignore[no-untyped-def]
    assert f"1.4.{theirs.headerVersion}" == vulkan.HEADER_VERSION


def test_extensions_are_the_same_in_every_column(theirs) -> None:  # type: ignore[no-untyped-def]
    expected = {
        name: vulkan.Extension(
            name,
            "instance" if row.instance else "device",
            "".join((row.depends or "").split()),
            row.promotedTo or "",
            row.deprecatedBy,
            row.obsoletedBy,
            row.specVersionValue,
            row.provisional,
            row.platform or "",
        )
        for name, row in theirs.extensions.items()
    }
    assert {name: vulkan.extension(name) for name in vulkan.extension_names()} == expected


def test_structs_have_the_same_members(theirs) -> None:  # type: ignore[no-untyped-def]
    ours = {name: [field.name for field in vulkan_abi.layout(name).fields] for name in vulkan_abi.structs()}
    assert ours == {name: [member.name for member in struct.members] for name, struct in theirs.structs.items()}


def test_structs_have_the_same_types_and_extents(theirs) -> None:  # type: ignore[no-untyped-def]
    aliases = _type_aliases(theirs)
    for name, struct in theirs.structs.items():
        for field, member in zip(vulkan_abi.layout(name).fields, struct.members, strict=True):
            assert field.type.rstrip("*") == aliases.get(member.type, member.type), (name, field)
            extents = [int(text) if text.isdigit() else vulkan_abi.constant(text) for text in member.fixedSizeArray]
            assert list(field.dims) == extents, (name, field)


def test_struct_aliases_are_the_same(theirs) -> None:  # type: ignore[no-untyped-def]
    for name, struct in theirs.structs.items():
        for alias in struct.aliases:
            assert vulkan_abi.struct_name(alias) == name


def test_structure_types_are_the_same(theirs) -> None:  # type: ignore[no-untyped-def]
    for name, struct in theirs.structs.items():
        expected = vulkan_abi.constant(struct.sType) if struct.sType else None
        assert vulkan_abi.layout(name).s_type == expected, name


def test_the_same_structs_chain(theirs) -> None:  # type: ignore[no-untyped-def]
    for chained, head in (
        (vulkan_abi.feature_structs(), "VkPhysicalDeviceFeatures2"),
        (vulkan_abi.property_structs(), "VkPhysicalDeviceProperties2"),
    ):
        assert set(chained) == {name for name, struct in theirs.structs.items() if head in struct.extends}


def test_commands_have_the_same_parameters(theirs) -> None:  # type: ignore[no-untyped-def]
    aliases = _type_aliases(theirs)
    for name, command in theirs.commands.items():
        ours = vulkan_abi.command(name)
        assert ours.returns == command.returnType, name
        assert [type_.rstrip("*") for type_ in ours.parameters] == [
            aliases.get(one.type, one.type) for one in command.params
        ], name
    assert {name for name, command in theirs.commands.items() if command.alias is None} == set(vulkan_abi.commands())


def test_every_constant_has_the_same_value(theirs) -> None:  # type: ignore[no-untyped-def]
    checked = 0
    groups = [(row.fields, row) for row in theirs.enums.values()] + [(row.flags, row) for row in theirs.bitmasks.values()]
    for rows, _ in groups:
        for row in rows:
            for name in (row.name, *row.aliases):
                assert vulkan_abi.constant(name) == row.value, name
                checked += 1
    for constant in theirs.constants.values():
        if isinstance(constant.value, int):
            assert vulkan_abi.constant(constant.name) == constant.value, constant.name
            checked += 1
    assert checked > 4000


def test_limit_types_are_the_same(theirs) -> None:  # type: ignore[no-untyped-def]
    registry = vulkan_xml.read(inputs.vk_xml().data)
    for name, struct in theirs.structs.items():
        ours = {member.name: member.limittype for member in registry.structs[name].members}
        assert ours == {member.name: member.limitType for member in struct.members}, name


def test_member_aliases_are_the_same(theirs) -> None:  # type: ignore[no-untyped-def]
    checked = 0
    for name, struct in theirs.structs.items():
        features = "VkPhysicalDeviceFeatures2" in struct.extends
        if not features and "VkPhysicalDeviceProperties2" not in struct.extends:
            continue
        for member in struct.members:
            alias = member.capabilityAlias
            if member.name in ("sType", "pNext"):
                continue
            canonical = (vulkan.feature if features else vulkan.property_name)(name, member.name)
            target = (
                f"{vulkan_abi.struct_name(alias.struct)}::{alias.member}"
                if hasattr(alias, "struct")
                else f"{name}::{member.name}"
            )
            assert canonical == target
            if alias is not None and not hasattr(alias, "struct"):
                assert vulkan.feature_extension_alias(canonical) == alias.name
            checked += alias is not None
    assert checked > 220


def test_mandatory_features_are_the_same(theirs) -> None:  # type: ignore[no-untyped-def]
    for table in (theirs.versions, theirs.extensions):
        for name, row in table.items():
            expected = {
                (frozenset(vulkan.feature(one.struct, member) for member in one.field.split(",")), _squeezed(one.depends))
                for one in row.featureRequirement
            }
            ours = {(frozenset(one.features), _squeezed(one.depends)) for one in vulkan.required_features(name)}
            assert ours == expected, name


def test_spirv_conditions_are_the_same(theirs) -> None:  # type: ignore[no-untyped-def]
    expected: dict[str, set[tuple[object, ...]]] = {}
    for row in theirs.spirv:
        name = row.name if row.extension else spirv.canonical_capability(row.name) or row.name
        conditions = expected.setdefault(name, set())
        for enable in row.enable:
            requires = _squeezed(enable.requires)
            if enable.version:
                conditions.add(("v", (enable.version.replace("VK_API_VERSION", "VK_VERSION"),), "", 0, ""))
            elif enable.extension:
                conditions.add(("e", (enable.extension,), "", 0, ""))
            elif enable.struct:
                conditions.add(("f", (vulkan.feature(enable.struct, enable.feature),), "", 0, requires))
            else:
                subject = vulkan.property_name(enable.property, enable.member)
                value = 1 if enable.value == "VK_TRUE" else vulkan.bit_value(enable.value)
                conditions.add(("p", (subject,), enable.value, value, requires))
    assert {name: set(spirv_environment.conditions_of(name)) for name in expected} == expected
    assert len(expected) > 300


def test_dependency_expressions_mean_the_same(theirs) -> None:  # type: ignore[no-untyped-def]
    """Every expression of the registry, every assignment of up to eight names (of longer ones, eight names at a time)."""
    from vulkan_object.parse_dependency import evaluateDependency

    text = Path(sys.modules["vulkan_object"].__file__ or "").with_name("vk.xml").read_text()
    expressions = set(re.findall(r'\b(?:depends|requires)="([^"]*VK_[^"]*)"', text))
    checked = 0
    for expression in expressions:
        atoms = depends.names(expression)
        for values in itertools.product((False, True), repeat=min(len(atoms), 8)):
            holds = dict.fromkeys(atoms, False) | dict(zip(atoms, values, strict=False))
            assert depends.evaluate(expression, holds.__getitem__) == bool(evaluateDependency(expression, holds.__getitem__))
            checked += 1
    assert len(expressions) > 300
    assert checked > 2000


def _squeezed(expression: str | None) -> str:
    return "".join((expression or "").split())


def _type_aliases(theirs) -> dict[str, str]:  # type: ignore[no-untyped-def]
    tables = (theirs.structs, theirs.enums, theirs.bitmasks, theirs.flags, theirs.handles)
    return {alias: name for table in tables for name, row in table.items() for alias in row.aliases}
