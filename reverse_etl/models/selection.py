"""--select and --exclude, as in dbt: several arguments are a union, commas inside one are an intersection.

A `+` after a selector goes through dbt's graph: `customers+` and `source:erp+` are all models that are fed by
these.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Final

from reverse_etl.dbt.graph import Graph
from reverse_etl.dbt.selection import bare_nodes, lies_under, node_choice, node_methods
from reverse_etl.domain.list_target import ListById, ListColumn, NamedList
from reverse_etl.errors import Problem, UsageError
from reverse_etl.parsing.suggestions import choice
from reverse_etl.surfaces.interface import Surface

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from reverse_etl.models.model import Model

# Blanks part selectors, but for those inside a list's name, which goes on to the next comma or the end.
_ONE: Final = re.compile(r"(?:list:[^,]*|[^\s,]+)(?:,\s*(?:list:[^,]*|[^\s,]+))*")


@dataclass(frozen=True)
class _Asked:
    """A selector as it is asked: of which model it is true, or why it cannot be asked."""

    matches: Callable[[Model], bool]
    problem: str = ""


@dataclass(frozen=True)
class _Choosing:
    """The models among which a flag chooses, dbt's graph behind them, and what is wrong so far."""

    models: Sequence[Model]
    graph: Callable[[], Graph]
    flag: str
    problems: list[Problem]

    def union(self, arguments: Iterable[str]) -> set[str] | None:
        """Return the names that any selector chooses; None where there is no selector."""
        selectors = [each for argument in arguments for each in _ONE.findall(argument)]
        names: set[str] = set()
        for selector in selectors:
            names |= self._intersection([part.strip() for part in selector.split(",")])
        return names if selectors else None

    def _intersection(self, parts: Sequence[str]) -> set[str]:
        names = {model.name for model in self.models}
        known = len(self.problems)
        for part in filter(None, parts):
            asked = self._asked(part)
            found = {model.name for model in self.models if asked.matches(model)}
            if asked.problem or not found:
                others = [each for each in _candidates(self.models, part) if each != part]
                advice = asked.problem or choice(part, others) or _LOOK
                self.problems.append(Problem(f"No model matches {part}.", self.flag, advice))
            names &= found
        if not names and len(self.problems) == known:
            what = f"No model matches all of {', '.join(parts)}."
            self.problems.append(Problem(what, self.flag, "Without commas, one of them is enough."))
        return names

    def _asked(self, part: str) -> _Asked:
        method, colon, value = part.partition(":")
        method, value = (method, value) if colon else ("", part)
        if method != "list":  # a list may be called +1 or A+
            if re.search(r"^\d*\+|\+\d+$|^@", part):
                advice = "A + stands at the end: dbt_model+ is every model that this one of dbt feeds."
                return _Asked(_never, advice)
            if value.endswith("+"):
                return self._fed(method, value.removesuffix("+"))
        known = _methods(value)
        if method == "source":
            return _Asked(_never, f"Models here are no sources; those fed by it: {part}+")
        if method not in known:
            ways = [f"{name}:" for name in known if name]
            return _Asked(_never, f"{method}: is not a way to select. {choice(method, ways)}")
        return _Asked(known[method])

    def _fed(self, method: str, value: str) -> _Asked:
        """Return what a selector with a + asks: to be fed by such nodes of dbt, or to be such a model."""
        asks = node_methods(value)
        if method not in asks:
            ways = [f"{name}:" for name in asks if name]
            return _Asked(_never, f"{method}: is not a way to select nodes of dbt. {choice(method, ways)}")
        graph = self.graph()
        nodes = graph.nodes.values() or bare_nodes(read for model in self.models for read in model.reads)
        origins = [node.unique_id for node in nodes if asks[method](node)]
        own = _methods(value).get(method, _never)
        fed = graph.descendants(origins)
        if any(own(model) or not fed.isdisjoint(model.reads) for model in self.models):
            return _Asked(lambda model: own(model) or not fed.isdisjoint(model.reads))
        advice = node_choice(nodes, method, value)
        return _Asked(_never, "dbt knows it, but it feeds no model here." if origins else advice)


_LOOK = "See what there is: reverse-etl ls"


def select(
    models: Sequence[Model],
    chosen: Iterable[str] = (),
    excluded: Iterable[str] = (),
    *,
    graph: Callable[[], Graph] = Graph,
) -> tuple[Model, ...]:
    """Return the chosen models (all where none is chosen) without the excluded ones, in the order given.

    A selector is a name or glob (`vip_*`), a path (`models/daily`, `models/daily/vip.sql`), or `name:`,
    `path:`, `tag:`, `list:` (name, id or list_column) or `surface:` with a value or glob. With a `+` behind,
    a dbt node's name, glob, path or unique id, its `tag:`, or `source:erp` or `source:erp.orders` chooses
    every model that reads such a node or what is built from it; only then is `graph` asked for. Raises
    UsageError for every selector that matches nothing, and when nothing is left.
    """
    problems: list[Problem] = []
    wanted = _Choosing(models, graph, "--select", problems).union(chosen)
    unwanted = _Choosing(models, graph, "--exclude", problems).union(excluded)
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


def _never(model: Model) -> bool:
    del model
    return False


def _methods(value: str) -> dict[str, Callable[[Model], bool]]:
    """Return what each way to select asks of a model; the one without a name asks for its name or path."""
    return {
        "": lambda model: fnmatchcase(model.name, value) or lies_under(model.path, value),
        "name": lambda model: fnmatchcase(model.name, value),
        "path": lambda model: lies_under(model.path, value),
        "tag": lambda model: any(fnmatchcase(tag, value) for tag in model.config.tags),
        "list": lambda model: any(fnmatchcase(name, value) for name in _lists(model)),
        "surface": lambda model: fnmatchcase(model.config.surface, value),
    }


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
