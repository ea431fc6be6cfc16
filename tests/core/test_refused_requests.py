"""Rule: row or request. A refusal that points at no row is taken apart, down to the row or the request."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from reverse_etl.delivery import refusals
from reverse_etl.delivery.imports.import_batch import submit_batch
from reverse_etl.delivery.outcomes import Outcome
from reverse_etl.delivery.refusals import ListRefusals
from reverse_etl.klaviyo.batching import Batch, import_envelope
from reverse_etl.klaviyo.imports import RequestRefused, RowError
from reverse_etl.sandbox import Fault, FaultKind
from tests.core.rows import become, many, members_model, people
from tests.core.world import only_list
from tests.paths import IMPORTS

if TYPE_CHECKING:
    from tests.core.world import World

MEMBERS = "/api/lists/*/relationships/profiles"
LIST_PROFILES = "/api/lists/*/profiles"
PROFILES = "/api/profiles"


@pytest.fixture
def members(world: World) -> World:
    """Make a world with the model of one list."""
    members_model(world, max_removes=1.0, min_rows=0)
    return world


def imports(world: World) -> int:
    """Return the number of import requests so far."""
    return sum(entry.path == IMPORTS for entry in world.writes())


def test_a_row_that_makes_klaviyo_refuse_the_request_without_a_pointer_is_found(members: World) -> None:
    """Halving finds it among 500 in about twice nine requests; the others are applied."""
    become(members, many(500))
    members.fault(Fault(FaultKind.INVALID_REQUEST, pattern="p0137", code="invalid", times=None))
    result = members.run()
    assert only_list(result).outcomes == {Outcome.APPLIED: 499, Outcome.REJECTED: 1}
    assert members.state("SELECT row_key, code FROM rejections") == [("email:p0137@example.com", "invalid")]
    assert imports(members) <= 20
    before = imports(members)
    assert members.run().exit_code == 0
    assert imports(members) == before


def test_a_request_that_is_too_large_is_halved(members: World) -> None:
    """Until it fits; no row is rejected, and nothing stops."""
    become(members, many(100))
    members.fault(Fault(FaultKind.TOO_LARGE, rows=30, times=None))
    assert only_list(members.run()).outcomes == {Outcome.APPLIED: 100}
    assert imports(members) == 7


@pytest.mark.parametrize(
    "rows", [1, 19, 20, *(pytest.param(rows, marks=pytest.mark.long) for rows in (3, 60))]
)
def test_if_klaviyo_refuses_every_row_the_request_is_at_fault(members: World, rows: int) -> None:
    """Nothing was ever applied, and nothing is: the list stops, and no row is rejected."""
    become(members, many(rows))
    members.fault(Fault(FaultKind.INVALID_REQUEST, pattern="", code="invalid", times=None))
    result = members.run()
    assert only_list(result).outcomes == {Outcome.NOT_SENT: rows}
    assert "The value was not accepted." in only_list(result).stop_reason
    assert result.exit_code == 4
    assert members.state("SELECT * FROM rejections") == []
    assert imports(members) <= 60
    members.calm()
    assert only_list(members.run()).outcomes == {Outcome.APPLIED: rows}


def test_a_single_bad_row_does_not_block_a_list_that_has_others(members: World) -> None:
    """Only she changed, and Klaviyo refuses the request: the others prove that the request is sound."""
    become(members, people("ann", "bob"))
    members.run()
    members.fault(Fault(FaultKind.INVALID_REQUEST, pattern="cat", times=None))
    become(members, people("ann", "cat"))
    result = members.run()
    assert only_list(result).outcomes == {Outcome.REJECTED: 1, Outcome.REMOVED: 1}
    assert members.emails() == ["ann@example.com"]


def test_twenty_bad_rows_at_the_front_are_not_the_models_fault(members: World) -> None:
    """A row from the other end is tried before the model is blamed."""
    become(members, many(300))
    members.fault(Fault(FaultKind.INVALID_REQUEST, pattern="p00[01]|p002[0-4]", times=None))
    assert only_list(members.run()).outcomes == {Outcome.APPLIED: 275, Outcome.REJECTED: 25}


def test_the_next_run_goes_on_where_200_requests_found_no_faulty_row(
    members: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The bound is of a list and a run; the next run goes on with what is left."""
    monkeypatch.setattr(refusals, "MAX_EXTRA_REQUESTS", 30)
    become(members, many(200))
    pattern = "p0(003|051|077|120|150|199)"
    members.fault(Fault(FaultKind.INVALID_REQUEST, pattern=pattern, times=None))
    result = members.run()
    assert "The next run goes on" in only_list(result).stop_reason
    assert only_list(result).outcomes.get(Outcome.REJECTED, 0) >= 1
    assert only_list(result).outcomes.get(Outcome.NOT_SENT, 0) >= 1
    assert imports(members) <= 31
    for _ in range(4):
        members.wait(600.0)
        result = members.run()
    assert result.exit_code == 0
    assert len(members.emails()) == 194
    assert members.state("SELECT count(*) FROM rejections") == [(6,)]


def ids_world(world: World, count: int) -> list[str]:
    """Make a model that adds people to a list by their profile ids."""
    surface = {"surface": "list_memberships_by_profile_id", "list": "By id"}
    world.model("ids", "select klaviyo_profile_id from ids", **surface, max_removes=1.0, min_rows=0)
    return [world.new_profile(email=f"h{number}@example.com") for number in range(count)]


def write_ids(world: World, ids: list[str]) -> None:
    """Let the model's rows be these."""
    world.people([{"klaviyo_profile_id": id_} for id_ in ids], "ids", "klaviyo_profile_id VARCHAR")


@pytest.mark.parametrize("status", [400, 413])
@pytest.mark.parametrize(
    ("method", "path"), [("POST", MEMBERS), ("GET", PROFILES)], ids=["adding", "looking up"]
)
def test_a_refusal_of_ids_is_halved(world: World, status: int, method: str, path: str) -> None:
    """Three requests are refused whole; their halves are accepted, and all are members."""
    ids = ids_world(world, 8)
    write_ids(world, ids)
    world.fault(Fault(FaultKind.STATUS, method, path, status=status, times=3))
    result = world.run()
    applied = only_list(result).outcomes.get(Outcome.APPLIED, 0)
    rejected = only_list(result).outcomes.get(Outcome.REJECTED, 0)
    assert applied + rejected == 8
    assert applied >= 7
    assert len(world.emails("By id")) == applied


@pytest.mark.parametrize(
    ("status", "method", "path"),
    [
        pytest.param(400, "DELETE", MEMBERS, id="removing"),
        pytest.param(400, "GET", LIST_PROFILES, id="looking up members"),
        pytest.param(413, "GET", PROFILES, id="looking up profiles"),
        pytest.param(413, "DELETE", MEMBERS, id="removing, too large"),
        pytest.param(413, "GET", LIST_PROFILES, id="looking up members, too large", marks=pytest.mark.long),
        pytest.param(400, "GET", PROFILES, id="looking up profiles, refused", marks=pytest.mark.long),
    ],
)
def test_a_refusal_on_the_way_to_a_removal_is_halved(
    members: World, status: int, method: str, path: str
) -> None:
    """Rows refused alone stay and are tried again; nobody is forgotten, and the others are removed."""
    become(members, many(8))
    members.run()
    become(members, [])
    members.fault(Fault(FaultKind.STATUS, method, path, status=status, times=4))
    result = members.run()
    left = only_list(result).outcomes.get(Outcome.NOT_SENT, 0)
    assert left <= 2
    assert only_list(result).outcomes.get(Outcome.REMOVED, 0) == 8 - left
    assert len(members.emails()) == left
    assert bool(left) == (result.exit_code == 4)
    members.calm()
    members.run()
    assert members.emails() == []


class WithoutTheList:
    """A Klaviyo in which the list was deleted after the plan was made."""

    def start_import(self, _: bytes) -> RequestRefused:
        """Refuse the request without a pointer to a row."""
        return RequestRefused(RowError("not_found", "/data", "No list."), 404, earlier_reply_lost=False)

    def get_list(self, _: str) -> None:
        """Find no list."""


def test_a_deleted_list_differs_from_bad_rows() -> None:
    """Its rows are not rejected one by one, although the list had others before."""
    klaviyo: Any = WithoutTheList()
    batch = Batch.of([1, 2, 3], [b"{}"] * 3, import_envelope("L"))
    submitted = submit_batch(klaviyo, batch, "L", ListRefusals(has_applied_rows=True))
    assert submitted.row_exceptions == ()
    assert "no longer has a list" in submitted.stop_reason
    assert [(receipt.state.value, receipt.rows) for receipt in submitted.receipts] == [("not_sent", 3)]
