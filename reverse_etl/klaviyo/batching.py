"""Rows packed into import requests, as full as Klaviyo takes them.

Pure; every size is that of the bytes sent.

Limits from the API reference, 'Bulk Import Profiles': 10,000 profiles and 5 MB a request. Whether a megabyte
is 1,000,000 bytes there is not said, so the smaller is kept to.
"""

from __future__ import annotations

from array import array
from dataclasses import dataclass, field
from itertools import accumulate, islice, pairwise
from typing import TYPE_CHECKING, TypeVar

import orjson

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Sequence

MAX_ROWS = 10_000
MAX_BYTES = 5_000_000

_HEAD = b'{"data":{"type":"profile-bulk-import-job","attributes":{"profiles":{"data":['
_TAIL = b"]}}}}"

Item = TypeVar("Item")


@dataclass(frozen=True)
class Batch:
    """Rows of one request, never none: `seqs[i]` is the number of the delta that row `i` was made of.

    The rows lie in the body and nowhere else, since many batches are in flight at once.
    """

    seqs: Sequence[int]
    body: bytes = field(repr=False)
    sizes: Sequence[int] = field(repr=False)
    list_id: str | None = None

    @classmethod
    def of(cls, seqs: Sequence[int], rows: Sequence[bytes], list_id: str | None) -> Batch:
        """Return the batch of these encoded profiles for a list, if any. Raises ValueError for none."""
        if not seqs or len(seqs) != len(rows):
            raise ValueError(f"{len(seqs)} numbers for {len(rows)} rows")
        return cls(seqs, build_import_body(rows, list_id), array("I", map(len, rows)), list_id)

    def __len__(self) -> int:
        """Return how many rows there are."""
        return len(self.seqs)

    @property
    def rows(self) -> list[bytes]:
        """Return the encoded profiles, read from the body."""
        ends = accumulate((1 + size for size in self.sizes), initial=len(_HEAD))
        return [self.body[start : end - 1] for start, end in pairwise(ends)]


def pack_rows(encoded: Iterable[tuple[int, bytes]], list_id: str | None) -> Iterator[Batch]:
    """Yield `encoded`, numbers with encoded profiles, in batches for imports to `list_id`.

    Keeps the order; reads no further than the row that opens the next batch. Raises ValueError for a row that
    no request can hold.
    """
    envelope = len(build_import_body((), list_id))
    seqs: list[int] = []
    rows: list[bytes] = []
    size = envelope
    for seq, row in encoded:
        if envelope + len(row) > MAX_BYTES:
            raise ValueError(f"row {seq} is {len(row)} bytes: no request can hold it")
        if rows and (len(rows) == MAX_ROWS or size + 1 + len(row) > MAX_BYTES):
            yield Batch.of(seqs, rows, list_id)
            seqs, rows, size = [], [], envelope
        size += len(row) + (1 if rows else 0)
        seqs.append(seq)
        rows.append(row)
    if rows:
        yield Batch.of(seqs, rows, list_id)


def build_import_body(rows: Sequence[bytes], list_id: str | None) -> bytes:
    """Return the body of an import of `rows`, also to a list if one is given: exactly what is sent."""
    return b"".join((_HEAD, b",".join(rows), _TAIL if list_id is None else _tail(list_id)))


def _tail(list_id: str) -> bytes:
    lists = orjson.dumps({"lists": {"data": [{"type": "list", "id": list_id}]}})
    return b']}},"relationships":' + lists + b"}}"


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
        [batch.seqs[index] for index in remaining], [rows[index] for index in remaining], batch.list_id
    ), excluded_seqs


def split_in_half(batch: Batch) -> tuple[Batch, Batch]:
    """Return the two halves of a batch, in order. Raises ValueError for a batch of one row."""
    middle, rows = len(batch) // 2, batch.rows
    return (
        Batch.of(batch.seqs[:middle], rows[:middle], batch.list_id),
        Batch.of(batch.seqs[middle:], rows[middle:], batch.list_id),
    )


def chunks(items: Iterable[Item], size: int) -> Iterator[tuple[Item, ...]]:
    """Yield `items` in their order, `size` at a time; the last may be shorter."""
    rest = iter(items)
    while chunk := tuple(islice(rest, size)):
        yield chunk
