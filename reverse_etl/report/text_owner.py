"""Decides which rows that a text finds are the person's: an e-mail or a phone may have been somebody else's.

The rows of the models say who has the text now. Rows that were sent, or are in the journal, with another
external id or profile id are another person's. Rows without an id are the person's if nobody else is known to
have had the text. If somebody had it, they are from when the journal first has the text with the person's id.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from reverse_etl.config.journal import Pii
from reverse_etl.delivery.outcomes import Outcome
from reverse_etl.domain.identifiers import UNIQUE_IDENTIFIERS

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

    from reverse_etl.domain.identifiers import IdentifierType
    from reverse_etl.report.explanation import AppliedRow, ListExplanation, ModelRow, PersonQuery
    from reverse_etl.state import State
    from reverse_etl.state.journal import TextUse

_NEVER: Final = "9"  # later than every time


@dataclass(frozen=True)
class TextOwner:
    """The owner of a text: the ids, by type, of the rows that have it now; several if people share it.

    `since` is from when on rows without an id are this owner's: '' if nobody else is known to have had the
    text. `uses` is what the journal has of the text. `is_in_model` is whether rows of the models say so: then
    a row without an id that no model has any more may be of somebody who had the text before.
    `has_lost_id` is whether an applied row has an id that the model's row with the text lacks.
    """

    ids: Mapping[IdentifierType, Collection[str]]
    since: str = ""
    uses: Sequence[TextUse] = ()
    is_in_model: bool = False
    has_lost_id: bool = False

    @property
    def has_id(self) -> bool:
        """Return whether an id of the owner is known."""
        return bool(self.ids)

    @property
    def is_one_person(self) -> bool:
        """Return whether no two ids of a type are known: nobody shares the text."""
        return all(len(values) == 1 for values in self.ids.values())

    def owns(self, identifiers: Mapping[str, str]) -> bool | None:
        """Return whether a row with these identifiers is the owner's, None if no id says so."""
        answers = [identifiers[kind] in values for kind, values in self.ids.items() if identifiers.get(kind)]
        return all(answers) if answers else None

    def hide_others(self, found: ListExplanation) -> ListExplanation:
        """Return what is known on a list without what is another person's."""
        sent = tuple(
            row
            if row.are_values_hidden or self._may_show_values(found, row)
            else replace(row, values={}, are_values_hidden=True)
            for row in found.sent
            if self._owns_sent(found, row)
        )
        hidden = {row.identity for row in found.sent} - {row.identity for row in sent}
        not_found_at = found.removal_not_found_at
        return replace(
            found,
            sent=sent,
            open_changes=tuple(
                change for change in found.open_changes if self.owns(change.identifiers) is not False
            ),
            changes={} if hidden or any(row.are_values_hidden for row in sent) else found.changes,
            removal_not_found_at=not_found_at if (not_found_at or "") >= self.since else None,
            is_sent_for_another=bool(hidden),
        )

    def _owns_sent(self, found: ListExplanation, sent: AppliedRow) -> bool:
        owns = self.owns(sent.identifiers)
        if owns is not None or not self.since:
            return owns is not False
        as_now = any((row.identifiers, row.values) == (sent.identifiers, sent.values) for row in found.rows)
        return as_now or self._is_recorded(found)

    def _may_show_values(self, found: ListExplanation, sent: AppliedRow) -> bool:
        """Return whether the values of a row that is not another person's are known to be the owner's.

        Its id says so, a row of the model, or the journal; or no row of the models says who has the text now.
        If the row has lost an id, only values that the model has now are.
        """
        if self.has_lost_id:
            return any((row.identity, row.values) == (sent.identity, sent.values) for row in found.rows)
        is_known = self.owns(sent.identifiers) is not None or not self.is_in_model
        return is_known or bool(found.rows) or self._is_recorded(found)

    def _is_recorded(self, found: ListExplanation) -> bool:
        """Return whether the journal has that the owner's row without an id was applied to this list."""
        return self.find_first_application(found.model, found.list_id, self.since) != _NEVER

    def find_first_application(self, model: str, list_id: str, since: str) -> str:
        """Return when a row with the text and no id was first applied since then; _NEVER if none was."""
        times = (
            max(use.first_at, since)
            for use in self.uses
            if use.has_no_id
            and (use.model, use.list_id, use.outcome) == (model, list_id, Outcome.APPLIED)
            and use.last_at >= since
        )
        return min(times, default=_NEVER)


def separate_lost_ids(found: ListExplanation) -> ListExplanation:
    """Return what is known on a list, with applied rows whose id the model's row lacks taken apart.

    Klaviyo keeps an id that is not sent any more, and so does the applied row: it may have the id of one
    person and the values of another, who has the row now. An answer about the id has no values, and one about
    the other identifiers neither the id nor values that the model's row does not have.
    """
    sent = tuple(_separate_lost_id(row, found.rows) for row in found.sent)
    hides = any(row.has_lost_id and row.are_values_hidden for row in sent)
    return replace(found, sent=sent, changes={} if hides else found.changes)


def _separate_lost_id(sent: AppliedRow, rows: Sequence[ModelRow]) -> AppliedRow:
    current = sent.current
    if current is None or all(current.get(kind) for kind in UNIQUE_IDENTIFIERS if sent.identifiers.get(kind)):
        return sent
    row = next((row for row in rows if row.identity == sent.identity), None)
    kept = {
        kind: value
        for kind, value in sent.identifiers.items()
        if (current.get(kind) == value if row else kind in UNIQUE_IDENTIFIERS)
    }
    hides = row is None or row.values != sent.values
    values = {} if hides else sent.values
    return replace(sent, identifiers=kept, values=values, are_values_hidden=hides, has_lost_id=True)


def find_owner(state: State, query: PersonQuery, lists: Sequence[ListExplanation]) -> TextOwner:
    """Return who has a text, by what was found with it; the journal decides if nothing else has an id."""
    uses = state.journal.find_uses(query.values)
    in_models = _find_ids(row for found in lists for row in found.rows)
    ids = in_models or _find_ids(row for found in lists for row in found.sent)
    if not ids:
        has_lost_id = any(row.has_lost_id for found in lists for row in found.sent)
        return TextOwner({}, uses=uses, has_lost_id=has_lost_id)
    owner = TextOwner(ids, uses=uses, is_in_model=bool(in_models))
    own = [use for use in uses if _is_own(state, ids, use)]
    others = [use for use in uses if not use.has_no_id and use not in own]
    sent = [row.identifiers for found in lists for row in found.sent]
    has_rows_of_others = any(owner.owns(identifiers) is False for identifiers in sent)
    if not others and not has_rows_of_others:
        return owner
    return replace(owner, since=_find_start(uses, own, max((use.last_at for use in others), default="")))


def _find_ids(
    rows: Iterator[ModelRow | AppliedRow],
) -> Mapping[IdentifierType, Collection[str]]:
    ids: dict[IdentifierType, set[str]] = {}
    for row in rows:
        for kind in UNIQUE_IDENTIFIERS:  # they do not pass from one person to another
            if value := row.identifiers.get(kind):
                ids.setdefault(kind, set()).add(value)
    return ids


def _is_own(state: State, ids: Mapping[IdentifierType, Collection[str]], use: TextUse) -> bool:
    """Return whether a use of the text in the journal names the owner, by the ids that both have."""
    answers = [
        text in {state.journal.kept_texts(kind, value)[use.pii != Pii.VALUES] for value in values}
        for kind, values in ids.items()
        if (text := use.ids.get(kind))
    ]
    return bool(answers) and all(answers)


def _find_start(uses: Sequence[TextUse], own: Sequence[TextUse], other_until: str) -> str:
    """Return from when on rows without an id are the owner's: from the first run that sent both."""
    first = min(
        (use for use in own if use.first_at > other_until), key=lambda use: use.first_at, default=None
    )
    if first is None:
        return _NEVER
    starts = [use.first_at for use in uses if use.run_id == first.run_id and use.first_at > other_until]
    return min(starts)
