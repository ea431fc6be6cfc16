"""Single profiles: finding, creating, changing and merging them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from reverse_etl.sandbox.editing import merge_people, taken_by, write_person
from reverse_etl.sandbox.filters import Field, filter_sql
from reverse_etl.sandbox.lists import LIST_COLUMNS, LIST_FIELDS, StoredList
from reverse_etl.sandbox.matching import Person
from reverse_etl.sandbox.paging import Source, fetch, links, order_of, page_of
from reverse_etl.sandbox.profiles import (
    COLUMNS,
    PROFILE_PARAMETERS,
    find_person,
    people_for,
    person_of,
    profile_fields,
    profile_resource,
    save_people,
)
from reverse_etl.sandbox.replies import ApiError, Refusal, Reply, invalid, missing
from reverse_etl.sandbox.routes.route import Route
from reverse_etl.sandbox.validation import check_profile, resource_ids, typed

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Mapping

    from reverse_etl.sandbox.account import Account
    from reverse_etl.sandbox.ask import Ask

_DEFAULT_A_PAGE: Final = 20
_MOST_A_PAGE: Final = 100
_SOURCE: Final = Source(COLUMNS, "profiles p", "p.seq")
_SORTS: Final = {
    "created": "p.created",
    "updated": "p.updated",
    "id": "p.id",
    "email": "coalesce(p.email, '')",
}
_LISTED: Final = frozenset({"any", "equals"})
_BETWEEN: Final = frozenset({"greater-than", "less-than"})
_FILTERS: Final = {
    **{name: Field(f"p.{name}", _LISTED) for name in ("id", "email", "phone_number", "external_id")},
    "created": Field("p.created", _BETWEEN, "time"),
    "updated": Field("p.updated", _BETWEEN, "time"),
}


def get_profiles(account: Account, ask: Ask) -> Reply:
    """Return a page of the account's profiles, oldest first.

    A profile that was merged into another is not among them.
    """
    ask.allow(*PROFILE_PARAMETERS, "filter", "page[cursor]", "page[size]", "sort")
    wanted, where = profile_fields(ask), filter_sql(ask.query.get("filter"), _FILTERS)
    order, page = order_of(ask, _SORTS, "created"), page_of(ask, _DEFAULT_A_PAGE, _MOST_A_PAGE)
    with account.state() as db:
        rows, cursor = fetch(db, _SOURCE, where, order, page)
    found = [profile_resource(person_of(row), ask.origin, wanted) for row in rows]
    return Reply(200, {"data": found, "links": links(ask, cursor)})


def get_profile(account: Account, ask: Ask) -> Reply:
    """Return one profile by its id."""
    ask.allow(*PROFILE_PARAMETERS)
    with account.state() as db:
        return _one(ask, 200, _the_profile(db, ask))


def create_profile(account: Account, ask: Ask) -> Reply:
    """Create a profile; 409 with the other's id if somebody has one of its identifiers."""
    ask.allow(*PROFILE_PARAMETERS)
    resource = _checked(account, ask, identified=False)
    if resource.get("id"):
        raise invalid("A new profile has no id yet.", pointer="/data/id")
    with account.state() as db:
        _refuse_taken(db, None, resource)
        person = _applied(db, account, resource)
    return _one(ask, 201, person)


def update_profile(account: Account, ask: Ask) -> Reply:
    """Change one profile: null clears, omitted fields stay.

    409 if somebody else has one of its new identifiers.
    """
    ask.allow(*PROFILE_PARAMETERS)
    resource = _checked(account, ask, identified=True)
    if resource.get("id") != ask.places["id"]:
        raise invalid("The id should be that of the address.", pointer="/data/id")
    with account.state() as db:
        person = _the_profile(db, ask)
        _refuse_taken(db, person, resource)
        write_person(db, person, resource["attributes"], int(account.now()))
    return _one(ask, 200, person)


def create_or_update_profile(account: Account, ask: Ask) -> Reply:
    """Create or change the profile that the identifiers mean: null clears.

    201 for a new one, 200 for one that was there.
    """
    ask.allow(*PROFILE_PARAMETERS)
    resource = _checked(account, ask, identified=False)
    with account.state() as db:
        before = db.execute("SELECT count(*) FROM profiles").fetchone()[0]
        person = _applied(db, account, resource)
        write_person(db, person, _nulls(resource["attributes"]), int(account.now()))
        after = db.execute("SELECT count(*) FROM profiles").fetchone()[0]
    return _one(ask, 201 if after > before else 200, person)


def merge_profiles(account: Account, ask: Ask) -> Reply:
    """Merge one profile into another, here at once.

    The source's memberships move, what the other lacks is filled in, and the source is gone.
    """
    ask.allow("fields[profile]")
    resource = typed(ask.document(), "profile-merge")
    profiles = (resource.get("relationships") or {}).get("profiles") or {}
    pointer = "/data/relationships/profiles/data"
    sources = resource_ids(profiles.get("data"), "profile", pointer)
    if len(sources) != 1 or sources[0] == resource.get("id"):
        raise invalid("Exactly one other profile is required.", pointer=pointer)
    with account.state() as db:
        kept, source = find_person(db, str(resource.get("id"))), find_person(db, sources[0])
        if kept is None or source is None:
            raise missing("profile", sources[0] if kept else str(resource.get("id")))
        merge_people(db, kept, source, int(account.now()))
    return Reply(201, {"data": {"type": "profile", "id": kept.id}, "links": {"self": ask.url()}})


def get_lists_for_profile(account: Account, ask: Ask) -> Reply:
    """Return the lists that a profile is on, all on one page."""
    ask.allow("fields[list]")
    wanted = ask.several("fields[list]", LIST_FIELDS)
    return Reply(
        200, {"data": [one.resource(ask.origin, wanted) for one in _lists(account, ask)], "links": links(ask)}
    )


def get_list_ids_for_profile(account: Account, ask: Ask) -> Reply:
    """Return the ids of the lists that a profile is on, all on one page."""
    ask.allow()
    return Reply(
        200, {"data": [{"type": "list", "id": one.id} for one in _lists(account, ask)], "links": links(ask)}
    )


def _lists(account: Account, ask: Ask) -> list[StoredList]:
    with account.state() as db:
        rows = db.execute(
            f"SELECT {LIST_COLUMNS} FROM lists l JOIN members m ON m.list = l.seq "
            "WHERE m.profile = ? ORDER BY l.seq",
            (_the_profile(db, ask).seq,),
        )
        return [StoredList(*row) for row in rows]


def _the_profile(db: sqlite3.Connection, ask: Ask) -> Person:
    person = find_person(db, ask.places["id"])
    if person is None:
        raise missing("profile", ask.places["id"])
    return person


def _one(ask: Ask, status: int, person: Person) -> Reply:
    return Reply(
        status,
        {"data": profile_resource(person, ask.origin, profile_fields(ask)), "links": {"self": ask.url()}},
    )


def _checked(account: Account, ask: Ask, *, identified: bool) -> dict[str, Any]:
    resource = typed(ask.document(), "profile")
    check_profile(resource, account.rules, identified=identified)
    return resource


def _applied(db: sqlite3.Connection, account: Account, resource: Mapping[str, Any]) -> Person:
    now = int(account.now())
    outcome = people_for(db, account.id, account.rules, [resource], now).apply(resource, now)
    if not isinstance(outcome, Person):
        raise Refusal(404, ApiError(outcome.detail, "/data"))
    save_people(db, [outcome])
    return outcome


def _refuse_taken(db: sqlite3.Connection, person: Person | None, resource: Mapping[str, Any]) -> None:
    owner = taken_by(db, person, resource["attributes"])
    if owner is not None:
        raise Refusal(
            409,
            ApiError(
                "Another profile has one of these identifiers.",
                "/data/attributes",
                code="duplicate_profile",
                meta={"duplicate_profile_id": owner},
            ),
        )


def _nulls(attributes: Mapping[str, Any]) -> dict[str, None]:
    return {name: None for name, value in attributes.items() if value is None}


ROUTES: Final = (
    Route("GET", "/api/profiles", "get_profiles", get_profiles),
    Route("POST", "/api/profiles", "create_profile", create_profile),
    Route("GET", "/api/profiles/<id>", "get_profile", get_profile),
    Route("PATCH", "/api/profiles/<id>", "update_profile", update_profile),
    Route("POST", "/api/profile-import", "create_or_update_profile", create_or_update_profile),
    Route("POST", "/api/profile-merge", "merge_profiles", merge_profiles),
    Route("GET", "/api/profiles/<id>/lists", "get_lists_for_profile", get_lists_for_profile),
    Route(
        "GET", "/api/profiles/<id>/relationships/lists", "get_list_ids_for_profile", get_list_ids_for_profile
    ),
)
