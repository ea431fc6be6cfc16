"""Questions that only an account can answer: each is asked with people and lists made for it.

An answer is one line of facts. `docs/klaviyo.md` says how the program behaves until an answer is known.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from tests.live.account import IMPORTS, deletion_body, errors_of
from tests.live.bodies import event, many_events, one_event, subscription, suppression

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from tests.live.account import LiveAccount

SUBSCRIBE = "/api/profile-subscription-bulk-create-jobs"
UNSUBSCRIBE = "/api/profile-subscription-bulk-delete-jobs"
SUPPRESS = "/api/profile-suppression-bulk-create-jobs"
EVENTS, BULK_EVENTS = "/api/events", "/api/event-bulk-create-jobs"
_NEARLY_A_MINUTE, _PACE = 146, 0.11  # requests and seconds: 150 a minute and 10 a second are allowed
METRIC = "retl probe"  # a metric can't be deleted, so that all probes share one


def _iso(account: LiveAccount, days: float = 0) -> str:
    return (datetime.fromtimestamp(account.clock.now(), UTC) - timedelta(days=days)).isoformat(
        timespec="seconds"
    )


def _import_twice(
    account: LiveAccount, first: Mapping[str, Any], second: Mapping[str, Any]
) -> dict[str, Any]:
    """Import a person twice and return the attributes of the profile after the second time."""
    address = account.new_address()
    account.import_rows({"attributes": {"email": address, **first.get("attributes", {})}})
    account.import_rows({"attributes": {"email": address, **second.get("attributes", {})}, **_meta(second)})
    attributes: dict[str, Any] = account.wait_for_profile(address)["attributes"]
    return attributes


def _meta(row: Mapping[str, Any]) -> dict[str, Any]:
    return {"meta": {"patch_properties": row["patch"]}} if "patch" in row else {}


def null_in_import(account: LiveAccount) -> str:
    """Tell whether a bulk import clears a field and a property that are null."""
    before = {"first_name": "Ann", "properties": {"tier": "gold"}}
    after = _import_twice(
        account, {"attributes": before}, {"attributes": {"first_name": None, "properties": {"tier": None}}}
    )
    field = "kept" if after["first_name"] == "Ann" else "cleared"
    value = "kept" if after["properties"].get("tier") == "gold" else "cleared"
    return f"a field is {field}, a property is {value}"


def unset_in_import(account: LiveAccount) -> str:
    """Tell whether a bulk import obeys `unset`."""
    first = {"attributes": {"properties": {"tier": "gold"}}}
    after = _import_twice(account, first, {"patch": {"unset": ["tier"]}})
    return "ignored" if "tier" in after["properties"] else "obeyed"


def append_twice(account: LiveAccount) -> str:
    """Tell what `append` does, twice, to an array and to a property that is none."""
    address = account.new_address()
    properties = {"tags": ["a"], "single": "a"}
    account.import_rows({"attributes": {"email": address, "properties": properties}})
    patch = {"append": {"tags": "b", "single": "b"}}
    for _ in range(2):
        account.import_rows({"attributes": {"email": address}, **_meta({"patch": patch})})
    now = account.wait_for_profile(address)["attributes"]["properties"]
    return f"['a'] twice with 'b' is {now.get('tags')!r}, 'a' is {now.get('single')!r}"


def secondary_address(account: LiveAccount) -> str:
    """Tell whether a profile is found by an address that is not its first one."""
    address, second = account.new_address(), account.new_address()
    account.import_rows({"attributes": {"email": address}})
    profile_id = account.wait_for_profile(address)["id"]
    patch = {"patch_identifiers": {"append": {"email": second}}}
    data = {"type": "profile", "id": profile_id, "attributes": {}, "meta": patch}
    reply = account.ask("PATCH", f"/api/profiles/{profile_id}", {"data": data})
    if not reply.ok:
        return f"a profile takes one address only ({reply.status_code})"
    found = account.find_profiles(second)
    shown = [profile["attributes"]["email"] for profile in found]
    return f"the filter finds {len(found)} profiles" + (
        f", shown with the {'first' if shown == [address] else 'second'} address" if found else ""
    )


def import_errors(account: LiveAccount) -> str:
    """Tell the codes of rows that can't be imported, and whether an error shows the row."""
    rows = ({"attributes": {"email": account.new_address(), "phone_number": "+1555"}},)
    data = {
        "type": "profile-bulk-import-job",
        "attributes": {"profiles": {"data": [{"type": "profile", **row} for row in rows]}},
    }
    reply = account.ask("POST", IMPORTS, {"data": data})
    if not reply.ok:
        return f"a wrong phone refuses the request: {_describe(errors_of(reply))}"
    job_id = reply.json()["data"]["id"]
    for _ in account.attempts():
        if account.get(f"{IMPORTS}/{job_id}")["data"]["attributes"]["status"] == "complete":
            break
    errors = account.get(f"{IMPORTS}/{job_id}/import-errors")["data"]
    if not errors:
        return "a wrong phone is dropped without an error"
    payload = errors[0]["attributes"].get("original_payload")
    return f"the job has {errors[0]['attributes'].get('code')!r}, the row in it: {'yes' if payload else 'no'}"


def repeated_event(account: LiveAccount) -> str:
    """Tell what a bulk request does with the id of an event that is stored already."""
    address, unique_id = account.new_address(), f"probe-{account.tag}-1"
    first = event(address, METRIC, unique_id, _iso(account, days=1))
    account.send("POST", BULK_EVENTS, many_events(first))
    number = len(_wait_for_events(account, address))
    reply = account.ask(
        "POST",
        BULK_EVENTS,
        many_events(first, event(address, METRIC, f"{unique_id}b", _iso(account, days=2))),
    )
    if not reply.ok:
        return f"the whole request is refused: {_describe(errors_of(reply))}"
    for _ in account.attempts():
        if (now := len(_wait_for_events(account, address))) > number:
            repeat = "dropped" if now == number + 1 else "stored again"
            return f"the repeat is {repeat}, the other event is stored"
    return "the request is taken, and neither event is stored"


def unique_id_in_event(account: LiveAccount) -> str:
    """Tell whether an event that is read shows its unique id."""
    address, unique_id = account.new_address(), f"probe-{account.tag}-2"
    account.send("POST", EVENTS, one_event(event(address, METRIC, unique_id, _iso(account, days=1))))
    found = _wait_for_events(account, address)
    if not found:
        return "the event could not be read after six minutes"
    return "yes" if unique_id in str(found[0]["attributes"]) else "no"


def refused_rows(account: LiveAccount) -> str:
    """Tell where the errors of refused events, coupon codes and catalog items point."""
    wrong = event(account.new_address(), METRIC, f"probe-{account.tag}-3", "not a time")
    fine = event(account.new_address(), METRIC, f"probe-{account.tag}-4", _iso(account, days=1))
    replies = {
        "events": account.ask("POST", BULK_EVENTS, many_events(fine, wrong)),
        "coupon codes": account.ask(
            "POST", "/api/coupon-code-bulk-create-jobs", _bulk("coupon-code", {"unique_code": ""})
        ),
        "catalog items": account.ask(
            "POST", "/api/catalog-item-bulk-create-jobs", _bulk("catalog-item", {"external_id": ""})
        ),
    }
    return "; ".join(
        f"{name}: {'taken' if reply.ok else _describe(errors_of(reply))}" for name, reply in replies.items()
    )


def _bulk(kind: str, attributes: Mapping[str, Any]) -> dict[str, Any]:
    plural = f"{kind}s" if kind == "coupon-code" else "items"
    rows = {"data": [{"type": kind, "attributes": attributes}]}
    return {"data": {"type": f"{kind}-bulk-create-job", "attributes": {plural: rows}}}


def list_suppression(account: LiveAccount) -> str:
    """Tell what a list's unsubscription leaves behind of a member."""
    address, list_id = account.new_address(), account.new_list("unsubscribe")
    body = subscription(address, consent="SUBSCRIBED", list_id=list_id, consented_at=_iso(account, days=1))
    account.send("POST", SUBSCRIBE, body)
    if not _wait_for_consent(account, address, "SUBSCRIBED"):
        return "the person was not subscribed after six minutes"
    account.send("POST", UNSUBSCRIBE, subscription(address, consent="UNSUBSCRIBED", list_id=list_id))
    for _ in account.attempts():
        marketing = _marketing(account, address)
        if marketing.get("list_suppressions") or marketing.get("consent") != "SUBSCRIBED":
            break
    on_list = account.get(f"/api/lists/{list_id}/profiles", filter=f'equals(email,"{address}")')["data"]
    return (
        f"consent {marketing.get('consent')}, {len(marketing.get('list_suppressions') or [])} list "
        f"suppressions, {'still' if on_list else 'no longer'} a member"
    )


def suppression_creates(account: LiveAccount) -> str:
    """Tell whether suppressing an unknown address makes a profile."""
    address = account.new_address()
    account.send("POST", SUPPRESS, suppression(address))
    for _ in account.attempts():
        if account.find_profiles(address):
            return "yes"
    return "no, not within six minutes"


def record_creates(account: LiveAccount) -> str:
    """Tell whether the account takes records of objects at all: only a plan with objects does."""
    reply = account.ask("GET", "/api/data-sources")
    if not reply.ok:
        return f"not known: the account has no objects ({reply.status_code})"
    return "not known: the account has objects; map one by hand to a new address and look for its profile"


def deletion(account: LiveAccount) -> str:
    """Tell how long a deletion takes, and whether a later import creates the person again."""
    address = account.new_address()
    account.import_rows({"attributes": {"email": address}})
    profile_id = account.wait_for_profile(address)["id"]
    begun = account.clock.now()
    account.send("POST", "/api/data-privacy-deletion-jobs", deletion_body(profile_id))
    for _ in account.attempts():
        if account.ask("GET", f"/api/profiles/{profile_id}").status_code == 404:
            break
    else:
        return "not deleted after six minutes"
    seconds = account.clock.now() - begun
    account.import_rows({"attributes": {"email": address}})
    for _ in account.attempts():
        if account.find_profiles(address):
            return f"gone after {seconds:.0f} s; a later import makes a new profile"
    return f"gone after {seconds:.0f} s; a later import makes no profile"


def tightest_window(account: LiveAccount) -> str:
    """Tell the rate limit headers once less is left of the minute than of the second."""
    for _ in range(_NEARLY_A_MINUTE):
        reply = account.ask("GET", "/api/metrics")
        account.clock.sleep(_PACE)
    headers = {name: value for name, value in reply.headers.items() if name.lower().startswith("ratelimit")}
    return "; ".join(f"{name}: {value}" for name, value in sorted(headers.items())) or "no headers"


def any_beyond_hundred(account: LiveAccount) -> str:
    """Tell whether a filter takes more than 100 values."""
    values = ",".join(f'"retl-{number}@example.com"' for number in range(101))
    reply = account.ask("GET", "/api/profiles", filter=f"any(email,[{values}])")
    return "taken" if reply.ok else f"refused: {reply.status_code} {_describe(errors_of(reply))}"


def click_tracking(account: LiveAccount) -> str:
    """Tell whether the revision of the settings takes consent to click tracking."""
    address = account.new_address()
    body = subscription(address, consent="SUBSCRIBED", consented_at=_iso(account, days=1))
    channels = body["data"]["attributes"]["profiles"]["data"][0]["attributes"]["subscriptions"]["email"]
    channels["click_tracking"] = {"consent": "SUBSCRIBED"}
    reply = account.ask("POST", SUBSCRIBE, body)
    verdict = "taken" if reply.ok else f"refused: {_describe(errors_of(reply))}"
    return f"{verdict} under {account.settings.revision}"


def _wait_for_events(account: LiveAccount, address: str) -> list[dict[str, Any]]:
    """Return the events of a person, as soon as there are some."""
    for _ in account.attempts():
        for profile in account.find_profiles(address):
            found = account.get(EVENTS, filter=f'equals(profile_id,"{profile["id"]}")')["data"]
            if found:
                return list(found)
    return []


def _marketing(account: LiveAccount, address: str) -> dict[str, Any]:
    query = {"additional-fields[profile]": "subscriptions"}
    for profile in account.find_profiles(address, **query):
        marketing: dict[str, Any] = profile["attributes"]["subscriptions"]["email"]["marketing"]
        return marketing
    return {}


def _wait_for_consent(account: LiveAccount, address: str, consent: str) -> bool:
    return any(_marketing(account, address).get("consent") == consent for _ in account.attempts())


def _describe(errors: list[tuple[str, str]]) -> str:
    return ", ".join(f"{code} at {pointer or 'no pointer'}" for code, pointer in errors) or "no errors named"


QUESTIONS: Final[Mapping[str, Callable[[LiveAccount], str]]] = {
    "null in a bulk import": null_in_import,
    "unset in a bulk import": unset_in_import,
    "append, twice": append_twice,
    "filter by a secondary address": secondary_address,
    "errors of an import": import_errors,
    "a stored event's id in a bulk request": repeated_event,
    "unique_id readable in an event": unique_id_in_event,
    "pointers of refused rows": refused_rows,
    "a member leaves a list's consent": list_suppression,
    "suppressing an unknown address makes a profile": suppression_creates,
    "an object's record makes a profile": record_creates,
    "deletion": deletion,
    "rate limit headers": tightest_window,
    "a filter of more than 100 values": any_beyond_hundred,
    "click tracking in a consent": click_tracking,
}
