"""Ready models, and a dbt source of the state, as files of the package."""

from __future__ import annotations

import re
from importlib.resources import files
from typing import TYPE_CHECKING, Final

from reverse_etl.config.scaffold import select_as
from reverse_etl.surfaces.catalog import find_surface

if TYPE_CHECKING:
    from collections.abc import Mapping

    from reverse_etl.config.people_table import PeopleTable

_FOLDER: Final = files("reverse_etl.config") / "templates"
_SUFFIX: Final = ".sql"
# The table that ready models of people read; `fill_people` puts one of the warehouse in its place.
_PEOPLE: Final = "    select customer_id, email, first_name\n    from {{ ref('customers') }}\n"
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


def reads_people(text: str) -> bool:
    """Return whether a ready model reads a table of people, which `fill_people` can replace."""
    return _PEOPLE in text


def fill_people(text: str, source: PeopleTable, folds_to_upper_case: bool) -> str:  # noqa: FBT001 - of a pair
    """Return a ready model that reads a table of people, without the columns that the table lacks."""
    columns = {
        "customer_id": source.id,
        "email": source.email,
        "first_name": source.names.get("first_name", ""),
    }
    selected = ", ".join(
        select_as(column, alias, folds_to_upper_case=folds_to_upper_case)
        for alias, column in columns.items()
        if column
    )
    before, _, after = text.partition(_PEOPLE)
    people = f"    select {selected}\n    from {{{{ ref('{source.table}') }}}}\n"
    return _without_columns(before, columns) + people + _without_columns(after, columns)


def _without_columns(text: str, columns: Mapping[str, str]) -> str:
    """Return a part of a ready model without the aliases that have no column."""
    for alias in (alias for alias, column in columns.items() if not column):
        text = re.sub(rf"^ +{alias},\n|\b{alias}, |, {alias}\b", "", text, flags=re.MULTILINE)
        text = re.sub(rf"(, )?'\w+': '{alias}'(?(1)|, )", "", text)
    if not columns["email"]:
        text = re.sub(r"case when email .* end", "'All customers'", text).replace(
            "where email", "where customer_id"
        )
    return text
