"""Mistakes in a model's SQL."""

from __future__ import annotations

from tests.compile.cases import case, model

CASES = [
    case(
        "star",
        model("""\
{{ config(surface='profiles') }}
select * from t
"""),
    ),
    case(
        "unnamed",
        model("""\
{{ config(surface='profiles') }}
select email, count(*) from t group by email
"""),
    ),
    case(
        "dup",
        model("""\
{{ config(surface='profiles') }}
select email, name, upper(name) as Name, 1 as retl_key from t
"""),
    ),
    case(
        "syntax",
        model("""\
{{ config(surface='profiles') }}
select email, from
where t
"""),
    ),
    case(
        "syntax2",
        model("""\
{{ config(surface='profiles') }}
select email frm customers c
"""),
    ),
    case(
        "quote",
        model("""\
{{ config(surface='profiles') }}
select 'email from customers c
"""),
    ),
    case(
        "two statements",
        model("""\
{{ config(surface='profiles') }}
select email from t;
delete from t
"""),
    ),
    case(
        "insert",
        model("""\
{{ config(surface='profiles') }}
insert into t select 1
"""),
    ),
    case(
        "delete in cte",
        model("""\
{{ config(surface='profiles') }}
with gone as (delete from t returning email)
select email from gone
"""),
    ),
    case(
        "file",
        model("""\
{{ config(surface='profiles') }}
select email from read_csv('/etc/passwd')
union all
select email from 'people.parquet'
"""),
    ),
    case(
        "getenv",
        model("""\
{{ config(surface='profiles') }}
select email, getenv('HOME') as home from t
"""),
    ),
    case(
        "now",
        model("""\
{{ config(surface='profiles') }}
select email, now() as at, random() as r from t
where x < now()
"""),
    ),
    case(
        "no sql",
        model("""\
{{ config(surface='profiles') }}
"""),
    ),
]
