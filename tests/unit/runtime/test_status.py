"""HalError: a code, a diagnostic, the driver's own answer, and where it happened."""

from __future__ import annotations

import pytest
from targetenv_runtime.foreign import guarded
from targetenv_runtime.status import Code, HalError

from targetenv.diagnostics.codes import CODES
from targetenv.diagnostics.diagnostic import TargetEnvError


@pytest.mark.parametrize("code", Code)
def test_every_status_has_its_diagnostic_code(code: Code) -> None:
    error = HalError(code, "planted")
    assert error.code == f"TE50{code.value:02}"
    assert CODES[error.code] == code.name.lower().replace("_", " ").replace("unknown", "unknown failure")
    assert isinstance(error, TargetEnvError)


def test_the_drivers_answer_and_the_place_are_told_after_the_message() -> None:
    error = HalError(Code.DATA_LOSS, "the device is lost", native=(-4, "VK_ERROR_DEVICE_LOST"), device="vulkan://0", queue=1)
    assert str(error).splitlines() == [
        "error[TE5015]: the device is lost",
        "  = note: VK_ERROR_DEVICE_LOST (-4)",
        "  = note: device vulkan://0, queue 1",
    ]


def test_what_the_message_says_is_not_said_twice() -> None:
    error = HalError(Code.DATA_LOSS, "`vkQueueSubmit2` failed: VK_ERROR_DEVICE_LOST (-4)", native=(-4, "VK_ERROR_DEVICE_LOST"))
    assert len(str(error).splitlines()) == 1


def test_a_copy_is_equal_and_was_not_raised() -> None:
    error = HalError(Code.ABORTED, "planted", help="try", notes=("a note",), native=(7, "SEVEN"), queue=0)
    try:
        raise error
    except HalError as raised:
        again = raised.again()
    assert str(again) == str(error)
    assert (again.__traceback__, again.native, again.context) == (None, (7, "SEVEN"), {"queue": 0})


def test_a_place_is_added_and_never_replaced() -> None:
    error = HalError(Code.ABORTED, "planted", queue=3).within(queue=0, device="null://0")
    assert error.context == {"queue": 3, "device": "null://0"}


def test_foreign_exceptions_become_failures_with_their_cause() -> None:
    with pytest.raises(HalError) as caught:
        guarded("the callback", lambda: dict[str, int]()["x"])
    assert caught.value.status is Code.ABORTED
    assert isinstance(caught.value.__cause__, KeyError)


def test_interrupts_are_no_failures() -> None:
    def interrupted() -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        guarded("the callback", interrupted)
