"""Images for accelerators in LLVM's containers, where their labels say less than their bytes."""

from __future__ import annotations

from targetenv.match.rules.row import Rule

ROWS: tuple[Rule, ...] = (
    Rule(
        "offload.triple",
        "a triple without a processor does not say which GPUs run its code",
        "LLVM Triple.h and AMDGPUTargetParser.cpp (`areTargetsCompatible`), read for what they leave open",
        others="LLVM's offload runtime takes an `amdgcn` image without a processor, and `arch=generic`, for every GPU of the"
        " triple, and any other by equal strings outside of AMD. Images in containers are judged by their bytes here, as far as"
        " those say it; a label that disagrees with them is reported",
    ),
)
