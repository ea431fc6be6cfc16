"""Read the output or the destination of one target, and collect everything that is wrong with it."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

from reverse_etl.config.destinations import KEY_FIELDS, DestinationInput, KeyLocation, build_destination
from reverse_etl.config.output_rules import output_rules
from reverse_etl.config.target import Destination, Output
from reverse_etl.domain.engine import Engine
from reverse_etl.errors import Problem
from reverse_etl.parsing.jinja import TemplateError, render_value
from reverse_etl.parsing.suggestions import did_you_mean
from reverse_etl.parsing.validation import AdviceError, validate_mapping
from reverse_etl.parsing.variables import MissingVariableError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from reverse_etl.parsing.yaml_document import KeyPath, YamlDocument

_MIN_SECRET_LENGTH: Final = 6
_UNSET: Final = object()
# Matches keys whose values are secrets, or URLs that may hold one.
_SECRET_KEY: Final = re.compile(
    r"secret|password|passphrase|token|private_key(?!_path)|api_key(?!_file)|urls?$|^ping$", re.IGNORECASE
)


@dataclass(frozen=True)
class TargetSection:
    """Reads one entry of a target, value by value; a `read_` method that adds a problem returns None."""

    document: YamlDocument
    environ: Mapping[str, str]
    problems: list[Problem]
    warnings: list[str]
    path: KeyPath
    context: Mapping[str, Any]

    def read_output(self) -> Output | None:
        """Return the output, or None with a problem."""
        settings = self._render(self._raw_value(), ())
        if not isinstance(settings, dict):
            self._add_problem(
                "The output must be a mapping.", (), "For example: {type: duckdb, path: shop.duckdb}"
            )
            return None
        engine_type = settings.get("type")
        engine_names = [str(engine) for engine in Engine]
        if engine_type not in engine_names:
            summary = (
                f"The output's type cannot be {engine_type!r}." if engine_type else "The output has no type."
            )
            self._add_problem(summary, ("type",), did_you_mean(str(engine_type or ""), engine_names))
            return None
        engine = Engine(engine_type)
        if problem := output_rules(engine).find_problem(settings):
            summary, key, hint = problem
            self._add_problem(summary, (key,), hint)
            return None
        locations = {key: self._locate((key,)) for key in ("path", "database", "schema") if key in settings}
        return Output(engine, settings, locations)

    def read_destination(self) -> Destination | None:
        """Return the destination, or None with a problem."""
        raw_entry = self._raw_value()
        if not isinstance(raw_entry, dict):
            self._add_problem("The destination must be a mapping.", (), "For example: {type: klaviyo}")
            return None
        problem_count = len(self.problems)
        entry = self._drop_key_fields(raw_entry)
        missing_variable = self._extract_missing_key(entry)
        unset_receivers: list[Problem] = []
        if "notify" in entry:
            notify = self._drop_unset(entry.pop("notify"), ("notify",), unset_receivers)
            entry |= {} if notify is _UNSET else {"notify": notify}
        rendered = self._render(entry, ())
        if len(self.problems) > problem_count:
            return None
        destination_input, destination_problems = validate_mapping(
            DestinationInput, rendered, mapping_name="a destination", locate=self._locate
        )
        self.problems.extend(destination_problems)
        if destination_input is None:
            return None
        try:
            destination = build_destination(
                destination_input,
                self.environ,
                KeyLocation(self._locate(("private_api_key",)), missing_variable),
            )
            return replace(destination, unset_receivers=tuple(unset_receivers))
        except AdviceError as error:
            self.problems.append(Problem(error.summary, "the environment", error.hint))
            return None

    def _drop_key_fields(self, raw_entry: Mapping[Any, Any]) -> dict[str, Any]:
        """Return the entry; the entry of a sandbox, which needs no key, without its key fields."""
        try:
            sandbox = render_value(str(raw_entry.get("sandbox", "")), self.context)
        except TemplateError:  # reported later, when all values are rendered
            sandbox = ""
        unneeded_keys = KEY_FIELDS if str(sandbox).lower() == "true" else ()
        return {str(key): value for key, value in raw_entry.items() if key not in unneeded_keys}

    def _extract_missing_key(self, entry: dict[str, Any]) -> str:
        """Remove `private_api_key` from the entry if its variable is not set, and return the variable.

        A plan needs no key. A key in plain text adds a warning.
        """
        raw = entry.get("private_api_key")
        if not isinstance(raw, str) or not raw.strip():
            return ""
        try:
            if render_value(raw, self.context) == raw:
                location = self.document.locate_line((*self.path, "private_api_key"))
                self.warnings.append(
                    f"{location}: the private key is written in the file. "
                    "Read it from the environment instead, with env_var()."
                )
        except TemplateError as error:
            if isinstance(error.cause, MissingVariableError):
                del entry["private_api_key"]
                return error.cause.name
        return ""

    def _drop_unset(self, value: Any, path: KeyPath, unset: list[Problem]) -> Any:
        """Return a value of `notify` without the receivers whose environment variable is not set, or blank.

        Only a run needs them, and an alert that can't be sent never changes how it ends. Adds a problem for
        each to `unset`. An entry of a list goes as a whole: a webhook without its secret is no receiver.
        """
        match value:
            case dict():
                kept = {key: self._drop_unset(item, (*path, str(key)), unset) for key, item in value.items()}
                return {key: item for key, item in kept.items() if item is not _UNSET}
            case list():
                return [item for item in self._drop_unset_entries(value, path, unset) if item is not _UNSET]
            case str():
                return _UNSET if self._is_unset(value, path, unset) else value
            case _:
                return value

    def _drop_unset_entries(
        self, entries: Sequence[Any], path: KeyPath, unset: list[Problem]
    ) -> Iterator[Any]:
        for index, entry in enumerate(entries):
            known = len(unset)
            kept = self._drop_unset(entry, (*path, index), unset)
            yield kept if len(unset) == known else _UNSET

    def _is_unset(self, value: str, path: KeyPath, unset: list[Problem]) -> bool:
        try:
            is_none = "ping" in path  # it may be blank: none is sent
            if value and not is_none and not str(render_value(value, self.context)).strip():
                hint = "Set its environment variable."
                unset.append(Problem("The value is blank.", self._locate(path), hint))
                return True
        except TemplateError as error:
            if isinstance(error.cause, MissingVariableError):
                hint = "Set it: a secret belongs in the environment."
                unset.append(Problem(error.summary, self._locate(path), hint))
                return True
        return False

    def _render(self, value: Any, path: KeyPath) -> Any:
        match value:
            case dict():
                return {str(key): self._render(item, (*path, str(key))) for key, item in value.items()}
            case list():
                return [self._render(item, (*path, index)) for index, item in enumerate(value)]
            case str():
                try:
                    return render_value(value, self.context)
                except TemplateError as error:
                    self._add_problem(*self._describe_error(error, path))
                    return ""
            case _:
                return value

    def _describe_error(self, error: TemplateError, path: KeyPath) -> tuple[str, KeyPath, str]:
        """Return summary, path and hint for a value that cannot be rendered.

        A summary that would show a value of the environment, which may be a secret, is replaced. A secret
        gets no advice to write a default, which would put it into the file.
        """
        if error.undefined_name:
            return (
                f"{error.undefined_name} is undefined.",
                path,
                did_you_mean(error.undefined_name, self.context),
            )
        values = (value for value in self.environ.values() if len(value) >= _MIN_SECRET_LENGTH)
        if error.cause is None and any(value in error.summary for value in values):
            return "The value cannot be rendered.", path, "Simplify the expression between {{ and }}."
        is_secret = any(isinstance(key, str) and _SECRET_KEY.search(key) for key in path)
        if is_secret and isinstance(error.cause, MissingVariableError):
            return error.summary, path, "Set it: a secret belongs in the environment."
        return error.summary, path, error.hint

    def _raw_value(self) -> Any:
        value = self.document.content
        for key in self.path:
            value = value[key]
        return value

    def _locate(self, path: tuple[str | int, ...]) -> str:
        return self.document.locate_key((*self.path, *path))

    def _add_problem(self, summary: str, path: KeyPath, hint: str) -> None:
        self.problems.append(Problem(summary, self._locate(path), hint))
