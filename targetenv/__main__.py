"""`python -m targetenv`, and the installed command `targetenv`."""

from __future__ import annotations

import gc
import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import NoReturn


def main() -> NoReturn:
    """Run the command line in `sys.argv` and exit with its status."""
    gc.set_threshold(100_000, 20, 20)  # collections while modules are imported cost 3 ms and find nothing
    from targetenv.cli.app import run

    status = run(sys.argv[1:])
    if sys.gettrace() is None and sys.getprofile() is None:  # those who watch write down what they saw at the very end
        sys.stderr.flush()
        os._exit(status)  # devices and files are closed; to take the interpreter apart would cost 5 ms more
    sys.exit(status)


if __name__ == "__main__":
    main()
