"""Nouns survive the way through JSON unchanged, and equal nouns give equal bytes."""

from __future__ import annotations

import json

import pytest
from hypothesis import given

from targetenv.model import document
from targetenv.model.artifact import Kernel
from targetenv.model.capabilities import Capabilities, CooperativeMatrix
from targetenv.model.device import Device, Unavailable
from targetenv.model.record import replace
from targetenv.model.verdict import Finding
from tests.property import strategies as any_

TYPE_CHECKING = False
if TYPE_CHECKING:
    from targetenv.model.requirement import Requirement


def through_json(value: document.Document) -> document.Document:
    read: document.Document = json.loads(json.dumps(value))
    return read


@given(any_.devices)
def test_a_device_reads_back_equal(device: Device) -> None:
    assert document.to_device(through_json(document.of_device(device))) == device


@given(any_.unavailable)
def test_an_unavailable_driver_reads_back_equal(driver: Unavailable) -> None:
    assert document.to_unavailable(through_json(document.of_unavailable(driver))) == driver


@given(any_.capabilities)
def test_capabilities_read_back_equal(offers: Capabilities) -> None:
    assert document.to_capabilities(through_json(document.of_capabilities(offers))) == offers


@given(any_.requirements)
def test_a_requirement_reads_back_equal(requirement: Requirement) -> None:
    assert document.to_requirement(through_json(document.of_requirement(requirement))) == requirement


@given(any_.matrices)
def test_a_matrix_reads_back_equal(matrix: CooperativeMatrix) -> None:
    assert document.to_matrix(through_json(document.of_matrix(matrix))) == matrix


@given(any_.kernels)
def test_a_kernel_reads_back_equal(kernel: Kernel) -> None:
    assert document.to_kernel(through_json(document.of_kernel(kernel))) == kernel


@given(any_.capabilities)
def test_equal_capabilities_give_equal_bytes(offers: Capabilities) -> None:
    again = replace(
        offers, extensions=frozenset(sorted(offers.extensions, reverse=True)), matrices=frozenset(list(offers.matrices))
    )
    assert json.dumps(document.of_capabilities(offers)) == json.dumps(document.of_capabilities(again))


@given(any_.findings)
def test_a_finding_says_its_outcome_in_a_word(finding: Finding) -> None:
    assert document.of_finding(finding)["outcome"] in ("satisfied", "unknown", "unsatisfied")


def test_an_unknown_kind_of_requirement_is_refused() -> None:
    with pytest.raises(ValueError, match="`luck` is not a kind of requirement"):
        document.to_requirement({"needs": "luck"})


def test_absent_members_read_as_their_defaults() -> None:
    assert document.to_capabilities({"api": "cpu"}) == Capabilities("cpu")


@given(any_.property_tables)
def test_a_property_is_found_by_its_name(rows: tuple[object, ...]) -> None:
    offers = Capabilities("vulkan", properties=rows)  # type: ignore[arg-type]
    assert all(offers.property(row.name) == row.value for row in offers.properties)
    assert offers.property("no such property") is None
