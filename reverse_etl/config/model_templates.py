"""Ready models, as files of the package."""

from __future__ import annotations

from importlib.resources import files
from typing import Final

_FOLDER: Final = files("reverse_etl.config") / "templates"
_SUFFIX: Final = ".sql"


def model_template_names() -> tuple[str, ...]:
    """Return the names of the ready models, sorted."""
    names = (entry.name for entry in _FOLDER.iterdir() if entry.name.endswith(_SUFFIX))
    return tuple(sorted(name.removesuffix(_SUFFIX) for name in names))


def read_model_template(name: str) -> str:
    """Return the text of a ready model. Raises FileNotFoundError for another name."""
    return (_FOLDER / f"{name}{_SUFFIX}").read_text(encoding="utf-8")
