"""What one form of a device file says, the next one says too, but for what the writer names as lost."""

from __future__ import annotations

import json
import re
from functools import cache
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from targetenv.model.capabilities import Capabilities, CooperativeMatrix
from targetenv.model.device import Device
from targetenv.model.record import replace
from targetenv.registry.vulkan_device import subgroup_sizes
from targetenv.wire.capsviewer_writer import write_capsviewer
from targetenv.wire.device_files import contents, read_device
from targetenv.wire.profile_writer import write_profile
from targetenv.wire.snapshot import write_snapshot

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

RECORDED = Path(__file__).parents[1] / "corpora" / "devices"
WHO = re.compile(r"VkPhysicalDeviceProperties::(deviceName|vendorID)")
MATRIX = CooperativeMatrix(16, 16, 16, "f16", "f16", "f32", "f32")


@cache
def _recorded(index: int) -> Device:
    path = sorted(RECORDED.glob("*.json.gz"))[index]
    return read_device(contents(str(path)), name=path.name).device


def _part(names: Iterable[str], kept: st.DrawFn) -> frozenset[str]:
    """About as many of the names as a drawn number says, always the same ones for the same number."""
    share = kept(st.sampled_from((0, 1, 2, 5)))
    return frozenset(name for at, name in enumerate(sorted(names)) if share and at % 5 < share)


@st.composite
def devices(draw: st.DrawFn) -> Device:
    """A real device of which only a part is told."""
    device = _recorded(draw(st.integers(0, 39)))
    offers = device.offers
    told = _part((row.name for row in offers.properties), draw)
    properties = tuple(row for row in offers.properties if row.name in told or row.name.endswith("::apiVersion"))
    features = _part(offers.features, draw)
    derived = subgroup_sizes(features, {row.name: row.value for row in properties})
    part = replace(
        offers,
        features=features,
        denied=_part(offers.denied, draw),
        extensions=_part(offers.extensions, draw),
        properties=properties,
        subgroup_sizes=draw(st.sampled_from((derived, frozenset({4})))),
        matrices=draw(st.sampled_from((frozenset(), frozenset({MATRIX})))),
        unstated=frozenset(),
        complete=draw(st.booleans()),
    )
    return replace(device, offers=part)


def _comparable(offers: Capabilities) -> Capabilities:
    return replace(offers, unstated=frozenset())


@given(devices())
def test_a_snapshot_loses_nothing(device: Device) -> None:
    assert read_device(write_snapshot([device]), name="x").device == device


@given(devices())
def test_a_profile_says_everything_but_what_it_names_as_lost(device: Device) -> None:
    made = write_profile([device])
    back = read_device(made.text.encode(), name="x").device.offers
    ours, lost = device.offers, set(made.losses)
    assert back.version == ours.version
    assert back.features == ours.features
    assert back.extensions <= ours.extensions
    assert all(any(f"extension {name}," in loss for loss in lost) for name in ours.extensions - back.extensions)
    assert back.complete == ours.complete
    assert (back.denied == ours.denied) != ("features that are known to be missing" in lost)
    assert (back.subgroup_sizes == ours.subgroup_sizes) != ("subgroup sizes" in lost)
    assert (back.matrices == ours.matrices) != ("cooperative matrix rows" in lost)
    there, here = ({row.name: row.value for row in side.properties} for side in (back, ours))
    gone = {name for name in here if name not in there}
    assert all(any(name in loss for loss in lost) for name in gone)
    assert not gone or not ours.complete
    assert {name: value for name, value in here.items() if name in there} == {
        name: value for name, value in there.items() if name in here
    }
    assert set(there) - set(here) <= {"VkPhysicalDeviceProperties::deviceName"}


@given(devices())
def test_a_report_says_everything_but_what_it_names_as_lost(device: Device) -> None:
    made = write_capsviewer(device)
    back = read_device(made.text.encode(), name="x").device
    ours, lost = device.offers, set(made.losses)
    assert back.offers.extensions == ours.extensions
    assert (back.queues, back.memory) == (device.queues, device.memory)
    for mine, theirs in ((ours.features, back.offers.features), (ours.denied, back.offers.denied)):
        assert theirs <= mine
        assert mine - theirs <= {loss.removeprefix("feature ") for loss in lost}
    there, here = ({row.name: row.value for row in side.properties} for side in (back.offers, ours))
    assert all(f"property {name}" in lost for name in here if there.get(name) != here[name])
    assert (back.offers.complete == ours.complete) != ("that only a part of the device is known" in lost)


@given(devices())
def test_what_went_through_a_form_once_goes_through_it_unchanged(device: Device) -> None:
    for write in (lambda each: write_profile([each]), write_capsviewer):
        once = read_device(write(device).text.encode(), name="x").device
        twice = read_device(write(once).text.encode(), name="x").device
        assert _comparable(twice.offers) == _comparable(once.offers)


@given(st.lists(devices(), min_size=2, max_size=4))
def test_several_devices_are_profiles_of_different_names_in_one_file(several: list[Device]) -> None:
    profiles = json.loads(write_profile(several).text)["profiles"]
    assert len(profiles) == len(several)
    assert all(re.fullmatch(r"VP_[A-Z0-9]+_[A-Za-z0-9_]+", name) for name in profiles)
