"""The names available in a model's template: `config`, `ref`, `source`, `var`, `env_var` and `target`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from reverse_etl.config.target import VISIBLE_SETTINGS
from reverse_etl.klaviyo.private_key import KEY_VARIABLE
from reverse_etl.models.relations import STATE_SOURCE, Relation, state_relation
from reverse_etl.parsing.jinja import ContextError, current_line
from reverse_etl.parsing.suggestions import did_you_mean
from reverse_etl.parsing.variables import Var, make_env_var
from reverse_etl.surfaces.catalog import EXAMPLE

if TYPE_CHECKING:
    from reverse_etl.config.target import Target
    from reverse_etl.models.relations import Relations

_AVAILABLE_NAMES: Final = ("config", "ref", "source", "var", "env_var", "target")
_INCREMENTAL_NAMES: Final = frozenset({"this", "is_incremental", "should_full_refresh"})
_DBT_NAMES: Final = frozenset(
    [
        "adapter",
        "api",
        "builtins",
        "create_schema",
        "dbt",
        "dbt_metadata_envs",
        "dbt_utils",
        "dbt_version",
        "dispatch",
        "doc",
        "exceptions",
        "execute",
        "flags",
        "fromjson",
        "fromyaml",
        "get_where_subquery",
        "graph",
        "invocation_id",
        "load_agate_table",
        "load_result",
        "local_md5",
        "log",
        "macro",
        "metrics",
        "micropartitions",
        "model",
        "modules",
        "print",
        "project_name",
        "return",
        "run_query",
        "run_started_at",
        "schema",
        "selected_resources",
        "set_strict",
        "snapshot",
        "statement",
        "store_result",
        "submit_python_job",
        "thread_id",
        "tojson",
        "toyaml",
        "try_or_compiler_error",
        "validation",
        "write",
        "zip_strict",
    ]
)


@dataclass(frozen=True)
class TemplateProblem:
    """A failed call in a template, with its line."""

    summary: str
    hint: str
    line: int | None


@dataclass
class ModelContext:
    """The template context of one rendering of one model; it records the calls of the template, in order.

    A failed call is recorded and renders as nothing, so that the rest of the file is still checked.
    `state_reads` are what the model reads of the state, kept responses of a model or the journal, each with
    its line.
    """

    target: Target
    relations: Relations
    variables: Mapping[str, Any]
    environ: Mapping[str, str]
    template_problems: list[TemplateProblem] = field(default_factory=list)
    configs: list[tuple[int | None, Mapping[str, Any]]] = field(default_factory=list)
    reads: list[str] = field(default_factory=list)
    state_reads: dict[str, int | None] = field(default_factory=dict)

    def build_namespace(self) -> Mapping[str, Any]:
        """Return the names that the template can use, with their values."""
        var = Var(self.variables)
        recording_var = _RecordingVar(self, var)
        return {
            "config": self.config,
            "ref": self.ref,
            "source": self.source,
            "var": recording_var,
            "env_var": self.record_failures(
                make_env_var(self.environ, secret={KEY_VARIABLE, *self.target.secret_variables})
            ),
            "target": build_target_values(self.target),
        }

    def record_failures(self, call: Callable[..., Any]) -> Callable[..., Any]:
        """Return a function that calls `call` and records a ContextError instead of raising it."""

        def recording_call(*arguments: Any, **keywords: Any) -> Any:
            try:
                return call(*arguments, **keywords)
            except ContextError as error:
                self.template_problems.append(TemplateProblem(error.summary, error.hint, current_line()))
                return ""

        return recording_call

    def config(self, *arguments: Any, **settings: Any) -> str:
        """Record the model's settings, given as keywords or as one mapping. Renders as nothing."""
        given_settings = arguments[0] if len(arguments) == 1 and not settings else settings
        line = current_line()
        if not isinstance(given_settings, Mapping) or (arguments and settings):
            self.template_problems.append(
                TemplateProblem(
                    "config() takes keyword arguments.",
                    f"For example: {{{{ config(surface='{EXAMPLE.name}', ...) }}}}",
                    line,
                )
            )
        else:
            self.configs.append((line, {str(key): value for key, value in given_settings.items()}))
        return ""

    def ref(self, *arguments: Any, **keywords: Any) -> Relation:
        """Return a dbt model's relation: `ref('name')`, `ref('package', 'name')`, `version=` or `v=`."""
        return self._look_up_relation(self._resolve_ref, arguments, keywords)

    def source(self, *arguments: Any, **keywords: Any) -> Relation:
        """Return the relation of a dbt source: `source('name', 'table')`."""
        return self._look_up_relation(self._resolve_source, arguments, keywords)

    def _look_up_relation(self, lookup: Callable[..., Relation], arguments: Any, keywords: Any) -> Relation:
        placeholder = Relation("nothing", "", "", "", "nothing")
        relation: Relation = self.record_failures(lookup)(*arguments, **keywords) or placeholder
        if relation.unique_id and relation is not placeholder and relation.unique_id not in self.reads:
            self.reads.append(relation.unique_id)
        return relation

    def _resolve_ref(self, *arguments: Any, **keywords: Any) -> Relation:
        version = keywords.pop("version", keywords.pop("v", None))
        match arguments:
            case (str(name),) if not keywords:
                return self.relations.ref(name, None, None if version is None else str(version))
            case (str(package), str(name)) if not keywords:
                return self.relations.ref(name, package, None if version is None else str(version))
            case _:
                raise ContextError(
                    "ref() takes the name of a dbt model.", "For example: {{ ref('customers') }}"
                )

    def _resolve_source(self, *arguments: Any, **keywords: Any) -> Relation:
        match arguments:
            case (str(source), str(table)) if not keywords:
                if source == STATE_SOURCE and not self.relations.has_source(source, table):
                    self.state_reads.setdefault(table, current_line())
                    return state_relation(table)
                return self.relations.source(source, table)
            case _:
                raise ContextError(
                    "source() takes the name of a dbt source and the name of a table.",
                    "For example: {{ source('shop', 'customers') }}",
                )

    def explain_undefined(self, name: str) -> tuple[str, str]:
        """Return the summary and hint for an undefined name."""
        if name in _INCREMENTAL_NAMES:
            return (
                f"{name} is not available: a model selects the whole desired state, not only new rows.",
                "Select all rows that should exist; reverse-etl finds what changed since the last run.",
            )
        if name in _DBT_NAMES or name in self.relations.macros:
            return (
                f"{name} belongs to dbt and is not available in a reverse-etl model.",
                "Move that logic into a dbt model and select from it with ref().",
            )
        return f"{name} is undefined.", did_you_mean(name, _AVAILABLE_NAMES)


class _RecordingVar:
    """`var`, with its failures recorded, and `var.has_var`."""

    def __init__(self, context: ModelContext, var: Var) -> None:
        self._call = context.record_failures(var)
        self.has_var = var.has_var

    def __call__(self, *arguments: Any, **keywords: Any) -> Any:
        return self._call(*arguments, **keywords)


def build_target_values(target: Target) -> Mapping[str, Any]:
    """Return `target` as models see it: dbt's keys without secrets."""
    output = target.output
    settings = {name: output.settings[name] for name in VISIBLE_SETTINGS if name in output.settings}
    return settings | {
        "name": target.name,
        "target_name": target.name,
        "profile_name": target.profile,
        "type": str(output.type),
        "database": output.database,
        "dbname": output.database,
        "schema": output.schema,
    }
