"""Kernels give the same results however they are run, and every failure has a code and the kernel's name."""

from __future__ import annotations

import gc
import signal
import struct
import threading
import time
import weakref
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from targetenv_runtime.buffer import Buffer, Slot
from targetenv_runtime.command_buffer import CommandBuffer
from targetenv_runtime.device import open_device
from targetenv_runtime.drivers.cpu import schedule
from targetenv_runtime.drivers.cpu.backend import CpuBackend
from targetenv_runtime.drivers.cpu.loops import Loops, run_records, run_share
from targetenv_runtime.status import Code, HalError

from targetenv.model.artifact import Kernel

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from targetenv_runtime.device import Device
    from targetenv_runtime.executable import Executable

KERNELS = (
    Kernel("number", bindings=1, constants=4),
    Kernel("axpy", bindings=2, constants=8),
    Kernel("fail_at", bindings=1, constants=4),
    Kernel("scratch", bindings=1, constants=0),
    Kernel("count", bindings=1, constants=0),
    Kernel("describe", bindings=1, constants=6),
    Kernel("nothing", bindings=0, constants=0),
)


def backend(device: Device) -> CpuBackend:
    assert isinstance(device.backend, CpuBackend)
    return device.backend


@pytest.fixture(params=["native loops", "python loops"])
def device(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Device]:
    if request.param == "python loops":
        monkeypatch.setattr(Loops, "__init__", _refused)
    with open_device("cpu://0", threads=3) as opened:
        yield opened


def _refused(self: Loops, *, machine: str) -> None:
    self.native, self.reason = False, f"refused on {machine}, for this test"
    self.records, self.share = run_records, run_share


@pytest.fixture
def executable(device: Device, image: bytes, image_format: str) -> Executable:
    return device.load(image, image_format, KERNELS)


@pytest.fixture
def wide(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every grid of more than one workgroup is worth all threads."""
    monkeypatch.setattr(schedule, "WORTH", 0)


def words(device: Device, count: int) -> tuple[Buffer, np.ndarray]:
    buffer = device.allocate(4 * count)
    array = buffer.numpy("uint32")
    array[:] = 0
    return buffer, array


def u32(*values: int) -> bytes:
    return struct.pack(f"<{len(values)}I", *values)


def code(error: pytest.ExceptionInfo[HalError]) -> Code:
    return error.value.status


GRIDS = [(1,), (7,), (3, 4), (5, 3, 4), (1, 1, 9), (300, 2, 2)]


@pytest.mark.parametrize("grid", GRIDS)
def test_every_way_of_running_visits_each_workgroup_once(device: Device, executable: Executable, grid: tuple[int, ...]) -> None:
    total = int(np.prod(grid))
    buffer, seen = words(device, total)
    expected = np.arange(total, dtype="uint32") + 5
    number = executable["number"]

    number.run(grid, [buffer], u32(5))
    assert np.array_equal(seen, expected)

    bound = number.bind(grid, [buffer], u32(5))
    for times in (2, 3, 4, 5):
        bound.run()
        assert np.array_equal(seen, times * expected)

    commands = device.command_buffer()
    commands.dispatch(number, grid, [buffer], u32(5))
    commands.barrier()
    commands.dispatch(number, grid, [buffer[0 : 4 * total]], u32(5))
    commands.end()
    done = device.semaphore()
    for round_ in (1, 2, 3, 4):
        device.queue.execute(commands, signal=[(done, round_)])
        done.wait(round_)
        assert np.array_equal(seen, (5 + 2 * round_) * expected)


@pytest.mark.parametrize("grid", GRIDS)
@pytest.mark.usefixtures("wide")
def test_a_spread_grid_visits_each_workgroup_once(device: Device, executable: Executable, grid: tuple[int, ...]) -> None:
    total = int(np.prod(grid))
    buffer, seen = words(device, total)
    bound = executable["number"].bind(grid, [buffer], u32(5))

    for _ in range(5):
        bound.run()

    assert np.array_equal(seen, 5 * (np.arange(total, dtype="uint32") + 5))


def test_who_keeps_only_the_run_of_a_bound_dispatch_keeps_its_memory(device: Device, executable: Executable) -> None:
    buffer = device.allocate(4 << 20)
    alive = weakref.ref(buffer.allocation)
    run = executable["count"].bind((1,), [buffer]).run
    del buffer
    gc.collect()
    run()
    assert alive() is not None
    del run
    gc.collect()
    assert alive() is None


@pytest.mark.usefixtures("wide")
def test_each_thread_has_scratch_memory_of_its_own(device: Device, executable: Executable) -> None:
    buffer, seen = words(device, 400)
    bound = executable["scratch"].bind((400,), [buffer])

    for _ in range(4):
        seen[:] = 0
        bound.run()
        assert np.array_equal(seen, np.arange(400))


@pytest.mark.usefixtures("wide")
def test_an_interrupted_dispatch_leaves_no_thread_at_work_behind(device: Device, executable: Executable) -> None:
    """A signal's handler that raises is heard when the kernel is left, and not before every thread has left it."""
    buffer, seen = words(device, 20_000)
    bound = executable["scratch"].bind((20_000,), [buffer])
    for _ in range(3):
        bound.run()  # the threads are there: `Thread.start` itself cannot bear a handler that raises

    def handler(*_: object) -> None:
        raise TimeoutError

    before = signal.signal(signal.SIGALRM, handler)
    try:
        with pytest.raises(TimeoutError):  # noqa: PT012  the signal may come between two runs
            signal.setitimer(signal.ITIMER_REAL, 0.02)
            while True:
                bound.run()
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    seen[:] = 0xFFFFFFFF
    time.sleep(0.02)

    assert (seen == 0xFFFFFFFF).all()
    bound.run()
    assert np.array_equal(seen, np.arange(20_000))


def test_one_bound_dispatch_may_be_run_by_many_threads_at_once(device: Device, executable: Executable) -> None:
    buffer, seen = words(device, 40)
    bounds = [executable["scratch"].bind((40,), [buffer]), executable["axpy"].bind((1,), [buffer, buffer], bytes(8))]
    failures: list[HalError] = []

    def work() -> None:
        try:
            for _ in range(50):
                for bound in bounds:
                    bound.run()
        except HalError as error:
            failures.append(error)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert not failures
    assert np.array_equal(seen, np.arange(40))


def test_unbound_runs_from_many_threads_do_not_share_arguments(device: Device, executable: Executable) -> None:
    failures: list[int] = []

    def work(constant: int) -> None:
        buffer, seen = words(device, 1)
        for _ in range(200):
            executable["number"].run((1,), [buffer], u32(constant))
        if seen[0] != 200 * constant:
            failures.append(constant)

    threads = [threading.Thread(target=work, args=(constant,)) for constant in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert not failures


def test_kernels_are_told_their_dispatch(device: Device, executable: Executable) -> None:
    buffer, seen = words(device, 8)

    executable["describe"].run((1, 1, 1), [buffer], bytes(6))

    assert list(seen) == [1, 1, 1, 1, 1, 1, 2, 1]
    assert executable["axpy"].workgroup_size == (64, 1, 1)
    assert executable["scratch"].kernel.local_memory == 8192


def test_slots_are_filled_at_each_execution(device: Device, executable: Executable) -> None:
    (first, seen_first), (second, seen_second) = words(device, 8), words(device, 8)
    commands = device.command_buffer(slots=1)
    commands.dispatch(executable["number"], (4,), [Slot(0)], u32(1))
    commands.barrier()
    commands.dispatch(executable["number"], (2,), [Slot(0, 16)], u32(10))
    commands.end()
    done = device.semaphore()
    for value, buffer in enumerate((first, second, first, second, second), 1):
        device.queue.execute(commands, [buffer], signal=[(done, value)])

    assert list(seen_first) == [2, 4, 6, 8, 20, 22, 0, 0]
    assert list(seen_second) == [3, 6, 9, 12, 30, 33, 0, 0]


def test_memory_commands_take_any_size_and_alignment(device: Device) -> None:
    source, target = device.allocate(300_007), device.allocate(300_007)
    source.write(bytes(range(256)) * 1171 + bytes(231))
    commands = device.command_buffer()
    commands.fill(target[0:3], b"\xab")
    commands.fill(target[3:10], b"\x01\x02")
    commands.fill(target[11:150_002], b"\x01\x02\x03\x04")
    commands.copy(source[5:100_005], target[160_001:260_001])
    commands.update(target[260_001:260_008], b"updated")
    commands.end()
    device.queue.execute(commands, signal=[(device.semaphore(), 1)])

    seen = target.read()
    assert seen[:10] == b"\xab\xab\xab\x01\x02\x01\x02\x01\x02\x01"
    assert seen[11:150_002] == (b"\x01\x02\x03\x04" * 37_498)[: 150_002 - 11]
    assert seen[160_001:260_001] == source.read(5, 100_000)
    assert seen[260_001:260_008] == b"updated"


@pytest.mark.parametrize("grid", [(0,), (0, 4), (3, 0, 3), (3, 3, 0)])
def test_a_grid_with_a_zero_does_nothing(device: Device, executable: Executable, grid: tuple[int, ...]) -> None:
    buffer, seen = words(device, 4)
    executable["number"].run(grid, [buffer], u32(1))
    executable["number"].bind(grid, [buffer], u32(1)).run()

    assert not seen.any()


# --- failures


@pytest.mark.parametrize("threads", ["one", "all"])
def test_a_kernel_that_returns_non_zero_is_named(
    device: Device, executable: Executable, threads: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(schedule, "WORTH", 0 if threads == "all" else 1 << 62)
    buffer, _ = words(device, 64)
    fail_at = executable["fail_at"]
    bound = fail_at.bind((64,), [buffer], u32(50))
    runs: list[Callable[[], object]] = [lambda: fail_at.run((64,), [buffer], u32(50)), bound.run, bound.run, bound.run]
    for run in runs:
        with pytest.raises(HalError, match="kernel `fail_at` returned 42") as error:
            run()
        assert code(error) is Code.ABORTED
        assert error.value.context["kernel"] == "fail_at"


def test_a_negative_return_value_is_shown_as_such(device: Device, executable: Executable) -> None:
    buffer, _ = words(device, 2)
    with pytest.raises(HalError, match="kernel `number` returned -3"):
        executable["number"].run((3,), [buffer], u32(0))


def test_a_failing_recorded_dispatch_fails_the_signal_and_is_named(device: Device, executable: Executable) -> None:
    buffer, seen = words(device, 4)
    commands = device.command_buffer()
    commands.dispatch(executable["nothing"], (1,))
    commands.barrier()
    commands.dispatch(executable["fail_at"], (1,), [buffer], u32(0))
    commands.barrier()
    commands.dispatch(executable["number"], (1,), [buffer], u32(9))
    commands.end()
    done = device.semaphore()

    device.queue.execute(commands, signal=[(done, 1)])

    with pytest.raises(HalError, match="kernel `fail_at` returned 42") as error:
        done.wait(1)
    assert code(error) is Code.ABORTED
    assert not seen.any()


def test_a_kernel_that_is_not_there_is_not_found_and_others_are_named(device: Device, image: bytes, image_format: str) -> None:
    with pytest.raises(HalError) as error:
        device.load(image, image_format, [Kernel("axpi")])

    assert code(error) is Code.NOT_FOUND
    assert "`axpy`" in str(error.value)
    assert "`plain`" not in str(error.value)


def test_an_exported_function_without_a_range_entry_is_no_kernel(device: Device, image: bytes, image_format: str) -> None:
    with pytest.raises(HalError) as error:
        device.load(image, image_format, [Kernel("plain")])

    assert code(error) is Code.NOT_FOUND


def test_an_entry_point_may_have_another_name(device: Device, image: bytes, image_format: str) -> None:
    executable = device.load(image, image_format, [Kernel("mine", bindings=1, constants=4, entry_point="number")])
    buffer, seen = words(device, 3)
    executable["mine"].run((3,), [buffer], u32(1))

    assert list(seen) == [1, 2, 3]


def test_a_workgroup_size_that_the_image_contradicts_is_refused(device: Device, image: bytes, image_format: str) -> None:
    with pytest.raises(HalError, match="64x1x1") as error:
        device.load(image, image_format, [Kernel("axpy", workgroup_size=(32, 1, 1))])

    assert code(error) is Code.INVALID_ARGUMENT


def test_a_workgroup_size_comes_from_the_caller_where_the_image_has_none(
    device: Device, image: bytes, image_format: str
) -> None:
    kernel = Kernel("describe", workgroup_size=(8, 4, 2), bindings=1, constants=0)
    buffer, seen = words(device, 8)
    device.load(image, image_format, [kernel])["describe"].run((1,), [buffer])

    assert list(seen[:3]) == [8, 4, 2]


@pytest.mark.parametrize("damage", [b"", b"\x7fELF", b"MZ" + bytes(200), "half", "other machine"])
def test_an_image_that_is_no_library_of_this_machine_is_refused(
    device: Device, image: bytes, image_format: str, damage: bytes | str
) -> None:
    damaged = damage if isinstance(damage, bytes) else image[: len(image) // 2]
    if damage == "other machine":
        damaged = image[:18] + b"\x08\x00" + image[20:]
    with pytest.raises(HalError) as error:
        device.load(damaged, image_format, KERNELS)

    assert code(error) is Code.INVALID_ARGUMENT


def test_a_third_dimension_beyond_the_abi_is_out_of_range(device: Device, executable: Executable) -> None:
    buffer, _ = words(device, 1)
    runs: list[Callable[[], object]] = [
        lambda: executable["number"].bind((1, 1, 65536), [buffer], u32(0)),
        lambda: executable["number"].run((1, 1, 65536), [buffer], u32(0)),
    ]
    for run in runs:
        with pytest.raises(HalError) as error:
            run()
        assert code(error) is Code.OUT_OF_RANGE


def test_arguments_that_do_not_fit_are_refused(device: Device, executable: Executable) -> None:
    buffer, _ = words(device, 8)
    closed, _ = words(device, 8)
    closed.close()
    number = executable["number"]
    with open_device("cpu://0") as other:
        foreign = other.allocate(64)
        wrong: list[tuple[object, object, object, Code]] = [
            ((1,), [], u32(1), Code.INVALID_ARGUMENT),
            ((1,), [buffer, buffer], u32(1), Code.INVALID_ARGUMENT),
            ((1,), [buffer], b"", Code.INVALID_ARGUMENT),
            ((1,), [buffer], u32(1, 2), Code.INVALID_ARGUMENT),
            ((1,), [buffer[2:]], u32(1), Code.INVALID_ARGUMENT),
            ((1,), [buffer[4:4]], u32(1), Code.INVALID_ARGUMENT),
            ((1,), [foreign], u32(1), Code.INVALID_ARGUMENT),
            ((1,), [closed], u32(1), Code.FAILED_PRECONDITION),
            ((), [buffer], u32(1), Code.INVALID_ARGUMENT),
            ((1, 1, 1, 1), [buffer], u32(1), Code.INVALID_ARGUMENT),
            ((-1,), [buffer], u32(1), Code.OUT_OF_RANGE),
            ((1 << 32,), [buffer], u32(1), Code.OUT_OF_RANGE),
        ]
        for grid, bindings, constants, expected in wrong:
            with pytest.raises(HalError) as error:
                number.run(grid, bindings, constants)  # type: ignore[arg-type]
            assert code(error) is expected, (grid, bindings, constants)


def test_too_much_memory_is_resource_exhausted(device: Device) -> None:
    for size in (1 << 60, 1 << 70):
        with pytest.raises(HalError) as error:
            device.allocate(size)
        assert code(error) is Code.RESOURCE_EXHAUSTED


@pytest.mark.parametrize("uri", ["cpu://1", "cpu://zen4"])
def test_there_is_one_cpu_device(uri: str) -> None:
    with pytest.raises(HalError) as error:
        open_device(uri)
    assert code(error) is Code.NOT_FOUND


@pytest.mark.parametrize("options", [{"threads": 0}, {"threads": "many"}, {"theads": 2}])
def test_options_are_checked(options: dict[str, object]) -> None:
    with pytest.raises(HalError) as error:
        open_device("cpu://0", **options)  # type: ignore[arg-type]
    assert code(error) is Code.INVALID_ARGUMENT


# --- lifetimes


def test_memory_outlives_its_buffer_as_long_as_somebody_looks(device: Device) -> None:
    buffer = device.allocate(1 << 20)
    array = buffer.numpy("uint8")
    array[:] = 7
    buffer.close()
    del buffer
    gc.collect()

    assert array.sum() == 7 << 20


def test_threads_start_when_a_grid_is_spread_and_end_with_the_device(
    image: bytes, image_format: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = threading.active_count()
    with open_device("cpu://0", threads=4) as device:
        executable = device.load(image, image_format, KERNELS)
        buffer, _ = words(device, 64)
        executable["number"].run((1,), [buffer], u32(0))
        assert threading.active_count() == before
        monkeypatch.setattr(schedule, "WORTH", 0)
        executable["number"].run((64,), [buffer], u32(0))
        assert threading.active_count() == before + 3
        del executable, buffer, _
    gc.collect()

    assert threading.active_count() == before


def test_a_library_is_unloaded_with_its_last_function(device: Device, image: bytes, image_format: str) -> None:
    def mapped() -> int:
        return Path("/proc/self/maps").read_text().count("targetenv-kernels")

    before = mapped()
    executable = device.load(image, image_format, KERNELS)
    function = executable["number"]
    del executable
    gc.collect()
    assert mapped() > before
    del function
    gc.collect()
    assert mapped() == before


def test_a_thousand_recorded_dispatches_run_in_order(device: Device, executable: Executable) -> None:
    buffer, seen = words(device, 1)
    commands: CommandBuffer = device.command_buffer()
    for constant in range(1000):
        commands.dispatch(executable["number"], (1,), [buffer], u32(constant))
        commands.barrier()
    commands.end()
    done = device.semaphore()
    for value in (1, 2, 3):
        device.queue.execute(commands, signal=[(done, value)])

    assert seen[0] == 3 * sum(range(1000))
