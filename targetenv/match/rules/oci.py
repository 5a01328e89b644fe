"""Platforms of container images, where they say more than CPU features do."""

from __future__ import annotations

from targetenv.match.rules.row import Rule

ROWS: tuple[Rule, ...] = (
    Rule(
        "oci.arm-version",
        "code for 32-bit ARM runs on its version and later ones",
        "containerd platforms/compare.go; Arm ARM, ARMv7-A is a superset of ARMv6 in application code",
        "containerd",
    ),
    Rule(
        "oci.arm32",
        "a 64-bit ARM processor runs 32-bit code only where its cores have AArch32, which has to be asked",
        "Arm ARM, AArch32 at EL0 (ID_AA64PFR0_EL1)",
        "containerd",
        others="containerd says that every arm64 runs arm/v5 to arm/v8, which is false on Apple's cores and recent Neoverse;"
        " not known is the answer here, unless the device states the feature `aarch32`",
    ),
    Rule(
        "oci.ia32",
        "an x86-64 processor runs 386 code where the kernel has 32-bit emulation, which has to be asked",
        "Linux, CONFIG_IA32_EMULATION and `ia32_emulation=`",
        "containerd",
        others="containerd says that every amd64 runs 386; not known is the answer here, unless the device states the"
        " feature `ia32`",
    ),
)
