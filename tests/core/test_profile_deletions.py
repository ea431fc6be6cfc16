"""The surface profile_deletions: people are deleted once, by flag, and withheld from all other models."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from reverse_etl.delivery.outcomes import Outcome
from reverse_etl.errors import GuardRefused, UsageError
from reverse_etl.klaviyo.transport import Transport
from reverse_etl.sandbox import Fault, FaultKind
from reverse_etl.warehouse.duckdb.adapter import DuckDB
from tests.core.deletions import (
    DELETIONS,
    allow,
    email,
    erase,
    known,
    open_shop,
    readmit,
    requests,
    run,
    state_text,
)
from tests.core.killing import run_until_killed
from tests.core.test_second_addresses import merge
from tests.core.world import only_list

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.core.world import PrepareWorld, World


@pytest.fixture
def shop(prepare_world: PrepareWorld) -> World:
    """Let a model delete some of the people on a list."""
    return prepare_world(open_shop)


def test_a_person_is_deleted_once_and_erased_from_the_state(shop: World) -> None:
    erase(shop, [email(1)])
    result = run(shop)
    assert only_list(result, "erase").outcomes == {Outcome.APPLIED: 1}
    assert only_list(result, "members").list_plan.withheld == 1
    assert email(1) not in known(shop)
    assert email(1) not in state_text(shop)
    assert requests(shop) == 1
    result = shop.run()
    assert (only_list(result, "erase").outcomes, only_list(result, "members").outcomes) == ({}, {})
    assert (requests(shop), only_list(result, "erase").list_plan.unchanged) == (1, 1)
    assert email(1) not in known(shop), "no other model creates the person again"
    run(shop, allow(full_refresh=True), select=["erase"])
    assert requests(shop) == 1


def test_explain_says_that_a_person_is_deleted_before_and_after(shop: World) -> None:
    """Without the flag a guard stops the deletion; afterwards the row is known by its hash alone."""
    erase(shop, [email(1)])

    def explain() -> dict[str, str]:
        lists = shop.project().explain(email(1)).lists
        return {listed.model: listed.describe_next_run() for listed in lists}

    assert explain()["erase"].startswith(
        "nothing: a guard stops the list. 1 person would be deleted for good"
    )
    (alone,) = shop.project().explain(email(1), ["erase"]).lists
    assert replace(alone, stop_reason="").describe_next_run().startswith("deletes the person for good")
    run(shop)
    assert explain()["erase"] == "nothing: the person is deleted, and other models withhold them"
    assert explain()["members"].startswith("nothing: the person is withheld")
    assert readmit(shop, email(1)) == 1
    assert explain()["erase"] == "nothing: the person is deleted, and other models may send them again"


def test_nobody_is_deleted_without_the_flag(shop: World) -> None:
    erase(shop, [email(1)])
    with pytest.raises(GuardRefused, match="1 person would be deleted for good"):
        shop.run(select=["erase"])
    result = shop.run()
    assert (result.exit_code, requests(shop)) == (3, 0)


def test_more_people_than_allowed_are_not_deleted(shop: World) -> None:
    erase(shop, [email(number) for number in range(11)])
    with pytest.raises(GuardRefused, match="11 people would be deleted for good; --allow-deletes allows 10"):
        run(shop, select=["erase"])
    with pytest.raises(GuardRefused, match="allows 3"):
        run(shop, allow({"erase": 3}), select=["erase"])
    assert requests(shop) == 0
    assert only_list(run(shop, allow({"erase": 11})), "erase").outcomes == {Outcome.APPLIED: 11}


def test_rows_of_withheld_people_are_no_missing_rows(world: World) -> None:
    """The guard on an empty table does not stop a list all of whose people are to be deleted."""
    world.people([{"email": email(0)}])
    world.model("members", "select email from people")
    world.model("erase", "select email from erase", surface="profile_deletions")
    erase(world, [])
    world.run()
    erase(world, [email(0)])
    result = world.run(options=allow())
    assert result.exit_code == 0
    assert only_list(result, "members").list_plan.withheld == 1
    assert only_list(result, "erase").outcomes == {Outcome.APPLIED: 1}


def test_a_withheld_person_is_neither_added_nor_removed_nor_looked_up(shop: World) -> None:
    """The deletion takes long: the person's row in the list's model comes and goes meanwhile."""
    shop.sandbox.change_rules(deletion_seconds=3 * 3600.0)
    erase(shop, [email(1)])
    assert only_list(run(shop), "erase").outcomes == {Outcome.UNVERIFIED: 1}
    shop.sql(f"DELETE FROM people WHERE email = '{email(1)}'")
    before = len(shop.sandbox.log())
    result = shop.run(select=["members"])
    assert (only_list(result).outcomes, only_list(result).list_plan.removes) == ({}, 0)
    assert not [entry for entry in shop.sandbox.log()[before:] if email(1) in entry.query]
    shop.wait(3 * 3600.0)
    assert only_list(run(shop), "erase").outcomes == {Outcome.APPLIED: 1}
    assert requests(shop) == 1
    assert email(1) not in state_text(shop)


def test_a_person_that_nobody_has_counts_as_deleted(shop: World) -> None:
    erase(shop, ["new@example.com"])
    assert only_list(run(shop), "erase").outcomes == {Outcome.APPLIED: 1}
    assert requests(shop) == 0
    assert "new@example.com" not in state_text(shop)


def test_two_profiles_of_one_row_are_held(shop: World) -> None:
    shop.new_profile(phone_number="+14155550100")
    shop.people([{"email": email(1), "phone_e164": "+14155550100"}], table="erase")
    shop.model("erase", "select email, phone_e164 from erase", surface="profile_deletions")
    result = run(shop)
    assert (only_list(result, "erase").outcomes, result.exit_code) == ({Outcome.HELD: 1}, 1)
    assert (requests(shop), email(1) in known(shop)) == (0, True)


def test_a_row_that_leaves_and_a_readmitted_person_are_sent_again(shop: World) -> None:
    erase(shop, [email(1), email(2)])
    run(shop)
    erase(shop, [email(2)])
    result = shop.run()
    assert only_list(result, "erase").outcomes == {Outcome.READMITTED: 1}
    shop.run()
    assert (email(1) in known(shop), email(2) in known(shop)) == (True, False)
    assert readmit(shop, email(2)) == 1
    shop.run()
    assert email(2) in known(shop)
    assert requests(shop) == 2, "the row is still in the model, and is not asked for again"


def test_a_lost_reply_is_asked_for_again_by_the_same_profile(shop: World) -> None:
    """Somebody makes a new profile of the person meanwhile: it stays."""
    erase(shop, [email(1)])
    shop.fault(Fault(FaultKind.CUT, "POST", DELETIONS, after=True, times=None))
    result = run(shop)
    assert (only_list(result, "erase").outcomes, result.exit_code) == ({Outcome.UNKNOWN: 1}, 4)
    shop.calm()
    shop.sandbox.finish_jobs()
    shop.wait()
    shop.new_profile(email=email(1))
    assert only_list(run(shop), "erase").outcomes == {Outcome.APPLIED: 1}
    assert email(1) in known(shop)


LONG = [pytest.mark.long, pytest.mark.timeout(3600)]


def readmit_all(shop: World, people: list[str]) -> None:
    """Let all rows leave, and check that the other model sends their people again."""
    erase(shop, [])
    run(shop)
    shop.run()
    assert {*people} <= {*known(shop)}
    people.clear()


@pytest.mark.parametrize(
    ("owner", "names", "step"),
    [
        (Transport, ("send",), 5),
        (DuckDB, ("execute", "fetch"), 53),
        pytest.param(Transport, ("send",), 1, marks=LONG),
        pytest.param(DuckDB, ("execute", "fetch"), 1, marks=LONG),
    ],
)
def test_a_run_may_be_killed_at_requests_and_statements(
    shop: World, owner: type, names: tuple[str, ...], step: int
) -> None:
    """One more person is deleted by each run that is killed. In the end all of them are readmitted.

    The long ones die at each request and at each statement.
    """
    people: list[str] = []
    nth, killed = 3, True
    while killed:
        if len(people) == 20:
            readmit_all(shop, people)
        people.append(email(len(people)))
        erase(shop, people)
        killed = run_until_killed(shop, nth, owner, *names, options=allow())
        shop.wait(3600.0)
        run(shop)
        assert not {*people} & {*known(shop)}, nth
        state = state_text(shop)
        assert not [person for person in people if person in state], nth
        assert shop.run().plan.models[0].is_empty, nth
        nth += step
    readmit_all(shop, people)


def test_a_renamed_project_still_withholds_the_deleted(shop: World) -> None:
    """Their hashes do not depend on the project's name, and move with it."""
    erase(shop, [email(1)])
    run(shop)
    profiles = shop.folder / "profiles.yml"
    profiles.write_text(profiles.read_text("utf-8").replace("shop:", "store:", 1), "utf-8")
    shop.drop_model("erase")
    shop.project().state_changes.move_from_project("shop")
    shop.model("erase", "select email from erase", surface="profile_deletions")
    shop.run(select=["members"])
    shop.wait(600.0)
    assert email(1) not in known(shop)


def test_another_person_with_the_phone_is_not_deleted(shop: World) -> None:
    """Nobody has the row's e-mail, and who has its phone shows another e-mail."""
    shop.new_profile(email="bob@example.com", phone_number="+14155550100")
    shop.people([{"email": "ann@example.com", "phone_e164": "+14155550100"}], table="erase")
    shop.model("erase", "select email, phone_e164 from erase", surface="profile_deletions")
    result = run(shop)
    assert (only_list(result, "erase").outcomes, result.exit_code) == ({Outcome.HELD: 1}, 1)
    assert (requests(shop), "bob@example.com" in known(shop)) == (0, True)


def test_a_phone_alone_is_enough_if_the_profile_shows_no_other_identifier(shop: World) -> None:
    shop.new_profile(phone_number="+14155550100")
    shop.people([{"email": "ann@example.com", "phone_e164": "+14155550100"}], table="erase")
    shop.model("erase", "select email, phone_e164 from erase", surface="profile_deletions")
    assert only_list(run(shop), "erase").outcomes == {Outcome.APPLIED: 1}
    assert requests(shop) == 1


def test_a_person_who_is_found_by_a_second_address_is_deleted(make_world: Callable[..., World]) -> None:
    """Klaviyo shows the profile with the address of another one, which was merged into it."""
    shop = open_shop(make_world(merged_emails="keep"))
    shop.new_profile(email="robert@example.com")
    merge(shop, "robert", "p0001")
    erase(shop, [email(1)])
    assert only_list(run(shop), "erase").outcomes == {Outcome.APPLIED: 1}
    assert (requests(shop), "robert@example.com" in known(shop)) == (1, False)


def test_nobody_is_readmitted_whose_deletion_is_not_finished(shop: World) -> None:
    """The row would be asked for once more, and delete the person that other models sent again."""
    shop.sandbox.change_rules(deletion_seconds=3 * 3600.0)
    erase(shop, [email(1)])
    assert only_list(run(shop), "erase").outcomes == {Outcome.UNVERIFIED: 1}
    with pytest.raises(UsageError, match="is not finished"):
        readmit(shop, email(1))
    shop.wait(3 * 3600.0)
    run(shop)
    assert readmit(shop, email(1)) == 1
    for _ in range(3):
        run(shop)
    assert (requests(shop), email(1) in known(shop)) == (1, True)


def test_a_rejected_row_keeps_its_person_withheld(shop: World) -> None:
    """Its e-mail is malformed now, and its phone still says who is meant."""
    row = {"email": email(1), "phone_e164": "+14155550100"}
    shop.people([row], table="erase")
    shop.model("erase", "select email, phone_e164 from erase", surface="profile_deletions")
    assert only_list(run(shop), "erase").outcomes == {Outcome.APPLIED: 1}
    shop.people([row | {"email": "p0001@@example.com"}], table="erase")
    for _ in range(2):
        run(shop)
    assert email(1) not in known(shop)
    shop.people([row], table="erase")
    assert only_list(shop.run(), "erase").list_plan.unchanged == 1


def test_a_deletion_waits_for_an_import_that_would_create_the_person_again(shop: World) -> None:
    shop.profile(job_timeout_minutes=1)
    shop.sandbox.change_rules(job_seconds=4 * 3600.0)
    shop.model("members", "select email, 'x' as first_name from people", min_rows=0)
    assert only_list(shop.run(), "members").outcomes == {Outcome.ACCEPTED: 30}
    erase(shop, [email(1)])
    result = run(shop, select=["erase"])
    assert (only_list(result, "erase").outcomes, requests(shop)) == ({Outcome.NOT_SENT: 1}, 0)
    shop.calm()
    assert only_list(run(shop), "erase").outcomes == {Outcome.APPLIED: 1}
    assert email(1) not in known(shop)


def test_nobody_comes_back_by_an_identifier_that_only_the_profile_had(shop: World) -> None:
    """The row names the external id; another model knows the person by the e-mail alone."""
    shop.new_profile(email="ann@example.com", external_id="7")
    shop.people([{"external_id": "7"}], table="erase")
    shop.model("erase", "select external_id from erase", surface="profile_deletions")
    shop.people([{"email": email(number)} for number in range(30)] + [{"email": "ann@example.com"}])
    shop.run(select=["members"])
    assert only_list(run(shop), "erase").outcomes == {Outcome.APPLIED: 1}
    shop.model("members", "select email, 'x' as first_name from people", min_rows=0)
    assert only_list(shop.run(), "members").list_plan.withheld == 1
    assert "ann@example.com" not in known(shop)
    assert "ann@example.com" not in state_text(shop)
    assert readmit(shop, "ann@example.com") == 1


def test_a_person_of_a_lost_reply_stays_withheld_by_what_the_profile_showed(shop: World) -> None:
    shop.new_profile(email="ann@example.com", external_id="7")
    shop.people([{"external_id": "7"}], table="erase")
    shop.model("erase", "select external_id from erase", surface="profile_deletions")
    shop.fault(Fault(FaultKind.CUT, "POST", DELETIONS, after=True, times=None))
    assert only_list(run(shop), "erase").outcomes == {Outcome.UNKNOWN: 1}
    shop.calm()
    shop.wait()
    assert only_list(run(shop), "erase").outcomes == {Outcome.APPLIED: 1}
    shop.people([{"email": email(number)} for number in range(30)] + [{"email": "ann@example.com"}])
    assert only_list(shop.run(), "members").list_plan.withheld == 1
    assert "ann@example.com" not in known(shop)


def test_an_empty_table_readmits_nobody(shop: World) -> None:
    """The guard stops the model; by the flag the rows may leave."""
    erase(shop, [email(1), email(2)])
    run(shop)
    erase(shop, [])
    result = shop.run()
    assert (only_list(result, "erase").outcomes, result.exit_code) == ({Outcome.NOT_SENT: 2}, 3)
    shop.run(select=["members"])
    assert not {email(1), email(2)} & {*known(shop)}
    assert only_list(run(shop), "erase").outcomes == {Outcome.READMITTED: 2}


def test_a_row_that_shares_an_identifier_takes_along_what_is_kept_by_its_own_key(shop: World) -> None:
    """The model of the list knows the person by an id, the deletion by an e-mail."""
    columns = {"external_id": "id", "email": "email"}
    config = {"list": "Club", "identifiers": columns, "min_rows": 0, "max_removes": 1.0}
    shop.model("club", "select id, email from customers", **config)
    person = {"id": "C1", "email": email(1)}
    for people in ([person], [], [person]):
        shop.people(people, "customers", "id VARCHAR, email VARCHAR")
        shop.run(select=["club"])
        if people:
            shop.take_off_list(email(1), "Club")
    assert shop.state("SELECT identity FROM unmatched_removals") == [("external_id:C1",)]
    erase(shop, [email(1)])
    run(shop)
    assert "external_id:C1" not in state_text(shop)
