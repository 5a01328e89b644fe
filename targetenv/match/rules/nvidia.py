"""NVIDIA: cubins, PTX, the driver's own age."""

from __future__ import annotations

from targetenv.match.rules.row import Rule

_PTXAS = "NVIDIA, ptxas --help, `--gpu-name`"
_CUBIN = "NVIDIA Ada GPU Architecture Compatibility Guide, `Application Compatibility on Ada`"

ROWS: tuple[Rule, ...] = (
    Rule(
        "cuda.ptx",
        "PTX is compiled for every later architecture, of later generations too",
        _PTXAS,
        "ptxas",
        others="NVIDIA's variant provider for wheels takes PTX of the same or the previous major only, LLVM's offload"
        " tools equal strings only; ptxas is followed, because it is what compiles",
    ),
    Rule(
        "cuda.ptx-family",
        "PTX with `f` is compiled for its family (10.x, 11.x, 12.x) and no smaller minor",
        _PTXAS,
        "ptxas",
        since="cuda 12.9",
    ),
    Rule("cuda.ptx-chip", "PTX with `a` is compiled for that very chip", _PTXAS, "ptxas", since="cuda 12.0"),
    Rule(
        "cuda.ptx-isa",
        "a driver takes PTX up to the version that came with its CUDA; any driver takes the first that knew its device",
        "NVIDIA PTX ISA, Release History; cuDriverGetVersion; CUDA release notes, `Corresponding Driver Versions`",
        "ptxas",
    ),
    Rule(
        "cuda.capability",
        "where the source does not state a limit, every device of that compute capability offers what its column says",
        "CUDA C++ Programming Guide, Technical Specifications per Compute Capability",
    ),
    Rule(
        "cuda.cubin",
        "a cubin runs on the same major compute capability and no smaller minor",
        _CUBIN,
        others="PyTorch's check ignores the minor; LLVM's offload tools want equal strings; NVIDIA's variant provider"
        " knows neither `a` nor `f`. NVIDIA's own guide is followed, because its driver loads by that",
    ),
    Rule(
        "cuda.cubin-family",
        "a cubin with `f` runs on its family and no smaller minor",
        f"{_CUBIN}; PTX ISA, family-specific features",
        since="cuda 12.9",
    ),
    Rule(
        "cuda.cubin-chip",
        "a cubin with `a` runs on that very chip",
        "NVIDIA Hopper and Blackwell Compatibility Guides, architecture-specific features",
        since="cuda 12.0",
        others="Triton builds everything from 9.0 on with `a`, so that its cubins fit one chip each; llvm-readelf 19"
        " prints an sm_90a cubin as sm_90. The suffix decides wherever a file has it",
    ),
    Rule(
        "cuda.cubin-tegra",
        "binary compatibility is not promised between Tegra and other GPUs, nor between generations of Tegra",
        "NVIDIA CUDA C++ Programming Guide, Binary Compatibility",
    ),
    Rule(
        "cuda.toolkit",
        "a toolkit builds for the architectures that it knows: from the first release with one to the last",
        "NVIDIA, release notes of the CUDA toolkits; PTX ISA, `Release Notes`",
        "ptxas",
    ),
    Rule(
        "cuda.driver-chip",
        "a driver runs the chips between the branch that brought them and the last branch that has them",
        "NVIDIA, release notes of the CUDA toolkits; R470 is the last branch for Kepler, R580 for Maxwell, Pascal and Volta",
    ),
)
