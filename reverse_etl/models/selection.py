"""Select models by --select and --exclude. As in dbt, several arguments are a union, commas an intersection.

A `+` after a selector follows dbt's graph: `customers+` and `source:erp+` select all models that depend on
these nodes.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Final, TypeVar

from reverse_etl.dbt.graph import Graph
from reverse_etl.dbt.selection import make_bare_nodes, matches_path, node_methods, suggest_nodes
from reverse_etl.errors import Problem, UsageError
from reverse_etl.parsing.suggestions import did_you_mean
from reverse_etl.surfaces.catalog import surface_names

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from reverse_etl.models.model import ProjectModel, Traits

AnyModel = TypeVar("AnyModel", bound="ProjectModel")
# Blanks separate selectors, except in a list's name, which ends at the next comma or at the end.
_SELECTOR: Final = re.compile(r"(?:list:[^,]*|[^\s,]+)(?:,\s*(?:list:[^,]*|[^\s,]+))*")


def is_one_selector(text: str) -> bool:
    """Return whether a text is read as one selector of one part: a comma or a blank separates others."""
    return "," not in text and _SELECTOR.fullmatch(text) is not None


@dataclass(frozen=True)
class _ModelCriterion:
    """The condition of one selector; `hint` explains why a selector matches nothing.

    A condition returns None for a model that does not compile, if nothing says whether it matches.
    """

    matches: Callable[[ProjectModel], bool | None]
    hint: str = ""


@dataclass(frozen=True)
class _ModelSelector:
    """Applies the selectors of one flag to the models, and collects problems.

    `match_if_unknown` says whether a model matches of which nothing says it.
    """

    models: Sequence[ProjectModel]
    graph: Callable[[], Graph]
    flag: str
    match_if_unknown: bool
    problems: list[Problem]

    def select_union(self, arguments: Iterable[str]) -> set[str] | None:
        """Return the names that at least one selector matches, or None if there is no selector."""
        selectors = [selector_text for argument in arguments for selector_text in _SELECTOR.findall(argument)]
        names: set[str] = set()
        for selector in selectors:
            names |= self._select_intersection([part.strip() for part in selector.split(",")])
        return names if selectors else None

    def _select_intersection(self, parts: Sequence[str]) -> set[str]:
        names = possible_names = {model.name for model in self.models}
        problem_count = len(self.problems)
        for part in filter(None, parts):
            criterion = self._parse_criterion(part)
            results = [(model.name, criterion.matches(model)) for model in self.models]
            certain = {name for name, result in results if result}
            unknown = {name for name, result in results if result is None}
            matching = certain | unknown if self.match_if_unknown else certain
            if criterion.hint or not (certain | unknown):
                candidates = [
                    candidate for candidate in _find_candidates(self.models, part) if candidate != part
                ]
                hint = criterion.hint or did_you_mean(part, candidates) or _LIST_MODELS_HINT
                self.problems.append(Problem(f"No model matches {part}.", self.flag, hint))
            names = names & matching
            possible_names = possible_names & (certain | unknown)
        if not possible_names and len(self.problems) == problem_count:
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
        nodes = graph.nodes.values() or make_bare_nodes(
            read for model in self.models if model.traits for read in model.traits.reads or ()
        )
        origins = [node.unique_id for node in nodes if methods[method](node)]
        matches_model = _selection_methods(value).get(method, _match_nothing)
        descendants = graph.descendants(origins)

        def matches(model: ProjectModel) -> bool | None:
            if matches_model(model):
                return True
            reads = model.traits.reads if model.traits else None
            return None if reads is None else not descendants.isdisjoint(reads)

        if any(matches(model) is not False for model in self.models):
            return _ModelCriterion(matches)
        hint = suggest_nodes(nodes, method, value)
        return _ModelCriterion(
            _match_nothing, "The node exists in dbt, but no model depends on it." if origins else hint
        )


_LIST_MODELS_HINT = "To list all models: reverse-etl ls"


def select_models(
    models: Sequence[AnyModel],
    selected: Iterable[str] = (),
    excluded: Iterable[str] = (),
    *,
    graph: Callable[[], Graph] = Graph,
) -> tuple[AnyModel, ...]:
    """Return the selected models, or all if `selected` is empty, without the excluded ones, in their order.

    A model that does not compile is selected unless it is certain that it is not.

    A selector is a name or glob (`vip_*`), a path (`models/daily`, `models/daily/vip.sql`), or `name:`,
    `path:`, `tag:`, `list:` (name, id or list_column) or `surface:` with a value or glob. With a `+` at the
    end, the name, glob, path or unique id of a dbt node, its `tag:`, or `source:erp` or `source:erp.orders`
    selects all models that read such a node or its descendants; only then is `graph` called. Raises
    UsageError for each selector that matches nothing, and if no model is left.
    """
    problems: list[Problem] = []
    selected_names = _ModelSelector(
        models, graph, "--select", match_if_unknown=True, problems=problems
    ).select_union(selected)
    excluded_names = _ModelSelector(
        models, graph, "--exclude", match_if_unknown=False, problems=problems
    ).select_union(excluded)
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


def _match_nothing(model: ProjectModel) -> bool:
    del model
    return False


def _check_traits(model: ProjectModel, condition: Callable[[Traits], bool]) -> bool | None:
    return None if model.traits is None else condition(model.traits)


def _selection_methods(value: str) -> dict[str, Callable[[ProjectModel], bool | None]]:
    """Return the condition of each selection method; the method "" matches a name or a path."""
    return {
        "": lambda model: fnmatchcase(model.name, value) or matches_path(model.path, value),
        "name": lambda model: fnmatchcase(model.name, value),
        "path": lambda model: matches_path(model.path, value),
        "tag": lambda model: _check_traits(
            model, lambda traits: any(fnmatchcase(tag, value) for tag in traits.tags)
        ),
        "list": lambda model: _check_traits(
            model, lambda traits: any(fnmatchcase(name, value) for name in traits.lists)
        ),
        "surface": lambda model: _check_traits(model, lambda traits: fnmatchcase(traits.surface, value)),
    }


def _find_candidates(models: Sequence[ProjectModel], part: str) -> list[str]:
    method, colon, _ = part.partition(":")
    if not colon:
        return [model.name for model in models]
    known_traits = [model.traits for model in models if model.traits]
    values: dict[str, list[str]] = {
        "name": [model.name for model in models],
        "path": [model.path.as_posix() for model in models],
        "tag": [tag for traits in known_traits for tag in traits.tags],
        "list": [name for traits in known_traits for name in traits.lists],
        "surface": [*surface_names()],
    }
    return [f"{method}:{value}" for value in values.get(method, [])]
