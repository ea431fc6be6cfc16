"""A list with a model of its members and models of their consents: who leaves one of them keeps the other."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from reverse_etl.delivery.outcomes import Outcome
from reverse_etl.klaviyo.endpoints import Endpoint
from reverse_etl.sandbox import Fault, FaultKind
from reverse_etl.warehouse.duckdb.adapter import DuckDB
from tests.core.consent import (
    ANN,
    BOB,
    CAT,
    LONG_AGO,
    marketing,
    status,
)
from tests.core.unsubscriptions import (
    members_and_consents,
    requests,
    subscribe_two_members,
    unsubscribing,
)
from tests.core.world import Interrupted, only_list
from tests.paths import UNSUBSCRIBE

if TYPE_CHECKING:
    from collections.abc import Callable

    from reverse_etl.warehouse.statement import Statement
    from tests.core.world import PrepareWorld, World


def counts(result: Any) -> dict[str, dict[Outcome, int]]:
    """Return the outcomes of each model."""
    return {listed.model: listed.outcomes for listed in result.lists}


@pytest.mark.parametrize("ending", ["calm", "a kill", pytest.param("a lost reply", marks=pytest.mark.long)])
def test_a_member_who_is_only_unsubscribed_comes_back_to_the_list(
    prepare_world: PrepareWorld, die_after: Callable[[Endpoint], None], ending: str
) -> None:
    """Klaviyo removes her, and the other model has her on the list. She stays unsubscribed from it."""
    world = prepare_world(subscribe_two_members)
    members_and_consents(world, [ANN, BOB], [BOB])
    match ending:
        case "a kill":
            die_after(Endpoint.UNSUBSCRIBE)
            with pytest.raises(Interrupted):
                world.run()
        case "a lost reply":
            world.fault(Fault(FaultKind.CUT, path=UNSUBSCRIBE, after=True, times=None))
            world.run()
            world.calm()
    world.run()
    world.run()
    assert world.emails() == [ANN, BOB]
    assert len(marketing(world, ANN)["list_suppressions"]) == 1
    assert (status(world, ANN), status(world, BOB)) == ("SUBSCRIBED", "SUBSCRIBED")
    result = world.run()
    assert (counts(result), result.exit_code) == ({"members": {}, "newsletter": {}}, 0)


def test_a_member_comes_back_to_the_list_although_a_lost_reply_told_nobody_apart(
    world: World, play_reads: Callable[[Callable[[Any], Any]], None]
) -> None:
    """The read after it shows her by another address. Each person of the request may be off the list."""
    members_and_consents(world, [ANN, BOB, CAT], [ANN, BOB, CAT])
    world.run()
    members_and_consents(world, [ANN, BOB, CAT], [CAT])

    def rename(document: Any) -> Any:
        for resource in document["data"]:
            if resource["attributes"]["email"] == ANN and requests(world) == 1:
                resource["attributes"]["email"] = "first@example.com"
        return document

    play_reads(rename)
    world.fault(Fault(FaultKind.CUT, path=UNSUBSCRIBE, after=True))
    assert only_list(world.run(), "newsletter").outcomes == {Outcome.UNKNOWN: 2}
    world.run()
    world.run()
    assert world.emails() == [ANN, BOB, CAT]


def test_the_statements_for_people_off_a_list_do_not_grow_with_requests(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Other rows are marked once for a group of requests, and only those of the models of the list."""
    emails = [f"p{number}@example.com" for number in range(230)]
    world.model("other", "select email from people", list="Other", min_rows=0)
    members_and_consents(world, emails, emails)
    world.run()
    members_and_consents(world, emails, emails[:5])
    marked: list[str] = []
    execute = DuckDB.execute

    def watch(warehouse: DuckDB, statement: Statement) -> None:
        if "SET retl_uncertain = TRUE WHERE retl_list_id" in statement.text:
            marked.append(statement.text)
        execute(warehouse, statement)

    monkeypatch.setattr(DuckDB, "execute", watch)
    assert only_list(world.run(), "newsletter").outcomes == {Outcome.REMOVED: 225}
    assert 0 < len(marked) < requests(world) == 3
    assert all("deltas_members" in statement for statement in marked)


def texts(world: World, *phones: str, **config: Any) -> None:
    """Let a model subscribe these phones to SMS by the list."""
    rows = [{"phone": phone, "consented_at": LONG_AGO} for phone in phones]
    world.people(rows, "phones", "phone VARCHAR, consented_at TIMESTAMPTZ")
    world.model(
        "texts",
        "select phone as phone_e164, consented_at from phones",
        **{"surface": "subscriptions", "channel": "sms", "list": "Members", "max_removes": 1.0, **config},
    )


def test_a_model_of_another_channel_keeps_nobody_subscribed_to_this_one(world: World) -> None:
    """She leaves the texts. The other model asks for her consent to other messages alone."""
    phone = "+14155550100"
    world.new_profile(email=ANN, phone_number=phone)
    texts(world, phone, "+14155550101", list="", on_remove="unsubscribe")
    world.model(
        "receipts",
        "select '+14155550100' as phone_e164",
        surface="subscriptions",
        channel="sms_transactional",
        consent="now",
    )
    world.run()
    texts(world, "+14155550101", list="", on_remove="unsubscribe")
    assert only_list(world.run(), "texts").outcomes == {Outcome.REMOVED: 1}


@pytest.mark.parametrize(
    ("leaving", "killed"),
    [
        ("newsletter", False),
        ("texts", True),  # the run after the kill does what a calm one does
        pytest.param("newsletter", True, marks=pytest.mark.long),
        pytest.param("texts", False, marks=pytest.mark.long),
    ],
)
def test_a_person_who_leaves_one_channel_of_a_list_keeps_the_other(
    world: World, die_after: Callable[[Endpoint], None], leaving: str, *, killed: bool
) -> None:
    """She is off the list by the one, and is put on it again by the other, with no mail that she left."""
    world.new_profile(email=ANN, phone_number="+14155550100")
    texts(world, "+14155550100", on_remove="unsubscribe", min_rows=0)
    unsubscribing(world, ANN, list="Members")
    world.run()
    assert world.emails() == [ANN]
    if leaving == "texts":
        texts(world, on_remove="unsubscribe", min_rows=0)
    else:
        unsubscribing(world, list="Members")
    if killed:
        die_after(Endpoint.UNSUBSCRIBE)
        with pytest.raises(Interrupted):
            world.run()
    world.run()
    world.run()
    assert world.emails() == [ANN]
    assert status(world, ANN) == "SUBSCRIBED"
    assert len(marketing(world, ANN)["list_suppressions"]) == (leaving == "newsletter")
    result = world.run()
    assert (counts(result), result.exit_code) == ({"newsletter": {}, "texts": {}}, 0)


@pytest.mark.parametrize("selected", [False, True], ids=["both models", "the members alone"])
def test_nobody_is_removed_from_a_list_before_she_is_unsubscribed_from_it(
    prepare_world: PrepareWorld, *, selected: bool
) -> None:
    """Otherwise Klaviyo would unsubscribe her from everything, so that her row would be held for ever."""
    world = prepare_world(subscribe_two_members)
    members_and_consents(world, [BOB], [BOB])
    if selected:
        result = world.run(select=["members"])
    else:
        world.fault(Fault(FaultKind.CUT, path=UNSUBSCRIBE, after=False, times=None))
        result = world.run()
    assert only_list(result, "members").outcomes == {Outcome.NOT_SENT: 1}
    reason = only_list(result, "members").stop_reason
    assert "The model newsletter has to unsubscribe people" in reason
    advice = "Run the models together." if selected else "its own line says why."
    assert (advice in reason, ("together" in reason) is selected) == (True, True)
    assert result.exit_code == (1 if selected else 4)
    assert world.emails() == [ANN, BOB]
    world.calm()
    world.run()
    result = world.run()
    assert (counts(result), result.exit_code) == ({"members": {}, "newsletter": {}}, 0)
    assert world.emails() == [BOB]
    assert len(marketing(world, ANN)["list_suppressions"]) == 1
    assert status(world, ANN) == "SUBSCRIBED"


@pytest.mark.parametrize("order", [["members", "newsletter"], ["newsletter", "members"]])
def test_models_that_run_apart_converge(prepare_world: PrepareWorld, order: list[str]) -> None:
    """She leaves the members, and the consents keep her: nothing waits for the other model."""
    world = prepare_world(subscribe_two_members)
    members_and_consents(world, [BOB], [ANN, BOB])
    results = [world.run(select=[name]) for name in order]
    assert [result.exit_code for result in results] == [0, 0]
    assert world.emails() == [BOB]
    assert (status(world, ANN), requests(world)) == ("SUBSCRIBED", 0)


def test_a_model_that_fails_to_run_lets_its_people_wait(world: World) -> None:
    """It may have to unsubscribe them. The others are removed, and the run says why somebody waits."""
    members_and_consents(world, [ANN, BOB, CAT], [ANN, BOB])
    world.run()
    members_and_consents(world, [BOB], [ANN, BOB])
    world.sql("DROP TABLE consents")
    events: list[object] = []
    result = world.run(select=["members"], on_progress=events.append)
    assert only_list(result).outcomes == {Outcome.NOT_SENT: 1, Outcome.REMOVED: 1}
    assert world.emails() == [ANN, BOB]
    assert any("Removals of its people wait." in str(event) for event in events)


def test_a_guard_of_the_consents_keeps_the_members_too(world: World) -> None:
    """A person who leaves both models waits for the unsubscription, which is not sent in this run."""
    emails = [f"p{number}@example.com" for number in range(30)]
    members_and_consents(world, emails, emails, max_removes=0.1)
    world.run()
    members_and_consents(world, emails[:10], emails[:10], max_removes=0.1)
    result = world.run()
    assert (result.exit_code, only_list(result, "members").list_plan.held_at_plan) == (3, 20)
    assert world.emails() == sorted(emails)
