"""Replies look as recorded ones do, also where the description says something else."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest
import requests

from reverse_etl.sandbox.app import ROUTES
from reverse_etl.sandbox.limits import QUOTAS
from reverse_etl.sandbox.scopes import SCOPES
from tests.sandbox.caller import JOBS, Caller, import_body, people, pointers, row

if TYPE_CHECKING:
    from reverse_etl.sandbox import Sandbox

ANN = "ann@example.com"


def profile_ids(sandbox: Sandbox) -> list[str]:
    """Return the ids of all profiles, oldest first."""
    return [profile["id"] for profile in sandbox.profiles()]


def links(document: Any) -> list[str]:
    """Return the links of resources anywhere in a document."""
    if isinstance(document, list):
        return [link for item in document for link in links(item)]
    if not isinstance(document, dict):
        return []
    own = document["links"].values() if "links" in document else ()
    return [*own, *(link for name, item in document.items() if name != "links" for link in links(item))]


def test_a_merge_is_accepted_with_the_profile_and_its_link(caller: Caller, sandbox: Sandbox) -> None:
    """202, although the description says 201."""
    caller.run_import(people(2))
    target, source = profile_ids(sandbox)
    merge = {
        "type": "profile-merge",
        "id": target,
        "relationships": {"profiles": {"data": [{"type": "profile", "id": source}]}},
    }
    reply = caller.ask("POST", "/api/profile-merge", json={"data": merge})
    assert reply.status_code == 202
    merged = {"type": "profile", "id": target, "attributes": {}}
    assert reply.json()["data"] == merged | {"links": {"self": f"{sandbox.origin}/api/profiles/{target}/"}}


@pytest.mark.parametrize(
    ("path", "pointer"),
    [("/api/lists/none", "/data/"), ("/api/profiles/none", "/data/"), (f"{JOBS}/none", None)],
)
def test_an_unknown_resource_is_not_found(caller: Caller, path: str, pointer: str | None) -> None:
    """The pointer is that of the document, with a slash; a job has none, and a text of its own."""
    reply = caller.ask("GET", path)
    assert (reply.status_code, pointers(reply)) == (404, [pointer])
    if pointer is None:
        assert reply.json()["errors"][0]["detail"] == "Invalid job id."


def test_links_of_resources_end_with_a_slash_and_links_of_documents_do_not(
    caller: Caller, sandbox: Sandbox
) -> None:
    """The last page's `next` is null, and there."""
    job = caller.run_import(people(1), caller.make_list("VIP"))["id"]
    (profile,) = profile_ids(sandbox)
    paths = (
        "/api/accounts",
        "/api/lists",
        "/api/profiles",
        f"/api/profiles/{profile}",
        JOBS,
        f"{JOBS}/{job}",
    )
    for path in paths:
        body = caller.get(path)
        assert body["links"]["self"] == sandbox.origin + path
        addresses = links(body["data"])
        assert addresses
        assert all(link.endswith("/") for link in addresses), path
        if isinstance(body["data"], list):
            assert body["links"]["next"] is None


def test_a_new_list_has_microseconds_once(caller: Caller) -> None:
    """In the reply to its request; whole seconds in all later ones."""
    body = {"data": {"type": "list", "attributes": {"name": "VIP"}}}
    made = caller.ask("POST", "/api/lists", json=body).json()["data"]
    assert re.fullmatch(r"\S{19}\.\d{6}\+00:00", made["attributes"]["created"])
    read = caller.get(f"/api/lists/{made['id']}")["data"]["attributes"]["created"]
    assert read == made["attributes"]["created"][:19] + "+00:00"


@pytest.mark.parametrize("version", ["v1", "v2"])
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_the_old_apis_are_gone(sandbox: Sandbox, version: str, method: str) -> None:
    """With and without a key: 410, and the address of the guide."""
    reply = requests.request(method, f"{sandbox.origin}/api/{version}/list/XyZ123/members", timeout=5)
    assert (reply.status_code, reply.json()["errors"][0]["code"]) == (410, "gone")
    assert "migrating" in reply.json()["errors"][0]["detail"]


@pytest.mark.parametrize(
    ("method", "path", "scope"),
    [
        ("GET", "/api/lists", "lists:read"),
        ("GET", JOBS, "profiles:read"),
        ("POST", JOBS, "lists:write"),
        ("GET", "/api/accounts", "accounts:read"),
    ],
)
def test_a_missing_scope_is_forbidden(
    caller: Caller, sandbox: Sandbox, method: str, path: str, scope: str
) -> None:
    """403 with a code of its own: the key is valid; other endpoints answer."""
    sandbox.change_rules(missing_scopes=(scope,))
    reply = caller.ask(method, path, json=import_body(people(1)) if method == "POST" else None)
    assert (reply.status_code, reply.json()["errors"][0]["code"]) == (403, "permission_denied")
    assert scope in reply.json()["errors"][0]["detail"]
    assert sandbox.profile_count() == 0
    sandbox.change_rules(missing_scopes=())
    assert caller.ask(method, path, json=import_body(people(1))).status_code in {200, 202}


def test_every_endpoint_has_a_quota_and_scopes() -> None:
    """And nothing else has."""
    operations = {route.operation for route in ROUTES}
    assert operations == set(SCOPES)
    assert operations | {"get_list with profile_count"} == set(QUOTAS)


def test_every_field_and_filter_of_the_description_is_accepted(caller: Caller, sandbox: Sandbox) -> None:
    """Fields in several levels, filters by values that nobody has, and resources that the sandbox lacks."""
    caller.run_import([row(email=ANN)], vip := caller.make_list("VIP"))
    (profile,) = profile_ids(sandbox)
    people_filters = ['equals(_kx,"x")', 'equals(push_token,"t")', 'any(push_token,["t"])']
    for text in people_filters:
        assert caller.get(f"/api/lists/{vip}/profiles", filter=text)["data"] == []
    suppression = "subscriptions.email.marketing.suppression"
    in_list = "subscriptions.email.marketing.list_suppressions"
    for text in (
        'equals(_kx,"x")',
        f'equals({suppression}.reason,"USER_SUPPRESSED")',
        f"greater-or-equal({suppression}.timestamp,2020-01-01T00:00:00Z)",
        f'equals({in_list}.list_id,"{vip}"),equals({in_list}.reason,"UNSUBSCRIBE")',
        f"less-than({in_list}.timestamp,2030-01-01T00:00:00Z)",
    ):
        assert caller.get("/api/profiles", filter=text, sort=f"-{suppression}.timestamp")["data"] == []
    assert caller.get("/api/profiles?include=push-tokens,conversations")["included"] == []
    included = caller.get(f"/api/profiles/{profile}?include=lists,segments&fields[list]=name")["included"]
    assert [(each["id"], each["attributes"]) for each in included] == [(vip, {"name": "VIP"})]
    fields = "contact_information.street_address.city,contact_information.default_sender_email"
    assert caller.get("/api/accounts", **{"fields[account]": fields})["data"]
    assert caller.ask("GET", "/api/profiles?include=events").status_code == 400
    assert caller.ask("GET", "/api/profiles?fields[profile]=subscriptions.fax").status_code == 400


def test_lists_include_their_tags(caller: Caller) -> None:
    """And no others; flows are none."""
    lists = [caller.make_list(name) for name in ("VIP", "Other")]
    tags = []
    for name, list_id in zip(("gold", "blue"), lists, strict=True):
        made = caller.ask("POST", "/api/tags", json={"data": {"type": "tag", "attributes": {"name": name}}})
        tags.append(made.json()["data"]["id"])
        body = {"data": [{"type": "list", "id": list_id}]}
        caller.ask("POST", f"/api/tags/{tags[-1]}/relationships/lists", json=body)
    one = caller.get(f"/api/lists/{lists[0]}?include=tags")["included"]
    assert [(tag["id"], tag["attributes"]) for tag in one] == [(tags[0], {"name": "gold"})]
    assert {tag["id"] for tag in caller.get("/api/lists?include=tags")["included"]} == set(tags)
    assert caller.get("/api/lists?include=flow-triggers")["included"] == []


def test_nobody_has_given_consent_before_it_is_asked_for(caller: Caller, sandbox: Sandbox) -> None:
    """An import leaves a profile never subscribed; the block comes beside the fields, or as one of them."""
    caller.run_import([row(email=ANN)])
    (profile,) = profile_ids(sandbox)
    extra = {"additional-fields[profile]": "subscriptions,predictive_analytics", "fields[profile]": "email"}
    attributes = caller.get("/api/profiles", **extra)["data"][0]["attributes"]
    assert sorted(attributes) == ["email", "predictive_analytics", "subscriptions"]
    marketing = attributes["subscriptions"]["email"]["marketing"]
    assert (marketing["consent"], marketing["suppression"]) == ("NEVER_SUBSCRIBED", [])
    assert marketing["can_receive_email_marketing"] is True
    assert attributes["subscriptions"]["whatsapp"] is None
    assert set(attributes["predictive_analytics"].values()) == {None}
    sparse = {"fields[profile]": "subscriptions.sms.marketing.consent,location.city"}
    assert caller.get(f"/api/profiles/{profile}", **sparse)["data"]["attributes"] == {
        "location": {"city": None},
        "subscriptions": {"sms": {"marketing": {"consent": "NEVER_SUBSCRIBED"}}},
    }
    assert "subscriptions" not in caller.get(f"/api/profiles/{profile}")["data"]["attributes"]


PATCH = {"append": {"tags": ["b", "c"]}, "unappend": {"sizes": "L"}, "unset": ["old", "none"]}


def patched(caller: Caller, sandbox: Sandbox, path: str) -> Any:
    """Patch a profile's properties by one of the ways; return them."""
    before = {"tags": "a", "sizes": ["S", "L", "L"], "old": 1, "kept": 2}
    caller.run_import([row(email=ANN, properties=before)])
    meta = {"meta": {"patch_properties": PATCH}}
    if path == JOBS:
        assert caller.run_import([row(email=ANN) | meta])["attributes"]["failed_count"] == 0
    elif path == "/api/profile-import":
        assert caller.ask("POST", path, json={"data": row(email=ANN) | meta}).status_code == 200
    else:
        (profile,) = profile_ids(sandbox)
        reply = caller.ask("PATCH", f"{path}/{profile}", json={"data": row(profile) | meta})
        assert reply.status_code == 200
        assert reply.json()["data"]["attributes"]["properties"]["kept"] == 2
    return sandbox.profiles()[0]["properties"]


@pytest.mark.parametrize("path", [JOBS, "/api/profile-import", "/api/profiles"])
def test_properties_are_patched(caller: Caller, sandbox: Sandbox, path: str) -> None:
    """Values are appended to and taken from arrays; keys are unset; the others stay."""
    expected = {"tags": ["a", "b", "c"], "sizes": ["S"], "kept": 2}
    assert patched(caller, sandbox, path) == expected


def test_an_import_can_ignore_patches(caller: Caller, sandbox: Sandbox) -> None:
    """Without notice; the single requests obey them too."""
    sandbox.change_rules(patches="ignore")
    assert patched(caller, sandbox, JOBS)["old"] == 1
    assert "old" not in patched(caller, sandbox, "/api/profile-import")


@pytest.mark.parametrize(
    ("meta", "pointer"),
    [
        ("no", ""),
        ({"patch_properties": []}, "/patch_properties"),
        ({"patch_properties": {"replace": {}}}, "/patch_properties/replace"),
        ({"patch_properties": {"unset": [1]}}, "/patch_properties/unset"),
        ({"patch_properties": {"append": "a"}}, "/patch_properties/append"),
        ({"patch_identifiers": {}}, "/patch_identifiers"),
    ],
)
def test_an_invalid_patch_refuses_the_row(caller: Caller, meta: Any, pointer: str) -> None:
    """With a pointer into the row's meta."""
    reply = caller.start_import([*people(1), row(email=ANN) | {"meta": meta}])
    assert reply.status_code == 400
    assert pointers(reply) == [f"/data/attributes/profiles/data/1/meta{pointer}"]


def test_a_page_is_never_larger_than_its_maximum(caller: Caller) -> None:
    """Ten lists, a hundred of everything else."""
    for path, most in (("/api/lists", 10), ("/api/profiles", 100), (JOBS, 100)):
        assert caller.ask("GET", f"{path}?page[size]={most}").status_code == 200
        reply = caller.ask("GET", f"{path}?page[size]={most + 1}")
        assert (reply.status_code, pointers(reply)) == (400, ["page[size]"])
