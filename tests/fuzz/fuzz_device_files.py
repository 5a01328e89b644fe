"""Feed damaged device files to their readers until something other than a diagnostic comes out.

python tests/fuzz/fuzz_device_files.py [COUNT] [SEED] [FOLDER]     FOLDER has files to start from (default: the corpus)

Half of the damage is to bytes; the other half puts a token in place of another (a number, a text, `true`), which leaves most
files JSON and gets behind the parser.
"""

from __future__ import annotations

import json
import re
import sys
import time
from collections import Counter
from pathlib import Path
from random import Random

from targetenv.diagnostics.diagnostic import FormatError
from targetenv.wire.device_files import DeviceFile, contents, describes_devices, read_all
from targetenv.wire.device_writer import FORMS, write_devices

CORPUS = Path(__file__).parents[1] / "corpora" / "device-files"
_TOKEN = re.compile(rb'"(?:[^"\\]|\\.)*"|-?\d+(?:\.\d+)?|true|false|null|\[\]|\{\}|[\w.]+')
_WORDS = """
    0 1 -1 1e999 -0.5 4294967296 18446744073709551616 true false null [] {} "" "VK_TRUE" "0x40" "1.2.3" [[]] [{"a":1}]
    {"width":1} NaN Infinity "extensions" "deviceName" "profiles" "limits" [1,2,3] ["VK_SHADER_STAGE_ALL"]
    "VkPhysicalDeviceFeatures" "VK_KHR_16bit_storage" "\\u0000" "\\ud800"
"""
_TOKENS = [*_WORDS.encode().split(), b"9" * 300, b'"' + b"A" * 5000 + b'"']
_BYTES = [
    b"{",
    b"[",
    b'"',
    b"]",
    b"}",
    b",",
    b":",
    b"=",
    b"\t",
    b"\n",
    b"GPU0:\n",
    b" count = 9\n",
    b"\xff",
    b"\x00",
    b"\\",
    b"#",
]


class Seed:
    """One sound file and where its tokens are."""

    def __init__(self, path: Path) -> None:
        self.name = path.name
        self.data = contents(str(path))
        self.tokens = [found.span() for found in _TOKEN.finditer(self.data)]


def seeds(folder: Path = CORPUS) -> list[Seed]:
    """The sound files of a folder."""
    found = [path for path in sorted(folder.iterdir()) if path.suffix in (".json", ".txt", ".gz")]
    return [Seed(path) for path in found if describes_devices(contents(str(path)))]


def damage(seed: Seed, rng: Random) -> bytes:
    """A damaged copy."""
    data = bytearray(seed.data)
    if rng.random() < 0.5:
        for start, end in sorted((rng.choice(seed.tokens) for _ in range(rng.choice((1, 1, 2, 5)))), reverse=True):
            other = rng.choice(seed.tokens)
            data[start:end] = rng.choice(_TOKENS) if rng.random() < 0.7 else seed.data[slice(*other)]
        return bytes(data)
    for _ in range(rng.choice((1, 1, 2, 4))):
        at = rng.randrange(len(data) or 1)
        match rng.randrange(5):
            case 0:
                data[at : at + 1] = bytes([rng.randrange(256)])
            case 1:
                del data[at : at + rng.choice((1, 2, 8, 200))]
            case 2:
                data[at:at] = rng.choice(_BYTES)
            case 3:
                start = rng.randrange(len(data) or 1)
                data[at:at] = data[start : start + rng.randrange(1, 300)]
            case _:
                del data[at:]
    return bytes(data)


def one(data: bytes, name: str) -> str:
    """Read one file: `ok` and what is found is sound, or the code of the refusal."""
    refused: FormatError | None = None
    found: tuple[DeviceFile, ...] = ()
    try:
        found = read_all(data, name=name)
    except FormatError as error:
        refused = error
    if refused is not None:
        assert all(diagnostic.code.startswith("TE43") for diagnostic in refused.diagnostics), refused.diagnostics
        assert len(str(refused)) < 20_000
        return refused.code
    for file in found:
        offers = file.device.offers
        assert not offers.features & offers.denied
        assert [row.name for row in offers.properties] == sorted({row.name for row in offers.properties})
        assert all(warning.code.startswith("TE431") and len(warning.message) < 1000 for warning in file.diagnostics)
    return "ok"


def again(data: bytes, name: str) -> None:
    """What was read can be written in every form and read back."""
    for file in read_all(data, name=name):
        for form in FORMS:
            made = write_devices([file.device], form)
            json.loads(made.text.encode("utf-8", "surrogatepass"))
            read_all(made.text.encode("utf-8", "replace"), name=name)


def run(count: int, seed: int, folder: Path = CORPUS) -> Counter[str]:
    """How many damaged files were read, and how many refused with which code."""
    rng = Random(seed)
    starts = seeds(folder)
    outcomes: Counter[str] = Counter()
    for at in range(count):
        start = rng.choice(starts)
        data = damage(start, rng)
        try:
            outcome = one(data, start.name)
            if outcome == "ok" and at % 20 == 0:
                again(data, start.name)
        except Exception:
            Path("fuzz_device_files.crash").write_bytes(data)
            print(f"{start.name}, case {at} of seed {seed}: written to fuzz_device_files.crash", file=sys.stderr)
            raise
        outcomes[outcome] += 1
    return outcomes


if __name__ == "__main__":
    wanted, number = (int(text) for text in (sys.argv[1:3] + ["10000", "0"][len(sys.argv[1:3]) :]))
    began = time.monotonic()
    print(dict(run(wanted, number, Path(sys.argv[3]) if len(sys.argv) > 3 else CORPUS)))
    print(f"{wanted} files in {time.monotonic() - began:.0f} s")
