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


def complete_models(
    context: click.Context, parameter: click.Parameter, incomplete: str
) -> list[CompletionItem]:
    """Return the models whose names begin with the text."""
    del parameter
    return _read_matching(lambda: _load_models(context).known_names, incomplete)


def complete_selectors(
    context: click.Context, parameter: click.Parameter, incomplete: str
) -> list[CompletionItem]:
    """Return the names, tags, lists and surfaces of models that begin with the text."""
    del parameter
    return _read_matching(lambda: _load_models(context).selectors, incomplete)


def complete_lists(
    context: click.Context, parameter: click.Parameter, incomplete: str
) -> list[CompletionItem]:
    """Return the names of lists that begin with the text."""
    del parameter
    return _read_matching(lambda: _load_models(context).list_names, incomplete)


def complete_targets(
    context: click.Context, parameter: click.Parameter, incomplete: str
) -> list[CompletionItem]:
    """Return the targets of the profile that begin with the text."""
    del parameter
    return _read_matching(lambda: _list_targets(context), incomplete)


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
