"""A payload column may be called as one likes: its name reaches Klaviyo as it is."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from reverse_etl.delivery.outcomes import Outcome
from tests.core.rows import BY_EMAIL, become, people
from tests.core.world import one
from tests.warehouse.snowflake_accounts import WAREHOUSES

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.core.world import World


@pytest.fixture(params=WAREHOUSES)
def shop(request: pytest.FixtureRequest, make_world: Callable[..., World]) -> World:
    """Make a world on every warehouse."""
    return make_world(warehouse=request.param)


@pytest.mark.parametrize("name", ["Is VIP?", 'a "?" -- b'])
def test_a_column_name_is_never_read_as_sql(shop: World, name: str) -> None:
    """Neither as a parameter's mark nor as a comment; with a row that the checks reject, and a change."""
    quoted = '"' + name.replace('"', '""') + '"'
    shop.model(
        "members", f"select email, customer_id, first_name as {quoted} from people", identifiers=BY_EMAIL
    )
    become(shop, [*people("ann", "bob"), *people("cat", email="no address")])
    first = one(shop.run())
    assert (first.outcomes, first.list_plan.rejected_by_check) == ({Outcome.APPLIED: 2}, 1)
    assert shop.person("ann@example.com")["properties"] == {name: "Ann"}
    become(shop, people("ann", "bob", first_name="Zoe"))
    assert one(shop.run()).outcomes == {Outcome.APPLIED: 2}
    assert shop.person("bob@example.com")["properties"] == {name: "Zoe"}
    assert one(shop.run()).outcomes == {}
