"""SHA-256 of a payload. OpenSSL is ten times as fast, but loading it costs 4 ms: as much as 0.5 MiB takes without it."""

from __future__ import annotations

_SMALL = 1 << 19  # bytes up to which the interpreter's own implementation is done sooner


def sha256_of(data: bytes | memoryview) -> str:
    """The digest in hexadecimal.

    >>> sha256_of(b"")[:16]
    'e3b0c44298fc1c14'
    """
    if len(data) <= _SMALL:
        try:
            from _sha2 import sha256 as small  # type: ignore[import-not-found,unused-ignore]  # from 3.12 on
        except ImportError:
            try:
                from _sha256 import sha256 as small  # type: ignore[import-not-found,no-redef,unused-ignore]  # 3.11
            except ImportError:  # another Python
                from hashlib import sha256 as small
        return str(small(data).hexdigest())
    from hashlib import sha256

    return sha256(data).hexdigest()
