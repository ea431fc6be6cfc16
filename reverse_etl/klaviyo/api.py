"""Klaviyo as the rest of the package sees it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self, TypeVar

from reverse_etl.clock import Clock, Patience, SystemClock
from reverse_etl.klaviyo import accounts, lists, profiles
from reverse_etl.klaviyo import imports as jobs
from reverse_etl.klaviyo.client import Client
from reverse_etl.klaviyo.endpoints import Endpoint, Tier
from reverse_etl.klaviyo.errors import checked, misread, refusal
from reverse_etl.klaviyo.imports import Accepted, ImportReply, Job, JobRowError
from reverse_etl.klaviyo.jsonapi import Document, Resource, Unreadable, resource_of, resources_of
from reverse_etl.klaviyo.rate_limit import Pace
from reverse_etl.klaviyo.transport import Key, Wire

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from datetime import datetime

    from reverse_etl.domain.identifiers import IdentifierType
    from reverse_etl.klaviyo.accounts import Account
    from reverse_etl.klaviyo.lists import KlaviyoList
    from reverse_etl.klaviyo.messages import Answer, Observer, Request
    from reverse_etl.klaviyo.profiles import Member, Profile

_Value = TypeVar("_Value")


class Klaviyo:
    """Klaviyo as the rest of the package sees it.

    Thread-safe; one for a whole run, so that all of its threads share the pace. Every method waits for its
    turn and tries again as the rules allow. Each raises KlaviyoError when that was in vain or Klaviyo
    refused, and ReplyLost, a KlaviyoError, when a write may have been carried out all the same. Iterators ask
    for a page when it is needed, and raise while they are read.
    """

    def __init__(self, client: Client) -> None:
        self._client = client

    @classmethod
    def at(  # noqa: PLR0913 - what a connection is made of
        cls,
        origin: str,
        key: Key,
        revision: str,
        *,
        in_flight: int = 8,
        clock: Clock | None = None,
        observer: Observer | None = None,
        tiers: Callable[[Endpoint], Tier] = lambda endpoint: endpoint.tier,
        read_seconds: float = 60.0,
    ) -> Self:
        """Return Klaviyo at `origin`, with up to `in_flight` requests at once: one for each thread.

        `observer` is told of every finished try, from the thread that made it, and must not raise. `tiers`
        may give other limits than Klaviyo's. Nothing is sent yet. Raises UsageError for an origin or a key
        that can't be used.
        """
        clock = clock or SystemClock()
        patience = Patience(clock)
        wire = Wire(origin, key, revision, connections=in_flight, read_seconds=read_seconds)
        return cls(Client(wire, Pace(clock, patience, tiers), clock, patience, observer=observer))

    def account(self) -> Account:
        """Return the account that the key belongs to."""
        return self._one(accounts.ask_account(), accounts.account_of)

    @property
    def server_time(self) -> datetime:
        """Return Klaviyo's own time, in UTC and whole seconds, as of the newest reply.

        Raises KlaviyoError before the first.
        """
        return self._client.server_time()

    def find_lists(self, name: str) -> tuple[KlaviyoList, ...]:
        """Return all lists whose name is exactly `name`; Klaviyo does not promise that there is only one."""
        return tuple(
            found for found in self._each(lists.ask_lists(name), lists.list_of) if found.name == name
        )

    def list_names(self) -> tuple[str, ...]:
        """Return the names of all lists of the account."""
        return tuple(found.name for found in self._each(lists.ask_lists(), lists.list_of))

    def list(self, list_id: str) -> KlaviyoList | None:
        """Return a list, None when Klaviyo has none of this id."""
        return self._perhaps(lists.ask_list(list_id), lists.list_of)

    def create_list(self, name: str) -> KlaviyoList:
        """Make a list. Not repeated after a lost reply, but raises ReplyLost: look the name up then."""
        return self._one(lists.create(name), lambda document: lists.list_of(resource_of(document)))

    def start_import(self, body: bytes) -> ImportReply:
        """Ask for an import of `body`, as `pack.import_body` makes it; again after a lost reply.

        A twin of the job changes nothing more.

        Row indexes in a refusal are Klaviyo's word; `pack.split` checks them.
        """
        request = jobs.start(body)
        answer = self._client.ask(request)
        if answer.status != request.endpoint.success:
            refused = jobs.refusal_of(answer)
            if refused is None:
                raise refusal(request, answer)
            return refused
        return self._read(request, answer, lambda document: Accepted(resource_of(document).id, answer.lost))

    def jobs_since(self, created_at: datetime) -> Iterator[Job]:
        """Yield the account's import jobs, anybody's, created at `created_at` or later, newest first."""
        for job in self._each(jobs.ask_jobs(), jobs.job_of):
            if job.created_at < created_at:
                return
            yield job

    def job(self, job_id: str) -> Job | None:
        """Return an import job, None when Klaviyo has forgotten it."""
        return self._perhaps(jobs.ask_job(job_id), jobs.job_of)

    def job_errors(self, job_id: str) -> Iterator[JobRowError]:
        """Yield the rows that a job could not take."""
        return self._each(jobs.ask_job_errors(job_id), jobs.job_error_of)

    def members(self, list_id: str, kind: IdentifierType, values: Sequence[str]) -> tuple[Member, ...]:
        """Return the members of a list whose e-mail or phone is among `values`, each once.

        Compared in canonical form. Raises ValueError for another kind, by which Klaviyo can't filter a list.
        """
        found: dict[str, Member] = {}
        for request, asked in profiles.ask_members(list_id, kind, values):
            for member in self._each(request, profiles.member_of):
                if profiles.is_among(member.profile, kind, asked):
                    found.setdefault(member.profile.id, member)
        return tuple(found.values())

    def members_since(self, list_id: str, joined_at: datetime) -> Iterator[Member]:
        """Yield the members of a list who joined at `joined_at` or later, in the order of joining."""
        for member in self._each(profiles.ask_members_since(list_id, joined_at), profiles.member_of):
            if member.joined_at >= joined_at:
                yield member

    def profiles(self, kind: IdentifierType, values: Sequence[str]) -> tuple[Profile, ...]:
        """Return the profiles whose identifier is among `values`, each once, compared in canonical form."""
        found: dict[str, Profile] = {}
        for request, asked in profiles.ask_profiles(kind, values):
            for profile in self._each(request, profiles.profile_of):
                if profiles.is_among(profile, kind, asked):
                    found.setdefault(profile.id, profile)
        return tuple(found.values())

    def add_members(self, list_id: str, ids: Sequence[str]) -> None:
        """Put profiles on a list, by id; those who are on it stay.

        Raises ValueError for none or more than 1,000.
        """
        self._client.document(lists.change(Endpoint.ADD_TO_LIST, list_id, ids))

    def remove_members(self, list_id: str, ids: Sequence[str]) -> None:
        """Take profiles off a list, by id; their consent stays.

        Raises ValueError for none or more than 1,000.
        """
        self._client.document(lists.change(Endpoint.REMOVE_FROM_LIST, list_id, ids))

    def stop(self) -> None:
        """Let nothing more go out, from any thread: whoever waits for a turn gets a KlaviyoError soon."""
        self._client.stop()

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def _read(self, request: Request, answer: Answer, decode: Callable[[Document], _Value]) -> _Value:
        document = checked(request, answer)
        try:
            return decode(document)
        except Unreadable as reason:
            what = f"The reply's form is not Klaviyo's: {reason}."
        raise misread(request, answer, what)

    def _one(self, request: Request, decode: Callable[[Document], _Value]) -> _Value:
        return self._read(request, self._client.ask(request), decode)

    def _perhaps(self, request: Request, decode: Callable[[Resource], _Value]) -> _Value | None:
        answer = self._client.find(request)
        return (
            None
            if answer is None
            else self._read(request, answer, lambda document: decode(resource_of(document)))
        )

    def _each(self, request: Request, decode: Callable[[Resource], _Value]) -> Iterator[_Value]:
        for page, answer in self._client.pages(request):
            yield from self._read(
                page, answer, lambda document: [decode(found) for found in resources_of(document)]
            )
