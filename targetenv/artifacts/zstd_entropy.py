"""The entropy coders of Zstandard: bits read backwards, finite state tables, Huffman trees. RFC 8878, section 4."""

from __future__ import annotations

from targetenv.model.record import record

_PADDING = 8  # zero bytes before every stream, so that a look ahead may go beyond its beginning
_DIRECT = 128
_MOST_WEIGHTS_BITS, _MOST_TREE_BITS = 6, 11
_PREDEFINED, _ONE, _OWN = 0, 1, 2


class Reader:
    """A stream whose last bit, before the highest that is set, is read first."""

    __slots__ = ("data", "position")

    def __init__(self, stream: bytes) -> None:
        if not stream or not stream[-1]:
            raise ValueError("a stream does not end")
        self.data = bytes(_PADDING) + stream + bytes(8)
        self.position = 8 * (_PADDING + len(stream) - 1) + stream[-1].bit_length() - 1

    def read(self, count: int) -> int:
        """The next bits, at most 32."""
        self.position = position = self.position - count
        if position < 0:
            raise ValueError("a stream ends early")
        at = position >> 3
        return int.from_bytes(self.data[at : at + 8], "little") >> (position & 7) & (1 << count) - 1

    @property
    def left(self) -> int:
        """How many bits are left; below zero when more were read than there are."""
        return self.position - 8 * _PADDING

    def finish(self) -> None:
        """Everything must have been read, and nothing more."""
        if self.left:
            raise ValueError("a stream is not used up")


@record
class Fse:
    """A finite state table: for each state its symbol, how many bits are read next, and what they are added to."""

    bits: int
    symbols: tuple[int, ...]
    widths: tuple[int, ...]
    bases: tuple[int, ...]


def build_fse(counts: list[int], bits: int) -> Fse:
    """The table of a distribution, in which -1 stands for less than one."""
    size = 1 << bits
    symbols = [0] * size
    high = size
    following = []
    for symbol, count in enumerate(counts):
        following.append(1 if count == -1 else count)
        if count == -1:
            high -= 1
            symbols[high] = symbol
    step, mask, place = (size >> 1) + (size >> 3) + 3, size - 1, 0
    for symbol, count in enumerate(counts):
        for _ in range(count):
            symbols[place] = symbol
            place = place + step & mask
            while place >= high:
                place = place + step & mask
    widths, bases = [], []
    for symbol in symbols:
        state = following[symbol]
        following[symbol] += 1
        width = bits - state.bit_length() + 1
        widths.append(width)
        bases.append((state << width) - size)
    return Fse(bits, tuple(symbols), tuple(widths), tuple(bases))


def decode_fse(data: bytes, at: int, most_bits: int, most_symbols: int) -> tuple[Fse, int]:
    """The table whose description begins at `at`, and where what follows begins."""
    stream = int.from_bytes(data[at : at + 256], "little")  # no description is longer
    bits = (stream & 15) + 5
    if bits > most_bits:
        raise ValueError("a table is too large")
    position = 4
    left = 1 << bits
    counts: list[int] = []
    while left > 0:
        width = (left + 1).bit_length()
        value = stream >> position & (1 << width) - 1
        position += width
        lower = (1 << width - 1) - 1
        threshold = (1 << width) - 1 - (left + 1)
        if value & lower < threshold:
            position -= 1
            value &= lower
        elif value > lower:
            value -= threshold
        count = value - 1
        left -= abs(count)
        counts.append(count)
        repeat = 3 if count == 0 else 0
        while repeat == 3:
            repeat = stream >> position & 3
            position += 2
            counts += [0] * repeat
        if len(counts) > most_symbols:
            raise ValueError("a table has too many symbols")
    end = at + (position + 7 >> 3)
    if left or end > len(data):
        raise ValueError("a table is damaged")
    return build_fse(counts, bits), end


@record
class Codes:
    """One of the three codes of sequences: base and extra bits of every symbol, its usual table, its limits."""

    codes: tuple[tuple[int, int], ...]
    usual: Fse
    most_bits: int

    def table(self, mode: int, data: bytes, at: int, last: Fse | None) -> tuple[Fse, int]:
        """The table that a block uses, and where what follows begins."""
        if mode == _PREDEFINED:
            return self.usual, at
        if mode == _ONE:
            if data[at] >= len(self.codes):
                raise ValueError("no such symbol")
            return Fse(0, (data[at],), (0,), (0,)), at + 1
        if mode == _OWN:
            return decode_fse(data, at, self.most_bits, len(self.codes))
        if last is None:
            raise ValueError("no table yet")
        return last, at


def _usual(text: str, bits: int) -> Fse:
    return build_fse([int(part) for part in text.split()], bits)


def _codes(first: int, widths: str, base: int) -> tuple[tuple[int, int], ...]:
    """`first` symbols without extra bits from `base` on, then one for every width."""
    rows = [(base + place, 0) for place in range(first)]
    at = base + first
    for width in map(int, widths.split()):
        rows.append((at, width))
        at += 1 << width
    return tuple(rows)


LENGTHS = Codes(
    _codes(16, "1 1 1 1 2 2 3 3 4 6 7 8 9 10 11 12 13 14 15 16", 0),
    _usual("4 3 2 2 2 2 2 2 2 2 2 2 2 1 1 1 2 2 2 2 2 2 2 2 2 3 2 1 1 1 1 1 -1 -1 -1 -1", 6),
    9,
)
MATCHES = Codes(
    _codes(32, "1 1 1 1 2 2 3 3 4 4 5 7 8 9 10 11 12 13 14 15 16", 3),
    _usual("1 4 3 2 2 2 2 2 2 " + "1 " * 37 + "-1 " * 7, 6),
    9,
)
OFFSETS = Codes(
    tuple((0, place) for place in range(32)),
    _usual("1 1 1 1 1 1 2 2 2 " + "1 " * 15 + "-1 " * 5, 5),
    8,
)


class Huffman:
    """A tree as a table: what the next `bits` bits stand for, and how many of them it takes."""

    __slots__ = ("_bits", "_symbols", "_widths")

    def __init__(self, weights: list[int]) -> None:
        total = sum(1 << weight >> 1 for weight in weights)
        bits = total.bit_length()
        rest = (1 << bits) - total
        if not total or bits > _MOST_TREE_BITS or rest & rest - 1 or len(weights) > 255:
            raise ValueError("a tree is damaged")
        weights = [*weights, rest.bit_length()]
        self._bits = bits
        symbols, widths = bytearray(), bytearray()
        for weight in range(1, bits + 1):  # long codes first
            for symbol, own in enumerate(weights):
                if own == weight:
                    symbols += bytes([symbol]) * (1 << weight - 1)
                    widths += bytes([bits + 1 - weight]) * (1 << weight - 1)
        if len(symbols) != 1 << bits:
            raise ValueError("a tree is damaged")
        self._symbols, self._widths = bytes(symbols), bytes(widths)

    @classmethod
    def read(cls, data: bytes) -> tuple[Huffman, int]:
        """The tree whose description begins the data, and how long that is."""
        size = data[0]
        if size >= _DIRECT:
            count = size - _DIRECT + 1
            used = 1 + (count + 1 >> 1)
            packed = data[1:used]
            weights = [half for byte in packed for half in (byte >> 4, byte & 15)][:count]
            if len(weights) < count:
                raise ValueError("a tree ends early")
            return cls(weights), used
        description = data[1 : 1 + size]
        if len(description) < size:
            raise ValueError("a tree ends early")
        table, at = decode_fse(description, 0, _MOST_WEIGHTS_BITS, 256)
        return cls(_weights(table, Reader(description[at:]))), 1 + size

    def decode(self, data: bytes, size: int, *, four: bool) -> bytes:
        """The `size` symbols in one stream, or in four behind a table of their lengths."""
        if not four:
            return self._stream(data, size)
        lengths = [int.from_bytes(data[at : at + 2], "little") for at in (0, 2, 4)]
        share = size + 3 >> 2
        made = b""
        at = 6
        for length in lengths:
            made += self._stream(data[at : at + length], share)
            at += length
        return made + self._stream(data[at:], size - 3 * share)

    def _stream(self, data: bytes, size: int) -> bytes:
        if size < 0:
            raise ValueError("fewer symbols than streams")
        reader = Reader(data)
        source, bits, symbols, widths = reader.data, self._bits, self._symbols, self._widths
        mask = (1 << bits) - 1
        made = bytearray(size)
        position = reader.position - bits
        for place in range(size):
            at = position >> 3
            if position < 0:
                raise ValueError("a stream ends early")
            code = int.from_bytes(source[at : at + 4], "little") >> (position & 7) & mask
            made[place] = symbols[code]
            position -= widths[code]
        reader.position = position + bits
        reader.finish()
        return bytes(made)


def _weights(table: Fse, reader: Reader) -> list[int]:
    """Two states take turns until the stream is used up; the one that is left has a last word."""
    states = [reader.read(table.bits), reader.read(table.bits)]
    weights: list[int] = []
    turn = 0
    while len(weights) < 256:
        state = states[turn]
        weights.append(table.symbols[state])
        states[turn] = table.bases[state] + reader.read(table.widths[state])
        turn ^= 1
        if reader.left < 0:
            weights.append(table.symbols[states[turn]])
            return weights
    raise ValueError("a tree has too many symbols")
