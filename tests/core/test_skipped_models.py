"""Models that are skipped, because nothing that they read has changed; and every reason to read one."""

from __future__ import annotations

import json
import shutil
from contextlib import suppress
from typing import TYPE_CHECKING, Any, ClassVar

import pytest

from reverse_etl.cli.output.json import plan_document
from reverse_etl.cli.output.plan import list_detail_lines
from reverse_etl.errors import KlaviyoError
from reverse_etl.models.config import FULL_EVERY
from reverse_etl.planning import model_sources, skipping
from reverse_etl.planning.plan_options import PlanOptions
from reverse_etl.report.document import report_document
from reverse_etl.report.wording import describe_change
from reverse_etl.state.snapshot_matches import SnapshotMatches
from tests.core.costs import count
from tests.core.random_days import live_few_days, live_many_days
from tests.core.rows import BY_EMAIL, SELECT, become, clubs_model, members_model, people, person
from tests.core.test_convergence import ShopMachine
from tests.core.world import Interrupted

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from reverse_etl.planning.plan import Plan
    from tests.core.world import World

ANN = people("ann", "bo")


@pytest.fixture
def shop(world: World) -> World:
    """Make a project whose only model was compared, and whose rows are all as they were sent."""
    world.profile(skip_unchanged=True)
    members_model(world, min_rows=0, max_removes=1.0)
    become(world, ANN)
    world.run()
    world.run()
    assert skipped(world) == ["members"]
    return world


def skipped(world: World, **options: Any) -> list[str]:
    """Return the models that a plan skips."""
    plan = world.plan(options=PlanOptions(**options))
    return [model_plan.model.name for model_plan in plan.models if model_plan.is_skipped]


def reason(world: World, model: str = "members", **options: Any) -> str:
    """Return why a model is read, '' if it is skipped unless its lists have changed."""
    project = world.project()
    made = project._build_request((), (), PlanOptions(**options))
    output = made.target.output
    request = skipping.SkipRequest(made.selected, made.project_models, made.options, output)
    with project.connections.planning() as (warehouse, state, _):
        return skipping.plan_skipping(warehouse, state, request).reasons.get(model, "")


def figures(plan: Plan) -> Mapping[tuple[str, str], Mapping[str, int]]:
    """Return the figures of a plan by model and list."""
    return {
        (model_plan.model.name, list_plan.list_ref.id): list_plan.figures()
        for model_plan, list_plan in plan.list_plans()
    }


def test_a_skipped_model_is_not_read_and_has_the_same_figures(shop: World) -> None:
    plan, cost = shop.plan(), count(shop.run)
    (note,) = plan.notes
    assert note.startswith("members was skipped: nothing it reads has changed since run ")
    (document,) = plan_document(plan, show_values=False)["models"]
    assert f" {document['skipped']['run_id']} at {document['skipped']['compared_at'][:10]}" in note
    assert cost.rows_read() < 0.1  # of the rows of ROWS people: some of the state's own tables
    assert cost.rows_written() < 0.01
    shop.profile(skip_unchanged=False)
    read = shop.plan()
    assert figures(plan) == figures(read)
    assert (read.notes, read.models[0].read_reason) == ((), "")
    assert not read.models[0].is_skipped
    assert "skipped" not in plan_document(read, show_values=False)["models"][0]


def test_history_status_and_reports_say_that_a_model_was_skipped_and_why(shop: World) -> None:
    compared = shop.project().history()[0].run.run_id
    shop.run()
    project = shop.project()
    (newest,), (before,) = (run.lists for run in project.history()[:2])
    assert (describe_change(newest), describe_change(before)) == ("skipped", "unchanged")
    (document,) = report_document(project.report())["lists"]
    assert document["skipped"]["run_id"] == compared
    assert document["unchanged"] == 2
    last_run = project.status().lists[0].last_run
    assert last_run is not None
    assert last_run.skipped == newest.skipped
    (result,) = json.loads((project.artifacts_folder / "run_results.json").read_text(encoding="utf-8"))[
        "results"
    ]
    assert result["message"].startswith("skipped: nothing it reads has changed since run ")


def test_a_saved_plan_of_a_skipped_model_is_that_of_a_model_that_is_read(shop: World) -> None:
    options = PlanOptions(with_digest=True)
    (skipped_plan,) = shop.plan(options=options).models
    shop.profile(skip_unchanged=False)
    (read_plan,) = shop.plan(options=options).models
    assert skipped_plan.is_skipped
    assert not read_plan.is_skipped
    assert skipped_plan.digest == read_plan.digest


def test_a_model_is_skipped_until_something_changes_and_after_a_run_that_finds_all_sent(shop: World) -> None:
    for _ in range(2):
        assert shop.run().lists[0].list_plan.unchanged == 2
        assert skipped(shop) == ["members"]
    become(shop, [*ANN, person("cy")])
    (document,) = plan_document(shop.plan(), show_values=False)["models"]
    assert document["read_reason"].endswith("may have changed")
    (model_plan,) = shop.plan().models
    assert any(
        line.startswith("  not skipped: ")
        for line in list_detail_lines(model_plan, model_plan.lists[0], show_values=False)
    )
    assert shop.run().lists[0].list_plan.adds == 1
    assert skipped(shop) == []
    shop.run()
    assert skipped(shop) == ["members"]
    assert shop.emails() == ["ann@example.com", "bo@example.com", "cy@example.com"]


def change_sql(world: World, select: str, **config: Any) -> None:
    """Let the model be another, and be compared."""
    world.model("members", select, identifiers=BY_EMAIL, min_rows=0, max_removes=1.0, **config)
    world.run()
    world.run()


def test_each_change_of_what_a_model_reads_makes_it_read(shop: World) -> None:
    shop.sql("CREATE TABLE other AS SELECT 1 AS x")
    shop.run()
    shop.run()
    replaced = (
        "CREATE TABLE others AS FROM people",
        "DROP TABLE people",
        "ALTER TABLE others RENAME TO people",
    )
    for statements in (
        ("UPDATE people SET first_name = 'Anna' WHERE email = 'ann@example.com'",),
        ("INSERT INTO other VALUES (2)",),  # DuckDB does not tell which table of a file has changed
        replaced,
    ):
        assert reason(shop) == ""
        shop.sql(*statements)
        assert "may have changed" in reason(shop)
        shop.run()
        shop.run()


UNSTABLE = {
    "select email, customer_id, first_name from people where now() > '2020-01-01'": "now()",
    "select email, customer_id, first_name from people where current_date > '2020-01-01'": "current_date()",
    "select email, customer_id, unheard(first_name) as first_name from people": "unheard()",
    "select email, customer_id, first_name from people, range(1) as r(x)": "the source",
    "select email, customer_id, first_name from people where current_user <> ''": "current_user()",
}


def test_sql_that_may_change_by_itself_is_read(shop: World) -> None:
    shop.sql(
        "CREATE MACRO unheard(x) AS x",
        "CREATE VIEW viewed AS SELECT * FROM people WHERE today() > '2020-01-01'",
    )
    for select, what in UNSTABLE.items():
        members_model(shop)
        (shop.folder / "models" / "members.sql").write_text(
            (shop.folder / "models" / "members.sql").read_text().replace(SELECT, select)
        )
        shop.run()
        assert what in reason(shop)
    change_sql(shop, SELECT)
    assert "not known whether people has changed" in reason(shop)  # a macro may be any function
    shop.sql("DROP MACRO unheard")
    change_sql(shop, SELECT.replace("people", "viewed"))
    assert "the view viewed may return other rows" in reason(shop)
    shop.sql("CREATE OR REPLACE VIEW viewed AS SELECT * FROM people")
    change_sql(shop, SELECT.replace("people", "viewed"))
    assert skipped(shop) == ["members"]
    shop.sql("CREATE OR REPLACE VIEW viewed AS SELECT * FROM people WHERE email <> 'bo@example.com'")
    assert "viewed may have changed" in reason(shop)
    shop.run()
    assert shop.emails() == ["ann@example.com"]


def test_models_are_read_if_somebody_asks_for_it(shop: World, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "an option" in reason(shop, full_refresh=True)
    assert "an option" in reason(shop, limit=1)
    assert "an option" in reason(shop, full_comparison=True)
    assert "an option" in reason(shop, rekey=frozenset({"members"}))
    monkeypatch.setattr(model_sources, "__version__", "another")
    assert "this program has changed" in reason(shop)
    monkeypatch.undo()
    shop.wait(FULL_EVERY)
    assert "a full comparison is due" in reason(shop)
    shop.run()
    assert skipped(shop) == ["members"]
    shop.take_off_list("bo@example.com")
    shop.project().reconcile(resend=True)
    assert "no comparison" in reason(shop)
    shop.run()
    assert shop.emails() == ["ann@example.com", "bo@example.com"]


def test_another_state_is_read(shop: World) -> None:
    shop.forget_keys(shop.state("SELECT table_key FROM models")[0][0], "email:bo@example.com")
    assert "rows of the state have changed" in reason(shop)
    shop.run()
    shop.run()
    shop.profile(skip_unchanged=False)
    shop.run()
    shop.profile(skip_unchanged=True)
    assert "no comparison" in reason(shop)  # a run that does not skip stores none


def test_a_killed_run_leaves_no_comparison(shop: World, monkeypatch: pytest.MonkeyPatch) -> None:
    def die(*_: Any, **__: Any) -> None:
        raise Interrupted

    with monkeypatch.context() as patched:
        patched.setattr(SnapshotMatches, "record", die)  # between the end of the run and the record
        with pytest.raises(Interrupted):
            shop.run()
    assert "no comparison" in reason(shop)
    become(shop, [*ANN, person("cy")])
    with monkeypatch.context() as patched:
        patched.setattr("reverse_etl.run._record_end", die)
        with pytest.raises(Interrupted):
            shop.run()
    assert "not finished" in reason(shop)
    shop.run()
    assert shop.emails() == ["ann@example.com", "bo@example.com", "cy@example.com"]


def test_a_restored_state_is_read(shop: World) -> None:
    state = shop.folder / "shop.reverse_etl.duckdb"
    shutil.copy(state, shop.folder / "backup")
    shop.run()
    shutil.copy(shop.folder / "backup", state)
    assert reason(shop) == ""  # the state alone does not show it
    assert skipped(shop) == []  # but removals are held, as the last run is not in it


def test_a_list_that_was_deleted_at_klaviyo_is_read(shop: World) -> None:
    shop.by_hand("DELETE", f"/api/lists/{shop.list_id()}")
    assert reason(shop) == ""
    assert skipped(shop) == []
    shop.run()
    assert shop.emails() == ["ann@example.com", "bo@example.com"]


def test_a_skipped_model_whose_list_may_not_be_created_any_more_is_read(world: World) -> None:
    """Its rows of that list are rejected: they have to be staged."""
    world.profile(skip_unchanged=True)
    clubs_model(world, min_rows=0, max_rejected=1.0)
    become(world, [person("ann", club="Tea")])
    world.run()
    world.run()
    assert skipped(world) == ["clubs"]
    world.profile(skip_unchanged=True, create_lists=False)
    world.by_hand("DELETE", f"/api/lists/{world.list_id('Tea')}")
    plan = world.plan()
    assert plan.models[0].read_reason == "its lists have changed"
    assert [list_plan.rejected_by_check for list_plan in plan.models[0].lists] == [1]


def test_staged_rows_of_a_skipped_model_can_not_be_named(shop: World) -> None:
    (model_plan,) = shop.plan().models
    assert not model_plan.tables.has_staged_rows
    with pytest.raises(AssertionError, match="skipped"):
        _ = model_plan.tables.staged_rows


def test_rejected_rows_are_read(shop: World) -> None:
    become(shop, [*ANN, person("bad", email="malformed")])
    shop.run()
    shop.run()
    assert reason(shop) != ""
    assert skipped(shop) == []


def test_models_that_decide_about_people_are_read(shop: World) -> None:
    shop.model("stops", "select email from people where email = 'none'", surface="suppressions", min_rows=0)
    shop.run()
    shop.run()
    assert "other models' people" in reason(shop, "stops")
    assert skipped(shop) == ["members"]
    shop.model("deletes", "select email from people where email = 'none'", surface="profile_deletions")
    assert "deletes people" in reason(shop)


def test_a_value_that_another_model_kept_is_cleared_once_that_model_has_none(world: World) -> None:
    """The SQL of the other model changes, and no table does."""
    world.profile(skip_unchanged=True)
    settings = {"surface": "profiles", "identifiers": {"email": "email"}, "min_rows": 0}
    for table, first_name in (("kept", "Ann"), ("cleared", "Ann"), ("cleared", None)):
        rows = [{"email": "ann@example.com", "first_name": first_name}]
        world.people(rows, table, columns="email VARCHAR, first_name VARCHAR")
        select = f"select email, first_name from {table}"
        world.model(
            table,
            select,
            **settings,
            **({"on_null": "clear", "max_clears": 1.0} if table == "cleared" else {}),
        )
        world.run()
    world.run()
    assert skipped(world) == ["kept"]
    world.model("kept", "select email, 'x' as last_name from kept", **settings)
    world.run()
    world.run()
    assert "first_name" not in world.person("ann@example.com")


class SkippingShop(ShopMachine):
    """The shop of the convergence property, with models that are skipped: plans are as without."""

    destination: ClassVar[Mapping[str, Any]] = {"skip_unchanged": True}

    def _around(self, run: Callable[[], None]) -> None:
        super()._around(run)
        with suppress(KlaviyoError):
            plan = self.world.plan()
            self.world.profile(skip_unchanged=False)
            try:
                assert figures(plan) == figures(self.world.plan())
            finally:
                self.world.profile(skip_unchanged=True)


def test_lists_converge_where_models_are_skipped() -> None:
    live_few_days(SkippingShop, examples=1, steps=6)


@pytest.mark.long
@pytest.mark.timeout(3600)
def test_lists_converge_where_models_are_skipped_in_many_examples() -> None:
    live_many_days(SkippingShop, examples=12)
