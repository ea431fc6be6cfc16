"""Ready models, and a dbt source of the state, as files of the package."""

from __future__ import annotations

import re
from importlib.resources import files
from typing import Final

from reverse_etl.surfaces.catalog import find_surface

_FOLDER: Final = files("reverse_etl.config") / "templates"
_SUFFIX: Final = ".sql"
_SURFACE: Final = re.compile(r"^\s*surface='(\w+)'", re.MULTILINE)


def model_template_names() -> tuple[str, ...]:
    """Return the names of the ready models, sorted."""
    names = (entry.name for entry in _FOLDER.iterdir() if entry.name.endswith(_SUFFIX))
    return tuple(sorted(name.removesuffix(_SUFFIX) for name in names))


def read_model_template(name: str) -> str:
    """Return the text of a ready model. Raises FileNotFoundError for another name."""
    return (_FOLDER / f"{name}{_SUFFIX}").read_text(encoding="utf-8")


def has_own_requests(text: str) -> bool:
    """Return whether the config of a ready model describes its requests."""
    return any(
        surface.described_by_model
        for name in _SURFACE.findall(text)
        if (surface := find_surface(name)) is not None
    )


def render_dbt_source(database: str, schema: str) -> str:
    """Return the YAML of a dbt source of the state's tables in a schema."""
    text = (_FOLDER / "reverse_etl_state.yml").read_text(encoding="utf-8")
    names = {"DATABASE": database, "SCHEMA": schema}
    for placeholder, name in names.items():
        text = text.replace(f"'{placeholder}'", "'" + name.replace("'", "''") + "'")
    return text
