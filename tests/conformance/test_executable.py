"""Loading: ExecutableTest and ExecutableCacheTest of IREE's suite, and damage."""

from __future__ import annotations

import gc
from struct import pack, unpack
from typing import TYPE_CHECKING

import pytest
from targetenv_runtime.status import Code, HalError

from targetenv.model.artifact import Kernel
from tests.conformance.outcome import fails_with

if TYPE_CHECKING:
    from collections.abc import Callable

    from targetenv_runtime.device import Device
    from targetenv_runtime.executable import Executable

    from tests.conformance.kernels import Image

    Load = Callable[[str], Executable]


class TestExecutable:
    """ExecutableTest."""

    def test_export_count(self, load: Load) -> None:
        assert len(load("export0")) == 1
        assert len(load("negate_and_double")) == 2

    def test_export_info(self, load: Load) -> None:
        (function,) = load("export0")
        assert (function.name, function.constants, function.bindings) == ("export0", 8, 2)

    def test_export_info_out_of_range(self, load: Load) -> None:
        executable = load("negate_and_double")
        assert executable[1].name == "double_it"
        for ordinal in (2, 100, -1):
            with fails_with(Code.OUT_OF_RANGE):
                executable[ordinal]

    def test_prepare_executable(self, device: Device, load: Load, image_format: str) -> None:
        """ExecutableCacheTest.PrepareExecutable: a device loads; there is no cache object."""
        assert device.takes(image_format)
        assert load("abs").format == image_format

    def test_lookup_export_by_name(self, load: Load) -> None:
        executable = load("negate_and_double")
        assert executable["negate"] is executable.functions[0]
        assert executable.lookup("double_it") is executable.functions[1]

    def test_lookup_export_by_name_not_found(self, load: Load) -> None:
        with pytest.raises(HalError) as caught:
            load("export0").lookup("exprot0")
        assert caught.value.status is Code.NOT_FOUND
        assert "`export0`" in caught.value.diagnostics[0].help

    @pytest.mark.needs("executes")
    def test_cannot_prepare_unknown_format(self, device: Device) -> None:
        """ExecutableCacheTest.CantPrepareUnknownFormat."""
        assert not device.takes("FOO?")
        with fails_with(Code.INVALID_ARGUMENT):
            device.load(b"", "FOO?")

    def test_two_kernels_of_one_name_are_refused(
        self, device: Device, image: Callable[[str], Image], image_format: str
    ) -> None:
        data, kernels = image("export0")
        with fails_with(Code.INVALID_ARGUMENT):
            device.load(data, image_format, [*kernels, *kernels])

    @pytest.mark.needs("executes")
    def test_a_kernel_that_is_not_in_the_image_is_not_found(
        self, device: Device, image: Callable[[str], Image], image_format: str
    ) -> None:
        data, _ = image("export0")
        with fails_with(Code.NOT_FOUND):
            device.load(data, image_format, [Kernel("nosuch", (1, 1, 1), 2, 8)])

    @pytest.mark.needs("executes")
    @pytest.mark.parametrize("keep", [0.0, 0.01, 0.3])
    def test_a_truncated_image_is_an_invalid_argument(
        self, device: Device, image: Callable[[str], Image], image_format: str, keep: float
    ) -> None:
        data, kernels = image("scale_and_offset")
        with fails_with(Code.INVALID_ARGUMENT):
            device.load(data[: int(len(data) * keep)], image_format, kernels)

    @pytest.mark.needs("executes")
    def test_noise_is_an_invalid_argument(self, device: Device, image: Callable[[str], Image], image_format: str) -> None:
        _, kernels = image("export0")
        with fails_with(Code.INVALID_ARGUMENT):
            device.load(bytes(range(256)) * 16, image_format, kernels)

    @pytest.mark.needs("executes")
    def test_an_image_may_be_loaded_twice_and_each_lives_alone(
        self, device: Device, image: Callable[[str], Image], image_format: str
    ) -> None:
        data, kernels = image("scale_and_offset")
        first, second = (device.load(data, image_format, kernels) for _ in range(2))
        del first
        gc.collect()
        source, target = device.allocate(4), device.allocate(4)
        source.write(pack("<i", 20))
        second["scale_and_offset"].run((1, 1, 1), [source, target], pack("<2i", 2, 2))
        assert unpack("<i", target.read()) == (42,)

    @pytest.mark.needs("executes")
    def test_a_function_keeps_its_executable(self, device: Device, image: Callable[[str], Image], image_format: str) -> None:
        data, kernels = image("scale_and_offset")
        function = device.load(data, image_format, kernels)["scale_and_offset"]
        gc.collect()
        source, target = device.allocate(4), device.allocate(4)
        source.write(pack("<i", 1))
        function.run((1, 1, 1), [source, target], pack("<2i", 5, 5))
        assert unpack("<i", target.read()) == (10,)

    @pytest.mark.needs("executes", "faults")
    def test_a_function_of_another_device_is_refused(self, device: Device, load: Load) -> None:
        from targetenv_runtime.device import open_device

        with open_device("null://0") as stranger:
            function = stranger.load(b"", "anything", [Kernel("abs", (1, 1, 1), 2, 0)])["abs"]
            with fails_with(Code.INVALID_ARGUMENT):
                device.queue.dispatch(function, (1, 1, 1), [device.allocate(4), device.allocate(4)])
        assert load("abs")["abs"].name == "abs"
