"""Follows the e-mail and the phone of a person who is asked for by an id, to the models that know no ids."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from reverse_etl.domain.identifiers import IdentifierType
from reverse_etl.report.explanation import PersonQuery
from reverse_etl.report.person_search import ModelSearch, explain_deleted
from reverse_etl.report.text_owner import find_owner, separate_lost_ids

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from reverse_etl.planning.plan import Plan
    from reverse_etl.report.explanation import ListExplanation
    from reverse_etl.report.text_owner import TextOwner
    from reverse_etl.state import State
    from reverse_etl.warehouse.interface import Warehouse

_CONTACTS = (IdentifierType.EMAIL, IdentifierType.PHONE)


@dataclass(frozen=True)
class FollowedContact:
    """An e-mail or a phone of the person, its owner, and the lists that are found by it alone."""

    query: PersonQuery
    owner: TextOwner
    lists: tuple[ListExplanation, ...]


@dataclass(frozen=True)
class ContactSearch:
    """The search, by e-mail and phone, in the planned models and the deleted ones."""

    warehouse: Warehouse
    state: State
    plan: Plan
    deleted_models: Sequence[str]

    def follow(self, explained: Sequence[ListExplanation], owner: TextOwner) -> Iterator[FollowedContact]:
        """Yield the contacts of the one person with an id, by the rows that were found with the id.

        A contact that another person has now, or shares, is not followed.
        """
        if not (owner.has_id and owner.is_one_person):
            return
        own_ids = {kind.value: next(iter(values)) for kind, values in owner.ids.items()}
        known = {(item.model, item.list_id) for item in explained}
        for query in _find_contacts(explained):
            found = [separate_lost_ids(item) for item in self._search(query)]
            contact_owner = find_owner(self.state, query, found)
            if not (contact_owner.is_one_person and contact_owner.owns(own_ids)):
                continue
            (text,) = (f"{kind} {value}" for kind, value in query.values.items())
            lists = [
                replace(contact_owner.hide_others(item), found_by=text)
                for item in found
                if (item.model, item.list_id) not in known
            ]
            known |= {(item.model, item.list_id) for item in lists}
            yield FollowedContact(query, contact_owner, tuple(item for item in lists if item.is_known))

    def _search(self, query: PersonQuery) -> Iterator[ListExplanation]:
        for model_plan in self.plan.models:
            if not query.values.keys().isdisjoint(model_plan.tables.identifiers):
                search = ModelSearch(self.warehouse, self.state, self.plan, model_plan, query)
                yield from search.explain_lists()
        for model in self.deleted_models:
            yield from explain_deleted(self.warehouse, self.state, model, query)


def _find_contacts(explained: Sequence[ListExplanation]) -> Iterator[PersonQuery]:
    """Yield each e-mail and phone of the models' rows, or of the applied ones if no model has the person."""
    in_models = [row.identifiers for item in explained for row in item.rows]
    rows = in_models or [row.identifiers for item in explained for row in item.sent]
    contacts = {(kind, value) for row in rows for kind in _CONTACTS if (value := row.get(kind))}
    for kind, value in sorted(contacts):
        yield PersonQuery(value, {kind: value})
