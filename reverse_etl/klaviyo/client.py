"""Send requests with rate limits and retries, check the replies, and follow pages."""

from __future__ import annotations

import threading
from dataclasses import replace
from http import HTTPStatus
from random import Random
from typing import TYPE_CHECKING
from urllib.parse import quote, urlencode, urlsplit

from reverse_etl.errors import KlaviyoError, UnusableReply
from reverse_etl.klaviyo.errors import request_cancelled_error, require_success, retries_exhausted_error
from reverse_etl.klaviyo.headers import parse_date
from reverse_etl.klaviyo.jsonapi import Document, next_link, parse_errors
from reverse_etl.klaviyo.messages import Request, RequestHook, RequestLogEntry, Response, TransportResult
from reverse_etl.klaviyo.rate_limit_headers import parse_quota, parse_windows
from reverse_etl.klaviyo.retry import Attempts, Decision, Fail, Retry, Return, next_step

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from datetime import datetime

    from reverse_etl.clock import CancellableSleep, Clock
    from reverse_etl.klaviyo.endpoints import Endpoint
    from reverse_etl.klaviyo.rate_limit import Permit, RateLimiter
    from reverse_etl.klaviyo.transport import Transport


MAX_PAGES = 1_000  # of one request, if nothing else is known of their number


def get_request(endpoint: Endpoint, *ids: str, query: Mapping[str, str] | None = None) -> Request:
    """Return a GET request; `ids` fill the path, and `query` is encoded here."""
    text = urlencode(query or {}, quote_via=quote, safe="")
    return Request(endpoint, endpoint.path(*ids) + (f"?{text}" if text else ""))


class Client:
    """Sends requests and returns Klaviyo's replies. Thread-safe; all threads share the rate limits.

    `check_write`, if set, is called in the thread of each attempt just before it changes something, and may
    raise: then nothing is sent.
    """

    def __init__(
        self,
        transport: Transport,
        rate_limiter: RateLimiter,
        clock: Clock,
        sleep: CancellableSleep,
        *,
        on_request: RequestHook | None = None,
    ) -> None:
        self._transport = transport
        self._rate_limiter = rate_limiter
        self._clock = clock
        self._sleep = sleep
        self._on_request = on_request
        self.check_write: Callable[[], None] | None = None
        self._random = Random()  # noqa: S311 - jitter of retries
        self._server_time: datetime | None = None
        self._lock = threading.Lock()

    def send(self, request: Request) -> Response:
        """Return the final reply to `request`, whatever its status, after as many attempts as `retry` allows.

        If all attempts fail, raises ReplyLost if a write may have been carried out, and KlaviyoError
        otherwise.
        """
        response = self._send_attempts(request, lambda: request)
        assert response is not None  # noqa: S101 - only a preparation without a request has no reply
        return response

    def send_prepared(self, endpoint: Endpoint, prepare: Callable[[], Request | None]) -> Response | None:
        """Return the final reply to a request that is prepared again for each attempt, like `send`.

        `prepare` is called when the rate limit lets the request out, so that nothing but the transport
        follows. Returns None, and sends nothing more, once it returns None.
        """
        return self._send_attempts(Request(endpoint, endpoint.template), prepare)

    def _send_attempts(self, shown: Request, prepare: Callable[[], Request | None]) -> Response | None:
        """Send what `prepare` returns before each attempt; errors name the request `shown`."""
        attempts = Attempts(is_sent_once=shown.is_sent_once)
        while True:
            permit = self._rate_limiter.acquire(shown.endpoint)
            if permit is None:
                raise request_cancelled_error(shown, outcome_unknown=attempts.reply_lost)
            request = self._prepare(prepare, permit)
            if request is None:
                return None
            match self._send_once(request, permit, attempts):
                case Return(response):
                    return response
                case Fail() as decision:
                    raise retries_exhausted_error(shown, decision, self._transport.origin)
                case Retry(delay, attempts, throttled):
                    if not throttled and not self._sleep.wait(delay):
                        raise request_cancelled_error(shown, outcome_unknown=attempts.reply_lost)

    def _prepare(self, prepare: Callable[[], Request | None], permit: Permit) -> Request | None:
        """Return the prepared request; a permit without a request is returned."""
        request = None
        try:
            prepared = prepare()
            if prepared is not None and self.check_write is not None and prepared.endpoint.method != "GET":
                self.check_write()
            request = prepared
        finally:
            if request is None:
                self._rate_limiter.cancel(permit)
        return request

    def _send_once(self, request: Request, permit: Permit, attempts: Attempts) -> Decision:
        started = self._clock.monotonic()
        try:
            result = self._transport.send(request)
            if isinstance(result, Response):
                result = replace(result, sent_at=started)
            decision = next_step(result, attempts, request.endpoint, self._random)
        except BaseException:  # an interrupt must not leave the permit taken
            self._rate_limiter.release(permit, replied=False)
            raise
        if isinstance(decision, Retry) and decision.throttled:
            self._rate_limiter.throttle(permit, decision.delay)
        else:
            headers = result.headers if isinstance(result, Response) else {}
            self._rate_limiter.release(
                permit,
                replied=isinstance(result, Response),
                quota=parse_quota(headers),
                limits=parse_windows(headers),
            )
        self._log_attempt(request, result, attempts, self._clock.monotonic() - started)
        return decision

    def _log_attempt(
        self, request: Request, result: TransportResult, attempts: Attempts, seconds: float
    ) -> None:
        response = result if isinstance(result, Response) else None
        date = parse_date(response) if response is not None else None
        if date is not None:
            with self._lock:
                self._server_time = max(date, self._server_time or date)
        if self._on_request is not None:
            status, error = (response.status, "") if response is not None else (None, str(result))
            self._on_request(
                RequestLogEntry(
                    request.endpoint.method, request.path, status, error, seconds, attempts.count + 1
                )
            )

    def execute(self, request: Request) -> Document:
        """Return the document of the reply. Raises KlaviyoError or ReplyLost unless the request succeeded."""
        return require_success(request, self.send(request))

    def fetch_if_exists(self, request: Request) -> Response | None:
        """Return the reply to `request`, or None if Klaviyo replies that the resource does not exist."""
        response = self.send(request)
        return None if response.status == HTTPStatus.NOT_FOUND and parse_errors(response) else response

    def fetch_pages(self, request: Request, max_pages: int = MAX_PAGES) -> Iterator[tuple[Request, Response]]:
        """Yield each page of `request` with the request that fetched it. Pages are fetched lazily.

        Raises UnusableReply if a page is refused, if a link leads to another origin, outside the API, or to
        a page that was already read, and after `max_pages` pages.
        """
        seen: set[int] = set()
        while True:
            seen.add(hash(request.target))
            response = self.send(request)
            link = next_link(require_success(request, response))
            yield request, response
            if link is None:
                return
            request = Request(request.endpoint, self._next_target(request, link))
            if hash(request.target) in seen:
                raise UnusableReply.of(
                    "Klaviyo's page links form a circle.", where=str(request), hint="Run again later."
                )
            if len(seen) >= max_pages:
                raise UnusableReply.of(
                    f"Klaviyo's pages do not end: {max_pages:,} were read.",
                    where=str(request),
                    hint="Run again later. If it persists, ask Klaviyo's support.",
                )

    def _next_target(self, request: Request, link: str) -> str:
        try:
            parts = urlsplit(link)
        except ValueError:
            parts = urlsplit("")
        origin = f"{parts.scheme}://{parts.netloc}"
        if (
            origin.lower() != self._transport.origin.lower()
            or not parts.path.startswith("/api/")
            or "/.." in parts.path
        ):
            raise UnusableReply.of(
                f"The next page is at {origin}{parts.path}, outside {self._transport.origin}/api/. "
                "It was not fetched.",
                where=str(request),
                hint="Check the destination's origin, and your proxy. The key is sent to Klaviyo only.",
            )
        return f"{parts.path}?{parts.query}" if parts.query else parts.path

    def server_time(self) -> datetime:
        """Return the newest Date header of all replies, in seconds. Raises KlaviyoError before the first."""
        with self._lock:
            if self._server_time is not None:
                return self._server_time
        raise KlaviyoError.of("Klaviyo's time is not known before the first reply.")

    def stop(self) -> None:
        """Send no further requests: waiting ones raise soon, those in flight finish."""
        self._sleep.cancel()

    def close(self) -> None:
        """Close idle connections."""
        self._transport.close()
