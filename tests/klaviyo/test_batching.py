"""Packing of rows into requests, measured on the bytes that are sent."""

from __future__ import annotations

import itertools
import json
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reverse_etl.domain.batched import batched
from reverse_etl.klaviyo.batching import (
    MAX_BYTES,
    MAX_ROWS,
    Batch,
    Envelope,
    exclude_rows,
    import_envelope,
    pack_rows,
    split_in_half,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

LIST = import_envelope("XyZ123")


def rows_of(count: int, size: int = 30) -> list[tuple[int, bytes]]:
    """Return numbered rows of so many bytes."""
    row = b'{"type":"profile","x":"' + b"y" * (size - 25) + b'"}'
    return [(seq, row) for seq in range(100, 100 + count)]


def packed(rows: Iterable[tuple[int, bytes]], envelope: Envelope = LIST) -> Iterator[Batch]:
    """Yield rows in batches as imports take them."""
    return pack_rows(rows, envelope, max_rows=MAX_ROWS, max_bytes=MAX_BYTES)


@pytest.mark.parametrize("list_id", ["", "XyZ123", 'quo"te'])
def test_the_body_is_what_the_reference_asks_for(list_id: str) -> None:
    body = json.loads(import_envelope(list_id).wrap([b'{"type":"profile"}', b"{}"]))["data"]
    assert body["type"] == "profile-bulk-import-job"
    assert body["attributes"] == {"profiles": {"data": [{"type": "profile"}, {}]}}
    expected = (
        {} if not list_id else {"relationships": {"lists": {"data": [{"type": "list", "id": list_id}]}}}
    )
    assert {key: body[key] for key in body if key not in ("type", "attributes")} == expected


@pytest.mark.parametrize(
    ("count", "expected"),
    [
        (0, []),
        (1, [1]),
        (9_999, [9_999]),
        (10_000, [10_000]),
        (10_001, [10_000, 1]),
        (20_001, [10_000, 10_000, 1]),
    ],
)
def test_a_request_holds_at_most_10000_rows(count: int, expected: list[int]) -> None:
    assert [len(batch) for batch in packed(rows_of(count))] == expected


@pytest.mark.parametrize("envelope", [import_envelope(), LIST])
@pytest.mark.parametrize(("over", "expected"), [(-1, [60]), (0, [60]), (1, [59, 1])])
def test_a_request_holds_at_most_5000000_bytes_envelope_included(
    envelope: Envelope, over: int, expected: list[int]
) -> None:
    """60 rows that come to exactly the limit are one request; a byte more makes two."""
    room = MAX_BYTES - len(envelope.wrap([])) - 59
    sizes = [room // 60] * 59 + [room - 59 * (room // 60) + over]
    batches = list(packed(((seq, b"x" * size) for seq, size in enumerate(sizes)), envelope))
    assert [len(batch) for batch in batches] == expected
    assert len(batches[0].body) == (5_000_000 + over if over <= 0 else 5_000_000 + over - sizes[-1] - 1)
    assert all(len(batch.body) <= 5_000_000 for batch in batches)


def test_batches_keep_the_numbers_of_rows() -> None:
    """Gaps too: rows that could not be rendered have none."""
    (batch,) = packed([(3, b"a"), (5, b"b"), (9, b"c")])
    assert (batch.seqs, batch.rows) == ([3, 5, 9], [b"a", b"b", b"c"])
    assert batch.body == LIST.wrap(batch.rows)


def test_a_row_too_big_for_a_request_is_an_error() -> None:
    """The renderer lets none of these through; if one comes, nothing is cut or dropped."""
    with pytest.raises(ValueError, match="row 7 is 5000000 bytes"):
        list(packed([(7, b"x" * MAX_BYTES)], import_envelope()))


def test_batching_reads_one_row_ahead() -> None:
    """So that rendering and sending can go on side by side in bounded memory."""
    read = []

    def source() -> Iterator[tuple[int, bytes]]:
        for seq, row in rows_of(MAX_ROWS + 5):
            read.append(seq)
            yield seq, row

    next(packed(source()))
    assert len(read) == MAX_ROWS + 1


@given(st.lists(st.integers(min_value=1, max_value=100_000), max_size=200))
def test_batching_keeps_every_row_once_in_order_and_fills_requests(sizes: list[int]) -> None:
    rows = [(seq, b"x" * size) for seq, size in enumerate(sizes)]
    batches = list(packed(iter(rows)))
    assert [pair for batch in batches for pair in zip(batch.seqs, batch.rows, strict=True)] == rows
    for batch, following in itertools.pairwise(batches):
        assert len(LIST.wrap([*batch.rows, following.rows[0]])) > MAX_BYTES


BATCH = Batch.of([2, 3, 5, 8], [b"a", b"b", b"c", b"d"], LIST)


def test_refused_rows_are_excluded_by_index() -> None:
    left, gone = exclude_rows(BATCH, [3, 1])
    assert (left, gone) == (Batch.of([2, 5], [b"a", b"c"], LIST), (3, 8))


def test_a_batch_with_only_refused_rows_leaves_no_batch() -> None:
    assert exclude_rows(BATCH, range(4)) == (None, (2, 3, 5, 8))


@pytest.mark.parametrize("index", [-1, 4])
def test_an_index_that_the_batch_does_not_have_is_an_error(index: int) -> None:
    with pytest.raises(IndexError):
        exclude_rows(BATCH, [0, index])


def test_two_halves_have_all_rows() -> None:
    assert split_in_half(BATCH) == (
        Batch.of([2, 3], [b"a", b"b"], LIST),
        Batch.of([5, 8], [b"c", b"d"], LIST),
    )
    assert [len(half) for half in split_in_half(Batch.of([1, 2, 3], [b"a", b"b", b"c"], LIST))] == [1, 2]
    with pytest.raises(ValueError, match="0 numbers"):
        split_in_half(Batch.of([1], [b"a"], LIST))


@pytest.mark.parametrize(
    ("count", "expected"), [(0, []), (999, [999]), (1_000, [1_000]), (1_001, [1_000, 1])]
)
def test_ids_are_sent_a_thousand_at_a_time(count: int, expected: list[int]) -> None:
    assert [len(group) for group in batched(map(str, range(count)), 1_000)] == expected
