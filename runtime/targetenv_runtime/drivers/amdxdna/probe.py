"""AMD NPUs that the kernel driver amdxdna has found. Only what sysfs says, so far: no device is opened."""

from __future__ import annotations

from targetenv.model.capabilities import Capabilities
from targetenv.model.device import Device, Unavailable
from targetenv_runtime.drivers import absence
from targetenv_runtime.ffi import accel

_FACTS = ("vbnv", "vendor", "device", "revision", "fw_version")


def probe(root: str = "/") -> tuple[list[Device], list[Unavailable]]:
    """The devices in the kernel's order, and for each that cannot be used the reason. `root` is for tests."""
    if not accel.loaded("amdxdna", root):
        return [], [absence.no_module("amdxdna", "amdxdna", f"{root}sys/module/amdxdna")]
    nodes = accel.nodes("amdxdna", _FACTS, root)
    if not nodes:
        return [], [absence.no_device("amdxdna", "the kernel module amdxdna is loaded and drives no device")]
    devices: list[Device] = []
    unavailable: list[Unavailable] = []
    for node in nodes:
        if not node.present:
            unavailable.append(
                absence.no_node("amdxdna", f"the device node `{node.path}` is missing", "pass it into the container")
            )
        elif not node.accessible:
            unavailable.append(absence.no_right("amdxdna", node.path, "render"))
        else:
            devices.append(_device(node))
    return devices, unavailable


def _device(node: accel.Node) -> Device:
    facts = [(name, value) for name, value in node.facts if name != "fw_version"]
    return Device(
        uri=f"amdxdna://{node.ordinal}",
        name=node.fact("vbnv") or "AMD NPU",
        driver="amdxdna",
        offers=Capabilities(api="amdxdna", complete=False),
        identity=tuple(sorted([*facts, ("node", node.path)])),
        provenance=(("firmware", node.fact("fw_version")),) if node.fact("fw_version") else (),
    )
