"""The exact messages for mistakes in a model's SQL."""
# ruff: noqa: E501 - a message stands on one line

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from reverse_etl.errors import Problem, UsageError
from tests.compile.cases import case, model

if TYPE_CHECKING:
    from typing import Any

    from tests.compile.conftest import Folder

CASES = [
    case(
        "star",
        model("""\
{{ config(surface='profiles') }}
select * from t
"""),
        Problem(
            "* selects all columns, so a new column would be sent without notice.",
            "models/vip.sql:2:8",
            "List the columns.",
        ),
    ),
    case(
        "unnamed",
        model("""\
{{ config(surface='profiles') }}
select email, count(*) from t group by email
"""),
        Problem("Column 2, COUNT(*), has no name.", "models/vip.sql:2:15", "Add: as <name>"),
    ),
    case(
        "dup",
        model("""\
{{ config(surface='profiles') }}
select email, name, upper(name) as Name, 1 as retl_key from t
"""),
        Problem(
            "Two columns have the name Name.",
            "models/vip.sql:2:36",
            "Rename one: names are compared without regard to case.",
        ),
        Problem(
            "Column retl_key begins with retl_, which is reserved for reverse-etl.",
            "models/vip.sql:2:47",
            "Rename it.",
        ),
    ),
    case(
        "syntax",
        model("""\
{{ config(surface='profiles') }}
select email, from
where t
"""),
        Problem(
            "The SQL cannot be parsed as duckdb SQL: expected table name near where.",
            "models/vip.sql:3:1",
            "Check the SQL just before this place. If duckdb accepts it, move it into a view and select from that.",
        ),
    ),
    case(
        "syntax2",
        model("""\
{{ config(surface='profiles') }}
select email frm customers c
"""),
        Problem(
            "The SQL cannot be parsed as duckdb SQL: unexpected customers.",
            "models/vip.sql:2:18",
            "Check the SQL just before this place. If duckdb accepts it, move it into a view and select from that.",
        ),
    ),
    case(
        "quote",
        model("""\
{{ config(surface='profiles') }}
select 'email from customers c
"""),
        Problem(
            "The SQL has a quote or a comment that is not closed.",
            "models/vip.sql",
            "Close it. Inside a text, write a quote twice: 'it''s'.",
        ),
    ),
    case(
        "two statements",
        model("""\
{{ config(surface='profiles') }}
select email from t;
delete from t
"""),
        Problem(
            "The model has 2 statements; a model is one SELECT.",
            "models/vip.sql:3:1",
            "Keep the SELECT. Move the other statements into WITH or into a dbt model.",
        ),
    ),
    case(
        "insert",
        model("""\
{{ config(surface='profiles') }}
insert into t select 1
"""),
        Problem("The model is an INSERT; a model is one SELECT.", "models/vip.sql:2:1", "Write a SELECT."),
    ),
    case(
        "delete in cte",
        model("""\
{{ config(surface='profiles') }}
with gone as (delete from t returning email)
select email from gone
"""),
        Problem("The model contains DELETE; a model only reads.", "models/vip.sql:2:15", "Remove it."),
    ),
    case(
        "file",
        model("""\
{{ config(surface='profiles') }}
select email from read_csv('/etc/passwd')
union all
select email from 'people.parquet'
"""),
        Problem(
            "The model reads read_csv(); a model reads only tables and views of the warehouse.",
            "models/vip.sql:2:19",
            "Load the data with dbt, as a seed or a source, and select from it with ref() or source().",
        ),
        Problem(
            "The model reads the file people.parquet; a model reads only tables and views of the warehouse.",
            "models/vip.sql:4:19",
            "Load the data with dbt, as a seed or a source, and select from it with ref() or source().",
        ),
    ),
    case(
        "getenv",
        model("""\
{{ config(surface='profiles') }}
select email, getenv('HOME') as home from t
"""),
        Problem(
            "The model calls getenv(), which reads data outside the warehouse's tables.",
            "models/vip.sql:2:15",
            "Remove it, or pass the value with var() or env_var().",
        ),
    ),
    case(
        "now",
        model("""\
{{ config(surface='profiles') }}
select email, now() as at, random() as r from t
where x < now()
"""),
        Problem(
            "A column depends on now(), so every run would send all rows.",
            "models/vip.sql:2:15",
            "Use a column of the table, or current_date, which changes once a day. In WHERE, the time of day is allowed.",
        ),
        Problem(
            "random() has another result on every run, so rows would be added and removed at random.",
            "models/vip.sql:2:28",
            "Remove it. To select a fixed share of the rows, compare a hash of their key.",
        ),
    ),
    case(
        "no sql",
        model("""\
{{ config(surface='profiles') }}
"""),
        Problem("The model has no SQL.", "models/vip.sql", "Write a SELECT below config()."),
    ),
]


@pytest.mark.parametrize(("files", "given", "problems"), CASES)
def test_a_mistake_is_explained(
    folder: Folder, files: dict[str, str], given: dict[str, Any], problems: tuple[Problem, ...]
) -> None:
    folder.write(files)
    with pytest.raises(UsageError) as caught:
        folder.compile(**given)
    assert folder.shown(caught.value) == problems
