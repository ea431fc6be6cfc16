"""Whose e-mails the requests of models suppressed: only these e-mails may be unsuppressed again."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from reverse_etl.domain.batched import batched
from reverse_etl.domain.deltas import Op
from reverse_etl.domain.timestamps import format_timestamp, parse_timestamp
from reverse_etl.state.tables import ROWS_PER_STATEMENT, reading
from reverse_etl.warehouse.statement import Statement

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from datetime import datetime

    from reverse_etl.state.model_record import ModelRecord
    from reverse_etl.state.tables import StateTables

_TABLE: Final = "own_suppressions"


@dataclass(frozen=True)
class OwnSuppression:
    """A suppression that a model's request made, by the identity of its row.

    Before the request Klaviyo showed none; `requested_at` is Klaviyo's time then. `suppressed_at` is the time
    of the suppression as Klaviyo shows it, None until it does.
    """

    identity: str
    requested_at: datetime
    suppressed_at: datetime | None = None


@dataclass(frozen=True)
class OwnSuppressions:
    """The suppressions of one account and project that requests of its models made."""

    state_tables: StateTables

    def find(self, model: str, identities: Sequence[str]) -> dict[str, OwnSuppression]:
        """Return those of a model by identity, of the identities that are asked for."""
        suppressions: list[OwnSuppression] = []
        for part in batched(identities, ROWS_PER_STATEMENT):
            suppressions += self._read(model, {"identity": [*part]})
        return {entry.identity: entry for entry in suppressions}

    def find_pending(self, model: str) -> dict[str, OwnSuppression]:
        """Return those of a model that Klaviyo did not show yet, by identity."""
        return {entry.identity: entry for entry in self._read(model, {}) if entry.suppressed_at is None}

    def record(self, model: str, entries: Iterable[OwnSuppression]) -> None:
        """Store suppressions of a model, in place of earlier ones of the same identities. May be repeated."""
        tables = self.state_tables
        for part in batched(entries, ROWS_PER_STATEMENT):
            rows = [
                (
                    *tables.scope.key,
                    model,
                    entry.identity,
                    format_timestamp(entry.requested_at),
                    entry.suppressed_at and format_timestamp(entry.suppressed_at),
                )
                for entry in part
            ]
            identities = [entry.identity for entry in part]
            tables.commit((self._delete(model, identities), *tables.insert(_TABLE, rows)))

    def delete(self, model: str, identities: Iterable[str]) -> None:
        """Forget suppressions of a model. May be repeated."""
        for part in batched(identities, ROWS_PER_STATEMENT):
            self.state_tables.execute(self._delete(model, [*part]))

    def find_other_models(
        self, models: Iterable[ModelRecord], identities: Sequence[str]
    ) -> Mapping[str, str]:
        """Return by identity one of the models that have a row of it: applied, sent or refused by Klaviyo.

        Rows that leave a model don't count.
        """
        model_names: dict[str, str] = {}
        for record in models:
            for part in batched(identities, ROWS_PER_STATEMENT):
                for (identity,) in self.state_tables.fetch(self._select_known(record, part)):
                    model_names.setdefault(identity, record.name)
        return model_names

    def _read(self, model: str, condition: Mapping[str, list[str]]) -> Iterator[OwnSuppression]:
        rows = self.state_tables.read(
            _TABLE,
            "identity, requested_at, suppressed_at",
            "identity",
            **self.state_tables.in_scope,
            model=model,
            **condition,
        )
        for identity, requested_at, suppressed_at in rows:
            with reading(_TABLE):
                own = OwnSuppression(
                    identity, parse_timestamp(requested_at), suppressed_at and parse_timestamp(suppressed_at)
                )
            yield own

    def _delete(self, model: str, identities: list[str]) -> Statement:
        return self.state_tables.delete(
            _TABLE, **self.state_tables.in_scope, model=model, identity=identities
        )

    def _select_known(self, record: ModelRecord, identities: Sequence[str]) -> Statement:
        placeholders = ", ".join("?" for _ in identities)
        snapshot, deltas, rejected = (
            self.state_tables.dialect.state_table(f"{name}_{record.table_key}")
            for name in ("snapshot", "deltas", "rejected")
        )
        return Statement.read(
            f"SELECT retl_identity FROM {snapshot} WHERE retl_identity IN ({placeholders})\n"
            f"UNION SELECT retl_identity FROM {rejected} WHERE retl_identity IN ({placeholders})\n"
            f"UNION SELECT retl_identity FROM {deltas} WHERE retl_identity IN ({placeholders}) "
            f"AND retl_op <> '{Op.REMOVE}'",
            (*identities, *identities, *identities),
        )
