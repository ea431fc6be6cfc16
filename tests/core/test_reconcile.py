"""Reconcile: a list is read back, and what is missing from it can be sent again."""

from __future__ import annotations

import dataclasses
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from reverse_etl.delivery.outcomes import Outcome
from reverse_etl.domain.progress import JobProgress
from reverse_etl.errors import KlaviyoError, UsageError
from reverse_etl.project import Project
from reverse_etl.reconcile.member_reader import (
    EARLIEST_JOIN,
    MAX_MEMBERS_PER_READ,
    TimeRange,
    read_range,
    split_ranges,
    truncate_to_second,
)
from reverse_etl.sandbox import Fault, FaultKind
from reverse_etl.state.sql import members as members_sql
from tests.core.rows import become, clubs_model, many, members_model, moves, people
from tests.core.world import only_list

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from typing import Any

    from reverse_etl.reconcile.drift import ListDifference
    from reverse_etl.state.sql.members import ListComparison
    from reverse_etl.warehouse.statement import Statement
    from tests.core.world import PrepareWorld, World

START = datetime(2026, 1, 1, tzinfo=UTC)


def reconciled(world: World, **options: Any) -> ListDifference:
    """Reconcile, and return what was found of the only list."""
    (difference,) = world.project().reconcile(**options)
    return difference


def figures(drift: ListDifference) -> dict[str, int]:
    """Return the figures of a drift that are not 0, by name."""
    numbers = {field.name: getattr(drift, field.name) for field in dataclasses.fields(drift)}
    return {name: value for name, value in numbers.items() if isinstance(value, int) and value}


def send_ann(world: World) -> None:
    members_model(world)
    moves(world, people("ann"))


def send_ann_and_bo(world: World) -> None:
    members_model(world)
    moves(world, people("ann", "bo"))


def send_three(world: World) -> None:
    members_model(world)
    moves(world, people("ann", "bo", "cleo"))


def test_an_unchanged_list_shows_no_drift(prepare_world: PrepareWorld) -> None:
    world = prepare_world(send_ann_and_bo)
    assert figures(reconciled(world)) == {"applied": 2, "members": 2}


def test_a_manually_removed_member_is_missing_and_can_be_resent(prepare_world: PrepareWorld) -> None:
    """A run alone would never look: nothing of her row changed."""
    world = prepare_world(send_three)
    world.take_off_list("bo@example.com")
    assert not only_list(world.run()).outcomes
    difference = reconciled(world)
    assert figures(difference) == {"applied": 3, "members": 2, "missing": 1}
    assert difference.missing_sample == ("email:bo@example.com",)
    assert figures(reconciled(world, resend=True))["missing"] == 1
    assert figures(reconciled(world)) == {"applied": 3, "members": 2, "uncertain": 1}
    assert only_list(world.run()).outcomes == {Outcome.APPLIED: 1}
    assert figures(reconciled(world)) == {"applied": 3, "members": 3}
    assert not only_list(world.run()).outcomes


def test_resending_forgets_a_missing_row_that_is_no_longer_desired(prepare_world: PrepareWorld) -> None:
    """She is off the list already; the run says so and removes nobody else."""
    world = prepare_world(send_three)
    world.take_off_list("bo@example.com")
    reconciled(world, resend=True)
    become(world, people("ann", "cleo"))
    assert sum(only_list(world.run()).outcomes.values()) == 1
    assert world.emails() == ["ann@example.com", "cleo@example.com"]
    assert figures(reconciled(world))["applied"] == 2


def test_a_member_whose_email_was_changed_manually_is_not_missing(prepare_world: PrepareWorld) -> None:
    world = prepare_world(send_ann_and_bo)
    world.rename("bo@example.com", email="robert@example.com")
    assert figures(reconciled(world)) == {"applied": 2, "members": 2}


def test_a_member_who_shares_only_a_phone_is_ambiguous(world: World) -> None:
    """Two people have one phone at home: she is not on the list though he is, and he is not to be adopted."""
    identifiers = {"email": "email", "phone_e164": "phone"}
    world.model("members", "select email, phone from people", identifiers=identifiers)
    world.people([{"email": "ann@example.com", "phone": "+14155550100"}])
    world.run()
    world.calm()
    world.take_off_list("ann@example.com")
    world.rename("ann@example.com", phone_number=None)
    world.put_on_list(world.list_id(), world.new_profile(email="bo@example.com", phone_number="+14155550100"))
    assert figures(reconciled(world)) == {"applied": 1, "members": 1, "missing": 1}


def test_members_without_a_row_count_as_others(world: World) -> None:
    world.put_on_list(world.new_list(), world.new_profile(email="old@example.com"))
    world.wait()
    members_model(world)
    moves(world, people("ann"))
    world.put_on_list(world.list_id(), world.new_profile(email="new@example.com"))
    difference = reconciled(world)
    assert figures(difference) == {"applied": 1, "members": 3, "unmanaged": 2}
    assert difference.unmanaged_sample == ("email:new@example.com", "email:old@example.com")


def test_a_removal_that_found_nobody_is_reported_once_the_person_is_a_member(world: World) -> None:
    """Deleted by hand when she was to leave, and back by hand since."""
    members_model(world, max_removes=1.0)
    moves(world, people("ann", "bo"))
    world.rename("bo@example.com", email="away@example.com", external_id="c-9")
    assert only_list(moves(world, people("ann"))).outcomes == {Outcome.NOT_FOUND: 1}
    world.rename("away@example.com", email="bo@example.com")
    difference = reconciled(world)
    assert (difference.unmanaged, difference.removals_not_found, difference.removals_not_found_sample) == (
        1,
        1,
        ("email:bo@example.com",),
    )


def test_rows_whose_person_was_a_member_before_are_counted(world: World) -> None:
    """When they leave they stay on the list, unless they are adopted."""
    list_id = world.new_list()
    world.put_on_list(list_id, world.new_profile(email="ann@example.com"))
    world.wait(600.0)
    members_model(world)
    moves(world, people("ann", "bo"))
    assert figures(reconciled(world)) == {"applied": 2, "members": 2, "already_members": 1}


def test_a_deleted_list_is_reported(prepare_world: PrepareWorld) -> None:
    world = prepare_world(send_ann)
    world.by_hand("DELETE", f"/api/lists/{world.list_id()}")
    difference = reconciled(world, resend=True)
    assert difference.deleted
    assert not world.state("SELECT * FROM lease")


def test_each_list_of_a_model_is_read_and_profiles_have_none(world: World) -> None:
    """By the model's own word for them; a model that was never sent has none."""
    clubs_model(world)
    become(world, [*people("ann", club="Tea"), *people("bo", club="Coffee")])
    world.run()
    world.model("people", "select email from people", surface="profiles")
    world.run()
    members_model(world)
    world.calm()
    differences = world.project().reconcile()
    assert [(each.model, each.list_name, each.applied) for each in differences] == [
        ("clubs", "Coffee", 1),
        ("clubs", "Tea", 1),
    ]


def test_reconcile_sends_only_gets_and_changes_nothing_without_resend(prepare_world: PrepareWorld) -> None:
    """Files and state before and after are the same; with resend, only the state changes."""
    world = prepare_world(send_ann_and_bo)
    world.take_off_list("bo@example.com")
    before, writes = kept(world), len(world.writes())
    reconciled(world)
    assert kept(world) == before
    reconciled(world, resend=True)
    assert kept(world) != before
    assert len(world.writes()) == writes


def kept(world: World) -> dict[str, bytes]:
    """Return what is in the files of a project."""
    return {str(path): path.read_bytes() for path in sorted(world.folder.rglob("*")) if path.is_file()}


def test_a_killed_run_is_settled_before_rows_are_resent(prepare_world: PrepareWorld) -> None:
    """A row that was sent and not yet seen to be applied is unsettled, and not missing."""
    world = prepare_world(send_ann)
    become(world, people("ann", "bo"))
    assert world.dies(lambda event: isinstance(event, JobProgress))
    world.calm()
    world.wait()
    assert figures(reconciled(world)) == {"applied": 1, "members": 2, "uncertain": 1}
    assert figures(reconciled(world, resend=True)) == {"applied": 2, "members": 2}


def test_a_list_that_only_a_killed_run_sent_to_is_read_too(world: World) -> None:
    clubs_model(world)
    moves(world, people("ann", club="Tea"))
    become(world, [*people("ann", club="Tea"), *people("bo", club="Coffee")])
    assert world.dies(lambda event: isinstance(event, JobProgress))
    world.calm()
    world.wait()
    world.take_off_list("bo@example.com", "Coffee")
    differences = world.project().reconcile(resend=True)
    assert [(each.list_name, each.missing) for each in differences] == [("Coffee", 1), ("Tea", 0)]


def test_a_list_of_another_model_or_not_yet_sent_to_is_skipped(prepare_world: PrepareWorld) -> None:
    world = prepare_world(send_ann)
    members_model(world, list="Others")
    assert world.project().reconcile() == ()
    with pytest.raises(UsageError, match="has not sent anything to its list"):
        world.project().adopt(["members"])


def test_an_unreadable_list_is_not_resent(world: World) -> None:
    members_model(world)
    moves(world, many(5))
    world.fault(Fault(FaultKind.STATUS, method="GET", path="/api/lists/*/profiles", status=503, times=None))
    with pytest.raises(KlaviyoError):
        reconciled(world, resend=True)
    world.calm()
    assert figures(reconciled(world)) == {"applied": 5, "members": 5}


def test_an_empty_sandbox_has_nothing_to_reconcile(world: World) -> None:
    members_model(world)
    become(world, people("ann"))
    world.project()
    profiles = yaml.safe_load((world.folder / "profiles.yml").read_text())
    profiles["shop"]["destinations"]["trial"] = {"type": "klaviyo", "sandbox": True}
    (world.folder / "profiles.yml").write_text(yaml.safe_dump(profiles))
    for work in (
        Project.reconcile,
        partial(Project.reconcile, resend=True),
        partial(Project.adopt, select=[]),
    ):
        with pytest.raises(UsageError, match="Nothing was sent to the sandbox yet"):
            work(world.project())
    assert not list(world.folder.glob("*.sqlite"))
    assert not list(world.folder.glob("*.reverse_etl.duckdb"))


def test_a_long_list_is_read_completely_in_ranges_of_whole_seconds(world: World) -> None:
    """Many joined in one second, more than one cursor reads before it hands back the rest; others later."""
    members_model(world)
    most = MAX_MEMBERS_PER_READ + 50
    moves(world, many(most))
    moves(world, many(most + 30))
    assert figures(reconciled(world)) == {"applied": most + 30, "members": most + 30}
    ways = world.project().connections
    with ways.klaviyo(dry_run=True) as klaviyo:
        assert klaviyo is not None
        klaviyo.get_account()  # whose reply says what time it is
        assert klaviyo.server_time is not None
        all_of_it = TimeRange(EARLIEST_JOIN, truncate_to_second(klaviyo.server_time) + timedelta(days=1))
        first, rest = read_range(klaviyo, world.list_id(), all_of_it)
        assert rest is not None
        second, no_more = read_range(klaviyo, world.list_id(), rest)
    assert (len(first), len(second), no_more) == (most, 30, None)
    assert first[-1].joined_at < rest.since <= second[0].joined_at
    assert rest.until == all_of_it.until


def test_members_are_stored_in_parts_of_bounded_size(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    documents: list[str] = []
    insert_members = members_sql.insert_members

    def record(comparison: ListComparison, rows: Iterable[tuple[str | None, ...]]) -> Iterator[Statement]:
        for statement in insert_members(comparison, rows):
            documents.extend(statement.parameters)
            yield statement

    monkeypatch.setattr(members_sql, "MAX_DOCUMENT_BYTES", 400)
    monkeypatch.setattr(members_sql, "insert_members", record)
    members_model(world)
    moves(world, many(9))
    assert figures(reconciled(world)) == {"applied": 9, "members": 9}
    assert len(documents) > 1
    assert max(map(len, documents)) <= 400


@given(
    edges=st.lists(st.integers(0, 10_000), min_size=2, max_size=9, unique=True).map(sorted),
    parts=st.integers(1, 64),
)
def test_every_second_is_in_exactly_one_range(edges: list[int], parts: int) -> None:
    ranges = [
        TimeRange(START + timedelta(seconds=first), START + timedelta(seconds=last))
        for first, last in zip(edges[::2], edges[1::2], strict=False)
    ]
    cut = split_ranges(ranges, parts)
    assert len(cut) >= len(ranges)
    assert all(part.since < part.until for part in cut)

    def seconds(of: Sequence[TimeRange]) -> list[int]:
        return [
            second
            for window in of
            for second in range(*(int(t.timestamp()) for t in (window.since, window.until)))
        ]

    assert seconds(cut) == seconds(ranges)
