"""A request that a model describes, and the rows of the model as such requests. Pure."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from enum import StrEnum
from itertools import groupby
from typing import TYPE_CHECKING, Any, Final, TypeAlias
from urllib.parse import unquote

import orjson

from reverse_etl.klaviyo.batching import Batch, Envelope, pack_rows
from reverse_etl.klaviyo.custom_requests import TemplateValueError, TextTemplate, is_legacy_list_path
from reverse_etl.klaviyo.endpoints import CustomEndpoint
from reverse_etl.klaviyo.json_values import to_text
from reverse_etl.klaviyo.serialize import EncodingError
from reverse_etl.parsing.json_template import (
    EncodedJson,
    InvalidJsonError,
    JsonTemplate,
    JsonTemplateError,
    locate_marker,
)
from reverse_etl.surfaces.request_rules import find_risky_path

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

ROWS: Final = "rows"  # the name under which the body of several rows prints them
SUCCESS: Final = frozenset({200, 201, 202, 204})
MAX_ROWS: Final = 100
MAX_BYTES: Final = 4_000_000

RowValues: TypeAlias = "Mapping[str, Any]"


class RequestMode(StrEnum):
    """How many rows one request holds."""

    ONE = "one"
    MANY = "many"
    GROUPED = "grouped"  # many rows, all with the same values of some columns


class Repeat(StrEnum):
    """Whether a request may be sent again after its reply was lost."""

    SAFE = "safe"
    ONCE = "once"


class RefusalMeaning(StrEnum):
    """The outcome of a row that Klaviyo refused."""

    REJECTED = "rejected"
    APPLIED = "applied"  # Klaviyo already has what the request asks for
    UPDATE = "update"  # the row exists: the request for changed rows is sent
    CREATE = "create"  # the row does not exist: the request for new rows is sent


@dataclass(frozen=True)
class RequestTemplate:
    """A request. `row` renders one element of `rows` in the body; None where a request holds one row.

    `group_by` names the columns that are equal in one request, beside which the body and the path of several
    rows can use none. `meanings` says what a refusal with a status means, where that is not a rejection.
    """

    method: str
    path: TextTemplate
    query: Mapping[str, TextTemplate]
    headers: Mapping[str, str]
    body: JsonTemplate | None
    row: JsonTemplate | None
    mode: RequestMode
    group_by: tuple[str, ...]
    max_rows: int
    max_bytes: int
    success: frozenset[int]
    repeat: Repeat
    meanings: Mapping[int, RefusalMeaning]

    @property
    def endpoint(self) -> CustomEndpoint:
        """Return the endpoint, by which the rate limit is kept."""
        return CustomEndpoint(self.method, self.path.source, self.success, self.repeat is Repeat.SAFE)

    @property
    def is_retired(self) -> bool:
        """Return whether Klaviyo retired the endpoint: the request is shown, and never sent."""
        return is_legacy_list_path(self.path)

    def describe(self) -> dict[str, Any]:
        """Return everything that a change of the model's text or config can change, for checksums."""
        return {
            "method": self.method,
            "path": self.path.source,
            "query": {name: value.source for name, value in self.query.items()},
            "headers": dict(self.headers),
            "body": self.body.source if self.body else "",
            "row": self.row.source if self.row else "",
            "mode": self.mode.value,
            "group_by": self.group_by,
            "max_rows": self.max_rows,
            "max_bytes": self.max_bytes,
            "success": sorted(self.success),
            "repeat": self.repeat.value,
            "meanings": {str(status): meaning.value for status, meaning in self.meanings.items()},
        }

    def prepare(self, rows: Iterable[tuple[int, RowValues]]) -> Iterator[PreparedRequest | UnpreparedRow]:
        """Yield the rows, pairs of a delta's number and its values, as requests, in order.

        Rows with the same `group_by` follow one another. A row that can't be rendered stops no other.
        """
        if self.row is None:
            yield from (_prepare_one(self, seq, values) for seq, values in rows)
            return
        for _, group in groupby(rows, lambda row: [row[1][name] for name in self.group_by]):
            yield from _prepare_group(self, group)


@dataclass(frozen=True)
class PreparedRequest:
    """A request with its rows.

    `rows_pointer` is the JSON pointer of the rows in the body, which Klaviyo's errors name; "" for one row.
    `values` are those of the row of a request of one row.
    """

    template: RequestTemplate
    batch: Batch
    path: str
    query: Mapping[str, str]
    rows_pointer: str = ""
    values: RowValues | None = None


@dataclass(frozen=True)
class UnpreparedRow:
    """A row that can't be sent."""

    seq: int
    error: EncodingError


def find_invalid_json(template: RequestTemplate, names: Iterable[str]) -> tuple[str, InvalidJsonError] | None:
    """Return the part of a template that prints no JSON, "body" or "row", and why; None if both do.

    Tried with texts, numbers and NULLs. An error of a template with a value of these types proves nothing:
    its columns may be of other types.
    """
    for sample in ('a "text" of \\ its own', 7.5, None):
        values = dict.fromkeys(names, sample)
        part = "body"
        try:
            if template.row is not None:
                _render_envelope(template, values)
                part = "row"
                template.row.render_document(values)
            elif template.body is not None:
                template.body.render_document(values)
        except InvalidJsonError as error:
            return part, error
        except JsonTemplateError:
            continue
    return None


def _prepare_one(template: RequestTemplate, seq: int, values: RowValues) -> PreparedRequest | UnpreparedRow:
    try:
        path, query = _fill_address(template, values)
        body = orjson.dumps(template.body.render_document(values)) if template.body else b""
    except (TemplateValueError, JsonTemplateError) as error:
        return UnpreparedRow(seq, _encoding_error(error))
    if len(body) > template.max_bytes:
        return UnpreparedRow(seq, _size_error(body, template.max_bytes))
    batch = Batch.of([seq], [body], Envelope(b"", b""))
    return PreparedRequest(template, batch, path, query, values=values)


def _prepare_group(
    template: RequestTemplate, rows: Iterable[tuple[int, RowValues]]
) -> Iterator[PreparedRequest | UnpreparedRow]:
    rows = iter(rows)
    first = next(rows)
    try:
        path, query = _fill_address(template, first[1])
        envelope, pointer = _render_envelope(template, {name: first[1][name] for name in template.group_by})
    except (TemplateValueError, JsonTemplateError) as error:
        for seq, _ in (first, *rows):
            yield UnpreparedRow(seq, _encoding_error(error))
        return
    unprepared: list[UnpreparedRow] = []
    max_row_bytes = template.max_bytes - len(envelope.wrap(()))

    def encode_rows() -> Iterator[tuple[int, bytes]]:
        for seq, values in (first, *rows):
            encoded = _encode_row(template, values, max_row_bytes)
            if isinstance(encoded, bytes):
                yield seq, encoded
            else:
                unprepared.append(UnpreparedRow(seq, encoded))

    for batch in pack_rows(encode_rows(), envelope, max_rows=template.max_rows, max_bytes=template.max_bytes):
        yield PreparedRequest(template, batch, path, query, pointer)
        yield from unprepared
        unprepared.clear()
    yield from unprepared


def _encode_row(template: RequestTemplate, values: RowValues, max_bytes: int) -> bytes | EncodingError:
    assert template.row is not None  # noqa: S101 - of several rows
    try:
        encoded = orjson.dumps(template.row.render_document(values))
    except JsonTemplateError as error:
        return _encoding_error(error)
    return encoded if len(encoded) <= max_bytes else _size_error(encoded, max_bytes)


def _fill_address(template: RequestTemplate, values: RowValues) -> tuple[str, dict[str, str]]:
    texts = {name: _to_single_text(value) for name, value in values.items()}
    path = template.path.fill(texts, is_path=True)
    _require_same_endpoint(template.path, path)
    return path, {name: value.fill(texts, is_path=False) for name, value in template.query.items()}


def _require_same_endpoint(template: TextTemplate, path: str) -> None:
    """Raise TemplateValueError if a row's values make a risky endpoint of a path that is none itself."""
    if find_risky_path(template.rest) is None and (risky := find_risky_path(unquote(path))) is not None:
        raise TemplateValueError(template.names[0], f"makes the path of a request that {risky.effect}")


def _to_single_text(value: Any) -> str | None:
    return None if isinstance(value, dict | list) else to_text(value)


def _render_envelope(template: RequestTemplate, values: RowValues) -> tuple[Envelope, str]:
    """Return the body around the rows, and the JSON pointer of the rows. Raises JsonTemplateError."""
    assert template.body is not None  # noqa: S101 - several rows need one
    marker = secrets.token_hex(16)
    rows = EncodedJson(orjson.dumps([marker]).decode())
    document = template.body.render_document({**values, ROWS: rows})
    pointer = locate_marker(document, [marker])
    head, separator, tail = orjson.dumps(document).partition(orjson.dumps(marker))
    if pointer is None or not separator or marker.encode() in tail:
        raise InvalidJsonError(
            f"The body does not print {ROWS} exactly once, as a value.",
            hint=f'Write for example {{"data": {{{{ {ROWS} }}}}}}.',
        )
    return Envelope(head, tail), pointer


def _encoding_error(error: TemplateValueError | JsonTemplateError) -> EncodingError:
    match error:
        case TemplateValueError():
            return EncodingError(error.name, str(error))
        case JsonTemplateError():
            reason = f"{error.summary[:1].lower()}{error.summary[1:].rstrip('.')}"
            return EncodingError("", f"can't be rendered: {reason}")


def _size_error(encoded: bytes, max_bytes: int) -> EncodingError:
    return EncodingError("", f"is {len(encoded)} bytes, and a request has at most {max_bytes}")
