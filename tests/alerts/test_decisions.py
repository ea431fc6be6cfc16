"""Which message a run sends: about what is new, once, and about what has ended."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from reverse_etl.alerts.conditions import (
    Cause,
    Condition,
    RunEnd,
    Subject,
    end_of_error,
)
from reverse_etl.alerts.decisions import Reported, decide_message
from reverse_etl.alerts.message import build_message
from reverse_etl.alerts.record import AlertRecord
from reverse_etl.delivery.outcomes import Outcome
from reverse_etl.errors import (
    GuardRefused,
    ModelError,
    Problem,
    UsageError,
)
from reverse_etl.planning.lists import ListRef
from tests.alerts.run_ends import (
    ATTENTION,
    FAILED,
    GONE,
    KNOWN,
    OTHER,
    RECOVERED,
    ROWS,
    RUN,
    STOPPED,
    VIP,
    condition_of,
    decide,
    ended,
    gate,
    list_result,
    names,
    run_of,
    sent,
)

if TYPE_CHECKING:
    from pathlib import Path

    from reverse_etl.config.notify import AlertKind
    from reverse_etl.delivery.results import ListResult


@pytest.mark.parametrize(
    ("end", "reported", "kind", "afterwards"),
    [
        pytest.param(ended(), set(), None, set(), id="well as before"),
        pytest.param(ended(VIP), set(), STOPPED, {VIP}, id="new"),
        pytest.param(ended(VIP), {VIP}, None, {VIP}, id="it lasts"),
        pytest.param(ended(VIP, OTHER), {VIP}, ATTENTION, {VIP, OTHER}, id="another joins it"),
        pytest.param(ended(ROWS), {VIP}, ATTENTION, {ROWS}, id="it changes"),
        pytest.param(ended(VIP), {VIP, OTHER}, RECOVERED, {VIP}, id="a part is well"),
        pytest.param(ended(), {VIP, OTHER}, RECOVERED, set(), id="all is well"),
        pytest.param(ended(ROWS, is_known=True), {ROWS}, None, {ROWS}, id="rows that stay rejected"),
        pytest.param(ended(ROWS, is_known=True), set(), None, set(), id="rows rejected before alerts"),
        pytest.param(ended(models="vip"), {VIP, OTHER}, RECOVERED, {OTHER}, id="a model that did not run"),
        pytest.param(ended(models="vip"), {VIP}, RECOVERED, set(), id="the model that ran"),
        pytest.param(ended(), {GONE}, RECOVERED, set(), id="a model that was deleted"),
        pytest.param(ended(RUN, has_result=False), {VIP}, FAILED, {VIP, RUN}, id="the run fails"),
        pytest.param(ended(RUN, has_result=False), {RUN}, None, {RUN}, id="it fails again"),
        pytest.param(ended(models="other"), {RUN}, None, {RUN}, id="another model runs"),
        pytest.param(ended(), {RUN}, RECOVERED, set(), id="it runs again"),
        pytest.param(ended(VIP, RUN), set(), FAILED, {VIP, RUN}, id="the worst first"),
    ],
)
def test_a_message_is_about_a_change(
    end: RunEnd, reported: set[Subject], kind: AlertKind | None, afterwards: set[Subject]
) -> None:
    decision = decide(end, sent(*reported))
    assert (decision.kind, decision.if_sent.sent) == (kind, sent(*afterwards).sent)


def test_a_message_that_was_not_sent_is_due_as_long_as_its_condition_lasts() -> None:
    unsent = Reported(unsent=sent(ROWS).sent)
    assert decide(ended(ROWS, is_known=True), unsent).kind is ATTENTION
    assert decide(ended(), unsent).kind is None
    elsewhere = decide(ended(models="other"), unsent)
    assert (elsewhere.kind, elsewhere.if_sent) == (None, unsent)


def test_a_recovery_that_was_not_sent_is_sent_by_the_next_run() -> None:
    decision = decide(ended(ROWS), sent(VIP))
    assert decide(ended(ROWS), decision.if_unsent).kind is ATTENTION
    assert decide(ended(), decision.if_unsent).ended == (condition_of(VIP),)


def test_a_message_names_no_model_whose_rows_were_reported_before() -> None:
    end = RunEnd("r1", 1, (condition_of(OTHER, is_known=True), condition_of(ROWS)), KNOWN)
    assert decide(end, sent(OTHER)).conditions == (condition_of(ROWS),)


def test_a_message_about_another_model_names_no_held_rows_that_were_reported() -> None:
    reported = after(list_result(held=(2, 0)))
    run = run_of(list_result(held=(2, 0)))
    decision = decide(replace(run, conditions=(*run.conditions, condition_of(OTHER))), reported)
    assert decision.conditions == (condition_of(OTHER),)


def test_a_message_of_a_guard_says_what_was_kept_back() -> None:
    figures = {"snapshot_rows": 26, "removes": 22, "not_sent": 22}
    stopped = Condition(Subject(STOPPED, "vip", "VIP"), (Cause.GUARD,), figures)
    end = RunEnd("r1", 3, (stopped,), KNOWN)
    message = build_message(decide(end, Reported()), end, "shop", "prod")
    line = "VIP (model vip): stopped, nothing of it was sent (cause: guard; rows: 22 removes, 22 not sent)"
    assert message.body.splitlines()[0] == line


def test_kinds_that_nobody_wants_are_neither_reported_nor_named() -> None:
    decision = decide_message(ended(ROWS, RUN), Reported(), [FAILED], KNOWN)
    assert (decision.kind, decision.conditions) == (FAILED, (condition_of(RUN),))
    assert decide_message(ended(), sent(VIP), [FAILED], KNOWN).kind is None


def message_of(result: ListResult, reported: Reported) -> tuple[AlertKind | None, list[str], list[str]]:
    """Return the kind of the message after a run of one list, its causes, and those that have ended."""
    decision = decide(run_of(result), reported)
    return decision.kind, names(decision.conditions), names(decision.ended)


def after(*results: ListResult) -> Reported:
    """Return what is recorded after runs of one list, all messages of which were sent."""
    reported = Reported()
    for result in results:
        reported = decide(run_of(result), reported).if_sent
    return reported


OPT_OUT = list_result({Outcome.OPTED_OUT: 1})
KNOWN_OPT_OUT = list_result(opted_out=[(1, 0)])


@pytest.mark.parametrize(
    ("before", "now", "message"),
    [
        pytest.param([OPT_OUT], KNOWN_OPT_OUT, (None, [], []), id="it stays"),
        pytest.param(
            [OPT_OUT],
            list_result({Outcome.OPTED_OUT: 1}, opted_out=[(1, 0)]),
            (ATTENTION, ["opted_out"], []),
            id="a second person opts out",
        ),
        pytest.param(
            [OPT_OUT, KNOWN_OPT_OUT],
            list_result(opted_out=[(1, 0)], rejected=[(2, 2)], held=(2, 0)),
            (ATTENTION, ["rejected_rows", "held_rows"], []),
            id="other causes join it",
        ),
        pytest.param(
            [list_result(rejected=[(1, 1)])],
            list_result(rejected=[(2, 1)]),
            (ATTENTION, ["rejected_rows"], []),
            id="another row is rejected",
        ),
        pytest.param(
            [list_result(held=(2, 0))], list_result(held=(2, 0)), (None, [], []), id="the same held"
        ),
        pytest.param(
            [list_result(held=(2, 0))],
            list_result(held=(3, 0)),
            (ATTENTION, ["held_rows"], []),
            id="more held",
        ),
        pytest.param(
            [OPT_OUT, list_result(opted_out=[(1, 0)], guard="Too many.")],
            KNOWN_OPT_OUT,
            (RECOVERED, [], ["guard"]),
            id="the guard stops it no longer, and the person stays",
        ),
        pytest.param(
            [OPT_OUT], list_result(guard="Too many."), (STOPPED, ["guard"], []), id="rows are not looked at"
        ),
        pytest.param(
            [list_result(rejected=[(1, 1)], held=(2, 0))],
            list_result(rejected=[(1, 0)]),
            (RECOVERED, [], ["held_rows"]),
            id="one cause ends",
        ),
        pytest.param(
            [],
            list_result(rejected=[(1, 1)], stop_reason="No reply.", failed=True),
            (FAILED, ["list_failed", "rejected_rows"], []),
            id="rows of a list that failed",
        ),
        pytest.param(
            [list_result(stop_reason="No reply.", failed=True)],
            list_result(guard="Too many."),
            (STOPPED, ["guard"], []),
            id="a list that failed is not tried again",
        ),
    ],
)
def test_each_cause_of_a_list_is_reported_for_itself(
    before: list[ListResult], now: ListResult, message: tuple[AlertKind | None, list[str], list[str]]
) -> None:
    assert message_of(now, after(*before)) == message


GUARD = run_of(list_result(guard="Too many."))
GUARD_OF_ALL = end_of_error(GuardRefused(Problem("Too many.", models=("vip",))), KNOWN)
SETTING, BROKEN = (end_of_error(error, ["vip"]) for error in (UsageError.of("x"), ModelError.of("y")))


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (gate(all_models=False), GUARD),
        (gate(all_models=True), GUARD_OF_ALL),
        (GUARD, gate(all_models=False)),
        (GUARD_OF_ALL, gate(all_models=True)),
        (SETTING, BROKEN),
        (BROKEN, SETTING),
    ],
)
def test_another_cause_of_the_same_models_is_reported_each_time(first: RunEnd, second: RunEnd) -> None:
    reported = Reported()
    for end in (first, second, first):
        decision = decide(end, reported)
        assert (decision.kind, decision.conditions) == (end.conditions[0].subject.kind, end.conditions)
        reported = decision.if_sent
        assert decide(end, reported).kind is None
    well = decide(run_of(list_result()), reported)
    assert (well.kind, names(well.ended), well.lasting) == (RECOVERED, names(first.conditions), ())


def test_a_list_that_joins_a_stopped_one_of_its_model_is_reported() -> None:
    vip = list_result(guard="Too many.")
    gold = replace(vip, list_plan=replace(vip.list_plan, list_ref=ListRef("l2", "Gold", "Gold")))
    both = run_of(vip, gold)
    assert decide(both, decide(GUARD, Reported()).if_sent).kind is STOPPED
    assert decide(both, decide(GUARD_OF_ALL, Reported()).if_sent).kind is None


@pytest.mark.parametrize("strict", [False, True])
def test_the_record_of_an_earlier_version_starts_no_flood(tmp_path: Path, strict: bool) -> None:
    """It has no causes: what it has is reported again only if this run counts new rows of it."""
    record = AlertRecord(tmp_path / "alerts.json")
    record.path.write_text(
        '{"version": 1, "sent": [["attention", "vip", "VIP"], ["stopped", "other", ""]], "unsent": []}'
    )
    stays = run_of(
        list_result(opted_out=[(1, 0)], rejected=[(2, 0)], held=(1, 0)),
        replace(list_result(guard="Too many."), model="other"),
        strict=strict,
    )
    decision = decide(stays, record.read())
    assert decision.kind is None
    record.write(decision.if_sent)
    assert record.read() == decision.if_sent
    assert decide(stays, record.read()).kind is None
    assert decide(run_of(list_result(rejected=[(3, 1)])), record.read()).kind is ATTENTION
    well = decide(ended(), record.read())
    assert (well.kind, well.lasting) == (RECOVERED, ())


@pytest.mark.parametrize(
    "content",
    [
        '{"version": 9, "sent": [], "unsent": []}',
        '{"version": 2, "sent": [["attention"], 7, ["no", "a", "b", "c"]], "unsent": [], "held_rows": 3}',
    ],
)
def test_a_record_that_nobody_can_read_has_reported_nothing(tmp_path: Path, content: str) -> None:
    record = AlertRecord(tmp_path / "alerts.json")
    record.path.write_text(content)
    assert record.read() == Reported()


def test_a_message_says_what_has_ended_and_what_lasts() -> None:
    reported = after(list_result(rejected=[(1, 1)], held=(2, 0)))
    end = run_of(list_result(rejected=[(1, 0)]))
    message = build_message(decide(end, reported), end, "shop", "prod")
    assert (
        message.title
        == "reverse-etl: the run of shop/prod has recovered in part: 1 of 2 problems has ended, 1 lasts"
    )
    assert message.body.splitlines()[:2] == [
        "VIP (model vip): has no such rows any more (cause: held_rows)",
        (
            "VIP (model vip): still has rows that were reported "
            "(cause: rejected_rows; rows: 1 rejected by check)"
        ),
    ]
    vip = {"kind": "attention", "model": "vip", "list": "VIP"}
    assert message.document["conditions"] == []
    assert message.document["ended"] == [{**vip, "causes": ["held_rows"]}]
    assert message.document["lasting"] == [{**vip, "causes": ["rejected_rows"]}]
