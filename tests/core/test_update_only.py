"""Rule: with create='never', people that Klaviyo knows are changed, and nobody is created."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from reverse_etl.delivery.outcomes import Outcome
from reverse_etl.domain.timestamps import parse_timestamp
from reverse_etl.planning.plan_options import PlanOptions
from reverse_etl.sandbox import Fault, FaultKind
from tests.core.killing import dies_at_statement
from tests.core.world import only_list

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from reverse_etl.delivery.results import ListResult
    from tests.core.world import World

ANN, BOB = "ann@example.com", "bob@example.com"
COLUMNS = "email VARCHAR, phone_e164 VARCHAR, tier VARCHAR"
SELECT = "select email, phone_e164, tier from people"
DAY = 86_400.0


def become(world: World, rows: Sequence[Mapping[str, Any]], **config: Any) -> None:
    """Write people's rows, and a model that creates nobody."""
    world.people(rows, columns=COLUMNS)
    config = {"surface": "profiles", "create": "never", "min_rows": 0} | config
    world.model("members", SELECT, **config)


def send(world: World, rows: Sequence[Mapping[str, Any]], **config: Any) -> ListResult:
    """Send people's rows, creating nobody, and return what came of it."""
    become(world, rows, **config)
    return only_list(world.run())


def writes(world: World) -> list[str]:
    """Return the requests so far that were no GETs, without those that a test made by hand."""
    return [f"{entry.method} {entry.path}" for entry in world.writes() if entry.path != "/api/profiles"]


def test_existing_people_are_changed_and_nobody_is_created(world: World) -> None:
    id_ = world.new_profile(email=ANN)
    rows = [{"email": ANN, "tier": "gold"}, {"email": BOB, "tier": "gold"}]
    assert send(world, rows).outcomes == {Outcome.APPLIED: 1, Outcome.NO_PROFILE: 1}
    assert [profile["email"] for profile in world.sandbox.profiles()] == [ANN]
    assert world.person(ANN)["properties"] == {"tier": "gold"}
    assert writes(world) == [f"PATCH /api/profiles/{id_}"]


def test_a_person_is_found_by_a_further_identifier(world: World) -> None:
    """She gets the first one."""
    world.new_profile(phone_number="+14155550100")
    rows = [{"email": ANN, "phone_e164": "+14155550100", "tier": "gold"}]
    assert send(world, rows).outcomes == {Outcome.APPLIED: 1}
    assert (world.person(ANN)["phone_number"], len(world.sandbox.profiles())) == ("+14155550100", 1)


def test_an_unknown_person_is_looked_up_again_after_a_week_or_a_change(world: World) -> None:
    """Until then nothing is asked and nothing is counted as an add."""
    rows = [{"email": ANN, "tier": "gold"}]
    assert send(world, rows).outcomes == {Outcome.NO_PROFILE: 1}
    reads = len(world.sandbox.log())
    result = send(world, rows)
    assert (result.outcomes, result.list_plan.adds, result.list_plan.without_profile) == ({}, 0, 1)
    assert not [entry for entry in world.sandbox.log()[reads:] if entry.path == "/api/profiles"]
    assert send(world, [{"email": ANN, "tier": "silver"}]).outcomes == {Outcome.NO_PROFILE: 1}
    world.new_profile(email=ANN)
    world.wait(6 * DAY)
    assert send(world, [{"email": ANN, "tier": "silver"}]).list_plan.without_profile == 1
    world.wait(1.1 * DAY)
    result = send(world, [{"email": ANN, "tier": "silver"}])
    assert result.outcomes == {Outcome.APPLIED: 1}
    assert (result.list_plan.checked_adds, world.person(ANN)["properties"]) == (0, {"tier": "silver"})
    assert send(world, [{"email": ANN, "tier": "silver"}]).list_plan.unchanged == 1


def test_explain_says_that_klaviyo_did_not_know_the_person(world: World) -> None:
    """And when it is asked again."""
    send(world, [{"email": ANN, "tier": "gold"}])
    (listed,) = world.project().explain(ANN).lists
    assert listed.no_profile_at is not None
    assert listed.looks_again_at is not None
    asked, again = map(parse_timestamp, (listed.no_profile_at, listed.looks_again_at))
    assert (again - asked).total_seconds() == 7 * DAY
    assert listed.describe_next_run().startswith("nothing: Klaviyo did not know the person on ")
    become(world, [{"email": ANN, "tier": "silver"}])
    (listed,) = world.project().explain(ANN).lists
    assert listed.describe_next_run().startswith("sends the row")


def test_a_full_refresh_looks_at_all_again(world: World) -> None:
    send(world, [{"email": ANN, "tier": "gold"}])
    world.new_profile(email=ANN)
    assert only_list(world.run(options=PlanOptions(full_refresh=True))).outcomes == {Outcome.APPLIED: 1}


def test_a_profile_that_was_deleted_has_no_profile_from_then_on(world: World) -> None:
    """Her row is forgotten as an applied one: when she is back, she gets all values."""
    world.new_profile(email=ANN)
    send(world, [{"email": ANN, "tier": "gold"}])
    world.rename(ANN, email="other@example.com")
    assert send(world, [{"email": ANN, "tier": "silver"}]).outcomes == {Outcome.NO_PROFILE: 1}
    assert send(world, [{"email": ANN, "tier": "silver"}]).list_plan.without_profile == 1


def test_an_existing_person_is_added_to_the_list(world: World) -> None:
    world.new_list()
    world.new_profile(email=ANN)
    rows = [{"email": ANN, "tier": "gold"}, {"email": BOB, "tier": "gold"}]
    config = {"surface": "list_memberships"}
    assert send(world, rows, **config).outcomes == {Outcome.APPLIED: 1, Outcome.NO_PROFILE: 1}
    assert world.emails() == [ANN]
    assert world.person(ANN)["properties"] == {"tier": "gold"}
    assert send(world, rows[1:], **config).outcomes == {Outcome.REMOVED: 1}


def test_values_are_cleared_by_id_alone(world: World) -> None:
    id_ = world.new_profile(email=ANN)
    send(world, [{"email": ANN, "tier": "gold"}], on_null="clear")
    assert send(world, [{"email": ANN}], on_null="clear").outcomes == {Outcome.APPLIED: 1}
    assert world.person(ANN)["properties"] == {}
    assert set(writes(world)) == {f"PATCH /api/profiles/{id_}"}


@pytest.mark.parametrize("after", [False, True])
def test_a_lost_reply_leaves_the_row_for_the_next_run(world: World, *, after: bool) -> None:
    world.new_profile(email=ANN)
    world.fault(Fault(FaultKind.CUT, path="/api/profiles/*", method="PATCH", times=None, after=after))
    assert send(world, [{"email": ANN, "tier": "gold"}]).failed
    world.calm()
    assert only_list(world.run()).outcomes == {Outcome.APPLIED: 1}
    assert only_list(world.run()).list_plan.unchanged == 1


def test_a_profile_that_is_gone_since_its_look_up_is_looked_up_again(world: World) -> None:
    world.new_profile(email=ANN)
    world.fault(Fault(FaultKind.STATUS, status=404, path="/api/profiles/*", method="PATCH"))
    assert send(world, [{"email": ANN, "tier": "gold"}]).outcomes == {Outcome.UNKNOWN: 1}
    assert only_list(world.run()).outcomes == {Outcome.APPLIED: 1}


def test_a_refused_change_rejects_its_row(world: World) -> None:
    world.new_profile(email=ANN)
    world.new_profile(email=BOB)
    world.fault(Fault(FaultKind.STATUS, status=400, path="/api/profiles/*", method="PATCH"))
    rows = [{"email": ANN, "tier": "gold"}, {"email": BOB, "tier": "gold"}]
    assert send(world, rows).outcomes == {Outcome.APPLIED: 1, Outcome.REJECTED: 1}


@pytest.mark.parametrize(
    "nth",
    [
        *range(15, 110, 36),
        *(pytest.param(nth, marks=pytest.mark.long) for nth in range(3, 110, 12) if nth % 36 != 15),
    ],
)
def test_a_run_may_be_killed_at_a_statement(world: World, nth: int) -> None:
    world.new_profile(email=ANN)
    rows = [{"email": ANN, "tier": "gold"}, {"email": BOB, "tier": "gold"}]
    become(world, rows)
    dies_at_statement(world, nth)
    world.run()
    assert world.person(ANN)["properties"] == {"tier": "gold"}
    before = len(world.writes())
    plan = only_list(world.run()).list_plan
    assert (plan.unchanged, plan.without_profile, len(world.writes())) == (1, 1, before)
