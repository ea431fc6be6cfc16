"""The session settings of a dbt-duckdb output, checked before anything is opened."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from reverse_etl.config.duckdb_output import Attachment, is_attachment, read_attachments
from reverse_etl.errors import Problem, UsageError

# They change what SQL means, also that of this job, or close the doors that the job opens and closes itself.
_IGNORED_SETTINGS = frozenset(
    {
        *("default_order", "default_null_order", "null_order", "default_collation", "integer_division"),
        *("order_by_non_integer_literal", "lock_configuration", "enable_external_access"),
    }
)


@dataclass(frozen=True)
class SessionSettings:
    """The session settings of an output.

    The extensions to load, the settings and threads, the secrets to create, and the databases to attach.
    """

    extensions: tuple[str, ...] = ()
    settings: tuple[tuple[str, str], ...] = ()
    threads: int | None = None
    attachments: tuple[Attachment, ...] = ()
    secrets: tuple[Mapping[str, Any], ...] = field(default=(), repr=False)

    @property
    def initial(self) -> dict[str, Any]:
        """Return the settings to connect with; threads are among them, because connecting starts them."""
        # An extension would be downloaded unasked; the output's settings can ask for it.
        config = {"autoinstall_known_extensions": "false"}
        return config | ({"threads": str(self.threads)} if self.threads else {})


def session_settings(output: Mapping[str, Any], locations: Mapping[str, str]) -> SessionSettings:
    """Return what an output asks of its session. `locations` says of its keys where they were written.

    Settings that change what SQL means are left out. Raises UsageError with everything of a wrong shape.
    """
    problems = [
        Problem(
            f"{key} of a DuckDB output is not {expected}.",
            locations.get(key, _OUTPUT_LOCATION),
            f"As in dbt, write: {example}",
        )
        for key, is_valid, expected, example in _EXPECTED_SETTINGS
        if output.get(key) is not None and not is_valid(output[key])
    ]
    if problems:
        raise UsageError(*problems)
    settings = output.get("settings") or {}
    return SessionSettings(
        extensions=tuple(
            str(extension["name"] if isinstance(extension, Mapping) else extension)
            for extension in output.get("extensions") or ()
        ),
        settings=tuple(
            (str(key), str(value))
            for key, value in settings.items()
            if str(key).lower() not in _IGNORED_SETTINGS
        ),
        threads=max(int(output["threads"]), 1) if output.get("threads") else None,
        attachments=tuple(read_attachments(output)),
        secrets=tuple(output.get("secrets") or ()),
    )


def _is_number(value: object) -> bool:
    return str(value).isdecimal()


def _is_mapping(value: object) -> bool:
    return isinstance(value, Mapping)


def _is_extension_list(value: object) -> bool:
    return isinstance(value, list) and all(
        isinstance(extension, str) or (isinstance(extension, Mapping) and "name" in extension)
        for extension in value
    )


def _is_file_list(value: object) -> bool:
    return isinstance(value, list) and all(map(is_attachment, value))


def _is_secret_list(value: object) -> bool:
    return isinstance(value, list) and all(
        isinstance(secret, Mapping)
        and "type" in secret
        and all(_WORD.fullmatch(str(word)) for word in (*secret, secret["type"], secret.get("name") or "_"))
        for secret in value
    )


_WORD = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_OUTPUT_LOCATION = "the output in profiles.yml"
_EXPECTED_SETTINGS = (
    ("extensions", _is_extension_list, "a list of names", "extensions: [spatial]"),
    ("settings", _is_mapping, "a mapping", "settings: {memory_limit: 2GB}"),
    ("threads", _is_number, "a whole number", "threads: 4"),
    ("attach", _is_file_list, "a list of files with a path", "attach: [{path: other.duckdb, alias: other}]"),
    ("secrets", _is_secret_list, "a list of secrets with a type", "secrets: [{type: s3, key_id: ...}]"),
)
