"""Our readers find in files made by xclbinutil, bootgen and aiebu what these tools were given and say of them."""

from __future__ import annotations

import json
import os
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from targetenv.artifacts import identify, inspect
from targetenv.artifacts.aie_transaction import read_transaction
from targetenv.artifacts.pdi import read_pdi
from targetenv.artifacts.xclbin import Xclbin, read_xclbin
from targetenv.diagnostics.diagnostic import FormatError

ROOT = Path(__file__).parents[3]
FACTS: dict[str, Any] = json.loads((ROOT / "tests/corpora/xdna/facts.json").read_text())
SHARED = "shared/data/xdna"
PLACES = (Path(os.environ.get("TARGETENV_XDNA", SHARED)), ROOT.parent / SHARED, ROOT.parent.parent / SHARED)


def original(name: str) -> bytes:
    for place in PLACES:
        if (place / name).exists():
            return (place / name).read_bytes()
    pytest.skip(f"{name} is not in ../shared/data/xdna nor in $TARGETENV_XDNA")


def connected(found: Xclbin, kernel: str, argument: int) -> str | None:
    """The memory that an argument is bound to, by tag."""
    instance = next(place for place, row in enumerate(found.ips) if row.name.startswith(f"{kernel}:"))
    bound = [memory for number, of, memory in found.connections if (number, of) == (argument, instance)]
    return found.memories[bound[0]].tag if bound else None


@pytest.mark.parametrize("name", sorted(FACTS["xclbin"]))
def test_an_xclbin_holds_what_xclbinutil_says(name: str) -> None:
    facts, data = FACTS["xclbin"][name], original(name)
    found = read_xclbin(data, name)
    assert (len(data), found.length) == (facts["size"], facts["size"])
    assert found.uuid.replace("-", "") == facts["uuid"]
    assert [size for _, _, size in found.sections] == [size for _, _, size in facts["sections"]]
    assert [label for _, label, _ in found.sections] == [label for _, label, _ in facts["sections"]]
    assert [[row.tag, row.size, row.base] for row in found.memories] == facts["memories"]
    assert [[row.name, row.kernel_id] for row in found.ips] == facts["ips"]
    assert [list(row) for row in found.connections] == facts["connections"]


@pytest.mark.parametrize("name", sorted(FACTS["xclbin"]))
def test_a_partition_and_its_kernels_are_what_was_put_in(name: str) -> None:
    facts, data = FACTS["xclbin"][name], original(name)
    found = read_xclbin(data, name)
    partition, expected = found.partition, facts["partition"]
    assert partition is not None
    assert (partition.columns, list(partition.starts)) == (expected["columns"], expected["starts"])
    assert (partition.operations_per_cycle, partition.fingerprint) == (
        expected["operations_per_cycle"],
        expected["fingerprint"],
    )
    pdis = [
        [
            pdi.uuid,
            len(pdi.image),
            sha256(pdi.image).hexdigest()[:16],
            [[row.name, row.kind, row.pdi_id, list(row.kernel_ids), list(row.before)] for row in pdi.groups],
        ]
        for pdi in partition.pdis
    ]
    assert pdis == expected["pdis"]
    kernels = {
        kernel: [[row.name, row.type, row.offset, row.is_global, connected(found, kernel, row.number)] for row in arguments]
        for kernel, arguments in found.kernels.items()
    }
    assert kernels == facts["kernels"]
    inspection = inspect(data, name=name)
    assert inspection.diagnostics == (), "nothing is wrong with it"
    (artifact,) = inspection.artifacts
    assert {row.name: row.bindings for row in artifact.kernels} == {
        kernel: sum(row[3] and row[4] != "SRAM" for row in arguments) for kernel, arguments in facts["kernels"].items()
    }


@pytest.mark.parametrize("name", sorted(FACTS["pdi"]))
def test_a_pdi_holds_one_image_with_one_cdo(name: str) -> None:
    facts = FACTS["pdi"][name]
    found = read_pdi(original(name), name)
    assert (found.images, found.id_code, found.kind) == ((facts["image"],), facts["id_code"], "partial")
    assert [size for _, size in found.partitions] == [facts["cdo"]]
    assert len(found.cdos) == 1


@pytest.mark.parametrize("name", sorted(FACTS["transactions"]))
def test_a_transaction_has_the_shape_and_the_operations_in_its_header(name: str) -> None:
    facts, data = FACTS["transactions"][name], original(f"txn/{name}.bin")
    found = read_transaction(data, name)
    assert (found.generation, found.rows, found.columns) == (facts["generation"], facts["rows"], facts["columns"])
    assert sum(count for _, count in found.operations) == facts["operations"]
    elf = original(f"txn/{name}.elf")
    assert identify(elf) == "aie-elf"
    bare, wrapped = (inspect(one, name=name).artifacts[0].requires for one in (data, elf))
    assert wrapped[1:] == bare[1:], "the ELF file holds the same transaction"


@pytest.mark.parametrize("name", sorted(FACTS["pdir"]))
def test_a_pdir_has_its_entry_points_with_their_buffers(name: str) -> None:
    facts = FACTS["pdir"][name]
    (artifact,) = inspect(original(name), name=name).artifacts
    assert [(row.name, row.bindings) for row in artifact.kernels] == [
        (text, facts["arguments"]) for text in facts["entry_points"]
    ]


@pytest.mark.parametrize("name", sorted(FACTS["refused"]))
def test_what_the_tools_refuse_is_refused(name: str) -> None:
    with pytest.raises(FormatError) as caught:
        inspect(original(name), name=name)
    assert caught.value.code == FACTS["refused"][name]


def test_a_length_that_xclbinutil_does_not_check_is_a_warning() -> None:
    found = inspect(original("xclbin/bad/len_short.xclbin"), name="x")
    assert [row.code for row in found.diagnostics] == ["TE4802"]
