"""Requests to endpoints that a model names: paths with placeholders, and what Klaviyo replied.

Any endpoint is allowed. An endpoint is known by its method and its unfilled path, and
keeps Klaviyo's lowest rate limit until a reply states another.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import TYPE_CHECKING, Final, TypeAlias
from urllib.parse import quote, urlencode

from reverse_etl.domain.identifiers import mask_text
from reverse_etl.klaviyo.errors import CONTENT_REFUSALS, refusal_error
from reverse_etl.klaviyo.imports import TOO_LARGE, RowError, make_row_error
from reverse_etl.klaviyo.jsonapi import ApiError, parse_document, parse_errors, require_data
from reverse_etl.klaviyo.messages import Request

if TYPE_CHECKING:
    from collections.abc import Mapping

    from reverse_etl.klaviyo.endpoints import CustomEndpoint
    from reverse_etl.klaviyo.messages import Response

_PLACEHOLDER: Final = re.compile(r"\{\{\s*([A-Za-z_][A-Za-z0-9_$]*)\s*\}\}")
_RETIRED: Final = re.compile(r"/?api/v[12](/.*)?")
_LEGACY_LIST: Final = re.compile(r"/api/v2/list/[^/]+/members")
_KEY_PLACEHOLDER: Final = re.compile(r"\{\{\s*api_key\s*\}\}")
_SLASHES: Final = re.compile(r"[/\\]")
# No %: clients decode such a text, so that the request goes to another path than the one that was checked.
_PATH: Final = re.compile(r"/api/[A-Za-z0-9/_.:$~-]+")
PLACEHOLDER_RULE: Final = "write only the name of a column between {{ and }}"


class TemplateValueError(ValueError):
    """A value can't be part of a path or query. `name` is the placeholder; the text holds no value."""

    def __init__(self, name: str, reason: str) -> None:
        super().__init__(reason)
        self.name = name


@dataclass(frozen=True)
class TextTemplate:
    """A text with placeholders such as `{{ tag_id }}`, each a name alone. `names` are theirs, in order."""

    source: str
    names: tuple[str, ...] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "names", tuple(dict.fromkeys(_PLACEHOLDER.findall(self.source))))

    @property
    def rest(self) -> str:
        """Return the text with an `x` for each placeholder."""
        return _PLACEHOLDER.sub("x", self.source)

    @property
    def has_expression(self) -> bool:
        """Return whether the text has braces that are not placeholders, which would be sent as they are."""
        return bool(re.search(r"\{[{%#]|[}%#]\}", self.rest))

    def fill(self, values: Mapping[str, str | None], *, is_path: bool) -> str:
        """Return the text with its placeholders filled; in a path each value is percent-encoded.

        Raises TemplateValueError for a value that is missing, and in a path for one with a segment of dots
        alone: servers decode an encoded slash, and follow the dots to another path.
        """

        def fill_placeholder(match: re.Match[str]) -> str:
            name = match[1]
            value = values[name]
            if value is None or not value:
                raise TemplateValueError(
                    name, "is empty or no single value, but is a part of the path or query"
                )
            if not is_path:
                return value
            if any(not segment.strip(".") for segment in _SLASHES.split(value)):
                raise TemplateValueError(name, "leads to another path")
            return quote(value, safe="")

        return _PLACEHOLDER.sub(fill_placeholder, self.source)


def is_legacy_list_path(path: TextTemplate) -> bool:
    """Return whether a path is that of API v2 which adds people to a list: it is shown, and never sent."""
    return bool(_LEGACY_LIST.fullmatch(path.rest)) and not path.has_expression


def fill_key_placeholder(body: str) -> str:
    """Return the body of a legacy request with a text in the place of the key, which no template has."""
    return _KEY_PLACEHOLDER.sub('"<private API key>"', body)


def find_path_problem(path: TextTemplate) -> str:
    """Return why a path can't be requested, "" if it can: the predicate of a sentence."""
    segments = path.rest.split("/")[1:]
    problems = {
        "is of Klaviyo's API v1 or v2, which Klaviyo retired on 2024-06-30": _RETIRED.fullmatch(path.source),
        f"has an expression; {PLACEHOLDER_RULE}": path.has_expression,
        "has a %; write the character itself, since values are encoded for you": "%" in path.source,
        "is of Klaviyo's client API, which takes no private key": path.source.startswith("/client/"),
        "has a query; write it as request.query": "?" in path.source,
        "is not a path below /api/": not _PATH.fullmatch(path.rest)
        or any(not segment.strip(".") for segment in segments),
    }
    return next((problem for problem, has_problem in problems.items() if has_problem), "")


def custom_request(
    endpoint: CustomEndpoint,
    path: str,
    query: Mapping[str, str],
    headers: Mapping[str, str],
    body: bytes | None,
) -> Request:
    """Return a request to a filled path; `query` is encoded here."""
    text = urlencode(query, quote_via=quote, safe="")
    return Request(endpoint, path + (f"?{text}" if text else ""), body, headers)


@dataclass(frozen=True)
class CustomAccepted:
    """Klaviyo replied with a status that the model takes for success."""

    response: Response


@dataclass(frozen=True)
class CustomRefused:
    """Klaviyo refused the request. The field of each error is its JSON pointer into the request."""

    response: Response
    errors: tuple[RowError, ...]


CustomReply: TypeAlias = CustomAccepted | CustomRefused


def parse_reply(request: Request, response: Response) -> CustomReply:
    """Return Klaviyo's answer to the content of a request. Raises KlaviyoError for a reply that is none.

    A proxy in front of Klaviyo may refuse a large request with a page of its own. Raises MalformedReply for
    a status of success with content that is not Klaviyo's, or with errors.
    """
    if request.endpoint.is_success(response.status):
        if response.content.strip():
            require_data(parse_document(response))
        return CustomAccepted(response)
    errors = parse_errors(response) if response.status in CONTENT_REFUSALS else ()
    if errors:
        return CustomRefused(response, tuple(map(_read_error, errors)))
    if response.status == HTTPStatus.REQUEST_ENTITY_TOO_LARGE:
        return CustomRefused(response, (TOO_LARGE,))
    raise refusal_error(request, response)


def _read_error(error: ApiError) -> RowError:
    return make_row_error(error.code, mask_text(error.pointer), error.detail or error.title)
