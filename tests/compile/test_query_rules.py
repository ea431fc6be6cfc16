# ruff: noqa: E501 - a model or a message is one line
from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from reverse_etl.errors import ModelError

if TYPE_CHECKING:
    from tests.compile.conftest import Folder

CONFIG = "{{ config(surface='profiles') }}\n"

READS = [
    ("duckdb", "select email from t"),
    ("duckdb", "from t select email"),
    ("duckdb", "with a as (select * from t), b as (select a.* from a) select email, n from b"),
    ("duckdb", "select email, 1 as n from t union all select email, 2 from u order by 1 limit 3"),
    ("duckdb", "(select email from t) except (select email from u)"),
    ("duckdb", "select email from (values ('a@example.com')) as v(email)"),
    ("duckdb", "select email, tag from t, unnest(t.tags) as u(tag)"),
    ("duckdb", "select email, n from t, generate_series(1, 3) as g(n), range(3) r"),
    ("duckdb", "select email, (select count(*) from u where u.id = t.id) as n from t"),
    ("duckdb", "select t.email, s.address.city from t join s using (id)"),
    ("duckdb", "select email from t qualify row_number() over (partition by email order by at desc) = 1"),
    ("duckdb", "select email, {'city': city} as location, list(x) as xs from t group by all"),
    ("duckdb", "select email from t tablesample reservoir(10) repeatable (3)"),
    ("duckdb", "with pg_tables as (select email from t) select email from pg_tables"),
    ("duckdb", "select email from shop.main.pg_tables join shop.temp.x using (id)"),
    ("duckdb", "select email from t where exists (select 1 from u where u.id = t.id limit 1) order by id limit 9"),
    ("snowflake", "select email from t order by id fetch first 10 rows only"),
    ("duckdb", "select email from (pivot t on kind using sum(n))"),
    ("snowflake", "select email, f.value as tag from t, lateral flatten(input => t.tags) f"),
    ("snowflake", "select email, v:address.city::string as city from t"),
    ("snowflake", "select email, seq4() as n from t, table(generator(rowcount => 3))"),
    ("snowflake", "select email, object_construct('a', 1) as o from t at (offset => -60)"),
    ("snowflake", "select email from t, lateral split_to_table(t.tags, ',') s"),
    ("snowflake", 'select "Email" as email from db.s."T"'),
]  # fmt: skip


@pytest.mark.parametrize(("warehouse", "sql"), READS)
def test_a_query_that_only_reads_the_warehouse_compiles(project: Folder, warehouse: str, sql: str) -> None:
    """CTEs, set operations, subqueries, VALUES, unnest and flatten, generated rows."""
    model = project.model(CONFIG + sql, target="prod" if warehouse == "snowflake" else "trial")
    assert model.sql == sql


REFUSED = [
    ("duckdb", "with x as (insert into u select 1 returning a) select email from t", "contains INSERT"),
    ("duckdb", "with x as (update u set a = 1 returning a) select email from t", "contains UPDATE"),
    ("duckdb", "select email into u from t", "contains INTO"),
    ("duckdb", "select email from t for update", "contains FOR UPDATE"),
    ("duckdb", "drop table t", "a DROP"),
    ("duckdb", "create table u as select email from t", "a CREATE"),
    ("duckdb", "copy t to 'x.csv'", "a COPY"),
    ("duckdb", "attach 'x.duckdb'", "an ATTACH"),
    ("duckdb", "call f()", "a CALL"),
    ("duckdb", "values (1, 2)", "a VALUES"),
    ("snowflake", "merge into t using u on t.a = u.a when matched then delete", "a MERGE"),
    ("duckdb", "select email from read_parquet('s3://b/x')", "reads read_parquet()"),
    ("duckdb", "select email from glob('*')", "reads glob()"),
    ("duckdb", "select email from sqlite_scan('x.db', 't')", "reads sqlite_scan()"),
    ("duckdb", "select email from duckdb_secrets()", "reads duckdb_secrets()"),
    ("duckdb", "select email from query_table('t')", "reads query_table()"),
    ("duckdb", "select email from 'people.csv'", "reads the file people.csv"),
    ("duckdb", 'select email from "https://example.com/x"', "reads the file https://example.com/x"),
    ("duckdb", "select email from t where x in (select content from read_text('/etc/passwd'))", "reads read_text()"),
    ("duckdb", "with a as (select * from read_csv('x')) select email from a", "reads read_csv()"),
    ("snowflake", "select email from @stage/x", "reads @stage/x"),
    ("snowflake", "select email from table(result_scan('x'))", "reads result_scan()"),
    ("snowflake", "select email from identifier('t')", "reads identifier()"),
    ("snowflake", "select email, system$whitelist() as w from t", "calls system$whitelist()"),
    ("duckdb", "select email, getenv('HOME') as h from t", "calls getenv()"),
    ("duckdb", "select email, current_setting('s3_secret_access_key') as h from t", "calls current_setting()"),
    ("duckdb", "select email from reverse_etl_state.main.runs", "belongs to the state of reverse-etl"),
    ("duckdb", "select email from reverse_etl_state.runs", "belongs to the state of reverse-etl"),
    ("duckdb", "select email from memory.main.staged", "belongs to the warehouse itself"),
    ("duckdb", "select email from temp.x", "belongs to the warehouse itself"),
    ("duckdb", "select table_name as email from information_schema.tables", "belongs to the warehouse itself"),
    ("duckdb", "select table_name as email from shop.information_schema.tables", "belongs to the warehouse itself"),
    ("duckdb", "select email from pg_catalog.pg_tables", "belongs to the warehouse itself"),
    ("duckdb", "select email from t where exists (select 1 from sqlite_master)", "belongs to the warehouse itself"),
    ("duckdb", "select sql as email from main.duckdb_tables", "belongs to the warehouse itself"),
    ("duckdb", "select email from (describe t)", "belongs to the warehouse itself"),
    ("duckdb", "select email from (show tables)", "belongs to the warehouse itself"),
    ("duckdb", "select email from (summarize t)", "belongs to the warehouse itself"),
    ("snowflake", "select email from REVERSE_ETL.RUNS", "belongs to the state of reverse-etl"),
    ("snowflake", "select email from analytics.reverse_etl.runs", "belongs to the state of reverse-etl"),
    ("snowflake", "select email from snowflake.account_usage.users", "belongs to the warehouse itself"),
    ("snowflake", "select email from analytics.information_schema.tables", "belongs to the warehouse itself"),
    ("duckdb", "select email from t union by name select name from u", "UNION BY NAME"),
    ("duckdb", "select email, t.* exclude (id) from t", "selects all columns"),
    ("duckdb", "select email, columns('a.*') from t", "selects all columns"),
    ("duckdb", "select email from t union all select * from u", "selects all columns"),
    ("duckdb", "select email, unnest(s) from t", "has no name"),
    ("duckdb", "select email, x::int from t", "has no name"),
]  # fmt: skip


@pytest.mark.parametrize(("warehouse", "sql", "what"), REFUSED)
def test_a_query_that_writes_or_reads_external_data_is_refused(
    project: Folder, warehouse: str, sql: str, what: str
) -> None:
    """Wherever it hides; and columns must be named one by one."""
    with pytest.raises(ModelError) as caught:
        project.model(CONFIG + sql, target="prod" if warehouse == "snowflake" else "trial")
    (problem,) = caught.value.problems
    assert what in problem.summary
    assert problem.hint


CHANGING = [
    ("duckdb", "select email, now() as at from t"),
    ("duckdb", "select email, current_timestamp as at from t"),
    ("duckdb", "select email, get_current_timestamp() as at from t"),
    ("duckdb", "select email, current_time as at from t"),
    ("duckdb", "select email, localtimestamp as at from t"),
    ("duckdb", "select email, date_diff('second', at, now()) as age from t"),
    ("duckdb", "select email, at > now() - interval 30 day as active from t"),
    ("duckdb", "select email, (select now()) as at from t"),
    ("duckdb", "with a as (select *, now() as at from t) select email, at from a"),
    ("duckdb", "with a as (select now() as at), b as (select at as then from a) select email, b.then from t, b"),
    ("duckdb", "with a(at) as (select now()) select email, at from t, a"),
    ("duckdb", "select email, at from (select email, now() as at from t) x"),
    ("duckdb", "select email, x.at from t join (select now() as b) as x(at) on true"),
    ("duckdb", "select email, at from t union all select email, now() from u"),
    ("duckdb", "with a as (select at from t union all select now()) select email, at from a, t"),
    ("duckdb", "select email, uuid() as u from t"),
    ("duckdb", "select email, uuidv7() as u from t"),
    ("duckdb", "select email, random() as r from t"),
    ("duckdb", "select email, nextval('s') as r from t"),
    ("duckdb", "select email from t order by random() limit 10"),
    ("duckdb", "select email from t where random() < 0.5"),
    ("duckdb", "select email from t using sample 10 rows"),
    ("duckdb", "select email from t limit 10"),
    ("duckdb", "select email from (select email from t limit 10) x order by email"),
    ("duckdb", "with a as (select email from t limit 10) select email from a"),
    ("duckdb", "select email from t union all select email from u limit 3"),
    ("duckdb", "(select email from t order by id) limit 3"),
    ("snowflake", "select top 10 email from t"),
    ("snowflake", "select email from t fetch first 10 rows only"),
    ("snowflake", "select email, sysdate() as at from t"),
    ("snowflake", "select email, getdate() as at from t"),
    ("snowflake", "select email, uuid_string() as u from t"),
    ("snowflake", "select email, uniform(1, 10, random()) as u from t"),
    ("snowflake", "select email, cast(current_timestamp() as timestamp_ntz) as at from t"),
]  # fmt: skip


@pytest.mark.parametrize(("warehouse", "sql"), CHANGING)
def test_a_query_whose_result_changes_on_every_run_is_refused(
    project: Folder, warehouse: str, sql: str
) -> None:
    """It would send every row every run, or let people come and go at random."""
    with pytest.raises(ModelError) as caught:
        project.model(CONFIG + sql, target="prod" if warehouse == "snowflake" else "trial")
    (problem,) = caught.value.problems
    assert "every run" in problem.summary


STEADY = [
    ("duckdb", "select email from t where at > now() - interval 30 day"),
    ("duckdb", "select email, current_date as today from t"),
    ("duckdb", "select email, date_diff('year', born, current_date) as age from t"),
    ("duckdb", "select email, now()::date as today from t"),
    ("duckdb", "select email, date_trunc('month', now()) as month from t"),
    ("duckdb", "with p as (select now() - interval 30 day as since) select email from t, p where t.at > p.since"),
    ("duckdb", "select email, (select count(*) from u where u.at > now()) as n from t"),
    ("duckdb", "select email from t where at > (select now())"),
    ("duckdb", "select email, count(*) as n from t group by email having max(at) > now()"),
    ("duckdb", "select email from t join u on u.at < now()"),
    ("duckdb", "with a as (select email, now() as seen from t) select email from a"),
    ("snowflake", "select email, current_timestamp()::date as today from t"),
    ("snowflake", "select email from t where at > dateadd(day, -30, current_timestamp())"),
]  # fmt: skip


@pytest.mark.parametrize(("warehouse", "sql"), STEADY)
def test_time_may_choose_rows_and_days_may_be_columns(project: Folder, warehouse: str, sql: str) -> None:
    """The time of day in a condition, and a date in a column, are what such models are made of."""
    assert project.model(CONFIG + sql, target="prod" if warehouse == "snowflake" else "trial").sql == sql
