"""Find the environment variables whose values models may not read, because a profile uses them as secrets."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from reverse_etl.config.target import VISIBLE_SETTINGS
from reverse_etl.parsing.jinja import TemplateError, render_value
from reverse_etl.parsing.variables import make_env_var

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_SHOWN_SETTINGS: Final = frozenset((*VISIBLE_SETTINGS, "type", "database", "dbname", "schema"))
_COMMAND_FIELD: Final = "private_api_key_command"
_WORD: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


def find_secret_variables(
    profile_entry: Mapping[str, Any], context: Mapping[str, Any], environ: Mapping[str, str]
) -> frozenset[str]:
    """Return the variables that the destinations of a profile read, and those of secret keys of its outputs.

    All targets count, not only the chosen one. A variable that the key's command names counts too.
    """
    names: set[str] = set()
    namespace = {**context, "env_var": _record_names(make_env_var(environ), names)}
    for name, destination in _entries(profile_entry.get("destinations")):
        target = {"target": {**context.get("target", {}), "name": name}}
        _render_all(destination, {**namespace, **target})
        names |= _command_variables(destination, environ)
    for name, output in _entries(profile_entry.get("outputs")):
        hidden = {key: value for key, value in output.items() if str(key) not in _SHOWN_SETTINGS}
        _render_all(hidden, {**namespace, "target": {**context.get("target", {}), "name": name}})
    return frozenset(names)


def _entries(entries: Any) -> Iterator[tuple[str, Mapping[str, Any]]]:
    for name, entry in entries.items() if isinstance(entries, Mapping) else ():
        if isinstance(entry, Mapping):
            yield str(name), entry


def _record_names(env_var: Callable[..., str], names: set[str]) -> Callable[..., str]:
    def recording_env_var(name: str, *defaults: Any) -> str:
        names.add(name)
        return env_var(name, *defaults)

    return recording_env_var


def _render_all(value: Any, context: Mapping[str, Any]) -> None:
    match value:
        case Mapping():
            for item in value.values():
                _render_all(item, context)
        case list():
            for item in value:
                _render_all(item, context)
        case str():
            try:
                render_value(value, context)
            except TemplateError:  # the names that were read until then count; the chosen target reports it
                return
        case _:
            return


def _command_variables(destination: Mapping[str, Any], environ: Mapping[str, str]) -> set[str]:
    words = _WORD.findall(str(destination.get(_COMMAND_FIELD) or ""))
    return {word for word in words if word in environ}
