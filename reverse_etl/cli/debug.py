"""`reverse-etl debug`: would a run work?"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import click

from reverse_etl import lists
from reverse_etl.cli import show
from reverse_etl.cli.options import Asked, of_project
from reverse_etl.cli.talk import talk
from reverse_etl.errors import ReverseEtlError
from reverse_etl.klaviyo import Klaviyo
from reverse_etl.project import Project
from reverse_etl.surfaces import ListColumn
from reverse_etl.target import Destination
from reverse_etl.warehouse import Warehouse


@click.command("debug")
@of_project
def command(asked: Asked) -> int:
    """Check profile, models, warehouse, state, key, account and lists; exit non-zero when a run would fail. Sends only GETs."""
    checks = _Checks()
    project = checks.check("models", asked.load, lambda loaded: f"{len(loaded.models)} compile")
    if project is None:
        return checks.exit_code
    target = project.target
    show.mapping(
        {
            "profile": f"{target.profile}, {target.path}",
            "target": f"{target.name} ({target.output.type})",
            "destination": _where(target.destination),
        }
    )
    checks.check("warehouse", lambda: _describe(project), str)
    checks.check("state", lambda: _state(project), str)
    checks.check("klaviyo", lambda: _klaviyo(project), str)
    return checks.exit_code


class _Checks:
    """Runs checks one after another and remembers the worst exit code."""

    def __init__(self) -> None:
        self.exit_code = 0

    def check(self, name: str, work: Callable[[], Any], told: Callable[[Any], str]) -> Any:
        """Run one check and print what came of it; None when it failed."""
        try:
            found = work()
        except ReverseEtlError as error:
            show.console().print(f"{name:<12} failed")
            talk.error(error)
            self.exit_code = self.exit_code or error.exit_code
            return None
        show.console().print(f"{name:<12} ok: {told(found)}")
        return found


def _where(destination: Destination) -> str:
    if destination.sandbox:
        return (
            "a Klaviyo sandbox that starts by itself"
            if not destination.origin
            else f"a sandbox at {destination.origin}"
        )
    key = f"the key from {destination.key.origin}" if destination.key else "no key"
    return f"{destination.origin}, {key}, revision {destination.api_revision}"


def _describe(project: Project) -> str:
    with project.warehouse(read_only=True) as warehouse, warehouse.staging():
        for model in project.models:
            warehouse.describe(model.sql)
    return f"every model's SQL is understood ({project.target.output.type})"


def _state(project: Project) -> str:
    with project.warehouse(read_only=True) as warehouse:
        project.state(warehouse, None)
    return "readable, or not there yet"


def _klaviyo(project: Project) -> str:
    destination = project.target.destination
    if not (destination.sandbox and not destination.origin):
        destination.need_key()
    with project.klaviyo(dry=True) as klaviyo, project.warehouse(read_only=True) as warehouse:
        if klaviyo is None:
            return "the sandbox starts with the first run"
        account = klaviyo.account()
        found = _lists(project, klaviyo, warehouse, account.id)
    return f"account {account.name or account.id} ({account.id}){', a test account' if account.test else ''}; {found}"


def _lists(project: Project, klaviyo: Klaviyo, warehouse: Warehouse, account: str) -> str:
    """Look up the lists of the models that name theirs; those of a list column are seen when rows are staged."""
    known = project.state(warehouse, account).lists()
    named = [model for model in project.models if not isinstance(model.config.target, ListColumn)]
    refs = {
        model.name: lists.resolve(model, ("",), project.target.destination.lists, known, klaviyo)
        for model in named
    }
    lists.refuse_shared(refs, known, [model.name for model in project.models])
    new = [(model, ref) for model in named for ref in refs[model.name] if ref.new]
    lists.refuse_creation(new, klaviyo, allowed=project.target.destination.create_lists)
    existing = sum(not ref.new and bool(ref.id) for many in refs.values() for ref in many)
    return f"{existing} lists found" + (f", {len(new)} will be created" if new else "")
