"""What a user sees, word by word, when a model's SQL is wrong."""
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
            "* takes whatever columns there are, so a new one would be sent unasked.",
            "models/vip.sql:2:8",
            "Name the columns.",
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
            "Two columns are called Name.",
            "models/vip.sql:2:36",
            "Rename one: names are compared without case.",
        ),
        Problem(
            "Column retl_key begins with retl_, which is kept for reverse_etl's own columns.",
            "models/vip.sql:2:47",
            "Give it another name.",
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
            "The SQL cannot be read as duckdb's: expected table name near where.",
            "models/vip.sql:3:1",
            "Look just before this place. If duckdb does take it, put it into a view and select from that.",
        ),
    ),
    case(
        "syntax2",
        model("""\
{{ config(surface='profiles') }}
select email frm customers c
"""),
        Problem(
            "The SQL cannot be read as duckdb's: unexpected customers.",
            "models/vip.sql:2:18",
            "Look just before this place. If duckdb does take it, put it into a view and select from that.",
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
            "Inside text, a quote is written twice: 'it''s'.",
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
            "Keep the SELECT; what prepares it belongs into WITH or into dbt.",
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
        Problem("The model has DELETE in it; a model only reads.", "models/vip.sql:2:15", "Take it out."),
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
            "The model reads read_csv(); a model reads tables and views of the warehouse.",
            "models/vip.sql:2:19",
            "Load it with dbt, as a seed or a source, and read that with ref() or source().",
        ),
        Problem(
            "The model reads the file people.parquet; a model reads tables and views of the warehouse.",
            "models/vip.sql:4:19",
            "Load it with dbt, as a seed or a source, and read that with ref() or source().",
        ),
    ),
    case(
        "getenv",
        model("""\
{{ config(surface='profiles') }}
select email, getenv('HOME') as home from t
"""),
        Problem(
            "The model calls getenv(), which reaches outside the warehouse's tables.",
            "models/vip.sql:2:15",
            "Take it out; values from outside come in by var() or env_var().",
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
            "now() in a column changes every run, so every run would send all rows.",
            "models/vip.sql:2:15",
            "Use current_date, which changes once a day, or a column of the table; in WHERE the time of day is fine.",
        ),
        Problem(
            "random() gives something else on every run, so people would come and go at random.",
            "models/vip.sql:2:28",
            "Take it out; to choose a part of the people, compare a hash of their key.",
        ),
    ),
    case(
        "no sql",
        model("""\
{{ config(surface='profiles') }}
"""),
        Problem("The model has no SQL.", "models/vip.sql", "Write one SELECT below config()."),
    ),
]


@pytest.mark.parametrize(("files", "given", "problems"), CASES)
def test_a_mistake_is_explained(
    folder: Folder, files: dict[str, str], given: dict[str, Any], problems: tuple[Problem, ...]
) -> None:
    """A mistake is said in whole sentences, with its place and the next step; all mistakes are said at once."""
    folder.write(files)
    with pytest.raises(UsageError) as caught:
        folder.compile(**given)
    assert folder.shown(caught.value) == problems
