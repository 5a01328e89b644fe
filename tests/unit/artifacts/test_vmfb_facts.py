"""Our reader finds in modules made by eight releases of IREE what was recorded of them by another program."""

from __future__ import annotations

import json
import os
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from targetenv.artifacts import Inspection, inspect
from targetenv.artifacts.elf import MACHINES
from targetenv.artifacts.iree_module import read_module
from targetenv.model.requirement import NeedsCapability, NeedsExtension, NeedsVersion
from targetenv.model.version import Version

ROOT = Path(__file__).parents[3]
FACTS: dict[str, Any] = json.loads((ROOT / "tests/corpora/vmfb/facts.json").read_text())
SHARED = "shared/data/vmfb"
PLACES = (Path(os.environ.get("TARGETENV_VMFB", SHARED)), ROOT.parent / SHARED, ROOT.parent.parent / SHARED)


def original(name: str) -> bytes:
    for place in PLACES:
        if (place / name).exists():
            return (place / name).read_bytes()
    pytest.skip(f"{name} is not in ../shared/data/vmfb nor in $TARGETENV_VMFB")


def executables(found: Inspection) -> list[tuple[Inspection, memoryview]]:
    return [(member.inspection, member.payload) for member in found.members]


@pytest.mark.parametrize("name", sorted(FACTS))
def test_the_module_itself_is_as_recorded(name: str) -> None:
    facts, data = FACTS[name], original(name)
    module = read_module(data, name)
    assert len(data) == facts["size"]
    assert module.name == facts["module"]
    assert [list(row) for row in module.dependencies] == facts["deps"]
    assert list(module.exports) == facts["exports"]
    segments = [["embedded" if row.embedded else "external", len(row.data), row.place] for row in module.segments]
    assert segments == facts["data"]
    named = [[row.name, len(row.data)] for row in module.segments if row.name is not None]
    assert sorted(named) == sorted(facts["members"][1:]), "every member of the archive but the module is a data segment"
    assert module.version in ((13, 0), (15, 0), (17, 0))


@pytest.mark.parametrize("name", sorted(FACTS))
def test_the_formats_and_targets_are_as_recorded(name: str) -> None:
    facts, data = FACTS[name], original(name)
    found = inspect(data, name=name)
    assert [value for key, value in found.details if key == "asks for"] == facts["asks_for"]
    targets = [value for key, value in found.details if key == "target"]
    assert len(facts["devices"]) <= 1, "a device for each list of targets"
    for length, digest in facts["devices"]:
        device = targets[0].split('"')[1].partition("-")[0]
        device = {"rocm": "hip", "llvm": "local", "vmvx": "local"}.get(device, device)
        attribute = f'#hal.device.target<"{device}", [{", ".join(targets)}]>'
        assert (len(attribute), sha256(attribute.encode()).hexdigest()[:16]) == (length, digest)
    if facts["devices"]:
        assert [row.target for row in found.artifacts] == targets * (len(found.artifacts) // len(targets)), "each has its own"
    else:
        assert {row.target for row in found.artifacts} == {None}, "nothing in the file says it"


@pytest.mark.parametrize("name", sorted(FACTS))
def test_the_executables_are_as_recorded(name: str) -> None:
    facts, data = FACTS[name], original(name)
    module = read_module(data, name)
    rows = executables(inspect(data, name=name))
    assert len(rows) == len(facts["executables"])
    for (found, payload), expected in zip(rows, facts["executables"], strict=True):
        assert payload == module.segments[expected["data"]].data
        if "machine" in expected:
            assert MACHINES[int.from_bytes(payload[18:20], "little")] == expected["machine"]
        elif "vmvx" in expected:
            assert found.format == "vmvx-bytecode-fb"
        else:
            assert dict(found.details)["schema"] == expected["schema"]
            compare_code(found, expected)


def compare_code(found: Inspection, expected: dict[str, Any]) -> None:
    modules = [(artifact, member.payload) for member in found.members for artifact in member.inspection.artifacts]
    kernels = [kernel for artifact, _ in modules for kernel in artifact.kernels]
    if "spirv" in expected:
        pipelines = [[row.name, 0, row.subgroup_size or 0] for row in kernels]
        assert pipelines == expected["pipelines"]
        for (artifact, payload), row in zip(modules, expected["spirv"], strict=True):
            assert len(payload) == 4 * row["words"]
            needs = artifact.requires
            assert NeedsVersion("spirv", Version.parse(row["version"])) in needs
            assert [need.name for need in needs if isinstance(need, NeedsCapability)] == row["capabilities"]
            assert [need.name for need in needs if isinstance(need, NeedsExtension)] == row["extensions"]
            assert [list(kernel.workgroup_size or ()) for kernel in artifact.kernels] == row["local_size"]
    if "msl" in expected:
        assert [[row.name, list(row.workgroup_size or ())] for row in kernels] == expected["pipelines"]
        stated = [value for key, value in found.details if key == "Metal language version"]
        assert stated == [f"{version >> 16}.{version & 0xFFFF}" for version in expected["msl"]]
    if "exports" in expected:
        payloads = [member.payload for member in found.members]
        assert [len(payload) for payload in payloads] == expected["images"]
        entries = [value for key, value in found.details if key == "entry point"]
        for text, (export, ordinal, workgroup, shared, constants) in zip(entries, expected["exports"], strict=True):
            assert text.startswith(f"{export} (module {ordinal}, workgroup {'x'.join(map(str, workgroup))}")
            assert (f"{shared} bytes of local memory" in text) == bool(shared)
            assert ("of constants" in text) == bool(constants)
    if "ptx" in expected or "ptx_target" in expected:
        target = expected["ptx"][1] if "ptx" in expected else expected["ptx_target"]
        assert f".target {target}".encode() in bytes(found.members[0].payload)
