"""Devices of the kernel's accel drivers as sysfs shows them: what is the same for AMD's NPUs and for Gaudi. None is opened."""

from __future__ import annotations

from targetenv.model.capabilities import Capabilities
from targetenv.model.device import Device, Unavailable
from targetenv_runtime.drivers import absence
from targetenv_runtime.ffi import accel


def found(driver: str, module: str, *, called: str, otherwise: str, root: str) -> tuple[list[Device], list[Unavailable]]:
    """The devices of a kernel module in its order, and for each that cannot be used the reason.

    `called` is the sysfs attribute that names a device, `otherwise` its name where that is empty; `root` is for tests.
    """
    if not accel.loaded(module, root):
        return [], [absence.no_module(driver, module, f"{root}sys/module/{module}")]
    nodes = accel.nodes(module, (called, "vendor", "device", "revision", "fw_version"), root)
    if not nodes:
        return [], [absence.no_device(driver, f"the kernel module {module} is loaded and drives no device")]
    devices: list[Device] = []
    unavailable: list[Unavailable] = []
    for node in nodes:
        if not node.present:
            unavailable.append(
                absence.no_node(driver, f"the device node `{node.path}` is missing", "pass it into the container")
            )
        elif not node.accessible:
            unavailable.append(absence.no_right(driver, node.path, "render"))
        else:
            devices.append(_device(driver, node, node.fact(called) or otherwise))
    return devices, unavailable


def _device(driver: str, node: accel.Node, name: str) -> Device:
    facts = [(key, value) for key, value in node.facts if key != "fw_version"]
    firmware = node.fact("fw_version")
    return Device(
        uri=f"{driver}://{node.ordinal}",
        name=name,
        driver=driver,
        offers=Capabilities(api=driver, complete=False),
        identity=tuple(sorted([*facts, ("node", node.path)])),
        provenance=(("firmware", firmware),) if firmware else (),
    )
