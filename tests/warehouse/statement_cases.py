"""Every statement of the diff and the state, on two models: what the gold files hold, and what is parsed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reverse_etl.domain.columns import Column, Kind
from reverse_etl.domain.engine import Engine
from reverse_etl.domain.identifiers import IdentifierType
from reverse_etl.planning.sql import conflicts as claimed
from reverse_etl.planning.sql import conflicts as clashes
from reverse_etl.planning.sql import diff, staging
from reverse_etl.planning.sql import digest as seal
from reverse_etl.planning.sql.diff import Scope
from reverse_etl.state.sql import ledger, members, rejections, reports, schema
from reverse_etl.state.sql import pending as deltas
from reverse_etl.state.sql import snapshot as takeover
from reverse_etl.warehouse.model_tables import Shape

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from reverse_etl.warehouse.statement import Dialect, Statement

KEY = ("acc", "shop")
RUN = "r1"
MODEL = "vip"
_TYPES = {
    Engine.DUCKDB: {"number": "DECIMAL(10,2)", "json": "JSON", "double": "DOUBLE"},
    Engine.SNOWFLAKE: {"number": "NUMBER(10,2)", "json": "OBJECT", "double": "FLOAT"},
}


def _named(engine: Engine, name: str) -> str:
    return name.upper() if engine is Engine.SNOWFLAKE else name


def vip(engine: Engine) -> Shape:
    """Return a model of one list with an e-mail, a phone and four columns."""
    types = _TYPES[engine]
    payload = (
        Column(_named(engine, "first_name"), Kind.TEXT, "VARCHAR"),
        Column(_named(engine, "spent"), Kind.DECIMAL, types["number"]),
        Column(
            "Since",
            Kind.TIMESTAMP,
            {Engine.DUCKDB: "TIMESTAMP", Engine.SNOWFLAKE: "TIMESTAMP_NTZ(9)"}[engine],
        ),
        Column(_named(engine, "tags"), Kind.JSON, types["json"]),
    )
    return Shape("vip_0a1b2c3d", (IdentifierType.EMAIL, IdentifierType.PHONE), payload, many_lists=False)


def clubs(engine: Engine) -> Shape:
    """Return a model of many lists with an external id and no other column."""
    del engine
    return Shape("clubs_4e5f6a7b", (IdentifierType.EXTERNAL_ID, IdentifierType.EMAIL), (), many_lists=True)


def kept_of(shape: Shape, engine: Engine) -> Mapping[str, Column]:
    """Return the snapshot's columns, one of them of an older type."""
    kept = {column.name: column for column in shape.payload}
    spent = _named(engine, "spent")
    if spent in kept:
        kept[spent] = Column(spent, Kind.FLOAT, _TYPES[engine]["double"])
        del kept["Since"]
    return kept


def cases(dialect: Dialect) -> list[tuple[str, Statement]]:
    """Return every statement with the name of what it is for, also those of identifiers that others have."""
    shape, kind = vip(dialect.engine), IdentifierType.PHONE
    more = [
        *(claimed.claimed(dialect, shape, kind, rekeyed=rekeyed) for rekeyed in (False, True)),
        claimed.claimed_count(dialect, shape, kind),
        claimed.omit_claimed(dialect, shape, kind),
    ]
    return [*statements(dialect), *((f"claimed {n}", each) for n, each in enumerate(more, 1))]


def statements(dialect: Dialect) -> Iterator[tuple[str, Statement]]:
    """Yield every statement with the name of what it is for."""
    shape, many = vip(dialect.engine), clubs(dialect.engine)
    kept = kept_of(shape, dialect.engine)
    named = {
        "schema": (
            *schema.create_shared(dialect),
            *schema.create_model(dialect, shape),
            schema.version(dialect),
        ),
        "schema.follow_columns": schema.follow_columns(dialect, shape, shape.snapshot, kept),
        "schema.follow_columns deltas": schema.follow_columns(dialect, shape, shape.deltas, kept),
        "schema.follow_columns new": schema.follow_columns(dialect, shape, shape.rejected, {}),
        "staging": _staging(dialect, shape, many),
        "diff": _diff(dialect, shape, many, kept),
        "deltas": _deltas(dialect, shape),
        "takeover": _takeover(dialect, shape),
        "rejections": _rejections(dialect, shape),
        "ledger": _ledger(dialect),
        "members": _members(dialect, shape),
        "reports": _reports(dialect),
    }
    for name, group in named.items():
        for number, statement in enumerate(group, 1):
            yield f"{name} {number}", statement


def _staging(dialect: Dialect, shape: Shape, many: Shape) -> Iterator[Statement]:
    email = Column(_named(dialect.engine, "mail"), Kind.TEXT, "VARCHAR")
    phone = Column(_named(dialect.engine, "phone"), Kind.INTEGER, "BIGINT")
    number = Column(_named(dialect.engine, "id"), Kind.DECIMAL, _TYPES[dialect.engine]["number"])
    select = "select * from people"
    yield staging.stage(
        dialect, shape, select, {IdentifierType.EMAIL: email, IdentifierType.PHONE: phone}, None
    )
    identifiers = {IdentifierType.EXTERNAL_ID: number, IdentifierType.EMAIL: email}
    yield staging.stage(dialect, many, select, identifiers, _named(dialect.engine, "club"))
    for one in (shape, many):
        yield clashes.twins(dialect, one)
        yield from clashes.settle_twins(dialect, one)
        yield clashes.shared(dialect, one, one.identifiers[1])
        yield clashes.reject_owners(dialect, one, one.identifiers[1])
        yield clashes.shared_count(dialect, one, one.identifiers[1])
        yield clashes.omit_shared(dialect, one, one.identifiers[1])
        yield clashes.reject_shared(dialect, one, one.identifiers[1])
        yield staging.reject_standing(dialect, one, "c0ffee")
        yield staging.list_names(dialect, one)
        yield from staging.set_lists(dialect, one, {"": "L1", "b": "L2"})
        yield staging.staged_counts(dialect, one)


def _diff(dialect: Dialect, shape: Shape, many: Shape, kept: Mapping[str, Column]) -> Iterator[Statement]:
    yield takeover.uncertain_count(dialect, shape)
    for one in (shape, many):
        yield diff.difference(dialect, one, kept_of(one, dialect.engine) or {"retl_email": shape.payload[0]})
        yield diff.nothing(dialect, one)
    yield from diff.diff(dialect, shape, {}, Scope())
    yield from diff.diff(dialect, shape, kept, Scope())
    yield from diff.diff(dialect, shape, kept, Scope(full_refresh=True, uncertain=True, rekeyed=True))
    yield from diff.cut(dialect, shape, 5)
    yield from diff.diff(
        dialect,
        many,
        kept_of(many, dialect.engine) or {"retl_email": shape.payload[0]},
        Scope(uncertain=True),
    )
    yield from diff.diff(dialect, shape, kept, Scope(doubted=("L1", "L2")))
    yield diff.keep_rejected(dialect, shape)
    yield diff.hold_protected(dialect, shape)
    yield diff.planned_counts(dialect, shape)
    yield from (seal.seal(dialect, one) for one in (shape, many))
    yield diff.leaving_counts(dialect, shape)
    yield takeover.snapshot_counts(dialect, shape)
    yield takeover.uncertain_counts(dialect, shape)
    yield diff.sample(dialect, shape, kept, 3, Scope(uncertain=True))
    yield diff.sample(dialect, shape, {}, 3, Scope())
    yield diff.name_lists(dialect, shape, {"new:VIP": "L1", "new:Tea": "L2"})


def _deltas(dialect: Dialect, shape: Shape) -> Iterator[Statement]:
    yield deltas.make_way(dialect, shape)
    yield deltas.last_seq(dialect, shape)
    yield deltas.begin(dialect, shape, RUN, "2026-01-01T00:00:00.000Z", None)
    yield deltas.begin(dialect, shape, RUN, "2026-01-01T00:00:00.000Z", range(1, 10))
    yield from deltas.rekey(dialect, shape)
    yield deltas.spans(dialect, shape, RUN)
    yield deltas.upserts(dialect, shape, RUN, "L1", range(1, 10))
    yield deltas.removes(dialect, shape, RUN, "L1", range(10, 20))
    yield deltas.delta_rows(dialect, shape, RUN, 1, 10)
    yield deltas.wanted(
        dialect, shape, (RUN, MODEL), "L1", IdentifierType.EMAIL, ["a@example.com", "b@example.com"]
    )
    yield deltas.forget_unsent(dialect, shape, RUN, MODEL)
    yield deltas.doubt(dialect, shape, ["L1", "L2"])
    yield deltas.doubt_waiting(dialect, shape)
    yield deltas.doubt_unsent(dialect, shape, RUN, MODEL)
    yield deltas.keep_doubt(dialect, shape, RUN, MODEL)
    yield deltas.follow(dialect, shape, RUN, shape.key, ["L1", "L2"])
    yield from deltas.inherit(dialect, shape, [("L1", "email:a@example.com", "2026-01-01T00:00:00.000Z")])


def _members(dialect: Dialect, shape: Shape) -> Iterator[Statement]:
    yield members.make(dialect, shape)
    joined = ("2026-01-01T00:00:00.000Z", "2026-01-01T00:01:00.000Z")
    yield from members.add(dialect, shape, [("a@example.com", None, None, "P1", *joined)])
    yield from members.compare(dialect, shape, "L1")
    yield members.counts(dialect, shape, "L1")
    yield members.missing_sample(dialect, shape, 3)
    yield members.others_sample(dialect, shape, 3)
    yield members.given_up(dialect, shape, (*KEY, MODEL, "L1"))
    yield members.doubt_missing(dialect, shape)
    yield from members.adopt(dialect, shape, "L1")


def _takeover(dialect: Dialect, shape: Shape) -> Iterator[Statement]:
    yield from takeover.take(dialect, shape, RUN, MODEL)
    yield takeover.last_taken(dialect, shape)
    yield from takeover.advance(dialect, shape, RUN, MODEL, "c0ffee", [None])
    yield from takeover.advance(dialect, shape, RUN, MODEL, "c0ffee", [range(1, 10), range(10, 19)])[1:3]
    yield from schema.drop_scratch(dialect, ("taken_" + shape.key,))


def _rejections(dialect: Dialect, shape: Shape) -> Iterator[Statement]:
    yield rejections.standing(dialect, KEY, RUN)
    yield rejections.check_counts(dialect, KEY, shape, MODEL)
    yield rejections.gather_checks(dialect, KEY, shape, RUN, MODEL)
    yield from rejections.replace_checks(dialect, KEY, shape, MODEL)
    yield from rejections.end_changed(dialect, KEY, shape, MODEL)
    yield from rejections.keep_refused(dialect, KEY, shape, RUN, MODEL)
    yield from rejections.end_all(dialect, KEY, MODEL, shape.rejected)


def _ledger(dialect: Dialect) -> Iterator[Statement]:
    yield ledger.models(dialect, *KEY)
    yield ledger.other_projects(dialect, *KEY)
    yield from ledger.set_model(dialect, *KEY, ("vip", "vip_0a1b2c3d", "profiles", "[]", "c0ffee"))
    yield ledger.last_account(dialect, "shop", "prod")
    yield from ledger.set_account(dialect, "shop", "prod", "acc")
    yield ledger.add_run(dialect, RUN, *KEY, "t", "t")
    yield ledger.end_run(dialect, RUN, "ended", "t", None)
    yield ledger.refuse_run(dialect, RUN, *KEY, "t", 3)
    yield ledger.refusal(dialect, RUN)
    yield ledger.dead_runs(dialect, *KEY)
    yield ledger.run_times(dialect, *KEY, "L1")
    yield ledger.runs(dialect, *KEY)
    yield ledger.run_lists(dialect, *KEY)
    yield ledger.open_receipts(dialect, *KEY)
    yield ledger.delete_receipts(dialect, RUN, MODEL, (1, 2))
    yield from ledger.drop_refusals(dialect, "deltas_vip_0a1b2c3d", RUN, MODEL)
    yield ledger.lists(dialect, *KEY)
    yield from ledger.add_list(dialect, *KEY, ("L1", "VIP", "vip", "owned", "t"))
    yield ledger.lease(dialect, *KEY)
    yield from ledger.take_lease(dialect, *KEY, "me", "t")
    yield ledger.extend_lease(dialect, *KEY, "me", "t")
    yield ledger.claim_lease(dialect, *KEY, "me", "t2", "t1")
    yield ledger.drop_lease(dialect, *KEY, "me")
    for table in ("receipts", "refusals", "gone", "run_lists"):
        columns = schema.SHARED_TABLES[table].count(",") + 1
        rows = [tuple(f"{row}.{column}" for column in range(columns)) for row in range(2)]
        yield from ledger.insert_rows(dialect, table, rows)


def _reports(dialect: Dialect) -> Iterator[Statement]:
    yield reports.run_lists(dialect, [RUN, "r2"])
    yield reports.receipt_sums(dialect, RUN)
    yield reports.receipts(dialect, RUN, 25)
    yield reports.gone(dialect, KEY, RUN, 50)
