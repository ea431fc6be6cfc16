"""Parsing of replies: error pointers, missing members, and content that is not Klaviyo's."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from reverse_etl.klaviyo import imports as jobs
from reverse_etl.klaviyo.headers import parse_date
from reverse_etl.klaviyo.imports import RequestRefused, RowError, RowsRefused
from reverse_etl.klaviyo.jsonapi import (
    MalformedReply,
    Resource,
    next_link,
    parse_document,
    parse_errors,
    parse_resource,
    parse_resources,
    parse_row_pointer,
)
from reverse_etl.klaviyo.messages import Response

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

JSON_API = {"content-type": "application/vnd.api+json"}
ROWS = "/data/attributes/profiles/data"


def answer(
    document: Mapping[str, Any] | Sequence[str],
    status: int = 400,
    headers: Mapping[str, str] = JSON_API,
    *,
    lost: bool = False,
) -> Response:
    """Return a reply with a document."""
    return Response(status, headers, json.dumps(document).encode(), lost)


def an_error(pointer: str | None = None, code: str = "invalid", **more: Any) -> dict[str, Any]:
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
def test_a_pointer_names_its_row_or_none(pointer: str, row: tuple[int, str] | None) -> None:
    assert parse_row_pointer(pointer) == row


def test_rows_are_refused_when_every_error_points_at_one() -> None:
    refusal = jobs.parse_refusal(
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
    assert refusal == RowsRefused(
        {4: RowError("invalid", "email", "It is wrong."), 1: RowError("missing", "", "It is wrong.")},
        earlier_reply_lost=False,
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
def test_one_error_without_a_row_makes_it_a_request_error(
    error: dict[str, Any], field: str, first: bool
) -> None:
    errors = [error, an_error(f"{ROWS}/4/attributes/email")]
    refusal = jobs.parse_refusal(answer({"errors": errors if first else errors[::-1]}, lost=True))
    assert refusal == RequestRefused(RowError("invalid", field, "It is wrong."), 400, earlier_reply_lost=True)


@pytest.mark.parametrize("status", [401, 403, 410, 415, 418])
def test_a_refusal_that_is_not_about_the_content_is_neither(status: int) -> None:
    assert jobs.parse_refusal(answer({"errors": [an_error(f"{ROWS}/4")]}, status)) is None


@pytest.mark.parametrize(
    "reply",
    [
        Response(400, {"content-type": "text/html"}, b"<html>no</html>"),
        Response(400, JSON_API, b"<html>no</html>"),
        Response(400, JSON_API, b""),
        answer({"errors": []}),
        answer({"errors": None}),
        answer({"errors": "no"}),
        answer(["errors"]),
        answer({"message": "no"}),
    ],
)
def test_a_refusal_without_errors_is_neither(reply: Response) -> None:
    """A proxy's 400 says nothing of rows."""
    assert parse_errors(reply) == ()
    assert jobs.parse_refusal(reply) is None


def test_a_413_is_about_the_request_whether_klaviyo_or_a_proxy_sends_it() -> None:
    """A proxy has a limit too, and no errors in Klaviyo's format."""
    refusal = jobs.parse_refusal(Response(413, {"content-type": "text/html"}, b"<html>no</html>"))
    assert isinstance(refusal, RequestRefused)
    assert refusal.status == 413


def test_errors_may_have_missing_and_unknown_members() -> None:
    """Status, meta and links are not in the schema; other members may come at any time."""
    (full,) = parse_errors(
        answer({"errors": [an_error("/data", status=400, meta={"x": 1}, links={}, novel=[1])]})
    )
    (bare,) = parse_errors(answer({"errors": [{}, "not an error"]}))
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
def test_a_document_is_json_of_klaviyos_form(kind: str) -> None:
    """The content type may have parameters."""
    assert parse_document(answer({"data": []}, 200, {"content-type": kind})) == {"data": []}


@pytest.mark.parametrize(
    ("reply", "reason"),
    [
        (
            Response(200, {"content-type": "text/html; charset=utf-8"}, b"<html>"),
            "the reply is text/html, not JSON:API",
        ),
        (Response(200, {}, b'{"data": []}'), "the reply is of no content type, not JSON:API"),
        (Response(200, JSON_API, b"<html>"), "the reply is not valid JSON"),
        (Response(200, JSON_API, b""), "the reply is not valid JSON"),
        (Response(200, JSON_API, b'{"ok": true}'), "the reply is JSON, but has neither data nor errors"),
        (Response(200, JSON_API, b"[]"), "the reply is JSON, but has neither data nor errors"),
    ],
)
def test_a_reply_that_is_not_klaviyos_is_malformed(reply: Response, reason: str) -> None:
    with pytest.raises(MalformedReply, match=reason):
        parse_document(reply)


@pytest.mark.parametrize(
    "document",
    [{"data": None}, {"data": [None]}, {"data": [{}]}, {"data": [{"id": ""}]}, {"data": [{"id": 5}]}],
)
def test_a_resource_without_an_id_is_malformed(document: dict[str, list[Any] | None]) -> None:
    with pytest.raises(MalformedReply):
        parse_resources(document)
    with pytest.raises(MalformedReply):
        parse_resource(document)


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
def test_the_last_page_has_no_next(
    document: dict[str, dict[str, str | None] | None], link: str | None
) -> None:
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
def test_times_are_read_as_utc(text: str, expected: datetime) -> None:
    assert Resource("r", {"at": text}).get_timestamp("at") == expected


@pytest.mark.parametrize("value", [None, "", "yesterday", 5])
def test_an_invalid_timestamp_is_malformed(value: int | str | None) -> None:
    with pytest.raises(MalformedReply, match="at of r is not a timestamp"):
        Resource("r", {"at": value}).get_timestamp("at")


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({"date": "Sat, 21 Nov 2026 10:00:00 GMT"}, datetime(2026, 11, 21, 10, tzinfo=UTC)),
        ({"date": "soon"}, None),
        ({"date": ""}, None),
        ({}, None),
    ],
)
def test_the_servers_time_is_its_date_header(headers: dict[str, str], expected: datetime | None) -> None:
    assert parse_date(Response(200, headers, b"")) == expected
