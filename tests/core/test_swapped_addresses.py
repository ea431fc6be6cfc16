"""Two people who are known by an id swap their e-mails: neither row can go first, which is said as it is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reverse_etl.cli.output.explanation import explanation_lines
from reverse_etl.report.held_rows import PlanHold
from tests.core.rows import become, members_model, people, person
from tests.core.test_held_rows import held_rows

if TYPE_CHECKING:
    from tests.core.world import World

ANN, BOB, THIRD = "ann@example.com", "bob@example.com", "third@example.com"
SWAPPED = [person("ann", email=BOB), person("bob", email=ANN)]


def run_with(world: World, rows: list[dict[str, object]]) -> None:
    """Run once with these rows."""
    become(world, rows)
    world.run()
    world.calm()


def emails_by_id(world: World) -> dict[str, str]:
    """Return the e-mails of the members, by customer id."""
    return {member["external_id"]: member["email"] for member in world.members()}


def test_rows_that_swap_an_address_say_whose_it_is_until_one_gets_a_third(world: World) -> None:
    members_model(world, identifiers={"external_id": "customer_id", "email": "email"})
    run_with(world, people("ann", "bob"))
    run_with(world, SWAPPED)
    assert emails_by_id(world) == {"c-ann": ANN, "c-bob": BOB}
    held = held_rows(world)
    assert [(row.identity, row.code, row.omitted) for row in held] == [
        ("external_id:c-ann", PlanHold.OTHER_ROW, "email"),
        ("external_id:c-bob", PlanHold.OTHER_ROW, "email"),
    ]
    (model,) = world.plan().models
    assert model.claimed_identifiers == model.omitted_identifiers != {}
    said = "\n".join(explanation_lines(world.project().explain(BOB)))
    assert "sent without email: another row of the model was sent with it" in said
    run_with(world, [SWAPPED[0], person("bob", email=THIRD)])
    for _ in range(2):
        run_with(world, SWAPPED)
    assert emails_by_id(world) == {"c-ann": BOB, "c-bob": ANN}
    assert not held_rows(world)
