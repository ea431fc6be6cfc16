"""Read the body of a reply within bounds of size and time.

The body is unpacked here and not by `requests`, which unpacks without a limit: a few megabytes of gzip can
hold gigabytes.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable

ACCEPT_ENCODING: Final = "gzip"
MAX_BYTES: Final = 50_000_000  # unpacked; the largest page, 100 import errors with their rows, has 10 MB
CHUNK_BYTES: Final = 65_536
_GZIP_NAMES: Final = frozenset({"gzip", "x-gzip"})
_GZIP_WBITS: Final = 31


class BodyTooLarge(Exception):  # noqa: N818 - says what happened
    """The unpacked body exceeds MAX_BYTES."""


class BodyIncomplete(Exception):  # noqa: N818 - says what happened
    """The packed body is damaged, or ends early."""


@dataclass
class _Body:
    """The unpacked body so far."""

    content: bytearray

    def add(self, part: bytes) -> None:
        if len(self.content) + len(part) > MAX_BYTES:
            raise BodyTooLarge
        self.content += part

    @property
    def room(self) -> int:
        """Return the bytes to unpack at most: one more than fits, so that `add` notices the excess."""
        return MAX_BYTES - len(self.content) + 1


def read_body(chunks: Iterable[bytes], content_encoding: str) -> bytes:
    """Return the unpacked body. An encoding that was not asked for is not unpacked, so that parsing fails.

    Raises BodyTooLarge and BodyIncomplete.
    """
    body = _Body(bytearray())
    if content_encoding.strip().lower() in _GZIP_NAMES:
        _unpack(chunks, body)
    else:
        for chunk in chunks:
            body.add(chunk)
    return bytes(body.content)


def _unpack(chunks: Iterable[bytes], body: _Body) -> None:
    """Unpack gzip, which may consist of several members."""
    unpacker, started = zlib.decompressobj(_GZIP_WBITS), False
    try:
        for chunk in chunks:
            packed = chunk
            while packed:
                if unpacker.eof:
                    unpacker, started = zlib.decompressobj(_GZIP_WBITS), False
                started = True
                body.add(unpacker.decompress(packed, body.room))
                packed = unpacker.unused_data if unpacker.eof else unpacker.unconsumed_tail
    except zlib.error:
        raise BodyIncomplete from None
    if started and not unpacker.eof:
        raise BodyIncomplete
