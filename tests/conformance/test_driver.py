"""Finding and opening devices: DriverTest of IREE's suite, and what it lacks."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from targetenv_runtime.device import open_device
from targetenv_runtime.drivers.table import driver
from targetenv_runtime.status import Code

from targetenv.model import document
from tests.conformance.outcome import fails_with

if TYPE_CHECKING:
    from collections.abc import Callable

    from targetenv_runtime.device import Device

    from targetenv.model.device import Device as Described
    from tests.conformance.backends import Backend


@pytest.fixture
def found(backend: Backend, fresh: Callable[[], Device]) -> list[Described]:
    """What the driver finds; skips where there is nothing."""
    fresh().close()
    devices, _ = driver(backend.driver).probe().probe()
    return devices


class TestDriver:
    """DriverTest."""

    def test_query_and_create_available_devices_by_ordinal(self, backend: Backend, found: list[Described]) -> None:
        """And ...ByID: a device's URI is its ordinal."""
        assert [device.uri for device in found] == [f"{backend.driver}://{number}" for number in range(len(found))]
        for described in found:
            with open_device(described.uri) as device:
                assert device.uri == described.uri
                assert device.info.name == described.name

    def test_query_and_create_available_devices_by_path(self, backend: Backend, found: list[Described]) -> None:
        """An empty path is the first device; an identity is a path."""
        for empty in (backend.driver, f"{backend.driver}://"):
            with open_device(empty) as device:
                assert device.uri == found[0].uri
        for described in found:
            for uuid in (value for name, value in described.identity if name in ("uuid", "deviceUUID")):
                with open_device(f"{backend.driver}://{uuid}") as device:
                    assert device.info.name == described.name

    def test_a_device_that_is_not_there_is_not_found(self, backend: Backend, found: list[Described]) -> None:
        for selector in (str(len(found)), "nonsense", "-1", "9" * 40):
            with fails_with(Code.NOT_FOUND):
                open_device(f"{backend.driver}://{selector}")

    def test_an_option_that_no_driver_has_is_refused(self, found: list[Described]) -> None:
        """IREE's CUDA driver ignores what it does not know."""
        with fails_with(Code.INVALID_ARGUMENT):
            open_device(found[0].uri, nonsense=1)

    def test_two_probes_agree_and_are_plain_data(self, backend: Backend, found: list[Described]) -> None:
        again, _ = driver(backend.driver).probe().probe()
        assert again == found
        for described in found:
            text = json.dumps(document.of_device(described))
            assert document.to_device(json.loads(text)) == described

    def test_an_open_device_says_what_the_probe_said(self, device: Device, found: list[Described]) -> None:
        (described,) = [each for each in found if each.uri == device.uri]
        assert (device.info.name, device.info.offers.formats) == (described.name, described.offers.formats)
