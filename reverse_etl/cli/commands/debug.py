"""`reverse-etl debug`: check whether a run would work."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, TypeVar

import click

from reverse_etl.cli.commands.debug_notify import send_test_message
from reverse_etl.cli.commands.debug_request import debug_request
from reverse_etl.cli.completions import complete_models
from reverse_etl.cli.options import AS_JSON, ProjectFlags, request_options
from reverse_etl.cli.output import tables as show
from reverse_etl.cli.output.console import terminal
from reverse_etl.cli.output.log_entries import problem_document
from reverse_etl.dbt.gate import format_warning
from reverse_etl.domain.list_target import ListColumn
from reverse_etl.errors import GuardRefused, ModelError, Problem, ReverseEtlError, UsageError
from reverse_etl.formatting import format_count, format_path
from reverse_etl.klaviyo.revision import describe_revision, find_revision_warning
from reverse_etl.planning.guards import find_new_list_problems
from reverse_etl.planning.model_lists import ListFinder
from reverse_etl.planning.plan_request import is_rekeyed
from reverse_etl.planning.stage import read_checked_columns
from reverse_etl.planning.state_sources import add_state_sources

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import date

    from reverse_etl.config.target import Destination
    from reverse_etl.klaviyo.api import Klaviyo
    from reverse_etl.models.model import Model
    from reverse_etl.project import Project
    from reverse_etl.warehouse.interface import Warehouse

CheckResult = TypeVar("CheckResult")
_WIDTH = 10  # of the column of names


@click.command("debug")
@request_options
@AS_JSON
@click.option(
    "--request",
    "request_of",
    metavar="MODEL",
    shell_complete=complete_models,
    help="Show the first request of a model's rows.",
)
@click.option("--send", is_flag=True, help="With --request: send exactly that request.")
@click.option("--notify", is_flag=True, help="Send a test message to each receiver of alerts.")
@click.option("--show-values", is_flag=True, help="With --request: show e-mails and phones unmasked.")
def command(  # noqa: PLR0913 - click passes options by name
    project_flags: ProjectFlags,
    *,
    as_json: bool,
    request_of: str | None,
    send: bool,
    notify: bool,
    show_values: bool,
) -> int:
    """Check whether a run would work. Sends only GETs, except with --send and --notify.

    Checks the profile, models, dbt's results, warehouse, state, key, account and lists. The exit code is the
    one that a run would have: 2 for a mistake in the project, 3 if the dbt gate stops a model, 4 if the
    warehouse or Klaviyo does not answer.
    """
    needing = "--send" if send else "--show-values" if show_values else ""
    if request_of is None and needing:
        raise UsageError.of(
            f"{needing} is for a model's request, and no model is named.",
            where="reverse-etl debug",
            hint=f"Name one: reverse-etl debug --request MODEL {needing}",
        )
    if notify and (request_of is not None or as_json):
        raise click.UsageError("--notify sends test messages and does nothing else: remove the other flags.")
    if request_of is not None and as_json:
        raise click.UsageError("--json is for the checks: remove --request or --json.")
    if request_of is not None:
        return debug_request(project_flags.load(), request_of, send=send, show_values=show_values)
    if notify:
        return send_test_message(project_flags.load_target())
    checks = _CheckRunner(_ignore_check if as_json else _print_check)
    _run_checks(project_flags, checks)
    if as_json:
        show.print_json(
            {"works": not checks.exit_code, "exit_code": checks.exit_code, "checks": checks.results}
        )
    elif not checks.exit_code:
        show.print_line("\nA run would work. To see what it would send: reverse-etl plan")
    return checks.exit_code


def _run_checks(project_flags: ProjectFlags, checks: _CheckRunner) -> None:
    target = checks.run_check(
        "profile", project_flags.load_target, lambda target: f"{target.profile}, {format_path(target.path)}"
    )
    if target is None:
        return
    checks.record_fact("target", f"{target.name}: {target.output.type}")
    today = datetime.now(UTC).date()
    checks.record_fact("to", _describe_destination(target.destination, today))
    if warning := find_revision_warning(target.destination.api_revision, today):
        terminal.warn(warning)
    project = checks.run_check(
        "models", lambda: _load_project(project_flags), lambda loaded: _describe_models(len(loaded.models))
    )
    if project is None:
        checks.run_check("klaviyo", lambda: _check_key(target.destination), str)
        return
    if project.dbt_project:
        checks.run_check("dbt", lambda: _check_gate(project), str)
    checks.run_check("warehouse", lambda: _check_warehouse(project), str)
    checks.run_check("state", lambda: _check_state(project), str)
    checks.run_check("klaviyo", lambda: _check_klaviyo(project), str)


def _print_check(name: str, line: str) -> None:
    show.print_mapping({name: line}, _WIDTH)


def _ignore_check(name: str, line: str) -> None:
    del name, line


class _CheckRunner:
    """Runs checks one after another and remembers the first exit code that is not 0.

    It calls `on_check` with each result, and collects the results as plain values in `results`. A problem
    that several checks find, such as a locked file, is printed once.
    """

    def __init__(self, on_check: Callable[[str, str], None]) -> None:
        self.exit_code = 0
        self.results: list[dict[str, Any]] = []
        self._on_check = on_check
        self._shown_problems: list[tuple[Problem, ...]] = []

    def record_fact(self, name: str, fact: str) -> None:
        """Report a fact that needs no check."""
        self._on_check(name, fact)
        self.results.append({"name": name, "ok": True, "detail": fact, "problems": []})

    def run_check(
        self, name: str, action: Callable[[], CheckResult], describe: Callable[[CheckResult], str]
    ) -> CheckResult | None:
        """Run one check and report the result; returns None if it failed."""
        try:
            result = action()
        except ReverseEtlError as error:
            self._record_failure(name, error)
            return None
        self._on_check(name, f"ok: {describe(result)}")
        self.results.append({"name": name, "ok": True, "detail": describe(result), "problems": []})
        return result

    def _record_failure(self, name: str, error: ReverseEtlError) -> None:
        already_shown = error.problems in self._shown_problems
        self._on_check(name, "failed, as above" if already_shown else "failed")
        if not already_shown:
            terminal.print_error(error)
            self._shown_problems.append(error.problems)
        problems = [problem_document(problem) for problem in error.problems]
        self.results.append({"name": name, "ok": False, "detail": "", "problems": problems})
        self.exit_code = self.exit_code or error.exit_code


def _load_project(project_flags: ProjectFlags) -> Project:
    """Return the project. Raises ModelError if a model does not compile."""
    project = project_flags.load()
    project.project_models.require_all()
    return project


def _describe_models(number: int) -> str:
    return f"{format_count(number, 'model')} {'compiles' if number == 1 else 'compile'}"


def _describe_destination(destination: Destination, today: date) -> str:
    if destination.sandbox:
        return f"a Klaviyo sandbox at {destination.origin}" if destination.origin else "a Klaviyo sandbox"
    key = f"with the key from {destination.key.source}" if destination.key else "without a key"
    return f"{destination.origin}, {key}, {describe_revision(destination.api_revision, today)}"


def _check_key(destination: Destination) -> str:
    """Check that there is a key if the destination needs one, without a request."""
    if destination.embedded_sandbox:
        return "the sandbox needs no key"
    destination.require_key()
    return "found a key; account and lists are checked once the models compile"


def _check_gate(project: Project) -> str:
    """Check the dbt gate for every model."""
    verdict = project.check_gate(project.models)
    for warning in verdict.warnings:
        terminal.warn(format_warning(warning))
    if verdict.refusals:
        raise GuardRefused(*verdict.refusals)
    return "no model is held back"


def _check_warehouse(project: Project) -> str:
    """Let the warehouse validate each model's SQL, and raise all errors together."""
    with project.connections.warehouse(read_only=True) as warehouse:
        models = add_state_sources(
            lambda: project.connections.state(warehouse, None), project.models, project.models
        )
        with warehouse.staging():
            problems = _find_sql_problems(warehouse, models)
    if problems:
        raise ModelError(*problems)
    return "every model's SQL is valid"


def _find_sql_problems(warehouse: Warehouse, models: Sequence[Model]) -> list[Problem]:
    problems: list[Problem] = []
    for model in models:
        try:
            read_checked_columns(warehouse, model)
        except ModelError as error:
            problems += error.problems
    return problems


def _check_state(project: Project) -> str:
    """Read the state, and check that the models' identifiers are those of the last run."""
    problems: list[Problem] = []
    with project.connections.warehouse(read_only=True) as warehouse:
        model_records = project.connections.state(warehouse, None).models.records()
    for model in project.models:
        try:
            is_rekeyed(model, model_records.get(model.name), allowed=False)
        except UsageError as error:
            problems += error.problems
    if problems:
        raise UsageError(*problems)
    return (
        f"{format_count(len(model_records), 'model')} sent before"
        if model_records
        else "nothing has been sent yet"
    )


def _check_klaviyo(project: Project) -> str:
    destination = project.target.destination
    if not (destination.embedded_sandbox):
        destination.require_key()
    project.connections.require_unlocked_sandbox()
    with (
        project.connections.klaviyo(dry_run=True, on_request=terminal.print_request) as klaviyo,
        project.connections.warehouse(read_only=True) as warehouse,
    ):
        if klaviyo is None:
            return f"the sandbox starts with the first run; {_check_lists(project, None, warehouse, '')}"
        account = klaviyo.get_account()
        lists_text = _check_lists(project, klaviyo, warehouse, account.id)
    account_text = f"account {account.name or account.id} ({account.id})"
    return f"{account_text}{', a test account' if account.test else ''}; {lists_text}"


def _check_lists(project: Project, klaviyo: Klaviyo | None, warehouse: Warehouse, account_id: str) -> str:
    """Look up the lists of all models, except those named by a list column."""
    registered_lists = project.connections.state(warehouse, account_id).lists.registered()
    finder = ListFinder(project.target.destination, registered_lists, klaviyo)
    named_models = [model for model in project.models if not isinstance(model.config.list_target, ListColumn)]
    lists_by_model = finder.require_usable(
        {model.name: finder.find(model, ("",)) for model in named_models}, named_models, project.models
    )
    new_ids = {name: [ref.id for ref in lists_by_model[name].refs if ref.is_new] for name in lists_by_model}
    if problems := [problem for _, problem in find_new_list_problems(new_ids)]:
        raise GuardRefused(*problems)
    new_lists = [list_id for list_ids in new_ids.values() for list_id in list_ids]
    existing = sum(
        not ref.is_new and bool(ref.id) for name in lists_by_model for ref in lists_by_model[name].refs
    )
    list_column_count = len(project.models) - len(named_models)
    parts = (
        f"{format_count(existing, 'list')} found",
        f"{len(new_lists)} to be created" if new_lists else "",
        f"lists of {format_count(list_column_count, 'model')} with a list column are looked up by plan "
        "and run"
        if list_column_count
        else "",
    )
    return ", ".join(part for part in parts if part)
