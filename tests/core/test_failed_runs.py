"""A run that fails before it sends a row is on record, with its code and a reason without values of rows."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from reverse_etl.delivery.failed_runs import describe_failure
from reverse_etl.domain.progress import ModelStaged, Progress, SendProgress, Warned
from reverse_etl.errors import ModelError, Problem, ReverseEtlError, UsageError, WarehouseError
from reverse_etl.report.wording import RunEnding, find_run_ending
from tests.core.rows import become, people
from tests.core.world import once_at

if TYPE_CHECKING:
    from reverse_etl.state import RunRecord
    from tests.core.world import World


def fail(world: World, **options: Any) -> ReverseEtlError:
    """Run, and return the error that ended it."""
    with pytest.raises(ReverseEtlError) as caught:
        world.project().run(**options)
    return caught.value


def runs(world: World) -> tuple[RunRecord, ...]:
    """Return the recorded runs, newest first."""
    return tuple(reported.run for reported in world.project().history())


def test_a_broken_model_is_on_record_until_the_next_run(members: World) -> None:
    become(members, people("ann"))
    first = members.run()
    members.model("broken", "select email from", list="Broken")
    error = fail(members)
    failed, earlier = runs(members)
    assert (failed.run_id, earlier.run_id) == (error.run_id, first.run_id)
    assert (failed.state, failed.exit_code, failed.stop_cause) == ("refused", 2, "model")
    project = members.project()
    assert find_run_ending(project.history()[0]) is RunEnding.FAILED_BEFORE_SENDING
    (sentence,) = project.status().describe_refusals()
    assert sentence.startswith(f"Run {failed.run_id} failed before it sent a row (model): The SQL ")
    assert sentence.endswith("models/broken.sql:2:14.")
    assert project.report().refusal_reasons == failed.reasons
    members.drop_model("broken")
    members.run()
    assert project.status().describe_refusals() == []
    assert members.emails() == ["ann@example.com"]


def test_the_first_run_of_a_target_is_on_record_once_klaviyo_named_the_account(members: World) -> None:
    """A model that does not compile ends a run before that: the state of no account can have it."""
    members.model("members", "select email from")
    assert fail(members).run_id == ""
    assert not list(members.folder.glob("*.reverse_etl.duckdb"))
    members.model("members", "select email from nowhere")
    error = fail(members)
    (failed,) = runs(members)
    assert (failed.run_id, failed.stop_cause) == (error.run_id, "model")
    assert "Table with name nowhere does not exist" in failed.reasons[0]


def test_an_internal_error_is_on_record_and_an_interruption_is_not(members: World) -> None:
    become(members, people("ann"))

    def raise_error() -> None:
        raise RuntimeError("ann@example.com")

    project = replace(members.project(), is_interrupted=lambda: True)
    with pytest.raises(RuntimeError):
        project.run(on_progress=once_at(ModelStaged, raise_error))
    assert runs(members) == ()
    with pytest.raises(RuntimeError):
        members.project().run(on_progress=once_at(ModelStaged, raise_error))
    (failed,) = runs(members)
    assert (failed.exit_code, failed.stop_cause) == (4, "internal")
    assert failed.reasons == ("An internal error: RuntimeError.",)


def test_a_run_that_fails_while_it_sends_stays_one_that_may_have_sent(members: World) -> None:
    become(members, people("ann"))

    def raise_error() -> None:
        raise WarehouseError.of("The warehouse is gone.")

    error = fail(members, on_progress=once_at(SendProgress, raise_error))
    (open_run,) = runs(members)
    assert (open_run.run_id, open_run.state) == (error.run_id, "submitting")
    members.run()
    assert members.emails() == ["ann@example.com"]


def test_a_failure_that_cannot_be_recorded_is_a_warning(
    members: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    become(members, people("ann"))
    members.run()
    members.model("broken", "select email from")
    events: list[Progress] = []

    def refuse(*_: object) -> None:
        raise WarehouseError.of("The disk is full.")

    monkeypatch.setattr("reverse_etl.state.runs.Runs.record_refused_run", refuse)
    error = fail(members, on_progress=events.append)
    assert isinstance(error, ModelError)
    assert error.run_id == ""
    assert Warned("This run is not in the history: The disk is full.") in events


@pytest.mark.parametrize(
    ("error", "reasons"),
    [
        (
            UsageError.of("ann@example.com is wrong.", where="a.sql:1"),
            ["a**@e******.com is wrong. At a.sql:1."],
        ),
        (
            WarehouseError.of("DuckDB: Conversion Error: Could not convert string 'Ann' to INT32."),
            ["DuckDB's message is in the log of the run."],
        ),
        (
            WarehouseError.of("Snowflake: Numeric value 'Ann' is not recognized."),
            ["Snowflake's message is in the log of the run."],
        ),
        (
            ModelError.of("It can't run. Snowflake: SQL compilation error: no table X."),
            ["It can't run. Snowflake: SQL compilation error: no table X."],
        ),
        (UsageError.of("x" * 301), ["x" * 300 + "…"]),
        (
            UsageError(*[Problem("No.")] * 22),
            [*["No."] * 20, "2 more problems are in the log of the run."],
        ),
    ],
)
def test_a_reason_has_no_value_of_a_row(error: Exception, reasons: list[str]) -> None:
    assert describe_failure(error) == reasons
