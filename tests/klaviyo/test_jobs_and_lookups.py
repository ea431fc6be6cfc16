"""Parsing of jobs and their errors, and the requests of lookups."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

import pytest

from reverse_etl.domain.identifiers import IdentifierType
from reverse_etl.klaviyo import imports as jobs
from reverse_etl.klaviyo import profiles
from reverse_etl.klaviyo.filters import MAX_BYTES, any_of, batch_values, not_before
from reverse_etl.klaviyo.imports import ImportAccepted, JobRowError, JobStatus, RowError
from reverse_etl.klaviyo.jsonapi import Resource
from reverse_etl.klaviyo.other_identifiers import find_all
from reverse_etl.klaviyo.profiles import Profile

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any


def a_job(**attributes: Any) -> Resource:
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
def test_a_jobs_status_may_be_new(status: str | None, expected: JobStatus, ended: bool) -> None:
    """Klaviyo adds values inside a revision; none of them is taken for an end."""
    job = jobs.parse_job(a_job(status=status))
    assert (job.status, job.status.ended) == (expected, ended)


def test_a_jobs_counts_may_be_null() -> None:
    job = jobs.parse_job(a_job(total_count=5, completed_count=None))
    assert (job.total, job.completed, job.failed) == (5, 0, 0)


@pytest.mark.parametrize(
    "payload",
    [
        {"email": " Ann@Example.com", "external_id": "c-1", "first_name": "Ann"},
        {"type": "profile", "attributes": {"email": "ann@example.com", "external_id": "c-1"}},
        {"data": {"type": "profile", "attributes": {"email": "ann@example.com", "external_id": "c-1"}}},
        '{"email": "ann@example.com", "external_id": "c-1"}',
    ],
)
def test_a_row_error_is_matched_by_the_identifiers_that_were_sent(payload: dict[str, Any] | str) -> None:
    """Whichever form the payload comes back in; identifiers in canonical form."""
    job_error = jobs.parse_job_error(
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
    assert job_error == JobRowError(
        RowError("invalid", "phone_number", "Bad."), "ann@example.com", None, "c-1", None
    )


@pytest.mark.parametrize(
    "payload",
    [None, {}, [], "gone", "[1]", {"attributes": None}, {"email": None, "id": ["x"]}, {"email": True}],
)
def test_a_row_error_without_identifiers_has_no_identifiers(
    payload: dict[str, Any] | list[Any] | str | None,
) -> None:
    """The rest is unknown then, and not somebody else."""
    job_error = jobs.parse_job_error(
        Resource("e", {"code": "x", "source": None, "original_payload": payload})
    )
    assert (job_error.email, job_error.phone_number, job_error.external_id, job_error.id) == (
        None,
        None,
        None,
        None,
    )


def test_a_payload_keeps_its_id_and_a_number_is_text() -> None:
    """An external id may come back as it was typed in a warehouse."""
    payload = {"id": "P1", "attributes": {"external_id": 17, "phone_number": "+1 (415) 555-0100"}}
    job_error = jobs.parse_job_error(Resource("e", {"original_payload": payload}))
    assert (job_error.id, job_error.external_id, job_error.phone_number) == ("P1", "17", "+14155550100")


@pytest.mark.parametrize("pointer", ["/data", "/data/attributes", None])
def test_a_rows_error_about_the_whole_row_has_no_field(pointer: str | None) -> None:
    """`/data` is the schema's default."""
    assert jobs.parse_job_error(Resource("e", {"source": {"pointer": pointer}})).error.field == ""


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
def test_values_cannot_break_out_of_a_filter(values: list[str], expected: str) -> None:
    assert any_of("email", values) == expected


def test_a_filter_by_time_is_floored_to_a_second_of_utc() -> None:
    """Earlier ones of that second are dropped by the reader."""
    moment = datetime.fromisoformat("2026-11-21T12:00:00.999+02:00")
    assert not_before("joined_group_at", moment) == "greater-or-equal(joined_group_at,2026-11-21T10:00:00Z)"


@pytest.mark.parametrize(
    ("size", "count", "expected"),
    [(10, 0, []), (10, 100, [100]), (10, 101, [100, 1]), (10, 250, [100, 100, 50]), (300, 40, [19, 19, 2])],
)
def test_a_filter_has_at_most_a_hundred_values_and_a_short_url(
    size: int, count: int, expected: list[int]
) -> None:
    values = [f"{n:0{size}}" for n in range(count)]
    groups = list(batch_values(values))
    assert [len(group) for group in groups] == expected
    assert [value for group in groups for value in group] == values


def test_a_filter_is_measured_in_encoded_bytes() -> None:
    """A letter outside ASCII takes six to twelve bytes in an address."""
    requests = [
        profiles.profile_request(IdentifierType.EXTERNAL_ID, group)
        for group in batch_values(["東" * 50 + str(n) for n in range(100)])
    ]
    assert len(requests) > 1
    assert all(len(request.target) < MAX_BYTES + 300 for request in requests)


def test_lookups_contain_each_canonical_value_once() -> None:
    """Padding and case are ours to remove; blanks ask for nothing."""
    asked: list[str] = []

    def fetch_all(group: Sequence[str]) -> list[Profile]:
        asked.extend(group)
        return []

    values = [" Ann@Example.com", "ann@example.com", " ", "bob@example.com"]
    assert find_all(IdentifierType.EMAIL, values, fetch_all) == []
    assert asked == ["ann@example.com", "bob@example.com"]
    request = profiles.profile_request(IdentifierType.EMAIL, asked)
    assert "any%28email%2C%5B%22ann%40example.com%22%2C%22bob%40example.com%22%5D%29" in request.target
    assert "page%5Bsize%5D=100" in request.target


ANN = Profile("1", "ann@example.com", None, None)
SHOWS_ANOTHER = Profile("2", "robert@example.com", None, None)


def test_a_profile_that_shows_another_address_has_both() -> None:
    """The reply does not say which of the values found it, so that they are asked for in halves."""

    def fetch_all(group: Sequence[str]) -> list[Profile]:
        return [
            *([ANN] if "ann@example.com" in group else []),
            *([SHOWS_ANOTHER] if "bob@example.com" in group else []),
        ]

    values = ["ann@example.com", "bob@example.com", "cat@example.com"]
    ann, bob = find_all(IdentifierType.EMAIL, values, fetch_all)
    assert ann == ANN
    assert bob.identifiers(IdentifierType.EMAIL) == {"robert@example.com", "bob@example.com"}


def test_an_ignored_filter_finds_nobody_else() -> None:
    """A proxy that drops the query returns everybody."""

    def fetch_all(group: Sequence[str]) -> list[Profile]:
        del group
        return [ANN, SHOWS_ANOTHER]

    assert find_all(IdentifierType.EMAIL, ["ann@example.com", "bob@example.com"], fetch_all) == [ANN]


def test_an_accepted_import_says_whether_a_duplicate_may_exist() -> None:
    assert ImportAccepted("j", earlier_reply_lost=True) != ImportAccepted("j", earlier_reply_lost=False)
