"""Compressed payloads, decompressed to a size that was stated, and never to more.

LZ4 blocks are read here (https://github.com/lz4/lz4/blob/dev/doc/lz4_Block_format.md), zlib streams by Python, zstd frames by
Python's own module (3.14) or by `zstandard` where one of them is there, and else by `zstd`, a hundred times slower.
"""

from __future__ import annotations

from targetenv.artifacts import zstd
from targetenv.artifacts.inspection import damaged

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

_LEAST_MATCH = 4
_MORE = 15  # in a token's half: the length goes on in the bytes behind
_MOST_PER_BYTE = 255
_WINDOW = 1 << 27  # of zstd: what its command line takes too
_MOST_TIMES, _SLACK = 1032, 1 << 16  # what deflate can make of a byte; code is never denser
_PIECE = 1 << 20
_MOST_IN_PYTHON = 64 << 20


def decompress_lz4(data: memoryview, size: int, *, name: str, code: str) -> bytes:
    """The `size` bytes that the block holds; FormatError with that code where it holds more, less, or points outside itself.

    >>> decompress_lz4(memoryview(b"\\x12a\\x01\\x00\\x10b"), 8, name="x", code="TE4042")
    b'aaaaaaab'
    """
    if size > _MOST_PER_BYTE * len(data) + _MORE:
        raise damaged(code, name, f"{len(data)} compressed bytes cannot hold {size}")
    made = bytearray()
    block = bytes(data)
    try:
        _read(block, made, size)
    except (IndexError, ValueError) as error:
        raise damaged(code, name, "the compressed contents are damaged") from error
    if len(made) != size:
        raise damaged(code, name, f"the compressed contents are {len(made)} bytes, not {size}")
    return bytes(made)


def is_zstd(data: memoryview) -> bool:
    """Whether a zstd frame begins here."""
    return bytes(data[:4]) == zstd.MAGIC


def decompress_zlib(data: memoryview, size: int, *, name: str, code: str) -> bytes:
    """The `size` bytes that the zlib stream holds; FormatError with that code as for LZ4."""
    import zlib

    _check_ratio(data, size, name, code)
    try:
        made = zlib.decompressobj().decompress(data, size + 1)
    except zlib.error as error:
        raise damaged(code, name, "the compressed contents are damaged") from error
    return _whole(made, size, name, code)


def decompress_zstd(data: memoryview, size: int, *, name: str, code: str) -> bytes | None:
    """The `size` bytes that the frame holds; FormatError with that code as for LZ4.

    None where that is more than Python can be asked to read and nothing faster is there.
    """
    _check_ratio(data, size, name, code)
    read, failures = _zstd() or (None, (ValueError, IndexError))
    if read is None and size > _MOST_IN_PYTHON:
        return None
    try:
        made = zstd.decompress(bytes(data), size + 1) if read is None else read(data, size + 1)
    except failures as error:
        raise damaged(code, name, "the compressed contents are damaged") from error
    return _whole(made, size, name, code)


def _check_ratio(data: memoryview, size: int, name: str, code: str) -> None:
    if size > _MOST_TIMES * len(data) + _SLACK:
        raise damaged(code, name, f"{len(data)} compressed bytes are said to hold {size}: no code is so dense")


def _whole(made: bytes, size: int, name: str, code: str) -> bytes:
    if len(made) != size:
        more = "more than " if len(made) > size else ""
        raise damaged(code, name, f"the compressed contents are {more}{min(len(made), size)} bytes, not {size}")
    return made


def _zstd() -> tuple[Callable[[memoryview, int], bytes], tuple[type[Exception], ...]] | None:
    """What decompresses a frame to at most so many bytes, faster than this project does, and what it raises."""
    try:
        from compression import zstd as python  # type: ignore[import-not-found]
    except ImportError:
        pass
    else:
        return lambda data, most: python.ZstdDecompressor().decompress(data, most), (python.ZstdError, EOFError)
    try:
        import zstandard
    except ImportError:
        return None

    def read(data: memoryview, most: int) -> bytes:
        """A piece at a time: reading at once allocates `most` bytes, and decompressing what the frame claims."""
        made = bytearray()
        with zstandard.ZstdDecompressor(max_window_size=_WINDOW).stream_reader(data) as stream:
            while len(made) < most and (piece := stream.read(min(_PIECE, most - len(made)))):
                made += piece
        return bytes(made)

    return read, (zstandard.ZstdError,)


def _read(block: bytes, made: bytearray, size: int) -> None:
    """Fill `made`; IndexError or ValueError where the block is damaged. The hot loop of every compressed cubin."""
    at, end, filled = 0, len(block), 0
    while at < end:
        token = block[at]
        at += 1
        length = token >> 4
        if length:
            if length == _MORE:
                length, at = _length(block, at)
            stop = at + length
            filled += length
            if stop > end or filled > size:
                raise ValueError
            made += block[at:stop]
            at = stop
        if at >= end:
            return
        distance = block[at] | block[at + 1] << 8
        at += 2
        length = token & 15
        if length == _MORE:
            length, at = _length(block, at)
        length += _LEAST_MATCH
        start = filled - distance
        filled += length
        if not distance or start < 0 or filled > size:
            raise ValueError
        if distance >= length:
            made += made[start : start + length]
        else:  # it repeats what it makes
            made += (bytes(made[start:]) * (length // distance + 1))[:length]


def _length(block: bytes, at: int) -> tuple[int, int]:
    """15 and the bytes behind it, up to one that is not 255; where the next thing begins."""
    length = _MORE
    while (more := block[at]) == 255:
        length += 255
        at += 1
    return length + more, at + 1
