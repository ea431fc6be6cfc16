"""`on_remove='unsubscribe'`: only people of the model, and nobody from more than the list."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from reverse_etl.delivery.outcomes import Outcome
from reverse_etl.errors import GuardRefused, UsageError
from reverse_etl.klaviyo.endpoints import Endpoint
from reverse_etl.klaviyo.transport import Transport
from reverse_etl.sandbox import Fault, FaultKind
from reverse_etl.warehouse.duckdb.adapter import DuckDB
from tests.core.consent import (
    ANN,
    BOB,
    CAT,
    LONG_AGO,
    SUBSCRIBE,
    consents,
    marketing,
    new_list,
    status,
    subscribe_by_hand,
)
from tests.core.world import Interrupted, only_list
from tests.paths import UNSUBSCRIBE

if TYPE_CHECKING:
    from collections.abc import Callable

    from reverse_etl.klaviyo.messages import Request, TransportResult
    from reverse_etl.warehouse.statement import Statement
    from tests.core.world import PrepareWorld, World


def unsubscribing(world: World, *emails: str, **config: Any) -> None:
    """Let a model subscribe these people, and unsubscribe those who leave it."""
    config = {"on_remove": "unsubscribe", "max_removes": 1.0, "min_rows": 0, **config}
    consents(world, *((email, LONG_AGO) for email in emails), **config)


def requests(world: World) -> int:
    """Return how many requests unsubscribed people so far."""
    return sum(entry.path == UNSUBSCRIBE for entry in world.sandbox.log())


def subscribe_two(world: World) -> None:
    """Subscribe Ann and Bob."""
    unsubscribing(world, ANN, BOB)
    world.run()


def subscribe_two_of_a_list(world: World) -> None:
    """Subscribe Ann and Bob to a list."""
    unsubscribing(world, ANN, BOB, list="Members")
    world.run()


def subscribe_two_members(world: World) -> None:
    """Put Ann and Bob on a list by one model, and subscribe them to it by another."""
    members_and_consents(world, [ANN, BOB], [ANN, BOB])
    world.run()


def test_a_person_who_leaves_the_model_is_unsubscribed(prepare_world: PrepareWorld) -> None:
    """Proved by the profile, and forgotten; the others stay subscribed."""
    world = prepare_world(subscribe_two)
    unsubscribing(world, BOB)
    result = world.run()
    assert only_list(result).outcomes == {Outcome.REMOVED: 1}
    assert (status(world, ANN), status(world, BOB)) == ("UNSUBSCRIBED", "SUBSCRIBED")
    assert world.state("SELECT identity FROM consents") == [(f"email:{BOB}",)]
    assert (only_list(world.run()).outcomes, requests(world)) == ({}, 1)


def test_without_the_setting_nobody_is_unsubscribed(world: World) -> None:
    """A row that leaves is forgotten."""
    unsubscribing(world, ANN, BOB, on_remove="")
    world.run()
    unsubscribing(world, BOB, on_remove="")
    assert only_list(world.run()).outcomes == {Outcome.LEFT_IN_PLACE: 1}
    assert (status(world, ANN), requests(world)) == ("SUBSCRIBED", 0)


def test_a_person_subscribed_before_the_model_stays_so(world: World) -> None:
    """The model changed nothing, so that it has nothing to take back."""
    world.new_profile(email=ANN)
    subscribe_by_hand(world, ANN)
    unsubscribing(world, ANN, BOB)
    world.run()
    unsubscribing(world, BOB)
    assert only_list(world.run()).outcomes == {Outcome.UNMANAGED: 1}
    assert (status(world, ANN), requests(world)) == ("SUBSCRIBED", 0)


def test_a_person_whose_subscription_got_no_reply_is_the_models_own(world: World) -> None:
    """The next attempt reads that the first one subscribed her."""
    world.sandbox.change_rules(consent_seconds=0.0)
    world.fault(Fault(FaultKind.CUT, path=SUBSCRIBE, after=True))
    unsubscribing(world, ANN, BOB)
    assert only_list(world.run()).outcomes == {Outcome.APPLIED: 2}
    unsubscribing(world, BOB)
    assert only_list(world.run()).outcomes == {Outcome.REMOVED: 1}
    assert (status(world, ANN), status(world, BOB)) == ("UNSUBSCRIBED", "SUBSCRIBED")


def test_a_person_who_consented_again_stays_subscribed(prepare_world: PrepareWorld) -> None:
    """The consent shows neither our time nor our source."""
    world = prepare_world(subscribe_two)
    world.sandbox.opt_out(ANN)
    world.wait(3600.0)
    subscribe_by_hand(world, ANN)
    assert status(world, ANN) == "SUBSCRIBED"
    unsubscribing(world, BOB)
    assert only_list(world.run()).outcomes == {Outcome.UNMANAGED: 1}
    assert (status(world, ANN), requests(world)) == ("SUBSCRIBED", 0)


def test_with_a_list_only_the_list_is_lost(prepare_world: PrepareWorld) -> None:
    """The member leaves the list, and stays subscribed to everything else."""
    world = prepare_world(subscribe_two_of_a_list)
    unsubscribing(world, BOB, list="Members")
    assert only_list(world.run()).outcomes == {Outcome.REMOVED: 1}
    assert world.emails() == [BOB]
    assert (status(world, ANN), requests(world)) == ("SUBSCRIBED", 1)


def test_somebody_off_the_list_is_held_and_not_unsubscribed_from_everything(world: World) -> None:
    """Klaviyo would unsubscribe her from every list. Her row is held; the others of the batch are sent."""
    unsubscribing(world, ANN, BOB, CAT, list="Members")
    world.run()
    world.take_off_list(ANN)
    unsubscribing(world, CAT, list="Members")
    result = world.run()
    assert (only_list(result).outcomes, result.exit_code) == ({Outcome.HELD: 1, Outcome.REMOVED: 1}, 1)
    assert world.emails() == [CAT]
    assert (status(world, ANN), marketing(world, ANN)["suppression"]) == ("SUBSCRIBED", [])


def test_a_held_person_who_is_on_the_list_again_is_unsubscribed_from_it(prepare_world: PrepareWorld) -> None:
    """A held row was not sent: nothing says that a request of ours removed her, and she stays off the list.

    Other rows are sent in the run, so that the held row is uncertain.
    """
    world = prepare_world(subscribe_two_members)
    world.take_off_list(ANN)
    members_and_consents(world, [ANN, BOB], [BOB, CAT])
    result = world.run()
    assert only_list(result, "newsletter").outcomes == {Outcome.APPLIED: 1, Outcome.HELD: 1}
    assert ANN not in world.emails()
    assert (status(world, ANN), requests(world)) == ("SUBSCRIBED", 0)
    world.put_on_list(world.list_id("Members"), world.person(ANN)["id"])
    result = world.run()
    assert only_list(result, "newsletter").outcomes == {Outcome.REMOVED: 1}
    assert len(marketing(world, ANN)["list_suppressions"]) == 1


def test_a_member_who_was_removed_before_her_consent_left_is_held_once(prepare_world: PrepareWorld) -> None:
    """The next run forgets her row: she gets no mails of the list, and keeps her other consents."""
    world = prepare_world(subscribe_two_members)
    members_and_consents(world, [BOB], [ANN, BOB])
    assert only_list(world.run(), "members").outcomes == {Outcome.REMOVED: 1}
    members_and_consents(world, [BOB], [BOB])
    ends = []
    for _ in range(3):
        result = world.run()
        ends.append((only_list(result, "newsletter").outcomes, result.exit_code))
    assert ends == [({Outcome.HELD: 1}, 1), ({Outcome.UNMANAGED: 1}, 0), ({}, 0)]
    assert requests(world) == 0
    assert (status(world, ANN), world.emails()) == ("SUBSCRIBED", [BOB])
    assert world.state("SELECT identity FROM consents") == [(f"email:{BOB}",)]


def test_a_kill_before_the_request_is_no_reason_to_think_that_it_was_sent(
    world: World, die_after: Callable[[Endpoint], None]
) -> None:
    """She was removed from the list by hand: her row is held, and no other model puts her on it again."""
    members_and_consents(world, [ANN, BOB, CAT], [ANN, BOB, CAT])
    world.run()
    world.take_off_list(ANN)
    members_and_consents(world, [ANN, BOB, CAT], [BOB])
    die_after(Endpoint.PROFILES)
    with pytest.raises(Interrupted):
        world.run()
    interruption = world.project().status().interruption
    assert interruption is not None
    assert (interruption.answered, interruption.unanswered) == ({}, 2)
    result = world.run()
    assert only_list(result, "newsletter").outcomes == {Outcome.HELD: 1, Outcome.REMOVED: 1}
    assert only_list(world.run(), "newsletter").outcomes == {Outcome.UNMANAGED: 1}
    assert world.emails() == [BOB, CAT]
    assert (status(world, ANN), marketing(world, ANN)["suppression"]) == ("SUBSCRIBED", [])


def test_a_request_whose_reply_a_kill_lost_is_shown_as_unknown(
    prepare_world: PrepareWorld, die_after: Callable[[Endpoint], None]
) -> None:
    world = prepare_world(subscribe_two_of_a_list)
    unsubscribing(world, BOB, list="Members")
    die_after(Endpoint.UNSUBSCRIBE)
    with pytest.raises(Interrupted):
        world.run()
    interruption = world.project().status().interruption
    assert interruption is not None
    assert (interruption.answered, interruption.unanswered) == ({"unknown": 1}, 0)


def test_a_person_of_another_model_is_not_unsubscribed_from_everything(world: World) -> None:
    """The other model's list needs the consent."""
    unsubscribing(world, ANN, BOB)
    world.model(
        "club",
        "select email, consented_at from consents",
        surface="subscriptions",
        channel="email",
        list="Members",
    )
    world.run()
    unsubscribing(world, BOB)
    world.model(
        "club",
        f"select '{ANN}' as email, cast('{LONG_AGO}' as timestamptz) as consented_at",
        surface="subscriptions",
        channel="email",
        list="Members",
    )
    assert only_list(world.run(), "newsletter").outcomes == {Outcome.UNMANAGED: 1}
    assert (status(world, ANN), requests(world)) == ("SUBSCRIBED", 0)


def test_many_leaving_rows_trip_the_guard(world: World) -> None:
    """As removals from a list do: nobody is unsubscribed because a table was empty."""
    emails = [f"p{number}@example.com" for number in range(30)]
    unsubscribing(world, *emails, max_removes=0.1)
    world.run()
    unsubscribing(world, *emails[:10], max_removes=0.1)
    with pytest.raises(GuardRefused):
        world.run()
    assert requests(world) == 0


def test_a_lost_reply_is_read_back(prepare_world: PrepareWorld) -> None:
    """The second attempt finds who is unsubscribed already; after a failure the next run does."""
    world = prepare_world(subscribe_two)
    unsubscribing(world, BOB)
    world.fault(Fault(FaultKind.CUT, path=UNSUBSCRIBE, after=True, times=None))
    result = world.run()
    assert sum(only_list(result).outcomes.values()) == 1
    world.calm()
    world.run()
    assert status(world, ANN) == "UNSUBSCRIBED"
    assert world.state("SELECT identity FROM consents") == [(f"email:{BOB}",)]


def test_a_consent_that_cannot_be_read_holds_its_row(
    prepare_world: PrepareWorld, play_reads: Callable[[Callable[[Any], Any]], None]
) -> None:
    """Missing evidence is no permission."""
    world = prepare_world(subscribe_two)

    def hide(document: Any) -> Any:
        for resource in document["data"]:
            resource["attributes"].pop("subscriptions", None)
        return document

    play_reads(hide)
    unsubscribing(world, BOB)
    result = world.run()
    assert (only_list(result).outcomes, requests(world)) == ({Outcome.HELD: 1}, 0)


def test_a_row_that_is_still_pending_is_forgotten(world: World) -> None:
    """Nothing shows that the model subscribed her."""
    new_list(world, "double_opt_in")
    config = {
        "on_remove": "unsubscribe",
        "max_removes": 1.0,
        "min_rows": 0,
        "list": "Members",
        "consent": "now",
    }
    consents(world, (ANN, None), (BOB, None), **config)
    world.run()
    world.sandbox.confirm_opt_in(ANN)
    consents(world, (BOB, None), **config)
    world.run()
    consents(world, **config)
    assert only_list(world.run()).outcomes == {Outcome.UNMANAGED: 1}
    assert requests(world) <= 1


def test_the_setting_has_one_value(world: World) -> None:
    """Anything else is a mistake."""
    unsubscribing(world, ANN, on_remove="delete")
    with pytest.raises(UsageError) as caught:
        world.plan()
    assert caught.value.problems[0].summary == "on_remove cannot be 'delete'."


def test_a_merged_model_keeps_its_own_consents(prepare_world: PrepareWorld) -> None:
    """The consents of a model that was renamed too late are those of the model that continues it."""
    world = prepare_world(subscribe_two)
    text = (world.folder / "models" / "newsletter.sql").read_text("utf-8")
    world.drop_model("newsletter")
    (world.folder / "models" / "letter.sql").write_text(text, "utf-8")
    world.run()
    world.project().state_changes.rename("newsletter", "letter")
    assert world.state("SELECT DISTINCT model, identity FROM consents ORDER BY 2") == [
        ("letter", f"email:{ANN}"),
        ("letter", f"email:{BOB}"),
    ]


def test_a_person_who_leaves_list_and_consent_at_once_is_unsubscribed_first(world: World) -> None:
    """A person who is no longer a member could not be unsubscribed from the list alone."""
    world.model("members", "select email from consents", max_removes=1.0, min_rows=0)
    unsubscribing(world, ANN, BOB, list="Members")
    world.run()
    unsubscribing(world, BOB, CAT, list="Members")
    result = world.run()
    assert only_list(result, "newsletter").outcomes == {Outcome.REMOVED: 1, Outcome.APPLIED: 1}
    assert only_list(result, "members").outcomes == {Outcome.NOT_FOUND: 1, Outcome.APPLIED: 1}
    assert sorted(world.emails()) == [BOB, CAT]
    assert len(marketing(world, ANN)["list_suppressions"]) == 1
    assert {listed.model: listed.outcomes for listed in world.run().lists} == {
        "members": {},
        "newsletter": {},
    }


@pytest.mark.parametrize("times", [1, None], ids=["once", "for a run"])
def test_a_lost_reply_of_a_list_ends_too(prepare_world: PrepareWorld, times: int | None) -> None:
    """A person that the first attempt removed from the list is not held like one who was never on it."""
    world = prepare_world(subscribe_two_of_a_list)
    unsubscribing(world, BOB, list="Members")
    world.fault(Fault(FaultKind.CUT, path=UNSUBSCRIBE, after=True, times=times))
    world.run()
    world.calm()
    world.run()
    result = world.run()
    assert (only_list(result).outcomes, result.exit_code) == ({}, 0)
    assert (world.emails(), status(world, ANN)) == ([BOB], "SUBSCRIBED")


def test_a_person_of_a_rejected_row_of_another_model_is_not_unsubscribed_from_everything(
    prepare_world: PrepareWorld,
) -> None:
    """The row is rejected by a check, so that the state does not know it."""
    world = prepare_world(subscribe_two)
    unsubscribing(world, BOB)
    columns = "email VARCHAR, consented_at TIMESTAMPTZ"
    world.people([{"email": ANN}, {"email": CAT, "consented_at": LONG_AGO}], "club", columns)
    club = "select email, consented_at from club"
    world.model("club", club, surface="subscriptions", channel="email", list="Members")
    assert only_list(world.run(), "newsletter").outcomes == {Outcome.UNMANAGED: 1}
    assert (status(world, ANN), requests(world)) == ("SUBSCRIBED", 0)


def test_rows_that_a_guard_keeps_back_are_counted_once(prepare_world: PrepareWorld) -> None:
    """Another model goes on, so that the run does."""
    world = prepare_world(subscribe_two)
    unsubscribing(world, min_rows=1)
    world.people([{"email": CAT}])
    world.model("members", "select email from people")
    result = world.run()
    assert (only_list(result, "newsletter").outcomes, result.exit_code) == ({Outcome.NOT_SENT: 2}, 3)
    assert (status(world, ANN), requests(world)) == ("SUBSCRIBED", 0)


def members_and_consents(world: World, members: list[str], subscribers: list[str], **config: Any) -> None:
    """Let one model say who is on a list, and another who is subscribed to it."""
    world.people([{"email": email} for email in members], columns="email VARCHAR")
    world.model("members", "select email from people", max_removes=1.0, min_rows=0)
    unsubscribing(world, *subscribers, list="Members", **config)


def counts(result: Any) -> dict[str, dict[Outcome, int]]:
    """Return the outcomes of each model."""
    return {listed.model: listed.outcomes for listed in result.lists}


@pytest.fixture
def die_after(monkeypatch: pytest.MonkeyPatch) -> Callable[[Endpoint], None]:
    """Return what lets the process die after the next request to an endpoint was carried out."""
    send = Transport.send

    def plan_death(endpoint: Endpoint) -> None:
        def die(transport: Transport, request: Request) -> TransportResult:
            reply = send(transport, request)
            if request.endpoint is endpoint:
                monkeypatch.setattr(Transport, "send", send)
                raise Interrupted
            return reply

        monkeypatch.setattr(Transport, "send", die)

    return plan_death


@pytest.mark.parametrize("ending", ["calm", "a lost reply", "a kill"])
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


@pytest.mark.parametrize("leaving", ["newsletter", "texts"])
@pytest.mark.parametrize("killed", [False, True], ids=["calm", "killed"])
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
