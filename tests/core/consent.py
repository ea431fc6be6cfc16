"""Models of consent, and what profiles show of it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from tests.core.world import only_list

if TYPE_CHECKING:
    from reverse_etl.delivery.results import RunResult
    from tests.core.world import World

ANN, BOB, CAT = "ann@example.com", "bob@example.com", "cat@example.com"
SUBSCRIBE = "/api/profile-subscription-bulk-create-jobs"
NAIVE = "email VARCHAR, consented_at TIMESTAMP"
LONG_AGO = "2020-05-01 12:00:00+00:00"


def consents(world: World, *rows: tuple[str, str | None], **config: Any) -> None:
    """Let a model subscribe these people: (e-mail, when they consented)."""
    people = [{"email": email, "consented_at": consented_at} for email, consented_at in rows]
    world.people(people, "consents", "email VARCHAR, consented_at TIMESTAMPTZ")
    config = {"surface": "subscriptions", "channel": "email", **config}
    world.model("newsletter", "select email, consented_at from consents", **config)


def at(world: World, seconds: float) -> str:
    """Return a time relative to now."""
    return datetime.fromtimestamp(world.clock.now() + seconds, UTC).isoformat(" ", "seconds")


def new_list(world: World, process: str) -> None:
    """Make a list with this process of opting in."""
    document = {"type": "list", "attributes": {"name": "Members", "opt_in_process": process}}
    world.by_hand("POST", "/api/lists", {"data": document})


def marketing(world: World, email: str = ANN) -> Any:
    """Return the consent to e-mail marketing that a profile shows."""
    query = f'/api/profiles?filter=equals(email,"{email}")&additional-fields[profile]=subscriptions'
    profiles = world.by_hand("GET", query)["data"]
    return profiles[0]["attributes"]["subscriptions"]["email"]["marketing"] if profiles else None


def status(world: World, email: str = ANN) -> str | None:
    """Return a profile's consent to e-mail marketing, None without a profile."""
    shown = marketing(world, email)
    return shown and str(shown["consent"])


def requests(world: World) -> int:
    """Return how many requests subscribed people so far."""
    return sum(entry.path == SUBSCRIBE and entry.method == "POST" for entry in world.sandbox.log())


def outcomes(result: RunResult) -> dict[str, int]:
    """Return the outcomes of the only list."""
    return {str(outcome): rows for outcome, rows in only_list(result).outcomes.items()}


def subscribe_by_hand(world: World, email: str, source: str = "form", list_id: str = "") -> None:
    """Let a person subscribe in another way."""
    leaf = {"email": {"marketing": {"consent": "SUBSCRIBED"}}}
    rows = [{"type": "profile", "attributes": {"email": email, "subscriptions": leaf}}]
    data: dict[str, Any] = {
        "type": "profile-subscription-bulk-create-job",
        "attributes": {"profiles": {"data": rows}, "custom_source": source},
    }
    if list_id:
        data["relationships"] = {"list": {"data": {"type": "list", "id": list_id}}}
    world.by_hand("POST", "/api/profile-subscription-bulk-create-jobs", {"data": data})
    world.sandbox.finish_jobs()
