"""SPIR-V on OpenCL."""

from __future__ import annotations

from targetenv.match.rules.row import Rule

_ENVIRONMENT = "OpenCL SPIR-V Environment Specification"

ROWS: tuple[Rule, ...] = (
    Rule(
        "opencl.il",
        "OpenCL 2.1 takes SPIR-V 1.0 and 2.2 takes 1.2; older and 3.0 devices only what CL_DEVICE_IL_VERSION lists",
        f"{_ENVIRONMENT}, Required Capabilities; SPIRV-Tools spirv_target_env.cpp",
        "spirv-val",
    ),
    Rule(
        "opencl.capability",
        "a capability is usable that the OpenCL version guarantees to SPIR-V; the optional ones need what the device says"
        " of itself",
        f"{_ENVIRONMENT}, Required Capabilities",
        "spirv-val",
        others="spirv-val accepts Float64, Float16 and images for every OpenCL device, since some device has them; here"
        " they are required of this one",
    ),
)
