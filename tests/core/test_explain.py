"""Explain a person: one answer for each outcome and each reason, and never another person's values."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from reverse_etl.domain.deltas import Op
from reverse_etl.domain.rejections import RowProblem
from reverse_etl.errors import KeyRefused
from reverse_etl.klaviyo.api import Klaviyo
from reverse_etl.planning.plan_options import PlanOptions
from reverse_etl.report.explanation import describe_open_change
from reverse_etl.sandbox import Fault, FaultKind
from tests.core.files import opened
from tests.core.rows import become, many, members_model, person
from tests.paths import IMPORTS

if TYPE_CHECKING:
    from collections.abc import Callable

    from reverse_etl.report.explanation import Explanation, ListExplanation
    from tests.core.world import PrepareWorld, World

ANN, BOB = "ann@example.com", "bob@example.com"


def explain(world: World, text: str, **options: Any) -> Explanation:
    """Return the explanation of a person."""
    return world.project().explain(text, **options)


def only(explanation: Explanation) -> ListExplanation:
    """Return the only list of an explanation."""
    (listed,) = explanation.lists
    return listed


def send_two(world: World) -> None:
    members_model(world)
    become(world, [person("ann"), person("bob")])
    world.run()
    world.calm()


@pytest.fixture
def members(prepare_world: PrepareWorld) -> World:
    """Let the model of the list 'Members' have sent Ann and Bob."""
    return prepare_world(send_two)


def change(world: World, *rows: dict[str, Any]) -> None:
    """Let the table be these rows."""
    become(world, list(rows))


ExplainCase = tuple[tuple[dict[str, Any], ...], str, str | None, str]
CASES: dict[str, ExplainCase] = {
    "unchanged": ((person("ann"), person("bob")), "", None, "nothing: the row is unchanged"),
    "changed": (
        (person("ann", first_name="Anna"), person("bob")),
        Op.UPDATE,
        None,
        "sends the row again: first_name Ann → Anna",
    ),
    "left the model": (
        (person("bob"),),
        Op.REMOVE,
        None,
        "looks the person up and takes back what was sent: the row left the model",
    ),
    "malformed e-mail": (
        (person("ann", email="ann"), person("bob")),
        Op.HELD,
        None,
        (
            "nothing: the row left the model, but a rejected row may be the same person: "
            "a** (external_id c-ann), which has the same external_id; to see it: reverse-etl explain c-ann"
        ),
    ),
    "conflicting rows": (
        (person("ann"), person("ann", first_name="Anna"), person("bob")),
        "",
        "conflicting rows for one person or key: they differ in first_name",
        "nothing: the row is rejected",
    ),
    "infinite limit": (
        (person("ann"), person("bob"), person("eve")),
        "",
        None,
        "nothing: the row is unchanged",
    ),
}


@pytest.mark.parametrize(("rows", "planned", "rejection", "next_run"), CASES.values(), ids=CASES)
def test_a_member_is_explained(
    members: World, rows: tuple[dict[str, Any], ...], planned: str, rejection: str | None, next_run: str
) -> None:
    change(members, *rows)
    listed = only(explain(members, " ANN@example.com"))
    assert (listed.model, listed.list_name, listed.list_id) == ("members", "Members", members.list_id())
    assert listed.planned_op == planned
    assert {row.rejection.describe() if row.rejection else None for row in listed.rows} <= {rejection}
    assert listed.describe_next_run() == next_run
    (sent,) = listed.sent
    assert sent.identity == f"email:{ANN}"
    assert sent.first_sent_at is not None
    assert [(sent.first_run_id, sent.first_job_id)] == members.state("select run_id, job_id from receipts")
    assert BOB not in str(listed)


@pytest.mark.parametrize(
    ("statement", "has_run"),
    [
        ("insert into receipts by name select * replace ('j2' as job_id) from receipts", True),
        ("update receipts set state = 'unknown'", True),
        ("delete from run_lists", True),
        ("""update run_lists set counts = '{"applied": 1, "not_sent": 1}'""", True),
        ("update runs set klaviyo_time = '2001-01-01T00:00:00.000Z'", False),
    ],
)
def test_a_job_is_named_only_if_it_must_have_sent_the_row(
    members: World, statement: str, has_run: bool
) -> None:
    """The run may have had another job, one that is not proved, or rows that a later run sent.

    A time of no run names nothing.
    """
    with opened(members.folder / "shop.reverse_etl.duckdb") as connection:
        connection.execute(statement)
    (sent,) = only(explain(members, ANN)).sent
    assert (bool(sent.first_run_id), sent.first_job_id) == (has_run, "")


def test_a_new_person_is_explained_by_the_model(members: World) -> None:
    """Nothing was sent; the next run sends the row."""
    change(members, person("ann"), person("bob"), person("eve"))
    listed = only(explain(members, "eve@example.com"))
    assert (listed.planned_op, listed.sent) == (Op.ADD, ())
    assert dict(listed.rows[0].values) == {"first_name": "Eve"}


def test_a_value_that_is_cleared_is_a_change(world: World) -> None:
    """Where NULLs clear, a value that became NULL is what the next run changes."""
    members_model(world, on_null={"first_name": "clear"})
    change(world, person("ann"), person("bob"))
    world.run()
    world.calm()
    change(world, person("ann", first_name=None), person("bob"))
    listed = only(explain(world, ANN))
    assert listed.describe_next_run() == "sends the row again: first_name Ann → NULL"
    world.run()
    world.calm()
    cleared = only(explain(world, ANN))
    assert cleared.describe_next_run() == "nothing: the row is unchanged"
    assert cleared.sent[0].values == {"first_name": None}


def test_a_person_is_found_by_each_identifier(members: World) -> None:
    """The text can be an e-mail, an external id; a text that nobody has finds nobody."""
    assert only(explain(members, "c-ann")).sent[0].identity == f"email:{ANN}"
    nobody = explain(members, "c-nobody")
    assert (nobody.is_known, nobody.lists, nobody.other_models) == (False, (), ("members",))


def test_a_rejected_row_is_found_by_the_value_that_is_wrong(members: World) -> None:
    """Nothing says of the text that it is an e-mail or a phone."""
    change(
        members, person("ann"), person("bob"), person("eve", email=" Eve.Example.Com", customer_id="c-eve")
    )
    (row,) = only(explain(members, "eve.example.com")).rows
    assert row.rejection is not None
    assert (row.rejection.code, row.identifiers["external_id"]) == (RowProblem.EMAIL_MALFORMED, "c-eve")


def test_a_person_who_left_the_list_is_shown_how_to_come_back(members: World) -> None:
    """Klaviyo has to be asked; the row itself is unchanged."""
    members.take_off_list(ANN)
    assert not only(explain(members, ANN)).is_missing
    assert only(explain(members, ANN, ask_klaviyo=True)).is_missing
    assert not only(explain(members, BOB, ask_klaviyo=True)).is_missing


def test_the_reason_of_a_shared_identifier_has_no_values_of_the_other_person(world: World) -> None:
    """The reason names the conflict, not the other person."""
    world.model(
        "members",
        "select email, customer_id, first_name from people",
        identifiers={"email": "email", "external_id": "customer_id"},
        on_shared_identifier="reject",
    )
    become(world, [person("ann", customer_id="c-1"), person("bob", customer_id="c-1")])
    listed = only(explain(world, ANN))
    assert [row.rejection and row.rejection.code for row in listed.rows] == [RowProblem.SHARED_IDENTIFIER]
    assert BOB not in str(listed)


def test_a_row_that_klaviyo_refused_says_why(make_world: Callable[..., World]) -> None:
    world = make_world()
    members_model(world)
    become(world, [person("ann"), person("bob")])
    world.fault(
        Fault(
            FaultKind.REFUSE_ROWS,
            path=IMPORTS,
            field="email",
            pattern="ann@",
            code="invalid",
            detail="No such.",
        )
    )
    world.run()
    world.calm()
    listed = only(explain(world, ANN))
    assert listed.rows[0].rejection is not None
    assert listed.rows[0].rejection.describe() == "error from Klaviyo: invalid (email): No such."
    retry = "to send it again: reverse-etl retry --select members"
    assert listed.describe_next_run() == f"nothing: the row is rejected; {retry}"


def test_a_change_that_is_not_proved_names_its_job(members: World) -> None:
    """An import whose job has not ended is open: the row may or may not be applied."""
    members.profile(job_timeout_minutes=1)
    members.fault(Fault(FaultKind.STALL, path=IMPORTS))
    change(members, person("ann", first_name="Anna"), person("bob"))
    members.run()
    (change_of_ann,) = only(explain(members, ANN)).open_changes
    assert (change_of_ann.op, change_of_ann.state) == ("update", "accepted")
    assert change_of_ann.job_id


def test_a_row_that_reconcile_marks_is_no_change_of_a_run(members: World) -> None:
    """Nothing was sent for it, so no reply is missing."""
    members.take_off_list(ANN)
    members.project().reconcile(resend=True)
    (marked,) = only(explain(members, ANN)).open_changes
    assert marked.run_id == ""
    assert describe_open_change(marked) == "no run has it in hand: it is marked to be compared and sent again"


def test_a_new_row_of_a_stopped_list_is_not_called_unchanged(world: World) -> None:
    """The plan of a stopped list keeps no rows to send, if other lists go out."""
    members_model(world)
    world.model("others", "select email from people", surface="profiles")
    become(world, many(30))
    world.run()
    become(world, [*many(5), person("eve")])
    listed, other = explain(world, "eve@example.com").lists
    assert listed.describe_next_run().startswith("nothing: a guard stops the list.")
    assert other.describe_next_run().startswith("sends the row")


def test_a_removal_that_found_nobody_has_its_time(members: World) -> None:
    members.rename(ANN, email="moved@example.com", external_id="moved")
    change(members, person("bob"))
    members.run()
    assert only(explain(members, ANN)).removal_not_found_at is not None


def test_a_stopped_list_keeps_the_row(members: World) -> None:
    """A guard that would stop the list is the first thing to say."""
    change(members)
    listed = only(explain(members, ANN))
    assert listed.describe_next_run().startswith("nothing: a guard stops the list.")


def test_a_limit_and_a_selection_narrow_the_answer(members: World) -> None:
    """Only the models and lists that are asked for are explained, lists by name or id."""
    members.model("other", "select email from people", surface="profiles")
    members.run()
    assert [listed.model for listed in explain(members, ANN).lists] == ["members", "other"]
    assert [listed.model for listed in explain(members, ANN, select=["other"]).lists] == ["other"]
    assert [listed.model for listed in explain(members, ANN, lists=["Members"]).lists] == ["members"]
    assert [listed.model for listed in explain(members, ANN, lists=[members.list_id()]).lists] == ["members"]


def test_the_rows_of_a_deleted_model_are_shown_with_its_list(members: World) -> None:
    """Its list can be chosen too, also for a person who has no row on it."""
    members.model("other", "select email from people where false", surface="profiles")
    members.drop_model("members")
    for lists in ([], ["Members"], [members.list_id()]):
        listed = only(explain(members, ANN, lists=lists))
        assert (listed.model, listed.list_name, listed.is_model_deleted) == ("members", "Members", True)
        assert [row.identity for row in listed.sent] == [f"email:{ANN}"]
        assert listed.describe_next_run().startswith("nothing: the model is deleted")
    assert explain(members, "nobody@example.com", lists=["Members"]).lists == ()
    assert explain(members, ANN, select=["other"]).lists == ()


def test_klaviyo_is_asked_only_on_request(members: World) -> None:
    """It then shows whether the profile is on the list; nothing is written."""
    assert only(explain(members, ANN)).memberships is None
    writes = len(members.writes())
    (membership,) = only(explain(members, ANN, ask_klaviyo=True)).memberships or ()
    assert membership.profile_id == members.person(ANN)["id"]
    assert membership.joined_at is not None
    assert len(members.writes()) == writes
    members.sandbox.opt_out(ANN)
    (consent,) = explain(members, ANN, ask_klaviyo=True).consents
    assert (consent.profile_id, consent.channel) == (membership.profile_id, "email")
    assert consent.describe().startswith("unsubscribed since ")


def test_a_consent_that_cannot_be_read_leaves_the_rest_of_the_answer(
    members: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Such as with a key that may not read it."""

    def refuse(*_: Any) -> None:
        raise KeyRefused.of("The key lacks a scope.")

    monkeypatch.setattr(Klaviyo, "read_consents", refuse)
    explanation = explain(members, ANN, ask_klaviyo=True)
    assert only(explanation).memberships
    assert (explanation.consents, explanation.consent_fault) == ((), "The key lacks a scope.")


def test_an_omitted_identifier_is_named(world: World) -> None:
    """Two people share a phone: it is left out of both rows."""
    world.model(
        "members",
        "select email, customer_id from people",
        identifiers={"email": "email", "external_id": "customer_id"},
    )
    become(world, [person("ann", customer_id="c-1"), person("bob", customer_id="c-1")])
    (row,) = only(explain(world, ANN)).rows
    assert row.omitted == ("external_id",)
    assert row.omitted_because[0].startswith("sent without external_id: several rows of the model have it. ")
    both = only(explain(world, "c-1"))
    assert len(both.rows) == 2


def test_explaining_changes_nothing(members: World) -> None:
    """It makes a plan: no writes at Klaviyo, and the same plan afterwards."""
    before = members.plan(options=PlanOptions(with_digest=True)).models[0].digest
    writes = len(members.writes())
    explain(members, ANN, ask_klaviyo=True)
    assert len(members.writes()) == writes
    assert members.plan(options=PlanOptions(with_digest=True)).models[0].digest == before
