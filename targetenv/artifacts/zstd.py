"""Zstandard frames, decompressed in Python: slowly, and never to more than was asked for. RFC 8878.

nvcc and clang compress device code with zstd unless told otherwise, and Python has read it by itself only since 3.14.
Dictionaries are not read, and checksums are not checked.
"""

from __future__ import annotations

from targetenv.artifacts.zstd_entropy import LENGTHS, MATCHES, OFFSETS, Fse, Huffman, Reader

MAGIC = bytes.fromhex("28b52ffd")
_SKIPPABLE, _SKIPPABLE_MASK = 0x184D2A50, 0xFFFFFFF0
_LARGEST_BLOCK = 128 << 10
_RAW, _RLE, _COMPRESSED = 0, 1, 2
_TREELESS = 3


def decompress(data: bytes, most: int) -> bytes:
    """The first `most` bytes that the frames hold. ValueError or IndexError where they are damaged."""
    made = bytearray()
    at = 0
    while at < len(data) and len(made) < most:
        magic = int.from_bytes(data[at : at + 4], "little")
        if magic & _SKIPPABLE_MASK == _SKIPPABLE:
            at += 8 + int.from_bytes(_part(data, at + 4, 4), "little")
        elif data[at : at + 4] == MAGIC:
            at = _frame(data, at + 4, made, most)
        else:
            raise ValueError("no frame")
    return bytes(made[:most])


def _part(data: bytes, at: int, size: int) -> bytes:
    if at + size > len(data):
        raise ValueError("the frame ends early")
    return data[at : at + size]


def _frame(data: bytes, at: int, made: bytearray, most: int) -> int:
    """Add what the frame holds to `made`; where the next one begins."""
    descriptor = data[at]
    single, checksum = descriptor >> 5 & 1, descriptor >> 2 & 1
    if descriptor & 8 or descriptor & 3:
        raise ValueError("a dictionary or a reserved bit")
    at += 1 + (not single) + (1 if single and not descriptor >> 6 else (0, 2, 4, 8)[descriptor >> 6])
    decoder = _Decoder(made)
    last = False
    while not last:
        header = int.from_bytes(_part(data, at, 3), "little")
        last, kind, size = bool(header & 1), header >> 1 & 3, header >> 3
        at += 3
        if size > _LARGEST_BLOCK:
            raise ValueError("a block is too large")
        if kind == _RLE:
            made += _part(data, at, 1) * size
            at += 1
        else:
            block = _part(data, at, size)
            at += size
            if kind == _RAW:
                made += block
            elif kind == _COMPRESSED:
                decoder.block(block)
            else:
                raise ValueError("a reserved kind of block")
        if len(made) >= most:
            break
    return at + 4 * checksum


class _Decoder:
    """What the blocks of a frame hand on: the last tables and offsets."""

    __slots__ = ("_begin", "_huffman", "_last", "_made", "_offsets")

    def __init__(self, made: bytearray) -> None:
        self._made = made
        self._begin = len(made)
        self._huffman: Huffman | None = None
        self._last: list[Fse | None] = [None, None, None]
        self._offsets = [1, 4, 8]

    def block(self, data: bytes) -> None:
        """Decompress one block."""
        literals, at = self._literals(data)
        limit = len(self._made) + _LARGEST_BLOCK
        count = data[at]
        at += 1
        if count == 255:
            count = int.from_bytes(_part(data, at, 2), "little") + 0x7F00
            at += 2
        elif count >= 128:
            count = (count - 128 << 8) + data[at]
            at += 1
        used = self._sequences(data, at, count, literals, limit) if count else 0
        self._made += literals[used:]
        if len(self._made) > limit:
            raise ValueError("a block holds too much")

    def _literals(self, data: bytes) -> tuple[bytes, int]:
        """The literals, and where the sequences begin."""
        kind, form = data[0] & 3, data[0] >> 2 & 3
        if kind in (_RAW, _RLE):
            length = (1, 2, 1, 3)[form]
            size = int.from_bytes(_part(data, 0, length), "little") >> (3 if length == 1 else 4)
            if size > _LARGEST_BLOCK:
                raise ValueError("too many literals")
            return (_part(data, length, 1) * size, length + 1) if kind == _RLE else (_part(data, length, size), length + size)
        length, bits = ((3, 10), (3, 10), (4, 14), (5, 18))[form]
        header = int.from_bytes(_part(data, 0, length), "little") >> 4
        size, packed = header & (1 << bits) - 1, header >> bits
        if size > _LARGEST_BLOCK:
            raise ValueError("too many literals")
        streams = _part(data, length, packed)
        if kind != _TREELESS:
            self._huffman, used = Huffman.read(streams)
            streams = streams[used:]
        if self._huffman is None:
            raise ValueError("no tree yet")
        return self._huffman.decode(streams, size, four=form > 0), length + packed

    def _sequences(self, data: bytes, at: int, count: int, literals: bytes, limit: int) -> int:
        """Carry the sequences out; how many literals they used."""
        modes = data[at]
        at += 1
        tables = []
        for place, codes in enumerate((LENGTHS, OFFSETS, MATCHES)):
            table, at = codes.table(modes >> (6 - 2 * place) & 3, data, at, self._last[place])
            self._last[place] = table
            tables.append(table)
        length_table, offset_table, match_table = tables
        reader = Reader(data[at:])
        read = reader.read
        length_state, offset_state, match_state = (read(table.bits) for table in tables)
        made, used = self._made, 0
        for left in range(count - 1, -1, -1):
            offset_code = offset_table.symbols[offset_state]
            value = (1 << offset_code) + read(offset_code)
            base, extra = MATCHES.codes[match_table.symbols[match_state]]
            match = base + read(extra)
            base, extra = LENGTHS.codes[length_table.symbols[length_state]]
            length = base + read(extra)
            offset = self._offset(value, length)
            if left:
                length_state = length_table.bases[length_state] + read(length_table.widths[length_state])
                match_state = match_table.bases[match_state] + read(match_table.widths[match_state])
                offset_state = offset_table.bases[offset_state] + read(offset_table.widths[offset_state])
            if used + length > len(literals) or len(made) + length + match > limit:
                raise ValueError("a sequence is too long")
            made += literals[used : used + length]
            used += length
            start = len(made) - offset
            if offset < 1 or start < self._begin:
                raise ValueError("an offset leads out of the frame")
            if offset >= match:
                made += made[start : start + match]
            else:
                made += (bytes(made[start:]) * (match // offset + 1))[:match]
        reader.finish()
        return used

    def _offset(self, value: int, length: int) -> int:
        """The offset that a value means: itself, or one of the last three."""
        last = self._offsets
        if value > 3:
            self._offsets = [value - 3, last[0], last[1]]
        else:
            place = value - 1 + (length == 0)
            offset = last[place] if place < 3 else last[0] - 1
            if place > 1:
                self._offsets = [offset, last[0], last[1]]
            elif place == 1:
                self._offsets = [offset, last[0], last[2]]
        return self._offsets[0]
