"""The project as its users get it: built once, installed into environments of its own."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
import venv
from pathlib import Path

import pytest

from tests.packaging.test_tree import ROOT, tracked


class Environment:
    """A fresh virtual environment that finds third-party packages, but not this project, where the running one does."""

    def __init__(self, directory: Path) -> None:
        venv.create(directory, with_pip=False, symlinks=True)
        self.directory = directory
        self.bin = directory / "bin"
        (self.site / "third-party.pth").write_text(sysconfig.get_path("purelib") + "\n")  # .pth files in there are not read
        ninja = Path(sysconfig.get_path("scripts")) / "ninja"  # the one dependency that is a program
        if ninja.exists():
            (self.bin / "ninja").symlink_to(ninja)

    @property
    def site(self) -> Path:
        return next((self.directory / "lib").glob("python3*")) / "site-packages"

    def install(self, *what: str) -> None:
        pip = [sys.executable, "-m", "pip", "--python", str(self.bin / "python"), "--disable-pip-version-check"]
        subprocess.run([*pip, "install", "--quiet", "--no-deps", "--no-index", "--no-build-isolation", *what], check=True)

    def run(self, program: str, *arguments: str, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
        """Run a program of this environment far away from the checkout."""
        environment = {key: value for key, value in os.environ.items() if not key.startswith("PYTHON")}
        command = [str(self.bin / program), *arguments]
        return subprocess.run(command, cwd=cwd or self.directory, env=environment, capture_output=True, text=True, check=False)

    def python(self, code: str) -> str:
        done = self.run("python", "-c", code)
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()


def build(source: Path, target: str, into: Path) -> Path:
    """Build `wheel` or `sdist` of the tree in `source`; returns the one file made."""
    subprocess.run([sys.executable, "-m", "hatchling", "build", "-t", target, "-d", str(into)], cwd=source, check=True)
    (made,) = into.iterdir()
    return made


@pytest.fixture(scope="session")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the tree that tests may edit."""
    directory = tmp_path_factory.mktemp("source") / "targetenv"
    for path in tracked():
        target = directory / path.relative_to(ROOT)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(path, target)
    return directory


@pytest.fixture(scope="session")
def wheel(source: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(source, "wheel", tmp_path_factory.mktemp("wheel"))


@pytest.fixture(scope="session")
def sdist(source: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(source, "sdist", tmp_path_factory.mktemp("sdist"))


@pytest.fixture(scope="session")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Environment:
    """An environment with the wheel."""
    environment = Environment(tmp_path_factory.mktemp("installed"))
    environment.install(str(wheel))
    return environment


@pytest.fixture(scope="session")
def editable(source: Path, tmp_path_factory: pytest.TempPathFactory) -> Environment:
    """An environment with an editable install of the copy in `source`."""
    environment = Environment(tmp_path_factory.mktemp("editable"))
    environment.install("--editable", str(source))
    return environment
