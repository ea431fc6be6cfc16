"""Pack encoded rows into import requests. All sizes are the bytes that are sent.

Limits: 10,000 profiles and 5 MB per request (API reference, 'Bulk Import Profiles'). The reference does not
define a megabyte, so that the smaller one, 1,000,000 bytes, is used.
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
    """The bytes before and after the rows of a request."""

    head: bytes
    tail: bytes

    def wrap(self, rows: Sequence[bytes]) -> bytes:
        """Return the body of a request with these encoded rows."""
        return b"".join((self.head, b",".join(rows), self.tail))


def import_envelope(list_id: str = "") -> Envelope:
    """Return the envelope of a profile import; with a `list_id` it also adds the profiles to the list."""
    if not list_id:
        return Envelope(_IMPORT_HEAD, b"]}}}}")
    lists = orjson.dumps({"lists": {"data": [{"type": "list", "id": list_id}]}})
    return Envelope(_IMPORT_HEAD, b']}},"relationships":' + lists + b"}}")


@dataclass(frozen=True)
class Batch:
    """The rows of one request, at least one; `seqs[i]` is the number of the delta of row `i`.

    Only the body holds the rows, to save memory: many batches are in flight at once.
    """

    seqs: Sequence[int]
    body: bytes = field(repr=False)
    sizes: Sequence[int] = field(repr=False)
    envelope: Envelope = field(repr=False)

    @classmethod
    def of(cls, seqs: Sequence[int], rows: Sequence[bytes], envelope: Envelope) -> Batch:
        """Return a batch of encoded rows. Raises ValueError if there are none."""
        if not seqs or len(seqs) != len(rows):
            raise ValueError(f"{len(seqs)} numbers for {len(rows)} rows")
        return cls(seqs, envelope.wrap(rows), array("I", map(len, rows)), envelope)

    def __len__(self) -> int:
        """Return the number of rows."""
        return len(self.seqs)

    @property
    def rows(self) -> list[bytes]:
        """Return the encoded rows, read from the body."""
        ends = accumulate((1 + size for size in self.sizes), initial=len(self.envelope.head))
        return [self.body[start : end - 1] for start, end in pairwise(ends)]


def pack_rows(
    encoded: Iterable[tuple[int, bytes]], envelope: Envelope, *, max_rows: int, max_bytes: int
) -> Iterator[Batch]:
    """Yield `encoded`, pairs of a number and an encoded row, in batches of one request each.

    Keeps the order, and reads only one row ahead. Raises ValueError for a row that is too big for a request.
    """
    empty_size = len(envelope.wrap(()))
    seqs: list[int] = []
    rows: list[bytes] = []
    size = empty_size
    for seq, row in encoded:
        if empty_size + len(row) > max_bytes:
            raise ValueError(f"row {seq} is {len(row)} bytes, too big for a request")
        if rows and (len(rows) == max_rows or size + 1 + len(row) > max_bytes):
            yield Batch.of(seqs, rows, envelope)
            seqs, rows, size = [], [], empty_size
        size += len(row) + (1 if rows else 0)
        seqs.append(seq)
        rows.append(row)
    if rows:
        yield Batch.of(seqs, rows, envelope)


def exclude_rows(batch: Batch, indexes: Collection[int]) -> tuple[Batch | None, tuple[int, ...]]:
    """Return the batch without the rows at `indexes`, and the numbers of those rows.

    The batch is None if no row remains. Raises IndexError for an index outside the batch: then the reply
    does not belong to this request.
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
    """Return the two halves of a batch, in order. Raises ValueError if the batch has one row."""
    middle, rows = len(batch) // 2, batch.rows
    return (
        Batch.of(batch.seqs[:middle], rows[:middle], batch.envelope),
        Batch.of(batch.seqs[middle:], rows[middle:], batch.envelope),
    )
