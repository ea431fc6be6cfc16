"""The check of a model's `config()` against the columns that the model selects."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from reverse_etl.domain.identifiers import IdentifierType
from reverse_etl.domain.list_target import ListColumn
from reverse_etl.models.config import FULL_EVERY, ModelConfig
from reverse_etl.models.guard_config import override_limit
from reverse_etl.models.parsed_query import Finding
from reverse_etl.parsing.durations import parse_duration
from reverse_etl.parsing.suggestions import did_you_mean
from reverse_etl.surfaces import column_rules
from reverse_etl.surfaces.attribute_hints import find_attribute_hint

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from reverse_etl.models.config import ConfigInput
    from reverse_etl.models.parsed_query import OutputColumn
    from reverse_etl.surfaces.column_rules import ColumnProblem
    from reverse_etl.surfaces.interface import Surface


@dataclass(frozen=True)
class PayloadColumn:
    """A column sent to Klaviyo as `property`: its name in lower case, or as written if it is quoted."""

    column: str
    property: str


@dataclass(frozen=True)
class BoundConfig:
    """A config with its columns resolved, the payload columns, and the findings about them.

    `warnings` are findings that stop nothing, `hints` those that only somebody who changes the model needs.
    """

    config: ModelConfig
    payload: tuple[PayloadColumn, ...]
    findings: tuple[Finding, ...]
    warnings: tuple[Finding, ...] = ()
    hints: tuple[Finding, ...] = ()


def bind_columns(config_input: ConfigInput, surface: Surface, columns: Sequence[OutputColumn]) -> BoundConfig:
    """Return the config with its columns resolved, the payload columns, and all findings.

    `surface` is that of the model: the one that the config names, or what the model makes of it.
    """
    by_name = {column.name.casefold(): column for column in columns}
    findings: list[Finding] = []
    identifiers = _bind_identifiers(config_input, surface, by_name, findings)
    list_target = config_input.list_target()
    named_settings = [name for name, value in config_input.list_settings().items() if value.strip()]
    if problem := column_rules.find_list_problem(surface, named_settings):
        findings.append(Finding(problem.summary, problem.hint))
    surface = surface.bind_list(is_named=list_target is not None)
    used_names = {column.casefold() for column in identifiers.values()}
    if isinstance(list_target, ListColumn):
        list_target = _bind_list_column(list_target, by_name, used_names, findings)
        used_names.add(list_target.column.casefold())
    used_names |= _bind_updated_at(surface, by_name, used_names, findings)
    payload = [
        column for name, column in by_name.items() if name not in used_names or name in surface.columns.key
    ]
    missing_types = {str(kind) for kind in config_input.identifiers} - {str(kind) for kind in identifiers}
    properties = {property_name(column): column.name for column in payload}
    findings += _to_findings(
        (
            *column_rules.find_missing_columns(surface, by_name.keys()),
            *column_rules.find_payload_problems(surface, properties, identifiers, missing_types),
        ),
        payload,
    )
    guards = surface.guards
    hint = find_attribute_hint(surface, properties, [column.name for column in payload if column.quoted])
    config = ModelConfig(
        surface=surface,
        list_target=list_target,
        identifiers=identifiers,
        tags=tuple(config_input.tags),
        on_shared_identifier=config_input.on_shared_identifier,
        min_rows=guards.min_rows if config_input.min_rows is None else config_input.min_rows,
        max_removes=override_limit(guards.max_removes, config_input.max_removes),
        enabled=config_input.enabled,
        description=config_input.description,
        max_age=parse_duration(config_input.max_age),
        settings=config_input.describe(),
        max_adds=override_limit(guards.max_adds, config_input.max_adds),
        max_updates=override_limit(guards.max_updates, config_input.max_updates),
        max_rejected=override_limit(guards.max_rejected, config_input.max_rejected),
        max_clears=override_limit(guards.max_clears, config_input.max_clears),
        full_every=parse_duration(config_input.full_every) or FULL_EVERY,
    )
    return BoundConfig(
        config,
        tuple(PayloadColumn(output_column.name, property_name(output_column)) for output_column in payload),
        tuple(findings),
        tuple(_to_findings(column_rules.find_payload_warnings(surface, properties, identifiers), payload)),
        tuple(_to_findings([hint] if hint else [], payload)),
    )


def _bind_identifiers(
    config_input: ConfigInput,
    surface: Surface,
    by_name: Mapping[str, OutputColumn],
    findings: list[Finding],
) -> Mapping[IdentifierType, str]:
    names = [column.name for column in by_name.values()]
    requested = dict(config_input.identifiers)
    if not requested and surface.columns.identifiers:
        requested = {str(kind): str(kind) for kind in IdentifierType if kind in by_name}
    bound: dict[IdentifierType, str] = {}
    for kind, column in requested.items():
        if column.casefold() in by_name:
            bound[IdentifierType(kind)] = by_name[column.casefold()].name
        else:
            findings.append(
                Finding(
                    f"The column {column} of the identifier {kind} is not selected.",
                    did_you_mean(column, names),
                )
            )
    findings += _to_findings(column_rules.find_identifier_problems(surface, requested))
    return bound


def _to_findings(
    problems: Iterable[ColumnProblem], columns: Sequence[OutputColumn] = ()
) -> Iterator[Finding]:
    offsets = {column.name: column.offset for column in columns}
    return (Finding(problem.summary, problem.hint, offsets.get(problem.column)) for problem in problems)


def _bind_list_column(
    list_target: ListColumn,
    by_name: Mapping[str, OutputColumn],
    used_names: set[str],
    findings: list[Finding],
) -> ListColumn:
    column = by_name.get(list_target.column.casefold())
    if column is None:
        names = [output_column.name for output_column in by_name.values()]
        findings.append(
            Finding(
                f"The list_column {list_target.column} is not selected.",
                did_you_mean(list_target.column, names),
            )
        )
        return list_target
    if list_target.column.casefold() in used_names:
        findings.append(
            Finding(
                f"The list_column {column.name} is also an identifier.",
                "Select the list's name as a separate column.",
            )
        )
    return ListColumn(column.name)


def _bind_updated_at(
    surface: Surface,
    by_name: Mapping[str, OutputColumn],
    used_names: set[str],
    findings: list[Finding],
) -> set[str]:
    """Return the name of the column of `updated_at`, which is not sent; nothing if the model has none."""
    requested = surface.columns.updated_at
    if not requested:
        return set()
    column = by_name.get(requested.casefold())
    if column is None:
        names = [output_column.name for output_column in by_name.values()]
        findings.append(
            Finding(f"The column {requested} of updated_at is not selected.", did_you_mean(requested, names))
        )
    elif requested.casefold() in used_names:
        findings.append(
            Finding(
                f"The column {column.name} of updated_at is also an identifier or the list's name.",
                "Select the time of the row's last change as a separate column.",
                column.offset,
            )
        )
    return {requested.casefold()}


def property_name(column: OutputColumn) -> str:
    """Return the name under which a column is sent: in lower case, or as written if it is quoted."""
    return column.name if column.quoted else column.name.lower()
