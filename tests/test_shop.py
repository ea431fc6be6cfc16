"""The shop's warehouse: the same every time, as untidy as it says, and changed on day 2 as it says."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb
import pytest

from reverse_etl.config.profiles import load_target
from reverse_etl.demo.shop import build_warehouse
from reverse_etl.errors import WarehouseError
from reverse_etl.models.compile import compile_models

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reverse_etl.models.model import Model

ROOT = Path(__file__).parent.parent

MACROS = """
create macro number(phone) as regexp_replace(phone, '[ ().-]', '', 'g');
create macro is_number(phone) as regexp_matches(number(phone), '^[+][1-9][0-9]{9,14}$');
create macro address(email) as lower(trim(email));
create macro is_address(email) as regexp_matches(address(email), '^[^@ ]+@[^@ ]+[.][^@ ]+$');
"""


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[duckdb.DuckDBPyConnection]:
    """Open the warehouses of days 1, 2 and 3, and day 1 built once more, as day1, day2, day3 and again."""
    folder = tmp_path_factory.mktemp("shop")
    with duckdb.connect() as connection:
        connection.execute(MACROS)
        for name, day in (("day1", 1), ("day2", 2), ("day3", 3), ("again", 1)):
            build_warehouse(folder / f"{name}.duckdb", day)
            connection.execute(f"attach '{folder}/{name}.duckdb' as {name} (read_only)")
        yield connection


def figure(shop: duckdb.DuckDBPyConnection, sql: str) -> int:
    """Return the one number that a query gives."""
    return int(shop.execute(sql).fetchall()[0][0])


@pytest.mark.parametrize("table", ["customers", "orders"])
@pytest.mark.parametrize(("one", "other"), [("day1", "again"), ("day2", "day3")])
def test_the_rows_and_their_order_are_the_same_every_time(
    shop: duckdb.DuckDBPyConnection, table: str, one: str, other: str
) -> None:
    """Two builds of one day are equal row by row, and from day 2 on nothing changes any more."""
    ours, theirs = (f"{day}.main.{table}" for day in (one, other))
    both = f"{ours} as ours positional join {theirs} as theirs"
    assert figure(shop, f"select count(*) from {both}") > 40_000
    assert figure(shop, f"select count(*) from {both} where ours is distinct from theirs") == 0
    assert figure(shop, f"select count(*) from {ours}") == figure(shop, f"select count(*) from {theirs}")


def test_the_rows_do_not_depend_on_machine_or_version(shop: duckdb.DuckDBPyConnection) -> None:
    """Figures over every column, noted when the shop was written, come out on any machine."""
    sums = shop.execute("""
        select count(*), sum(customer_id), sum(lifetime_value)::varchar, sum(orders), sum(length(email)),
            count(phone), sum(last_order_on - date '2020-01-01'), sum(epoch(signed_up_at)::bigint),
            count(*) filter (accepts_marketing), count(distinct (first_name, last_name, city, country)),
            count(*) filter (favourite_category = 'tea'), count(*) filter (loyalty_tier = 'gold')
        from day1.main.customers""").fetchall()
    assert sums == [
        (
            *(50100, 6196924625, "9364861.96", 202321, 1478614, 10692),
            *(93293735, 86151621014807, 26187, 15618, 9974, 5001),
        )
    ]


def test_the_tables_have_the_columns_that_models_read(shop: duckdb.DuckDBPyConnection) -> None:
    """Names and types are dbt's usual ones: a model can rely on them."""
    columns = dict(
        shop.execute(
            "select column_name, data_type from duckdb_columns()"
            " where (database_name, table_name) = ('day1', 'customers')"
        ).fetchall()
    )
    assert columns == {
        "customer_id": "BIGINT",
        "email": "VARCHAR",
        "phone": "VARCHAR",
        "first_name": "VARCHAR",
        "last_name": "VARCHAR",
        "city": "VARCHAR",
        "country": "VARCHAR",
        "signed_up_at": "TIMESTAMP",
        "lifetime_value": "DECIMAL(12,2)",
        "orders": "INTEGER",
        "last_order_on": "DATE",
        "favourite_category": "VARCHAR",
        "accepts_marketing": "BOOLEAN",
        "loyalty_tier": "VARCHAR",
    }


MESS = {
    "rows": ("true", 50_100),
    "customers without an account": ("customer_id is null", 525),
    "e-mails that are NULL": ("email is null", 625),
    "e-mails that are empty or blank": ("trim(email) = ''", 50),
    "padded e-mails": ("email <> trim(email) and trim(email) <> ''", 7022),
    "e-mails in mixed case": ("email <> lower(email)", 10_604),
    "malformed e-mails": ("trim(email) <> '' and not is_address(email)", 200),
    "phones": ("phone is not null", 10_692),
    "malformed phones": ("not is_number(phone)", 80),
    "phones with blanks or punctuation": ("is_number(phone) and phone <> number(phone)", 7115),
    "people with nothing but a name": (
        "coalesce(customer_id::varchar, email, phone) is null",
        15,
    ),
    "first names outside ASCII": ("first_name <> strip_accents(first_name) or first_name > '~'", 37_892),
    "first names with an emoji": ("regexp_matches(first_name, '[☕🌻]')", 3006),
    "missing first names": ("first_name is null", 1518),
    "missing cities": ("city is null", 4484),
    "customers who never ordered": ("orders = 0", 3964),
    "customers who were never asked about marketing": ("accepts_marketing is null", 4964),
}


@pytest.mark.parametrize(("condition", "count"), MESS.values(), ids=MESS)
def test_the_rows_are_untidy(shop: duckdb.DuckDBPyConnection, condition: str, count: int) -> None:
    assert figure(shop, f"select count(*) from day1.main.customers where {condition}") == count


REPEATED = {
    "rows that occur twice": ("customers", "count(*) = 2", 100),
    "e-mails on two accounts": (
        "address(email)",
        "is_address(address(email)) and count(distinct customer_id) = 2",
        125,
    ),
    "phones of a household": (
        "number(phone)",
        "is_number(number(phone)) and count(distinct customer_id) = 2",
        578,
    ),
    "phones given at the till that are an account's too": (
        "number(phone)",
        "is_number(number(phone)) and count(*) > count(customer_id) and count(customer_id) > 0",
        10,
    ),
}


@pytest.mark.parametrize(("key", "condition", "count"), REPEATED.values(), ids=REPEATED)
def test_rows_and_identifiers_repeat(
    shop: duckdb.DuckDBPyConnection, key: str, condition: str, count: int
) -> None:
    groups = f"select any_value({key}) from day1.main.customers customers group by {key} having {condition}"
    assert figure(shop, f"select count(*) from ({groups})") == count


@pytest.mark.parametrize("day", ["day1", "day2"])
def test_no_real_person_is_in_it(shop: duckdb.DuckDBPyConnection, day: str) -> None:
    """Every e-mail lies in a domain kept for examples, every number in a block kept for fiction."""
    addresses = f"from {day}.main.customers where is_address(email)"
    numbers = f"from {day}.main.customers where is_number(phone)"
    invented = "regexp_matches(address(email), '@example[.](com|org|net)$')"
    fiction = "regexp_matches(number(phone), '^[+](1415555[0-9]{4}|4420794600[0-9]{2})$')"
    assert figure(shop, f"select count(*) {addresses}") > 48_000
    assert figure(shop, f"select count(*) {addresses} and not {invented}") == 0
    assert figure(shop, f"select count(*) {numbers}") > 10_000
    assert figure(shop, f"select count(*) {numbers} and not {fiction}") == 0


@pytest.mark.parametrize("day", ["day1", "day2"])
def test_customers_add_up_from_orders(shop: duckdb.DuckDBPyConnection, day: str) -> None:
    wrong = figure(
        shop,
        f"""
        with totals as (
            select customer_id, count(*) as orders, max(ordered_on) as last_order_on,
                coalesce(sum(amount) filter (status = 'shipped'), 0) as lifetime_value
            from {day}.main.orders where customer_id is not null group by customer_id
        )
        select count(*) from {day}.main.customers c left join totals t using (customer_id)
        where c.customer_id is not null and (c.orders, c.lifetime_value, c.last_order_on)
            is distinct from (coalesce(t.orders, 0), coalesce(t.lifetime_value, 0), t.last_order_on)
        """,
    )
    assert wrong == 0
    assert figure(shop, f"select count(*) from {day}.main.orders") > 200_000


PAIRS = """
    with one as (select distinct * from day1.main.customers where customer_id is not null),
    other as (select distinct * from day2.main.customers where customer_id is not null),
    ones as (select customer_id, one from one),
    others as (select customer_id, other from other),
    pairs as (select * from ones full join others using (customer_id))
"""
CHANGES = {
    "new customers": ("one is null", 396),
    "closed accounts": ("other is null", 603),
    "other e-mails": ("is_address(one.email) and address(one.email) <> address(other.email)", 192),
    "corrected e-mails": ("one.email <> '' and not is_address(one.email) and is_address(other.email)", 49),
    "moves": ("one.city <> other.city", 328),
    "orders": ("one.orders <> other.orders", 572),
    "consent given": ("not coalesce(one.accepts_marketing, false) and other.accepts_marketing", 334),
    "consent withdrawn": ("one.accepts_marketing and not other.accepts_marketing", 205),
    "from coffee to tea": ("one.favourite_category = 'coffee' and other.favourite_category = 'tea'", 8),
    "from tea to coffee": ("one.favourite_category = 'tea' and other.favourite_category = 'coffee'", 6),
    "any change": ("one is not null and other is not null and one <> other", 1512),
}


@pytest.mark.parametrize(("condition", "count"), CHANGES.values(), ids=CHANGES)
def test_day_2_changes_a_few_rows(shop: duckdb.DuckDBPyConnection, condition: str, count: int) -> None:
    assert figure(shop, f"{PAIRS} select count(*) from pairs where {condition}") == count


def compiled(folder: Path, day: str) -> dict[str, Model]:
    """Return the shop's models by name, as they read the warehouse of a day."""
    profile = {
        "outputs": {"trial": {"type": "duckdb", "path": f"{day}.duckdb"}},
        "destinations": {"trial": {"type": "klaviyo", "sandbox": True}},
    }
    (folder / "profiles.yml").write_text(json.dumps({"shop": {"target": "trial"} | profile}))
    target = load_target(ROOT, profiles_dir=folder, environ={})
    return {model.name: model for model in compile_models(ROOT, target, vars={}, environ={})}


# The people who are meant, in other words: (SQL over customers c, rows on day 1, rows on day 2).
MEANT = {
    "customer_profiles": ("true", 50_100, 49_888),
    "newsletter": ("c.accepts_marketing is true", 26_187, 25_984),
    "vip_customers": ("c.loyalty_tier = 'gold' and c.lifetime_value <> 500", 5001, 4967),
    "clubs": (
        "c.favourite_category not in ('chocolate', 'cups') and c.accepts_marketing is true",
        13_710,
        13_576,
    ),
    "win_back": ("c.orders > 1 and {newest} - c.last_order_on between 181 and 365", 5456, 5354),
}


@pytest.mark.parametrize("day", [1, 2])
@pytest.mark.parametrize("name", MEANT)
def test_a_model_selects_the_people_of_its_first_line(
    shop: duckdb.DuckDBPyConnection, tmp_path: Path, name: str, day: int
) -> None:
    """Each of the shop's models picks the same customers as another wording."""
    meant, *counts = MEANT[name]
    newest = f"(select max(ordered_on) from day{day}.main.orders)"
    model = compiled(tmp_path, f"day{day}")[name]
    picked = shop.execute(f"select customer_id, email from ({model.sql})").fetchall()
    others = f"select customer_id, email from day{day}.main.customers c where {meant.format(newest=newest)}"
    assert Counter(picked) == Counter(shop.execute(others).fetchall())
    assert len(picked) == counts[day - 1]


def test_day_2_takes_few_from_each_list(shop: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    """No list loses a twentieth of its people in a night: the guard against mass removals is content."""
    for name in compiled(tmp_path, "day1"):
        one, other = (compiled(tmp_path, day)[name].sql for day in ("day1", "day2"))
        identity = (
            "select distinct {list} as list, coalesce(nullif(address(email), ''), customer_id::varchar) as id"
        )
        people = identity.format(list="club" if name == "clubs" else f"'{name}'")
        before, after = f"{people} from ({one})", f"{people} from ({other})"
        shares = shop.execute(
            f"select list, avg((b.id is null)::int) from ({before}) a left join ({after}) b using (list, id)"
            " group by list"
        ).fetchall()
        assert len(shares) == (2 if name == "clubs" else 1)
        assert all(0 < share < 0.05 for _, share in shares), shares


def test_an_existing_warehouse_is_replaced(tmp_path: Path) -> None:
    """Building over a file, whatever it held, leaves the new day's tables and no other file."""
    path = tmp_path / "it's a shop.duckdb"
    path.write_text("not a database")
    build_warehouse(path, 1)
    with duckdb.connect(path, read_only=True) as connection:
        tables = connection.execute("select table_name from duckdb_tables() order by all").fetchall()
    assert tables == [("customers",), ("orders",)]
    assert [file.name for file in tmp_path.iterdir()] == [path.name]


def test_a_missing_folder_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "nowhere" / "shop.duckdb"
    with pytest.raises(WarehouseError) as caught:
        build_warehouse(path, 1)
    [problem] = caught.value.problems
    assert problem.summary.startswith("The shop's warehouse could not be written: ")
    assert problem.where == str(path)
    assert problem.hint == "Choose an existing folder with write permission."


def test_the_shop_opens_on_day_1(tmp_path: Path) -> None:
    """A day before the first is a mistake of the caller, and nothing is written."""
    with pytest.raises(ValueError, match="the first day is 1, not 0"):
        build_warehouse(tmp_path / "shop.duckdb", 0)
    assert list(tmp_path.iterdir()) == []
