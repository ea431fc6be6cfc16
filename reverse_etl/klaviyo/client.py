"""The one driver: takes a request through pacing, tries and checks to its document, and follows pages."""

from __future__ import annotations

import threading
from http import HTTPStatus
from random import Random
from typing import TYPE_CHECKING
from urllib.parse import quote, urlencode, urlsplit

from reverse_etl.errors import KlaviyoError
from reverse_etl.klaviyo.errors import checked, gave_up, stopped
from reverse_etl.klaviyo.jsonapi import Document, date_of, errors_of, next_link
from reverse_etl.klaviyo.messages import Answer, Exchange, Observer, Outcome, Request
from reverse_etl.klaviyo.rate_limit import Pace, Quota, Slot
from reverse_etl.klaviyo.retry import Again, Decision, Done, GiveUp, Tries, decide

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import datetime

    from reverse_etl.clock import Clock, Patience
    from reverse_etl.klaviyo.endpoints import Endpoint
    from reverse_etl.klaviyo.transport import Wire


def asking(endpoint: Endpoint, *ids: str, query: Mapping[str, str] | None = None) -> Request:
    """Return a GET of `endpoint`, with the ids of its path and its query, not yet encoded."""
    text = urlencode(query or {}, quote_via=quote, safe="")
    return Request(endpoint, endpoint.path(*ids) + (f"?{text}" if text else ""))


class Client:
    """Sends requests and returns Klaviyo's answers. Thread-safe; all threads share one pace."""

    def __init__(
        self, wire: Wire, pace: Pace, clock: Clock, patience: Patience, *, observer: Observer | None = None
    ) -> None:
        self._wire = wire
        self._pace = pace
        self._clock = clock
        self._patience = patience
        self._observer = observer
        self._random = Random()  # noqa: S311 - spreads tries out in time
        self._seen_at: datetime | None = None
        self._lock = threading.Lock()

    def ask(self, request: Request) -> Answer:
        """Return the answer to `request`, good or bad, after as many tries as the rules allow.

        Raises ReplyLost when the tries are used up and a write may have been carried out, else KlaviyoError.
        """
        tries = Tries()
        while True:
            slot = self._pace.take(request.endpoint)
            if slot is None:
                raise stopped(request, lost=tries.lost)
            match self._try(request, slot, tries):
                case Done(answer):
                    return answer
                case GiveUp() as decision:
                    raise gave_up(request, decision, self._wire.origin)
                case Again(after, tries, throttled):
                    if not throttled and not self._patience.wait(after):
                        raise stopped(request, lost=tries.lost)

    def _try(self, request: Request, slot: Slot, tries: Tries) -> Decision:
        started = self._clock.monotonic()
        try:
            outcome = self._wire.exchange(request)
            decision = decide(outcome, tries, request.endpoint, self._random)
        except BaseException:  # an interrupt: the slot must not stay taken
            self._pace.done(slot, replied=False)
            raise
        if isinstance(decision, Again) and decision.throttled:
            self._pace.throttled(slot, decision.after)
        else:
            self._pace.done(slot, replied=isinstance(outcome, Answer), quota=_quota(outcome))
        self._note(request, outcome, tries, self._clock.monotonic() - started)
        return decision

    def _note(self, request: Request, outcome: Outcome, tries: Tries, seconds: float) -> None:
        answer = outcome if isinstance(outcome, Answer) else None
        date = date_of(answer) if answer is not None else None
        if date is not None:
            with self._lock:
                self._seen_at = max(date, self._seen_at or date)
        if self._observer is not None:
            status, fault = (answer.status, "") if answer is not None else (None, str(outcome))
            self._observer(
                Exchange(request.endpoint.method, request.path, status, fault, seconds, tries.count + 1)
            )

    def document(self, request: Request) -> Document:
        """Return the document of `request`, which must be carried out.

        Raises KlaviyoError or ReplyLost otherwise.
        """
        return checked(request, self.ask(request))

    def find(self, request: Request) -> Answer | None:
        """Return the answer to `request`, None when Klaviyo says that there is no such thing."""
        answer = self.ask(request)
        return None if answer.status == HTTPStatus.NOT_FOUND and errors_of(answer) else answer

    def pages(self, request: Request) -> Iterator[tuple[Request, Answer]]:
        """Yield the pages of `request`, each asked for when it is needed, to the last one.

        Raises KlaviyoError for a page that was refused, and when one leads to another origin, away from the
        API, or back to a page that was read.
        """
        seen: set[int] = set()
        while True:
            seen.add(hash(request.target))
            answer = self.ask(request)
            link = next_link(checked(request, answer))
            yield request, answer
            if link is None:
                return
            request = Request(request.endpoint, self._next_target(request, link))
            if hash(request.target) in seen:
                raise KlaviyoError.of(
                    "Klaviyo's pages go round in a circle.", where=str(request), advice="Run again later."
                )

    def _next_target(self, request: Request, link: str) -> str:
        try:
            parts = urlsplit(link)
        except ValueError:
            parts = urlsplit("")
        origin = f"{parts.scheme}://{parts.netloc}"
        if (
            origin.lower() != self._wire.origin.lower()
            or not parts.path.startswith("/api/")
            or "/.." in parts.path
        ):
            raise KlaviyoError.of(
                f"The next page is not at {self._wire.origin}/api/ but at {origin}{parts.path}: not fetched.",
                where=str(request),
                advice="The key goes nowhere else. Check origin and proxy.",
            )
        return f"{parts.path}?{parts.query}" if parts.query else parts.path

    def server_time(self) -> datetime:
        """Return the newest Date of all replies, to the second. Raises KlaviyoError before the first."""
        with self._lock:
            if self._seen_at is not None:
                return self._seen_at
        raise KlaviyoError.of("Klaviyo has not told its time yet.", advice="Ask it something first.")

    def stop(self) -> None:
        """Let nothing more go out: requests that wait raise soon, those on their way end as they end."""
        self._patience.end()

    def close(self) -> None:
        """Close idle connections."""
        self._wire.close()


def _quota(outcome: Outcome) -> Quota | None:
    if not isinstance(outcome, Answer):
        return None
    remaining = outcome.headers.get("ratelimit-remaining", "").strip()
    reset = outcome.headers.get("ratelimit-reset", "").strip()
    return Quota(int(remaining), float(reset)) if remaining.isdecimal() and reset.isdecimal() else None
