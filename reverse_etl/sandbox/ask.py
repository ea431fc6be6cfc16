"""A request to an endpoint of the sandbox, independent of the web framework."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import orjson

from reverse_etl.sandbox.replies import bad_request_error

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass
class ApiRequest:
    """One request.

    `origin` is the origin to which it was sent; `rows` is the number of items in its body once it was parsed.
    """

    method: str
    path: str
    origin: str
    path_parameters: Mapping[str, str]
    query: Mapping[str, str]
    body: bytes = b""
    rows: int = 0

    def read_json(self) -> Any:
        """Return the parsed body. Raises HttpError (400) if it is not JSON."""
        try:
            document = orjson.loads(self.body)
        except orjson.JSONDecodeError as error:
            raise bad_request_error(f"The body is not valid JSON: {error}.", pointer="/data") from None
        self.rows = _count_items(document)
        return document

    def reject_unknown_parameters(self, *allowed: str) -> None:
        """Raise HttpError (400) for a query parameter that is not in `allowed`."""
        unknown = self.query.keys() - set(allowed)
        if unknown:
            name = min(unknown)
            raise bad_request_error(f"'{name}' is not a parameter of this endpoint.", parameter=name)

    def parse_names(self, parameter: str, allowed: frozenset[str]) -> frozenset[str] | None:
        """Return the comma-separated names of a parameter, or None if it is missing.

        Raises HttpError (400) for a name that is not in `allowed`.
        """
        if parameter not in self.query:
            return None
        names = frozenset(self.query[parameter].split(","))
        if names - allowed:
            raise bad_request_error(
                f"'{min(names - allowed)}' is not allowed in '{parameter}'.", parameter=parameter
            )
        return names

    def url(self, **changes: str) -> str:
        """Return the absolute URL of this request, with some query parameters replaced.

        The argument `page_cursor` sets `page[cursor]`.
        """
        changed_parameters = {name.replace("page_", "page[") + "]": value for name, value in changes.items()}
        query = urlencode({**self.query, **changed_parameters})
        return f"{self.origin}{self.path}" + (f"?{query}" if query else "")


def _count_items(document: Any) -> int:
    content = document.get("data") if isinstance(document, dict) else None
    if isinstance(content, list):
        return len(content)
    attributes = content.get("attributes") if isinstance(content, dict) else None
    if isinstance(attributes, dict) and "events-bulk-create" in attributes:
        return _count_events(attributes["events-bulk-create"])
    profiles = attributes.get("profiles") if isinstance(attributes, dict) else None
    rows = profiles.get("data") if isinstance(profiles, dict) else None
    return len(rows) if isinstance(rows, list) else int(content is not None)


def _count_events(bulk: Any) -> int:
    try:
        return sum(len(group["attributes"]["events"]["data"]) for group in bulk["data"])
    except (KeyError, TypeError):
        return 0
