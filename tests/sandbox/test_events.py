"""Events: repeats vanish, bulk requests are whole, and an accepted event is not yet one that can be read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from reverse_etl.sandbox import Sandbox
from tests.clocks import QuickClock
from tests.sandbox.caller import Caller, people, pointers, row

if TYPE_CHECKING:
    from collections.abc import Iterator

    import requests

EVENTS, BULK = "/api/events", "/api/event-bulk-create-jobs"
GROUPS = "/data/attributes/events-bulk-create/data"
ANN, BOB = "ann@example.com", "bob@example.com"


@pytest.fixture
def clock() -> QuickClock:
    """Let time pass as the test says."""
    return QuickClock()


@pytest.fixture
def sandbox(clock: QuickClock) -> Iterator[Sandbox]:
    """Run a sandbox in which events can be read at once."""
    with Sandbox(None, clock=clock, job_seconds=0, limits=False) as running:
        yield running


def event(unique_id: str | None = "1", metric: str = "Placed Order", **attributes: Any) -> dict[str, Any]:
    """Return the attributes of an event."""
    identity = {} if unique_id is None else {"unique_id": unique_id}
    named = {"metric": {"data": {"type": "metric", "attributes": {"name": metric}}}}
    return {"properties": {}, **named, **identity, **attributes}


def send(caller: Caller, attributes: dict[str, Any], profile: Any = None) -> requests.Response:
    """Create one event, of Ann unless told otherwise."""
    person = {"profile": {"data": profile or row(email=ANN)}}
    body = {"data": {"type": "event", "attributes": {**attributes, **person}}}
    return caller.ask("POST", EVENTS, json=body)


def create(caller: Caller, attributes: dict[str, Any], profile: Any = None) -> None:
    """Create one event, which must be accepted."""
    reply = send(caller, attributes, profile)
    assert (reply.status_code, reply.content) == (202, b""), reply.text


def group(*events: dict[str, Any], profile: Any = None, backfill: bool = False) -> dict[str, Any]:
    """Return a person with events, for a bulk request."""
    rows = [{"type": "event", "attributes": attributes} for attributes in events]
    attributes = {"profile": {"data": profile or row(email=ANN)}, "events": {"data": rows}}
    return {"type": "event-bulk-create", "attributes": attributes | ({"backfill": True} if backfill else {})}


def send_bulk(caller: Caller, *groups: Any) -> requests.Response:
    """Create events of several people."""
    body = {"type": "event-bulk-create-job", "attributes": {"events-bulk-create": {"data": list(groups)}}}
    return caller.ask("POST", BULK, json={"data": body})


def keys(sandbox: Sandbox) -> list[tuple[str, str, str]]:
    """Return person, metric and id of all events."""
    return [(each["email"], each["metric"], each["unique_id"]) for each in sandbox.events()]


def test_an_event_makes_its_person_and_its_metric(caller: Caller, sandbox: Sandbox) -> None:
    """And it is read with both; values and currency are among the properties."""
    order = event(properties={"sku": "7"}, value=9.5, value_currency="EUR", time="2024-05-06T07:08:09.9Z")
    create(caller, order, row(email=ANN, first_name="Ann"))
    (read,) = caller.get(EVENTS, include="metric,profile")["data"]
    assert read["attributes"]["event_properties"] == {
        "sku": "7",
        "$event_id": "1",
        "$value": 9.5,
        "$value_currency": "EUR",
    }
    assert read["attributes"]["datetime"] == "2024-05-06T07:08:09+00:00"
    metric = read["relationships"]["metric"]["data"]["id"]
    assert caller.get(f"/api/metrics/{metric}")["data"]["attributes"]["name"] == "Placed Order"
    assert caller.get(f"{EVENTS}/{read['id']}/profile")["data"]["attributes"]["first_name"] == "Ann"
    assert [each["email"] for each in sandbox.profiles()] == [ANN]


def test_a_repeated_id_vanishes(caller: Caller, sandbox: Sandbox) -> None:
    """For the same person and metric, the first one stays; another metric or person is another event."""
    create(caller, event(value=1))
    create(caller, event(value=2))
    create(caller, event(metric="Refunded"))
    create(caller, event(), row(email=BOB))
    assert keys(sandbox) == [(ANN, "Placed Order", "1"), (ANN, "Refunded", "1"), (BOB, "Placed Order", "1")]
    assert sandbox.events()[0]["value"] == 1


def test_without_an_id_there_is_one_event_a_second(caller: Caller, sandbox: Sandbox) -> None:
    """The time is used instead, cut to the second."""
    for fraction in ("10.1", "10.8", "11.0"):
        create(caller, event(None, time=f"2024-05-06T07:08:{fraction}Z"))
    assert [each["datetime"][-8:-6] for each in sandbox.events()] == ["10", "11"]


def test_bulk_events_are_grouped_by_person(caller: Caller, sandbox: Sandbox) -> None:
    """Backfill is set for all events of a person, or for one; the log counts the events."""
    reply = send_bulk(
        caller,
        group(event("1"), event("2"), backfill=True),
        group(event("1"), event("2", backfill=True), profile=row(external_id="7")),
    )
    assert (reply.status_code, reply.content) == (202, b"")
    assert [(each["email"], each["unique_id"], each["backfill"]) for each in sandbox.events()] == [
        (ANN, "1", True),
        (ANN, "2", True),
        (None, "1", False),
        (None, "2", True),
    ]
    assert sandbox.log()[-1].rows == 4


def test_a_repeated_id_in_bulk_refuses_the_request(caller: Caller, sandbox: Sandbox) -> None:
    """Inside the request always; for a stored event only if the account does so, and in silence if not."""
    repeated = send_bulk(caller, group(event("1"), event("2")), group(event("1")))
    assert (repeated.status_code, pointers(repeated)) == (
        400,
        [f"{GROUPS}/1/attributes/events/data/0/attributes/unique_id"],
    )
    assert sandbox.events() == []
    assert send_bulk(caller, group(event("1"))).status_code == 202
    assert send_bulk(caller, group(event("1"), event("2"))).status_code == 202
    assert len(sandbox.events()) == 2
    sandbox.change_rules(bulk_repeats="refuse")
    refused = send_bulk(caller, group(event("3"), event("2")))
    assert pointers(refused) == [f"{GROUPS}/0/attributes/events/data/1/attributes/unique_id"]
    assert len(sandbox.events()) == 2


@pytest.mark.parametrize(
    ("attributes", "pointer"),
    [
        ({"properties": None}, "/properties"),
        ({"properties": {str(number): 1 for number in range(401)}}, "/properties"),
        ({"properties": {"a": "x" * 100_001}}, "/properties/a"),
        ({"properties": {"a": list(range(4_001))}}, "/properties/a"),
        ({"time": "1989-12-31T23:59:59Z"}, "/time"),
        ({"time": "2999-01-01T00:00:00Z"}, "/time"),
        ({"time": "soon"}, "/time"),
        ({"value": "9"}, "/value"),
        ({"value_currency": "euro"}, "/value_currency"),
        ({"unique_id": 7}, "/unique_id"),
        ({"metric": {}}, "/metric/data/attributes/name"),
        (event(metric="m" * 128), "/metric/data/attributes/name"),
        ({"color": "red"}, "/color"),
    ],
)
def test_an_invalid_event_is_pointed_at(
    caller: Caller, sandbox: Sandbox, attributes: dict[str, Any], pointer: str
) -> None:
    """Alone or in bulk, where nothing of the request is stored."""
    single = send(caller, event() | attributes)
    assert (single.status_code, pointers(single)) == (400, [f"/data/attributes{pointer}"])
    bulk = send_bulk(caller, group(event("1")), group(event("2"), event("3") | attributes))
    assert pointers(bulk) == [f"{GROUPS}/1/attributes/events/data/1/attributes{pointer}"]
    assert sandbox.events() == []


def test_a_person_needs_an_identifier(caller: Caller) -> None:
    """The pointer leads to the person."""
    assert pointers(send(caller, event(), row(first_name="Ann"))) == [
        "/data/attributes/profile/data/attributes"
    ]
    bulk = send_bulk(caller, group(event(), profile=row(email="no")))
    assert pointers(bulk) == [f"{GROUPS}/0/attributes/profile/data/attributes/email"]


def test_a_bulk_request_has_at_most_a_thousand_events(caller: Caller) -> None:
    """The events of all people count together."""
    full = [group(*(event(str(number)) for number in range(500)), profile=each) for each in people(2)]
    assert send_bulk(caller, *full, group(event())).status_code == 400
    assert send_bulk(caller, *full).status_code == 202


@pytest.mark.parametrize("inside", [True, False])
def test_the_profiles_meta_is_read_in_both_places(caller: Caller, sandbox: Sandbox, inside: bool) -> None:
    """Inside its attributes before the revision 2026-10-15, beside them since."""
    meta = {"meta": {"patch_properties": {"append": {"tags": "a"}}}}
    person = row(email=ANN) | ({} if inside else meta)
    person["attributes"] |= meta if inside else {}
    create(caller, event(), person)
    assert sandbox.profiles()[0]["properties"] == {"tags": ["a"]}


def test_an_event_can_be_read_later(caller: Caller, sandbox: Sandbox, clock: QuickClock) -> None:
    """Accepted is not yet stored."""
    sandbox.change_rules(event_seconds=30)
    create(caller, event())
    assert (caller.get(EVENTS)["data"], len(sandbox.events())) == ([], 1)
    clock.leap(31.0)
    assert len(caller.get(EVENTS)["data"]) == 1


def test_events_are_found(caller: Caller, sandbox: Sandbox) -> None:
    """By metric, person and time, in either order, up to a thousand a page."""
    for number in range(5):
        moment = f"2024-05-06T07:08:0{number}Z"
        create(caller, event(str(number), time=moment), row(email=ANN if number % 2 else BOB))
    create(caller, event("other", "Refunded", time="2024-05-06T08:00:00Z"))
    metrics = {each["attributes"]["name"]: each["id"] for each in caller.get("/api/metrics")["data"]}
    bob = next(each["id"] for each in sandbox.profiles() if each["email"] == BOB)

    def find(text: str, **query: Any) -> list[str]:
        events = caller.pages(EVENTS, filter=text, **query)
        return [each["attributes"]["event_properties"]["$event_id"] for each in events]

    orders = f'equals(metric_id,"{metrics["Placed Order"]}")'
    assert find(orders) == ["4", "3", "2", "1", "0"]
    assert find(orders, sort="datetime", page_size="2") == ["0", "1", "2", "3", "4"]
    assert find(f'{orders},equals(profile_id,"{bob}")') == ["4", "2", "0"]
    assert find(f"{orders},greater-than(datetime,2024-05-06T07:08:02Z)") == ["4", "3"]
    assert find(f"{orders},less-or-equal(timestamp,1714979281)") == ["1", "0"]
    assert len(find("has(profile),has(metric)")) == 6
    assert caller.ask("GET", f"{EVENTS}?filter=has(metric_id)").status_code == 400
    assert caller.ask("GET", f"{EVENTS}?page[size]=1000").status_code == 200
    assert caller.ask("GET", f"{EVENTS}?page[size]=1001").status_code == 400
    assert caller.get("/api/metrics", filter='equals(integration.name,"Shopify")')["data"] == []


def test_a_malformed_id_is_a_bad_request_and_no_unknown_event(caller: Caller) -> None:
    """As seen; an id of the right form is not found."""
    assert caller.ask("GET", f"{EVENTS}/not-an-id").status_code == 400
    reply = caller.ask("GET", f"{EVENTS}/abcdefghijk")
    assert (reply.status_code, pointers(reply)) == (404, ["/data/"])


def test_events_follow_a_merge_and_a_state_file(caller: Caller, sandbox: Sandbox) -> None:
    """Those that the other profile has by the same id and metric are one event."""
    create(caller, event("1"))
    create(caller, event("1"), row(email=BOB))
    create(caller, event("2"), row(email=BOB))
    ann, bob = (profile["id"] for profile in sandbox.profiles())
    merge = {
        "type": "profile-merge",
        "id": ann,
        "relationships": {"profiles": {"data": [{"type": "profile", "id": bob}]}},
    }
    assert caller.ask("POST", "/api/profile-merge", json={"data": merge}).status_code == 202
    assert keys(sandbox) == [(ANN, "Placed Order", "1"), (ANN, "Placed Order", "2")]
