"""Bulk profile import jobs: starting one, and asking what became of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import orjson

from reverse_etl.sandbox.faults import Standing, drawn_job_faults
from reverse_etl.sandbox.filters import Field, Where, filter_sql
from reverse_etl.sandbox.jobs import (
    JOB_COLUMNS,
    JOB_FIELDS,
    JobOrder,
    StoredJob,
    accept_job,
    fate_of,
    find_job,
    invalid_rows,
)
from reverse_etl.sandbox.lists import LIST_FIELDS, StoredList, find_list
from reverse_etl.sandbox.paging import Order, Source, fetch, links, order_of, page_of
from reverse_etl.sandbox.profiles import (
    COLUMNS,
    PROFILE_PARAMETERS,
    person_of,
    profile_fields,
    profile_resource,
)
from reverse_etl.sandbox.replies import Refusal, Reply, invalid, missing
from reverse_etl.sandbox.routes.route import Route
from reverse_etl.sandbox.validation import check_rows, import_rows

if TYPE_CHECKING:
    import sqlite3

    from reverse_etl.sandbox.account import Account
    from reverse_etl.sandbox.ask import Ask

_PATH: Final = "/api/profile-bulk-import-jobs"
_SPARSE: Final = "fields[profile-bulk-import-job]"
_DEFAULT_A_PAGE: Final = 20
_MOST_A_PAGE: Final = 100
_STATUSES: Final = frozenset({"queued", "processing", "complete"})  # `cancelled` cannot be asked for
_FILTERS: Final = {"status": Field("j.status", frozenset({"any", "equals"}), choices=_STATUSES)}
_ERROR_FIELDS: Final = frozenset(
    {"id", "code", "title", "detail", "source", "source.pointer", "original_payload"}
)
_ERRORS: Final = Source(
    "e.id, e.code, e.title, e.detail, e.pointer, e.original_payload", "job_errors e", "e.seq"
)
_PEOPLE: Final = Source(COLUMNS, "job_profiles o CROSS JOIN profiles p ON p.seq = o.profile", "o.profile")


def bulk_import_profiles(account: Account, ask: Ask) -> Reply:
    """Accept a job, or refuse the whole request with a pointer to every row that is not in order."""
    ask.allow(_SPARSE)
    wanted = ask.several(_SPARSE, JOB_FIELDS)
    rows, list_ids = import_rows(ask.document())
    check_rows(rows, len(ask.body), account.rules)
    with account.state() as db:
        for identity in list_ids:
            if find_list(db, identity) is None:
                raise invalid(f"A list with id {identity} does not exist.", pointer="/data")
        standing = drawn_job_faults(db, ask.method, ask.path)
        refused = invalid_rows(db, standing, rows)
        job = None if refused else _accepted(db, account, standing, rows, list_ids)
    if job is None:
        raise Refusal(400, *refused[: account.rules.errors_per_reply])
    return Reply(202, {"data": job.resource(ask.origin, wanted), "links": {"self": ask.url()}})


def get_bulk_import_profiles_jobs(account: Account, ask: Ask) -> Reply:
    """Return a page of the jobs that have not expired, newest first unless another order is asked for."""
    ask.allow(_SPARSE, "filter", "page[cursor]", "page[size]", "sort")
    wanted, where = ask.several(_SPARSE, JOB_FIELDS), filter_sql(ask.query.get("filter"), _FILTERS)
    order = order_of(ask, {"created_at": "j.created_at"}, "-created_at")
    page = page_of(ask, _DEFAULT_A_PAGE, _MOST_A_PAGE)
    kept = Where(f"{where.sql} AND j.expires_at > ?", (*where.values, account.now()))
    with account.state() as db:
        rows, cursor = fetch(db, Source(JOB_COLUMNS, "jobs j", "j.seq"), kept, order, page)
    found = [StoredJob(*row).resource(ask.origin, wanted) for row in rows]
    return Reply(200, {"data": found, "links": links(ask, cursor)})


def get_bulk_import_profiles_job(account: Account, ask: Ask) -> Reply:
    """Return one job; with `include=lists` also the lists it fills."""
    ask.allow(_SPARSE, "fields[list]", "include")
    wanted, included = ask.several(_SPARSE, JOB_FIELDS), ask.several("include", frozenset({"lists"}))
    listed = ask.several("fields[list]", LIST_FIELDS)
    with account.state() as db:
        job = _the_job(db, account, ask)
        lists = _lists(db, job) if included else []
    body: dict[str, Any] = {"data": job.resource(ask.origin, wanted), "links": {"self": ask.url()}}
    return Reply(
        200, body | ({"included": [one.resource(ask.origin, listed) for one in lists]} if included else {})
    )


def get_import_errors(account: Account, ask: Ask) -> Reply:
    """Return a page of the rows that failed in a job, in the order of the rows."""
    ask.allow("fields[import-error]", "page[cursor]", "page[size]")
    wanted, page = (
        ask.several("fields[import-error]", _ERROR_FIELDS),
        page_of(ask, _DEFAULT_A_PAGE, _MOST_A_PAGE),
    )
    with account.state() as db:
        own = Where("e.job = ?", (_the_job(db, account, ask).seq,))
        rows, cursor = fetch(db, _ERRORS, own, Order("e.seq"), page)
    return Reply(200, {"data": [_error_resource(row, wanted) for row in rows], "links": links(ask, cursor)})


def get_profiles_for_job(account: Account, ask: Ask) -> Reply:
    """Return a page of the profiles that a job made or changed."""
    ask.allow(*PROFILE_PARAMETERS, "page[cursor]", "page[size]")
    wanted = profile_fields(ask)
    rows, cursor = _people(account, ask)
    found = [profile_resource(person_of(row), ask.origin, wanted) for row in rows]
    return Reply(200, {"data": found, "links": links(ask, cursor)})


def get_profile_ids_for_job(account: Account, ask: Ask) -> Reply:
    """Return a page of the ids of the profiles that a job made or changed."""
    ask.allow("page[cursor]", "page[size]")
    rows, cursor = _people(account, ask)
    return Reply(
        200, {"data": [{"type": "profile", "id": row[1]} for row in rows], "links": links(ask, cursor)}
    )


def get_lists_for_job(account: Account, ask: Ask) -> Reply:
    """Return the lists that a job fills."""
    ask.allow("fields[list]")
    wanted = ask.several("fields[list]", LIST_FIELDS)
    with account.state() as db:
        lists = _lists(db, _the_job(db, account, ask))
    return Reply(200, {"data": [one.resource(ask.origin, wanted) for one in lists], "links": links(ask)})


def get_list_ids_for_job(account: Account, ask: Ask) -> Reply:
    """Return the ids of the lists that a job fills."""
    ask.allow()
    with account.state() as db:
        lists = _lists(db, _the_job(db, account, ask))
    return Reply(200, {"data": [{"type": "list", "id": one.id} for one in lists], "links": links(ask)})


def _accepted(
    db: sqlite3.Connection,
    account: Account,
    standing: list[Standing],
    rows: list[Any],
    list_ids: tuple[str, ...],
) -> StoredJob:
    order = JobOrder(rows, list_ids, fate_of(db, standing, rows))
    return accept_job(db, account.id, account.rules, order, account.now())


def _the_job(db: sqlite3.Connection, account: Account, ask: Ask) -> StoredJob:
    job = find_job(db, ask.places["id"], account.now())
    if job is None:
        raise missing("profile-bulk-import-job", ask.places["id"])
    return job


def _lists(db: sqlite3.Connection, job: StoredJob) -> list[StoredList]:
    return [listed for listed in (find_list(db, identity) for identity in job.list_ids()) if listed]


def _people(account: Account, ask: Ask) -> tuple[list[tuple[Any, ...]], str | None]:
    page = page_of(ask, _DEFAULT_A_PAGE, _MOST_A_PAGE)
    with account.state() as db:
        own = Where("o.job = ?", (_the_job(db, account, ask).seq,))
        return fetch(db, _PEOPLE, own, Order("o.profile"), page)


def _error_resource(row: tuple[Any, ...], wanted: frozenset[str] | None) -> dict[str, Any]:
    identity, code, title, detail, pointer, payload = row
    attributes = {
        "code": code,
        "title": title,
        "detail": detail,
        "source": {"pointer": pointer},
        "original_payload": None if payload is None else orjson.loads(payload),
    }
    whole = None if wanted is None else {name.split(".")[0] for name in wanted}
    return {
        "type": "import-error",
        "id": identity,
        "attributes": {name: value for name, value in attributes.items() if whole is None or name in whole},
    }


ROUTES: Final = (
    Route("POST", _PATH, "bulk_import_profiles", bulk_import_profiles),
    Route("GET", _PATH, "get_bulk_import_profiles_jobs", get_bulk_import_profiles_jobs),
    Route("GET", f"{_PATH}/<id>", "get_bulk_import_profiles_job", get_bulk_import_profiles_job),
    Route("GET", f"{_PATH}/<id>/import-errors", "get_errors_for_bulk_import_profiles_job", get_import_errors),
    Route("GET", f"{_PATH}/<id>/profiles", "get_profiles_for_bulk_import_profiles_job", get_profiles_for_job),
    Route(
        "GET",
        f"{_PATH}/<id>/relationships/profiles",
        "get_profile_ids_for_bulk_import_profiles_job",
        get_profile_ids_for_job,
    ),
    Route("GET", f"{_PATH}/<id>/lists", "get_list_for_bulk_import_profiles_job", get_lists_for_job),
    Route(
        "GET",
        f"{_PATH}/<id>/relationships/lists",
        "get_list_ids_for_bulk_import_profiles_job",
        get_list_ids_for_job,
    ),
)
