from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from reverse_etl.sandbox import Sandbox
from tests.clocks import QuickClock
from tests.sandbox.caller import JOBS, Caller, import_body, people, pointers, row

if TYPE_CHECKING:
    from types import FrameType
    from typing import Any

ROWS = "/data/attributes/profiles/data"
ANN = "ann@example.com"


def find_profile(sandbox: Sandbox, email: str) -> dict[str, Any]:
    """Return the profile with this e-mail."""
    (profile,) = [profile for profile in sandbox.profiles() if profile["email"] == email]
    return profile


@pytest.mark.parametrize(
    ("bad", "where"),
    [
        (row(email="not-an-email"), "/attributes/email"),
        (row(email="a@b"), "/attributes/email"),
        (row(email=""), "/attributes/email"),
        (row(email="a" * 90 + "@example.com"), "/attributes/email"),
        (row(phone_number="415 555 0100"), "/attributes/phone_number"),
        (row(phone_number="+0155550100"), "/attributes/phone_number"),
        (row(email=ANN, phone_number="12"), "/attributes/phone_number"),
        (row(), "/attributes"),
        (row(first_name="Ann"), "/attributes"),
        (row(email=None, external_id=None), "/attributes"),
        (row(external_id=""), "/attributes/external_id"),
        (row(external_id=17), "/attributes/external_id"),
        (row(email=ANN, first_name=1), "/attributes/first_name"),
        (row(email=ANN, anonymous_id="x"), "/attributes/anonymous_id"),
        (row(email=ANN, properties=[1]), "/attributes/properties"),
        (row(email=ANN, location={"planet": "Earth"}), "/attributes/location/planet"),
        ({**row(email=ANN), "relationships": {}}, "/relationships"),
        ({"type": "profile", "id": 7, "attributes": {}}, "/id"),
        ({"type": "person", "attributes": {"email": ANN}}, ""),
        ({"type": "profile"}, ""),
        ("x", ""),
    ],
)
def test_one_bad_row_refuses_the_whole_request(caller: Caller, bad: Any, where: str) -> None:
    """The error points at the row and its field; no job is made and no profile."""
    reply = caller.start_import([*people(2), bad])
    assert (reply.status_code, pointers(reply)) == (400, [f"{ROWS}/2{where}"])
    assert caller.get(JOBS)["data"] == []
    assert caller.sandbox.profile_count() == 0


def test_every_bad_row_is_pointed_at(caller: Caller) -> None:
    reply = caller.start_import([row(email="x"), *people(2), row(), row(email="y", phone_number="z")])
    assert pointers(reply) == [
        f"{ROWS}/0/attributes/email",
        f"{ROWS}/3/attributes",
        f"{ROWS}/4/attributes/email",
        f"{ROWS}/4/attributes/phone_number",
    ]


def test_errors_of_a_reply_can_be_capped() -> None:
    """Whether Klaviyo tells of every bad row at once is not known; a caller must bear it if not."""
    with Sandbox(None, limits=False, errors_per_reply=1) as sandbox:
        caller = Caller(sandbox)
        with caller.session:
            assert pointers(caller.start_import([row(), row(), row()])) == [f"{ROWS}/0/attributes"]


@pytest.mark.parametrize(
    ("document", "pointer"),
    [
        (import_body([]), ROWS),
        (import_body("rows"), ROWS),
        (import_body(people(1), "XxXxXx"), "/data"),
        ({"data": {**import_body(people(1))["data"], "type": "profile-import"}}, "/data/type"),
        (
            {"data": {**import_body(people(1))["data"], "relationships": {"list": {}}}},
            "/data/relationships/list",
        ),
        ({"data": {"type": "profile-bulk-import-job", "attributes": {"rows": []}}}, "/data/attributes/rows"),
        ({"data": {"type": "profile-bulk-import-job"}}, "/data/attributes"),
        ([], "/data"),
    ],
)
def test_a_request_that_is_wrong_as_a_whole_points_at_no_row(
    caller: Caller, document: dict[str, dict[str, Any]] | list[Any], pointer: str
) -> None:
    """An unknown list, a wrong type or a relationship in the singular are the request's fault."""
    reply = caller.ask("POST", JOBS, json=document)
    assert (reply.status_code, pointers(reply)) == (400, [pointer])


@pytest.mark.parametrize(("count", "status"), [(10_000, 202), (10_001, 400)])
def test_ten_thousand_rows_are_a_request(caller: Caller, count: int, status: int) -> None:
    reply = caller.start_import(people(count))
    assert reply.status_code == status
    assert status == 202 or pointers(reply) == [ROWS]


@dataclass
class Work:
    """Return the cost of a job: calls of functions, and instructions of SQLite in thousands."""

    calls: int = 0
    instructions: int = 0


def work_of(rows: int) -> Work:
    """Apply a job of so many rows, and return what it costs."""
    work = Work()

    def count_call(_: FrameType, event: str, __: object) -> None:
        work.calls += event in {"call", "c_call"}

    def count_instructions() -> int:
        work.instructions += 1
        return 0

    with Sandbox(None, job_seconds=0, limits=False) as sandbox:
        caller = Caller(sandbox)
        with caller.session:
            caller.start_import(people(rows), caller.make_list("VIP"))
        with sandbox._account.transaction() as db:
            db.set_progress_handler(count_instructions, 1_000)
        sys.setprofile(count_call)
        try:
            members = sandbox.lists()[0]["members"]
        finally:
            sys.setprofile(None)
        assert members == rows
    return work


def test_a_job_of_ten_thousand_rows_is_applied_at_a_fixed_cost_for_each_row() -> None:
    """A trial with 60,000 customers should not wait for its stand-in."""
    few, many = work_of(1_000), work_of(10_000)
    assert many.calls < 12 * few.calls
    assert many.instructions < 12 * few.instructions


def test_a_job_is_queued_then_processing_then_complete() -> None:
    """The sandbox's clock moves it on; at its end everything is applied."""
    clock = QuickClock()
    with Sandbox(None, clock=clock, job_seconds=10, row_seconds=0.5, limits=False) as sandbox:
        caller = Caller(sandbox)
        with caller.session:
            vip = caller.make_list("VIP")
            reply = caller.start_import(people(4), vip)
            job = reply.json()["data"]
            assert (job["attributes"]["status"], job["attributes"]["started_at"]) == ("queued", None)
            seen = ["queued"]
            while seen[-1] != "complete":
                clock.leap(1.0)
                attributes = caller.get(f"{JOBS}/{job['id']}")["data"]["attributes"]
                seen += [attributes["status"]] if attributes["status"] != seen[-1] else []
                assert (attributes["completed_at"] is None) == (attributes["status"] != "complete")
            assert seen == ["queued", "processing", "complete"]
            assert (attributes["total_count"], attributes["completed_count"], attributes["failed_count"]) == (
                4,
                4,
                0,
            )
            assert len(sandbox.members(vip)) == 4


def test_nothing_is_applied_before_the_job_ends() -> None:
    with Sandbox(None, job_seconds=3600) as sandbox:
        caller = Caller(sandbox)
        with caller.session:
            vip = caller.make_list("VIP")
            caller.start_import(people(3), vip)
            assert (sandbox.members(vip), sandbox.profiles()) == ([], [])
            sandbox.finish_jobs()
            assert len(sandbox.members(vip)) == 3


def test_null_and_omitted_values_leave_what_is_there(caller: Caller, sandbox: Sandbox) -> None:
    """The importer writes only what has a value; objects are merged key by key."""
    caller.run_import(
        [
            row(
                email=ANN,
                first_name="Ann",
                location={"city": "Bergen"},
                properties={"a": 1, "b": [1], "c": {"x": 1}},
            )
        ]
    )
    caller.run_import(
        [
            row(
                email=ANN,
                first_name=None,
                last_name="Lee",
                location={"city": None, "zip": "5003"},
                properties={"a": None, "c": {"y": 2}},
            )
        ]
    )
    ann = find_profile(sandbox, ANN)
    assert (ann["first_name"], ann["last_name"]) == ("Ann", "Lee")
    assert ann["location"] == {"city": "Bergen", "zip": "5003"}
    assert ann["properties"] == {"a": 1, "b": [1], "c": {"y": 2}}


def test_an_email_is_kept_trimmed_and_in_lower_case(caller: Caller, sandbox: Sandbox) -> None:
    caller.run_import([row(email=" Ann@Example.COM "), row(email=ANN, first_name="Ann")])
    assert [(profile["email"], profile["first_name"]) for profile in sandbox.profiles()] == [(ANN, "Ann")]


def test_duplicates_in_a_job_are_merged_without_a_failure(caller: Caller, sandbox: Sandbox) -> None:
    """The counts say that all went well, and fewer members come of it."""
    vip = caller.make_list("VIP")
    job = caller.run_import(
        [row(email=ANN, first_name="Ann"), row(email=ANN, last_name="Lee"), *people(3)], vip
    )
    assert (job["attributes"]["completed_count"], job["attributes"]["failed_count"]) == (5, 0)
    assert len(sandbox.members(vip)) == 4
    assert (find_profile(sandbox, ANN)["first_name"], find_profile(sandbox, ANN)["last_name"]) == (
        "Ann",
        "Lee",
    )


def test_an_existing_member_keeps_the_time_of_joining() -> None:
    """Only the first import moves joined_group_at; membership does not move `updated`."""
    clock = QuickClock()
    with Sandbox(None, clock=clock, job_seconds=0, limits=False) as sandbox:
        caller = Caller(sandbox)
        with caller.session:
            vip, lapsed = caller.make_list("VIP"), caller.make_list("lapsed")
            caller.run_import([row(email=ANN)], vip)
            (before,) = sandbox.members(vip)
            clock.leap(10.0)
            caller.run_import([row(email=ANN)], vip, lapsed)
            assert sandbox.members(vip) == [before]
            (joined,) = sandbox.members(lapsed)
            assert joined["joined_group_at"] > before["joined_group_at"]
            assert joined["updated"] == before["updated"]


@pytest.mark.parametrize(
    ("first", "second", "matched"),
    [
        (row(email=ANN), row(email=ANN, phone_number="+14155550100"), True),
        (row(phone_number="+14155550100"), row(phone_number="+14155550100", email=ANN), True),
        (row(external_id="7"), row(external_id="7", email=ANN), True),
        (row(email=ANN, external_id="7"), row(email=ANN, external_id="8"), True),
        (row(email=ANN), row(email="bob@example.com"), False),
        (row(external_id="A"), row(external_id="a"), False),
    ],
)
def test_a_row_finds_its_profile_by_any_identifier(
    caller: Caller, sandbox: Sandbox, first: dict[str, Any], second: dict[str, Any], matched: bool
) -> None:
    """E-mail, then phone, then external id; other identifiers are added or changed."""
    caller.run_import([first])
    caller.run_import([second])
    assert sandbox.profile_count() == (1 if matched else 2)
    assert second["attributes"].items() <= sandbox.profiles()[-1].items()


def test_an_id_comes_before_any_other_identifier(caller: Caller, sandbox: Sandbox) -> None:
    """A row with an id changes that profile, its e-mail included."""
    caller.run_import([row(email="old@example.com"), row(email="bob@example.com")])
    ann, bob = sandbox.profiles()
    caller.run_import([row(ann["id"], email="new@example.com"), row(ann["id"], first_name="Ann")])
    assert [
        (profile["id"], profile["email"], profile.get("first_name")) for profile in sandbox.profiles()
    ] == [
        (ann["id"], "new@example.com", "Ann"),
        (bob["id"], "bob@example.com", None),
    ]
    caller.run_import([row(email="old@example.com")])
    assert sandbox.profile_count() == 3


def test_an_external_id_finds_nobody_where_the_account_does_not_match_by_it() -> None:
    """Then the same external id makes a second profile, as Klaviyo's guide on identifiers allows."""
    with Sandbox(None, job_seconds=0, match_external_id=False) as sandbox:
        caller = Caller(sandbox)
        with caller.session:
            caller.run_import([row(external_id="7")])
            caller.run_import([row(external_id="7", email=ANN)])
            assert [(profile["external_id"], profile["email"]) for profile in sandbox.profiles()] == [
                ("7", None),
                ("7", ANN),
            ]


def test_a_secondary_identifier_of_another_profile_is_dropped(caller: Caller, sandbox: Sandbox) -> None:
    """The row's profile is changed otherwise, its own phone stays, and nobody hears of it."""
    caller.run_import(
        [
            row(email=ANN, phone_number="+14155550100"),
            row(email="bob@example.com", phone_number="+14155550101"),
        ]
    )
    job = caller.run_import([row(email="bob@example.com", phone_number="+14155550100", first_name="Bob")])
    assert job["attributes"]["failed_count"] == 0
    assert [profile["phone_number"] for profile in sandbox.profiles()] == ["+14155550100", "+14155550101"]
    assert find_profile(sandbox, "bob@example.com")["first_name"] == "Bob"


def test_a_secondary_identifier_of_another_profile_can_fail_the_row() -> None:
    """The other answer that Klaviyo may give: an import error at the field."""
    with Sandbox(None, job_seconds=0, conflicts="refuse") as sandbox:
        caller = Caller(sandbox)
        with caller.session:
            caller.run_import([row(email=ANN, phone_number="+14155550100"), row(email="bob@example.com")])
            job = caller.run_import([row(email="bob@example.com", phone_number="+14155550100"), *people(1)])
            assert (job["attributes"]["completed_count"], job["attributes"]["failed_count"]) == (1, 1)
            (error,) = caller.pages(f"{JOBS}/{job['id']}/import-errors")
            assert error["attributes"]["source"] == {"pointer": "/data/attributes/phone_number"}
            assert error["attributes"]["original_payload"]["email"] == "bob@example.com"


def test_an_unknown_id_fails_its_row_alone(caller: Caller, sandbox: Sandbox) -> None:
    job = caller.run_import([row("01NOBODY", email=ANN), *people(2)])
    assert (job["attributes"]["completed_count"], job["attributes"]["failed_count"]) == (2, 1)
    (error,) = caller.pages(f"{JOBS}/{job['id']}/import-errors")
    assert (error["attributes"]["code"], error["attributes"]["original_payload"]["id"]) == (
        "not_found",
        "01NOBODY",
    )
    assert sandbox.profile_count() == 2


def test_an_invalid_phone_beside_a_valid_email_can_be_dropped_without_notice() -> None:
    """The other answer that has been seen: the row is applied without its phone, and no error tells."""
    with Sandbox(None, job_seconds=0, invalid_phones="drop") as sandbox:
        caller = Caller(sandbox)
        with caller.session:
            job = caller.run_import([row(email=ANN, phone_number="0100")])
            assert job["attributes"]["failed_count"] == 0
            assert sandbox.profiles()[0]["phone_number"] is None
            assert caller.start_import([row(phone_number="0100")]).status_code == 400


def test_jobs_are_found_by_status_and_in_order(caller: Caller) -> None:
    """Newest first unless asked otherwise; `cancelled` is no status to ask for."""
    ids = [caller.run_import(people(1))["id"] for _ in range(25)]
    assert [job["id"] for job in caller.get(JOBS, page_size="100")["data"]] == ids[::-1]
    assert [
        job["id"] for job in caller.pages(JOBS, sort="created_at", filter='any(status,["complete"])')
    ] == ids
    assert caller.get(JOBS, filter='any(status,["queued","processing"])')["data"] == []
    assert caller.ask("GET", JOBS, params={"filter": 'equals(status,"cancelled")'}).status_code == 400


def test_a_job_shows_its_lists_and_profiles(caller: Caller, sandbox: Sandbox) -> None:
    """Lists can be included; profiles come by pages."""
    vip = caller.make_list("VIP")
    job = caller.run_import(people(30), vip)["id"]
    assert [entry["id"] for entry in caller.get(f"{JOBS}/{job}?include=lists")["included"]] == [vip]
    assert [entry["id"] for entry in caller.get(f"{JOBS}/{job}/lists")["data"]] == [vip]
    assert caller.get(f"{JOBS}/{job}/relationships/lists")["data"] == [{"type": "list", "id": vip}]
    everybody = [profile["id"] for profile in sandbox.profiles()]
    assert [profile["id"] for profile in caller.pages(f"{JOBS}/{job}/profiles")] == everybody
    assert [profile["id"] for profile in caller.pages(f"{JOBS}/{job}/relationships/profiles")] == everybody


def test_a_job_expires_after_a_week() -> None:
    """Its errors can be read until then."""
    clock = QuickClock()
    with Sandbox(None, clock=clock, job_seconds=0, limits=False) as sandbox:
        caller = Caller(sandbox)
        with caller.session:
            job = caller.start_import(people(1)).json()["data"]["id"]
            clock.leap(9 * 24 * 3_600.0)
            assert caller.ask("GET", f"{JOBS}/{job}").status_code == 404
            assert caller.get(JOBS)["data"] == []
            assert sandbox.profile_count() == 1
