"""A package of small C kernels, built once."""

from __future__ import annotations

import shutil
from hashlib import sha256
from pathlib import Path
from typing import NoReturn

import ninja
import pytest
from targetenv_runtime.drivers.cpu import include_directory

from targetenv.build.execute import execute
from targetenv.build.step import Built, Step
from targetenv.build.toolchains import Workshop
from targetenv.model.requirement import NeedsFormat, NeedsIsa
from targetenv.wire.package import Binding, Constant, Package, PackagedKernel, Variant, pack_package

SOURCE = """\
#include <targetenv/kernel.h>
#define AT(name, index) ((name *)targetenv_binding(dispatch, index))
TARGETENV_KERNEL(saxpy) {
  const float a = targetenv_constant_f32(dispatch, 0);
  const uint32_t n = targetenv_constant_u32(dispatch, 1);
  for (uint64_t i = workgroup->id_x * 4; i < n && i < workgroup->id_x * 4 + 4; ++i) AT(float, 1)[i] += a * AT(float, 0)[i];
  return 0;
}
TARGETENV_KERNEL(outer) {  /* c[i, j] = a[i] * b[j] + bias, tile 2 x 3 */
  const uint32_t rows = targetenv_constant_u32(dispatch, 1), columns = targetenv_constant_u32(dispatch, 2);
  for (uint64_t i = workgroup->id_y * 2; i < rows && i < workgroup->id_y * 2 + 2; ++i)
    for (uint64_t j = workgroup->id_x * 3; j < columns && j < workgroup->id_x * 3 + 3; ++j)
      AT(float, 2)[i * columns + j] = AT(float, 0)[i] * AT(float, 1)[j] + targetenv_constant_f32(dispatch, 0);
  return 0;
}
TARGETENV_KERNEL(both) {
  for (uint64_t i = 0; i < 3; ++i) AT(int, 1)[i] = AT(int, 0)[i]++;
  return 0;
}
TARGETENV_KERNEL(broken) { return 7; }
TARGETENV_KERNEL(constants) {
  for (unsigned i = 0; i < dispatch->constant_count; ++i) AT(uint32_t, 0)[i] = dispatch->constants[i];
  return 0;
}
"""
KERNELS = (
    PackagedKernel(
        "saxpy",
        (Constant("a", "f32"), Constant("n", "u32", "x.size")),
        (Binding("x", "f32", "read"), Binding("y", "f32", "readwrite", ("x.size",))),
        ("x.size",),
    ),
    PackagedKernel(
        "outer",
        (Constant("bias", "f32"), Constant("rows", "u32", "a.size"), Constant("columns", "u32", "b.shape[0]")),
        (Binding("a", "f32", "read"), Binding("b", "f32", "read"), Binding("c", "f32", "write", ("a.shape[0]", "b.shape[0]"))),
        ("b.size", "a.size"),
    ),
    PackagedKernel("both", (), (Binding("x", "i32"), Binding("old", "i32", "write", (3,))), (1,)),
    PackagedKernel("broken", (), (Binding("x", "i32", "read"),), (1,)),
    PackagedKernel("impossible", (), (Binding("x", "i32", "read"),), (1,)),
    PackagedKernel("constants", (), (), None, open=True),
)
TILES = {"saxpy": (4, 1, 1), "outer": (3, 2, 1)}


def _not_understood(text: str) -> NoReturn:
    raise ValueError(text)


@pytest.fixture(scope="session")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The package's path."""
    if shutil.which("cc") is None:
        pytest.skip("cc is not installed")
    folder = tmp_path_factory.mktemp("package")
    (folder / "k.c").write_text(SOURCE)
    workshop = Workshop(lambda name: ("cc",) if name == "cc" else None, _not_understood, (include_directory(),))
    (built,) = execute([Step("k", "cc", "k.c")], workshop, folder=str(folder), ninja=str(Path(ninja.BIN_DIR) / "ninja"))
    assert isinstance(built, Built), built
    digest = sha256(built.data).hexdigest()
    variants = tuple(
        Variant(
            "plain",
            kernel.name,
            "elf-x86_64",
            kernel.name,
            "k.so",
            len(built.data),
            digest,
            (NeedsFormat("elf-x86_64"), NeedsIsa("x86-64-v9" if kernel.name == "impossible" else "x86-64")),
            tile=TILES.get(kernel.name),
        )
        for kernel in KERNELS
    )
    path = folder / "k.tenv"
    path.write_bytes(pack_package(Package("k", "1", KERNELS, variants), {"k.so": built.data}))
    return path
