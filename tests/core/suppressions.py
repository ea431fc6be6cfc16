"""A shop whose model suppresses people, and what Klaviyo shows of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.core.world import only_list

if TYPE_CHECKING:
    from collections.abc import Sequence

    from reverse_etl.delivery.outcomes import Outcome
    from tests.core.world import World

SUPPRESS = "/api/profile-suppression-bulk-create-jobs"
UNSUPPRESS = "/api/profile-suppression-bulk-delete-jobs"


def email(number: int) -> str:
    """Return the e-mail of a numbered person."""
    return f"p{number:04}@example.com"


def open_shop(world: World) -> World:
    """Let Klaviyo know 120 people, and a model suppress some of them."""
    world.people([{"email": email(number)} for number in range(120)])
    world.model("everyone", "select email from people", surface="profiles")
    world.run()
    world.drop_model("everyone")
    world.model("blocked", "select email from blocked", surface="suppressions")
    return world


def block(world: World, emails: Sequence[str], table: str = "blocked") -> None:
    """Let the model name these e-mails."""
    world.people([{"email": each} for each in emails], table=table, columns="email VARCHAR")


def free_on_remove(world: World) -> None:
    """Let the model free the people that it suppressed."""
    world.model(
        "blocked", "select email from blocked", surface="suppressions", on_remove="unsuppress", min_rows=0
    )


def by_hand(world: World, *emails: str, path: str = SUPPRESS) -> None:
    """Suppress or free somebody as an app or a person would."""
    verb = "create" if path == SUPPRESS else "delete"
    profiles = [{"type": "profile", "attributes": {"email": each}} for each in emails]
    world.by_hand(
        "POST",
        path,
        {
            "data": {
                "type": f"profile-suppression-bulk-{verb}-job",
                "attributes": {"profiles": {"data": profiles}},
            }
        },
    )
    world.wait()


def suppressed(world: World) -> list[str]:
    """Return the suppressed e-mails, in order."""
    world.wait()
    reason = "subscriptions.email.marketing.suppression.reason"
    query = f"page%5Bsize%5D=100&filter=equals({reason},%22USER_SUPPRESSED%22)"
    addresses: list[str] = []
    path = f"/api/profiles?{query}"
    while path:
        document = world.by_hand("GET", path)
        addresses += [profile["attributes"]["email"] for profile in document["data"]]
        path = (document["links"]["next"] or "").removeprefix(world.sandbox.origin)
    return sorted(addresses)


def jobs(world: World, path: str = SUPPRESS) -> list[int]:
    """Return how many e-mails each job had, in order of size."""
    return sorted(entry.rows for entry in world.writes() if entry.path == path)


def outcomes(world: World, **options: Any) -> dict[Outcome, int]:
    """Run and return the outcomes of the model."""
    return only_list(world.run(**options), "blocked").outcomes
