"""`python -m targetenv`, and the installed command `targetenv`."""

from __future__ import annotations

import sys


def main() -> None:
    """Run the command line in `sys.argv` and exit with its status."""
    from targetenv.cli.app import run

    sys.exit(run(sys.argv[1:]))


if __name__ == "__main__":
    main()
