"""Reading members, profiles, lists and jobs: all pages are read, and unrequested results are ignored."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

import pytest

from reverse_etl.domain.identifiers import IdentifierType
from tests.klaviyo.server import (
    Reply,
    a_list,
    a_member,
    page,
)

if TYPE_CHECKING:
    from reverse_etl.klaviyo.api import Klaviyo
    from tests.klaviyo.server import ApiServer


def test_members_are_looked_up_by_the_hundred_and_read_to_the_last_page(
    server: ApiServer, klaviyo: Klaviyo
) -> None:
    """250 e-mails are three asks; a second page is read; who comes twice counts once."""
    emails = [f"{n:03}@example.com" for n in range(250)]
    following = f"{server.origin}/api/lists/L1/profiles?page%5Bcursor%5D=2"
    server.will(
        page([a_member("P0", emails[0])], following),
        page([a_member("P1", emails[1].upper()), a_member("P0", emails[0])]),
    )
    members = klaviyo.find_members("L1", IdentifierType.EMAIL, emails)
    assert [member.profile.id for member in members] == ["P0", "P1"]
    assert members[1].profile.email == emails[1]
    assert members[0].joined_at == datetime(2026, 11, 21, 10, tzinfo=UTC)
    assert len(server.seen) == 4
    asked = [parse_qs(urlsplit(seen.target).query) for seen in server.seen]
    assert [query["filter"][0].count("@") for query in asked if "filter" in query] == [100, 100, 50]
    assert {query["page[size]"][0] for query in asked if "filter" in query} == {"100"}


def test_unrequested_members_are_ignored(server: ApiServer, klaviyo: Klaviyo) -> None:
    server.will(
        page([a_member("P1", "ann@example.com"), a_member("P2", "bob@example.com"), a_member("P3", None)])
    )
    members = klaviyo.find_members("L1", IdentifierType.EMAIL, [" ANN@example.com"])
    assert [member.profile.id for member in members] == ["P1"]


def test_members_are_found_by_phone_and_by_email(server: ApiServer, klaviyo: Klaviyo) -> None:
    server.will(page([a_member("P1", None, phone="+14155550100")]))
    assert len(klaviyo.find_members("L1", IdentifierType.PHONE, ["+1 415 555 0100"])) == 1


@pytest.mark.parametrize("kind", [IdentifierType.EXTERNAL_ID, IdentifierType.PROFILE_ID])
def test_members_cannot_be_looked_up_by_what_klaviyo_cannot_filter(
    server: ApiServer, klaviyo: Klaviyo, kind: IdentifierType
) -> None:
    with pytest.raises(ValueError, match="cannot be looked up by"):
        klaviyo.find_members("L1", kind, ["x"])
    assert server.seen == []


def test_profiles_are_looked_up_by_any_identifier(server: ApiServer, klaviyo: Klaviyo) -> None:
    """Ids too: what a merge has swallowed comes back as nothing, not as the survivor."""
    server.will(page([a_member("P1", "ann@example.com"), a_member("P9", "bob@example.com")]))
    profiles = klaviyo.find_profiles(IdentifierType.PROFILE_ID, ["P1", "P2"])
    assert [profile.id for profile in profiles] == ["P1"]
    assert parse_qs(urlsplit(server.seen[0].target).query)["filter"] == ['any(id,["P1","P2"])']


def test_a_lookup_of_no_values_sends_no_request(server: ApiServer, klaviyo: Klaviyo) -> None:
    assert klaviyo.find_profiles(IdentifierType.EMAIL, []) == ()
    assert server.seen == []


def test_members_since_a_timestamp_excludes_earlier_ones(server: ApiServer, klaviyo: Klaviyo) -> None:
    """The filter takes whole seconds; the rest of the second is sorted out here."""
    since = datetime(2026, 11, 21, 10, 0, 0, 500_000, tzinfo=UTC)
    server.will(
        page(
            [
                a_member("P1", "a@example.com"),
                a_member("P2", "b@example.com", "2026-11-21T10:00:00.500000+00:00"),
            ]
        )
    )
    assert [member.profile.id for member in klaviyo.get_members_since("L1", since)] == ["P2"]
    query = parse_qs(urlsplit(server.seen[0].target).query)
    assert query["filter"] == ["greater-or-equal(joined_group_at,2026-11-21T10:00:00Z)"]
    assert query["sort"] == ["joined_group_at"]


def test_members_change_by_up_to_a_thousand_ids(server: ApiServer, klaviyo: Klaviyo) -> None:
    server.will(Reply(204), Reply(204))
    klaviyo.add_members("L1", ["P1", "P2"])
    klaviyo.remove_members("L1", ["P1"])
    assert [(seen.method, seen.target, seen.body) for seen in server.seen] == [
        (
            "POST",
            "/api/lists/L1/relationships/profiles",
            b'{"data":[{"type":"profile","id":"P1"},{"type":"profile","id":"P2"}]}',
        ),
        ("DELETE", "/api/lists/L1/relationships/profiles", b'{"data":[{"type":"profile","id":"P1"}]}'),
    ]
    for count in (0, 1001):
        with pytest.raises(ValueError, match="a request that takes 1 to 1000"):
            klaviyo.remove_members("L1", ["P"] * count)


def test_a_list_is_read_by_its_id(server: ApiServer, klaviyo: Klaviyo) -> None:
    server.will(Reply(document={"data": a_list("L1", "VIP")}))
    klaviyo_list = klaviyo.get_list("L1")
    assert klaviyo_list is not None
    assert klaviyo_list.name == "VIP"
    assert [seen.target.partition("?")[0] for seen in server.seen] == ["/api/lists/L1"]


def test_an_account_is_known_by_its_id(server: ApiServer, klaviyo: Klaviyo) -> None:
    attributes = {"test_account": True, "contact_information": {"organization_name": "Corner shop"}}
    server.will(page([{"type": "account", "id": "AbC123", "attributes": attributes}]))
    account = klaviyo.get_account()
    assert (account.id, account.name, account.test) == ("AbC123", "Corner shop", True)


def test_jobs_since_a_timestamp_end_at_the_first_older_job(server: ApiServer, klaviyo: Klaviyo) -> None:
    """Newest first; the next page is not asked for."""
    jobs = [
        {
            "type": "profile-bulk-import-job",
            "id": f"J{hour}",
            "attributes": {"status": "queued", "created_at": f"2026-11-21T{hour}:00:00Z"},
        }
        for hour in (13, 12, 11, 10)
    ]
    server.will(page(jobs, f"{server.origin}/api/profile-bulk-import-jobs?page%5Bcursor%5D=2"))
    listed_jobs = list(klaviyo.get_jobs_since(datetime(2026, 11, 21, 11, tzinfo=UTC)))
    assert [job.id for job in listed_jobs] == ["J13", "J12", "J11"]
    assert len(server.seen) == 1
    assert parse_qs(urlsplit(server.seen[0].target).query) == {"sort": ["-created_at"], "page[size]": ["100"]}


def test_all_errors_of_a_job_are_read(server: ApiServer, klaviyo: Klaviyo) -> None:
    errors = [
        {
            "type": "import-error",
            "id": str(n),
            "attributes": {"code": "invalid", "original_payload": {"email": f"{n}@example.com"}},
        }
        for n in range(3)
    ]
    server.will(
        page(errors[:2], f"{server.origin}/api/profile-bulk-import-jobs/J1/import-errors?page%5Bcursor%5D=2"),
        page(errors[2:]),
    )
    assert [error.email for error in klaviyo.get_job_errors("J1")] == [
        "0@example.com",
        "1@example.com",
        "2@example.com",
    ]
