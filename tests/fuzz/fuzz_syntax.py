"""Feed damaged target descriptions to the readers until something other than a `ParseError` comes out.

python tests/fuzz/fuzz_syntax.py [SECONDS] [SEED]     with atheris where it is installed, else random damage
"""

from __future__ import annotations

import random
import sys
import time
from importlib import import_module
from pathlib import Path

from targetenv.diagnostics.diagnostic import ParseError
from targetenv.syntax import parse

CORPUS = Path(__file__).parents[1] / "corpora" / "attributes"
SEEDS = [path.read_bytes().decode() for path in sorted(CORPUS.rglob("*.env"))]
JUNK = [*list('#<>[]{}(),:=|"\\ \n\t@!*?-+.;/0123456789xiuVK_'), "0x", "dense<", "vector<3x", "#vk.caps<", " : i32", "“", "�"]


def one(text: str) -> None:
    """Read one text; spans must lie inside it, and what is accepted must print to a fixed point."""
    try:
        parsed = parse(text)
    except ParseError as error:
        for diagnostic in error.diagnostics:
            length = len(diagnostic.source.text) if diagnostic.source else 0
            assert all(0 <= label.span.start <= label.span.end <= length for label in diagnostic.labels)
            str(error)
        return
    assert parse(parsed.canonical).canonical == parsed.canonical


def damage(text: str, rng: random.Random) -> str:
    """A few random edits."""
    for _ in range(rng.randint(1, 6)):
        at, end = sorted((rng.randint(0, len(text)), rng.randint(0, len(text))))
        match rng.randint(0, 4):
            case 0:
                text = text[:at] + rng.choice(JUNK) + text[at:]
            case 1:
                text = text[:at] + text[min(end, at + 8) :]
            case 2:
                text = text[:at] + text[at:end] * 2 + text[end:]
            case 3:
                other = rng.choice(SEEDS)
                text = text[:at] + other[rng.randint(0, len(other)) :]
            case _:
                text = text[:at] + "".join(rng.choices(JUNK, k=3)) + text[at + 1 :]
    return text


def run(seconds: float, seed: int) -> int:
    """Random damage for a while; how many texts were read."""
    rng = random.Random(seed)
    count = 0
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        text = damage(rng.choice(SEEDS), rng)
        try:
            one(text)
        except Exception:
            print(f"seed {seed}, text {count}: {text!r}", file=sys.stderr)
            raise
        count += 1
    return count


def main() -> None:
    """Run with atheris where it is there."""
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 10.0
    seed = int(sys.argv[2]) if len(sys.argv) > 2 else 0
    try:
        atheris = import_module("atheris")
    except ImportError:
        print(f"{run(seconds, seed)} texts read, without atheris")
        return
    atheris.instrument_all()
    atheris.Setup([sys.argv[0], f"-max_total_time={int(seconds)}"], lambda data: one(data.decode("utf-8", "surrogateescape")))
    atheris.Fuzz()


if __name__ == "__main__":
    main()
