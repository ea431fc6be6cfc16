"""Each surface has a page: when to use it, a model, what plan and run print, and what can't be undone."""

from __future__ import annotations

import re
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

from click.testing import CliRunner

from reverse_etl.cli import app
from reverse_etl.project import Project
from reverse_etl.sandbox.routes.records import TAG
from reverse_etl.surfaces.catalog import SURFACES
from tests.core.world import World

if TYPE_CHECKING:
    import pytest

DOCS = Path(__file__).parents[1] / "docs"

PAGES = {
    "list_memberships": "list_memberships",
    "list_memberships_by_profile_id": "list_memberships_by_profile_id",
    "profiles": "values",
    "subscriptions": "subscriptions",
    "suppressions": "suppressions",
    "events": "events",
    "profile_deletions": "profile_deletions",
    "request": "requests",
}
_TIME = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d UTC")
_TABLES = """
create table customers as select * from (values
    (1, 'ann@example.com', 'Ann', 800), (2, 'bob@example.com', 'Bob', 20))
    as t(customer_id, email, first_name, lifetime_value);
create table loyalty as select * from (values ('ann@example.com', 'gold', 120), ('bob@example.com', null, 3))
    as t(email, loyalty_tier, points);
create table newsletter_consents as
    select 'ann@example.com' as email, timestamptz '2026-01-02 09:00:00+00' as consented_at;
create table blocked_addresses as select 'bob@example.com' as email;
create table orders as
    select 17 as order_id, 'ann@example.com' as email, now() - interval '1 day' as ordered_at,
    40.5::decimal(10,2) as total, 'EUR' as currency, 'shop' as channel, ['tea'] as items;
create table erasure_requests as select 'cleo@example.com' as email;
"""


def read_page(surface: str) -> str:
    """Return the text of a surface's page."""
    return (DOCS / f"{PAGES[surface]}.md").read_text(encoding="utf-8")


def make_shop(folder: Path) -> World:
    """Make the shop of the pages: three people that Klaviyo knows, two lists and a tag."""
    shop = World(folder, job_seconds=0.0)
    shop.sql(*filter(str.strip, _TABLES.split(";\n")))
    ids = [shop.new_profile(email=f"{name}@example.com") for name in ("ann", "bob", "cleo")]
    lists = [shop.new_list(name) for name in ("A", "B")]
    shop.sandbox.put_record(TAG, "t1", {"name": "t1"})
    shop.sql(
        f"create table lapsed_profiles as select '{ids[1]}' as klaviyo_profile_id",
        f"create table list_tags as select 't1' as tag_id, '{lists[0]}' as list_id",
    )
    return shop


def test_every_surface_has_a_page_that_says_what_it_is_for() -> None:
    assert {*PAGES} == {surface.name for surface in SURFACES}
    for surface in PAGES:
        text = read_page(surface)
        assert re.search(r"\bUse (it|`surface=')", text), surface
        assert "can't be undone" in text, surface


def test_plan_and_run_print_what_the_pages_show(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    load = Project.load
    with closing(make_shop(tmp_path)) as shop:
        shop.profile()
        monkeypatch.chdir(tmp_path)

        def load_in_time(*arguments: Any, **options: Any) -> Project:
            shop.wait(1.0)
            return load(*arguments, **options | {"clock": shop.clock})

        monkeypatch.setattr(Project, "load", load_in_time)
        for surface in PAGES:
            text = read_page(surface)
            (model, *_) = re.findall(r"^\$ reverse-etl plan --select (\w+)\nlist ", text, re.MULTILINE)
            (select, *_) = [
                sql
                for sql in re.findall(r"^```sql\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
                if f"surface='{surface}'" in sql
            ]
            (tmp_path / "models" / f"{model}.sql").write_text(select)
            shown = re.findall(
                rf"^\$ reverse-etl ((?:plan|run) --select {model}[^\n]*)\n(list .*?)\n(?=\$|```)",
                text,
                re.MULTILINE | re.DOTALL,
            )
            assert len(shown) == 2, surface
            for command, expected in shown:
                printed = CliRunner().invoke(app, command.split()).stdout
                lines = "\n".join(line.rstrip() for line in printed.splitlines()).rstrip()
                assert _TIME.sub("", lines) == _TIME.sub("", expected), command
