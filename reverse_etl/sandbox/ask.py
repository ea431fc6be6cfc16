"""A request as the sandbox's endpoints see it, whatever web framework brought it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import orjson

from reverse_etl.sandbox.replies import invalid

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass
class Ask:
    """One request.

    `origin` is the address it was sent to; `rows` counts the items of its body once that was read.
    """

    method: str
    path: str
    origin: str
    places: Mapping[str, str]
    query: Mapping[str, str]
    body: bytes = b""
    rows: int = 0

    def document(self) -> Any:
        """Return the body's JSON. Raises Refusal (400) if it is none."""
        try:
            document = orjson.loads(self.body)
        except orjson.JSONDecodeError as error:
            raise invalid(f"The body is not valid JSON: {error}.", pointer="/data") from None
        self.rows = _items(document)
        return document

    def allow(self, *parameters: str) -> None:
        """Raise a Refusal (400) for a query parameter that is not among `parameters`."""
        unknown = self.query.keys() - set(parameters)
        if unknown:
            name = min(unknown)
            raise invalid(f"'{name}' is not a parameter of this endpoint.", parameter=name)

    def several(self, parameter: str, allowed: frozenset[str]) -> frozenset[str] | None:
        """Return the comma-separated names of a parameter, or None without it.

        Raises Refusal (400) for a name not `allowed`.
        """
        if parameter not in self.query:
            return None
        names = frozenset(self.query[parameter].split(","))
        if names - allowed:
            raise invalid(f"'{min(names - allowed)}' is not allowed in '{parameter}'.", parameter=parameter)
        return names

    def url(self, **changes: str) -> str:
        """Return this request's absolute address, with some query parameters changed.

        `page_cursor` stands for `page[cursor]`.
        """
        renamed = {name.replace("page_", "page[") + "]": value for name, value in changes.items()}
        query = urlencode({**self.query, **renamed})
        return f"{self.origin}{self.path}" + (f"?{query}" if query else "")


def _items(document: Any) -> int:
    content = document.get("data") if isinstance(document, dict) else None
    if isinstance(content, list):
        return len(content)
    attributes = content.get("attributes") if isinstance(content, dict) else None
    profiles = attributes.get("profiles") if isinstance(attributes, dict) else None
    rows = profiles.get("data") if isinstance(profiles, dict) else None
    return len(rows) if isinstance(rows, list) else int(content is not None)
