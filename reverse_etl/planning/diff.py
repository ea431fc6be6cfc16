"""Diff: work out, inside the warehouse, what each list of a staged model needs.

Only the counts and a sample are brought back.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from reverse_etl.domain.columns import Kind
from reverse_etl.domain.deltas import Op
from reverse_etl.domain.identifiers import IdentifierType
from reverse_etl.errors import UsageError
from reverse_etl.planning.conflicts import Clashes, settle, settle_shared
from reverse_etl.planning.lists import ListRef
from reverse_etl.planning.orphans import most
from reverse_etl.planning.plan import Change, ListPlan, ModelPlan, Rejected, Wish
from reverse_etl.planning.sql import conflicts as sql_claimed
from reverse_etl.planning.sql import diff as sql
from reverse_etl.planning.sql import staging
from reverse_etl.planning.sql.diff import Scope
from reverse_etl.planning.sql.digest import seal
from reverse_etl.state.sql import rejections, snapshot
from reverse_etl.surfaces.interface import Surface
from reverse_etl.warehouse.model_tables import IDENTIFIER_COLUMNS, Shape
from reverse_etl.warehouse.statement import OURS

if TYPE_CHECKING:
    from reverse_etl.domain.columns import Column
    from reverse_etl.models.model import Model
    from reverse_etl.planning.stage import Staged
    from reverse_etl.state import SentModel, State
    from reverse_etl.warehouse.interface import Warehouse


def diff(
    warehouse: Warehouse, state: State, staged: Staged, refs: Sequence[ListRef], wish: Wish
) -> ModelPlan:
    """Return the plan of one model; its deltas lie in a scratch table. Changes nothing that is kept.

    Raises UsageError when the model's identifiers are not those that its snapshot is keyed by, unless that is
    asked for.
    """
    model, shape = staged.model, staged.shape
    warehouse.tag(model=model.name)
    rekeyed = is_rekeyed(model, state.models().get(model.name), asked=model.name in wish.rekey)
    worked = _work_out(warehouse, state, staged, refs, wish, rekeyed=rekeyed)
    counts = _protected_counts(warehouse, shape, hold=model.config.surface is not Surface.PROFILES)
    figures = _Figures(
        counts=counts,
        leaving=_leaving(warehouse, shape) if any(Op.REMOVE in ops for ops in counts.values()) else {},
        known=worked.known,
        rows=_staged_rows(warehouse, state, staged),
        sample=_sample(warehouse, staged, worked, wish.sample) if counts and wish.sample else {},
        deferred=worked.deferred,
    )
    mine = {ref.id for ref in refs}
    remembered = most(worked.known, _uncertain(warehouse, shape) if worked.scope.uncertain else {})
    clashes = worked.clashes
    omitted = {kind: clashes.omitted.get(kind, 0) + worked.claimed.get(kind, 0) for kind in shape.identifiers}
    return ModelPlan(
        model=model,
        shape=shape,
        lists=(*(_list_plan(ref, figures) for ref in refs), *_unlisted(figures.rows)),
        staged=staged.rows,
        repeated=clashes.repeated,
        omitted={kind: lost for kind, lost in omitted.items() if lost},
        orphans=tuple((list_id, rows) for list_id, rows in remembered.items() if list_id not in mine),
        rekeyed=rekeyed,
        waiting=any({Op.HELD, Op.LEFT} & ops.keys() for ops in counts.values()),
        seal=_seal(warehouse, staged) if wish.sealed else "",
    )


def _seal(warehouse: Warehouse, staged: Staged) -> str:
    """Return the digest of what is to be sent: of rows and values, and of how they are named and rendered."""
    ((rows, digest),) = warehouse.fetch(seal(warehouse.dialect, staged.shape))
    names = [(part.column, part.property) for part in staged.model.payload]
    return seal_text(int(rows), str(digest), staged.shape.payload, names)


def seal_text(rows: int, digest: str, columns: Sequence[Column], names: Sequence[tuple[str, str]]) -> str:
    """Return the digest of a model's part of a plan; `names` are (column, property) of what is sent.

    Saved plans hold it, so what it is made of is written out here: it changes only with their version.
    """
    written = ", ".join(
        f"({column.name!r}, {_kind_text(column.kind)}, {column.type!r})" for column in columns
    )
    text = f"({rows}, {digest!r}, [{written}], {list(names)!r})"
    return hashlib.sha256(text.encode()).hexdigest()


def _kind_text(kind: Kind) -> str:
    name = "TIMESTAMP_TZ" if kind is Kind.TIMESTAMP_TZ else kind.value.upper()
    return f"<Kind.{name}: {kind.value!r}>"


@dataclass(frozen=True)
class _Worked:
    """How the deltas were worked out.

    `kept` are the snapshot's columns, none before the first run, and `known` its rows by list. So many rows
    as `claimed` says, by type of identifier, go without what another row has at Klaviyo; `deferred`, by list,
    wait behind a limit.
    """

    kept: Mapping[str, Column]
    known: Mapping[str, int]
    scope: Scope
    clashes: Clashes
    claimed: Mapping[IdentifierType, int]
    deferred: Mapping[str, int]


def _work_out(  # noqa: PLR0913 - what a plan is made of
    warehouse: Warehouse, state: State, staged: Staged, refs: Sequence[ListRef], wish: Wish, *, rekeyed: bool
) -> _Worked:
    """Put the deltas into a scratch table, and say how."""
    dialect, shape = warehouse.dialect, staged.shape
    for statement in staging.set_lists(dialect, shape, {ref.row_name: ref.id for ref in refs}):
        warehouse.execute(statement)
    kept = warehouse.kept_columns(shape.snapshot)
    known: dict[str, int] = dict(warehouse.fetch(snapshot.snapshot_counts(dialect, shape))) if kept else {}
    scope = Scope(
        full_refresh=wish.full_refresh,
        uncertain=bool(kept) and warehouse.fetch(snapshot.uncertain_count(dialect, shape))[0][0] > 0,
        rekeyed=rekeyed,
        doubted=tuple(ref.id for ref in refs if ref.doubted),
    )
    sent = sum(known.get(ref.id, 0) for ref in refs)
    may_be_as_sent = kept and scope == Scope() and staged.rows == sent
    if may_be_as_sent and _is_as_sent(warehouse, state, staged, kept):
        # Rows that share an identifier are told every day; of what is there already nothing is sent for it.
        clashes = settle_shared(warehouse, staged)
        warehouse.execute(sql.nothing(dialect, shape))
        return _Worked(kept, known, scope, clashes, {}, {})
    clashes = settle(warehouse, staged)
    _compare(warehouse, staged, kept, scope)
    claimed = _omit_claimed(warehouse, shape, rekeyed=rekeyed) if kept else {}
    if claimed:  # a row that was refused without what it lost now stands refused too
        _compare(warehouse, staged, kept, scope)
    deferred = _cut(warehouse, shape, wish.limit) if wish.limit is not None else {}
    return _Worked(kept, known, scope, clashes, claimed, deferred)


def _is_as_sent(warehouse: Warehouse, state: State, staged: Staged, kept: Mapping[str, Column]) -> bool:
    """Return whether Klaviyo has each of as many rows as were sent, as it is: then no two are one person's.

    A row that stands refused may be there too, as when all was sent once more.
    """
    refused = any(one.model == staged.model.name for one in state.rejections.standing())
    return not refused and not warehouse.fetch(sql.difference(warehouse.dialect, staged.shape, kept))


def _compare(warehouse: Warehouse, staged: Staged, kept: Mapping[str, Column], scope: Scope) -> None:
    """Compare with the snapshot the rows that Klaviyo did not refuse as they are."""
    if kept and _keeps(warehouse, staged.shape, staged.shape.rejected):
        standing = staging.reject_standing(warehouse.dialect, staged.shape, staged.model.checksum)
        warehouse.execute(standing)
    for statement in sql.diff(warehouse.dialect, staged.shape, kept, scope):
        warehouse.execute(statement)


_Rows = Mapping[str | None, tuple[int, tuple[Rejected, ...]]]


def is_rekeyed(model: Model, sent: SentModel | None, *, asked: bool) -> bool:
    """Return whether a model's identifiers are not those that it was sent with.

    Raises UsageError then, unless it was asked for.
    """
    now = tuple((kind.value, name) for kind, name in model.config.identifiers.items())
    if sent is None or sent.identifiers == now:
        return False
    if not asked:
        was = ", ".join(f"{kind}: {name}" for kind, name in sent.identifiers)
        raise UsageError.of(
            f"The identifiers of this model changed; its rows were sent with {was}.",
            where=f"{model.path} (model {model.name})",
            models=(model.name,),
            advice=f"Put them back, or see what a change means: reverse-etl plan --rekey {model.name}",
        )
    return True


def _omit_claimed(warehouse: Warehouse, shape: Shape, *, rekeyed: bool) -> dict[IdentifierType, int]:
    """Leave out of rows to be sent what another desired row has at Klaviyo; return how many lost what."""
    omitted: dict[IdentifierType, int] = {}
    if shape.secondary and any(_upserts(ops) for ops in _counts(warehouse, shape).values()):
        for kind in shape.secondary:
            warehouse.execute(sql_claimed.claimed(warehouse.dialect, shape, kind, rekeyed=rekeyed))
            omitted[kind] = warehouse.fetch(sql_claimed.claimed_count(warehouse.dialect, shape, kind))[0][0]
            if omitted[kind]:
                warehouse.execute(sql_claimed.omit_claimed(warehouse.dialect, shape, kind))
    return {kind: rows for kind, rows in omitted.items() if rows}


def _keeps(warehouse: Warehouse, shape: Shape, table: str) -> bool:
    """Return whether a state table has today's columns. If not, no row in it is what is staged today."""
    kept = {name.lower(): column.type for name, column in warehouse.kept_columns(table).items()}
    return all(
        kept.get(column.name.lower()) == warehouse.dialect.kept_type(column) for column in shape.payload
    )


def _protected_counts(warehouse: Warehouse, shape: Shape, *, hold: bool) -> dict[str, dict[str, int]]:
    """Return the plan's counts, after taking out the removals that must not be made.

    Where nobody is removed, none is held.
    """
    counts = _counts(warehouse, shape)
    if any(Op.REMOVE in ops for ops in counts.values()):
        warehouse.execute(sql.keep_rejected(warehouse.dialect, shape))
        if hold:
            warehouse.execute(sql.hold_protected(warehouse.dialect, shape))
        return _counts(warehouse, shape)
    return counts


def _cut(warehouse: Warehouse, shape: Shape, limit: int) -> dict[str, int]:
    """Leave of the plan only the first `limit` upserts, and return how many others there are, by list."""
    before = _counts(warehouse, shape)
    for statement in sql.cut(warehouse.dialect, shape, limit):
        warehouse.execute(statement)
    after = _counts(warehouse, shape)
    return {list_id: _upserts(ops) - _upserts(after[list_id]) for list_id, ops in before.items()}


def _upserts(ops: Mapping[str, int]) -> int:
    return ops.get(Op.ADD, 0) + ops.get(Op.UPDATE, 0)


def _counts(warehouse: Warehouse, shape: Shape) -> dict[str, dict[str, int]]:
    counts: dict[str, dict[str, int]] = defaultdict(dict)
    for list_id, op, rows in warehouse.fetch(sql.planned_counts(warehouse.dialect, shape)):
        counts[list_id][op] = rows
    return counts


def _uncertain(warehouse: Warehouse, shape: Shape) -> dict[str, int]:
    return dict(warehouse.fetch(snapshot.uncertain_counts(warehouse.dialect, shape)))


def _leaving(warehouse: Warehouse, shape: Shape) -> dict[str, tuple[int, dict[IdentifierType, int]]]:
    """Return, by list, how many removes carry neither e-mail nor phone, and how many each identifier."""
    return {
        list_id: (nameless, {kind: rows for kind, rows in zip(IdentifierType, carried, strict=True) if rows})
        for list_id, nameless, *carried in warehouse.fetch(sql.leaving_counts(warehouse.dialect, shape))
    }


def _staged_rows(warehouse: Warehouse, state: State, staged: Staged) -> _Rows:
    """Return, by the list's name in the rows, how many can be sent and why the others can't."""
    dialect, shape = warehouse.dialect, staged.shape
    good: dict[str | None, int] = {}
    bad = False
    for name, problem, rows in warehouse.fetch(staging.staged_counts(dialect, shape)):
        bad = bad or problem is not None
        if problem is None:
            good[name] = rows
    rejected: dict[str | None, list[Rejected]] = defaultdict(list)
    if bad:
        key = (state.owner.account, state.owner.project)
        for name, problem, rows, new in warehouse.fetch(
            rejections.check_counts(dialect, key, shape, staged.model.name)
        ):
            rejected[name].append(Rejected(problem, rows, int(new)))
    return {name: (good.get(name, 0), tuple(rejected.get(name, ()))) for name in {**good, **rejected}}


@dataclass(frozen=True)
class _Figures:
    """What is known of a model's lists, by list id, and of its rows by the list's name in them."""

    counts: Mapping[str, Mapping[str, int]]
    leaving: Mapping[str, tuple[int, Mapping[IdentifierType, int]]]
    known: Mapping[str, int]
    rows: _Rows
    sample: Mapping[str, Sequence[Change]]
    deferred: Mapping[str, int]


def _list_plan(ref: ListRef, figures: _Figures) -> ListPlan:
    ops = figures.counts.get(ref.id, {})
    desired, rejected = figures.rows.get(ref.row_name, (0, ()))
    nameless, carried = figures.leaving.get(ref.id, (0, {}))
    return ListPlan(
        list=ref,
        desired=desired,
        known=figures.known.get(ref.id, 0),
        adds=ops.get(Op.ADD, 0),
        updates=ops.get(Op.UPDATE, 0),
        removes=ops.get(Op.REMOVE, 0),
        held=ops.get(Op.HELD, 0),
        deferred=figures.deferred.get(ref.id, 0),
        carried=carried,
        nameless=nameless,
        rejected=rejected,
        sample=tuple(figures.sample.get(ref.id, ())),
    )


def _unlisted(rows: _Rows) -> tuple[ListPlan, ...]:
    """Return the rows that name no list, as a list of no name, so that no row is lost from the counts."""
    if None not in rows:
        return ()
    return (ListPlan(ListRef("", "(no list)", ""), desired=0, known=0, rejected=rows[None][1], nowhere=True),)


def _sample(warehouse: Warehouse, staged: Staged, worked: _Worked, size: int) -> dict[str, list[Change]]:
    """Return the sample by list id, its columns named as Klaviyo gets them: a warehouse may fold them."""
    shape, dialect = staged.shape, warehouse.dialect
    rows = warehouse.fetch(sql.sample(dialect, shape, worked.kept, size, worked.scope))
    changes: dict[str, list[Change]] = defaultdict(list)
    properties = {part.column.lower(): part.property for part in staged.model.payload}
    names = (*IDENTIFIER_COLUMNS.values(), *(properties[name.lower()] for name in shape.payload_names))
    retyped = [properties[column.name.lower()] for column in sql.retyped(dialect, shape, worked.kept)]
    for list_id, op, identity, *values in rows:
        after = dict(zip(names, values, strict=False))
        before = dict(zip(names, values[len(names) :], strict=False))
        was = before | dict(zip(retyped, values[2 * len(names) :], strict=True))
        if op == Op.UPDATE:
            moved = [name for name in names if after[name] is not None and after[name] != before[name]]
            before, after = _shown(was, moved), _shown(after, moved)
        else:
            before, after = {}, {}
        changes[str(list_id)].append(Change(str(op), str(identity), before, after))
    return changes


def _shown(values: Mapping[str, object], names: Sequence[str]) -> dict[str, object]:
    """Return some values of a row under the names that people know."""
    return {name.removeprefix(OURS): values[name] for name in names}
