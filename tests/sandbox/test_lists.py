from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from reverse_etl.sandbox import Sandbox
from tests.clocks import QuickClock
from tests.sandbox.caller import Caller, people, pointers, row

if TYPE_CHECKING:
    from typing import Any


def body(name: int | str = "VIP", **attributes: Any) -> dict[str, dict[str, Any]]:
    """Return the body that creates a list."""
    return {"data": {"type": "list", "attributes": {"name": name, **attributes}}}


@pytest.mark.parametrize(
    ("document", "pointer"),
    [
        (body(name=""), "/data/attributes/name"),
        (body(name="   "), "/data/attributes/name"),
        (body(name=7), "/data/attributes/name"),
        (body(colour="red"), "/data/attributes/colour"),
        (body(opt_in_process="triple"), "/data/attributes/opt_in_process"),
        ({"data": {"type": "lists", "attributes": {"name": "x"}}}, "/data/type"),
        ({"data": {"type": "list"}}, "/data/attributes"),
        ({"data": []}, "/data"),
        ([], "/data"),
    ],
)
def test_a_list_is_created_only_from_known_attributes(
    caller: Caller, document: dict[str, Any] | list[Any], pointer: str
) -> None:
    reply = caller.ask("POST", "/api/lists", json=document)
    assert (reply.status_code, pointers(reply)) == (400, [pointer])


def test_two_lists_may_have_one_name(caller: Caller) -> None:
    first, second = caller.make_list("VIP"), caller.make_list("VIP")
    assert first != second
    assert [entry["id"] for entry in caller.get("/api/lists", filter='equals(name,"VIP")')["data"]] == [
        first,
        second,
    ]


def test_ten_lists_are_a_page(caller: Caller) -> None:
    """Ten is both the default and the maximum; the pages together have every list once."""
    ids = [caller.make_list(f"list {number:02}") for number in range(23)]
    first = caller.get("/api/lists")
    assert len(first["data"]) == 10
    assert [entry["id"] for entry in caller.pages("/api/lists")] == ids
    assert [entry["id"] for entry in caller.pages("/api/lists", sort="-name", page_size="4")] == ids[::-1]
    assert caller.ask("GET", "/api/lists?page[size]=11").status_code == 400


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ('any(name,["b","c"])', ["b", "c"]),
        ('equals(name,"b")', ["b"]),
        ('equals(name,"B")', []),
        ("greater-than(created,2020-01-01T00:00:00Z)", ["a", "b", "c"]),
        ('greater-than(created,2020-01-01T00:00:00Z),equals(name,"a")', ["a"]),
        ("greater-than(created,2999-01-01T00:00:00Z)", []),
    ],
)
def test_lists_are_found_by_filter(caller: Caller, text: str, names: list[str]) -> None:
    """Names are compared with regard to case; a comma means AND."""
    for name in "abc":
        caller.make_list(name)
    assert [entry["attributes"]["name"] for entry in caller.get("/api/lists", filter=text)["data"]] == names


def test_a_list_is_changed_counted_and_deleted(caller: Caller) -> None:
    """The profiles of its members remain; a job that adds to it still ends."""
    vip = caller.make_list("VIP")
    caller.run_import(people(3), vip)
    assert "profile_count" not in caller.get(f"/api/lists/{vip}")["data"]["attributes"]
    counted = caller.get(f"/api/lists/{vip}?additional-fields[list]=profile_count")["data"]["attributes"]
    assert counted["profile_count"] == 3
    renamed = caller.ask(
        "PATCH",
        f"/api/lists/{vip}",
        json={"data": {"type": "list", "id": vip, "attributes": {"name": "Gold"}}},
    )
    assert renamed.json()["data"]["attributes"]["name"] == "Gold"
    caller.start_import(people(5), vip)
    reply = caller.ask("DELETE", f"/api/lists/{vip}")
    assert (reply.status_code, reply.content) == (204, b"")
    caller.sandbox.finish_jobs()
    assert (caller.sandbox.lists(), caller.sandbox.profile_count()) == ([], 5)


def test_members_are_read_by_pages_in_the_order_of_joining(caller: Caller) -> None:
    """Twenty a page unless more are asked for, a hundred at most; every member comes once."""
    vip = caller.make_list("VIP")
    caller.run_import(people(250), vip)
    path = f"/api/lists/{vip}/profiles"
    assert len(caller.get(path)["data"]) == 20
    assert len(caller.get(path, page_size="100")["data"]) == 100
    everybody = caller.pages(path, page_size="100")
    assert [profile["attributes"]["email"] for profile in everybody] == [
        f"u{number}@example.com" for number in range(250)
    ]
    assert all(profile["attributes"]["joined_group_at"] for profile in everybody)
    assert [
        profile["id"] for profile in caller.pages(f"/api/lists/{vip}/relationships/profiles", page_size="99")
    ] == [profile["id"] for profile in everybody]
    assert [profile["id"] for profile in caller.pages(path, page_size="100", sort="-joined_group_at")] == [
        profile["id"] for profile in everybody[::-1]
    ]


@pytest.mark.parametrize("size", ["0", "101", "-1", "ten", "1.5", ""])
def test_a_page_size_out_of_range_is_refused(caller: Caller, size: str) -> None:
    """A size that Klaviyo would not take is a 400, never cut to fit."""
    reply = caller.ask("GET", f"/api/lists/{caller.make_list('VIP')}/profiles", params={"page[size]": size})
    assert (reply.status_code, pointers(reply)) == (400, ["page[size]"])


@pytest.mark.parametrize("cursor", ["nonsense", "bm9uc2Vuc2U=", "WzFd", "WzEsICJ4Il0="])
def test_an_unknown_cursor_is_refused(caller: Caller, cursor: str) -> None:
    reply = caller.ask("GET", "/api/lists", params={"page[cursor]": cursor})
    assert (reply.status_code, pointers(reply)) == (400, ["page[cursor]"])


def test_members_who_leave_do_not_shift_the_next_page(caller: Caller) -> None:
    """A page begins after the last row that was read, wherever that row has gone."""
    vip = caller.make_list("VIP")
    caller.run_import(people(30), vip)
    first = caller.get(f"/api/lists/{vip}/profiles", page_size="10")
    caller.edit("DELETE", vip, *(profile["id"] for profile in first["data"]))
    rest = caller.pages(first["links"]["next"].removeprefix(caller.sandbox.origin))
    assert [profile["attributes"]["email"] for profile in rest] == [
        f"u{number}@example.com" for number in range(10, 30)
    ]


@pytest.mark.parametrize(
    ("text", "emails"),
    [
        (
            'any(email,["u1@example.com","u4@example.com","nobody@example.com"])',
            ["u1@example.com", "u4@example.com"],
        ),
        ('equals(email,"u2@example.com")', ["u2@example.com"]),
        ('equals(phone_number,"+14155550100")', ["p@example.com"]),
        ('equals(email,"U2@example.com")', []),
        ("less-than(joined_group_at,2020-01-01T00:00:00Z)", []),
        (
            'greater-or-equal(joined_group_at,2020-01-01T00:00:00Z),equals(email,"u3@example.com")',
            ["u3@example.com"],
        ),
        ('equals(email,"stranger@example.com")', []),
    ],
)
def test_members_are_found_by_filter(caller: Caller, text: str, emails: list[str]) -> None:
    """Only members are found: a profile that is on no list is not."""
    vip = caller.make_list("VIP")
    caller.run_import([*people(5), row(email="p@example.com", phone_number="+14155550100")], vip)
    caller.run_import([row(email="stranger@example.com")])
    members = caller.get(f"/api/lists/{vip}/profiles", filter=text)["data"]
    assert [profile["attributes"]["email"] for profile in members] == emails


@pytest.mark.parametrize(
    "text",
    ['equals(id,"x")', 'equals(external_id,"x")', 'equals(updated,"x")', 'equals(joined_group_at,"x")'],
)
def test_members_cannot_be_found_by_what_klaviyo_does_not_offer(caller: Caller, text: str) -> None:
    """A list is not filtered by id, external id or updated."""
    reply = caller.ask("GET", f"/api/lists/{caller.make_list('VIP')}/profiles", params={"filter": text})
    assert (reply.status_code, pointers(reply)) == (400, ["filter"])


def test_only_the_requested_fields_are_returned(caller: Caller) -> None:
    """Sparse fields go one level down into the location; unknown ones are a 400."""
    vip = caller.make_list("VIP")
    caller.run_import(
        [row(email="a@example.com", first_name="Ann", location={"city": "Bergen", "zip": "5003"})], vip
    )
    path = f"/api/lists/{vip}/profiles"
    (member,) = caller.get(path, fields_profile="email,joined_group_at,location.city")["data"]
    assert member["attributes"].keys() == {"email", "joined_group_at", "location"}
    assert member["attributes"]["location"] == {"city": "Bergen"}
    assert caller.ask("GET", f"{path}?fields[profile]=colour").status_code == 400
    assert caller.ask("GET", "/api/profiles?fields[profile]=joined_group_at").status_code == 400


def test_adding_and_removing_by_id_is_idempotent(caller: Caller, sandbox: Sandbox) -> None:
    """One who is on the list keeps the time of joining; one who is not on it can be removed."""
    vip = caller.make_list("VIP")
    caller.run_import(people(3))
    ids = [profile["id"] for profile in sandbox.profiles()]
    assert caller.edit("POST", vip, *ids[:2]).status_code == 204
    before = sandbox.members(vip)
    assert caller.edit("POST", vip, *ids, ids[0]).status_code == 204
    assert sandbox.members(vip)[:2] == before
    assert caller.edit("DELETE", vip, ids[0], ids[0]).status_code == 204
    assert caller.edit("DELETE", vip, ids[0]).status_code == 204
    assert [member["id"] for member in sandbox.members(vip)] == ids[1:]


@pytest.mark.parametrize(("count", "status"), [(0, 400), (1, 204), (1000, 204), (1001, 400)])
@pytest.mark.parametrize("method", ["POST", "DELETE"])
def test_a_thousand_members_are_a_request(
    caller: Caller, sandbox: Sandbox, method: str, count: int, status: int
) -> None:
    vip = caller.make_list("VIP")
    caller.run_import(people(1001))
    reply = caller.edit(method, vip, *(profile["id"] for profile in sandbox.profiles()[:count]))
    assert reply.status_code == status


@pytest.mark.parametrize(
    "document", [{}, {"data": {}}, {"data": ["x"]}, {"data": [{"type": "list", "id": "x"}]}]
)
def test_members_are_named_as_resources(caller: Caller, document: dict[str, Any]) -> None:
    path = f"/api/lists/{caller.make_list('VIP')}/relationships/profiles"
    assert caller.ask("POST", path, json=document).status_code == 400


def test_a_new_list_may_be_shown_late() -> None:
    clock = QuickClock()
    with Sandbox(None, clock=clock, limits=False, list_seconds=200.0) as sandbox:
        caller = Caller(sandbox)
        with caller.session:
            made = caller.make_list("VIP")
            assert caller.get("/api/lists")["data"] == []
            assert caller.get(f"/api/lists/{made}")["data"]["id"] == made
            clock.leap(201.0)
            assert [entry["id"] for entry in caller.get("/api/lists")["data"]] == [made]
