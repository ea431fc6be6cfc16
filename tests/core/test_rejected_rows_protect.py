"""Rule: rejected rows protect. They hold the removal of every member that they may be."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reverse_etl.delivery.outcomes import Outcome
from reverse_etl.sandbox import Fault, FaultKind
from tests.core.rows import become, clubs_model, person, send_two
from tests.core.world import only_list

if TYPE_CHECKING:
    from tests.core.world import PrepareWorld, World


def test_a_rejected_row_holds_the_removal_of_a_possible_match(prepare_world: PrepareWorld) -> None:
    """Ann's row has a mangled e-mail today and her customer id still.

    Her old row must not be taken for somebody who left.
    """
    members = prepare_world(send_two)
    become(members, [person("ann", email="ann at example"), person("bob")])
    result = members.run()
    assert only_list(result).list_plan.held_at_plan == 1
    assert only_list(result).list_plan.removes == 0
    assert result.exit_code == 1
    assert members.emails() == ["ann@example.com", "bob@example.com"]


def test_a_row_that_klaviyo_rejects_in_this_run_holds_removals_too(prepare_world: PrepareWorld) -> None:
    """The refusal comes after the plan was made, and counts when leaving members are looked up."""
    members = prepare_world(send_two)
    members.fault(Fault(FaultKind.REFUSE_ROWS, pattern="ann2"))
    become(members, [person("ann", email="ann2@example.com"), person("bob")])
    result = members.run()
    assert only_list(result).outcomes == {Outcome.REJECTED: 1, Outcome.HELD: 1}
    assert members.emails() == ["ann@example.com", "bob@example.com"]
    assert members.state("SELECT * FROM row_exceptions") == []  # nothing of it is left to be taken over
    result = members.run()
    assert only_list(result).list_plan.held_at_plan == 1


def test_a_rejected_row_holds_removals_by_a_shared_identifier_too(prepare_world: PrepareWorld) -> None:
    """Ann's new row is refused; her customer id is in a second row too, so that neither is sent with it.

    Her old row is not removed, neither in the run with the refusal nor in the next.
    """
    members = prepare_world(send_two)
    members.fault(Fault(FaultKind.REFUSE_ROWS, pattern="ann2"))
    ann2, double = person("ann", email="ann2@example.com"), person("ann", email="double@example.com")
    become(members, [ann2, double, person("bob")])
    result = members.run()
    assert only_list(result).outcomes == {Outcome.APPLIED: 1, Outcome.REJECTED: 1, Outcome.HELD: 1}
    assert members.person("double@example.com")["external_id"] is None
    before = len(members.writes())
    again = members.run()
    assert (only_list(again).list_plan.held_at_plan, only_list(again).outcomes, len(members.writes())) == (
        1,
        {},
        before,
    )
    assert members.emails() == ["ann@example.com", "bob@example.com", "double@example.com"]


def test_a_rejected_row_holds_removals_on_every_list_of_its_model(world: World) -> None:
    """Ann moves from Tea to Coffee with a mangled e-mail. She cannot be added to Coffee, and stays on Tea."""
    clubs_model(world, min_rows=0)
    become(world, [person("ann", club="Tea"), person("bob", club="Tea"), person("cat", club="Coffee")])
    world.run()
    become(
        world,
        [
            person("ann", club="Coffee", email="ann@@example.com"),
            person("bob", club="Tea"),
            person("cat", club="Coffee"),
        ],
    )
    world.run()
    assert world.emails("Tea") == ["ann@example.com", "bob@example.com"]
    assert world.emails("Coffee") == ["cat@example.com"]
