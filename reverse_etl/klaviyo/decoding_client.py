"""Sends requests, and decodes the replies to values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, TypeVar

from reverse_etl.klaviyo.client import MAX_PAGES
from reverse_etl.klaviyo.errors import (
    foreign_success_error,
    malformed_reply_error,
    require_success,
)
from reverse_etl.klaviyo.jsonapi import MalformedReply, parse_resource, parse_resources

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from reverse_etl.klaviyo.client import Client
    from reverse_etl.klaviyo.jsonapi import Document, Resource
    from reverse_etl.klaviyo.messages import Request, Response

Value = TypeVar("Value")


@dataclass(frozen=True)
class Reading(Generic[Value]):
    """The resources that Klaviyo shows, and the monotonic time at which the first request was sent."""

    found: tuple[Value, ...]
    read_at: float


class DecodingClient:
    """A client whose replies are values. Methods raise KlaviyoError for replies that are none."""

    def __init__(self, client: Client) -> None:
        self._client = client

    def _send_and_parse(self, request: Request, parse: Callable[[Request, Response], Value]) -> Value:
        """Return what `parse` makes of the reply, also of a refusal."""
        response = self._client.send(request)
        try:
            return parse(request, response)
        except MalformedReply as reason:
            raise foreign_success_error(request, response, reason) from None

    def _decode_response(
        self, request: Request, response: Response, decode: Callable[[Document], Value]
    ) -> Value:
        document = require_success(request, response)
        try:
            return decode(document)
        except MalformedReply as reason:
            summary = f"The reply is not in Klaviyo's format: {reason}."
        raise malformed_reply_error(request, response, summary)

    def _read(self, request: Request, decode: Callable[[Resource], Value]) -> Reading[Value]:
        pages = [*self._fetch_pages(request, decode)]
        read_at = min((sent_at for sent_at, _ in pages), default=float("inf"))
        return Reading(tuple(value for _, values in pages for value in values), read_at)

    def _execute(self, request: Request, decode: Callable[[Document], Value]) -> Value:
        return self._decode_response(request, self._client.send(request), decode)

    def _fetch_if_exists(self, request: Request, decode: Callable[[Resource], Value]) -> Value | None:
        response = self._client.fetch_if_exists(request)
        if response is None:
            return None
        return self._decode_response(request, response, lambda document: decode(parse_resource(document)))

    def _fetch_each(
        self,
        request: Request,
        decode: Callable[[Resource], Value],
        max_pages: int = MAX_PAGES,
        *,
        require_ids: bool = True,
    ) -> Iterator[Value]:
        for _, values in self._fetch_pages(request, decode, max_pages, require_ids=require_ids):
            yield from values

    def _fetch_pages(
        self,
        request: Request,
        decode: Callable[[Resource], Value],
        max_pages: int = MAX_PAGES,
        *,
        require_ids: bool = True,
    ) -> Iterator[tuple[float, list[Value]]]:
        """Yield the values of each page, and the monotonic time at which its request was sent."""

        def decode_page(document: Document) -> list[Value]:
            return [decode(resource) for resource in parse_resources(document, require_ids=require_ids)]

        for page, response in self._client.fetch_pages(request, max_pages):
            yield response.sent_at, self._decode_response(page, response, decode_page)
