"""The keyed hash under which the state keeps an identifier that it must not be able to name.

The key is made of the account, so that it stays the same when a project is renamed.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from reverse_etl.warehouse.statement import Sql, quote_literal

if TYPE_CHECKING:
    from reverse_etl.warehouse.dialect import Dialect


@dataclass(frozen=True)
class PersonHash:
    """The hash of one account: SHA-256 of the account's own hash, a colon and the text."""

    dialect: Dialect
    account: str

    @cached_property
    def _key(self) -> str:
        return hashlib.sha256(self.account.encode()).hexdigest()

    def digest(self, text: str) -> str:
        """Return the hash of a text, such as `email:ann@example.com`."""
        return hashlib.sha256(f"{self._key}:{text}".encode()).hexdigest()

    def sql(self, text: str, prefix: str = "") -> Sql:
        """Return the hash of a text in SQL, after a constant prefix."""
        return Sql(self.dialect.sha256_sql(f"{quote_literal(f'{self._key}:{prefix}')} || {text}"))
