"""Reading replies: what they point at, what they lack, and what is no reply of Klaviyo's at all."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest

from reverse_etl.identifiers import IdentifierType
from reverse_etl.klaviyo import (
    Accepted,
    JobRowError,
    JobStatus,
    RequestRefused,
    RowError,
    RowsRefused,
    jobs,
    profiles,
)
from reverse_etl.klaviyo.exchange import Answer
from reverse_etl.klaviyo.filters import MOST_BYTES, any_of, asks, not_before
from reverse_etl.klaviyo.replies import (
    Resource,
    Unreadable,
    date_of,
    document_of,
    errors_of,
    next_link,
    resource_of,
    resources_of,
    row_pointed_at,
)

JSON_API = {"content-type": "application/vnd.api+json"}
ROWS = "/data/attributes/profiles/data"


def answer(document, status=400, headers=JSON_API, *, lost=False):
    """Return a reply with a document."""
    return Answer(status, headers, json.dumps(document).encode(), lost)


def an_error(pointer=None, code="invalid", **more):
    """Return an error as Klaviyo writes it."""
    source = {} if pointer is None else {"source": {"pointer": pointer}}
    return {"id": "e", "code": code, "title": "Invalid input.", "detail": "It is wrong.", **source, **more}


@pytest.mark.parametrize(
    ("pointer", "row"),
    [
        (f"{ROWS}/0/attributes/email", (0, "email")),
        (f"{ROWS}/9999/attributes/phone_number", (9999, "phone_number")),
        (f"{ROWS}/1/attributes", (1, "")),
        (f"{ROWS}/1/attributes/", (1, "")),
        (f"{ROWS}/1", (1, "")),
        (f"{ROWS}/1/", (1, "")),
        (f"{ROWS}/2/attributes/email/", (2, "email")),
        (f"{ROWS}/2/attributes/location/latitude", (2, "location/latitude")),
        (f"{ROWS}/2/attributes/properties/a b", (2, "properties/a b")),
        (f"{ROWS}/2/id", (2, "id")),
        (f"{ROWS}/2/meta/patch_properties", (2, "meta/patch_properties")),
        (ROWS, None),
        (f"{ROWS}/", None),
        (f"{ROWS}/x/attributes/email", None),
        (f"{ROWS}/-1/attributes/email", None),
        (f"{ROWS}/1x/attributes/email", None),
        ("/data", None),
        ("/data/", None),
        ("/data/attributes", None),
        ("/data/relationships/lists/data/0", None),
        ("/data/relationships/list/data/id", None),
        ("", None),
        ("filter", None),
    ],
)
def test_a_pointer_names_its_row_or_none(pointer, row):
    """With or without a field, with or without a final slash."""
    assert row_pointed_at(pointer) == row


def test_rows_are_refused_when_every_error_points_at_one():
    """By index; of several errors of a row, the first."""
    found = jobs.refusal_of(
        answer(
            {
                "errors": [
                    an_error(f"{ROWS}/4/attributes/email"),
                    an_error(f"{ROWS}/4"),
                    an_error(f"{ROWS}/1/attributes", "missing"),
                ]
            }
        )
    )
    assert found == RowsRefused(
        {4: RowError("invalid", "email", "It is wrong."), 1: RowError("missing", "", "It is wrong.")},
        lost=False,
    )


@pytest.mark.parametrize(
    ("error", "field"),
    [
        (an_error("/data"), "/data"),
        (an_error(None), ""),
        (an_error(None, source={"parameter": "revision"}), "revision"),
        (an_error(None, source=None), ""),
        (an_error(ROWS), ROWS),
    ],
)
@pytest.mark.parametrize("first", [True, False])
def test_one_error_that_is_not_a_rows_makes_it_the_requests_fault(error, field, first):
    """Wherever it stands among the others: no row is blamed."""
    errors = [error, an_error(f"{ROWS}/4/attributes/email")]
    found = jobs.refusal_of(answer({"errors": errors if first else errors[::-1]}, lost=True))
    assert found == RequestRefused(RowError("invalid", field, "It is wrong."), 400, lost=True)


@pytest.mark.parametrize("status", [401, 403, 410, 415, 418])
def test_a_refusal_that_is_not_about_the_request_is_neither(status):
    """A wrong key is nobody's row."""
    assert jobs.refusal_of(answer({"errors": [an_error(f"{ROWS}/4")]}, status)) is None


@pytest.mark.parametrize(
    "reply",
    [
        Answer(400, {"content-type": "text/html"}, b"<html>no</html>"),
        Answer(400, JSON_API, b"<html>no</html>"),
        Answer(400, JSON_API, b""),
        answer({"errors": []}),
        answer({"errors": None}),
        answer({"errors": "no"}),
        answer(["errors"]),
        answer({"message": "no"}),
    ],
)
def test_a_refusal_without_errors_blames_nothing(reply):
    """A proxy's 400 says nothing of rows."""
    assert errors_of(reply) == ()
    assert jobs.refusal_of(reply) is None


def test_errors_may_lack_what_the_wire_adds_and_hold_what_nobody_knows():
    """Status, meta and links are not in the schema; other members may come at any time."""
    (full,) = errors_of(
        answer({"errors": [an_error("/data", status=400, meta={"x": 1}, links={}, novel=[1])]})
    )
    (bare,) = errors_of(answer({"errors": [{}, "not an error"]}))
    assert (full.code, full.pointer) == ("invalid", "/data")
    assert (bare.code, bare.title, bare.detail, bare.pointer) == ("", "", "", "")


@pytest.mark.parametrize(
    "kind",
    [
        "application/vnd.api+json",
        "application/json",
        "application/vnd.api+json; charset=utf-8",
        "Application/JSON",
    ],
)
def test_a_document_is_json_of_klaviyos_form(kind):
    """The content type may have parameters."""
    assert document_of(answer({"data": []}, 200, {"content-type": kind})) == {"data": []}


@pytest.mark.parametrize(
    ("reply", "reason"),
    [
        (
            Answer(200, {"content-type": "text/html; charset=utf-8"}, b"<html>"),
            "the reply is text/html, not JSON:API",
        ),
        (Answer(200, {}, b'{"data": []}'), "the reply is of no content type, not JSON:API"),
        (Answer(200, JSON_API, b"<html>"), "the reply is not valid JSON"),
        (Answer(200, JSON_API, b""), "the reply is not valid JSON"),
        (Answer(200, JSON_API, b'{"ok": true}'), "the reply is JSON, but has neither data nor errors"),
        (Answer(200, JSON_API, b"[]"), "the reply is JSON, but has neither data nor errors"),
    ],
)
def test_what_is_not_klaviyos_is_not_read(reply, reason):
    """A proxy's page is not a reply."""
    with pytest.raises(Unreadable, match=reason):
        document_of(reply)


@pytest.mark.parametrize(
    "document",
    [{"data": None}, {"data": [None]}, {"data": [{}]}, {"data": [{"id": ""}]}, {"data": [{"id": 5}]}],
)
def test_resources_without_ids_are_not_read(document):
    """What has no id can't be settled."""
    with pytest.raises(Unreadable):
        resources_of(document)
    with pytest.raises(Unreadable):
        resource_of(document)


@pytest.mark.parametrize(
    ("document", "link"),
    [
        ({}, None),
        ({"links": None}, None),
        ({"links": {}}, None),
        ({"links": {"next": None}}, None),
        ({"links": {"next": ""}}, None),
        ({"links": {"next": "https://x"}}, "https://x"),
    ],
)
def test_the_last_page_has_no_next(document, link):
    """Left out, null or empty."""
    assert next_link(document) == link


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-11-21T10:00:00+00:00", datetime(2026, 11, 21, 10, tzinfo=UTC)),
        ("2026-11-21T10:00:00Z", datetime(2026, 11, 21, 10, tzinfo=UTC)),
        ("2026-11-21T12:00:00.5+02:00", datetime(2026, 11, 21, 10, 0, 0, 500_000, tzinfo=UTC)),
        ("2026-11-21T10:00:00", datetime(2026, 11, 21, 10, tzinfo=UTC)),
    ],
)
def test_times_are_read_as_utc(text, expected):
    """Whichever way they are written."""
    assert Resource("r", {"at": text}).moment("at") == expected


@pytest.mark.parametrize("value", [None, "", "yesterday", 5])
def test_what_is_no_time_is_not_read(value):
    """Nobody guesses when somebody joined."""
    with pytest.raises(Unreadable, match="at of r is not a time"):
        Resource("r", {"at": value}).moment("at")


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({"date": "Sat, 21 Nov 2026 10:00:00 GMT"}, datetime(2026, 11, 21, 10, tzinfo=UTC)),
        ({"date": "soon"}, None),
        ({"date": ""}, None),
        ({}, None),
    ],
)
def test_the_servers_time_is_its_date_header(headers, expected):
    """None where it says nothing understandable."""
    assert date_of(Answer(200, headers, b"")) == expected


def a_job(**attributes):
    """Return a job's resource."""
    return Resource("j", {"created_at": "2026-11-21T10:00:00Z", "status": "complete", **attributes})


@pytest.mark.parametrize(
    ("status", "expected", "ended"),
    [
        ("queued", JobStatus.QUEUED, False),
        ("processing", JobStatus.PROCESSING, False),
        ("complete", JobStatus.COMPLETE, True),
        ("cancelled", JobStatus.CANCELLED, True),
        ("paused", JobStatus.UNKNOWN, False),
        (None, JobStatus.UNKNOWN, False),
    ],
)
def test_a_jobs_status_may_be_new(status, expected, ended):
    """Klaviyo adds values inside a revision; none of them is taken for an end."""
    found = jobs.job_of(a_job(status=status))
    assert (found.status, found.status.ended) == (expected, ended)


def test_a_jobs_counts_may_be_null():
    """They are until something was counted."""
    found = jobs.job_of(a_job(total_count=5, completed_count=None))
    assert (found.total, found.completed, found.failed) == (5, 0, 0)


@pytest.mark.parametrize(
    "payload",
    [
        {"email": " Ann@Example.com", "external_id": "c-1", "first_name": "Ann"},
        {"type": "profile", "attributes": {"email": "ann@example.com", "external_id": "c-1"}},
        {"data": {"type": "profile", "attributes": {"email": "ann@example.com", "external_id": "c-1"}}},
        '{"email": "ann@example.com", "external_id": "c-1"}',
    ],
)
def test_a_rows_error_is_tied_to_its_row_by_what_was_sent(payload):
    """Whichever form the payload comes back in; identifiers in canonical form."""
    found = jobs.job_error_of(
        Resource(
            "e",
            {
                "code": "invalid",
                "title": "No.",
                "detail": "Bad.",
                "source": {"pointer": "/data/attributes/phone_number"},
                "original_payload": payload,
            },
        )
    )
    assert found == JobRowError(
        RowError("invalid", "phone_number", "Bad."), "ann@example.com", None, "c-1", None
    )


@pytest.mark.parametrize(
    "payload",
    [None, {}, [], "gone", "[1]", {"attributes": None}, {"email": None, "id": ["x"]}, {"email": True}],
)
def test_a_rows_error_without_identifiers_is_tied_to_none(payload):
    """The rest is unknown then, and not somebody else."""
    found = jobs.job_error_of(Resource("e", {"code": "x", "source": None, "original_payload": payload}))
    assert (found.email, found.phone_number, found.external_id, found.id) == (None, None, None, None)


def test_a_payload_keeps_its_id_and_a_number_is_text():
    """An external id may come back as it was typed in a warehouse."""
    payload = {"id": "P1", "attributes": {"external_id": 17, "phone_number": "+1 (415) 555-0100"}}
    found = jobs.job_error_of(Resource("e", {"original_payload": payload}))
    assert (found.id, found.external_id, found.phone_number) == ("P1", "17", "+14155550100")


@pytest.mark.parametrize("pointer", ["/data", "/data/attributes", None])
def test_a_rows_error_about_the_whole_row_has_no_field(pointer):
    """`/data` is the schema's default."""
    assert jobs.job_error_of(Resource("e", {"source": {"pointer": pointer}})).error.field == ""


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (["a@example.com"], 'any(email,["a@example.com"])'),
        (["a", "b"], 'any(email,["a","b"])'),
        (['say "hi"'], r'any(email,["say \"hi\""])'),
        (["back\\slash"], r'any(email,["back\\slash"])'),
        (['"]),equals(id,"x'], r'any(email,["\"]),equals(id,\"x"])'),
    ],
)
def test_values_cannot_break_out_of_a_filter(values, expected):
    """Quotes and backslashes are escaped."""
    assert any_of("email", values) == expected


def test_a_filter_by_time_is_floored_to_a_second_of_utc():
    """Earlier ones of that second are dropped by the reader."""
    moment = datetime.fromisoformat("2026-11-21T12:00:00.999+02:00")
    assert not_before("joined_group_at", moment) == "greater-or-equal(joined_group_at,2026-11-21T10:00:00Z)"


@pytest.mark.parametrize(
    ("size", "count", "expected"),
    [(10, 0, []), (10, 100, [100]), (10, 101, [100, 1]), (10, 250, [100, 100, 50]), (300, 40, [19, 19, 2])],
)
def test_an_ask_holds_at_most_a_hundred_values_and_a_short_address(size, count, expected):
    """Whichever comes first; none is left out."""
    values = [f"{n:0{size}}" for n in range(count)]
    groups = list(asks(values))
    assert [len(group) for group in groups] == expected
    assert [value for group in groups for value in group] == values


def test_an_ask_is_measured_as_it_is_encoded():
    """A letter outside ASCII takes six to twelve bytes in an address."""
    requests = [
        request
        for request, _ in profiles.ask_profiles(
            IdentifierType.EXTERNAL_ID, ["東" * 50 + str(n) for n in range(100)]
        )
    ]
    assert len(requests) > 1
    assert all(len(request.target) < MOST_BYTES + 300 for request in requests)


def test_lookups_ask_each_canonical_value_once():
    """Padding and case are ours to remove; blanks ask for nothing."""
    ((request, asked),) = profiles.ask_profiles(
        IdentifierType.EMAIL, [" Ann@Example.com", "ann@example.com", " ", "bob@example.com"]
    )
    assert asked == {"ann@example.com", "bob@example.com"}
    assert "any%28email%2C%5B%22ann%40example.com%22%2C%22bob%40example.com%22%5D%29" in request.target
    assert "page%5Bsize%5D=100" in request.target


def test_an_acceptance_says_whether_a_twin_may_exist():
    """As a value, to be recorded."""
    assert Accepted("j", lost=True) != Accepted("j", lost=False)
