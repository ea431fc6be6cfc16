"""A deletion takes everybody who matches, with all they have, and leaves nothing behind."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.sandbox.caller import Caller, people, pointers, row
from tests.sandbox.test_events import create, event

if TYPE_CHECKING:
    import requests

    from reverse_etl.sandbox import Sandbox

DELETIONS = "/api/data-privacy-deletion-jobs"
PROFILE = "/data/attributes/profile/data"
ANN, PHONE = "ann@example.com", "+14155550100"


def delete(caller: Caller, profile_id: str | None = None, **attributes: Any) -> requests.Response:
    """Ask for the deletion of a person."""
    person = {"data": row(profile_id, **attributes)}
    body = {"type": "data-privacy-deletion-job", "attributes": {"profile": person}}
    return caller.ask("POST", DELETIONS, json={"data": body})


def test_a_person_is_deleted_later_with_all_they_have(caller: Caller, sandbox: Sandbox) -> None:
    """Memberships, consent and events; an import afterwards makes another profile."""
    vip = caller.make_list("VIP")
    caller.run_import([row(email=ANN), *people(1)], vip)
    create(caller, event())
    sandbox.opt_out(ANN)
    before = sandbox.profiles()[0]["id"]
    reply = delete(caller, email="ANN@example.com")
    assert (reply.status_code, reply.content, sandbox.profile_count()) == (202, b"", 2)
    sandbox.finish_jobs()
    assert [profile["email"] for profile in sandbox.profiles()] == ["u0@example.com"]
    assert [member["email"] for member in sandbox.members(vip)] == ["u0@example.com"]
    assert sandbox.events() == []
    assert caller.ask("GET", f"/api/profiles/{before}").status_code == 404
    caller.run_import([row(email=ANN)])
    (_, after) = caller.get("/api/profiles", **{"additional-fields[profile]": "subscriptions"})["data"]
    assert after["id"] != before
    assert after["attributes"]["subscriptions"]["email"]["marketing"]["consent"] == "NEVER_SUBSCRIBED"


def test_nobody_is_not_found(caller: Caller, sandbox: Sandbox) -> None:
    """Also a person that was deleted already; once accepted, a repeat is accepted too."""
    caller.run_import([row(email=ANN)])
    assert [delete(caller, email=ANN).status_code for _ in range(2)] == [202, 202]
    sandbox.finish_jobs()
    reply = delete(caller, email=ANN)
    assert (reply.status_code, pointers(reply)) == (404, ["/data/"])
    assert delete(caller, "01NOBODY").status_code == 404


def test_everybody_who_matches_is_deleted(caller: Caller, sandbox: Sandbox) -> None:
    """By id one person; by a phone that an account shares, all of them."""
    caller.run_import([row(email=ANN), row(email="bob@example.com"), row(phone_number=PHONE)])
    with sandbox._account.transaction() as db:
        db.execute("UPDATE profiles SET phone_number = ?", (PHONE,))
    ann = sandbox.profiles()[0]["id"]
    assert delete(caller, ann).status_code == 202
    sandbox.finish_jobs()
    assert sandbox.profile_count() == 2
    assert delete(caller, phone_number=PHONE).status_code == 202
    sandbox.finish_jobs()
    assert sandbox.profile_count() == 0


@pytest.mark.parametrize(
    ("profile_id", "attributes", "pointer"),
    [
        (None, {}, PROFILE),
        (None, {"email": ANN, "phone_number": PHONE}, PROFILE),
        ("01X", {"email": ANN}, PROFILE),
        (None, {"external_id": "7"}, f"{PROFILE}/attributes/external_id"),
        (None, {"email": 7}, f"{PROFILE}/attributes/email"),
    ],
)
def test_exactly_one_identifier_is_needed(
    caller: Caller, sandbox: Sandbox, profile_id: str | None, attributes: Any, pointer: str
) -> None:
    """The id, the e-mail or the phone; nobody is deleted otherwise."""
    caller.run_import([row(email=ANN, phone_number=PHONE)])
    reply = delete(caller, profile_id, **attributes)
    assert (reply.status_code, pointers(reply)) == (400, [pointer])
    sandbox.finish_jobs()
    assert sandbox.profile_count() == 1
