"""Select models by --select and --exclude. As in dbt, several arguments are a union, commas an intersection.

A `+` after a selector follows dbt's graph: `customers+` and `source:erp+` select all models that depend on
these nodes.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Final

from reverse_etl.dbt.graph import Graph
from reverse_etl.dbt.selection import make_bare_nodes, matches_path, node_methods, suggest_nodes
from reverse_etl.domain.list_target import ListById, ListColumn, NamedList
from reverse_etl.errors import Problem, UsageError
from reverse_etl.parsing.suggestions import did_you_mean
from reverse_etl.surfaces.catalog import surface_names

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from reverse_etl.models.model import Model

# Blanks separate selectors, except in a list's name, which ends at the next comma or at the end.
_SELECTOR: Final = re.compile(r"(?:list:[^,]*|[^\s,]+)(?:,\s*(?:list:[^,]*|[^\s,]+))*")


@dataclass(frozen=True)
class _ModelCriterion:
    """The condition of one selector; `hint` explains why a selector matches nothing."""

    matches: Callable[[Model], bool]
    hint: str = ""


@dataclass(frozen=True)
class _ModelSelector:
    """Applies the selectors of one flag to the models, and collects problems."""

    models: Sequence[Model]
    graph: Callable[[], Graph]
    flag: str
    problems: list[Problem]

    def select_union(self, arguments: Iterable[str]) -> set[str] | None:
        """Return the names that at least one selector matches, or None if there is no selector."""
        selectors = [selector_text for argument in arguments for selector_text in _SELECTOR.findall(argument)]
        names: set[str] = set()
        for selector in selectors:
            names |= self._select_intersection([part.strip() for part in selector.split(",")])
        return names if selectors else None

    def _select_intersection(self, parts: Sequence[str]) -> set[str]:
        names = {model.name for model in self.models}
        problem_count = len(self.problems)
        for part in filter(None, parts):
            criterion = self._parse_criterion(part)
            matching = {model.name for model in self.models if criterion.matches(model)}
            if criterion.hint or not matching:
                candidates = [
                    candidate for candidate in _find_candidates(self.models, part) if candidate != part
                ]
                hint = criterion.hint or did_you_mean(part, candidates) or _LIST_MODELS_HINT
                self.problems.append(Problem(f"No model matches {part}.", self.flag, hint))
            names &= matching
        if not names and len(self.problems) == problem_count:
            summary = f"No model matches all of {', '.join(parts)}."
            self.problems.append(
                Problem(summary, self.flag, "To match any of them, separate them by blanks, not commas.")
            )
        return names

    def _parse_criterion(self, part: str) -> _ModelCriterion:
        method, colon, value = part.partition(":")
        method, value = (method, value) if colon else ("", part)
        if method != "list":  # the name of a list may be +1 or A+
            if re.search(r"^\d*\+|\+\d+$|^@", part):
                hint = "Write + at the end: dbt_model+ selects all models that depend on dbt_model."
                return _ModelCriterion(_match_nothing, hint)
            if value.endswith("+"):
                return self._parse_downstream_criterion(method, value.removesuffix("+"))
        methods = _selection_methods(value)
        if method == "source":
            return _ModelCriterion(_match_nothing, f"To select the models that depend on a source: {part}+")
        if method not in methods:
            method_names = [f"{name}:" for name in methods if name]
            return _ModelCriterion(
                _match_nothing, f"{method}: is not a selection method. {did_you_mean(method, method_names)}"
            )
        return _ModelCriterion(methods[method])

    def _parse_downstream_criterion(self, method: str, value: str) -> _ModelCriterion:
        """Return the condition of a selector with a +: the model matches, or depends on such a node."""
        methods = node_methods(value)
        if method not in methods:
            method_names = [f"{name}:" for name in methods if name]
            return _ModelCriterion(
                _match_nothing,
                f"{method}: is not a selection method for dbt nodes. {did_you_mean(method, method_names)}",
            )
        graph = self.graph()
        nodes = graph.nodes.values() or make_bare_nodes(read for model in self.models for read in model.reads)
        origins = [node.unique_id for node in nodes if methods[method](node)]
        matches_model = _selection_methods(value).get(method, _match_nothing)
        descendants = graph.descendants(origins)
        if any(matches_model(model) or not descendants.isdisjoint(model.reads) for model in self.models):
            return _ModelCriterion(
                lambda model: matches_model(model) or not descendants.isdisjoint(model.reads)
            )
        hint = suggest_nodes(nodes, method, value)
        return _ModelCriterion(
            _match_nothing, "The node exists in dbt, but no model depends on it." if origins else hint
        )


_LIST_MODELS_HINT = "To list all models: reverse-etl ls"


def select_models(
    models: Sequence[Model],
    selected: Iterable[str] = (),
    excluded: Iterable[str] = (),
    *,
    graph: Callable[[], Graph] = Graph,
) -> tuple[Model, ...]:
    """Return the selected models, or all if `selected` is empty, without the excluded ones, in their order.

    A selector is a name or glob (`vip_*`), a path (`models/daily`, `models/daily/vip.sql`), or `name:`,
    `path:`, `tag:`, `list:` (name, id or list_column) or `surface:` with a value or glob. With a `+` at the
    end, the name, glob, path or unique id of a dbt node, its `tag:`, or `source:erp` or `source:erp.orders`
    selects all models that read such a node or its descendants; only then is `graph` called. Raises
    UsageError for each selector that matches nothing, and if no model is left.
    """
    problems: list[Problem] = []
    selected_names = _ModelSelector(models, graph, "--select", problems).select_union(selected)
    excluded_names = _ModelSelector(models, graph, "--exclude", problems).select_union(excluded)
    if problems:
        raise UsageError(*problems)
    remaining = tuple(
        model
        for model in models
        if (selected_names is None or model.name in selected_names)
        and model.name not in (excluded_names or ())
    )
    if models and not remaining:
        raise UsageError.of(
            "All selected models are excluded.", where="--exclude", hint="Exclude fewer models."
        )
    return remaining


def _match_nothing(model: Model) -> bool:
    del model
    return False


def _selection_methods(value: str) -> dict[str, Callable[[Model], bool]]:
    """Return the condition of each selection method; the method "" matches a name or a path."""
    return {
        "": lambda model: fnmatchcase(model.name, value) or matches_path(model.path, value),
        "name": lambda model: fnmatchcase(model.name, value),
        "path": lambda model: matches_path(model.path, value),
        "tag": lambda model: any(fnmatchcase(tag, value) for tag in model.config.tags),
        "list": lambda model: any(fnmatchcase(name, value) for name in _list_names(model)),
        "surface": lambda model: fnmatchcase(model.config.surface.name, value),
    }


def _list_names(model: Model) -> tuple[str, ...]:
    match model.config.list_target:
        case NamedList(name):
            return (name,)
        case ListById(list_id):
            return (list_id,)
        case ListColumn(column):
            return (column,)
        case None:
            return ()


def _find_candidates(models: Sequence[Model], part: str) -> list[str]:
    method, colon, _ = part.partition(":")
    if not colon:
        return [model.name for model in models]
    values: dict[str, list[str]] = {
        "name": [model.name for model in models],
        "path": [model.path.as_posix() for model in models],
        "tag": [tag for model in models for tag in model.config.tags],
        "list": [name for model in models for name in _list_names(model)],
        "surface": [*surface_names()],
    }
    return [f"{method}:{value}" for value in values.get(method, [])]
