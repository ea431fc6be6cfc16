"""Show, and on request send, the first request of a model, without a plan and without the state."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Any

import orjson

from reverse_etl.errors import UsageError
from reverse_etl.klaviyo.custom_requests import custom_request
from reverse_etl.klaviyo.serialize import EncodingError, ValueReader
from reverse_etl.planning.stage import read_checked_columns
from reverse_etl.surfaces.operations import SendRequests
from reverse_etl.surfaces.request_template import PreparedRequest, UnpreparedRow
from reverse_etl.warehouse.statement import Statement

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reverse_etl.klaviyo.api import Klaviyo
    from reverse_etl.klaviyo.messages import Request, Response
    from reverse_etl.models.model import Model
    from reverse_etl.warehouse.interface import Warehouse


@dataclass(frozen=True)
class RequestPreview:
    """The first request of a model, None if no row could be rendered, and the rows that could not.

    `body` is the document of the request, None if it has none.
    """

    request: Request | None
    rows: int
    body: Any
    problems: tuple[EncodingError, ...]


def preview_request(warehouse: Warehouse, model: Model, max_rows: int) -> RequestPreview:
    """Return the first request that the model's first rows make. Reads at most `max_rows` of them.

    Raises UsageError for a model that describes no requests.
    """
    operation = model.config.surface.upsert
    if not isinstance(operation, SendRequests):
        raise UsageError.of(
            f"The model {model.name} describes no request: its surface is {model.config.surface.name}.",
            where=f"{model.path}",
            hint="Name a model with `request` in its config.",
        )
    template = operation.template
    problems: list[EncodingError] = []
    rows = _read_rows(warehouse, model, max_rows, problems)
    for item in template.prepare(rows):
        match item:
            case UnpreparedRow(_, error):
                problems.append(error)
            case PreparedRequest(template, batch, path, query):
                request = custom_request(template.endpoint, path, query, template.headers, batch.body or None)
                body = orjson.loads(batch.body) if batch.body else None
                return RequestPreview(request, len(batch), body, tuple(problems))
    return RequestPreview(None, 0, None, tuple(problems))


def _read_rows(
    warehouse: Warehouse, model: Model, max_rows: int, problems: list[EncodingError]
) -> Iterator[tuple[int, dict[str, Any]]]:
    with warehouse.staging():
        columns = read_checked_columns(warehouse, model)
        names = model.names_by_column
        reader = ValueReader([(names[name], column) for name, column in columns.items() if name in names])
        query = f"SELECT * FROM (\n{model.query}\n) AS retl_rows LIMIT {max_rows}"
        fetched = warehouse.fetch(Statement.read(query))
    for seq, row in enumerate(islice(fetched, max_rows)):
        values = [value for name, value in zip(columns, row, strict=True) if name in names]
        read = reader.read(values)
        if not isinstance(read, EncodingError):
            read = _find_empty_key(model, read) or read
        if isinstance(read, EncodingError):
            problems.append(read)
        else:
            yield seq, read


def _find_empty_key(model: Model, values: dict[str, Any]) -> EncodingError | None:
    """Return the error of a row without a key, which a run rejects too."""
    key = model.config.surface.columns.key
    parts = {name: value for name, value in values.items() if name.lower() in key}
    empty = next((name for name, value in parts.items() if value is None or value == ""), None)
    return EncodingError(empty, "is empty, but a part of unique_key") if empty else None


def send_preview(klaviyo: Klaviyo, request: Request) -> Response:
    """Send a request, and return Klaviyo's reply. Raises KlaviyoError if no reply of Klaviyo's came."""
    return klaviyo.send_custom(request).response
