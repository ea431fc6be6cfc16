"""--select and --exclude, as in dbt: several arguments are a union, commas inside one are an intersection."""

from __future__ import annotations

import re
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Final

from reverse_etl.errors import Problem, UsageError
from reverse_etl.names import choice
from reverse_etl.surfaces import ListById, ListColumn, NamedList, Surface

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from pathlib import PurePath

    from reverse_etl.models.model import Model

# Blanks part selectors, but for those inside a list's name, which goes on to the next comma or the end.
_ONE: Final = re.compile(r"(?:list:[^,]*|[^\s,]+)(?:,\s*(?:list:[^,]*|[^\s,]+))*")


def select(
    models: Sequence[Model], chosen: Iterable[str] = (), excluded: Iterable[str] = ()
) -> tuple[Model, ...]:
    """Return the chosen models (all where none is chosen) without the excluded ones, in the order given.

    A selector is a name or glob (`vip_*`), a path (`models/daily`, `models/daily/vip.sql`), or `name:`,
    `path:`, `tag:`, `list:` (name, id or list_column) or `surface:` with a value or glob. Raises UsageError
    for every selector that matches nothing, and when nothing is left.
    """
    problems: list[Problem] = []
    wanted = _union(models, chosen, "--select", problems)
    unwanted = _union(models, excluded, "--exclude", problems)
    if problems:
        raise UsageError(*problems)
    kept = tuple(
        model
        for model in models
        if (wanted is None or model.name in wanted) and model.name not in (unwanted or ())
    )
    if models and not kept:
        raise UsageError.of("No model is left.", where="--exclude", advice="Exclude less, or select more.")
    return kept


def _union(
    models: Sequence[Model], arguments: Iterable[str], flag: str, problems: list[Problem]
) -> set[str] | None:
    selectors = [each for argument in arguments for each in _ONE.findall(argument)]
    names: set[str] = set()
    for selector in selectors:
        found = _intersection(models, [part.strip() for part in selector.split(",")], flag, problems)
        names |= found
    return names if selectors else None


def _intersection(
    models: Sequence[Model], parts: Sequence[str], flag: str, problems: list[Problem]
) -> set[str]:
    names = {model.name for model in models}
    known = len(problems)
    for part in filter(None, parts):
        problem, matches = _criterion(part)
        found = {model.name for model in models if matches(model)}
        if problem or not found:
            advice = problem or choice(part, _candidates(models, part)) or "See what there is: reverse-etl ls"
            problems.append(Problem(f"No model matches {part}.", flag, advice))
        names &= found
    if not names and len(problems) == known:
        problems.append(
            Problem(
                f"No model matches all of {', '.join(parts)}.", flag, "Without commas, one of them is enough."
            )
        )
    return names


def _criterion(part: str) -> tuple[str, Callable[[Model], bool]]:
    """Return what a selector asks of a model, and why it cannot be asked, if so."""
    method, colon, value = part.partition(":")
    if not colon:
        if re.search(r"^\d*\+|\+\d*$|^@", part):
            return (
                "Models here do not follow one another, so there is no graph: leave out + and @.",
                lambda _: False,
            )
        return "", lambda model: fnmatchcase(model.name, part) or _lies_under(model.path, part)
    known: dict[str, Callable[[Model], bool]] = {
        "name": lambda model: fnmatchcase(model.name, value),
        "path": lambda model: _lies_under(model.path, value),
        "tag": lambda model: any(fnmatchcase(tag, value) for tag in model.config.tags),
        "list": lambda model: any(fnmatchcase(name, value) for name in _lists(model)),
        "surface": lambda model: fnmatchcase(model.config.surface, value),
    }
    if method not in known:
        return (
            f"{method}: is not a way to select. {choice(method, [f'{name}:' for name in known])}",
            lambda _: False,
        )
    return "", known[method]


def _lies_under(path: PurePath, pattern: str) -> bool:
    wanted = pattern.removeprefix("./").rstrip("/")
    places = [path.as_posix(), *(parent.as_posix() for parent in path.parents if parent.name)]
    return any(fnmatchcase(place, wanted) for place in places)


def _lists(model: Model) -> tuple[str, ...]:
    match model.config.target:
        case NamedList(name):
            return (name,)
        case ListById(list_id):
            return (list_id,)
        case ListColumn(column):
            return (column,)
        case None:
            return ()


def _candidates(models: Sequence[Model], part: str) -> list[str]:
    method, colon, _ = part.partition(":")
    if not colon:
        return [model.name for model in models]
    values: dict[str, list[str]] = {
        "name": [model.name for model in models],
        "path": [model.path.as_posix() for model in models],
        "tag": [tag for model in models for tag in model.config.tags],
        "list": [name for model in models for name in _lists(model)],
        "surface": [str(each) for each in Surface],
    }
    return [f"{method}:{value}" for value in values.get(method, [])]
