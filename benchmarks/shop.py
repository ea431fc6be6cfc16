"""The project that is measured: one model of 9 columns on a warehouse of made-up customers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import duckdb

if TYPE_CHECKING:
    from pathlib import Path

WAREHOUSE = "shop.duckdb"
STATE = "shop.reverse_etl.duckdb"
COLUMNS = (
    *("email", "customer_id", "first_name", "orders", "lifetime_value", "is_member"),
    *("score", "birthday", "last_order_at"),
)
SELECT = f"select {', '.join(COLUMNS)} from {{table}}"

_MODEL = f"""{{{{ config(
    surface='list_memberships', list='Customers',
    identifiers={{'email': 'email', 'external_id': 'customer_id'}},
) }}}}
{SELECT.format(table="{{ ref('customers') }}")}
"""

_ROWS = """
CREATE OR REPLACE TABLE customers AS SELECT
  substr(md5(i::VARCHAR), 1, 8) || i || '@example.com' AS email,
  i AS customer_id,
  CASE WHEN i % 11 > 0 THEN ['Ann', 'Bo', 'Cleo', 'Dov', 'Ebba', 'Žofie', 'Gus'][1 + i % 7] END AS first_name,
  (i * 7919 % 40)::INTEGER AS orders,
  (i * 104729 % 1000000 / 100)::DECIMAL(12, 2) AS lifetime_value,
  i % 3 = 0 AS is_member,
  (i * 31 % 1000) / 7.0::DOUBLE AS score,
  DATE '1950-01-01' + (i * 17 % 20000)::INTEGER AS birthday,
  TIMESTAMP '2025-01-01' + to_seconds(i * 37 % 40000000) AS last_order_at
FROM range({rows}) AS numbers(i)
"""


def make_warehouse(folder: Path, rows: int) -> None:
    """Write a warehouse of so many customers, whose order is not that of their e-mails."""
    with duckdb.connect(str(folder / WAREHOUSE)) as connection:
        connection.execute("SET enable_progress_bar = false")  # it would mix with the figures
        connection.execute(_ROWS.format(rows=rows))


def change(folder: Path, share: float) -> None:
    """Change one column of a share of the customers, spread over the whole table."""
    with duckdb.connect(str(folder / WAREHOUSE)) as connection:
        connection.execute(
            f"UPDATE customers SET orders = orders + 1 WHERE customer_id % {round(1 / share)} = 0"
        )


def make_project(folder: Path, port: int, memory_limit: str | None) -> None:
    """Write the project: its model, and its profiles.yml with a destination on a loopback port."""
    (folder / "models").mkdir(exist_ok=True)
    (folder / "models" / "customers_list.sql").write_text(_MODEL)
    settings = f", settings: {{memory_limit: '{memory_limit}'}}" if memory_limit else ""
    (folder / "profiles.yml").write_text(
        f"bench:\n  target: bench\n  outputs:\n"
        f"    bench: {{type: duckdb, path: '{folder / WAREHOUSE}'{settings}}}\n"
        f"  destinations:\n"
        f"    bench: {{type: klaviyo, origin: 'http://127.0.0.1:{port}', private_api_key: pk_bench, "
        f"create_lists: true}}\n"
    )
