"""The bodies of the requests that the live test and the probe send besides imports."""

from __future__ import annotations

from typing import Any


def person(**identifiers: str) -> dict[str, Any]:
    """Return a profile in a relationship, by its identifiers."""
    return {"data": {"type": "profile", "attributes": identifiers}}


def event(address: str, metric: str, unique_id: str, time: str) -> dict[str, Any]:
    """Return the attributes of one event of a person, which starts no flow."""
    return {
        "properties": {"retl": "test"},
        "metric": {"data": {"type": "metric", "attributes": {"name": metric}}},
        "profile": person(email=address),
        "unique_id": unique_id,
        "time": time,
        "backfill": True,
    }


def one_event(attributes: dict[str, Any]) -> dict[str, Any]:
    """Return the body that creates one event."""
    return {"data": {"type": "event", "attributes": attributes}}


def many_events(*attributes: dict[str, Any]) -> dict[str, Any]:
    """Return the body that creates events of one person in bulk."""
    own = [
        {name: value for name, value in event.items() if name not in ("profile", "backfill")}
        for event in attributes
    ]
    group = {
        "type": "event-bulk-create",
        "attributes": {
            "profile": attributes[0]["profile"],
            "events": {"data": [{"type": "event", "attributes": event} for event in own]},
            "backfill": True,
        },
    }
    return {
        "data": {"type": "event-bulk-create-job", "attributes": {"events-bulk-create": {"data": [group]}}}
    }


def subscription(address: str, *, consent: str, list_id: str = "", consented_at: str = "") -> dict[str, Any]:
    """Return the body that gives or withdraws one person's consent to e-mail marketing.

    With `consented_at` the consent is historical: it sends no opt-in mail and starts no flow.
    """
    verb = "create" if consent == "SUBSCRIBED" else "delete"
    leaf = {"consent": consent} | ({"consented_at": consented_at} if consented_at else {})
    attributes = {"email": address, "subscriptions": {"email": {"marketing": leaf}}}
    data: dict[str, Any] = {
        "type": f"profile-subscription-bulk-{verb}-job",
        "attributes": {"profiles": {"data": [{"type": "profile", "attributes": attributes}]}}
        | ({"historical_import": True} if consented_at else {}),
    }
    if list_id:
        data["relationships"] = {"list": {"data": {"type": "list", "id": list_id}}}
    return {"data": data}


def suppression(address: str) -> dict[str, Any]:
    """Return the body that suppresses one address."""
    profiles = {"data": [{"type": "profile", "attributes": {"email": address}}]}
    return {"data": {"type": "profile-suppression-bulk-create-job", "attributes": {"profiles": profiles}}}
