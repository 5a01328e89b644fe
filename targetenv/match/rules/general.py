"""Rules that are the same for every kind of code."""

from __future__ import annotations

from targetenv.match.rules.row import Rule

_KLEENE = "Kleene, Introduction to Metamathematics, section 64 (strong tables)"

ROWS: tuple[Rule, ...] = (
    Rule("format.listed", "a loader takes the formats that it lists and no other", "targetenv: the drivers' loaders", "laws"),
    Rule(
        "version.at-least",
        "the offered version is the required one or a later one",
        "Vulkan specification, Version Numbers",
        "packaging",
    ),
    Rule(
        "isa.same",
        "code runs on the instruction set that it was built for",
        "targetenv: equal names, where no rule of its own is known",
        "laws",
    ),
    Rule("compound.all", "every part holds", _KLEENE, "laws"),
    Rule("compound.any", "at least one part holds", _KLEENE, "laws"),
    Rule("compound.not", "the part does not hold", _KLEENE, "laws"),
    Rule(
        "unknown.never-satisfied",
        "what is not known is not taken as offered",
        "targetenv: docs/concepts/matching.md",
        "laws",
        others="nearly every loader tries and lets the launch fail; here `--unknown allow` has to be said",
    ),
)
