"""Rows a second that each surface encodes and packs into requests, without a network: a table.

`python benchmarks/surfaces.py` prints it; `make bench` runs it after the other measurements.
"""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from reverse_etl.domain.batched import batched
from reverse_etl.domain.columns import Column, ColumnKind
from reverse_etl.domain.identifiers import IdentifierType
from reverse_etl.klaviyo import batching, consents, lists, profile_changes, suppressions
from reverse_etl.klaviyo.array_changes import ArrayChange, find_patch, patch_request
from reverse_etl.klaviyo.custom_requests import TextTemplate
from reverse_etl.klaviyo.deletions import delete_profile_request
from reverse_etl.klaviyo.endpoints import Endpoint
from reverse_etl.klaviyo.event_encoding import EventEncoder
from reverse_etl.klaviyo.serialize import ProfileEncoder
from reverse_etl.parsing.json_template import JsonTemplate
from reverse_etl.surfaces.request_template import SUCCESS, Repeat, RequestMode, RequestTemplate

if TYPE_CHECKING:
    from collections.abc import Callable

_ROWS = 100_000
_TEXT = Column("tier", ColumnKind.TEXT, "VARCHAR")
_NOW = datetime(2026, 1, 1, tzinfo=UTC)


def _emails(rows: int) -> list[str]:
    return [f"p{number:07}@example.com" for number in range(rows)]


def _profiles(rows: int) -> None:
    encoder = ProfileEncoder([IdentifierType.EMAIL], [("tier", _TEXT), ("first_name", _TEXT)])
    encoded = ((seq, encoder.encode((email, "gold", "Ann"))) for seq, email in enumerate(_emails(rows)))
    envelope, limits = batching.import_envelope("L1"), (batching.MAX_ROWS, batching.MAX_BYTES)
    for batch in batching.pack_rows(encoded, envelope, max_rows=limits[0], max_bytes=limits[1]):
        len(batch.body)  # which makes it


def _events(rows: int) -> None:
    columns = [
        ("unique_id", _TEXT),
        ("time", Column("time", ColumnKind.TIMESTAMP_TZ, "TIMESTAMP WITH TIME ZONE")),
        ("item", _TEXT),
    ]
    encoder = EventEncoder([IdentifierType.EMAIL], columns, "Placed Order", lambda _: False)
    for email in _emails(rows):
        encoder.encode((email, email, _NOW, "tea"))


def _subscriptions(rows: int) -> None:
    options = consents.SubscribeOptions(consents.Channel.EMAIL, "L1", "model")
    emails = _emails(rows)
    for first in range(0, rows, 100):
        people = [consents.Subscriber(email, _NOW) for email in emails[first : first + 100]]
        consents.subscribe_request(people, options)


def _unsubscriptions(rows: int) -> None:
    options = consents.SubscribeOptions(consents.Channel.EMAIL, "L1", "model")
    for part in batched(_emails(rows), 100):
        consents.unsubscribe_request(part, options)


def _suppressions(rows: int) -> None:
    for part in batched(_emails(rows), suppressions.MAX_EMAILS):
        suppressions.suppression_request(Endpoint.SUPPRESS, part)


def _members_by_id(rows: int) -> None:
    for part in batched(_emails(rows), lists.MAX_MEMBERS):
        lists.change_members_request(Endpoint.ADD_TO_LIST, "L1", part)


def _clears(rows: int) -> None:
    names = ("tier", "first_name")
    for number, email in enumerate(_emails(rows)):  # the two endpoints take turns
        if number % 2:
            profile_changes.update_request(Endpoint.UPDATE_PROFILE, email, names)
        else:
            profile_changes.import_request(Endpoint.IMPORT_PROFILE, IdentifierType.EMAIL, email, names)


def _arrays(rows: int) -> None:
    wanted = {"tags": (ArrayChange.APPEND, ["a", "b"])}
    for email in _emails(rows):
        patch = find_patch({"properties": {"tags": ["b"]}}, wanted)
        patch_request(Endpoint.UPDATE_PROFILE, email, patch or {})


def _deletions(rows: int) -> None:
    for email in _emails(rows):
        delete_profile_request(email)


def _requests(rows: int) -> None:
    template = RequestTemplate(
        method="POST",
        path=TextTemplate("/api/coupon-code-bulk-create-jobs"),
        query={},
        headers={},
        body=JsonTemplate.parse('{"data": {"attributes": {"coupon-codes": {"data": {{ rows }}}}}}'),
        row=JsonTemplate.parse('{"type": "coupon-code", "attributes": {"unique_code": {{ code }}}}'),
        mode=RequestMode.MANY,
        group_by=(),
        max_rows=1_000,
        max_bytes=4_000_000,
        success=SUCCESS,
        repeat=Repeat.ONCE,
        meanings={},
    )
    values: Any = ((seq, {"code": email}) for seq, email in enumerate(_emails(rows)))
    for _ in template.prepare(values):
        pass


SURFACES: dict[str, Callable[[int], None]] = {
    "profiles and list_memberships": _profiles,
    "events": _events,
    "subscriptions": _subscriptions,
    "subscriptions, unsubscribed": _unsubscriptions,
    "suppressions": _suppressions,
    "list_memberships_by_profile_id, and removals": _members_by_id,
    "profiles, values cleared": _clears,
    "profiles, arrays": _arrays,
    "profile_deletions": _deletions,
    "request, many rows": _requests,
}


def measure(rows: int) -> dict[str, float]:
    """Return the rows a second of each surface."""
    rates = {}
    for name, encode in SURFACES.items():
        started = time.perf_counter()
        encode(rows)
        rates[name] = rows / (time.perf_counter() - started)
    return rates


if __name__ == "__main__":
    print("| Surface | Rows/s encoded and packed |\n| --- | ---: |")
    for name, rate in measure(_ROWS).items():
        print(f"| {name} | {rate:,.0f} |")
