"""Status: what is said of a list after a run that came to every kind of end."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from reverse_etl.delivery.outcomes import Outcome
from reverse_etl.errors import ReplyLost
from reverse_etl.sandbox import Fault, FaultKind
from tests.core.rows import BY_EMAIL, SELECT, become, members_model, people, person
from tests.core.world import one

if TYPE_CHECKING:
    from tests.core.world import World

IMPORTS = "/api/profile-bulk-import-jobs"


def test_status_counts_the_outcomes_of_each_list(world: World) -> None:
    """Ann's row is mangled, which holds her old one; what came of Dan's import nobody knows; the others stay.

    A row that is held while others are sent is unsettled too: Dan's may have been hers at Klaviyo.
    """
    members_model(world)
    become(world, people("ann", "bob", "cat"))
    world.run()
    become(world, [person("ann", email="ann at example"), *people("bob", "cat", "dan")])
    world.fault(Fault(FaultKind.CUT, "POST", IMPORTS, after=True, times=9))
    result = world.run()
    assert one(result).outcomes == {Outcome.UNKNOWN: 1}
    (told,) = world.project().status().lists
    assert (told.model, told.list_name, told.list_id) == (
        "members",
        "Members",
        one(result).list_plan.list_ref.id,
    )
    assert (told.applied, told.rejected, told.held, told.uncertain) == (3, 1, 1, 2)
    assert told.last_run is not None
    assert told.last_run.run_id == result.run_id
    world.calm()
    world.wait(600.0)
    become(world, people("ann", "bob", "cat", "dan"))
    world.run()
    (told,) = world.project().status().lists
    assert (told.applied, told.rejected, told.held, told.uncertain) == (4, 0, 0, 0)


def test_a_list_that_is_not_created_yet_gives_its_name_to_no_profiles(world: World) -> None:
    """Both have no list id: neither status nor the report takes one for the other."""
    world.model("everybody", SELECT, surface="profiles", identifiers=BY_EMAIL)
    become(world, people("ann"))
    world.run()
    members_model(world)
    world.fault(Fault(FaultKind.CUT, "POST", "/api/lists"))
    with pytest.raises(ReplyLost):
        world.run()
    assert world.state("SELECT list_id, name FROM lists") == [(None, "Members")]
    (told,) = world.project().status().lists
    assert (told.model, told.list_name) == ("everybody", "")
    become(world, [person("ann", first_name="Anna")])
    world.run(select=["everybody"])
    (listed,) = world.project().report().lists
    assert (listed.label.model, listed.label.name) == ("everybody", "")
