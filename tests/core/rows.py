"""People as rows, and the model that most tests run: two identifiers and a name."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from reverse_etl.planning.plan_options import PlanOptions
from reverse_etl.sandbox import Fault, FaultKind

if TYPE_CHECKING:
    from reverse_etl.delivery.results import RunResult
    from tests.core.world import World

SELECT = "select email, customer_id, first_name from people"
BY_EMAIL = {"email": "email", "external_id": "customer_id"}
UNSENT = ["a limit", "a list that can't be read"]  # why a run removes nobody
COLUMNS = "email VARCHAR, customer_id VARCHAR, first_name VARCHAR, club VARCHAR"


def person(name: str, **changes: Any) -> dict[str, Any]:
    """Return the row of a person called `name`."""
    return {"email": f"{name}@example.com", "customer_id": f"c-{name}", "first_name": name.title(), **changes}


def people(*names: str, **changes: Any) -> list[dict[str, Any]]:
    """Return a row for each name."""
    return [person(name, **changes) for name in names]


def many(count: int, start: int = 0) -> list[dict[str, Any]]:
    """Return rows of so many people."""
    return people(*(f"p{number:04}" for number in range(start, start + count)))


def members_model(world: World, **config: Any) -> None:
    """Write the model of the list 'Members'."""
    world.model("members", SELECT, **({"identifiers": BY_EMAIL} | config))


def clubs_model(world: World, **config: Any) -> None:
    """Write a model whose rows name their list in the column `club`."""
    select = "select email, customer_id, first_name, club from people"
    world.model("clubs", select, **({"identifiers": BY_EMAIL, "list_column": "club"} | config))


def become(world: World, rows: list[dict[str, Any]]) -> None:
    """Let the table of people be these rows."""
    world.people(rows, columns=COLUMNS)


def moves(world: World, rows: list[dict[str, Any]], unsent: str = "") -> RunResult:
    """Let the rows be these, run, then let faults and imports end and ten minutes pass.

    Return what came of the run. `unsent` is one of UNSENT: why nobody is removed.
    """
    become(world, rows)
    if unsent == "a list that can't be read":
        world.fault(
            Fault(FaultKind.STATUS, method="GET", path="/api/lists/*/profiles", status=503, times=None)
        )
    result = world.run(options=PlanOptions(limit=100 if unsent == "a limit" else None))
    world.calm()
    world.wait(600.0)
    return result


def names(world: World) -> list[str]:
    """Return the names of the account's lists."""
    return [str(listed["name"]) for listed in world.sandbox.lists()]


def send_one(world: World) -> None:
    """Let the model of the list 'Members' have sent Ann."""
    members_model(world)
    become(world, people("ann"))
    world.run()


def send_two(world: World) -> None:
    """Let the model of the list 'Members' have sent Ann and Bob."""
    members_model(world)
    become(world, people("ann", "bob"))
    world.run()


def send_two_loosely(world: World) -> None:
    """Let the same model, of which any number may be removed, have sent them ten minutes ago."""
    members_model(world, max_removes=1.0)
    moves(world, people("ann", "bob"))
