"""Drift: how a list differs from the rows that were applied to it."""

from __future__ import annotations

from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from reverse_etl.domain.events import ListRead
from reverse_etl.domain.timestamps import GRACE, written
from reverse_etl.errors import WarehouseError
from reverse_etl.reconcile.member_reader import read
from reverse_etl.state.sql import members, schema

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from reverse_etl.delivery.context import At
    from reverse_etl.klaviyo.profiles import Member
    from reverse_etl.warehouse.interface import Row
    from reverse_etl.warehouse.model_tables import Shape

SAMPLE: Final = 3  # identities of each kind that are shown


@dataclass(frozen=True)
class Driven:
    """A list that a model drives, and the shape of the model's tables as they are kept."""

    model: str
    shape: Shape
    list_id: str
    list_name: str


@dataclass(frozen=True)
class Drift:
    """How a list differs from the rows that were applied to it.

    Of the rows `applied`, so many are `missing`: their person is not among the `members`. Of `unsettled` rows
    nobody knows yet. `others` are members of no row: there before this job, or put there by somebody else;
    of some of them a removal was once `given_up`, since nobody was found. Of `there_before` rows the person
    was a member before this job sent them, and would stay. The samples hold a few identities of each.
    `deleted`: there is no such list any more.
    """

    model: str
    list_id: str
    list_name: str
    applied: int = 0
    unsettled: int = 0
    members: int = 0
    missing: int = 0
    others: int = 0
    there_before: int = 0
    given_up: int = 0
    missing_sample: tuple[str, ...] = ()
    others_sample: tuple[str, ...] = ()
    given_up_sample: tuple[str, ...] = ()
    deleted: bool = False


@contextmanager
def compared(at: At, one: Driven) -> Iterator[Drift]:
    """Read a list and yield how it differs; what was found lies in scratch tables inside.

    Asks only. Raises KlaviyoError and WarehouseError where these fail.
    """
    if at.klaviyo.list(one.list_id) is None:
        yield Drift(one.model, one.list_id, one.list_name, deleted=True)
        return
    try:
        yield _compare(at, one)
    finally:
        with suppress(WarehouseError):  # what went wrong first is what is told
            for statement in schema.drop_scratch(at.warehouse.dialect, members.scratch(one.shape)):
                at.warehouse.execute(statement)


def _compare(at: At, one: Driven) -> Drift:
    warehouse, shape = at.warehouse, one.shape
    dialect = warehouse.dialect
    warehouse.tag(run=at.run_id, model=one.model)
    warehouse.execute(members.make(dialect, shape))
    for group in read(at, one.list_id):
        for statement in members.add(dialect, shape, [_row(member) for member in group]):
            warehouse.execute(statement)
        at.state.heartbeat()  # a long list takes long
    for statement in members.compare(dialect, shape, one.list_id):
        warehouse.execute(statement)
    ((applied, unsettled, there, missing, others, there_before),) = warehouse.fetch(
        members.counts(dialect, shape, one.list_id)
    )
    at.tell(ListRead(one.model, one.list_name, there))
    given_up = _identities(
        warehouse.fetch(members.given_up(dialect, shape, (*at.state.owner.key, one.model, one.list_id)))
    )
    return Drift(
        one.model,
        one.list_id,
        one.list_name,
        applied=applied,
        unsettled=unsettled,
        members=there,
        missing=missing,
        others=others,
        there_before=there_before,
        given_up=len(given_up),
        missing_sample=_identities(warehouse.fetch(members.missing_sample(dialect, shape, SAMPLE))),
        others_sample=_identities(warehouse.fetch(members.others_sample(dialect, shape, SAMPLE))),
        given_up_sample=given_up[:SAMPLE],
    )


def _row(member: Member) -> tuple[str | None, ...]:
    who = member.profile
    late = written(member.joined_at + GRACE)
    return (who.email, who.phone_number, who.external_id, who.id, written(member.joined_at), late)


def _identities(rows: Sequence[Row]) -> tuple[str, ...]:
    return tuple(str(identity) for (identity,) in rows)
