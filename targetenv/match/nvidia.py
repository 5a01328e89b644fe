"""NVIDIA's rules: which GPU runs which cubin and PTX, by which driver."""

from __future__ import annotations

from targetenv.match.answer import NO, UNKNOWN, YES, decided
from targetenv.match.stack import version_text
from targetenv.registry import cuda, releases

TYPE_CHECKING = False
if TYPE_CHECKING:
    from re import Match

    from targetenv.match.answer import Answer
    from targetenv.match.stack import Stack
    from targetenv.model.capabilities import Capabilities
    from targetenv.model.version import Version

_RULES = {
    ("compute", ""): "cuda.ptx",
    ("compute", "a"): "cuda.ptx-chip",
    ("compute", "f"): "cuda.ptx-family",
    ("sm", ""): "cuda.cubin",
    ("sm", "a"): "cuda.cubin-chip",
    ("sm", "f"): "cuda.cubin-family",
}


def runs(code: str, offers: Capabilities, stack: Stack) -> Answer:
    """Whether the device runs code for `code`: `sm_90a` means a cubin, `compute_90` PTX."""
    device = offers.isa or ""
    built, there = cuda.NAME.fullmatch(code), cuda.NAME.fullmatch(device)
    if built is None or there is None:
        return decided(code == device), f"device offers {device}", "isa.same"
    if stack:
        refused = _toolkit(built, stack) or _driver(int(there["number"]), stack)
        if refused:
            return refused
    number, suffix, target = int(built["number"]), built["suffix"], int(there["number"])
    by = _RULES[built["kind"], suffix]
    offered = f"device offers {device}"
    if built["kind"] == "compute":
        return decided(cuda.ptx_runs(number, suffix, target)), offered, by
    if not suffix and number != target and number // 10 == target // 10 and {number, target} & cuda.TEGRA:
        tegra = number if number in cuda.TEGRA else target
        return UNKNOWN, f"{offered}; sm_{tegra} is a Tegra, for which this is not promised", "cuda.cubin-tegra"
    return decided(cuda.cubin_runs(number, suffix, target)), offered, by


def compiles(version: Version, offers: Capabilities, stack: Stack) -> Answer:
    """Whether a device's driver compiles PTX of this version, by the CUDA version that it has or at least must have.

    A later version than the tables have is not known to be refused by a driver that is later than the tables, too.
    """
    by = "cuda.ptx-isa"
    if offers.version is None:
        there = cuda.NAME.fullmatch(offers.isa or "")
        first = cuda.first_ptx(f"sm_{there['number']}") if there else None
        if first is None:
            return UNKNOWN, "not stated: it depends on the driver", by
        said = f"the driver is not stated; every driver for {offers.isa} takes PTX {first}"
        return (YES if version <= first else UNKNOWN), said, by
    known = cuda.ptx_of(offers.version)
    driver, toolkit = stack.version("driver"), stack.version("cuda")
    who = f"a driver of CUDA {offers.version}"
    if driver is not None:
        who = f"driver {version_text(driver)}"
    elif toolkit is not None:
        who = f"the driver of CUDA {toolkit}"
    if version <= known:
        return YES, f"{who} takes PTX {known}", by
    open_end = known == cuda.newest_ptx() or stack.beyond("driver")
    return (UNKNOWN if open_end else NO), f"{who} takes PTX {known}{', and more that is not known' if open_end else ''}", by


def cuda_version(offers: Capabilities, stack: Stack) -> Version | None:
    """The CUDA version of the driver as of this stack: the driver's, else the toolkit's that it came with, else its own."""
    driver = stack.version("driver")
    return (stack.version("cuda") or offers.version) if driver is None else releases.cuda_of_driver(driver)


def _toolkit(built: Match[str], stack: Stack) -> Answer | None:
    """A refusal where the stack's toolkit does not build for this architecture."""
    toolkit = stack.version("cuda")
    row = cuda.architectures().get(int(built["number"]))
    if toolkit is None:
        return None
    name, by = built[0], "cuda.toolkit"
    if row is None:
        outcome = UNKNOWN if stack.beyond("cuda") else NO
        return outcome, f"cuda {version_text(toolkit)} is not known to build for {name}", by
    ptx = {"a": row.ptx_a, "f": row.ptx_f}.get(built["suffix"], row.ptx)
    first = row.toolkit
    if built["suffix"] and ptx is not None:
        first = max(first, cuda.first_cuda(ptx))
    if ptx is None or toolkit < first:
        came = "it does not exist" if ptx is None else f"it came with cuda {first}"
        return NO, f"cuda {version_text(toolkit)} does not build for {name}: {came}", by
    if row.dropped is not None and toolkit >= row.dropped:
        return NO, f"cuda {version_text(toolkit)} does not build for {name} any more: it went with cuda {row.dropped}", by
    return None


def _driver(chip: int, stack: Stack) -> Answer | None:
    """A refusal where the stack's driver does not run this chip, whatever the code is."""
    driver = stack.version("driver")
    row = cuda.architectures().get(chip)
    if driver is None or row is None:
        return None
    by, who = "cuda.driver-chip", f"driver {version_text(driver)}"
    first, last = releases.driver_of_cuda(row.toolkit), releases.ends_with_driver(chip)
    if first is not None and not releases.has_driver(driver, first):
        return NO, f"{who} does not run sm_{chip}: it came with driver {version_text(first)}", by
    if last is not None and driver.major >= last:
        return NO, f"{who} does not run sm_{chip} any more: it went with driver {last}", by
    return None
