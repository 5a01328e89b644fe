"""Load a package, call its kernels with numpy arrays, and see why which variant ran.

targetenv build docs/examples/saxpy/targetenv.toml -o saxpy.tenv
python docs/examples/saxpy/run.py saxpy.tenv              # on the best device here
python docs/examples/saxpy/run.py saxpy.tenv vulkan://0   # on this one
"""

from __future__ import annotations

import sys

import numpy as np

import targetenv as te


def main(path: str, device: str | None = None) -> None:
    x = np.linspace(0, 1, 1000, dtype=np.float32)
    y = np.ones_like(x)
    with te.load(path, device=device) as program:
        z = program["saxpy"](2.0, x, y)  # numpy in, numpy out; x and y are not changed
        assert np.allclose(z, 2 * x + y)

        total = program["sum"](x)
        assert np.allclose(total, x.sum())

        a, b = np.eye(64, dtype=np.float16), np.ones((64, 32), dtype=np.float16)
        assert np.allclose(program["matmul"](a, b), b)

        for name in program:
            choice = program.choice(name)
            print(f"{name} ran as {choice.variant} on {choice.device}" + (f": {choice.because}" if choice.because else ""))


if __name__ == "__main__":
    if len(sys.argv) not in (2, 3):
        sys.exit(__doc__)
    main(*sys.argv[1:])
