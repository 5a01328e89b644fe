"""Everything that `make test` and `make demo` need, on a fresh Debian or Ubuntu machine: system packages and `.venv`.

Runs under the system's Python (3.11 or newer) with nothing but the standard library. Does nothing, in well under a second,
when nothing is to do. A system package that cannot be installed is said plainly, with what it leaves out, and is no error:
the gate then does not ask for the drivers that need it.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
VENV = ROOT / ".venv"
STAMP = VENV / "ready.json"

# Debian and Ubuntu package -> what is left out without it.
SYSTEM_PACKAGES = {
    "libvulkan1": "the vulkan driver: probing, running and its conformance tests",
    "mesa-vulkan-drivers": "a Vulkan device on machines without a GPU (lavapipe), and the tests that need one",
    "vulkan-validationlayers": "running the vulkan driver's tests under the validation layers",
    "vulkan-tools": "the comparison of our probe with vulkaninfo",
    "glslc": "building the SPIR-V variants of the examples",
    "glslang-tools": "comparisons with glslangValidator",
    "spirv-tools": "comparisons with spirv-val and spirv-dis",
    "ocl-icd-libopencl1": "the opencl driver: probing, running and its conformance tests",
    "pocl-opencl-icd": "an OpenCL device on machines without a GPU (PoCL), and the tests that need one",
    "libvulkan-dev": "the comparison of the covered SPIR-V rules with the specification's own list",
    "gcc": "building the CPU variants of the examples, and the cpu driver's tests",
    "libc6-dev": "building the CPU variants of the examples, and the cpu driver's tests",
}


def main() -> int:
    parser = argparse.ArgumentParser(description="Set up .venv and system packages for the tests, the demo and the benchmarks.")
    parser.add_argument("--again", action="store_true", help="try system packages that failed before, and install once more")
    again = parser.parse_args().again
    known = {} if again else read_stamp()
    missing = system_packages(known.get("system_missing", []))
    if not make_venv():
        return 3
    wanted = fingerprint()
    if known.get("fingerprint") != wanted and not install():
        return 3
    STAMP.write_text(json.dumps({"fingerprint": wanted, "system_missing": missing}, indent=1) + "\n")
    return 0


def say(text: str) -> None:
    print(f"setup: {text}", file=sys.stderr, flush=True)


def read_stamp() -> dict[str, object]:
    try:
        return dict(json.loads(STAMP.read_text()))
    except (OSError, ValueError):
        return {}


def fingerprint() -> str:
    """What .venv depends on: the project's metadata, where the project lies, and which Python made the environment."""
    configuration = (VENV / "pyvenv.cfg").read_bytes()
    return hashlib.sha256(b"\0".join([(ROOT / "pyproject.toml").read_bytes(), os.fsencode(ROOT), configuration])).hexdigest()


def system_packages(failed_before: object) -> list[str]:
    """Install what is missing where that is allowed; returns, and says, what is still missing."""
    if shutil.which("dpkg-query") is None or shutil.which("apt-get") is None:
        say("no apt here: system packages are left as they are; what the tests need of them they look for themselves")
        return []
    missing = absent(SYSTEM_PACKAGES)
    if not missing:
        return []
    if os.environ.get("TARGETENV_SYSTEM_PACKAGES") == "0":
        reason = "TARGETENV_SYSTEM_PACKAGES=0"
    elif missing == failed_before:
        reason = "an earlier attempt failed; `make setup` tries again"
    elif (prefix := privilege()) is None:
        reason = "neither root nor passwordless sudo"
    else:
        apt_install(prefix, missing)
        missing = absent(missing)
        reason = "apt-get could not install them"
    if missing:
        say(f"system packages are missing ({reason}). This leaves out:")
        for name in missing:
            say(f"  {name}: {SYSTEM_PACKAGES[name]}")
        say(f"  to install them: sudo apt-get install {' '.join(missing)}")
    return missing


def absent(names: object) -> list[str]:
    """Those of the packages that dpkg does not have installed."""
    wanted = [str(name) for name in names]  # type: ignore[attr-defined]
    asked = subprocess.run(
        ["dpkg-query", "-W", "-f", "${Package} ${db:Status-Status}\n", *wanted], capture_output=True, text=True, check=False
    )
    installed = {line.split()[0] for line in asked.stdout.splitlines() if line.endswith(" installed")}
    return [name for name in wanted if name not in installed]


def privilege() -> list[str] | None:
    """What goes before apt-get: nothing for root, sudo where it asks for no password, None where neither is possible."""
    if os.geteuid() == 0:
        return []
    if shutil.which("sudo") and subprocess.run(["sudo", "-n", "true"], capture_output=True, check=False).returncode == 0:
        return ["sudo", "-n"]
    return None


def apt_install(prefix: list[str], names: list[str]) -> None:
    """All at once; package by package where that fails, so that one unknown name does not take the others with it."""
    say(f"installing {' '.join(names)}")
    apt = [*prefix, "env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "-qq", "-o", "Acquire::Retries=2"]
    install = [*apt, "install", "-y", "--no-install-recommends"]
    if run([*install, *names]):
        return
    run([*apt, "update"])  # stale or absent package lists are the usual reason
    if not run([*install, *names]):
        for name in names:
            run([*install, name])


def make_venv() -> bool:
    if (VENV / "bin" / "python").exists() and works([str(VENV / "bin" / "python"), "-c", "import pip"]):
        return True
    if not works([sys.executable, "-c", "import ensurepip, venv"]):
        # Debian keeps them apart from python3.
        prefix = privilege() if shutil.which("apt-get") and os.environ.get("TARGETENV_SYSTEM_PACKAGES") != "0" else None
        if prefix is not None:
            apt_install(prefix, [f"python3.{sys.version_info.minor}-venv"])
    say(f"creating .venv with Python {sys.version.split()[0]}")
    if run([sys.executable, "-m", "venv", "--clear", str(VENV)]):
        return True
    say(f"no virtual environment could be made; on Debian and Ubuntu: apt-get install python3.{sys.version_info.minor}-venv")
    return False


def install() -> bool:
    """The project, editable, and its `dev` group. The list is read here because pip knows --group only since 25.1."""
    with (ROOT / "pyproject.toml").open("rb") as file:
        development = tomllib.load(file)["dependency-groups"]["dev"]
    say("installing targetenv and its development tools into .venv")
    python = str(VENV / "bin" / "python")
    if run([python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-e", str(ROOT), *development]):
        return True
    say("pip failed, its message is above; nothing can run without these packages")
    return False


def works(command: list[str]) -> bool:
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


def run(command: list[str]) -> bool:
    """Run with output on stderr, so that stdout stays with what make was asked for."""
    try:
        return subprocess.run(command, stdout=sys.stderr, check=False).returncode == 0
    except OSError as failure:
        say(f"{command[0]}: {failure.strerror}")
        return False


if __name__ == "__main__":
    sys.exit(main())
