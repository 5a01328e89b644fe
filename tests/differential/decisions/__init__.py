"""What other people's tools decide, question by question, beside what our rules decide.

Each oracle asks a tool that is installed, or replays what one answered once; docs/reference/oracles.md is made from all of them
by `python -m tests.differential.decisions --write`. A difference is either known, with its reason, or a failure.
"""
