"""Values that a shell completes: models, selectors and targets of the project that a command would read.

A project that cannot be read completes nothing: a shell has no place for an error.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from click.shell_completion import CompletionItem

from reverse_etl.errors import ReverseEtlError
from reverse_etl.parsing.variables import parse_vars

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    import click

    from reverse_etl.models.project_models import ProjectModels

    Completer = Callable[[click.Context, click.Parameter, str], list[CompletionItem]]


def _list_targets(context: click.Context) -> Iterable[str]:
    from reverse_etl.config.profiles import list_targets  # noqa: PLC0415 - only a shell needs it

    return list_targets(
        _project_folder(context),
        profiles_dir=context.params.get("profiles_dir"),
        profile=context.params.get("profile"),
        environ=os.environ,
        vars=parse_vars(context.params.get("vars_")),
    )


def _load_models(context: click.Context) -> ProjectModels:
    from reverse_etl.project import Project  # noqa: PLC0415 - only a shell needs it

    return Project.load(
        _project_folder(context),
        profiles_dir=context.params.get("profiles_dir"),
        profile=context.params.get("profile"),
        target=context.params.get("target"),
        vars=parse_vars(context.params.get("vars_")),
        dbt_artifacts=context.params.get("dbt_artifacts") or (),
    ).project_models


def _project_folder(context: click.Context) -> Path:
    return Path(context.params.get("project_dir") or ".")


def _read_matching(read_values: Callable[[], Iterable[str]], incomplete: str) -> list[CompletionItem]:
    try:
        values = {*read_values()}
    except (ReverseEtlError, OSError):
        return []
    # A name that can't be printed ends the completion of a shell.
    return [
        CompletionItem(value)
        for value in sorted(values)
        if value.startswith(incomplete) and value.isprintable()
    ]


def _completer(read_values: Callable[[click.Context], Iterable[str]]) -> Completer:
    """Return the function that completes with those of some values that begin with the text."""
    return lambda context, _, incomplete: _read_matching(lambda: read_values(context), incomplete)


complete_models = _completer(lambda context: _load_models(context).known_names)
complete_selectors = _completer(lambda context: _load_models(context).selectors)
complete_lists = _completer(lambda context: _load_models(context).list_names)
complete_targets = _completer(_list_targets)
