"""The template functions `env_var` and `var`, and the option --vars, compatible with dbt."""

from __future__ import annotations

from collections.abc import Callable, Container, Mapping
from typing import Any, Final

import yaml

from reverse_etl.errors import UsageError
from reverse_etl.parsing.jinja import ContextError
from reverse_etl.parsing.suggestions import find_nearest

_NO_DEFAULT: Final = object()
_SECRET_PREFIX: Final = "DBT_ENV_SECRET"  # noqa: S105 - a prefix of variable names, not a secret


class MissingVariableError(ContextError):
    """The environment variable `name` is not set, and the call has no default."""

    def __init__(self, name: str) -> None:
        super().__init__(
            f"The environment variable {name} is not set.",
            f"Set it, or write a default: env_var('{name}', 'default').",
        )
        self.name = name


def parse_vars(text: str | None) -> Mapping[str, Any]:
    """Return the variables of --vars, a YAML mapping. Raises UsageError if it is not a mapping."""
    try:
        parsed = yaml.safe_load(text or "{}")
    except yaml.YAMLError:
        parsed = None
    if not isinstance(parsed, Mapping):
        raise UsageError.of(
            "--vars is not a YAML mapping.",
            where="--vars",
            hint="For example: --vars '{min_value: 500}'",
        )
    return {str(name): value for name, value in parsed.items()}


def make_env_var(environ: Mapping[str, str], *, secret: Container[str] | None = None) -> Callable[..., str]:
    """Return the function `env_var(name, default)`, whose result is always text.

    It raises MissingVariableError if the variable is not set and there is no default. If `secret` is given,
    it also raises ContextError for the names in `secret` and those with dbt's prefix DBT_ENV_SECRET, since
    the SQL of a model is shown and stored.
    """

    def env_var(name: str, default: Any = _NO_DEFAULT) -> str:
        if secret is not None and (name.startswith(_SECRET_PREFIX) or name in secret):
            raise ContextError(
                f"The environment variable {name} is secret, or profiles.yml uses it like one; the SQL of a "
                "model is shown and stored.",
                "Use it in profiles.yml only. For a value that is not a secret, use var() or another "
                "variable.",
            )
        if name in environ:
            return environ[name]
        if default is _NO_DEFAULT:
            raise MissingVariableError(name)
        return str(default)

    return env_var


class Var:
    """The functions `var(name, default)` and `var.has_var(name)`."""

    def __init__(self, values: Mapping[str, Any]) -> None:
        self._values = values

    def __call__(self, name: str, default: Any = _NO_DEFAULT) -> Any:
        """Return the value or the default. Raises ContextError if there is neither."""
        if name in self._values:
            return self._values[name]
        if default is not _NO_DEFAULT:
            return default
        guess = find_nearest(name, self._values)
        suggestion = f"Did you mean {guess}? " if guess else ""
        raise ContextError(
            f"The variable {name} has no value.",
            f"{suggestion}Set it with --vars '{{{name}: ...}}' or under vars: in dbt_project.yml, "
            f"or write a default: var('{name}', 'default').",
        )

    def has_var(self, name: str) -> bool:
        """Return whether the variable has a value."""
        return name in self._values
