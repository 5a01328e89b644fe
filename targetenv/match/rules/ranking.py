"""Which of several variants wins: the steps, in order."""

from __future__ import annotations

from targetenv.match.rules.row import Rule

_CONCEPT = "targetenv: docs/concepts/matching.md, Which variant wins"

ROWS: tuple[Rule, ...] = (
    Rule("rank.pinned", "a pinned kernel runs as the variant that was named, or not at all", _CONCEPT, "laws"),
    Rule("rank.never-jit", "code that is compiled when it is loaded is not chosen where that is forbidden", _CONCEPT, "laws"),
    Rule(
        "rank.sound",
        "only variants whose requirements are all met take part, and what is known to run comes before what is only allowed",
        _CONCEPT,
        "laws",
        others="IREE and LLVM load the first that their own smaller check lets pass",
    ),
    Rule(
        "rank.specificity",
        "within one kind of code, the variant that fewer devices can run wins: it was made for this one",
        _CONCEPT,
        "laws",
        others="IREE takes the first valid variant, LLVM the first image, comgr the first entry of a bundle, OCI the"
        " first that matches; GCC's resolver asks for x86-64-v4 before icelake-client, which is more. Here the"
        " order of what is listed changes nothing",
    ),
    Rule(
        "rank.kind",
        "native code before code for a family, before code that the driver compiles, before source, before code that is"
        " interpreted",
        _CONCEPT,
        "laws",
        others="CUDA (cubin before PTX) and HIP (native, generic, SPIR-V) have the same order for their own formats",
    ),
    Rule("rank.tuning", "of incomparable variants the one that was built nearest to this device wins", _CONCEPT, "laws"),
    Rule("rank.prefer", "what `--prefer` names first wins", _CONCEPT, "laws"),
    Rule(
        "rank.preference",
        "the higher preference of the build config or package wins",
        _CONCEPT,
        "laws",
        others="ONNX Runtime, PEP 825, ACLE and NFD let declared priorities come first; here they decide only what"
        " nothing else does, because they are guesses about devices that their writer had not seen",
    ),
    Rule(
        "rank.digest",
        "nothing else separates them: the smaller digest wins, then the name, so that the choice is the same everywhere",
        _CONCEPT,
        "laws",
    ),
)
