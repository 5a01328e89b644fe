"""One suite, every driver: the cases are made for each backend (and format, and way of recording) that they fit."""

from __future__ import annotations

import gc
import random
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

import pytest
from targetenv_runtime.status import Code, HalError

from tests.conformance.backends import BACKENDS, Backend
from tests.conformance.kernels import Images, ToolMissing

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Never

    from targetenv_runtime.backend import Backend as Driver
    from targetenv_runtime.device import Device
    from targetenv_runtime.executable import Executable
    from targetenv_runtime.queue import Queue

    from tests.conformance.kernels import Image

    Load = Callable[[str], Executable]


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "needs(*tags): the case is made only for backends that have these tags")


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    seed = config.getoption("--shuffle")
    if seed is not None:
        random.Random(seed).shuffle(items)


def pytest_collection_finish() -> None:
    """Cases look at what is freed: a collection should not have to walk through thousands of cases each time."""
    gc.collect()
    gc.freeze()


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    needs = {tag for mark in metafunc.definition.iter_markers("needs") for tag in mark.args}
    fitting = [backend for backend in BACKENDS if needs <= backend.tags]
    if "image_kind" in metafunc.fixturenames:
        pairs = [(backend, kind) for backend in fitting for kind in backend.formats]
        rows = [
            pytest.param(*pair, id="-".join((pair[0].name, pair[1].replace(" ", "-"))), marks=_marks(metafunc, pair[0]))
            for pair in pairs
        ]
        metafunc.parametrize(("backend", "image_kind"), rows, scope="session")
    elif "backend" in metafunc.fixturenames:
        rows = [pytest.param(backend, id=backend.name, marks=_marks(metafunc, backend)) for backend in fitting]
        metafunc.parametrize("backend", rows, scope="session")


def _marks(metafunc: pytest.Metafunc, backend: Backend) -> list[pytest.MarkDecorator]:
    suite = metafunc.cls.__name__ if metafunc.cls else ""
    case = f"{suite}.{metafunc.function.__name__}"
    marks = [pytest.mark.conformance]
    marks += [pytest.mark.skip(reason=rule.reason) for rule in backend.unsupported if fnmatchcase(case, rule.pattern)]
    marks += [
        pytest.mark.xfail(reason=rule.reason, strict=True)
        for rule in backend.expected_failures
        if fnmatchcase(case, rule.pattern)
    ]
    return marks


class _Devices:
    """One open device per backend, for all cases that do not break it."""

    def __init__(self, required: frozenset[str]) -> None:
        self._required = required
        self._open: dict[str, Device | HalError] = {}

    def get(self, backend: Backend) -> Device:
        if backend.name not in self._open:
            self._open[backend.name] = self.new(backend, remember=True)
        device = self._open[backend.name]
        if isinstance(device, HalError):
            self.absent(backend, device)
        return device

    def new(self, backend: Backend, *, remember: bool = False) -> Device:
        try:
            return backend.open()
        except HalError as error:
            if error.status not in (Code.UNAVAILABLE, Code.UNIMPLEMENTED):
                raise
            if remember:
                self._open[backend.name] = error
            self.absent(backend, error)

    def absent(self, backend: Backend, why: Exception) -> Never:
        if backend.driver in self._required:
            pytest.fail(f"driver {backend.driver} is required: {why}")
        pytest.skip(f"{backend.driver}: {why}")

    def close(self) -> None:
        for device in self._open.values():
            if not isinstance(device, HalError):
                device.close()


@pytest.fixture(scope="session")
def devices(required_drivers: frozenset[str]) -> Iterator[_Devices]:
    opened = _Devices(required_drivers)
    yield opened
    opened.close()


@pytest.fixture
def device(backend: Backend, devices: _Devices) -> Iterator[Device]:
    """The backend's device, shared by all cases."""
    opened = devices.get(backend)
    yield opened
    assert_silent(backend, opened.backend)


@pytest.fixture
def fresh(backend: Backend, devices: _Devices) -> Iterator[Callable[[], Device]]:
    """Opens a device of the case's own, to be broken, closed or dropped."""
    opened: list[Driver] = []

    def open_another() -> Device:
        device = devices.new(backend)
        opened.append(device.backend)
        return device

    yield open_another
    for driver in opened:
        assert_silent(backend, driver)


def assert_silent(backend: Backend, driver: Driver) -> None:
    """Nothing was said by the API's validation."""
    if backend.validation:
        assert list(driver.validation_messages) == []  # type: ignore[attr-defined]  # of such backends only


@pytest.fixture
def queue(device: Device) -> Queue:
    """The first queue."""
    return device.queues[0]


@pytest.fixture
def other(device: Device) -> Queue:
    """Another queue where there is one."""
    return device.queues[-1]


@pytest.fixture(scope="session")
def images(tmp_path_factory: pytest.TempPathFactory) -> Images:
    return Images(tmp_path_factory.mktemp("kernels"))


@pytest.fixture
def image_format(image_kind: str) -> str:
    """What `Device.load` calls the case's kind of executable: kinds of one format differ in how kernels take their buffers."""
    return image_kind.partition(" ")[0]


@pytest.fixture
def image(backend: Backend, image_kind: str, images: Images, devices: _Devices) -> Callable[[str], Image]:
    """Executables by name, in the case's format."""

    def get(name: str) -> Image:
        try:
            return images.get(image_kind, name)
        except ToolMissing as missing:
            devices.absent(backend, missing)

    return get


@pytest.fixture
def load(device: Device, image_format: str, image: Callable[[str], Image]) -> Load:
    """Loads one of the suite's executables."""

    def get(name: str) -> Executable:
        data, kernels = image(name)
        return device.load(data, image_format, kernels)

    return get


@pytest.fixture(params=["direct", "indirect"])
def indirect(request: pytest.FixtureRequest) -> bool:
    """Whether command buffers name their buffers through slots of a binding table."""
    return bool(request.param == "indirect")
