"""The responses to requests of models that the state keeps, and the part of a body that is kept. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import orjson

from reverse_etl.domain.identifiers import mask_text, mask_value

if TYPE_CHECKING:
    from collections.abc import Sequence

# The columns of source('reverse_etl', MODEL), before those of the row key.
RESPONSE_COLUMNS: Final = ("run_id", "responded_at", "method", "path", "status", "body", "body_is_cut")
MAX_BODY: Final = 10_000  # characters


@dataclass(frozen=True)
class KeptResponse:
    """A response, and the numbers of the rows that it is about. `path` is as the model wrote it."""

    seqs: tuple[int, ...]
    method: str
    path: str
    status: int
    body: str
    body_is_cut: bool


@dataclass(frozen=True)
class ResponseRule:
    """Which part of a response is kept: the values of some fields, or all of it with masked texts.

    A field is a path of names such as `data.id`. It goes through lists: `data.id` is a list if `data` is one.
    """

    fields: tuple[str, ...] = ()

    def keep_body(self, content: bytes) -> tuple[str, bool]:
        """Return what is kept of a body, and whether it was cut."""
        text = self._render(content)
        return text[:MAX_BODY], len(text) > MAX_BODY

    def _render(self, content: bytes) -> str:
        try:
            document = orjson.loads(content or b"null")
            kept: Any = mask_value(document)
            if self.fields:
                kept = {field: _find_values(document, field.split(".")) for field in self.fields}
            return "" if document is None else orjson.dumps(kept).decode()
        except (
            orjson.JSONDecodeError,
            orjson.JSONEncodeError,
            RecursionError,
        ):  # no JSON, or nested too deep
            return "" if self.fields else mask_text(content.decode(errors="replace"))


def _find_values(value: Any, names: Sequence[str]) -> Any:
    """Return the value at a path of names, None if there is none; of each member of a list on the way."""
    if isinstance(value, list) and names:
        return [_find_values(member, names) for member in value]
    if not names:
        return value
    return _find_values(value.get(names[0]), names[1:]) if isinstance(value, dict) else None
