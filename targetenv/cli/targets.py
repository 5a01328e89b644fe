"""The target names that targetenv knows, what each stands for, and where that is written down."""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from targetenv.cli.output import print_json, print_table
from targetenv.diagnostics.diagnostic import Diagnostic, TargetEnvError
from targetenv.diagnostics.suggest import did_you_mean
from targetenv.match.phrases import api_name
from targetenv.model import document
from targetenv.model.record import record
from targetenv.syntax import parse
from targetenv.syntax.dialects import DIALECTS

if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace

    from targetenv.model.target_env import TargetEnv

EPILOG = (
    "Attributes (#vk.target_env<...>), triples and flags are understood too: `targetenv parse` takes them. Exit status 1: none."
)

# Where the rows of a dialect's names come from; the modules of targetenv/registry say it in full.
_SOURCES = {
    "amdgpu": "LLVM AMDGPUUsage",
    "cuda": "NVIDIA PTX ISA, CUDA release notes",
    "cpu": "x86-64 psABI, archspec, LLVM",
    "oci": "OCI image index, containerd",
    "aie": "iree-amd-aie, aie-rt, amdxdna",
    "habana": "habanalabs",
    "llvm": "LLVM Triple.cpp",
    "triple": "IREE TargetTriple.cpp, 20231218",
    "iree": "IREE KnownTargets.cpp, 3.13",
}


def add_arguments(parser: ArgumentParser) -> None:
    """Which names."""
    parser.add_argument("pattern", nargs="?", metavar="PATTERN", help="part of a name, or a pattern such as `gfx9*`")


@record
class Name:
    """One name and what it stands for."""

    name: str
    dialect: str
    env: TargetEnv


def run(args: Namespace) -> int:
    """List the names."""
    pattern = args.pattern or ""
    names = known(pattern)
    if args.format == "json":
        rows = [
            {
                "name": row.name,
                "dialect": row.dialect,
                "offers": document.of_capabilities(row.env.offers),
                "source": source(row.dialect),
            }
            for row in names
        ]
        print_json({"targets": rows})
    elif names:
        table = [(row.name, row.dialect, expansion(row.env, in_full=len(names) == 1), source(row.dialect)) for row in names]
        print_table(("name", "dialect", "stands for", "source"), table)
    else:
        advice = did_you_mean(pattern, [row.name for row in known("")]) or "`targetenv targets` lists them all"
        print(TargetEnvError(Diagnostic("TE1213", f"no name that is known matches `{pattern}`", help=advice)))
    return 0 if names else 1


def known(pattern: str) -> tuple[Name, ...]:
    """Every name that contains `pattern`, or matches it where it has a wildcard; the exact name alone where it is one."""
    found: dict[str, Name] = {}
    wild = any(character in "*?[" for character in pattern)
    for dialect in DIALECTS:
        for name in dialect.names():
            if name not in found and (fnmatchcase(name, pattern) if wild else pattern.lower() in name.lower()):
                parsed = parse(name)
                found[name] = Name(name, parsed.dialect.partition("@")[0], parsed.env)
    return (found[pattern],) if pattern in found else tuple(found.values())


def expansion(env: TargetEnv, *, in_full: bool = False) -> str:
    """What a name stands for, in a few words, or with every feature.

    >>> expansion(parse("vulkan1.1").env)
    'Vulkan 1.1'
    """
    offers = env.offers
    parts = [f"{api_name(offers.api)} {offers.version}"] if offers.version is not None else []
    parts += [f"SPIR-V {offers.spirv.version}"] if offers.spirv is not None else []
    parts += [f"{offers.api} instruction set {offers.isa}"] if offers.isa is not None else []
    if offers.features:
        count = len(offers.features)
        parts.append(" ".join(sorted(offers.features)) if in_full else f"{count} feature{'s' if count > 1 else ''}")
    return ", ".join(parts) or api_name(offers.api)


def source(dialect: str) -> str:
    """Where the names of a dialect are defined."""
    if dialect == "vulkan":
        from targetenv.registry.vulkan import HEADER_VERSION

        return f"vk.xml {HEADER_VERSION}"
    return _SOURCES.get(dialect, "")
