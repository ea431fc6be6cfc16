"""Which temporary tables a session has, and which were lost with the sessions before it."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from reverse_etl.errors import SessionLost
from reverse_etl.warehouse.snowflake.faults import AGAIN

if TYPE_CHECKING:
    from reverse_etl.sql.text import Statement

# As `Dialect.passing` writes them: the last part of a dotted name. A database or schema may begin with TEMP_
# too, and so may a payload column.
_NAME = re.compile(r'"\."(TEMP_[^"]*)"(?!\.)')


@dataclass
class Scratch:
    """Keeps the names; Snowflake itself would only say that there is no such table."""

    _made: set[str] = field(default_factory=set)
    _lost: set[str] = field(default_factory=set)

    def note(self, statement: Statement) -> None:
        """Take a statement that was run: it may have made a table, or dropped one."""
        text = statement.first_line
        if text.startswith(("CREATE", "DROP")) and (named := _NAME.search(text)):
            self._lost.discard(named[1])
            self._made.discard(named[1])
            if text.startswith("CREATE"):
                self._made.add(named[1])

    def lose(self) -> None:
        """Begin another session, which has none of the tables."""
        self._lost |= self._made
        self._made.clear()

    def refuse_lost(self, statement: Statement) -> None:
        """Raise SessionLost for a statement that needs a lost table; making it again does not."""
        names = _NAME.findall(statement.text)
        if statement.text.startswith(("CREATE", "DROP")):
            names = names[1:]
        if not self._lost.isdisjoint(names):
            raise SessionLost.of(
                "The session with Snowflake ended under way, and with it the tables that were staged in it.",
                where=statement.opening,
                advice=AGAIN,
            )
