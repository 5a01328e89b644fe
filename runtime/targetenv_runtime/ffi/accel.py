"""The kernel's compute accelerators: `/dev/accel/accelN` nodes and what sysfs says about them.

Source: Documentation/accel/introduction.rst. The driver behind a node is the target of `/sys/class/accel/accelN/device/driver`;
in a container sysfs often shows a device whose node is not there.
"""

from __future__ import annotations

import os

from targetenv.model.record import record


@record
class Node:
    """One accelerator of one kernel driver. `facts` are the one-line sysfs files of the parent device, as they are."""

    ordinal: int
    path: str
    present: bool
    accessible: bool
    facts: tuple[tuple[str, str], ...]

    def fact(self, name: str) -> str:
        """One file's line, or "" where there is none."""
        return dict(self.facts).get(name, "")


def loaded(module: str, root: str = "/") -> bool:
    """Whether a kernel module is loaded (or built in and visible)."""
    return os.path.isdir(f"{root}sys/module/{module}")  # noqa: PTH112  pathlib is not loaded on this path


def nodes(driver: str, facts: tuple[str, ...], root: str = "/") -> list[Node]:
    """The accelerators bound to a kernel driver, in order."""
    base = f"{root}sys/class/accel"
    try:
        entries = sorted(os.listdir(base), key=lambda name: (len(name), name))  # noqa: PTH208
    except OSError:
        return []
    found: list[Node] = []
    for entry in entries:
        device = f"{base}/{entry}/device"
        if os.path.basename(os.path.realpath(f"{device}/driver")) != driver:  # noqa: PTH119
            continue
        path = f"{root}dev/accel/{entry}"
        known = tuple((name, line) for name in facts if (line := _line(f"{device}/{name}")))
        address = (("pci", os.path.basename(os.path.realpath(device))),)  # noqa: PTH119
        present = os.path.exists(path)  # noqa: PTH110
        found.append(Node(len(found), path, present, os.access(path, os.R_OK | os.W_OK), (*known, *address)))
    return found


def _line(path: str) -> str:
    try:
        with open(path, encoding="utf-8", errors="replace") as file:  # noqa: PTH123
            return file.readline(256).strip()
    except OSError:
        return ""
