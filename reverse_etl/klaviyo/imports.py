"""Bulk profile import jobs. Source: API reference, 'Bulk Import Profiles' and related pages."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final, TypeAlias

import orjson

from reverse_etl.domain.identifiers import IdentifierType, canonicalize, mask_text
from reverse_etl.klaviyo.client import get_request
from reverse_etl.klaviyo.endpoints import Endpoint
from reverse_etl.klaviyo.errors import CONTENT_REFUSALS
from reverse_etl.klaviyo.jsonapi import ApiError, Resource, parse_errors, parse_row_pointer
from reverse_etl.klaviyo.messages import Request, Response

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

_PAGE_SIZE = "100"
_MAX_CODE, _MAX_FIELD, _MAX_DETAIL = 100, 200, 1_000  # characters
MAX_ERROR_PAGES = 600  # a job has up to 10,000 rows, and the default page 20 errors


class JobStatus(StrEnum):
    """The status of a job. UNKNOWN is a status that Klaviyo added within the revision."""

    QUEUED = "queued"
    PROCESSING = "processing"
    COMPLETE = "complete"
    CANCELLED = "cancelled"
    UNKNOWN = "unknown"

    @property
    def ended(self) -> bool:
        """Return whether the job will not change any more."""
        return self in (JobStatus.COMPLETE, JobStatus.CANCELLED)


@dataclass(frozen=True)
class Job:
    """An import job. A job with `failed` rows can be complete. `created_at` is Klaviyo's time, in UTC.

    Counts and times are None if they cannot be read. `status_text` is the status in Klaviyo's words.
    """

    id: str
    status: JobStatus
    total: int | None
    completed: int | None
    failed: int | None
    created_at: datetime | None
    status_text: str


@dataclass(frozen=True)
class RowError:
    """An error of a row: Klaviyo's code, the field ("" for the whole row) and Klaviyo's message.

    Klaviyo may change the wording of `detail` at any time, so that no code compares it.
    """

    code: str
    field: str
    detail: str


TOO_LARGE: Final = RowError("request_too_large", "", "The request was too large (413).")


@dataclass(frozen=True)
class JobRowError:
    """A row that a job could not import, with the identifiers that were sent, in canonical form.

    All identifiers are None if Klaviyo did not return them.
    """

    error: RowError
    email: str | None
    phone_number: str | None
    external_id: str | None
    id: str | None


@dataclass(frozen=True)
class ImportAccepted:
    """Klaviyo created a job. If `earlier_reply_lost`, an earlier attempt may have created a duplicate."""

    job_id: str
    earlier_reply_lost: bool


@dataclass(frozen=True)
class RowsRefused:
    """No job was created, and each error points at a row. `errors` maps row indexes to their first error."""

    errors: Mapping[int, RowError]
    earlier_reply_lost: bool


@dataclass(frozen=True)
class RequestRefused:
    """No job was created, and at least one error does not point at a row.

    `error.field` is its JSON pointer into the request, or "".
    """

    error: RowError
    status: int
    earlier_reply_lost: bool


ImportReply: TypeAlias = ImportAccepted | RowsRefused | RequestRefused


def start_import_request(body: bytes) -> Request:
    """Return the request that starts an import. A repeat creates a second job with the same effect."""
    return Request(Endpoint.START_IMPORT, Endpoint.START_IMPORT.path(), body)


def jobs_request() -> Request:
    """Return the request for the first page of all jobs, newest first."""
    return get_request(Endpoint.IMPORTS, query={"sort": "-created_at", "page[size]": _PAGE_SIZE})


def job_request(job_id: str) -> Request:
    """Return the request for one job."""
    return get_request(Endpoint.IMPORT, job_id)


def job_lists_request(job_id: str) -> Request:
    """Return the request for the ids of the lists to which a job adds profiles."""
    return get_request(Endpoint.IMPORT_LISTS, job_id)


def job_errors_request(job_id: str) -> Request:
    """Return the request for the first page of a job's errors."""
    return get_request(Endpoint.IMPORT_ERRORS, job_id, query={"page[size]": _PAGE_SIZE})


def parse_refusal(response: Response) -> RowsRefused | RequestRefused | None:
    """Return why an import was refused, or None if the reply is not about the request's content.

    Examples of the latter are a wrong key and the page of a proxy.
    """
    errors = parse_errors(response) if response.status in CONTENT_REFUSALS else ()
    if not errors and response.status == HTTPStatus.REQUEST_ENTITY_TOO_LARGE:  # a proxy may have a limit too
        return RequestRefused(TOO_LARGE, response.status, response.earlier_reply_lost)
    if not errors:
        return None
    rows: dict[int, RowError] = {}
    for error in errors:
        row = error.row
        if row is None:
            return RequestRefused(
                _row_error(error, error.pointer), response.status, response.earlier_reply_lost
            )
        rows.setdefault(row[0], _row_error(error, row[1]))
    return RowsRefused(rows, response.earlier_reply_lost)


def _row_error(error: ApiError, field: str) -> RowError:
    return make_row_error(error.code, field, error.detail or error.title)


def make_row_error(code: str, field: str, detail: str) -> RowError:
    """Return the error of a row, with texts of a length that the state can keep."""
    return RowError(shorten(code, _MAX_CODE), shorten(field, _MAX_FIELD), shorten(detail, _MAX_DETAIL))


def shorten(text: str, length: int) -> str:
    """Return a text that Klaviyo wrote with at most `length` characters: it goes into the state."""
    return text if len(text) <= length else text[: length - 1] + "…"


def parse_job(resource: Resource) -> Job:
    """Return the job of a resource, however little of it can be read."""
    status = resource.attributes.get("status")
    known_status = next((job_status for job_status in JobStatus if job_status == status), JobStatus.UNKNOWN)
    return Job(
        resource.id,
        known_status,
        resource.find_count("total_count"),
        resource.find_count("completed_count", 0),
        resource.find_count("failed_count", 0),
        resource.find_timestamp("created_at"),
        shorten("no status" if status is None else str(status), _MAX_CODE),
    )


def parse_job_error(resource: Resource) -> JobRowError:
    """Return the row error of a resource, however little of it can be read.

    The format of `original_payload` is not documented. It is read as a profile resource or its attributes, if
    necessary inside `data`, and if necessary as JSON text.
    """
    source = resource.attributes.get("source")
    pointer = source.get("pointer") if isinstance(source, dict) else None
    row = parse_row_pointer(pointer) if isinstance(pointer, str) else None
    field = row[1] if row is not None else str(pointer or "").rpartition("/")[2]
    detail = mask_text(str(resource.attributes.get("detail") or resource.attributes.get("title") or ""))
    error = RowError(
        shorten(str(resource.attributes.get("code") or ""), _MAX_CODE),
        "" if field in ("data", "attributes") else shorten(field, _MAX_FIELD),
        shorten(detail, _MAX_DETAIL),
    )
    payload = _parse_payload(resource.attributes.get("original_payload"))
    return JobRowError(
        error,
        _canonical_identifier(IdentifierType.EMAIL, payload.get("email")),
        _canonical_identifier(IdentifierType.PHONE, payload.get("phone_number")),
        _canonical_identifier(IdentifierType.EXTERNAL_ID, payload.get("external_id")),
        _canonical_identifier(IdentifierType.PROFILE_ID, payload.get("id")),
    )


def _parse_payload(payload: Any) -> Mapping[str, Any]:
    if isinstance(payload, str):
        try:
            payload = orjson.loads(payload)
        except orjson.JSONDecodeError:
            return {}
    if not isinstance(payload, dict):
        return {}
    if isinstance(payload.get("data"), dict):
        payload = payload["data"]
    attributes = payload.get("attributes")
    return {"id": payload.get("id"), **attributes} if isinstance(attributes, dict) else payload


def _canonical_identifier(kind: IdentifierType, value: object) -> str | None:
    return (
        canonicalize(kind, str(value))
        if isinstance(value, str | int) and not isinstance(value, bool)
        else None
    )
