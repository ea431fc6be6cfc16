"""`reverse-etl debug`: whether a run would work."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

import click

from reverse_etl.cli.options import AS_JSON, Asked, of_project
from reverse_etl.cli.output import tables as show
from reverse_etl.cli.output.console import talk
from reverse_etl.cli.output.events import problem_document
from reverse_etl.domain.list_target import ListColumn
from reverse_etl.errors import GuardRefused, ModelError, Problem, ReverseEtlError, UsageError
from reverse_etl.formatting import counted, shown
from reverse_etl.planning import lists
from reverse_etl.planning.diff import is_rekeyed
from reverse_etl.planning.stage import described

if TYPE_CHECKING:
    from collections.abc import Callable

    from reverse_etl.config.target import Destination
    from reverse_etl.klaviyo.api import Klaviyo
    from reverse_etl.project import Project
    from reverse_etl.warehouse.interface import Warehouse

Found = TypeVar("Found")
_WIDTH = 10  # of the names of the checks


@click.command("debug")
@of_project
@AS_JSON
def command(asked: Asked, *, as_json: bool) -> int:
    """Check whether a run would work. Sends only GETs.

    Looks at profile, models, dbt's results, warehouse, state, key, account and lists, and exits as the run
    would where it can't work: 2 for what you can mend here, 3 where dbt's gate holds a model back, 4 for a
    warehouse or a Klaviyo that does not answer.
    """
    checks = _Checks(_unsaid if as_json else _said)
    _check_all(asked, checks)
    if as_json:
        show.json_out({"works": not checks.exit_code, "exit_code": checks.exit_code, "checks": checks.made})
    elif not checks.exit_code:
        click.echo("\nA run would work. See what it would send: reverse-etl plan")
    return checks.exit_code


def _check_all(asked: Asked, checks: _Checks) -> None:
    target = checks.check(
        "profile", asked.load_target, lambda target: f"{target.profile}, {shown(target.path)}"
    )
    if target is None:
        return
    checks.tell("target", f"{target.name}: {target.output.type}")
    checks.tell("to", _where(target.destination))
    project = checks.check("models", asked.load, lambda loaded: _models(len(loaded.models)))
    if project is None:
        checks.check("klaviyo", lambda: _key(target.destination), str)
        return
    if project.dbt:
        checks.check("dbt", lambda: _gate(project), str)
    checks.check("warehouse", lambda: _describe(project), str)
    checks.check("state", lambda: _state(project), str)
    checks.check("klaviyo", lambda: _klaviyo(project), str)


def _said(name: str, line: str) -> None:
    show.mapping({name: line}, _WIDTH)


def _unsaid(name: str, line: str) -> None:
    del name, line


class _Checks:
    """Runs checks one after another and remembers the first exit code that is not 0.

    Each is told as it ends, by `say`, and is in `made` as plain values. What several checks come upon, as a
    file that another process holds, is said once.
    """

    def __init__(self, say: Callable[[str, str], None]) -> None:
        self.exit_code = 0
        self.made: list[dict[str, Any]] = []
        self._say = say
        self._problems: list[tuple[Problem, ...]] = []

    def tell(self, name: str, fact: str) -> None:
        """Tell what was found and needs no check."""
        self._say(name, fact)
        self.made.append({"name": name, "ok": True, "told": fact, "problems": []})

    def check(self, name: str, work: Callable[[], Found], told: Callable[[Found], str]) -> Found | None:
        """Run one check and tell what came of it; None when it failed."""
        try:
            found = work()
        except ReverseEtlError as error:
            self._failed(name, error)
            return None
        self._say(name, f"ok: {told(found)}")
        self.made.append({"name": name, "ok": True, "told": told(found), "problems": []})
        return found

    def _failed(self, name: str, error: ReverseEtlError) -> None:
        again = error.problems in self._problems
        self._say(name, "failed, as above" if again else "failed")
        if not again:
            talk.error(error)
            self._problems.append(error.problems)
        problems = [problem_document(problem) for problem in error.problems]
        self.made.append({"name": name, "ok": False, "told": "", "problems": problems})
        self.exit_code = self.exit_code or error.exit_code


def _models(number: int) -> str:
    return f"{counted(number, 'model')} {'compiles' if number == 1 else 'compile'}"


def _where(destination: Destination) -> str:
    if destination.sandbox:
        return f"a Klaviyo sandbox at {destination.origin}" if destination.origin else "a Klaviyo sandbox"
    key = f"with the key from {destination.key.origin}" if destination.key else "without a key"
    return f"{destination.origin}, {key}, revision {destination.api_revision}"


def _key(destination: Destination) -> str:
    """See that there is a key where one is needed. Nobody is asked."""
    if destination.own_sandbox:
        return "the sandbox needs no key"
    destination.need_key()
    return "a key is there; account and lists are looked up when the models are right"


def _gate(project: Project) -> str:
    """Pass the gate behind dbt with every model."""
    if held := project.gate(project.models):
        raise GuardRefused(*held)
    return project.gate_doubt() or "nothing holds a model back"


def _describe(project: Project) -> str:
    """Let the warehouse look at each model's SQL; all that it refuses is said at once."""
    problems: list[Problem] = []
    with project.connections.warehouse(read_only=True) as warehouse, warehouse.staging():
        for model in project.models:
            try:
                described(warehouse, model)
            except ModelError as error:
                problems += error.problems
    if problems:
        raise ModelError(*problems)
    return "it can run every model"


def _state(project: Project) -> str:
    """Read the state, and see that every model is keyed as it was sent."""
    problems: list[Problem] = []
    with project.connections.warehouse(read_only=True) as warehouse:
        sent = project.connections.state(warehouse, None).models()
    for model in project.models:
        try:
            is_rekeyed(model, sent.get(model.name), asked=False)
        except UsageError as error:
            problems += error.problems
    if problems:
        raise UsageError(*problems)
    return f"it remembers {counted(len(sent), 'model')}" if sent else "nothing was sent yet"


def _klaviyo(project: Project) -> str:
    destination = project.target.destination
    if not (destination.own_sandbox):
        destination.need_key()
    project.connections.refuse_held_sandbox()
    with (
        project.connections.klaviyo(dry=True, observer=talk.exchange) as klaviyo,
        project.connections.warehouse(read_only=True) as warehouse,
    ):
        if klaviyo is None:
            return "the sandbox starts with the first run"
        account = klaviyo.account()
        found = _lists(project, klaviyo, warehouse, account.id)
    name = f"account {account.name or account.id} ({account.id})"
    return f"{name}{', a test account' if account.test else ''}; {found}"


def _lists(project: Project, klaviyo: Klaviyo, warehouse: Warehouse, account: str) -> str:
    """Look up the lists of the models that name theirs; those of a list column show when rows are staged."""
    destination = project.target.destination
    known = project.connections.state(warehouse, account).lists.known()
    named = [model for model in project.models if not isinstance(model.config.target, ListColumn)]
    refs = {model.name: lists.resolve(model, ("",), destination.lists, known, klaviyo) for model in named}
    lists.refuse_shared(refs, known, project.models)
    new = [(model, ref) for model in named for ref in refs[model.name] if ref.new]
    lists.refuse_creation(new, klaviyo, allowed=destination.create_lists)
    existing = sum(not ref.new and bool(ref.id) for many in refs.values() for ref in many)
    later = len(project.models) - len(named)
    parts = (
        f"{counted(existing, 'list')} found",
        f"{len(new)} to be created" if new else "",
        f"those of {counted(later, 'model')} with a list column are looked up when rows are staged"
        if later
        else "",
    )
    return ", ".join(part for part in parts if part)
