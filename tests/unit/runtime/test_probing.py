"""Probing asks every driver, survives every driver, and says of each one without devices why."""

from __future__ import annotations

import os
import sys
import threading
from typing import TYPE_CHECKING, NoReturn

import pytest
from targetenv_runtime import probing
from targetenv_runtime.drivers import table
from targetenv_runtime.probing import probe_all
from targetenv_runtime.status import Code, HalError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Plant = Callable[[str, str], None]


@pytest.fixture
def plant(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Plant:
    """Add a driver to the table, with this body of its `probe`."""
    monkeypatch.syspath_prepend(str(tmp_path))

    def add(name: str, body: str) -> None:
        package = tmp_path / f"planted_{name}"
        package.mkdir()
        (package / "__init__.py").touch()
        (package / "probe.py").write_text(f"import os, sys, time, signal\ndef probe():\n    {body}\n")
        monkeypatch.setitem(table.DRIVERS, name, table.Driver(name, f"planted_{name}", "nothing"))
        monkeypatch.delitem(sys.modules, f"planted_{name}.probe", raising=False)

    return add


def test_answers_come_in_the_order_of_the_drivers() -> None:
    devices, unavailable = probe_all(["host", "null"])
    assert [device.uri for device in devices] == ["host://0", "host://1", "null://0"]
    assert unavailable == ()


def test_both_isolations_give_equal_devices() -> None:
    assert probe_all(["null", "host"], isolation="inline") == probe_all(["null", "host"])


def test_a_process_with_threads_is_not_forked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "fork", lambda: pytest.fail("forked beside a running thread"))
    stop = threading.Event()
    thread = threading.Thread(target=stop.wait)
    thread.start()
    try:
        assert [device.uri for device in probe_all(["null"])[0]] == ["null://0"]
    finally:
        stop.set()
        thread.join()


def test_a_probe_leaves_no_child_behind() -> None:
    probe_all(["null", "host"])
    with pytest.raises(ChildProcessError):
        os.waitpid(-1, os.WNOHANG)


def test_ctrl_c_ends_the_children(plant: Plant, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: object) -> NoReturn:
        raise KeyboardInterrupt

    plant("sleeper", "time.sleep(600)")
    monkeypatch.setattr(probing, "monotonic", interrupted)
    with pytest.raises(KeyboardInterrupt):
        probing._isolated([table.DRIVERS["sleeper"], table.DRIVERS["null"]], 0.0, 1.0)
    with pytest.raises(ChildProcessError):
        os.waitpid(-1, os.WNOHANG)


def test_a_driver_that_crashes_is_unavailable_with_the_signal_and_takes_nobody_with_it(plant: Plant) -> None:
    plant(
        "crasher", "__import__('faulthandler').disable(); os.write(2, b'lost my GPU\\n'); os.kill(os.getpid(), signal.SIGSEGV)"
    )
    devices, (reason,) = probe_all(["crasher", "null"])
    assert [device.uri for device in devices] == ["null://0"]
    assert reason.code == "TE5106"
    assert "SIGSEGV" in reason.reason
    assert "lost my GPU" in reason.reason


@pytest.mark.parametrize("status", [0, 3])
def test_a_driver_that_leaves_the_process_is_unavailable(plant: Plant, status: int) -> None:
    plant("leaver", f"os._exit({status})")
    assert [reason.code for reason in probe_all(["leaver"])[1]] == ["TE5106"]


def test_a_driver_that_hangs_is_killed_and_the_others_answer(plant: Plant) -> None:
    plant("sleeper", "time.sleep(600)")
    devices, (reason,) = probe_all(["sleeper", "null"], timeout=1.0)
    assert [device.uri for device in devices] == ["null://0"]
    assert (reason.driver, reason.code) == ("sleeper", "TE5107")


@pytest.mark.parametrize("isolation", ["child", "inline"])
def test_a_prober_that_raises_is_unavailable_with_what_it_raised(plant: Plant, isolation: str) -> None:
    plant("raiser", "raise KeyError('nothing here')")
    _, (reason,) = probe_all(["raiser"], isolation=isolation)  # type: ignore[arg-type]
    assert reason.code == "TE5103"
    assert "nothing here" in reason.reason


def test_what_a_driver_prints_does_not_reach_stdout(plant: Plant, capfd: pytest.CaptureFixture[str]) -> None:
    plant("talker", "os.write(1, b'WARNING: not conformant\\n'); return [], []")
    assert probe_all(["talker"]) == ((), ())
    assert capfd.readouterr().out == ""


def test_every_driver_that_is_asked_by_default_answers_with_devices_or_with_a_reason() -> None:
    devices, unavailable = probe_all()
    answered = {device.driver for device in devices} | {reason.driver for reason in unavailable}
    assert answered == {row.name for row in table.default()}
    assert all(reason.code.startswith("TE51") and reason.reason for reason in unavailable)


def test_null_and_host_are_asked_only_when_they_are_named() -> None:
    assert not {"null", "host"} & {row.name for row in table.default()}
    assert all(device.simulated for device in probe_all(["null", "host"])[0])


def test_an_unknown_driver_is_not_found_with_the_nearest_name() -> None:
    with pytest.raises(HalError) as caught:
        probe_all(["vulcan"])
    assert caught.value.status is Code.NOT_FOUND
    assert "`vulkan`" in caught.value.diagnostics[0].help
