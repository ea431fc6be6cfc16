"""Gathers what is known of one person: in the models, in a plan, in the state, and at Klaviyo."""

from __future__ import annotations

from dataclasses import replace
from operator import attrgetter
from typing import TYPE_CHECKING

from reverse_etl.domain.identifiers import IdentifierType
from reverse_etl.domain.timestamps import format_timestamp
from reverse_etl.errors import KlaviyoError, UsageError
from reverse_etl.klaviyo.consents import Channel
from reverse_etl.klaviyo.filters import LIST_FILTERABLE
from reverse_etl.report.explanation import (
    Explanation,
    ListExplanation,
    Membership,
    ShownConsent,
    parse_query,
)
from reverse_etl.report.followed_contacts import ContactSearch
from reverse_etl.report.person_journal import find_person_rows
from reverse_etl.report.person_search import ModelSearch, explain_deleted
from reverse_etl.report.text_owner import find_owner, separate_lost_ids
from reverse_etl.state.journal import JournalSearch
from reverse_etl.surfaces.read_back import ReadConsents

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

    from reverse_etl.klaviyo.api import Klaviyo
    from reverse_etl.klaviyo.profiles import Profile
    from reverse_etl.models.model import ProjectModel
    from reverse_etl.planning.plan import Plan
    from reverse_etl.report.explanation import PersonSearch
    from reverse_etl.report.followed_contacts import FollowedContact
    from reverse_etl.report.text_owner import TextOwner
    from reverse_etl.state import State
    from reverse_etl.state.journal import JournalRow
    from reverse_etl.warehouse.interface import Warehouse

MAX_JOURNAL_ROWS = 20  # the newest; the table has all


def find_deleted_models(state: State, project_models: Iterable[ProjectModel]) -> list[str]:
    """Return the names of models that were sent and that the project no longer has."""
    names = {model.name for model in project_models}
    return [name for name in state.models.records() if name not in names]


def explain_person(warehouse: Warehouse, state: State, plan: Plan, search: PersonSearch) -> Explanation:
    """Return what the planned models, the plan and the state know of a person.

    The plan's temporary tables have to be those of this session. Changes nothing. Raises UsageError if no
    model has one of the lists.
    """
    query, lists = parse_query(search.text), search.lists
    explained: list[ListExplanation] = []
    others: list[str] = []
    without_identifier: list[str] = []
    without_people = [
        model_plan.model.name for model_plan in plan.models if not model_plan.tables.identifiers
    ]
    for model_plan in plan.models:
        list_explanations = [*ModelSearch(warehouse, state, plan, model_plan, query).explain_lists()]
        explained += list_explanations
        if not list_explanations and model_plan.tables.identifiers:
            can_know = not query.values.keys().isdisjoint(model_plan.tables.identifiers)
            (others if can_know else without_identifier).append(model_plan.model.name)
    for model in search.deleted_models:
        explained += explain_deleted(warehouse, state, model, query)
    explained = [separate_lost_ids(found) for found in explained]
    owner = find_owner(state, query, explained)
    explained = [owner.hide_others(found) for found in explained]
    contacts = ContactSearch(warehouse, state, plan, search.deleted_models)
    is_id = query.values.keys().isdisjoint(LIST_FILTERABLE)
    followed = [*contacts.follow(explained, owner)] if is_id else []
    explained += [item for contact in followed for item in contact.lists]
    found = {item.model for item in explained}
    searched = {kind for contact in followed for kind in contact.query.values}
    for model_plan in plan.models:
        name = model_plan.model.name
        if name in without_identifier and not searched.isdisjoint(model_plan.tables.identifiers):
            without_identifier.remove(name)
            others.append(name)
    others = [name for name in others if name not in found]
    journal = _read_journal(state, plan, search, owner, followed)
    names = _list_names(plan, search)
    explained = [replace(item, list_name=names.get(item.list_id, item.list_name)) for item in explained]
    if lists:
        _require_lists(names, explained, lists)
        explained = [item for item in explained if item.list_id in lists or item.list_name in lists]
    return Explanation(
        query,
        tuple(explained),
        tuple(others),
        models_without_people=tuple(without_people),
        models_without_identifier=tuple(without_identifier),
        are_lists_chosen=bool(lists),
        journal=journal,
    )


def _list_names(plan: Plan, search: PersonSearch) -> Mapping[str, str]:
    """Return the names, by id, of the lists that searched models own, or owned before and have rows on."""
    names = {
        orphan.list_id: orphan.list_name
        for orphan in plan.orphans
        if not orphan.model_deleted or orphan.model in search.deleted_models
    }
    return names | {list_plan.list_ref.id: list_plan.list_ref.name for _, list_plan in plan.list_plans()}


def _read_journal(
    state: State,
    plan: Plan,
    search: PersonSearch,
    owner: TextOwner,
    followed: Sequence[FollowedContact],
) -> tuple[JournalRow, ...] | None:
    """Return what came of the person's rows of the searched models, None if no journal is kept."""
    if state.journal.settings is None:
        return None
    models = [*(model_plan.model.name for model_plan in plan.models), *search.deleted_models]
    names = _list_names(plan, search)
    list_ids = {*search.lists} | {list_id for list_id, name in names.items() if name in search.lists}
    person = JournalSearch(parse_query(search.text).values, models, MAX_JOURNAL_ROWS, sorted(list_ids))
    rows = [*find_person_rows(state, person, owner)]
    for contact in followed:
        if found := sorted({item.model for item in contact.lists}):
            person = JournalSearch(contact.query.values, found, MAX_JOURNAL_ROWS, sorted(list_ids))
            rows += [row for row in find_person_rows(state, person, contact.owner) if row not in rows]
    rows.sort(key=attrgetter("recorded_at"), reverse=True)
    return tuple(replace(row, list_name=names.get(row.list_id, "")) for row in rows[:MAX_JOURNAL_ROWS])


def _require_lists(
    names: Mapping[str, str], explained: Sequence[ListExplanation], lists: Collection[str]
) -> None:
    """Raise UsageError if a list is neither one of a model nor one on which the person was found."""
    known = {*names, *names.values(), *(item.list_id for item in explained)}
    for unknown in sorted({*lists} - known):
        available = sorted({name for name in names.values() if name})
        raise UsageError.of(
            f"No model has the list {unknown!r}.",
            where="--list",
            hint=f"Available: {', '.join(available)}." if available else "These models have no lists.",
        )


def add_shown(klaviyo: Klaviyo, plan: Plan, explanation: Explanation) -> Explanation:
    """Return the explanation with the memberships and the consent that Klaviyo shows now.

    Sends GETs only. Consent is that to e-mail and SMS, and to the channels of the planned models. Raises
    KlaviyoError, but if only the consent can't be read.
    """
    profiles = {
        profile.id: profile
        for kind, value in explanation.query.values.items()
        for profile in klaviyo.find_profiles(kind, [value])
    }
    contacts = {
        kind: [value for profile in profiles.values() if (value := profile.identifier(kind))]
        for kind in IdentifierType
        if kind in LIST_FILTERABLE
    }
    lists: list[ListExplanation] = []
    for list_explanation in explanation.lists:
        if not list_explanation.list_id:
            lists.append(list_explanation)
            continue
        joined = {
            member.profile.id: format_timestamp(member.joined_at)
            for kind, values in contacts.items()
            if values
            for member in klaviyo.find_members(list_explanation.list_id, kind, values)
        }
        memberships = tuple(Membership(profile_id, joined.get(profile_id)) for profile_id in sorted(profiles))
        lists.append(replace(list_explanation, memberships=memberships))
    explanation = replace(explanation, lists=tuple(lists), profiles=tuple(sorted(profiles)))
    try:
        consents = tuple(_read_consents(klaviyo, plan, [*profiles.values()]))
    except KlaviyoError as error:  # such as a key that may not read consent
        return replace(explanation, consent_fault=str(error))
    return replace(explanation, consents=consents)


def _read_consents(klaviyo: Klaviyo, plan: Plan, profiles: Sequence[Profile]) -> Iterator[ShownConsent]:
    """Yield what profiles show of consent, by profile, as far as they have the identifier of a channel."""
    kinds = [model_plan.model.config.surface.read_back for model_plan in plan.models]
    asked = {kind.channel for kind in kinds if isinstance(kind, ReadConsents)}
    for channel in Channel:
        values = sorted({value for profile in profiles if (value := profile.identifier(channel.identifier))})
        if values and channel in {Channel.EMAIL, Channel.SMS, *asked}:
            for consent in klaviyo.read_consents(channel, values).found:
                if any(consent.id == profile.id for profile in profiles):
                    yield ShownConsent(consent.id, channel, consent.consent)
