"""A shop with a model that deletes people, which several tests run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from reverse_etl.planning.plan_options import PlanOptions
from reverse_etl.planning.violations import Allowances

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from reverse_etl.delivery.results import RunResult
    from tests.core.world import World

DELETIONS = "/api/data-privacy-deletion-jobs"
ALLOWED = {"erase": None}


def email(number: int) -> str:
    """Return the e-mail of a numbered person."""
    return f"p{number:04}@example.com"


def open_shop(world: World) -> World:
    """Let a list have 30 people, and a model delete some of them."""
    world.new_list()
    world.people([{"email": email(number)} for number in range(30)])
    world.model("members", "select email from people", min_rows=0)
    world.run()
    world.model("erase", "select email from erase", surface="profile_deletions")
    erase(world, [])
    return world


def erase(world: World, emails: Sequence[str]) -> None:
    """Let the model name these e-mails."""
    world.people([{"email": each} for each in emails], table="erase", columns="email VARCHAR")


def allow(deletes: Mapping[str, int | None] = ALLOWED, *, full_refresh: bool = False) -> PlanOptions:
    """Return options that allow deletions, and rows of their model to leave."""
    allowances = Allowances(deletes=deletes, removes=["erase"])
    return PlanOptions(full_refresh=full_refresh, allow=allowances)


def run(world: World, options: PlanOptions | None = None, **arguments: Any) -> RunResult:
    """Run, and allow deletions."""
    return world.run(options=options or allow(), **arguments)


def readmit(world: World, address: str) -> int:
    """Readmit a person, and return how many people that was."""
    with world.project().connections.locked_state(lambda _: None) as state:
        return state.withheld.readmit(f"email:{address}")


def known(world: World) -> list[str]:
    """Return the e-mails of all profiles, in order."""
    return sorted(str(profile["email"]) for profile in world.sandbox.profiles())


def requests(world: World) -> int:
    """Return how many deletions were asked for."""
    return sum(entry.path == DELETIONS for entry in world.writes())


def state_text(world: World) -> str:
    """Return all rows of all tables of the state as text."""
    tables = world.state("SELECT table_name FROM information_schema.tables WHERE table_type = 'BASE TABLE'")
    return str([world.state(f'SELECT * FROM "{table}"') for (table,) in tables])
