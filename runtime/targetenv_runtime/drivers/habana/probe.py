"""Intel Gaudi accelerators that the kernel driver habanalabs has found. Only what sysfs says, so far: none is opened."""

from __future__ import annotations

from targetenv.model.capabilities import Capabilities
from targetenv.model.device import Device, Unavailable
from targetenv_runtime.drivers import absence
from targetenv_runtime.ffi import accel

_FACTS = ("device_type", "vendor", "device", "revision", "fw_version")


def probe(root: str = "/") -> tuple[list[Device], list[Unavailable]]:
    """The devices in the kernel's order, and for each that cannot be used the reason. `root` is for tests."""
    if not accel.loaded("habanalabs", root):
        return [], [absence.no_module("habana", "habanalabs", f"{root}sys/module/habanalabs")]
    nodes = accel.nodes("habanalabs", _FACTS, root)
    if not nodes:
        return [], [absence.no_device("habana", "the kernel module habanalabs is loaded and drives no device")]
    devices: list[Device] = []
    unavailable: list[Unavailable] = []
    for node in nodes:
        if not node.present:
            unavailable.append(
                absence.no_node("habana", f"the device node `{node.path}` is missing", "pass it into the container")
            )
        elif not node.accessible:
            unavailable.append(absence.no_right("habana", node.path, "render"))
        else:
            devices.append(_device(node))
    return devices, unavailable


def _device(node: accel.Node) -> Device:
    facts = [(name, value) for name, value in node.facts if name != "fw_version"]
    return Device(
        uri=f"habana://{node.ordinal}",
        name=node.fact("device_type") or "Intel Gaudi",
        driver="habana",
        offers=Capabilities(api="habana", complete=False),
        identity=tuple(sorted([*facts, ("node", node.path)])),
        provenance=(("firmware", node.fact("fw_version")),) if node.fact("fw_version") else (),
    )
