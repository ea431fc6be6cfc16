"""The journal of rows on every warehouse: what came of each row, once, and without people's data."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from reverse_etl.cli.commands.run import print_follow_up
from reverse_etl.cli.output.explanation import explanation_lines
from reverse_etl.cli.output.plan import list_detail_lines
from reverse_etl.delivery.outcomes import Outcome
from reverse_etl.domain.progress import ListDone
from reverse_etl.errors import ModelError
from reverse_etl.planning.plan_options import PlanOptions
from reverse_etl.report import explain
from reverse_etl.sandbox import Fault, FaultKind
from reverse_etl.state.journal import Journal
from tests.core.consent import ANN, BOB, consents, new_list
from tests.core.costs import counting
from tests.core.deletions import email, erase, open_shop, run
from tests.core.rows import BY_EMAIL, SELECT, become, clubs_model, members_model, people, person
from tests.core.world import only_list
from tests.warehouse.snowflake_accounts import LIVE, STAND_IN_IS_LONG, WAREHOUSES, stand_in_is_long

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.core.world import World

ROWS = "select identity, op, outcome, code, changes from journal order by recorded_at, model, seq"
VALUES = {"keep": "90d", "pii": "values"}


@pytest.fixture(params=WAREHOUSES)
def shop(request: pytest.FixtureRequest, make_world: Callable[..., World]) -> World:
    """Make a world on each warehouse, with a model of the list 'Members'."""
    world = make_world(warehouse=request.param)
    members_model(world)
    return world


def changes(shop: World) -> list[tuple[Any, ...]]:
    """Return (identity, op, outcome, changes) of the journal's rows, oldest first."""
    return [(identity, op, outcome, json.loads(text)) for identity, op, outcome, _, text in shop.state(ROWS)]


def test_the_journal_has_what_came_of_each_row(shop: World) -> None:
    """Values before and after of an update; an added or removed row has no columns that changed."""
    shop.profile(journal=VALUES)
    become(shop, people("ann", "bob"))
    shop.run()
    shop.wait()
    odd = 'An "odd"\\ näme\nof two lines'
    become(shop, [person("ann", first_name=odd)])
    shop.run()
    assert changes(shop) == [
        ("email:ann@example.com", "add", "applied", []),
        ("email:bob@example.com", "add", "applied", []),
        (
            "email:ann@example.com",
            "update",
            "applied",
            [{"column": "first_name", "before": "Ann", "after": odd}],
        ),
        ("email:bob@example.com", "remove", "removed", []),
    ]


KNOWN = (1, "1 add was on this list before, and removed by a run: ")
UNKNOWN = (None, "removed 1 row from this list. If the adds are these people, ")


@pytest.mark.parametrize(
    ("shop", "journal", "known"),
    [
        ("duckdb", "90d", KNOWN),
        ("duckdb", VALUES, KNOWN),
        ("duckdb", None, UNKNOWN),
        ("stand_in", "90d", KNOWN),
        pytest.param("stand_in", VALUES, KNOWN, marks=pytest.mark.long),
        pytest.param("stand_in", None, UNKNOWN, marks=pytest.mark.long),
        pytest.param("account", "90d", KNOWN, marks=LIVE.marks),
    ],
    indirect=["shop"],
)
def test_a_plan_says_who_is_added_again(
    shop: World, capsys: pytest.CaptureFixture[str], journal: Any, known: tuple[int | None, str]
) -> None:
    """Flows may start again for them, as `run` says too.

    Nobody is added again in a first load or on a night like the others.
    """
    if journal:
        shop.profile(journal=journal)
    become(shop, people("ann", "bob"))
    assert "again" not in _plan_text(shop)[1]
    shop.run()
    become(shop, people("ann"))
    shop.run()
    become(shop, people("ann", first_name="Eve"))
    shop.run()
    become(shop, people("ann", "bob", "cleo"))
    added_again, text = _plan_text(shop)
    assert added_again == known[0]
    flows = "a flow triggered by this list starts again for them if its settings allow re-entry"
    assert f"{known[1]}{flows}" in text
    marked = [line.split() for line in text.splitlines() if line.endswith("on this list before")]
    assert [line[1] for line in marked] == ["b**@e******.com"] * (journal is not None)
    print_follow_up(shop.run())
    said = capsys.readouterr().err
    assert said.startswith("Note: Members, by members: ")
    assert f"{known[1]}{flows}" in said
    become(shop, people("ann", "bob", "cleo", "dan"))
    added_again, text = _plan_text(shop)
    assert not added_again
    assert "re-entry" not in text


def _plan_text(shop: World) -> tuple[int | None, str]:
    """Return the adds that were on the list before, and what `plan` prints of the list."""
    ((model_plan, list_plan),) = shop.plan(options=PlanOptions(forecast_people=0)).list_plans()
    return list_plan.added_again, "\n".join(list_detail_lines(model_plan, list_plan, show_values=False))


@stand_in_is_long
def test_an_unset_key_writes_nothing_and_costs_nothing(shop: World) -> None:
    become(shop, people("ann"))
    shop.run()
    assert shop.state("select * from journal") == shop.state("select * from row_outcomes") == []


def test_people_are_hashed_by_default(shop: World) -> None:
    """The hash is the one that docs/journal.md shows, so that a warehouse can join it."""
    shop.profile(journal="90d")
    become(shop, people("ann"))
    shop.run()
    become(shop, people("ann", first_name="Eve", customer_id="c-new"))
    shop.run()
    ((account,),) = shop.state("select distinct account_id from journal")
    key = hashlib.sha256(account.encode()).hexdigest()

    def digest(text: str) -> str:
        return hashlib.sha256(f"{key}:{text}".encode()).hexdigest()

    identity = digest("email:ann@example.com")
    assert shop.state("select distinct identity, email, phone_e164, pii from journal") == [
        (identity, identity, None, "hashed")
    ]
    assert changes(shop)[-1][-1] == [
        {"column": "external_id", "before": digest("c-ann"), "after": digest("c-new")},
        {"column": "first_name", "before": digest("Ann"), "after": digest("Eve")},
    ]


@stand_in_is_long
def test_a_journal_without_personal_data_names_the_changed_columns(shop: World) -> None:
    shop.profile(journal={"keep": "1h", "pii": "none"})
    become(shop, people("ann"))
    shop.run()
    become(shop, people("ann", first_name="Eve"))
    shop.run()
    assert changes(shop)[-1][1:] == ("update", "applied", [{"column": "first_name"}])
    assert "ann" not in str(shop.state("select * from journal")).lower()


def test_rows_that_were_refused_or_not_found_have_these_outcomes(shop: World) -> None:
    """A removal of somebody who is not on the list, or who has another row now, removed nobody."""
    shop.profile(journal=VALUES)
    become(shop, people("ann", "bob", "cid"))
    shop.run()
    shop.take_off_list("bob@example.com")
    shop.wait()
    become(shop, [person("dan"), person("eve"), person("cid2", customer_id="c-cid")])
    shop.fault(Fault(FaultKind.REFUSE_ROWS, pattern="dan"))
    shop.run()
    outcomes = {(identity.split("@")[0], op): outcome for identity, op, outcome, _ in changes(shop)[3:]}
    assert outcomes == {
        ("email:cid2", "add"): "applied",
        ("email:dan", "add"): "rejected_by_klaviyo",
        ("email:eve", "add"): "applied",
        ("email:ann", "remove"): "removed",
        ("email:bob", "remove"): "not_found",
        ("email:cid", "remove"): "replaced",
    }
    ((code,),) = shop.state("select code from journal where outcome = 'rejected_by_klaviyo'")
    assert code


def test_a_row_in_two_ranges_of_outcomes_is_written_once(
    make_world: Callable[..., World], monkeypatch: pytest.MonkeyPatch
) -> None:
    """As after an interruption, when a group of receipts is stored again in other ranges."""
    shop = make_world(warehouse="duckdb")
    members_model(shop)
    shop.profile(journal="90d")
    become(shop, people("ann", "bob"))
    shop.run()
    store = Journal.store_outcomes

    def store_twice(journal: Journal, run_id: str, model: str, outcomes: Any) -> None:
        for first, last, outcome in outcomes:
            store(journal, run_id, model, [(first, last, outcome), (first, last + 1, outcome)])

    monkeypatch.setattr(Journal, "store_outcomes", store_twice)
    shop.take_off_list("bob@example.com")
    shop.wait()
    become(shop, people("ann"))
    shop.run()
    assert [(op, outcome) for _, op, outcome, _ in changes(shop)[2:]] == [("remove", "not_found")]
    assert shop.state("select count(*) from row_outcomes") == [(2,)]


@stand_in_is_long
def test_outcomes_of_runs_that_have_ended_are_deleted(shop: World) -> None:
    """The journal has them; the next run that stores some deletes them."""
    shop.profile(journal="90d")
    become(shop, people("ann", "bob", "cid"))
    shop.run()
    runs = []
    for name, rest in (("bob", ["ann", "cid"]), ("cid", ["ann"])):
        shop.take_off_list(f"{name}@example.com")
        shop.wait()
        become(shop, people(*rest))
        runs.append(shop.run().run_id)
        assert shop.state("select run_id from row_outcomes") == [(runs[-1],)]


@stand_in_is_long
def test_a_killed_run_is_journaled_once_when_it_settles(shop: World) -> None:
    """The next run collects the results of its imports: the rows are those of the killed run."""
    shop.profile(journal="90d")
    become(shop, people("ann", "bob"))
    assert shop.dies(lambda event: isinstance(event, ListDone))
    assert shop.state("select * from journal") == []
    shop.wait(600.0)
    shop.run()
    shop.run()
    ((first_run,),) = shop.state("select min(run_id) from runs")
    rows = shop.state("select run_id, seq, op, outcome from journal order by seq")
    assert rows == [(first_run, 1, "add", "applied"), (first_run, 2, "add", "applied")]


@stand_in_is_long
def test_old_rows_are_deleted_and_others_stay(shop: World) -> None:
    shop.profile(journal="2d")
    become(shop, people("ann"))
    shop.run()
    shop.wait(3 * 86_400.0)
    become(shop, people("ann", "bob"))
    last = shop.run()
    assert [run_id for (run_id,) in shop.state("select run_id from journal")] == [last.run_id]


@pytest.mark.parametrize(
    ("warehouse", "pii"),
    [
        *((warehouse, "values") for warehouse in ("duckdb", "stand_in")),
        ("duckdb", "none"),
        pytest.param("stand_in", "none", marks=pytest.mark.long),
        *(pytest.param("account", pii, marks=LIVE.marks) for pii in ("values", "none")),
    ],
)
def test_a_deleted_person_leaves_the_journal(
    make_world: Callable[..., World], warehouse: str, pii: str
) -> None:
    """Also her rows of models that she left long ago, and those of other identifiers of hers."""
    shop = make_world(warehouse=warehouse)
    shop.profile(journal={"keep": "90d", "pii": pii})
    open_shop(shop)
    before = shop.state("select count(*) from journal where model = 'members'")
    erase(shop, [email(1)])
    run(shop)
    after = shop.state("select count(*) from journal where model = 'members'")
    assert after[0][0] == before[0][0] - 1
    assert shop.state("select * from journal where model = 'erase'") == []


def test_a_forgotten_model_leaves_the_journal(make_world: Callable[..., World]) -> None:
    shop = make_world(warehouse="duckdb")
    members_model(shop)
    shop.profile(journal="90d")
    become(shop, people("ann"))
    shop.run()
    shop.drop_model("members")
    shop.model("other", "select x as email from nothing where false", surface="profiles", min_rows=0)
    shop.project().state_changes.forget("members")
    assert shop.state("select * from journal") == []


@pytest.mark.parametrize("warehouse", STAND_IN_IS_LONG)
def test_a_pending_consent_has_a_second_row_once_it_is_settled(
    make_world: Callable[..., World], warehouse: str
) -> None:
    """It is of the run that asked, with the row's number and a minus; a further run adds nothing."""
    world = make_world(warehouse=warehouse)
    new_list(world, "double_opt_in")
    people: list[tuple[str, None]] = []
    for pii, number in (("values", 1), ("hashed", 2)):
        ann, bob = (f"{number}{email}" for email in (ANN, BOB))
        world.profile(journal={"keep": "90d", "pii": pii})
        world.new_profile(email=bob)
        people += [(ann, None), (bob, None)]
        consents(world, *people, consent="now", list="Members")
        first = world.run()
        world.sandbox.confirm_opt_in(ann)
        world.sandbox.opt_out(bob)
        for _ in range(2):
            world.run()
        rows = world.state(f"select seq, outcome from journal where run_id = '{first.run_id}' order by seq")
        assert [outcome for _, outcome in rows] == ["opted_out", "applied", "pending", "pending"]
        assert [seq for seq, _ in rows] == [-2, -1, 1, 2]
        assert world.state("select count(distinct email) from journal") == [(2 * number,)]


def test_a_list_that_klaviyo_deleted_stays_in_the_journal(make_world: Callable[..., World]) -> None:
    """The run forgets the list's rows by itself; what it did to them is still so."""
    shop = make_world(warehouse="duckdb")
    shop.profile(journal="90d")
    clubs_model(shop)
    become(shop, [person("ann", club="Tea"), person("bob", club="Coffee")])
    shop.run()
    shop.by_hand("DELETE", f"/api/lists/{shop.list_id('Tea')}")
    become(shop, [person("bob", club="Coffee")])
    assert shop.run().plan.orphans
    assert shop.state("select name from lists") == [("Coffee",)]
    assert shop.state("select count(distinct list_id) from journal") == [(2,)]


def test_a_model_reads_the_journal_and_nothing_else(shop: World) -> None:
    """People who were just added get a property; the state's own name is in no SQL."""
    shop.profile(journal=VALUES)
    become(shop, people("ann", "bob"))
    shop.model(
        "marked",
        "select j.email, j.outcome as last_outcome from {{ source('reverse_etl', 'journal') }} as j "
        "where j.model = 'members' and j.op = 'add'",
        surface="profiles",
        min_rows=0,
    )
    shop.run()
    assert only_list(shop.run(), "marked").outcomes == {Outcome.APPLIED: 2}
    assert shop.person("ann@example.com")["properties"]["last_outcome"] == "applied"


def test_a_model_cannot_read_a_journal_that_is_not_kept(world: World) -> None:
    become(world, people("ann"))
    world.model("marked", "select email from {{ source('reverse_etl', 'journal') }}", surface="profiles")
    with pytest.raises(ModelError, match="keeps no journal") as refused:
        world.plan()
    assert "journal: 90d" in refused.value.problems[0].hint


@stand_in_is_long
def test_a_renamed_model_keeps_its_journal_also_beside_rows_of_the_new_one(shop: World) -> None:
    shop.profile(journal="90d")
    shop.model("other", SELECT, identifiers=BY_EMAIL, list="Other")
    become(shop, people("ann", "bob"))
    shop.run()
    shop.drop_model("members")
    shop.project().state_changes.rename("members", "other")
    assert shop.state("select model, list_id <> '', op from journal") == [("other", True, "add")] * 4
    assert shop.state("select seq from journal order by seq") == [(1,), (2,), (3,), (4,)]


def test_explain_shows_the_persons_rows(shop: World) -> None:
    """By hashes too; a person who left every model is still known to it."""
    shop.profile(journal="90d")
    become(shop, people("ann", "bob"))
    shop.run()
    become(shop, people("bob"))
    shop.run()
    explanation = shop.project().explain("ann@example.com")
    assert explanation.journal is not None
    assert [(row.op, row.outcome, row.list_name) for row in explanation.journal] == [
        ("remove", "removed", "Members"),
        ("add", "applied", "Members"),
    ]
    removed, added = explanation.journal
    assert removed.job_id is None
    assert [(added.job_id,)] == shop.state("select job_id from receipts where op = 'add'")
    lines = [*explanation_lines(explanation)]
    assert lines[-1].endswith(f", job {added.job_id})")
    assert lines[0].endswith(f"no applied row is on record. Removed from Members by run {removed.run_id}.")
    assert "Members  remove: removed (run " in lines[-2]
    refused = replace(added, outcome="opted_out", code="opted_out")
    lines = [*explanation_lines(replace(explanation, journal=(refused,)))]
    assert "Members  add: opted out (run " in lines[-1]


def _outcomes(shop: World, text: str) -> tuple[list[tuple[str, str, str]], str]:
    """Return (op, outcome, row in its place) of a person's rows, oldest first, and what `explain` prints."""
    explanation = shop.project().explain(text)
    rows = [(row.op, row.outcome, row.replaced_by) for row in reversed(explanation.journal or ())]
    return sorted(rows), "\n".join(explanation_lines(explanation))


@stand_in_is_long
@pytest.mark.parametrize("journal", ["90d", VALUES])
def test_explain_follows_a_person_and_nobody_else_who_had_the_address(shop: World, journal: Any) -> None:
    """By the external id, from either address; the next owner of the old one does not see the story."""
    shop.profile(journal=journal)
    become(shop, [person("ann", customer_id="60")])
    shop.run()
    become(shop, [person("ann.new", customer_id="60")])
    shop.run()
    new = "email:ann.new@example.com"
    story = [("add", "applied", ""), ("add", "applied", ""), ("remove", "replaced", new)]
    for text in ("ann.new@example.com", "ann@example.com", "60"):
        rows, printed = _outcomes(shop, text)
        assert rows == story
        assert f"remove: replaced by {new} (run " in printed
    assert f"replaced the row by {new}." in _outcomes(shop, "ann@example.com")[1]
    become(shop, [person("ann.new", customer_id="60"), person("ann", customer_id="61")])
    shop.run()
    assert _outcomes(shop, "ann@example.com")[0] == [("add", "applied", "")]
    assert _outcomes(shop, "60")[0] == story
    become(shop, [person("ann.new", customer_id="60"), person("ann.new", customer_id="62")])
    assert len(_outcomes(shop, "ann.new@example.com")[0]) == 1  # two people share it: only rows with the text


def test_explain_of_one_list_has_its_newest_rows_however_many_others_have(
    make_world: Callable[..., World], monkeypatch: pytest.MonkeyPatch
) -> None:
    world = make_world(warehouse="duckdb")
    world.profile(journal="90d")
    clubs_model(world)
    for row in (
        person("ann", club="Tea"),
        person("ann", club="Coffee"),
        person("ann", club="Coffee", first_name="A"),
    ):
        become(world, [row])
        world.run()
    monkeypatch.setattr(explain, "MAX_JOURNAL_ROWS", 1)
    for lists, names in (((), ["Coffee"]), (["Tea"], ["Tea"])):
        journal = world.project().explain("ann@example.com", lists=lists).journal
        assert [row.list_name for row in journal or ()] == names


def test_the_journal_costs_one_statement_for_a_run(make_world: Callable[..., World]) -> None:
    """It prunes. For each model one writes, and the one that looks for NULLs in what is sent is not run."""
    world = make_world(warehouse="duckdb")
    members_model(world)
    world.model("second", "select email, first_name from people", surface="profiles")
    costs = []
    for journal in (None, "90d"):
        world.profile(journal=journal)
        become(world, people("ann", "bob"))
        world.run()
        become(world, people("ann", "bob", first_name=f"with {journal}"))
        with counting() as cost:
            world.run()
        costs.append(cost.statements)
    assert costs[1] - costs[0] == len(("pruning",))
