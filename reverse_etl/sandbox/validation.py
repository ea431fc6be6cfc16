"""The checks of profiles and import requests before a request is accepted. They do not read the state."""

from __future__ import annotations

import re
from itertools import islice
from typing import TYPE_CHECKING, Any, Final

import orjson

from reverse_etl.sandbox.patches import find_meta_errors
from reverse_etl.sandbox.replies import ErrorObject, HttpError, bad_request_error
from reverse_etl.sandbox.rules import MAX_EMAIL_CHARACTERS, MAX_PROFILE_BYTES, MAX_ROWS, Rules

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

IDENTIFIERS: Final = ("email", "phone_number", "external_id")
TEXT_ATTRIBUTES: Final = ("first_name", "last_name", "organization", "locale", "title", "image")
LOCATION_FIELDS: Final = (
    "address1",
    "address2",
    "city",
    "country",
    "latitude",
    "longitude",
    "region",
    "zip",
    "timezone",
    "ip",
)
ROWS_POINTER: Final = "/data/attributes/profiles/data"

_TEXT_FIELDS: Final = frozenset({*IDENTIFIERS, *TEXT_ATTRIBUTES, "_kx"})
_KNOWN_FIELDS: Final = _TEXT_FIELDS | {"location", "properties"}
_EMAIL: Final = re.compile(
    r"[^\s@,;:<>()\[\]\\\"]+@[^\s@,;:<>()\[\]\\\".]+(\.[^\s@,;:<>()\[\]\\\".]+)*\.[^\s@,;:<>()\[\]\\\"\d.]{2,}"
)
_PHONE: Final = re.compile(r"\+[1-9]\d{6,14}")


def is_email(text: str) -> bool:
    """Return whether Klaviyo accepts `text` as an e-mail; surrounding blanks are ignored."""
    trimmed = text.strip()
    return len(trimmed) <= MAX_EMAIL_CHARACTERS and _EMAIL.fullmatch(trimmed) is not None


def is_phone(text: str) -> bool:
    """Return whether `text` is a phone number in E.164."""
    return _PHONE.fullmatch(text) is not None


def parse_import(document: Any) -> tuple[list[Any], tuple[str, ...]]:
    """Return the unchecked rows and the list ids of an import request's body.

    Raises HttpError (400) if the request as a whole does not follow the reference of Bulk Import Profiles.
    """
    resource = parse_resource(document, "profile-bulk-import-job")
    attributes = require_object(resource.get("attributes"), "/data/attributes", {"profiles"})
    profiles = require_object(attributes.get("profiles"), "/data/attributes/profiles", {"data"})
    rows = profiles.get("data")
    if not isinstance(rows, list) or not rows:
        raise bad_request_error("At least one profile is required.", pointer=ROWS_POINTER)
    if len(rows) > MAX_ROWS:
        raise bad_request_error(
            f"At most {MAX_ROWS} profiles are allowed, this request has {len(rows)}.", pointer=ROWS_POINTER
        )
    relationships = require_object(resource.get("relationships") or {}, "/data/relationships", {"lists"})
    lists = relationships.get("lists")
    if lists is None:
        return rows, ()
    pointer = "/data/relationships/lists"
    return rows, parse_resource_ids(
        require_object(lists, pointer, {"data"}).get("data"), "list", f"{pointer}/data"
    )


def check_rows(rows: Sequence[Any], body_bytes: int, rules: Rules) -> None:
    """Raise HttpError (400) with a pointer to each invalid row, if there are any."""
    check_size = body_bytes > MAX_PROFILE_BYTES  # no row of a smaller body can be too large
    errors = (
        error
        for index, row in enumerate(rows)
        for error in find_row_errors(row, f"{ROWS_POINTER}/{index}", rules, check_size=check_size)
    )
    reported_errors = tuple(islice(errors, rules.errors_per_reply))
    if reported_errors:
        raise HttpError(400, *reported_errors)


def check_profile(resource: Mapping[str, Any], rules: Rules, *, identified: bool) -> None:
    """Raise HttpError (400) for an invalid profile resource; `identified` if its id is in the URL."""
    row = {**resource, "id": resource.get("id") or ("known" if identified else None)}
    errors = tuple(find_row_errors(row, "/data", rules, check_size=True))
    if errors:
        raise HttpError(400, *errors[: rules.errors_per_reply])


def parse_resource(document: Any, kind: str) -> dict[str, Any]:
    """Return the resource in a body. Raises HttpError (400) unless it is an object of type `kind`."""
    resource = document.get("data") if isinstance(document, dict) else None
    if not isinstance(resource, dict):
        raise bad_request_error("The body should be an object with one resource in `data`.", pointer="/data")
    if resource.get("type") != kind:
        raise bad_request_error(f"The type should be '{kind}'.", pointer="/data/type")
    return resource


def parse_resource_ids(value: Any, kind: str, pointer: str) -> tuple[str, ...]:
    """Return the ids in a list of resource identifiers of type `kind`.

    Raises HttpError (400) for the first element that is not such an identifier.
    """
    if not isinstance(value, list):
        raise bad_request_error(f"A list of resources of type '{kind}' is required.", pointer=pointer)
    for index, item in enumerate(value):
        if not isinstance(item, dict) or item.get("type") != kind or not isinstance(item.get("id"), str):
            raise bad_request_error(
                f"A resource with type '{kind}' and an id is required.", pointer=f"{pointer}/{index}"
            )
    return tuple(item["id"] for item in value)


def require_object(value: Any, pointer: str, allowed: set[str]) -> dict[str, Any]:
    """Return an object of a body. Raises HttpError (400) for another value or an unknown member."""
    if not isinstance(value, dict):
        raise bad_request_error("An object is required.", pointer=pointer)
    unknown = value.keys() - allowed
    if unknown:
        name = min(unknown)
        raise bad_request_error(f"'{name}' is not a valid field here.", pointer=f"{pointer}/{name}")
    return value


def find_row_errors(row: Any, pointer: str, rules: Rules, *, check_size: bool) -> Iterator[ErrorObject]:
    """Yield the errors of a profile in a request, each with its pointer."""
    if (
        not isinstance(row, dict)
        or row.get("type") != "profile"
        or not isinstance(row.get("attributes"), dict)
    ):
        yield ErrorObject("A resource of type 'profile' with attributes is required.", pointer)
        return
    yield from find_meta_errors(row.get("meta"), f"{pointer}/meta")
    if row.keys() - {"type", "id", "attributes", "meta"}:
        name = min(row.keys() - {"type", "id", "attributes", "meta"})
        yield ErrorObject(f"'{name}' of a profile is not known to this sandbox.", f"{pointer}/{name}")
    if not isinstance(row.get("id"), str | None):
        yield ErrorObject("The id should be text.", f"{pointer}/id")
    attributes = row["attributes"]
    yield from _find_attribute_errors(attributes, f"{pointer}/attributes", rules)
    if not (row.get("id") or any(attributes.get(name) is not None for name in (*IDENTIFIERS, "_kx"))):
        yield ErrorObject(
            "One of email, phone_number, external_id or id is required.", f"{pointer}/attributes"
        )
    if check_size and len(orjson.dumps(row)) > MAX_PROFILE_BYTES:
        yield ErrorObject(f"A profile may have at most {MAX_PROFILE_BYTES} bytes.", pointer)


def _find_attribute_errors(attributes: dict[str, Any], pointer: str, rules: Rules) -> Iterator[ErrorObject]:
    for name, value in attributes.items():
        if name not in _KNOWN_FIELDS:
            yield ErrorObject(
                f"'{name}' is not a valid field for the resource 'profile'.", f"{pointer}/{name}"
            )
        elif name in _TEXT_FIELDS and not isinstance(value, str | None):
            yield ErrorObject(f"'{name}' should be text.", f"{pointer}/{name}")
        elif name in {"location", "properties"} and not isinstance(value, dict | None):
            yield ErrorObject(f"'{name}' should be an object.", f"{pointer}/{name}")
    email, phone, location = (attributes.get(name) for name in ("email", "phone_number", "location"))
    good_email = isinstance(email, str) and is_email(email)
    if isinstance(email, str) and not good_email:
        yield ErrorObject("The e-mail is not valid.", f"{pointer}/email")
    if isinstance(phone, str) and not is_phone(phone) and not (good_email and rules.invalid_phones == "drop"):
        yield ErrorObject("The phone number is not valid; it should be in E.164.", f"{pointer}/phone_number")
    if attributes.get("external_id") == "":
        yield ErrorObject("The external id should not be blank.", f"{pointer}/external_id")
    if isinstance(location, dict):
        for name in location.keys() - set(LOCATION_FIELDS):
            yield ErrorObject(f"'{name}' is not a valid field for a location.", f"{pointer}/location/{name}")
