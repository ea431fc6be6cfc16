"""Endpoints of tags, coupons, catalog items and object records, as far as requests of models need them.

None of them reads what another part of the sandbox keeps.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from reverse_etl.sandbox.identities import derive_list_id
from reverse_etl.sandbox.lists import find_list
from reverse_etl.sandbox.records import drop_record, find_record, put_record, read_records
from reverse_etl.sandbox.replies import (
    ApiResponse,
    ErrorObject,
    HttpError,
    bad_request_error,
    not_found_error,
)
from reverse_etl.sandbox.routes.route import Route
from reverse_etl.sandbox.times import to_iso
from reverse_etl.sandbox.validation import parse_resource

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Sequence

    from reverse_etl.sandbox.account import SandboxAccount
    from reverse_etl.sandbox.ask import ApiRequest

TAG, TAG_LINK, COUPON, COUPON_CODE = "tag", "tag-list", "coupon", "coupon-code"
CATALOG_ITEM, CATALOG_JOB, OBJECT_RECORD = "catalog-item", "catalog-item-bulk-create-job", "object-record"

_COUPON_ID: Final = re.compile("[0-9_A-Za-z]+")
_CATALOG_PREFIX: Final = "$custom:::$default:::"
_CODES_POINTER: Final = "/data/attributes/coupon-codes/data"
_RECORDS_POINTER: Final = "/data/attributes/data-source-records/data"
_ITEMS_POINTER: Final = "/data/attributes/items/data"
_MAX_CODES, _MAX_RECORDS, _MAX_ITEMS = 1_000, 500, 100


def create_tag(account: SandboxAccount, request: ApiRequest) -> ApiResponse:
    """Create a tag; two tags never have the same name."""
    attributes = _require_attributes(request, "tag", "name")
    with account.transaction() as db:
        tags = read_records(db, TAG)
        if attributes["name"] in {tag["name"] for tag in tags.values()}:
            raise HttpError(409, ErrorObject("A tag with this name exists.", "/data/attributes/name"))
        tag_id = derive_list_id(f"{account.id} tags", len(tags) + 1)
        put_record(db, TAG, tag_id, {"name": attributes["name"]})
    return _created(request, "tag", tag_id, attributes)


def tag_lists(account: SandboxAccount, request: ApiRequest) -> ApiResponse:
    """Link lists to a tag: all of them, or none if one does not exist or is linked already."""
    list_ids = _parse_identifiers(request, "list")
    with account.transaction() as db:
        tag_id = _require_tag(db, request)
        _require_lists(db, list_ids)
        if any(find_record(db, TAG_LINK, f"{tag_id}|{list_id}") is not None for list_id in list_ids):
            raise HttpError(409, ErrorObject("A list has this tag already.", "/data"))
        for list_id in list_ids:
            put_record(db, TAG_LINK, f"{tag_id}|{list_id}", {})
    return ApiResponse(204)


def remove_tag_from_lists(account: SandboxAccount, request: ApiRequest) -> ApiResponse:
    """Unlink lists from a tag; links that do not exist change nothing."""
    list_ids = _parse_identifiers(request, "list")
    with account.transaction() as db:
        tag_id = _require_tag(db, request)
        for list_id in list_ids:
            drop_record(db, TAG_LINK, f"{tag_id}|{list_id}")
    return ApiResponse(204)


def tags_of_lists(db: sqlite3.Connection, list_ids: Sequence[str]) -> dict[str, str]:
    """Return the names of the tags that are linked to one of these lists, by the tags' ids."""
    links = [link.split("|") for link in read_records(db, TAG_LINK)]
    tag_ids = {tag_id for tag_id, list_id in links if list_id in list_ids}
    return {tag_id: tag["name"] for tag_id, tag in read_records(db, TAG).items() if tag_id in tag_ids}


def create_coupon(account: SandboxAccount, request: ApiRequest) -> ApiResponse:
    """Create a coupon."""
    attributes = _require_attributes(request, "coupon", "external_id")
    coupon_id = attributes["external_id"]
    if not _COUPON_ID.fullmatch(coupon_id):
        raise bad_request_error("The external id is not valid.", pointer="/data/attributes/external_id")
    with account.transaction() as db:
        if find_record(db, COUPON, coupon_id) is not None:
            raise HttpError(409, ErrorObject("The coupon exists.", "/data/attributes/external_id"))
        put_record(db, COUPON, coupon_id, attributes)
    return _created(request, "coupon", coupon_id, attributes)


def bulk_create_coupon_codes(account: SandboxAccount, request: ApiRequest) -> ApiResponse:
    """Create codes of coupons, of which none may exist; a refusal points at each row at fault."""
    rows = _parse_rows(request, "coupon-code-bulk-create-job", _CODES_POINTER, _MAX_CODES)
    codes: dict[str, Any] = {}
    errors: list[ErrorObject] = []
    with account.transaction() as db:
        for index, row in enumerate(rows):
            pointer = f"{_CODES_POINTER}/{index}"
            code = _read_object(row, "attributes").get("unique_code")
            relation = _read_object(row, "relationships", "coupon", "data")
            if not isinstance(code, str) or not code:
                errors.append(ErrorObject("unique_code is required.", f"{pointer}/attributes/unique_code"))
            elif find_record(db, COUPON, str(relation.get("id"))) is None:
                errors.append(
                    ErrorObject("The coupon does not exist.", f"{pointer}/relationships/coupon/data/id")
                )
            else:
                codes[f"{relation['id']}-{code}"] = row["attributes"]
        if errors:
            raise HttpError(400, *errors)
        job_id = derive_list_id(f"{account.id} codes", len(read_records(db, COUPON_CODE)) + 1)
        for code_id, attributes in codes.items():
            put_record(db, COUPON_CODE, code_id, attributes)
    counts = {"total_count": len(rows), "completed_count": 0, "failed_count": 0}
    job = {"status": "queued", "created_at": to_iso(account.now()), **counts}
    return _created(request, "coupon-code-bulk-create-job", job_id, job, status=202)


def create_catalog_item(account: SandboxAccount, request: ApiRequest) -> ApiResponse:
    """Create a catalog item; one that exists is refused (409)."""
    attributes = _require_attributes(request, "catalog-item", "external_id", "title", "description", "url")
    item_id = _CATALOG_PREFIX + attributes["external_id"]
    with account.transaction() as db:
        if find_record(db, CATALOG_ITEM, item_id) is not None:
            raise HttpError(409, ErrorObject("The item exists.", "/data/attributes/external_id"))
        put_record(db, CATALOG_ITEM, item_id, attributes)
    return _created(request, "catalog-item", item_id, attributes)


def update_catalog_item(account: SandboxAccount, request: ApiRequest) -> ApiResponse:
    """Change a catalog item."""
    resource = parse_resource(request.read_json(), "catalog-item")
    item_id = request.path_parameters["id"]
    with account.transaction() as db:
        attributes = find_record(db, CATALOG_ITEM, item_id)
        if attributes is None:
            raise not_found_error("catalog item", item_id)
        attributes |= _read_object(resource, "attributes")
        put_record(db, CATALOG_ITEM, item_id, attributes)
    return _created(request, "catalog-item", item_id, attributes, status=200)


def delete_catalog_item(account: SandboxAccount, request: ApiRequest) -> ApiResponse:
    """Delete a catalog item."""
    item_id = request.path_parameters["id"]
    with account.transaction() as db:
        if not drop_record(db, CATALOG_ITEM, item_id):
            raise not_found_error("catalog item", item_id)
    return ApiResponse(204)


def bulk_create_catalog_items(account: SandboxAccount, request: ApiRequest) -> ApiResponse:
    """Create those catalog items that do not exist yet; the job that answers says `processing` for good."""
    rows = _parse_rows(request, CATALOG_JOB, _ITEMS_POINTER, _MAX_ITEMS)
    with account.transaction() as db:
        for row in rows:
            attributes = _read_object(row, "attributes")
            item_id = f"{_CATALOG_PREFIX}{attributes.get('external_id')}"
            if find_record(db, CATALOG_ITEM, item_id) is None:
                put_record(db, CATALOG_ITEM, item_id, attributes)
        job_id = derive_list_id(f"{account.id} items", len(read_records(db, CATALOG_JOB)) + 1)
        counts = {"total_count": len(rows), "completed_count": 0, "failed_count": 0}
        job = {"status": "processing", "created_at": to_iso(account.now()), **counts}
        put_record(db, CATALOG_JOB, job_id, job)
    return _created(request, CATALOG_JOB, job_id, job, status=202)


def read_catalog_job(account: SandboxAccount, request: ApiRequest) -> ApiResponse:
    """Return a job of catalog items: its items are there, and it still says that it is at work."""
    job_id = request.path_parameters["id"]
    with account.transaction() as db:
        job = find_record(db, CATALOG_JOB, job_id)
    if job is None:
        raise not_found_error("catalog item job", job_id)
    return _created(request, CATALOG_JOB, job_id, job, status=200)


def bulk_create_records(account: SandboxAccount, request: ApiRequest) -> ApiResponse:
    """Take records of a data source, which must have an id of their own; the reply has no body."""
    rows = _parse_rows(request, "data-source-record-bulk-create-job", _RECORDS_POINTER, _MAX_RECORDS)
    with account.transaction() as db:
        for index, row in enumerate(rows):
            record = _read_object(row, "attributes").get("record")
            if not isinstance(record, dict):
                raise bad_request_error(
                    "A record is required.", pointer=f"{_RECORDS_POINTER}/{index}/attributes"
                )
            put_record(db, OBJECT_RECORD, str(record.get("id")), record)
    return ApiResponse(204)


def _read_object(document: dict[str, Any], *names: str) -> dict[str, Any]:
    """Return an object inside a document, an empty one if there is none."""
    for name in names:
        member = document.get(name)
        document = member if isinstance(member, dict) else {}
    return document


def _require_attributes(request: ApiRequest, kind: str, *names: str) -> dict[str, Any]:
    attributes = parse_resource(request.read_json(), kind).get("attributes")
    if not isinstance(attributes, dict):
        raise bad_request_error("An object is required.", pointer="/data/attributes")
    for name in names:
        if not isinstance(attributes.get(name), str) or not attributes[name]:
            raise bad_request_error(f"'{name}' is required.", pointer=f"/data/attributes/{name}")
    return attributes


def _parse_rows(request: ApiRequest, kind: str, pointer: str, max_rows: int) -> Sequence[dict[str, Any]]:
    document: Any = parse_resource(request.read_json(), kind)
    for name in pointer.split("/")[2:]:
        document = document.get(name) if isinstance(document, dict) else None
    if not isinstance(document, list) or not document or not all(isinstance(row, dict) for row in document):
        raise bad_request_error("At least one row is required.", pointer=pointer)
    if len(document) > max_rows:
        raise bad_request_error(f"At most {max_rows} rows are allowed.", pointer=pointer)
    request.rows = len(document)
    return document


def _parse_identifiers(request: ApiRequest, kind: str) -> list[str]:
    document = request.read_json()
    members = document.get("data") if isinstance(document, dict) else None
    if not isinstance(members, list) or not members:
        raise bad_request_error("At least one resource is required.", pointer="/data")
    for index, member in enumerate(members):
        if (
            not isinstance(member, dict)
            or member.get("type") != kind
            or not isinstance(member.get("id"), str)
        ):
            raise bad_request_error(f"A {kind} with an id is required.", pointer=f"/data/{index}")
    return [member["id"] for member in members]


def _require_tag(db: sqlite3.Connection, request: ApiRequest) -> str:
    tag_id = request.path_parameters["id"]
    if find_record(db, TAG, tag_id) is None:
        raise not_found_error("tag", tag_id)
    return tag_id


def _require_lists(db: sqlite3.Connection, list_ids: Sequence[str]) -> None:
    errors = [
        ErrorObject("The list does not exist.", f"/data/{index}/id")
        for index, list_id in enumerate(list_ids)
        if find_list(db, list_id) is None
    ]
    if errors:
        raise HttpError(400, *errors)


def _created(
    request: ApiRequest, kind: str, record_id: str, attributes: Any, *, status: int = 201
) -> ApiResponse:
    collection = request.path.removesuffix(f"/{record_id}")
    resource = {
        "type": kind,
        "id": record_id,
        "attributes": attributes,
        "links": {"self": f"{request.origin}{collection}/{record_id}/"},
    }
    return ApiResponse(status, {"data": resource, "links": {"self": request.url()}})


ROUTES: Final = (
    Route("POST", "/api/tags", "create_tag", create_tag),
    Route("POST", "/api/tags/<id>/relationships/lists", "tag_lists", tag_lists),
    Route("DELETE", "/api/tags/<id>/relationships/lists", "remove_tag_from_lists", remove_tag_from_lists),
    Route("POST", "/api/coupons", "create_coupon", create_coupon),
    Route("POST", "/api/coupon-code-bulk-create-jobs", "bulk_create_coupon_codes", bulk_create_coupon_codes),
    Route("POST", "/api/catalog-items", "create_catalog_item", create_catalog_item),
    Route("PATCH", "/api/catalog-items/<id>", "update_catalog_item", update_catalog_item),
    Route("DELETE", "/api/catalog-items/<id>", "delete_catalog_item", delete_catalog_item),
    Route(
        "POST", "/api/catalog-item-bulk-create-jobs", "bulk_create_catalog_items", bulk_create_catalog_items
    ),
    Route(
        "GET",
        "/api/catalog-item-bulk-create-jobs/<id>",
        "get_bulk_create_catalog_items_job",
        read_catalog_job,
    ),
    Route(
        "POST",
        "/api/data-source-record-bulk-create-jobs",
        "bulk_create_data_source_records",
        bulk_create_records,
    ),
)
