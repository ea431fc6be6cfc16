"""The interface to Klaviyo for the rest of the package."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

from reverse_etl.clock import CancellableSleep, Clock, SystemClock
from reverse_etl.klaviyo import (
    accounts,
    consents,
    custom_requests,
    deletions,
    events,
    lists,
    profile_changes,
    profiles,
    suppressions,
)
from reverse_etl.klaviyo import imports as jobs
from reverse_etl.klaviyo.client import Client, get_request
from reverse_etl.klaviyo.decoding_client import DecodingClient
from reverse_etl.klaviyo.endpoints import Endpoint, RateLimit
from reverse_etl.klaviyo.errors import (
    refusal_error,
)
from reverse_etl.klaviyo.filters import batch_values
from reverse_etl.klaviyo.imports import ImportAccepted, ImportReply, Job, JobRowError
from reverse_etl.klaviyo.jsonapi import parse_resource, parse_resources
from reverse_etl.klaviyo.other_identifiers import find_all
from reverse_etl.klaviyo.rate_limit import RateLimiter
from reverse_etl.klaviyo.transport import Key, Timeouts, Transport

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from datetime import datetime

    from reverse_etl.domain.identifiers import IdentifierType
    from reverse_etl.klaviyo.accounts import Account
    from reverse_etl.klaviyo.consents import Channel, ConsentingProfile, ConsentRefusal
    from reverse_etl.klaviyo.custom_requests import CustomReply
    from reverse_etl.klaviyo.decoding_client import Reading
    from reverse_etl.klaviyo.events import EncodedEvent, EventBatch
    from reverse_etl.klaviyo.lists import KlaviyoList
    from reverse_etl.klaviyo.messages import Request, RequestHook
    from reverse_etl.klaviyo.profile_changes import ProfileReply
    from reverse_etl.klaviyo.profiles import Member, Profile
    from reverse_etl.klaviyo.suppressions import EmailState

_MAX_PROFILE_PAGES = 100_000  # of ten million people


class Klaviyo(DecodingClient):
    """Klaviyo's API, with rate limits and retries.

    Thread-safe. A run uses one object, so that its threads share the rate limits. Methods raise KlaviyoError
    if Klaviyo refuses a request or all attempts fail, and its subclass ReplyLost if a write may have been
    carried out. Iterators fetch pages lazily, and raise while they are read.
    """

    @classmethod
    def connect(  # noqa: PLR0913 - the settings of a connection
        cls,
        origin: str,
        key: Key,
        revision: str,
        *,
        max_connections: int = 8,
        clock: Clock | None = None,
        on_request: RequestHook | None = None,
        rate_limit_for: Callable[[Endpoint], RateLimit] = lambda endpoint: endpoint.rate_limit,
        timeouts: Timeouts | None = None,
    ) -> Self:
        """Return a client for `origin` with at most `max_connections` concurrent requests. Sends nothing yet.

        `on_request` is called after each attempt, in the thread of the request, and must not raise.
        `rate_limit_for` can replace Klaviyo's limits. Raises UsageError for an unusable origin or key.
        """
        clock = clock or SystemClock()
        sleep = CancellableSleep(clock)
        transport = Transport(
            origin, key, revision, max_connections=max_connections, timeouts=timeouts or Timeouts()
        )
        return cls(
            Client(transport, RateLimiter(clock, sleep, rate_limit_for), clock, sleep, on_request=on_request)
        )

    def get_account(self) -> Account:
        """Return the account that the key belongs to."""
        return self._execute(accounts.account_request(), accounts.parse_account)

    @property
    def server_time(self) -> datetime:
        """Return Klaviyo's time at the newest reply, in UTC and whole seconds.

        Raises KlaviyoError before the first reply.
        """
        return self._client.server_time()

    def find_lists(self, name: str) -> tuple[KlaviyoList, ...]:
        """Return all lists with exactly this name; in Klaviyo several lists may have the same name."""
        return tuple(
            klaviyo_list for klaviyo_list in self._find_lists("name", [name]) if klaviyo_list.name == name
        )

    def find_lists_by_names(self, names: Sequence[str]) -> tuple[KlaviyoList, ...]:
        """Return all lists that have one of these names, with few requests."""
        return self._find_lists("name", names)

    def find_lists_by_ids(self, ids: Sequence[str]) -> tuple[KlaviyoList, ...]:
        """Return the lists with these ids, with few requests."""
        return self._find_lists("id", ids)

    def _find_lists(self, field: str, values: Sequence[str]) -> tuple[KlaviyoList, ...]:
        requests = (lists.lists_request(field, group) for group in batch_values(values))
        return tuple(
            klaviyo_list
            for request in requests
            for klaviyo_list in self._fetch_each(request, lists.parse_list)
        )

    def get_list_names(self) -> tuple[str, ...]:
        """Return the names of all lists of the account."""
        return tuple(
            klaviyo_list.name for klaviyo_list in self._fetch_each(lists.lists_request(), lists.parse_list)
        )

    def get_list(self, list_id: str) -> KlaviyoList | None:
        """Return a list, or None if Klaviyo has no list with this id."""
        return self._fetch_if_exists(lists.list_request(list_id), lists.parse_list)

    def create_list(self, name: str) -> KlaviyoList:
        """Create a list. A lost reply raises ReplyLost without a retry; look the name up then."""
        return self._execute(
            lists.create_list_request(name), lambda document: lists.parse_list(parse_resource(document))
        )

    def start_import(self, body: bytes) -> ImportReply:
        """Start an import of `body`, the body of a `batching.Batch`.

        It is repeated after a lost reply, since a duplicate job changes nothing. Row indexes in a refusal
        come from Klaviyo unchecked; `batching.exclude_rows` checks them.
        """
        request = jobs.start_import_request(body)
        response = self._client.send(request)
        if not request.endpoint.is_success(response.status):
            import_refusal = jobs.parse_refusal(response)
            if import_refusal is None:
                raise refusal_error(request, response)
            return import_refusal
        return self._decode_response(
            request,
            response,
            lambda document: ImportAccepted(parse_resource(document).id, response.earlier_reply_lost),
        )

    def get_jobs_since(self, created_at: datetime) -> Iterator[Job]:
        """Yield all import jobs of the account created at `created_at` or later, newest first.

        Includes jobs whose time cannot be read.
        """
        for job in self._fetch_each(jobs.jobs_request(), jobs.parse_job, require_ids=False):
            if job.created_at is not None and job.created_at < created_at:
                return
            yield job

    def get_job(self, job_id: str) -> Job | None:
        """Return an import job, or None if Klaviyo no longer has it."""
        return self._fetch_if_exists(jobs.job_request(job_id), jobs.parse_job)

    def get_job_list_ids(self, job_id: str) -> frozenset[str]:
        """Return the ids of the lists to which a job adds profiles; none if Klaviyo no longer has the job."""
        request = jobs.job_lists_request(job_id)
        response = self._client.fetch_if_exists(request)
        if response is None:
            return frozenset()
        resources = self._decode_response(request, response, parse_resources)
        return frozenset(resource.id for resource in resources)

    def get_job_errors(self, job_id: str) -> Iterator[JobRowError]:
        """Yield the rows that a job could not import, one for each error, whatever can be read of it."""
        request = jobs.job_errors_request(job_id)
        return self._fetch_each(request, jobs.parse_job_error, jobs.MAX_ERROR_PAGES, require_ids=False)

    def find_members(self, list_id: str, kind: IdentifierType, values: Sequence[str]) -> tuple[Member, ...]:
        """Return the members of a list whose e-mail or phone is one of `values`, each once.

        Values are compared in canonical form; like `find_profiles`. Raises ValueError for other identifier
        types, by which Klaviyo cannot filter a list.
        """
        joined_at: dict[str, datetime] = {}

        def fetch_all(group: Sequence[str]) -> list[Profile]:
            request = profiles.member_request(list_id, kind, group)
            members = [*self._fetch_each(request, profiles.parse_member)]
            joined_at.update({member.profile.id: member.joined_at for member in members})
            return [member.profile for member in members]

        return tuple(
            profiles.Member(profile, joined_at[profile.id]) for profile in find_all(kind, values, fetch_all)
        )

    def has_members(self, list_id: str) -> bool:
        """Return whether anybody is on a list."""
        request = profiles.any_member_request(list_id)
        return bool(self._execute(request, parse_resources))

    def get_members_since(self, list_id: str, joined_at: datetime) -> Iterator[Member]:
        """Yield the members of a list that joined at `joined_at` or later, ordered by that time."""
        request = profiles.members_since_request(list_id, joined_at)
        for member in self._fetch_each(request, profiles.parse_member, _MAX_PROFILE_PAGES):
            if member.joined_at >= joined_at:
                yield member

    def find_profiles(self, kind: IdentifierType, values: Sequence[str]) -> tuple[Profile, ...]:
        """Return the profiles whose identifier is one of `values`, each once, compared in canonical form.

        Includes profiles that Klaviyo finds by a value which they do not show: see `other_identifiers`.
        """

        def fetch_all(group: Sequence[str]) -> list[Profile]:
            return [*self._fetch_each(profiles.profile_request(kind, group), profiles.parse_profile)]

        return tuple(find_all(kind, values, fetch_all))

    def add_members(self, list_id: str, ids: Sequence[str]) -> None:
        """Add profiles to a list by id; idempotent. Raises ValueError for no ids or more than 1,000."""
        self._client.execute(lists.change_members_request(Endpoint.ADD_TO_LIST, list_id, ids))

    def remove_members(self, list_id: str, ids: Sequence[str]) -> None:
        """Remove profiles from a list by id; idempotent. Their consent does not change.

        Raises ValueError for no ids or more than 1,000.
        """
        self._client.execute(lists.change_members_request(Endpoint.REMOVE_FROM_LIST, list_id, ids))

    def suppress(self, emails: Sequence[str]) -> str:
        """Start a job that suppresses e-mails; idempotent. Returns the job's id, which proves nothing."""
        return self._start_job(suppressions.suppression_request(Endpoint.SUPPRESS, emails))

    def unsuppress(self, emails: Sequence[str]) -> str:
        """Start a job that unsuppresses e-mails; idempotent. Returns the job's id."""
        return self._start_job(suppressions.suppression_request(Endpoint.UNSUPPRESS, emails))

    def get_suppression_job(self, endpoint: Endpoint, job_id: str) -> Job | None:
        """Return a job of suppressions, or None if Klaviyo has none of this id. Its counts prove nothing."""
        return self._fetch_if_exists(get_request(endpoint, job_id), jobs.parse_job)

    def find_email_states(self, emails: Sequence[str]) -> tuple[EmailState, ...]:
        """Return whether e-mails are suppressed, one entry for each profile that has one of them.

        Includes profiles that show another address: see `other_identifiers`.
        """

        def fetch(group: Sequence[str]) -> Iterator[EmailState]:
            request = suppressions.email_states_request(group)
            return self._fetch_each(request, suppressions.parse_email_state)

        return tuple(suppressions.find_email_states(emails, fetch))

    def get_suppressed(self) -> Iterator[EmailState]:
        """Yield all profiles that are suppressed by hand or by a job, oldest suppression first."""
        request = suppressions.suppressed_request()
        for state in self._fetch_each(request, suppressions.parse_email_state, _MAX_PROFILE_PAGES):
            if state.suppressed_at is not None:
                yield state

    def change_profile(self, request: Request) -> ProfileReply:
        """Send a request of `profile_changes` that changes a single profile; idempotent."""
        return self._send_and_parse(request, profile_changes.parse_reply)

    def read_consents(self, channel: Channel, values: Sequence[str]) -> Reading[ConsentingProfile]:
        """Return the profiles that Klaviyo shows for at most 100 canonical `values`, with their consent.

        A profile may have another identifier than those asked for: Klaviyo also finds secondary addresses.
        """
        request = consents.consents_request(channel, values)
        return self._read(request, lambda resource: consents.parse_consent(resource, channel))

    def read_members(self, list_id: str, channel: Channel, values: Sequence[str]) -> Reading[str]:
        """Return the ids of the members of a list that Klaviyo shows for at most 100 canonical `values`."""
        request = consents.members_request(list_id, channel, values)
        return self._read(request, lambda resource: resource.id)

    def subscribe(self, prepare: Callable[[], Request | None]) -> ConsentRefusal | None:
        """Subscribe people; return why the request was refused, or None if it was accepted.

        `prepare` returns the request of each attempt, or None if there is nothing left to send; see
        `Client.send_prepared`. Accepted is not subscribed: the reply has no content.
        """
        response = self._client.send_prepared(Endpoint.SUBSCRIBE, prepare)
        return None if response is None else consents.parse_reply(response)

    def unsubscribe(self, prepare: Callable[[], Request | None]) -> None:
        """Unsubscribe people; like `subscribe`, but a refusal raises KlaviyoError."""
        response = self._client.send_prepared(Endpoint.UNSUBSCRIBE, prepare)
        if response is not None:
            consents.require_accepted(Endpoint.UNSUBSCRIBE, response)

    def delete_profile(self, profile_id: str) -> bool:
        """Ask for the deletion of a profile; idempotent. Returns False if Klaviyo has no such profile.

        True proves nothing: the profile is gone later.
        """
        request = deletions.delete_profile_request(profile_id)
        return deletions.was_accepted(request, self._client.fetch_if_exists(request))

    def send_custom(self, request: Request) -> CustomReply:
        """Send a request, and return Klaviyo's answer to its content.

        It is repeated after a lost reply only if its endpoint is idempotent.
        """
        return self._send_and_parse(request, custom_requests.parse_reply)

    def create_events(self, batch: EventBatch) -> CustomReply:
        """Create events in bulk. A lost reply raises ReplyLost without a retry: send them alone then."""
        return self.send_custom(events.create_events_request(batch))

    def create_event(self, event: EncodedEvent) -> CustomReply:
        """Create one event. It is repeated after a lost reply, since Klaviyo drops a repeated id."""
        return self.send_custom(events.create_event_request(event))

    def get_metric_names(self) -> frozenset[str]:
        """Return the names of all metrics of the account: each has had an event."""
        metrics = self._fetch_each(events.metrics_request(), lambda metric: metric.get_text("name") or "")
        return frozenset(metrics)

    def check_before_writes(self, check: Callable[[], None]) -> None:
        """Call `check` before each attempt that changes something, in its thread; it may raise."""
        self._client.check_write = check

    def stop(self) -> None:
        """Send no further requests, from any thread; waiting calls soon raise KlaviyoError."""
        self._client.stop()

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def _start_job(self, request: Request) -> str:
        return self._execute(request, lambda document: parse_resource(document).id)
