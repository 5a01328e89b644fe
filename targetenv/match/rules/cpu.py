"""Code for CPUs: a name is a set of features, and what counts is what the operating system has enabled."""

from __future__ import annotations

from targetenv.match.rules.row import Rule

ROWS: tuple[Rule, ...] = (
    Rule(
        "x86.features",
        "every feature that code for this name may use is present and enabled by the operating system",
        "x86-64 psABI, table 3.1 (levels); feature closures of LLVM's `-march` names",
        "ld.so",
        others="TVM and `llc` conclude from the processor's model, also where a hypervisor masks a feature, and GCC's"
        " `arch=` clones ask for the model itself; containerd never takes an `amd64/v2` or higher image unless"
        " told. Features decide, because a masked one is an illegal instruction",
    ),
    Rule(
        "aarch64.features",
        "every feature that code for this name may use is in HWCAP or HWCAP2",
        "Linux arch/arm64 ELF hwcaps; feature closures of LLVM's `-march` and `-mcpu` names",
        "containerd",
        others="containerd compares version numbers (v9.0 counts as v8.5); the closures contain that order, and see also"
        " what a kernel does not enable, such as SVE",
    ),
)
