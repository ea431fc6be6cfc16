from __future__ import annotations

from typing import Literal

import pytest

from reverse_etl.sandbox import Sandbox
from tests.sandbox.caller import Caller, people, row

ANN = "ann@example.com"


@pytest.mark.parametrize(
    ("text", "emails"),
    [
        (
            'any(email,["u1@example.com","u2@example.com","x@example.com"])',
            ["u1@example.com", "u2@example.com"],
        ),
        ('any(external_id,["7","8"])', [ANN]),
        ('equals(phone_number,"+14155550100")', [ANN]),
        ("equals(email,null)", [None]),
        ("greater-than(created,2999-01-01T00:00:00Z)", []),
    ],
)
def test_profiles_are_found_by_filter(caller: Caller, text: str, emails: list[str | None]) -> None:
    caller.run_import(
        [*people(4), row(email=ANN, external_id="7", phone_number="+14155550100"), row(external_id="9")]
    )
    assert [
        profile["attributes"]["email"] for profile in caller.get("/api/profiles", filter=text)["data"]
    ] == emails


def test_a_lookup_of_a_hundred_needs_a_page_of_a_hundred(caller: Caller) -> None:
    """Twenty come on a page by default; a lookup that does not turn the page misses eighty."""
    caller.run_import(people(100))
    wanted = ",".join(f'"u{number}@example.com"' for number in range(100))
    assert len(caller.get("/api/profiles", filter=f"any(email,[{wanted}])")["data"]) == 20
    assert len(caller.get("/api/profiles", filter=f"any(email,[{wanted}])", page_size="100")["data"]) == 100
    assert (
        len(caller.pages("/api/profiles", filter=f"any(email,[{wanted}])", sort="-email", page_size="7"))
        == 100
    )


def test_creating_a_profile_that_exists_names_the_other(caller: Caller, sandbox: Sandbox) -> None:
    body = {"data": row(email=ANN, first_name="Ann")}
    made = caller.ask("POST", "/api/profiles", json=body)
    assert made.status_code == 201
    again = caller.ask("POST", "/api/profiles", json={"data": row(email="ANN@example.com")})
    (error,) = again.json()["errors"]
    assert (again.status_code, error["code"]) == (409, "duplicate_profile")
    assert error["meta"]["duplicate_profile_id"] == made.json()["data"]["id"] == sandbox.profiles()[0]["id"]


def test_updating_a_profile_clears_what_is_null(caller: Caller, sandbox: Sandbox) -> None:
    """Unlike an import: null clears an attribute, an identifier, a property; what is omitted stays."""
    caller.run_import(
        [row(email=ANN, external_id="7", first_name="Ann", last_name="Lee", properties={"a": 1, "b": 2})]
    )
    (ann,) = sandbox.profiles()
    body = {"data": row(ann["id"], external_id=None, first_name=None, properties={"a": None})}
    assert caller.ask("PATCH", f"/api/profiles/{ann['id']}", json=body).status_code == 200
    (after,) = sandbox.profiles()
    assert (after["external_id"], after.get("first_name"), after["last_name"]) == (None, None, "Lee")
    assert (after["email"], after["properties"]) == (ANN, {"b": 2})


def test_an_update_cannot_use_an_identifier_of_another_profile(caller: Caller, sandbox: Sandbox) -> None:
    caller.run_import([row(email=ANN), row(email="bob@example.com")])
    before = sandbox.profiles()
    body = {"data": row(before[1]["id"], email=ANN)}
    assert caller.ask("PATCH", f"/api/profiles/{before[1]['id']}", json=body).status_code == 409
    assert sandbox.profiles() == before


def test_create_or_update_distinguishes_new_and_existing_profiles(caller: Caller, sandbox: Sandbox) -> None:
    assert (
        caller.ask("POST", "/api/profile-import", json={"data": row(email=ANN, title="Dr")}).status_code
        == 201
    )
    assert (
        caller.ask("POST", "/api/profile-import", json={"data": row(email=ANN, title=None)}).status_code
        == 200
    )
    assert "title" not in sandbox.profiles()[0]


def test_a_merge_moves_memberships_and_leaves_one_profile(caller: Caller, sandbox: Sandbox) -> None:
    """The source's id is gone, its e-mail is found no more unless the other had none."""
    vip = caller.make_list("VIP")
    caller.run_import([row(email=ANN, last_name="Lee")], vip)
    caller.run_import([row(external_id="7", first_name="Ann")])
    source, kept = sandbox.profiles()
    body = {
        "data": {
            "type": "profile-merge",
            "id": kept["id"],
            "relationships": {"profiles": {"data": [{"type": "profile", "id": source["id"]}]}},
        }
    }
    assert caller.ask("POST", "/api/profile-merge", json=body).status_code == 202
    (member,) = sandbox.members(vip)
    assert (member["id"], member["email"], member["external_id"]) == (kept["id"], ANN, "7")
    assert (member["first_name"], member["last_name"]) == ("Ann", "Lee")
    assert caller.ask("GET", f"/api/profiles/{source['id']}").status_code == 404
    assert caller.ask("POST", "/api/profile-merge", json=body).status_code == 404


def test_no_id_is_given_twice(caller: Caller, sandbox: Sandbox) -> None:
    caller.run_import(people(2))
    kept, gone = sandbox.profiles()
    body = {
        "data": {
            "type": "profile-merge",
            "id": kept["id"],
            "relationships": {"profiles": {"data": [{"type": "profile", "id": gone["id"]}]}},
        }
    }
    caller.ask("POST", "/api/profile-merge", json=body)
    caller.run_import([row(email="new@example.com")])
    assert sandbox.profiles()[1]["id"] != gone["id"]


def test_a_profile_shows_its_lists(caller: Caller, sandbox: Sandbox) -> None:
    ids = [caller.make_list(name) for name in ("VIP", "other", "lapsed")]
    caller.run_import([row(email=ANN)], ids[0], ids[2])
    path = f"/api/profiles/{sandbox.profiles()[0]['id']}"
    assert [entry["id"] for entry in caller.get(f"{path}/lists")["data"]] == [ids[0], ids[2]]
    assert [entry["id"] for entry in caller.get(f"{path}/relationships/lists")["data"]] == [
        ids[0],
        ids[2],
    ]


@pytest.mark.parametrize(("rule", "status", "members"), [("refuse", 404, 0), ("ignore", 204, 1)])
def test_an_unknown_id_among_members_is_refused_or_ignored(
    rule: Literal["refuse", "ignore"], status: int, members: int
) -> None:
    """Klaviyo does not document which of the two it does, so both are options."""
    with Sandbox(None, job_seconds=0, unknown_ids=rule) as sandbox:
        caller = Caller(sandbox)
        with caller.session:
            vip = caller.make_list("VIP")
            caller.run_import(people(1))
            known = sandbox.profiles()[0]["id"]
            assert caller.edit("POST", vip, known, "01NOBODY").status_code == status
            assert len(sandbox.members(vip)) == members
            assert caller.edit("DELETE", vip, known, "01NOBODY").status_code == status


def test_unknown_additional_fields_are_refused(caller: Caller) -> None:
    """Only subscriptions and predictive analytics can be added."""
    assert caller.ask("GET", "/api/profiles?additional-fields[profile]=orders").status_code == 400
