"""Requests that create events, many at once or one alone.

Source: API reference, 'Bulk Create Events' and 'Create Event'.

In bulk, one element is a person with events. A reply (202) says that the request was checked, not that its
events are stored.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from reverse_etl.klaviyo.client import get_request
from reverse_etl.klaviyo.endpoints import Endpoint
from reverse_etl.klaviyo.imports import RowError
from reverse_etl.klaviyo.messages import Request

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

MAX_EVENTS: Final = 1_000
MAX_BYTES: Final = 5_000_000

_BULK_HEAD: Final = b'{"data":{"type":"event-bulk-create-job","attributes":{"events-bulk-create":{"data":['
_BULK_TAIL: Final = b"]}}}}"
_PERSON_HEAD: Final = b'{"type":"event-bulk-create","attributes":{"profile":{"data":'
_PERSON_EVENTS: Final = b'},"events":{"data":['
_PERSON_TAIL: Final = b"]}}}"
_EVENT_HEAD: Final = b'{"type":"event","attributes":'
_SINGLE_HEAD: Final = b'{"data":{"type":"event","attributes":'
_SINGLE_PROFILE: Final = b',"profile":{"data":'
_OVERHEAD: Final = len(_PERSON_HEAD + _PERSON_EVENTS + _PERSON_TAIL + _EVENT_HEAD) + 3  # bytes of one event
_EMPTY_SIZE: Final = len(_BULK_HEAD + _BULK_TAIL)
MAX_EVENT_BYTES: Final = MAX_BYTES - _EMPTY_SIZE - _OVERHEAD
_BULK_POINTER: Final = re.compile(
    r"/data/attributes/events-bulk-create/data/(\d{1,9})/attributes/events/data/(\d{1,9})(?:/(?:attributes(?:/|$))?(.*?))?/*",
    re.DOTALL,
)
_PROFILE_POINTER: Final = re.compile(
    r"/data/attributes/events-bulk-create/data/(\d{1,9})/attributes/(profile(?:/.*?)?)/*", re.DOTALL
)
_SINGLE_POINTER: Final = "/data/attributes/"
_REPEATED_FIELD: Final = re.compile(r"(?:.*/)?unique_id")


@dataclass(frozen=True)
class EncodedEvent:
    """An event in JSON: the profile of its person, and its attributes, of which there is at least one."""

    profile: bytes = field(repr=False)
    attributes: bytes = field(repr=False)

    @property
    def size(self) -> int:
        """Return the most bytes that the event adds to a request."""
        return len(self.profile) + len(self.attributes) + _OVERHEAD

    def encode_alone(self) -> bytes:
        """Return the body of a request with this event alone."""
        attributes = self.attributes.removesuffix(b"}")
        return b"".join((_SINGLE_HEAD, attributes, _SINGLE_PROFILE, self.profile, b"}}}}"))


@dataclass(frozen=True)
class EventBatch:
    """The events of one request, at least one; `seqs[i]` is the number of the delta of event `i`."""

    seqs: Sequence[int]
    events: Sequence[EncodedEvent] = field(repr=False)

    def __len__(self) -> int:
        """Return the number of events."""
        return len(self.seqs)

    def encode(self) -> bytes:
        """Return the body of a bulk request: one element a person, in the order of their first events."""
        people = (
            b"".join(
                (
                    _PERSON_HEAD,
                    profile,
                    _PERSON_EVENTS,
                    b",".join(_EVENT_HEAD + self.events[index].attributes + b"}" for index in indexes),
                    _PERSON_TAIL,
                )
            )
            for profile, indexes in self._indexes_by_person().items()
        )
        return b"".join((_BULK_HEAD, b",".join(people), _BULK_TAIL))

    def match_errors(self, errors: Sequence[RowError]) -> dict[int, RowError]:
        """Return the first error of each event, by its index; none at all if one points at no event.

        An error of a person is that of all the person's events.
        """
        people = [*self._indexes_by_person().values()]
        matched: dict[int, RowError] = {}
        for error in errors:
            indexes, field_name = _find_events(error.field, people)
            if not indexes:
                return {}
            for index in indexes:
                matched.setdefault(index, RowError(error.code, field_name, error.detail))
        return matched

    def exclude(self, indexes: Collection[int]) -> EventBatch | None:
        """Return the batch without the events at `indexes`, None if none is left."""
        left = [index for index in range(len(self)) if index not in indexes]
        return self._part(left) if left else None

    def split_in_half(self) -> tuple[EventBatch, EventBatch]:
        """Return the two halves, in order."""
        middle = len(self) // 2
        return self._part(range(middle)), self._part(range(middle, len(self)))

    def _part(self, indexes: Iterable[int]) -> EventBatch:
        kept = [*indexes]
        return EventBatch([self.seqs[index] for index in kept], [self.events[index] for index in kept])

    def _indexes_by_person(self) -> dict[bytes, list[int]]:
        people: dict[bytes, list[int]] = {}
        for index, event in enumerate(self.events):
            people.setdefault(event.profile, []).append(index)
        return people


@dataclass
class EventPacker:
    """Packs events into batches of one request each, in their order."""

    max_events: int
    max_bytes: int
    _seqs: list[int] = field(default_factory=list)
    _events: list[EncodedEvent] = field(default_factory=list)
    _size: int = _EMPTY_SIZE

    def add(self, seq: int, event: EncodedEvent) -> EventBatch | None:
        """Add an event; return the batch before it if that is full."""
        is_full = self._events and (
            len(self._events) == self.max_events or self._size + event.size > self.max_bytes
        )
        full = self.flush() if is_full else None
        self._seqs.append(seq)
        self._events.append(event)
        self._size += event.size
        return full

    def flush(self) -> EventBatch | None:
        """Return the events that are left as a batch, None if there are none."""
        batch = EventBatch(self._seqs, self._events) if self._events else None
        self._seqs, self._events, self._size = [], [], _EMPTY_SIZE
        return batch


def is_repeat(error: RowError) -> bool:
    """Return whether an error is of an event's id: the event may be stored already."""
    return _REPEATED_FIELD.fullmatch(error.field) is not None


def points_into_event(error: RowError) -> bool:
    """Return whether an error of an event that was sent alone is about a part of it."""
    return error.field.startswith(_SINGLE_POINTER)


def strip_pointer(error: RowError) -> RowError:
    """Return an error of an event that was sent alone, with the field instead of the pointer to it."""
    return RowError(error.code, error.field.removeprefix(_SINGLE_POINTER).strip("/"), error.detail)


def create_events_request(batch: EventBatch) -> Request:
    """Return the request that creates events in bulk. Not idempotent: a repeated id may refuse it."""
    return Request(Endpoint.CREATE_EVENTS, Endpoint.CREATE_EVENTS.path(), batch.encode())


def create_event_request(event: EncodedEvent) -> Request:
    """Return the request that creates one event. Idempotent: Klaviyo drops a repeated id."""
    return Request(Endpoint.CREATE_EVENT, Endpoint.CREATE_EVENT.path(), event.encode_alone())


def metrics_request() -> Request:
    """Return the request for the first page of all metrics; Klaviyo can't filter them by name."""
    return get_request(Endpoint.METRICS, query={"fields[metric]": "name"})


def _find_events(pointer: str, people: Sequence[Sequence[int]]) -> tuple[Sequence[int], str]:
    """Return the indexes of the events that a pointer is about, and the field inside of them."""
    if match := _BULK_POINTER.fullmatch(pointer):
        person, event = int(match[1]), int(match[2])
        if person < len(people) and event < len(people[person]):
            return [people[person][event]], match[3] or ""
    elif (match := _PROFILE_POINTER.fullmatch(pointer)) and int(match[1]) < len(people):
        return people[int(match[1])], match[2]
    return (), ""
