"""What all of some devices and targets offer: the environment to build for so that the code runs on each of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from targetenv.cli.environments import environments_from
from targetenv.cli.output import print_json, talk
from targetenv.diagnostics.diagnostic import Diagnostic, TargetEnvError
from targetenv.match.lattice import join, meet
from targetenv.model import document
from targetenv.model.capabilities import Property
from targetenv.model.device import Device
from targetenv.model.record import replace

if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace
    from collections.abc import Sequence

    from targetenv.cli.environments import Environment
    from targetenv.model.capabilities import Capabilities
    from targetenv.model.target_env import TargetEnv

EPILOG = (
    "A file that holds several devices stands for all of them. Limits are combined by their type: the smaller of two maxima,"
    " the larger of two minima, common bits, common multiples; what has no order and differs is left out. Without --to, the"
    " text is #vk.target_env for Vulkan, #spirv.target_env where only SPIR-V is known, else in the dialect of the first target."
)

_FILES = {"snapshot": "json", "json": "json", "profile": "profile", "capsviewer": "capsviewer"}  # as `write_devices` calls them


def add_arguments(parser: ArgumentParser) -> None:
    """The sides, and in what form."""
    parser.add_argument("of", nargs="+", metavar="A", help="a target, a device (vulkan://0), or a file that describes devices")
    parser.add_argument("--to", metavar="FORM", help="snapshot, profile, capsviewer, or a dialect (vk, spirv ...)")
    parser.add_argument("-o", "--output", metavar="FILE", help="write it here; without --to a device snapshot")


def run(args: Namespace) -> int:
    """Meet, and print or write."""
    return answer(args, "meet")


def answer(args: Namespace, verb: str) -> int:
    """What `verb` makes of the arguments, printed or written; shared with `targetenv join`."""
    sides = [each for text in args.of for each in environments_from(text)]
    env = _combined(verb, [each.env for each in sides])
    form = args.to or ("snapshot" if args.output else None)
    if args.format == "json" and form is None:
        print_json({"of": [each.name for each in sides], "offers": document.of_capabilities(env.offers)})
        return 0
    if form not in _FILES and env.offers.isa is None and all(each.env.offers.isa for each in sides):
        talk(str(TargetEnvError(_apart(verb, sides))))
        return 1
    text = _file(verb, sides, env, _FILES[form]) if form in _FILES else _rendered(env, form or _dialect(sides, env), verb)
    if args.output:
        from targetenv.wire.files import write_bytes

        write_bytes(args.output, text.encode())
        talk(f"wrote {args.output}: the {verb} of {len(sides)}")
    elif args.format == "json":
        rows = [each.name for each in sides]
        print_json({"of": rows, "offers": document.of_capabilities(env.offers), "output": text})
    else:
        print(text, end="")
    return 0


def _combined(verb: str, envs: Sequence[TargetEnv]) -> TargetEnv:
    """The environment, with as much identity as all agree about."""
    offers = (meet if verb == "meet" else join)(*(env.offers for env in envs))
    names = ("vendor", "device_type", "device_id", "triple")
    first = envs[0]
    common = {
        name: getattr(first, name) if all(getattr(env, name) == getattr(first, name) for env in envs) else None
        for name in names
    }
    return replace(first, offers=offers, name=None, **common)


def _apart(verb: str, sides: Sequence[Environment]) -> Diagnostic:
    isas = " and ".join(sorted({str(each.env.offers.isa) for each in sides}))
    what = f"no code runs on all of {isas}" if verb == "meet" else f"no device runs all code for {isas}"
    return Diagnostic("TE3006", what, help="build for each of them, or pass `--to snapshot` for what else there is")


def _dialect(sides: Sequence[Environment], env: TargetEnv) -> str:
    if env.offers.api in ("vulkan", "spirv"):
        return "vk" if env.offers.version is not None else "spirv"
    dialect = next((each.dialect for each in sides if each.dialect is not None), None)
    if dialect is None:
        advice = "pass `--to llvm` or another dialect, or `--to snapshot`"
        raise TargetEnvError(Diagnostic("TE5200", f"`{sides[0].name}` has no dialect of its own", help=advice))
    return dialect


def _rendered(env: TargetEnv, dialect: str, verb: str) -> str:
    from targetenv.cli.parse import summary
    from targetenv.syntax import render

    made = render(replace(env, offers=_sized(env.offers)), dialect)
    if made.losses:
        talk(summary(made.losses, dialect, f"this {verb}"))
    return f"{made.text}\n"


def _sized(offers: Capabilities) -> Capabilities:
    """With the subgroup sizes as properties too, as dialects state them, where the sides state different ones."""
    sizes = offers.subgroup_sizes
    if offers.api != "vulkan" or not sizes:
        return offers
    told = {row.name: row.value for row in offers.properties}
    control = "VkPhysicalDeviceSubgroupSizeControlProperties::"
    if len(sizes) == 1:
        told["VkPhysicalDeviceSubgroupProperties::subgroupSize"] = min(sizes)
    else:
        told |= {f"{control}minSubgroupSize": min(sizes), f"{control}maxSubgroupSize": max(sizes)}
    return replace(offers, properties=tuple(Property(name, value) for name, value in sorted(told.items())))


def _file(verb: str, sides: Sequence[Environment], env: TargetEnv, form: str) -> str:
    from targetenv.cli.parse import summary
    from targetenv.wire.device_writer import write_devices

    api = env.offers.api
    told = ", ".join(each.name for each in sides)
    device = Device(f"{api}://{verb}", f"{verb} of {told}", api, env.offers, provenance=((f"{verb} of", told),))
    made = write_devices([device], form)
    if made.losses:
        talk(summary(made.losses, form, f"this {verb}"))
    return made.text
