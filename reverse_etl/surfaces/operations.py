"""The operations that a surface can ask of Klaviyo: one class for each way in which delivery sends rows.

`delivery/deliver.py` matches these classes exhaustively and has the sender of each. An operation states the
facts of its request: the endpoint, how much one request may hold, how rows become bytes, what proves them.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Final, Protocol

from reverse_etl.domain.deltas import Op
from reverse_etl.klaviyo.endpoints import Endpoint
from reverse_etl.klaviyo.filters import LIST_FILTERABLE, MAX_VALUES
from reverse_etl.surfaces.operation_facts import OperationFacts, ProofKind
from reverse_etl.surfaces.request_template import Repeat

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from reverse_etl.domain.columns import Column
    from reverse_etl.domain.identifiers import IdentifierType
    from reverse_etl.klaviyo.batching import Envelope
    from reverse_etl.klaviyo.consents import Channel
    from reverse_etl.klaviyo.endpoints import AnyEndpoint
    from reverse_etl.klaviyo.kept_responses import ResponseRule
    from reverse_etl.klaviyo.serialize import EncodingError
    from reverse_etl.surfaces.operation_facts import RowCounts
    from reverse_etl.surfaces.request_template import RequestTemplate

CONSENTED_AT: Final = "consented_at"  # the column that says when a person consented
DATE_OF_BIRTH: Final = "age_gated_date_of_birth"


class RowEncoder(Protocol):
    """Renders the rows of one model."""

    def encode(self, row: Sequence[Any]) -> bytes | EncodingError:
        """Return a row as it is in the request, or why it can't be sent. Never raises for a value.

        `row` holds the identifiers, then the other columns, as `ImportRows.make_encoder` was given them.
        """
        ...


@dataclass(frozen=True)
class ImportRows(OperationFacts):
    """Rows are rendered, packed full and sent as bulk import jobs, which may be repeated.

    `make_encoder` gets the types of the identifiers of each row and the other columns, each with the name
    under which it reaches Klaviyo. `envelope` gets the list's id, '' for none.
    """

    endpoint: Endpoint
    max_rows: int
    max_bytes: int
    envelope: Callable[[str], Envelope]
    make_encoder: Callable[[Sequence[IdentifierType], Sequence[tuple[str, Column]]], RowEncoder]
    proof: ClassVar = ProofKind.JOB
    runs_together: ClassVar = True

    @property
    def creates_people(self) -> bool:
        """Return that people that Klaviyo does not know become profiles."""
        return True

    def estimate_requests(self, rows: RowCounts) -> dict[AnyEndpoint, int]:
        """Return about how many requests the upserts take, if rows fill requests by number."""
        return {self.endpoint: math.ceil(rows.upserts / self.max_rows)}


@dataclass(frozen=True)
class UpdateProfiles(OperationFacts):
    """Profiles that exist are changed by id, a request a row, after a look-up.

    Others are created with `creates_by`; without it nobody is. With `add_to_list` the profiles are then added
    to the list. `make_encoder` is as that of `ImportRows`. With `patches_arrays` a second request changes the
    arrays that need it.
    """

    endpoint: Endpoint
    make_encoder: Callable[[Sequence[IdentifierType], Sequence[tuple[str, Column]]], RowEncoder]
    add_to_list: Endpoint | None = None
    creates_by: Endpoint | None = None
    patches_arrays: bool = False
    max_rows: int = 1
    proof: ClassVar = ProofKind.REPLY

    @property
    def creates_people(self) -> bool:
        """Return whether people that Klaviyo does not know become profiles."""
        return self.creates_by is not None

    @property
    def changes_known_people(self) -> bool:
        """Return whether it creates nobody."""
        return self.creates_by is None

    def estimate_requests(self, rows: RowCounts) -> dict[AnyEndpoint, int]:
        """Return about how many requests the upserts take, if all of them exist, look-ups included."""
        groups = math.ceil(rows.upserts / MAX_VALUES)
        changes = rows.upserts * (2 if self.patches_arrays else 1)
        requests: dict[AnyEndpoint, int] = {Endpoint.PROFILES: groups, self.endpoint: changes}
        return requests | ({self.add_to_list: groups} if self.add_to_list else {})


@dataclass(frozen=True)
class AddToList(OperationFacts):
    """Profiles that exist are added to the list by id, after a look-up of which ids exist."""

    endpoint: Endpoint
    max_rows: int
    proof: ClassVar = ProofKind.REPLY

    def estimate_requests(self, rows: RowCounts) -> dict[AnyEndpoint, int]:
        """Return how many requests the upserts take, look-ups included."""
        return {
            Endpoint.PROFILES: math.ceil(rows.upserts / MAX_VALUES),
            self.endpoint: math.ceil(rows.upserts / self.max_rows),
        }


@dataclass(frozen=True)
class RemoveFromList(OperationFacts):
    """The person of a leaving row is looked up by all identifiers that were sent, and removed from the list.

    `delivery/members/removal_rules.py` decides who is removed.
    """

    endpoint: Endpoint
    max_rows: int
    proof: ClassVar = ProofKind.REPLY

    def estimate_requests(self, rows: RowCounts) -> dict[AnyEndpoint, int]:
        """Return about how many requests the removes take, look-ups included."""
        requests: dict[AnyEndpoint, int] = {}
        for kind, carriers in rows.removes_by_identifier.items():
            endpoint = Endpoint.LIST_PROFILES if kind in LIST_FILTERABLE else Endpoint.PROFILES
            requests[endpoint] = requests.get(endpoint, 0) + math.ceil(carriers / MAX_VALUES)
        return requests | {self.endpoint: math.ceil(rows.removes / self.max_rows)}


@dataclass(frozen=True)
class ClearValues(OperationFacts):
    """Values that became NULL are cleared, a request a row, after the row's import is proved.

    The two endpoints take turns, since each has a rate limit of its own. `by_id` needs the id of the profile,
    which is looked up; `by_identifier` finds the profile itself, or creates it. None where no profile may be
    created.
    """

    by_id: Endpoint
    by_identifier: Endpoint | None
    max_rows: int = 1
    proof: ClassVar = ProofKind.REPLY

    def estimate_requests(self, rows: RowCounts) -> dict[AnyEndpoint, int]:
        """Return how many requests the clears take, look-ups included."""
        by_id = rows.clears // 2 if self.by_identifier else rows.clears
        requests = {Endpoint.PROFILES: math.ceil(by_id / MAX_VALUES), self.by_id: by_id}
        if self.by_identifier is not None:
            requests[self.by_identifier] = rows.clears - by_id
        return {endpoint: number for endpoint, number in requests.items() if number}


@dataclass(frozen=True)
class SendRequests(OperationFacts):
    """Rows are sent by a request that the model describes, to the endpoint that it names.

    `update` is the request for changed rows, where it is another than that for new ones. Both then hold one
    row. `keep` says what the state keeps of Klaviyo's replies, None for nothing.
    """

    template: RequestTemplate
    update: RequestTemplate | None = None
    removes: bool = False
    keep: ResponseRule | None = None
    proof: ClassVar = ProofKind.REPLY

    @property
    def once(self) -> bool:
        """Return whether one of the requests must not be sent again after a lost reply."""
        return any(template.repeat is Repeat.ONCE for template in self.templates)

    @property
    def is_retired(self) -> bool:
        """Return whether Klaviyo retired one of the endpoints."""
        return any(template.is_retired for template in self.templates)

    @property
    def keeps_responses(self) -> bool:
        """Return whether Klaviyo's responses are kept for other models."""
        return self.keep is not None

    @property
    def templates(self) -> tuple[RequestTemplate, ...]:
        """Return the requests: one, or that for new rows and that for changed ones."""
        return (self.template,) if self.update is None else (self.template, self.update)

    def describe_requests(self) -> dict[str, Any]:
        """Return the requests as JSON values, by the keys of the config."""
        names = ("on_remove" if self.removes else "request", "on_update")
        return {name: template.describe() for name, template in zip(names, self.templates, strict=False)}

    @property
    def op(self) -> Op:
        """Return the operation of the receipts: adds and updates count as adds."""
        return Op.REMOVE if self.removes else Op.ADD

    def template_for(self, op: Op) -> RequestTemplate:
        """Return the request of a row by its operation."""
        return self.update if op is Op.UPDATE and self.update is not None else self.template

    @property
    def max_rows(self) -> int:
        """Return the most rows of one request."""
        return self.template.max_rows

    def estimate_requests(self, rows: RowCounts) -> dict[AnyEndpoint, int]:
        """Return about how many requests the rows take: fewest, where rows are grouped."""
        count = rows.removes if self.removes else rows.upserts
        return {self.template.endpoint: math.ceil(count / self.max_rows)}


@dataclass(frozen=True)
class ChangeSuppressions(OperationFacts):
    """E-mails are read, suppressed or unsuppressed by jobs, and read back: what a job says proves nothing.

    `removes` is whether the operation unsuppresses the people that the model suppressed.
    """

    endpoint: Endpoint
    job_endpoint: Endpoint
    max_rows: int
    removes: bool = False
    proof: ClassVar = ProofKind.READ_BACK

    @property
    def op(self) -> Op:
        """Return the operation of the receipts."""
        return Op.REMOVE if self.removes else Op.ADD

    def estimate_requests(self, rows: RowCounts) -> dict[AnyEndpoint, int]:
        """Return about how many requests the rows take, with one read before and one after each."""
        number = math.ceil((rows.removes if self.removes else rows.upserts) / self.max_rows)
        return {Endpoint.PROFILES: 2 * number, self.endpoint: number}


@dataclass(frozen=True)
class SendEvents(OperationFacts):
    """Events are sent many a request, and alone where an earlier request may have stored them already.

    Each request's receipt is stored before it is sent, so that few events are sent alone after a kill.
    """

    endpoint: Endpoint
    max_rows: int
    max_bytes: int
    proof: ClassVar = ProofKind.NONE

    def estimate_requests(self, rows: RowCounts) -> dict[AnyEndpoint, int]:
        """Return about how many requests the events take, if they fill requests by number."""
        return {self.endpoint: math.ceil(rows.upserts / self.max_rows)}


@dataclass(frozen=True)
class SubscribePeople(OperationFacts):
    """People are subscribed to a channel if a read just before shows no opt-out.

    `timezone` is that of a `consented_at` without a zone. `source` is what profiles show as the origin of the
    consent, '' for the model's name. A request has at most the rows of one read.
    """

    channel: Channel
    timezone: str = ""
    source: str = ""
    max_rows: int = MAX_VALUES
    endpoint: ClassVar = Endpoint.SUBSCRIBE
    proof: ClassVar = ProofKind.READ_BACK
    identifier_errors_are_of_rows: ClassVar = True  # phones of a country without a sender follow one another

    def estimate_requests(self, rows: RowCounts) -> dict[AnyEndpoint, int]:
        """Return about how many requests the upserts take."""
        return _estimate_consent_requests(self, rows.upserts, has_list=rows.has_list)


@dataclass(frozen=True)
class UnsubscribePeople(OperationFacts):
    """People who were subscribed by the model are unsubscribed, if their consent still shows it.

    `source` is what profiles show as the origin of the consent, '' for the model's name.
    """

    channel: Channel
    source: str = ""
    max_rows: int = MAX_VALUES
    endpoint: ClassVar = Endpoint.UNSUBSCRIBE
    proof: ClassVar = ProofKind.READ_BACK
    unsubscribes: ClassVar = True

    def estimate_requests(self, rows: RowCounts) -> dict[AnyEndpoint, int]:
        """Return about how many requests the removes take."""
        return _estimate_consent_requests(self, rows.removes, has_list=rows.has_list)


def _estimate_consent_requests(
    operation: SubscribePeople | UnsubscribePeople, rows: int, *, has_list: bool
) -> dict[AnyEndpoint, int]:
    """Return about how many requests the rows take: each request reads before and after."""
    requests = math.ceil(rows / operation.max_rows)
    counts: dict[AnyEndpoint, int] = {Endpoint.PROFILES: 2 * requests}
    if has_list:
        counts[Endpoint.LIST_PROFILES] = 2 * requests
    return {**counts, operation.endpoint: requests}


@dataclass(frozen=True)
class DeleteProfiles(OperationFacts):
    """Each row's person is looked up by all identifiers, deleted by the profile's id, and read back."""

    endpoint: Endpoint
    max_rows: int = 10  # looked up together, just before: at 60 requests a minute they take ten seconds
    proof: ClassVar = ProofKind.READ_BACK

    def estimate_requests(self, rows: RowCounts) -> dict[AnyEndpoint, int]:
        """Return about how many requests the upserts take."""
        look_ups = math.ceil(rows.upserts / self.max_rows) + math.ceil(rows.upserts / MAX_VALUES)
        return {Endpoint.PROFILES: look_ups, self.endpoint: rows.upserts}


@dataclass(frozen=True)
class ReadmitPeople(OperationFacts):
    """The people of leaving rows are not withheld any more. Nothing is sent."""

    max_rows: int = 1_000  # read together
    proof: ClassVar = ProofKind.REPLY

    def estimate_requests(self, rows: RowCounts) -> dict[AnyEndpoint, int]:
        """Return that it takes no request."""
        del rows
        return {}


Operation = (
    ImportRows
    | UpdateProfiles
    | ClearValues
    | AddToList
    | RemoveFromList
    | SendRequests
    | ChangeSuppressions
    | SendEvents
    | SubscribePeople
    | DeleteProfiles
    | ReadmitPeople
    | UnsubscribePeople
)
