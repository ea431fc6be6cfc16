"""The tests of the mark `live` make schemas of their own in an account, and remove them again."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from reverse_etl.clock import SystemClock
from reverse_etl.state import open_state
from tests.warehouse.snowflake_accounts import PASSWORD, PREFIX, Account, account_of, new_database

if TYPE_CHECKING:
    from pathlib import Path

    from tests.warehouse.snowflake_accounts import Place, Server


@pytest.fixture
def database() -> str:
    """Return the name of the account's database."""
    return new_database()


@pytest.fixture
def file(server: Server, database: str, tmp_path: Path) -> Path:
    """Write how to sign in to the stand-in, as for an account."""
    written = tmp_path / "snowflake.env"
    written.write_text(
        "# an account\n\nSNOWFLAKE_ACCOUNT=acc\nSNOWFLAKE_USER=RETL_TEST\nSNOWFLAKE_ROLE = RETL_TEST\n"
        f"SNOWFLAKE_PASSWORD={PASSWORD}\nSNOWFLAKE_WAREHOUSE=RETL_TEST\nSNOWFLAKE_DATABASE={database}\n"
        "SNOWFLAKE_RESTRICTED_ROLE=RETL_TEST_RESTRICTED\n"
        f"SNOWFLAKE_HOST=127.0.0.1\nSNOWFLAKE_PORT={server.port}\nSNOWFLAKE_PROTOCOL=http\n"
    )
    return written


def schemas(place: Place) -> set[str]:
    """Return the schemas that there are of the tests."""
    shown = place.ask(f"SHOW SCHEMAS LIKE '{PREFIX}%'")
    return {row[1] for row in shown if row[1].startswith(PREFIX)}  # fakesnow shows one more


def test_a_live_test_has_two_schemas_that_are_dropped_afterwards(file: Path) -> None:
    account = Account(file)
    place, other = account.place(), account.place()
    open_state(place.opened(), SystemClock())
    home = place.output["schema"]
    assert {home, f"{home}_STATE"} <= schemas(other)
    place.close()
    assert schemas(other) == {other.output["schema"]}
    other.close()


def test_nothing_outside_the_schemas_is_created_or_dropped(file: Path, server: Server, database: str) -> None:
    """A company may let them use a database that holds other things."""
    server.calm()
    place = Account(file).place()
    open_state(place.opened(), SystemClock())
    place.close()
    texts = [entry["sql"] for entry in server.control("look")["journal"]]
    changes = [text for text in texts if re.match("CREATE|DROP|ALTER|GRANT", text)]
    assert changes
    assert all(re.search(rf'(SCHEMA (IF (NOT )?EXISTS )?|"{database}".)"?{PREFIX}', text) for text in changes)


def test_missing_keys_of_the_file_are_reported(tmp_path: Path) -> None:
    (tmp_path / "snowflake.env").write_text("SNOWFLAKE_ACCOUNT=acc\nSNOWFLAKE_USER=RETL_TEST\n")
    with pytest.raises(AssertionError, match=r"lacks SNOWFLAKE_ROLE, SNOWFLAKE_WAREHOUSE"):
        Account(tmp_path / "snowflake.env")
    with pytest.raises(AssertionError, match="make test-live ENV="):
        account_of({})
