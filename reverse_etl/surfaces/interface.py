"""The port: what a surface says of itself.

A surface is a kind of Klaviyo state that a model controls, and a value. Planning, guards, delivery, reports
and documents read its fields; nothing outside this folder asks which surface it is. docs/architecture.md
lists the steps to add one.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from enum import Enum, IntEnum, StrEnum
from typing import TYPE_CHECKING, Any

from reverse_etl.domain.identifiers import IdentifierType
from reverse_etl.domain.null_rules import NullRules
from reverse_etl.parsing.validation import StrictModel

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from reverse_etl.domain.columns import Column
    from reverse_etl.domain.engine import Engine
    from reverse_etl.errors import Problem
    from reverse_etl.klaviyo.array_changes import ArrayChange
    from reverse_etl.klaviyo.endpoints import AnyEndpoint
    from reverse_etl.surfaces.event_rules import EventRules
    from reverse_etl.surfaces.operation_facts import RowCounts
    from reverse_etl.surfaces.operations import Operation
    from reverse_etl.surfaces.read_back import ReadBack


class ListRule(Enum):
    """Whether a model of the surface names a list."""

    NONE = "none"
    OPTIONAL = "optional"
    REQUIRED = "required"


class OtherColumns(Enum):
    """The meaning of the columns that are neither an identifier nor the list's name."""

    PROFILE_FIELDS = "profile fields"  # attributes of a profile by their names, otherwise custom properties
    FIELDS = "fields"  # fields of a resource that is not a profile: no name means anything
    REFUSED = "refused"  # nothing else can be sent, so that a model may not select it


class ListAspect(StrEnum):
    """A part of a list that a model's rows are. A list has one model for each."""

    MEMBERS = "members"
    EMAIL_CONSENT = "email_consent"
    SMS_CONSENT = "sms_consent"
    WHATSAPP_CONSENT = "whatsapp_consent"

    @property
    def words(self) -> str:
        """Return the aspect as messages name it."""
        match self:
            case ListAspect.MEMBERS:
                return "members"
            case ListAspect.EMAIL_CONSENT:
                return "e-mail consent"
            case ListAspect.SMS_CONSENT:
                return "SMS consent"
            case ListAspect.WHATSAPP_CONSENT:
                return "WhatsApp consent"


class DiffKind(Enum):
    """How the diff treats known rows."""

    STATE = "state"  # rows are added, updated and removed
    APPEND_ONLY = "append-only"  # a known row key is never sent again, and a changed row of it is rejected


class Phase(IntEnum):
    """When a surface's models are delivered; every model of a phase before any of the next."""

    PEOPLE = 1  # profiles and the lists that they are on
    RECORDS = 2  # what refers to people, and may not exist before they do
    EVENTS = 3  # what people did: flows that start with it find profiles and records as they are now
    SUPPRESSIONS = 4  # who may not be mailed; before consent, so that nobody is mailed in between
    CONSENT = 5  # who may be mailed: last, so that the first message finds everything else
    DELETIONS = 6  # after all others, which keep these people back already


class Blocking(Enum):
    """Which rows wait for an unfinished receipt in the same run. The next run settles the receipt first."""

    PEOPLE = "people"  # every list of every surface that says so too: the same person may be in both
    ROWS = "rows"  # only the same rows


def _no_problem(name: str, column: Column, engine: Engine) -> None:
    del name, column, engine


@dataclass(frozen=True)
class PastTime:
    """A column whose time may not lie in the future, and may be NULL only if it is not required.

    `timezone` is that of values without a zone.
    """

    column: str
    timezone: str = ""
    required: bool = True


@dataclass(frozen=True)
class Columns:
    """The columns of a surface's models.

    `identifiers` are the types that a row's person may be known by; none for a surface without people.
    `key` names the columns that make the row key, which a model must select; where there are none the key is
    the row's identity, and one person has one row. `required` and `optional` name further columns with a
    meaning of their own, which `others` does not cover. `find_problem` says why a column can't be sent
    under a name, whatever its values. `null_rules` say what a NULL in one of the `others` does. `arrays`
    names, in lower case, the columns whose values are appended to arrays or removed from them. `refused`
    maps columns that a model may not select to the problem. `past_times` are columns whose values are checked
    in each row. `updated_at` is the column, as the model's config names it, that says when a row last
    changed; '' if its rows are always compared value by value. `custom_properties` are the columns, in lower
    case, that are custom properties on purpose, although Klaviyo has an attribute for what they seem to hold.
    """

    others: OtherColumns
    identifiers: tuple[IdentifierType, ...] = tuple(IdentifierType)
    key: tuple[str, ...] = ()
    required: tuple[str, ...] = ()
    optional: tuple[str, ...] = ()
    refused: Mapping[str, Problem] = field(default_factory=dict)
    find_problem: Callable[[str, Column, Engine], Problem | None] = _no_problem
    null_rules: NullRules = field(default_factory=NullRules)
    arrays: Mapping[str, ArrayChange] = field(default_factory=dict)
    past_times: tuple[PastTime, ...] = ()
    updated_at: str = ""
    custom_properties: frozenset[str] = frozenset()


@dataclass(frozen=True)
class GuardLimit:
    """The limit of one guard, which trips if a count exceeds max(floor, min(share x rows before, cap)).

    `share` is a share of the rows that the list had before; 0.1 is 10 %.
    """

    share: float
    floor: int
    cap: int

    def allowed_rows(self, rows_before: int) -> int:
        """Return the highest count that does not trip the guard."""
        return max(self.floor, int(min(self.share * rows_before, self.cap)))


@dataclass(frozen=True)
class Guards:
    """The default limits of a model's plan; see `planning/guards.py`.

    `max_moved` limits the known rows of which a `past_times` column has another value, if there are any.
    """

    min_rows: int
    max_removes: GuardLimit = GuardLimit(0.1, floor=10, cap=100_000)
    max_adds: GuardLimit = GuardLimit(0.25, floor=50, cap=100_000)
    max_updates: GuardLimit = GuardLimit(0.5, floor=1_000, cap=1_000_000)
    max_rejected: GuardLimit = GuardLimit(0.1, floor=50, cap=100_000)
    max_clears: GuardLimit = GuardLimit(0.1, floor=100, cap=100_000)
    max_moved: GuardLimit | None = None


class SurfaceSettings(StrictModel):
    """The settings of a surface's models, beside those that every model has. This one has none.

    A surface with settings of its own has a subclass, whose fields are the settings and whose validators
    raise AdviceError.
    """

    def configure(self, surface: Surface) -> Surface:
        """Return the surface of a model with these settings."""
        return surface

    def describe(self) -> dict[str, Any]:
        """Return the settings as JSON values, by which a changed model is known."""
        return {}


@dataclass(frozen=True)
class Surface:
    """A kind of Klaviyo state that a model controls.

    `upsert` sends new and changed rows. `clear` then clears the values that they no longer have. `remove`
    takes back what a leaving row asked for; None where nothing is taken back: the row is forgotten, and
    Klaviyo keeps what it has. An uncertain row that leaves goes the same way. `list_aspect` is what rows are
    of their list. `alternative` is the surface that somebody most likely means who writes a model that this
    one does not fit, if there is one. `settings` are those that only models of the surface have. If
    `described_by_model`, the model says key and requests, and `request.configure` returns the surface of that
    model. `max_requests` is the most requests of a run, None for no limit; `unsafe` is whether each run has
    to allow the model's requests.

    `most_deletions` is how many people a run may delete that allows it without a number, None where nobody is
    deleted; such a row is never sent again with `--full-refresh`.

    If `removes_first`, rows that left are taken back before any model removes people from lists: who is no
    member any more can't be unsubscribed from the list alone.

    `upsert_effect` and `remove_effect` are sentences for the plan: what happens to people that can't be
    undone, or that they notice. `read_back` is how `reconcile` reads back what rows did, None if it can't.
    `event_rules` are those of a model whose rows are events. If
    `receipts_first`, each request's receipt is stored before it is sent.
    """

    name: str
    list_rule: ListRule
    columns: Columns
    diff: DiffKind
    phase: Phase
    blocking: Blocking
    guards: Guards
    upsert: Operation
    remove: Operation | None = None
    clear: Operation | None = None
    list_aspect: ListAspect = ListAspect.MEMBERS
    alternative: Surface | None = field(default=None, repr=False)
    settings: type[SurfaceSettings] = SurfaceSettings
    described_by_model: bool = False
    max_requests: int | None = None
    unsafe: bool = False
    most_deletions: int | None = None
    removes_first: bool = False
    upsert_effect: str = ""
    remove_effect: str = ""
    event_rules: EventRules | None = None
    receipts_first: bool = False
    read_back: ReadBack | None = None

    @property
    def setting_names(self) -> tuple[str, ...]:
        """Return the keys of `config()` that only models of the surface have."""
        return tuple(field.alias or name for name, field in self.settings.model_fields.items())

    def bind_list(self, *, is_named: bool) -> Surface:
        """Return the surface of a model that names a list, or none, if the surface leaves that to models."""
        if self.list_rule is not ListRule.OPTIONAL:
            return self
        return replace(self, list_rule=ListRule.REQUIRED if is_named else ListRule.NONE)

    @property
    def deletes_people(self) -> bool:
        """Return whether a row asks for its person's deletion, so that every model withholds the person."""
        return self.most_deletions is not None

    @property
    def suppresses_people(self) -> bool:
        """Return whether a row says that its person gets no marketing mail."""
        return self.phase is Phase.SUPPRESSIONS

    @property
    def asks_for_consent(self) -> bool:
        """Return whether a row says that its person may get messages."""
        return self.phase is Phase.CONSENT

    @property
    def once(self) -> bool:
        """Return whether one of the operations must not be repeated after a lost reply."""
        return self.upsert.once or (self.remove is not None and self.remove.once)

    @property
    def records_intent(self) -> bool:
        """Return whether a row without a receipt was certainly not sent, whatever ended the run."""
        return self.receipts_first or self.once

    @property
    def has_list(self) -> bool:
        """Return whether every model of the surface has a list; exact for a model's own surface."""
        return self.list_rule is ListRule.REQUIRED

    def estimate_requests(self, rows: RowCounts) -> dict[AnyEndpoint, int]:
        """Return about how many requests a list's rows take, look-ups included, in the order of sending."""
        operations = ((rows.upserts, self.upsert), (rows.clears, self.clear), (rows.removes, self.remove))
        requests: dict[AnyEndpoint, int] = {}
        for count, operation in operations:
            for endpoint, number in operation.estimate_requests(rows).items() if count and operation else ():
                requests[endpoint] = requests.get(endpoint, 0) + number
        return requests
