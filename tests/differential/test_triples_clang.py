"""Triples in order, as the installed clang puts them."""

from __future__ import annotations

import itertools
import random
import shutil
import subprocess

import pytest

from targetenv.registry import triples

CLANG = next((path for name in ("clang", "clang-21", "clang-20", "clang-19") if (path := shutil.which(name))), None)
ARCHITECTURES = (
    "x86_64",
    "aarch64",
    "arm64",
    "armv7a",
    "riscv64",
    "amdgcn",
    "nvptx64",
    "spirv64",
    "spirv1.5",
    "wasm32",
    "bogus",
)
VENDORS = ("", "unknown", "pc", "apple", "amd", "nvidia", "none", "acme")
SYSTEMS = ("", "linux", "amdhsa", "cuda", "vulkan1.3", "windows", "win32", "macosx14.0", "none", "wasi", "mingw32", "plan9")
ENVIRONMENTS = ("", "gnu", "musl", "msvc", "android33", "androideabi21", "compute", "elf", "weird")


def clang(text: str) -> str:
    done = subprocess.run([str(CLANG), f"--target={text}", "-print-target-triple"], capture_output=True, text=True, check=False)
    return done.stdout.strip()


@pytest.mark.differential
@pytest.mark.skipif(CLANG is None, reason="no clang is installed")
def test_the_order_is_llvms() -> None:
    words = list(itertools.product(ARCHITECTURES, VENDORS, SYSTEMS, ENVIRONMENTS))
    chosen = random.Random(20261121).sample(words, 400)
    texts = {"-".join(filter(None, parts)) for parts in chosen} | {"-".join(filter(None, parts[::-1])) for parts in chosen[:60]}
    answers = {text: clang(text) for text in sorted(texts)}
    # For some clang has no toolchain at all; and where no system is named, its driver takes `gnu` for the Hurd.
    taken = {text: answer for text, answer in answers.items() if answer and "hurd" not in answer}
    assert len(taken) > 200
    assert taken == {text: triples.normalized(text) for text in taken}
