"""The command line that all benchmarks share."""

from __future__ import annotations

import argparse

from tests.benchmarks.measure import pin


class Options(argparse.Namespace):
    rounds: int
    pin: int | None
    iree: str
    iree_parser: str
    tvm: str


def parse() -> Options:
    """Read the options, and pin this process before it starts any thread."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--pin", type=int)
    parser.add_argument("--iree", default="")
    parser.add_argument("--iree-parser", default="")
    parser.add_argument("--tvm", default="")
    options = parser.parse_args(namespace=Options())
    pin(options.pin)
    return options
