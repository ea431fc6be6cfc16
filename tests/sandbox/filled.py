"""A sandbox with something on each of its pages."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reverse_etl.sandbox import Fault, FaultKind
from tests.sandbox.caller import Caller, people, row

if TYPE_CHECKING:
    from typing import Any

    from reverse_etl.sandbox import Sandbox

EVIL = "<b>Tea</b> & co"


def fill_sandbox(sandbox: Sandbox) -> dict[str, str]:
    """Fill a sandbox, and return the addresses of a list, of Ann, and of the requests for both."""
    caller = Caller(sandbox)
    with caller.session:
        vip, tea = caller.make_list("VIP customers"), caller.make_list(EVIL)
        caller.run_import(people(120), vip)
        ann: dict[str, Any] = {
            "email": "ann@example.com",
            "phone_number": "+15005550006",
            "external_id": "17",
            "first_name": "Ann",
            "last_name": "Lee",
            "location": {"city": "Bern"},
            "properties": {"tier": "gold", "note": EVIL},
        }
        caller.run_import([row(**ann)], vip, tea)
        subscription = describe_subscription("ann@example.com")
        caller.ask("POST", "/api/profile-subscription-bulk-create-jobs", json=subscription)
        sandbox.finish_jobs()
        sandbox.suppress("ann@example.com", "SPAM_COMPLAINT")
        caller.ask("POST", "/api/events", json=_describe_event("ann@example.com"))
        sandbox.put_record("coupon", "SPRING", {})
        sandbox.add_fault(Fault(FaultKind.STATUS, status=503, path="*import-jobs", times=3))
        caller.ask("GET", "/api/nowhere")
    profile = sandbox.profiles()[-1]["id"]
    return {
        "list": f"/lists/{vip}",
        "second page": f"/lists/{vip}?page=2",
        "search": f"/lists/{tea}?q=Ann",
        "profile": f"/profiles/{profile}",
        "import": "/requests/3",
        "event": f"/requests/{sandbox.log()[-2].number}",
    }


def describe_subscription(email: str) -> dict[str, Any]:
    """Return the body of a request that subscribes a person to e-mail, with the time of consent."""
    consent = {"email": {"marketing": {"consent": "SUBSCRIBED", "consented_at": "2026-01-02T03:04:05Z"}}}
    profile = {"type": "profile", "attributes": {"email": email, "subscriptions": consent}}
    attributes = {"historical_import": True, "custom_source": "checkout", "profiles": {"data": [profile]}}
    return {"data": {"type": "profile-subscription-bulk-create-job", "attributes": attributes}}


def _describe_event(email: str) -> dict[str, Any]:
    attributes = {
        "properties": {"sku": "TEA-1"},
        "value": 19.9,
        "value_currency": "EUR",
        "unique_id": "order-1",
        "time": "2026-10-01T08:00:00Z",
        "metric": {"data": {"type": "metric", "attributes": {"name": "Placed Order"}}},
        "profile": {"data": {"type": "profile", "attributes": {"email": email}}},
    }
    return {"data": {"type": "event", "attributes": attributes}}
