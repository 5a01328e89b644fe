"""Run a kernel of a package on a device, in the best variant that the device runs, and print or write what it computes."""

from __future__ import annotations

from time import perf_counter

from targetenv.cli.deciding import add_policy
from targetenv.cli.output import print_json, print_table, talk
from targetenv.cli.specs import read_inputs
from targetenv.launch.arrays import Array, unpack_numbers
from targetenv.launch.program import load
from targetenv.launch.refusals import refused
from targetenv.resolve.policy import parse_pins

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace
    from collections.abc import Sequence

    from targetenv.launch.kernel import Call, LoadedKernel
    from targetenv.model.device import Device
    from targetenv.resolve.choice import Choice

EPILOG = (
    "SPEC is @file.npy, 4xf32=1,2,3,4, 1024xf32=0 (one value for all) or a number. A FILE ending in .npy is what numpy.load"
    " reads, any other gets the bytes of the elements. Exit status 1 when no variant runs on the device."
)
_SHOWN = 8  # elements of an output


def add_arguments(parser: ArgumentParser) -> None:
    """What to run, where, with what."""
    parser.add_argument("package", metavar="X.tenv", help="the package")
    parser.add_argument("kernel", metavar="KERNEL", help="one of its kernels")
    parser.add_argument("--device", metavar="URI", help="run on this device, such as cpu://0 (default: the best that runs it)")
    parser.add_argument(
        "--stand-in", metavar="URI",
        help="with a recorded device (a file) as --device: run what that device would run here, on this one",
    )  # fmt: skip
    parser.add_argument("--input", action="append", default=[], metavar="NAME=SPEC", help="a parameter; may be repeated")
    parser.add_argument("--output", action="append", default=[], metavar="NAME=FILE", help="write a result; may be repeated")
    parser.add_argument("--grid", metavar="X,Y,Z", help="elements to compute (default: what the package says)")
    parser.add_argument(
        "--repeat", type=int, default=1, metavar="N", help="run N times and give the times; results are the first's"
    )
    parser.add_argument("--unknown", choices=("reject", "allow"), default="reject", help="what of variants not known to run")
    add_policy(parser)


def run(args: Namespace) -> int:
    """Load, call, report."""
    begin = perf_counter()
    grid = _grid(args.grid)
    if args.repeat < 1:
        raise refused("TE5206", f"`--repeat {args.repeat}`: a kernel runs at least once")
    files = _pairs(args.output)
    scalars, arrays = read_inputs(args.input)
    pins = parse_pins(args.pin)
    with load(
        args.package,
        device=args.device,
        unknown=args.unknown,
        kernels=(args.kernel,),
        prefer=args.prefer,
        pin=pins,
        never_jit=args.never_jit,
        stand_in=args.stand_in,
    ) as program:
        resolved = perf_counter()
        kernel = program[args.kernel]
        _check_outputs(kernel, files)
        call = kernel.prepare(scalars, arrays, grid=grid)
        loaded = perf_counter()
        times, outputs = _timed(call, args.repeat)
        call.close()
        choice = program.choice(args.kernel)
        chosen_on, chosen_for = program.device.uri, program.chosen_for
    timing = {
        "resolve_ms": (resolved - begin) * 1e3,
        "load_ms": (loaded - resolved) * 1e3,
        "first_ms": times[0] * 1e3,
        "median_ms": sorted(times)[len(times) // 2] * 1e3,
        "runs": len(times),
    }
    for name, file in files.items():
        _write(file, outputs[name])
    if args.format == "json":
        _print_document(kernel, chosen_on, chosen_for, choice, outputs, timing)
    else:
        shown = chosen_on if chosen_for is None else f"{chosen_on}, standing in for {chosen_for.name}"
        _print_text(kernel, shown, choice, outputs, timing)
    for name, file in files.items():
        talk(f"wrote {file}: {outputs[name]}")
    return 0


def _timed(call: Call, repeat: int) -> tuple[list[float], dict[str, Array]]:
    """The seconds of every run, and what the first one left: a kernel that adds to its buffer would go on adding."""
    times = []
    outputs: dict[str, Array] = {}
    for place in range(repeat):
        begin = perf_counter()
        call.run()
        times.append(perf_counter() - begin)
        if place == 0:
            outputs = call.outputs()
    return times, outputs


def _grid(text: str | None) -> tuple[int, ...] | None:
    if text is None:
        return None
    parts = text.split(",")
    if not 1 <= len(parts) <= 3 or not all(part.strip().isdecimal() and len(part) <= 19 for part in parts):
        raise refused("TE5207", f"`{text}` is not a grid", "write one to three numbers of elements, such as `--grid 1024,768`")
    return tuple(int(part) for part in parts)


def _pairs(arguments: Sequence[str]) -> dict[str, str]:
    pairs: dict[str, str] = {}
    for argument in arguments:
        name, separator, file = argument.partition("=")
        if not separator or not name or not file:
            raise refused("TE5206", f"`{argument}` is not `NAME=FILE`", "write `--output y=y.npy`")
        if name in pairs:
            raise refused("TE5202", f"output `{name}` is given twice")
        pairs[name] = file
    return pairs


def _check_outputs(kernel: LoadedKernel, files: dict[str, str]) -> None:
    """Before anything runs: every `--output` is a buffer that the kernel writes."""
    written = [row.name for row in kernel.interface.bindings if row.access != "read"]
    for name in files:
        if name not in written and not kernel.interface.open:
            from targetenv.diagnostics.suggest import did_you_mean

            advice = did_you_mean(name, written) or f"it writes {', '.join(written) or 'nothing'}"
            raise refused("TE5202", f"`{kernel.interface.name}` does not write `{name}`", advice)


def _write(file: str, array: Array) -> None:
    from targetenv.wire.files import Output
    from targetenv.wire.npy import write_npy

    with Output(file) as output:
        output.write(write_npy(array.dtype, array.shape, array.data) if file.endswith(".npy") else array.data)


def _print_document(
    kernel: LoadedKernel,
    device: str,
    stands_for: Device | None,
    choice: Choice,
    outputs: dict[str, Array],
    timing: dict[str, float],
) -> None:
    from targetenv.wire.digest import sha256_of

    shown = {
        name: {"dtype": array.dtype, "shape": list(array.shape), "sha256": sha256_of(bytes(array.data))}
        for name, array in outputs.items()
    }
    times = {name: round(value, 4) for name, value in timing.items()}
    row = {"kernel": kernel.interface.name, "device": device, "variant": kernel.variant.name, "because": choice.because}
    place = {} if stands_for is None else {"stands_in_for": {"uri": stands_for.uri, "name": stands_for.name}}
    print_json({**row, **place, "outputs": shown, "times": times})


def _print_text(kernel: LoadedKernel, device: str, choice: Choice, outputs: dict[str, Array], timing: dict[str, float]) -> None:
    columns = ["kernel", "device", "variant", "why", "load", "run"]
    row = [
        kernel.interface.name,
        device,
        kernel.variant.name,
        choice.because or "the only variant that runs",
        _milliseconds(timing["load_ms"]),
        _milliseconds(timing["first_ms"]),
    ]
    if timing["runs"] > 1:
        columns.append(f"median of {timing['runs']}")
        row.append(_milliseconds(timing["median_ms"]))
    print_table(columns, [row])
    for name, array in outputs.items():
        numbers = ", ".join(f"{number:.6g}" for number in unpack_numbers(array, _SHOWN))
        more = ", ..." if array.count > _SHOWN else ""
        print(f"{name}: {array} = {numbers}{more}")


def _milliseconds(value: float) -> str:
    return f"{value:.3f} ms" if value < 10 else f"{value:.1f} ms"
