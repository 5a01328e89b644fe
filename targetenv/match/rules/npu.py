"""AMD's AI engines and Habana's Gaudi."""

from __future__ import annotations

from targetenv.match.rules.row import Rule

ROWS: tuple[Rule, ...] = (
    Rule(
        "aie.array",
        "code for a partition runs on an array of the same generation that has as many columns",
        "iree-amd-aie AMDAIEEnums.td; amdxdna aie2_ctx.c (num_col <= total_col)",
        others="IREE's AIE plugin compares nothing: it takes the device that its flag names",
    ),
    Rule(
        "habana.generation",
        "a TPC kernel runs on the generation that it was built for",
        "habanalabs and SynapseAI: one instruction set for each generation",
    ),
)
