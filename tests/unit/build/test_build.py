"""Steps become commands, commands become bytes, and a tool that fails says so in its own words."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import NoReturn

import pytest

from targetenv.build.emit import commands_of, emit
from targetenv.build.execute import execute
from targetenv.build.step import Built, Command, Failed, Missing, Step
from targetenv.build.targets import words
from targetenv.build.toolchains import TOOLCHAINS, Workshop, command
from targetenv.diagnostics.diagnostic import EnvironmentFailed
from targetenv.model.capabilities import Capabilities
from targetenv.model.target_env import TargetEnv
from targetenv.model.version import Version

NINJA = shutil.which("ninja") or shutil.which("ninja", path=str(Path(sys.executable).parent)) or "ninja"


def _not_understood(text: str) -> NoReturn:
    raise ValueError(f"`{text}` is no target")


def _workshop(*tools: str) -> Workshop:
    return Workshop(lambda name: (f"/bin/{name}",) if name in tools else None, _not_understood)


HERE = Workshop(lambda name: (found,) if (found := shutil.which(name)) else None, _not_understood)


def test_glslc_is_told_both_environments() -> None:
    step = Step("k/v", "glslc", "a b.comp", ("vulkan1.1", "spirv1.3"), ("-O", "-DX=1"))
    row = command(step, "out.spv", _workshop("glslc"))
    assert isinstance(row, Command)
    assert row.arguments == (
        "/bin/glslc", "-fshader-stage=compute", "--target-env=vulkan1.1", "--target-spv=spv1.3",
        "-O", "-DX=1", "-o", "out.spv", "a b.comp",
    )  # fmt: skip


def test_cc_marks_the_level_it_builds_for() -> None:
    step = Step("k/v", "cc", "/src/a.c", ("x86-64-v3",))
    row = command(step, "out.so", Workshop(lambda name: ("ccache", name), _not_understood, ("/inc",)))
    assert isinstance(row, Command)
    assert row.arguments[:2] == ("ccache", "cc")
    assert {"-march=x86-64-v3", "-Wl,-z,x86-64-v3", "-fvisibility=hidden", "-I/inc"} < set(row.arguments)


@pytest.mark.parametrize(
    ("toolchain", "targets"),
    [
        ("cc", ["native"]),
        ("cc", ["vulkan1.1"]),
        ("glslc", ["x86-64"]),
        ("cc", ["x86-64-v2", "x86-64-v3"]),
        ("glslc", ["spirv9.9"]),
    ],
)
def test_a_target_that_a_toolchain_cannot_be_told_is_refused(toolchain: str, targets: list[str]) -> None:
    with pytest.raises(ValueError, match="`"):
        words(toolchain, targets, _not_understood)


def test_other_spellings_are_read_by_whoever_understands_them() -> None:
    def understand(text: str) -> TargetEnv:
        return TargetEnv(
            Capabilities("vulkan", Version(1, 1, 120)) if text.startswith("#vk") else Capabilities("cpu", isa="x86-64-v4")
        )

    assert words("glslc", ["#vk.target_env<v1.1>"], understand).environment == "vulkan1.1"
    assert words("cc", ["skylake-avx512"], understand).march == "x86-64-v4"


def test_a_missing_tool_is_named_with_all_its_names() -> None:
    missing = command(Step("k/v", "cc", "a.c"), "out", _workshop())
    assert missing == Missing(Step("k/v", "cc", "a.c"), ("cc", "gcc", "clang"))


def test_a_step_that_fails_stops_no_other(tmp_path: Path) -> None:
    if shutil.which("cc") is None:
        pytest.skip("cc is not installed")
    (tmp_path / "good.c").write_text('__attribute__((visibility("default"))) int f(void) { return 1; }\n')
    (tmp_path / "bad file.c").write_text("int f(void) { return nosuch; }\n")
    steps = [
        Step("k/bad", "cc", "bad file.c"),
        Step("k/good", "cc", "good.c"),
        Step("k/copy", "prebuilt", "good.c"),
    ]
    bad, good, copy = execute(steps, HERE, folder=str(tmp_path), ninja=NINJA)
    assert isinstance(bad, Failed)
    assert "nosuch" in bad.lines[0]
    assert isinstance(good, Built)
    assert good.data[:4] == b"\x7fELF"
    assert copy == Built(steps[2], (tmp_path / "good.c").read_bytes())


def test_the_same_source_gives_the_same_bytes_wherever_it_is_built(tmp_path: Path) -> None:
    if shutil.which("cc") is None:
        pytest.skip("cc is not installed")
    made = []
    for folder in (tmp_path / "one", tmp_path / "two"):
        folder.mkdir()
        (folder / "a.c").write_text("const char *f(void) { return __FILE__; }\n")
        (result,) = execute([Step("k/v", "cc", "a.c", ("x86-64-v2",))], HERE, folder=str(folder), ninja=NINJA)
        assert isinstance(result, Built), result
        made.append(result.data)
    assert made[0] == made[1]


def test_without_ninja_nothing_runs() -> None:
    with pytest.raises(EnvironmentFailed) as caught:
        execute([Step("k/v", "prebuilt", "/dev/null")], HERE, folder=".", ninja="/nosuch/ninja")
    assert caught.value.code == "TE4603"


@pytest.mark.parametrize("system", ["ninja", "make", "cmake"])
def test_an_emitted_build_file_builds(system: str, tmp_path: Path) -> None:
    tool = {"ninja": NINJA, "make": "make", "cmake": "cmake"}[system]
    if shutil.which(tool) is None:
        pytest.skip(f"{system} is not installed")
    root = f"{tmp_path}/" if system == "cmake" else ""
    (tmp_path / "source $1.txt").write_text("x")
    steps = [Step("k/a", "prebuilt", f"{root}source $1.txt"), Step("k/b", "prebuilt", f"{root}source $1.txt")]
    commands = [row for row in commands_of(steps, HERE, f"{root}build-out") if isinstance(row, Command)]
    package = Command("package", ("cp", commands[1].output, f"{root}out $2.tenv"), f"{root}source $1.txt", f"{root}out $2.tenv")
    text = emit(system, commands, package, folder=str(tmp_path))
    if system == "cmake":
        (tmp_path / "CMakeLists.txt").write_text(
            "cmake_minimum_required(VERSION 3.20)\nproject(p NONE)\ninclude(kernels.cmake)\n"
        )
        (tmp_path / "kernels.cmake").write_text(text)
        subprocess.run(["cmake", "-S", ".", "-B", "b"], cwd=tmp_path, check=True, capture_output=True)
        run = ["cmake", "--build", "b"]
    else:
        (tmp_path / "file").write_text(text)
        run = [tool, "-f", "file"]
    result = subprocess.run(run, cwd=tmp_path, capture_output=True, text=True)
    assert result.returncode == 0, result.stdout + result.stderr + text
    assert (tmp_path / "out $2.tenv").read_text() == "x"


def test_every_toolchain_has_a_template() -> None:
    for name in TOOLCHAINS:
        assert isinstance(command(Step("k/v", name, "s"), "o", _workshop("glslc", "cc", "cp")), Command)


def test_an_interrupted_build_stops_its_tools_and_removes_its_folder(tmp_path: Path) -> None:
    program = (
        "import sys; from targetenv.build.execute import execute; from targetenv.build.step import Step\n"
        "from targetenv.build.toolchains import Workshop\n"
        f"w = Workshop(lambda name: ('/bin/sh', '-c', 'echo $$ > {tmp_path}/pid; exec sleep 60'), None)\n"
        f"print('go', flush=True); execute([Step('k/v', 'prebuilt', 's')], w, folder='.', ninja={NINJA!r})"
    )
    root = Path(__file__).resolve().parents[3]
    folder = tmp_path / "tmp"
    folder.mkdir()
    environment = {**os.environ, "PYTHONPATH": str(root), "TMPDIR": str(folder)}
    process = subprocess.Popen(
        [sys.executable, "-c", program], env=environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    )
    deadline = time.monotonic() + 30
    while not (tmp_path / "pid").exists() or not (tmp_path / "pid").read_text():
        assert time.monotonic() < deadline
        assert process.poll() is None
        time.sleep(0.02)
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=30)
    assert list(folder.iterdir()) == []
    tool = int((tmp_path / "pid").read_text())
    while _runs(tool):
        assert time.monotonic() < deadline
        time.sleep(0.02)


def _runs(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    return True
