"""`--as-of STACK`: the stack as of which is decided."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser


def add_as_of(parser: ArgumentParser) -> None:
    """The option; `targetenv.match.stack` reads its text."""
    parser.add_argument(
        "--as-of",
        metavar="STACK",
        help="decide as this stack would: versions of driver, cuda, rocm, llvm, vulkan, as in `driver=570,cuda=12.8`",
    )
