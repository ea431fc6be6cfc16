"""Rows packed into import requests, as full as Klaviyo takes them.

Pure; every size is that of the bytes sent.

Limits from the API reference, 'Bulk Import Profiles': 10,000 profiles and 5 MB a request. Whether a megabyte
is 1,000,000 bytes there is not said, so the smaller is kept to.
"""

from __future__ import annotations

from array import array
from dataclasses import dataclass, field
from itertools import accumulate, pairwise
from typing import TYPE_CHECKING, TypeVar

import orjson

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Sequence

MAX_ROWS = 10_000
MAX_BYTES = 5_000_000

_IMPORT_HEAD = b'{"data":{"type":"profile-bulk-import-job","attributes":{"profiles":{"data":['

Item = TypeVar("Item")


@dataclass(frozen=True)
class Envelope:
    """What stands before and after the rows of a request."""

    head: bytes
    tail: bytes

    def wrap(self, rows: Sequence[bytes]) -> bytes:
        """Return the body of a request with these encoded rows: exactly what is sent."""
        return b"".join((self.head, b",".join(rows), self.tail))


def import_envelope(list_id: str = "") -> Envelope:
    """Return the envelope of a profile import, also to a list if one is given."""
    if not list_id:
        return Envelope(_IMPORT_HEAD, b"]}}}}")
    lists = orjson.dumps({"lists": {"data": [{"type": "list", "id": list_id}]}})
    return Envelope(_IMPORT_HEAD, b']}},"relationships":' + lists + b"}}")


@dataclass(frozen=True)
class Batch:
    """Rows of one request, never none: `seqs[i]` is the number of the delta that row `i` was made of.

    The rows lie in the body and nowhere else, since many batches are in flight at once.
    """

    seqs: Sequence[int]
    body: bytes = field(repr=False)
    sizes: Sequence[int] = field(repr=False)
    envelope: Envelope = field(repr=False)

    @classmethod
    def of(cls, seqs: Sequence[int], rows: Sequence[bytes], envelope: Envelope) -> Batch:
        """Return the batch of these encoded rows. Raises ValueError for none."""
        if not seqs or len(seqs) != len(rows):
            raise ValueError(f"{len(seqs)} numbers for {len(rows)} rows")
        return cls(seqs, envelope.wrap(rows), array("I", map(len, rows)), envelope)

    def __len__(self) -> int:
        """Return how many rows there are."""
        return len(self.seqs)

    @property
    def rows(self) -> list[bytes]:
        """Return the encoded rows, read from the body."""
        ends = accumulate((1 + size for size in self.sizes), initial=len(self.envelope.head))
        return [self.body[start : end - 1] for start, end in pairwise(ends)]


def pack_rows(
    encoded: Iterable[tuple[int, bytes]], envelope: Envelope, *, max_rows: int, max_bytes: int
) -> Iterator[Batch]:
    """Yield `encoded`, numbers with encoded rows, in batches that one request each can hold.

    Keeps the order; reads no further than the row that opens the next batch. Raises ValueError for a row that
    no request can hold.
    """
    empty_size = len(envelope.wrap(()))
    seqs: list[int] = []
    rows: list[bytes] = []
    size = empty_size
    for seq, row in encoded:
        if empty_size + len(row) > max_bytes:
            raise ValueError(f"row {seq} is {len(row)} bytes: no request can hold it")
        if rows and (len(rows) == max_rows or size + 1 + len(row) > max_bytes):
            yield Batch.of(seqs, rows, envelope)
            seqs, rows, size = [], [], empty_size
        size += len(row) + (1 if rows else 0)
        seqs.append(seq)
        rows.append(row)
    if rows:
        yield Batch.of(seqs, rows, envelope)


def exclude_rows(batch: Batch, indexes: Collection[int]) -> tuple[Batch | None, tuple[int, ...]]:
    """Return the batch without the rows at the `indexes` indexes, and the numbers of those rows.

    None in place of a batch of no rows.

    Raises IndexError for an index that the batch does not have: then the reply spoke of another request.
    """
    excluded = set(indexes)
    if any(not 0 <= index < len(batch) for index in excluded):
        raise IndexError(f"indexes {min(excluded)} to {max(excluded)} in a batch of {len(batch)} rows")
    remaining = [index for index in range(len(batch)) if index not in excluded]
    excluded_seqs = tuple(batch.seqs[index] for index in sorted(excluded))
    if not remaining:
        return None, excluded_seqs
    rows = batch.rows
    return Batch.of(
        [batch.seqs[index] for index in remaining], [rows[index] for index in remaining], batch.envelope
    ), excluded_seqs


def split_in_half(batch: Batch) -> tuple[Batch, Batch]:
    """Return the two halves of a batch, in order. Raises ValueError for a batch of one row."""
    middle, rows = len(batch) // 2, batch.rows
    return (
        Batch.of(batch.seqs[:middle], rows[:middle], batch.envelope),
        Batch.of(batch.seqs[middle:], rows[middle:], batch.envelope),
    )
