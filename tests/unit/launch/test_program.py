"""A package is loaded, the choice explained, and kernels are called with numpy arrays in and out."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import targetenv as te
from targetenv.diagnostics.diagnostic import EnvironmentFailed, NoCompatibleArtifact, TargetEnvError
from targetenv.launch.program import Program


@pytest.fixture
def program(package: Path) -> Iterator[Program]:
    with te.load(package, device="cpu://0") as loaded:
        yield loaded


def test_arguments_go_in_and_a_new_array_comes_out(program: Program) -> None:
    x, y = np.arange(10, dtype=np.float32), np.ones(10, np.float32)
    result = program["saxpy"](2.0, x, y)
    np.testing.assert_array_equal(result, 2 * x + 1)
    assert (y == 1).all()
    result[0] = 5


def test_arguments_may_be_named(program: Program) -> None:
    x = np.arange(3, dtype=np.float32)
    np.testing.assert_array_equal(program["saxpy"](y=x, a=1, x=x), 2 * x)


def test_shapes_grids_and_tiles_follow_from_the_arguments(program: Program) -> None:
    a, b = np.arange(5, dtype=np.float32), np.arange(7, dtype=np.float32)
    np.testing.assert_array_equal(program["outer"](0.5, a, b), np.outer(a, b) + 0.5)


def test_calls_with_the_same_shapes_do_not_see_each_other(program: Program) -> None:
    kernel = program["outer"]
    for scale in range(4):
        a, b = np.full(5, scale, np.float32), np.arange(7, dtype=np.float32)
        first, second = kernel(scale, a, b), kernel(0, a, b)
        np.testing.assert_array_equal(first, np.outer(a, b) + scale)
        np.testing.assert_array_equal(second, np.outer(a, b))


def test_what_is_only_written_starts_as_zeros_in_every_call(program: Program) -> None:
    saxpy, outer = program["saxpy"], program["outer"]
    x = np.full(12, 7, np.float32)
    saxpy(1.0, x, x)
    assert outer(1.0, x[:3], x[:4]).min() == 50
    assert outer(1.0, x[:3], x[:4], grid=(0, 0)).max() == 0


def test_threads_may_call_one_kernel_at_the_same_time(program: Program) -> None:
    from concurrent.futures import ThreadPoolExecutor

    kernel = program["saxpy"]

    def work(number: int) -> bool:
        x = np.full(1000, number, np.float32)
        return all((kernel(2.0, x, x) == 3 * number).all() for _ in range(50))

    with ThreadPoolExecutor(4) as pool:
        assert all(pool.map(work, range(8)))


def test_a_closed_program_refuses_to_run(package: Path) -> None:
    with te.load(package, device="cpu://0") as loaded:
        kernel = loaded["saxpy"]
        x = np.ones(4, np.float32)
        kernel(1.0, x, x)
    with pytest.raises(TargetEnvError):
        kernel(1.0, x, x)


def test_several_results_are_a_tuple(program: Program) -> None:
    x, old = program["both"](np.array([1, 2, 3], np.int32))
    assert (x.tolist(), old.tolist()) == ([2, 3, 4], [1, 2, 3])


def test_empty_arrays_compute_nothing(program: Program) -> None:
    empty = np.empty(0, np.float32)
    assert program["saxpy"](2.0, empty, empty).shape == (0,)


def test_lists_strided_arrays_and_numpy_scalars_are_taken(program: Program) -> None:
    x = np.arange(6, dtype=np.float32)[::2]
    np.testing.assert_array_equal(program["saxpy"](np.float64(2), x, [1, 2, 3]), 2 * x + [1, 2, 3])


def test_an_open_kernel_takes_what_it_is_given(program: Program) -> None:
    out = program["constants"](1, 2.0, -3, np.zeros(3, np.uint32), grid=(1,))
    assert out.tolist() == [1, 0x40000000, 0xFFFFFFFD]


F = np.float32


@pytest.mark.parametrize(
    ("kernel", "arguments", "named", "code", "part"),
    [
        ("saxpy", (2.0, np.ones(4, F), np.ones(3, F)), {}, "TE5204", "`y` of `saxpy` is f32[4] here, got f32[3]"),
        ("saxpy", (2.0, np.ones(4), np.ones(4, F)), {}, "TE5205", "`x` of `saxpy` is f32, got f64[4]"),
        ("saxpy", (2.0, np.ones(4, ">f4"), np.ones(4, F)), {}, "TE5205", "`x` of `saxpy` is f32"),
        ("saxpy", (2.0, np.ones(4, "M8[s]"), np.ones(4, F)), {}, "TE5205", "got an array of datetime64[s]"),
        ("saxpy", (2.0, np.ones(4, F)), {}, "TE5203", "also needs `y`"),
        ("saxpy", (2.0, np.ones(4, F), np.ones(4, F), 4), {}, "TE5203", "takes 3 arguments (a, x, y), got 4"),
        ("saxpy", (2.0, np.ones(4, F), np.ones(4, F)), {"n": 4}, "TE5202", "`n` of `saxpy` follows from `x.size`"),
        ("saxpy", (2.0, np.ones(4, F), np.ones(4, F)), {"x": 4}, "TE5202", "passed twice"),
        ("saxpy", (2.0, np.ones(4, F)), {"yy": np.ones(4, F)}, "TE5202", "no parameter `yy`"),
        ("saxpy", ("two", np.ones(4, F), np.ones(4, F)), {}, "TE5206", "is a number, got a str"),
        ("saxpy", (True, np.ones(4, F), np.ones(4, F)), {}, "TE5206", "is a number, got a bool"),
        ("saxpy", (np.ones(4, F), np.ones(4, F), np.ones(4, F)), {}, "TE5206", "is a number"),
        ("saxpy", (2.0, object(), np.ones(4, F)), {}, "TE5206", "got a object"),
        ("saxpy", (1e300, np.ones(4, F), np.ones(4, F)), {}, "TE5212", "cannot hold 1e+300"),
        ("outer", (0, np.ones(3, F), np.float32(1)), {}, "TE5204", "`b` has 0 dimensions"),
        ("outer", (0, np.ones(3, F), np.ones(3, F)), {"c": np.ones((3, 3), F)}, "TE5202", "only written"),
        ("constants", (1,), {}, "TE5207", "how large the grid"),
        ("constants", (1,), {"grid": (1, 1, 1, 1)}, "TE5207", "one to three"),
        ("constants", (1,), {"grid": (-1,)}, "TE5207", "[-1]"),
        ("constants", (1 << 32,), {"grid": (1,)}, "TE5212", "4294967296"),
    ],
)
def test_arguments_that_do_not_fit_are_refused(
    kernel: str, arguments: tuple[Any, ...], named: dict[str, Any], code: str, part: str, program: Program
) -> None:
    with pytest.raises(TargetEnvError) as caught:
        program[kernel](*arguments, **named)
    assert caught.value.code == code
    assert part in caught.value.diagnostics[0].message


def test_an_unknown_kernel_is_a_key_error_with_a_suggestion(program: Program) -> None:
    with pytest.raises(KeyError) as caught:
        program["saxpi"]
    assert isinstance(caught.value, TargetEnvError)
    assert caught.value.diagnostics[0].help == "did you mean `saxpy`?"


def test_a_kernel_that_cannot_run_here_says_why(program: Program) -> None:
    with pytest.raises(NoCompatibleArtifact) as caught:
        program["impossible"]
    assert "x86-64-v9" in str(caught.value)


def test_a_kernel_that_fails_says_so(program: Program) -> None:
    with pytest.raises(TargetEnvError) as caught:
        program["broken"](np.zeros(1, np.int32))
    assert "7" in str(caught.value)


def test_the_resolution_explains_itself(program: Program) -> None:
    assert "saxpy: plain" in program.resolution.explain()
    assert {choice.kernel for choice in program.resolution.choices} == set(program)


def test_without_a_device_the_best_one_is_taken(package: Path) -> None:
    with te.load(package) as loaded:
        assert loaded.device.uri == "cpu://0"


@pytest.mark.parametrize(
    ("device", "code", "kind"),
    [("cpu://7", "TE5005", TargetEnvError), ("cpo://0", "TE5209", ValueError), ("", "TE5209", TargetEnvError)],
)
def test_a_device_that_is_none_is_refused(device: str, code: str, kind: type[Exception], package: Path) -> None:
    with pytest.raises(TargetEnvError) as caught:
        te.load(package, device=device)
    assert caught.value.code == code


def test_a_recorded_device_runs_nothing(package: Path, tmp_path: Path) -> None:
    path = tmp_path / "x.device.json"
    path.write_text("{}")
    with pytest.raises(TargetEnvError) as caught:
        te.load(package, device=str(path))
    assert caught.value.code == "TE5209"


def test_nothing_that_runs_is_a_lookup_error_with_reasons(package: Path) -> None:
    with pytest.raises(NoCompatibleArtifact):
        te.load(package, device="cpu://0", kernels=["impossible"])


def test_a_driver_that_is_absent_says_why(package: Path) -> None:
    with pytest.raises(TargetEnvError) as caught:
        te.load(package, device="cuda://0")
    assert isinstance(caught.value, EnvironmentFailed) or caught.value.code.startswith("TE50")


def test_a_policy_holds_when_a_package_is_loaded(package: Path) -> None:
    with te.load(
        package, device="cpu://0", kernels=["saxpy"], pin={"saxpy": "plain"}, never_jit=True, prefer=["native"]
    ) as loaded:
        choice = loaded.choice("saxpy")
        assert (choice.variant, choice.rule, choice.because) == ("plain", "rank.pinned", "pinned")
        assert loaded.resolution.policy.never_jit


@pytest.mark.parametrize(
    ("policy", "code"),
    [({"pin": {"saxpy": "v9"}}, "TE3022"), ({"pin": {"sxpy": "plain"}}, "TE3022"), ({"prefer": ["nativ"]}, "TE3021")],
)
def test_a_policy_that_names_nothing_is_refused_before_anything_runs(package: Path, policy: dict[str, Any], code: str) -> None:
    with pytest.raises(TargetEnvError) as refused:
        te.load(package, device="cpu://0", **policy)
    assert refused.value.code == code
