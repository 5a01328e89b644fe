"""Metal libraries."""

from __future__ import annotations

from targetenv.match.rules.row import Rule

ROWS: tuple[Rule, ...] = (
    Rule(
        "metal.system",
        "a library runs on the system that it was built for, from its deployment target on",
        "Apple Developer Forums 105719, `deployment target which is incompatible with this OS`",
        "packaging",
    ),
    Rule(
        "metal.language",
        "a system compiles the Metal language up to the version that came with it",
        "Apple, Metal Shading Language Specification, language versions",
    ),
)
