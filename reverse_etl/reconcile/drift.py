"""Drift: how a list differs from the rows that were applied to it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from reverse_etl.events import ListRead
from reverse_etl.moments import GRACE, written
from reverse_etl.reconcile.read import read
from reverse_etl.sql import members, schema

if TYPE_CHECKING:
    from collections.abc import Sequence

    from reverse_etl.delivery.at import At
    from reverse_etl.klaviyo.profiles import Member
    from reverse_etl.sql.shape import Shape
    from reverse_etl.warehouse import Row

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

    Of `rows` applied, so many are `missing`: their person is not among the `members`. Of `unsettled` rows
    nobody knows yet. `others` are members of no row: there before this job, or put there by somebody else;
    for those `found`, a removal was once given up, since nobody was found. Of `before` rows the person was a
    member before this job sent them, and would stay. The samples hold a few identities of each. `deleted`:
    there is no such list any more.
    """

    model: str
    list_id: str
    list_name: str
    rows: int = 0
    unsettled: int = 0
    members: int = 0
    missing: int = 0
    others: int = 0
    before: int = 0
    found: int = 0
    missing_sample: tuple[str, ...] = ()
    others_sample: tuple[str, ...] = ()
    found_sample: tuple[str, ...] = ()
    deleted: bool = False


def compare(at: At, one: Driven) -> Drift:
    """Read a list and return how it differs; what was found stays in scratch tables until `forget`.

    Asks only. Raises KlaviyoError and WarehouseError where these fail.
    """
    if at.klaviyo.list(one.list_id) is None:
        return Drift(one.model, one.list_id, one.list_name, deleted=True)
    warehouse, shape = at.warehouse, one.shape
    dialect = warehouse.dialect
    warehouse.tag(model=one.model)
    warehouse.execute(members.make(dialect, shape))
    for group in read(at, one.list_id):
        for statement in members.add(dialect, shape, [_row(member) for member in group]):
            warehouse.execute(statement)
        at.state.heartbeat()  # a long list takes long
    for statement in members.compare(dialect, shape, one.list_id):
        warehouse.execute(statement)
    ((rows, unsettled, there, missing, others, before),) = warehouse.fetch(
        members.counts(dialect, shape, one.list_id)
    )
    at.tell(ListRead(one.model, one.list_name, there))
    found = _identities(
        warehouse.fetch(members.found(dialect, shape, (*at.state.owner.key, one.model, one.list_id)))
    )
    return Drift(
        one.model,
        one.list_id,
        one.list_name,
        rows=rows,
        unsettled=unsettled,
        members=there,
        missing=missing,
        others=others,
        before=before,
        found=len(found),
        missing_sample=_identities(warehouse.fetch(members.missing_sample(dialect, shape, SAMPLE))),
        others_sample=_identities(warehouse.fetch(members.others_sample(dialect, shape, SAMPLE))),
        found_sample=found[:SAMPLE],
    )


def forget(at: At, one: Driven) -> None:
    """Drop what `compare` left in scratch tables."""
    for statement in schema.drop_scratch(at.warehouse.dialect, members.scratch(one.shape)):
        at.warehouse.execute(statement)


def _row(member: Member) -> tuple[str | None, ...]:
    who = member.profile
    late = written(member.joined_at + GRACE)
    return (who.email, who.phone_number, who.external_id, who.id, written(member.joined_at), late)


def _identities(rows: Sequence[Row]) -> tuple[str, ...]:
    return tuple(str(identity) for (identity,) in rows)
