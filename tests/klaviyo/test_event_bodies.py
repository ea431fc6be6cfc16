"""The bodies of requests that create events, by the models of Klaviyo's SDK, and the limits of an event."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from openapi_client.models.event_create_query_v2 import EventCreateQueryV2
from openapi_client.models.events_bulk_create_job import EventsBulkCreateJob

from reverse_etl.domain.columns import Column, ColumnKind
from reverse_etl.domain.identifiers import IdentifierType
from reverse_etl.klaviyo import events
from reverse_etl.klaviyo.event_encoding import EventEncoder
from reverse_etl.klaviyo.events import EncodedEvent, EventBatch, EventPacker
from reverse_etl.klaviyo.imports import RowError
from reverse_etl.klaviyo.serialize import EncodingError
from reverse_etl.surfaces.events import EVENTS
from reverse_etl.surfaces.operations import SendEvents

IDENTIFIERS = (IdentifierType.EMAIL, IdentifierType.PROFILE_ID)
COLUMNS = (
    ("unique_id", Column("unique_id", ColumnKind.TEXT, "VARCHAR")),
    ("time", Column("time", ColumnKind.TIMESTAMP_TZ, "TIMESTAMP WITH TIME ZONE")),
    ("value", Column("value", ColumnKind.DECIMAL, "DECIMAL(38,2)")),
    ("value_currency", Column("value_currency", ColumnKind.TEXT, "VARCHAR")),
    ("items", Column("items", ColumnKind.JSON, "JSON")),
)
TIME = datetime(2026, 11, 30, 8, 0, 1, 500_000, tzinfo=UTC)
BULK = "/data/attributes/events-bulk-create/data"


def encode(
    unique_id: str = "o1", email: str | None = "ann@example.com", **values: Any
) -> EncodedEvent | EncodingError:
    """Encode an event of a person."""
    row = {"time": TIME, "value": None, "value_currency": None, "items": None} | values
    encoder = EventEncoder(IDENTIFIERS, COLUMNS, "Placed Order", lambda time: time == TIME)
    return encoder.encode([email, None, unique_id, *row.values()])


def event(unique_id: str, email: str = "ann@example.com") -> EncodedEvent:
    """Return an event."""
    encoded = encode(unique_id, email)
    assert isinstance(encoded, EncodedEvent)
    return encoded


def test_the_limits_of_a_request_are_klaviyos() -> None:
    assert (events.MAX_EVENTS, events.MAX_BYTES) == (1_000, 5_000_000)
    assert isinstance(EVENTS.upsert, SendEvents)
    assert (EVENTS.upsert.max_rows, EVENTS.upsert.endpoint.rate_limit.steady) == (1_000, 150)


def test_a_bulk_request_groups_events_by_person() -> None:
    """As the SDK's model reads it; pointers of errors lead back to the events."""
    batch = EventBatch([1, 2, 3], [event("o1"), event("o2", "bob@example.com"), event("o3")])
    document = json.loads(batch.encode())
    read = EventsBulkCreateJob.from_dict(document)
    assert read is not None
    people = read.data.attributes.events_bulk_create.data
    assert [person.attributes.profile.data.attributes.email for person in people] == [
        "ann@example.com",
        "bob@example.com",
    ]
    assert [[event.attributes.unique_id for event in person.attributes.events.data] for person in people] == [
        ["o1", "o3"],
        ["o2"],
    ]
    errors = [
        RowError("invalid", f"{BULK}/0/attributes/events/data/1/attributes/time", ""),
        RowError("invalid", f"{BULK}/1/attributes/profile/data/attributes/email", ""),
    ]
    matched = batch.match_errors(errors)
    assert {batch.seqs[index]: error.field for index, error in matched.items()} == {
        3: "time",
        2: "profile/data/attributes/email",
    }
    for pointer in ("", "/data", f"{BULK}/2/attributes/events/data/0", f"{BULK}/0/attributes/events/data/2"):
        assert batch.match_errors([*errors, RowError("invalid", pointer, "")]) == {}


def test_an_event_alone_is_what_the_sdk_reads() -> None:
    encoded = encode(value="12.50", value_currency=" eur", items='[{"sku": "S1"}]')
    assert isinstance(encoded, EncodedEvent)
    read = EventCreateQueryV2.from_dict(json.loads(encoded.encode_alone()))
    assert read is not None
    attributes = read.data.attributes
    assert (attributes.unique_id, attributes.value, attributes.value_currency) == ("o1", 12.5, "EUR")
    assert (attributes.metric.data.attributes.name, attributes.backfill) == ("Placed Order", True)
    assert attributes.time == TIME.replace(microsecond=0)
    assert attributes.properties == {"items": [{"sku": "S1"}]}


@pytest.mark.parametrize(
    ("values", "name", "reason"),
    [
        ({"time": None}, "time", "is missing"),
        ({"value_currency": "12"}, "value_currency", "not a currency code"),
        ({"value": "12345678901234567890.12"}, "value", "more digits"),
        ({"items": json.dumps([0] * 4_001)}, "items", "4001 items"),
        ({"items": "[" * 10 + "]" * 10}, "items", "nested"),
        ({"items": json.dumps({f"p{nth}": "é" * 60_000 for nth in range(2)})}, "items", "100,000 bytes"),
        ({"items": json.dumps([["x" * 90_000] * 30] * 2)}, "", "bytes, and a request"),
    ],
)
def test_an_event_beyond_klaviyos_limits_is_not_sent(values: dict[str, Any], name: str, reason: str) -> None:
    refused = encode(**values)
    assert isinstance(refused, EncodingError)
    assert refused.field == name
    assert reason in refused.reason


def test_an_event_within_klaviyos_limits_is_sent() -> None:
    items = {"a": [0] * 4_000, "b": "x" * 100_000, "c": "[" * 1}
    assert isinstance(encode(items=json.dumps(items)), EncodedEvent)
    assert isinstance(encode(items="[" * 9 + "]" * 9), EncodedEvent)


def test_at_most_400_properties_are_sent() -> None:
    for number, sent in ((400, True), (401, False)):
        columns = [*COLUMNS[:2], *((f"p{nth}", COLUMNS[0][1]) for nth in range(number))]
        encoder = EventEncoder((), columns, "Placed Order", lambda time: time == TIME)
        assert isinstance(encoder.encode(["o1", TIME, *["x"] * number]), EncodedEvent) is sent


@given(sizes=st.lists(st.integers(0, 400), min_size=1, max_size=40), people=st.integers(1, 5))
def test_packed_events_keep_the_limits_and_their_order(sizes: list[int], people: int) -> None:
    """No request is larger than its limit, and every event is in one."""
    packer = EventPacker(7, 2_500)
    batches = []
    for seq, size in enumerate(sizes):
        profile = json.dumps({"type": "profile", "attributes": {"email": f"p{seq % people}@x.com"}}).encode()
        encoded = EncodedEvent(profile, json.dumps({"unique_id": "x" * size}).encode())
        batches.append(packer.add(seq, encoded))
    batches.append(packer.flush())
    packed = [batch for batch in batches if batch is not None]
    assert [seq for batch in packed for seq in batch.seqs] == [*range(len(sizes))]
    assert all(len(batch) <= 7 and len(batch.encode()) <= 2_500 for batch in packed)
