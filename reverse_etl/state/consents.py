"""The consents that were asked for: those that Klaviyo has yet to show, and those that it showed."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from reverse_etl.domain.batched import batched
from reverse_etl.domain.timestamps import format_timestamp, parse_timestamp
from reverse_etl.state.tables import IN_SCOPE_SQL, ROWS_PER_STATEMENT, in_scope_sql, reading
from reverse_etl.warehouse.statement import Statement

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from datetime import datetime

    from reverse_etl.state.tables import StateTables
    from reverse_etl.warehouse.statement import TableName


class ConsentState(StrEnum):
    """The fate of a consent that Klaviyo accepted. Only one that was confirmed is this project's own."""

    PENDING = "pending"  # Klaviyo has not shown it yet: the person may have to confirm it
    CONFIRMED = "confirmed"
    EXPIRED = "expired"  # it was pending for too long, and is not looked up any more
    OPTED_OUT = "opted_out"  # the person opted out before it was confirmed
    OFF_LIST = "off_list"  # it was confirmed; its row left while its person was not on the list


_OWN: Final = (ConsentState.CONFIRMED, ConsentState.OFF_LIST)


@dataclass(frozen=True)
class SentConsent:
    """A row that Klaviyo accepted, and when. `consented_at` is None for a consent that was given then."""

    list_id: str
    identity: str
    sent_at: datetime
    consented_at: datetime | None


@dataclass(frozen=True)
class OwnConsent:
    """A consent that Klaviyo showed after this project asked for it; `consented_at` is None for then.

    `was_held`: its row left while its person was not on the list, and an earlier run said so.
    """

    consented_at: datetime | None
    was_held: bool = False


@dataclass(frozen=True)
class Consents:
    """The consents of one account and project."""

    state_tables: StateTables

    def record(self, run_id: str, model: str, sent: Sequence[SentConsent]) -> None:
        """Store accepted rows as pending, in the place of earlier entries. May be repeated."""
        if sent:
            self.state_tables.commit(self._replace(run_id, model, sent))

    def _replace(self, run_id: str, model: str, sent: Sequence[SentConsent]) -> Iterator[Statement]:
        tables = self.state_tables
        for list_id, identities in _by_list(sent):
            for part in batched(identities, ROWS_PER_STATEMENT):
                yield tables.delete(
                    "consents", **tables.in_scope, model=model, list_id=list_id, identity=[*part]
                )
        rows = [
            (
                *tables.scope.key,
                model,
                entry.list_id,
                entry.identity,
                run_id,
                ConsentState.PENDING.value,
                format_timestamp(entry.sent_at),
                format_timestamp(entry.consented_at) if entry.consented_at else "",
            )
            for entry in sent
        ]
        yield from tables.insert("consents", rows)

    def mark(
        self,
        model: str,
        list_id: str,
        identities: Sequence[str],
        state: ConsentState,
        *,
        and_then: Iterable[Statement] = (),
    ) -> None:
        """Store what became of consents, and what follows from it, in one transaction. May be repeated."""
        if not identities:
            return
        tables, change = self.state_tables, {"state": state.value}
        marked = (
            tables.update(
                "consents", change, **tables.in_scope, model=model, list_id=list_id, identity=[*part]
            )
            for part in batched(identities, ROWS_PER_STATEMENT)
        )
        tables.commit((*marked, *and_then))

    @reading("consents")
    def states_of(self, model: str, identities: Sequence[str]) -> Mapping[str, ConsentState]:
        """Return by list id what became of the consent of these rows, which are one person's."""
        if not identities:
            return {}
        rows = self.state_tables.read(
            "consents",
            "list_id, state",
            "sent_at, list_id",
            **self.state_tables.in_scope,
            model=model,
            identity=[*identities],
        )
        return {list_id: ConsentState(state) for list_id, state in rows}

    def read_pending(
        self, model: str, list_id: str, after: str, limit: int, run_id: str | None = None
    ) -> list[tuple[str, str]]:
        """Return (identity, sent at) of the first pending consents of a list after an identity.

        With a run id only those of that run.
        """
        condition, parameters = ("AND run_id = ? ", (run_id,)) if run_id is not None else ("", ())
        statement = Statement.read(
            f"SELECT identity, sent_at FROM {self._table}\n"
            f"WHERE {IN_SCOPE_SQL} AND model = ? AND list_id = ? AND state = ? {condition}"
            f"AND identity > ? ORDER BY identity LIMIT {limit}",
            (
                *self.state_tables.scope.key,
                model,
                list_id,
                ConsentState.PENDING.value,
                *parameters,
                after,
            ),
        )
        return [(identity, sent_at) for identity, sent_at in self.state_tables.fetch(statement)]

    def find_subscribed_since(self, identities: Sequence[str], since: datetime) -> frozenset[str]:
        """Return those identities that a model of the project subscribed since then."""
        statements = (
            Statement.read(
                f"SELECT DISTINCT identity FROM {self._table}\n"
                f"WHERE {IN_SCOPE_SQL} AND sent_at >= ? "
                f"AND identity IN ({', '.join('?' for _ in part)})",
                (*self.state_tables.scope.key, format_timestamp(since), *part),
            )
            for part in batched(identities, ROWS_PER_STATEMENT)
        )
        return frozenset(
            identity for statement in statements for (identity,) in self.state_tables.fetch(statement)
        )

    @reading("consents")
    def read_confirmed(self, model: str, list_id: str, identities: Sequence[str]) -> Mapping[str, OwnConsent]:
        """Return the confirmed consents of a model's list among these identities."""
        return {
            identity: OwnConsent(
                parse_timestamp(consented_at) if consented_at else None,
                state == ConsentState.OFF_LIST,
            )
            for part in batched(identities, ROWS_PER_STATEMENT)
            for identity, state, consented_at in self.state_tables.read(
                "consents",
                "identity, state, consented_at",
                "identity",
                **self.state_tables.in_scope,
                model=model,
                list_id=list_id,
                state=[state.value for state in _OWN],
                identity=[*part],
            )
        }

    def forget(self, model: str, list_id: str, identities: Sequence[str]) -> None:
        """Delete what is known of consents whose rows left. May be repeated."""
        tables = self.state_tables
        tables.commit(
            tables.delete("consents", **tables.in_scope, model=model, list_id=list_id, identity=[*part])
            for part in batched(identities, ROWS_PER_STATEMENT)
        )

    @reading("consents")
    def count_by_state(
        self, run_id: str | None = None
    ) -> Mapping[tuple[str, str], Mapping[ConsentState, int]]:
        """Return the number of consents by model and list id, and by state: of one run, or of all."""
        condition, parameters = ("AND run_id = ? ", (run_id,)) if run_id is not None else ("", ())
        statement = Statement.read(
            f"SELECT model, list_id, state, COUNT(*) FROM {self._table}\n"
            f"WHERE {IN_SCOPE_SQL} {condition}"
            "GROUP BY model, list_id, state ORDER BY model, list_id, state",
            (*self.state_tables.scope.key, *parameters),
        )
        counts: dict[tuple[str, str], dict[ConsentState, int]] = {}
        for model, list_id, state, number in self.state_tables.fetch(statement):
            counts.setdefault((model, list_id), {})[ConsentState(state)] = int(number)
        return counts

    @reading("consents")
    def count_unconfirmed(self, model: str, table_key: str) -> Mapping[str, Mapping[ConsentState, int]]:
        """Return the number of applied rows whose consent Klaviyo did not show, by list and state."""
        snapshot = self.state_tables.dialect.state_table(f"snapshot_{table_key}")
        statement = Statement.read(
            f"SELECT c.list_id, c.state, COUNT(*) FROM {self._table} AS c JOIN {snapshot} AS s\n"
            "ON s.retl_list_id = c.list_id AND s.retl_identity = c.identity\n"
            f"WHERE {in_scope_sql('c')} AND c.model = ? AND c.state NOT IN (?, ?) "
            "GROUP BY c.list_id, c.state ORDER BY c.list_id, c.state",
            (*self.state_tables.scope.key, model, *(state.value for state in _OWN)),
        )
        counts: dict[str, dict[ConsentState, int]] = {}
        for list_id, state, number in self.state_tables.fetch(statement):
            counts.setdefault(list_id, {})[ConsentState(state)] = int(number)
        return counts

    @property
    def _table(self) -> TableName:
        return self.state_tables.dialect.state_table("consents")


def _by_list(sent: Iterable[SentConsent]) -> Iterator[tuple[str, list[str]]]:
    identities: dict[str, list[str]] = {}
    for entry in sent:
        identities.setdefault(entry.list_id, []).append(entry.identity)
    yield from identities.items()
