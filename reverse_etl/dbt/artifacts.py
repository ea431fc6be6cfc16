"""The JSON files that dbt leaves in its target folder, read with care for the version of their schema."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

import orjson

from reverse_etl.errors import IncompleteFile, ModelError
from reverse_etl.formatting import format_location

if TYPE_CHECKING:
    from pathlib import Path

Content = dict[str, Any]

# The versions of dbt's artifact schemas that have what is read here, by the names in their URLs.
MANIFEST_VERSIONS: Final = range(9, 14)
RUN_RESULTS_VERSIONS: Final = range(4, 8)
SOURCES_VERSIONS: Final = range(3, 5)
_VERSION = re.compile(r"/v(\d+)\.json")


def read_artifact(path: Path, name: str, key: str, versions: range, *, refresh_command: str) -> Content:
    """Return the content of an artifact, whose `key` is there and whose version is known where it says one.

    Raises ModelError that calls the artifact `name` and says to run `refresh_command` where it cannot be
    read, and IncompleteFile where it is cut off, as it is while dbt writes it.
    """
    try:
        content = orjson.loads(path.read_bytes())
    except OSError as error:
        reason = (error.strerror or "").lower()
        raise ModelError.of(f"{name} cannot be read: {reason}.", where=format_location(path)) from error
    except orjson.JSONDecodeError:
        raise IncompleteFile.of(
            f"{name} is not complete: dbt is writing it, or was stopped while it wrote.",
            where=format_location(path),
            hint=f"Try again when dbt has ended. If it has, run: {refresh_command}",
        ) from None
    if not isinstance(content, dict) or not isinstance(content.get(key), dict | list):
        raise ModelError.of(
            f"{name} has no {key}.", where=format_location(path), hint=f"Run: {refresh_command}"
        )
    if not isinstance(content.get("metadata") or {}, dict):
        raise ModelError.of(
            f"{name} has no metadata.", where=format_location(path), hint=f"Run: {refresh_command}"
        )
    schema = str((content.get("metadata") or {}).get("dbt_schema_version", ""))
    version = _VERSION.search(schema)
    if version and int(version[1]) not in versions:
        raise ModelError.of(
            f"{name} has version {version[1]}; versions {versions[0]} to {versions[-1]} can be read.",
            where=format_location(path),
            hint="Use dbt 1.5 or later."
            if int(version[1]) < versions[0]
            else "Use a newer version of this program.",
        )
    return content
