"""The meaning of a NULL in a model: no change, a value to clear, or a row to reject."""

from __future__ import annotations

from collections.abc import Mapping  # noqa: TC003 - pydantic resolves the annotation when it is used in a schema
from dataclasses import dataclass, field
from enum import StrEnum


class OnNull(StrEnum):
    """The effect of a NULL in a column."""

    OMIT = "omit"  # Klaviyo keeps the value that it has
    CLEAR = "clear"  # the value is cleared that this job sent before
    UNSET = "unset"  # as clear, and a custom property goes with its name
    REJECT = "reject"  # the row is rejected


def clears(rule: OnNull) -> bool:
    """Return whether a value that became NULL is cleared."""
    return rule in {OnNull.CLEAR, OnNull.UNSET}


@dataclass(frozen=True)
class NullRules:
    """The meaning of a NULL by column. `by_column` has lower-case names; `default` is for all others."""

    default: OnNull = OnNull.OMIT
    by_column: Mapping[str, OnNull] = field(default_factory=dict)

    def find_rule(self, column: str) -> OnNull:
        """Return the rule of a column."""
        return self.by_column.get(column.lower(), self.default)

    @property
    def may_clear(self) -> bool:
        """Return whether a value of any column may be cleared."""
        return any(map(clears, (self.default, *self.by_column.values())))

    def describe(self) -> dict[str, str]:
        """Return the rules that are not the default of a model without rules, for checksums."""
        rules = {column: rule.value for column, rule in sorted(self.by_column.items())}
        return rules | ({} if self.default is OnNull.OMIT else {"*": self.default.value})
