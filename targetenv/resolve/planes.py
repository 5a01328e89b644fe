"""Answers of many devices at once: one row of bits for each requirement, one bit for each device.

Two planes hold the three values: `known` where a requirement is satisfied, `maybe` where it is not certainly unsatisfied. What
a simple requirement answers is asked of the same judge that `resolve` asks, once for all devices that are alike in what the
answer may look at; Kleene's and, or and not are then operations on rows. Rows are padded to whole 64-bit words with zeros.
"""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING

import numpy as np

from targetenv.match.check import Judge
from targetenv.match.dependence import all_reads, context_of, leaves, reads
from targetenv.match.stack import Stack
from targetenv.model import requirement as needs
from targetenv.model.record import record
from targetenv.model.verdict import Outcome

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterable, Sequence
    from typing import TypeAlias

    from numpy.typing import NDArray

    from targetenv.match.dependence import Reads
    from targetenv.model.capabilities import Capabilities
    from targetenv.model.requirement import Requirement

    Rows: TypeAlias = NDArray[np.uint64]
    Codes: TypeAlias = NDArray[np.int64]

WORD = 64
_NEWEST = Stack()
_WIDE, _SOME = 64, 256  # words of a row, and lists, that are worked on together
_MANY = 1 << 22  # codes beyond this are counted again from zero before they are combined with others


@record
class Planes:
    """Rows of bits for `count` devices; `maybe` is `known` itself where nothing is unknown."""

    known: Rows
    maybe: Rows
    count: int

    @property
    def certain(self) -> bool:
        """Whether nothing is unknown."""
        return self.maybe is self.known


def answers(requirements: Sequence[Requirement], block: Sequence[Capabilities], as_of: Stack = _NEWEST) -> Planes:
    """What every device of the block answers to every requirement as of a stack: row r, bit d."""
    simple = list(dict.fromkeys(chain.from_iterable(map(leaves, requirements))))
    columns = _Columns(block, all_reads(simple), as_of)
    known, maybe = (np.zeros((len(simple), words(len(block))), np.uint64) for _ in range(2))
    for at, need in enumerate(simple):
        codes, first = columns.alike(reads(need))
        found = np.zeros(len(first), np.uint8)
        for code, place in enumerate(first.tolist()):
            if place >= 0:
                outcome = columns.judge(place).check(need).outcome
                found[code] = 2 if outcome is Outcome.SATISFIED else outcome is Outcome.UNKNOWN
        each = found[codes]
        known[at], maybe[at] = pack(each == 2), pack(each > 0)
    place = {need: at for at, need in enumerate(simple)}
    if simple != list(requirements):
        everyone = pack(np.ones(len(block), np.bool_))
        rows = [_compound(need, known, maybe, place, everyone) for need in requirements]
        known, maybe = (_stack([row[side] for row in rows], len(everyone)) for side in (0, 1))
    return Planes(known, known if np.array_equal(known, maybe) else maybe, len(block))


class Conjunctions:
    """Lists of rows, laid out once, to be anded again and again for other devices.

    Lists that ask the same are one. They are taken by length, as many at a time as keep their results in the processor's cache.
    """

    __slots__ = ("_again", "_batches", "_count")

    def __init__(self, wanted: Sequence[Sequence[int]], rows: int) -> None:
        lists: dict[tuple[int, ...], int] = {}
        first = [lists.setdefault(tuple(places), at) for at, places in enumerate(wanted)]
        repeated = [at for at, one in enumerate(first) if one != at]
        self._again = np.array(repeated, np.intp), np.array([first[at] for at in repeated], np.intp)
        self._count = len(wanted)
        self._batches: list[tuple[NDArray[np.intp], NDArray[np.intp]]] = []  # rows to and, and whose result that is
        ordered = sorted(lists, key=len)
        for start in range(0, len(ordered), _SOME):
            batch = ordered[start : start + _SOME]
            places = np.full((max(1, len(batch[-1])), len(batch)), rows, np.intp)  # an extra row fills up shorter lists
            for column, members in enumerate(batch):
                places[: len(members), column] = members
            self._batches.append((places, np.array([lists[members] for members in batch], np.intp)))

    def of(self, planes: Planes) -> Planes:
        """For each list of rows, the devices that meet all of them."""
        everyone = pack(np.ones(planes.count, np.bool_))
        known = np.empty((self._count, len(everyone)), np.uint64)
        self._fill(known, np.vstack([planes.known, everyone]))
        if planes.certain:
            return Planes(known, known, planes.count)
        maybe = known.copy()
        self._fill(maybe, np.vstack([planes.maybe, everyone]), np.append((planes.known != planes.maybe).any(axis=1), False))
        return Planes(known, known if np.array_equal(known, maybe) else maybe, planes.count)

    def _fill(self, met: Rows, table: Rows, only: NDArray[np.bool_] | None = None) -> None:
        """Write the ands, for as many devices at a time as keep the table in the cache; `only` lists with one of these rows."""
        batches = self._batches
        if only is not None:
            touched = ((places, whose, only[places].any(axis=0)) for places, whose in batches)
            batches = [(places[:, some], whose[some]) for places, whose, some in touched if some.any()]
        for left in range(0, table.shape[1], _WIDE):
            part = np.ascontiguousarray(table[:, left : left + _WIDE])
            other = np.empty((_SOME, part.shape[1]), np.uint64)
            for places, whose in batches:
                here = part.take(places[0], 0, mode="clip")
                spare = other[: len(here)]
                for each in places[1:]:
                    np.bitwise_and(here, part.take(each, 0, spare, "clip"), here)
                met[whose, left : left + _WIDE] = here
        again, before = self._again
        met[again] = met[before]


def winners(runs: Planes, above: Callable[[int], int], *, allow: bool) -> NDArray[np.int32]:
    """For each device the place of the variant to run, -1 where none may.

    Rows are the variants of one kernel in order of cost, preference and name. The first that runs wins, unless one that
    requires strictly more (`above`) runs too; where `allow` is set and nothing is known to run, the same among what may.
    """
    chosen = np.full(runs.count, -1, np.int32)
    left = pack(np.ones(runs.count, np.bool_))
    for rows in (runs.known, runs.maybe)[: 2 if allow and not runs.certain else 1]:
        here = left
        for place in range(len(rows)):
            takes = rows[place] & here
            if not takes.any():
                continue
            for other in _members(above(place)):
                takes &= ~rows[other]
            chosen[unpack(takes, runs.count)] = place
            here = here & ~takes
        left = here
    return chosen


def words(count: int) -> int:
    """How many 64-bit words hold this many bits."""
    return -(-count // WORD)


def pack(bits: NDArray[np.bool_]) -> Rows:
    """One row from one boolean for each device."""
    row = np.zeros(words(len(bits)) * 8, np.uint8)
    packed = np.packbits(bits, bitorder="little")
    row[: len(packed)] = packed
    return row.view(np.uint64)


def unpack(row: Rows, count: int) -> NDArray[np.bool_]:
    """The inverse of `pack`."""
    return np.unpackbits(row.view(np.uint8), count=count, bitorder="little").view(np.bool_)


def table(blocks: Sequence[tuple[Rows, int]]) -> NDArray[np.bool_]:
    """Rows of several blocks of devices side by side, one boolean for each device."""
    parts = [np.array([unpack(row, count) for row in rows], np.bool_).reshape(len(rows), count) for rows, count in blocks]
    return np.concatenate(parts, axis=1) if parts else np.zeros((0, 0), np.bool_)


def as_int(bits: NDArray[np.bool_]) -> int:
    """Booleans as an integer, the first in bit 0."""
    return int.from_bytes(np.packbits(bits, bitorder="little").tobytes(), "little")


def _compound(need: Requirement, known: Rows, maybe: Rows, place: dict[Requirement, int], everyone: Rows) -> tuple[Rows, Rows]:
    match need:
        case needs.AllOf(parts) | needs.AnyOf(parts):
            rows = [_compound(part, known, maybe, place, everyone) for part in parts]
            combine, start = (
                (np.bitwise_and, everyone) if isinstance(need, needs.AllOf) else (np.bitwise_or, np.zeros_like(everyone))
            )
            sides = [combine.reduce(np.array([start, *(row[side] for row in rows)]), axis=0) for side in (0, 1)]
            return sides[0], sides[1]
        case needs.Not(part):
            yes, perhaps = _compound(part, known, maybe, place, everyone)
            return everyone & ~perhaps, everyone & ~yes
        case _:
            return known[place[need]], maybe[place[need]]


def _stack(rows: Sequence[Rows], width: int) -> Rows:
    return np.array(rows, np.uint64).reshape(len(rows), width)


def _members(bits: int) -> Iterable[int]:
    while bits:
        lowest = bits & -bits
        yield lowest.bit_length() - 1
        bits ^= lowest


class _Columns:
    """A block of devices column by column: equal facts have equal codes."""

    def __init__(self, block: Sequence[Capabilities], asked: Reads, as_of: Stack) -> None:
        self._block = block
        self._as_of = as_of
        self._judges: dict[int, Judge] = {}
        self._context = _codes(context_of(offers, asked) for offers in block)
        self._extensions = _presence(asked.extensions, [offers.extensions for offers in block])
        names = asked.features | asked.mandatory
        self._features = _presence(names, [offers.features for offers in block])
        self._denied = _presence(names, [offers.denied for offers in block])
        self._properties = _values(asked.properties, block)
        self._whole: Codes | None = None
        self._isas: Codes | None = None
        self._complete = np.array([offers.complete and not offers.unstated for offers in block], np.bool_)
        self._vulkan = np.array([offers.api == "vulkan" for offers in block], np.bool_)

    def judge(self, place: int) -> Judge:
        """The judge of one device; each keeps what it was asked."""
        judge = self._judges.get(place)
        if judge is None:
            judge = self._judges[place] = Judge(self._block[place], self._as_of)
        return judge

    def alike(self, asked: Reads) -> tuple[Codes, Codes]:
        """A code for each device, equal where the answer must be; and for each code the first device that has it, or -1."""
        codes = self._context
        unanswered = np.zeros(len(codes), np.bool_)
        for name in sorted(asked.features | asked.mandatory):
            yes, no = self._features[name], self._denied[name]
            codes = _combined(codes, yes * 2 + no, 4)
            silent = ~(yes | no) & self._vulkan
            unanswered |= silent if name in asked.mandatory else silent & ~self._complete
        for name in sorted(asked.extensions):
            codes = _combined(codes, self._extensions[name].astype(np.int64), 2)
        for name in sorted(asked.properties):
            column = self._properties[name]
            codes = _combined(codes, column, int(column.max(initial=0)) + 1)
        if unanswered.any():
            whole = self._everything()
            codes = _combined(codes, np.where(unanswered, whole + 1, 0), int(whole.max(initial=0)) + 2)
        if asked.isa:
            isas = self._of_processors()
            codes = _combined(codes, isas, int(isas.max(initial=0)) + 1)
        if codes.max(initial=0) > 4 * len(codes):
            codes = _again(codes)
        first = np.full(int(codes.max(initial=-1)) + 1, -1, np.int64)
        first[codes[::-1]] = np.arange(len(codes) - 1, -1, -1)
        return codes, first

    def _everything(self) -> Codes:
        if self._whole is None:
            self._whole = _codes((offers.extensions, offers.features) for offers in self._block)
        return self._whole

    def _of_processors(self) -> Codes:
        if self._isas is None:
            self._isas = _codes((offers.features, offers.denied) if offers.isa is not None else None for offers in self._block)
        return self._isas


def _codes(values: Iterable[Hashable]) -> Codes:
    seen: dict[Hashable, int] = {}
    return np.array([seen.setdefault(value, len(seen)) for value in values], np.int64)


def _presence(names: Iterable[str], sets: Sequence[frozenset[str]]) -> dict[str, NDArray[np.bool_]]:
    """For each name, which of the sets have it."""
    place = {name: at for at, name in enumerate(names)}
    table = np.zeros((len(place), len(sets)), np.bool_)
    for column, members in enumerate(sets):
        table[[place[name] for name in members if name in place], column] = True
    return {name: table[at] for name, at in place.items()}


def _values(names: Iterable[str], block: Sequence[Capabilities]) -> dict[str, Codes]:
    """For each property, a code for its value on each device; 0 where it is not stated."""
    place = {name: at for at, name in enumerate(names)}
    seen: list[dict[object, int]] = [{} for _ in place]
    rows = []
    for offers in block:
        codes = [0] * len(place)
        for row in offers.properties:
            at = place.get(row.name)
            if at is not None:
                values = seen[at]
                codes[at] = values.setdefault(row.value, len(values) + 1)
        rows.append(codes)
    table = np.ascontiguousarray(np.array(rows, np.int64).reshape(len(block), len(place)).T)
    return {name: table[at] for name, at in place.items()}


def _combined(codes: Codes, others: Codes, upto: int) -> Codes:
    if upto == 1:
        return codes
    if int(codes.max(initial=0)) * upto > _MANY:
        codes = _again(codes)
    return codes * upto + others


def _again(codes: Codes) -> Codes:
    return np.unique(codes, return_inverse=True)[1].reshape(-1)
