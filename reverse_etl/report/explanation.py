"""Why a person is on a list or not: the facts of one person, and the sentences about them. Pure."""

from __future__ import annotations

import shlex
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final

from reverse_etl.domain.deltas import Op
from reverse_etl.domain.identifiers import IdentifierType, canonicalize
from reverse_etl.domain.rejections import RowProblem
from reverse_etl.domain.timestamps import format_timestamp
from reverse_etl.state.consents import ConsentState

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence
    from datetime import datetime

    from reverse_etl.domain.rejections import RejectionReason
    from reverse_etl.klaviyo.consents import Channel, Consent
    from reverse_etl.report.held_rows import HeldRow
    from reverse_etl.state.journal import JournalRow

_OPEN_STATES: Final = {
    "applied": "applied; the run has not recorded it yet",
    "accepted": "accepted by Klaviyo and not confirmed yet",
    "unknown": "sent; nothing proves yet what came of it",
    "not_sent": "not sent",
    "": "without a recorded reply, so it may not have been sent",
}


_CONSENTS: Final[Mapping[ConsentState, str]] = {
    ConsentState.PENDING: "Klaviyo took the consent, but does not show it: the person may have to confirm it",
    ConsentState.CONFIRMED: "the row is unchanged",
    ConsentState.EXPIRED: "Klaviyo took the consent, but never showed it: the person did not confirm it",
    ConsentState.OPTED_OUT: "the person opted out before Klaviyo showed the consent",
    ConsentState.OFF_LIST: "the row is unchanged",
}


@dataclass(frozen=True)
class PersonQuery:
    """The text that a person is looked up by, in the canonical form of each identifier that it can be.

    `staged_values` has the form of every identifier: a rejected row may have an e-mail that is none.
    """

    text: str
    values: Mapping[IdentifierType, str]

    @property
    def staged_values(self) -> Mapping[IdentifierType, str]:
        """Return the text as each identifier's column has it, also of rows that a check rejects."""
        values = {kind: canonicalize(kind, self.text) for kind in IdentifierType}
        return {kind: value for kind, value in values.items() if value is not None}


def parse_query(text: str) -> PersonQuery:
    """Return what a text can be: an e-mail, a phone, an external id or a profile id.

    >>> parse_query(" Ann@Example.com").values[IdentifierType.EMAIL]
    'ann@example.com'
    >>> [str(kind) for kind in parse_query("17").values]
    ['external_id', 'klaviyo_profile_id']
    """
    kinds = [IdentifierType.EXTERNAL_ID, IdentifierType.PROFILE_ID]
    if "@" in text:
        kinds.append(IdentifierType.EMAIL)
    elif text.strip().startswith("+"):
        kinds.append(IdentifierType.PHONE)
    canonical_values = {kind: canonicalize(kind, text) for kind in kinds}
    return PersonQuery(text, {kind: value for kind, value in canonical_values.items() if value is not None})


@dataclass(frozen=True)
class PersonSearch:
    """The person to explain, and where to look: `lists` are names or ids, all if there are none.

    `deleted_models` are the models of the state, beside the planned ones, whose files are gone.
    """

    text: str
    lists: Collection[str] = ()
    deleted_models: Sequence[str] = ()


@dataclass(frozen=True)
class ModelRow:
    """A row of a model, as it is now. `rejection` is why it is not sent, None if it is valid.

    `identifiers` and `values` are by name; identifiers that are left out of what is sent are in `omitted`,
    and `omitted_because` says why, in the same order.
    """

    identity: str | None
    identifiers: Mapping[str, str]
    values: Mapping[str, Any]
    rejection: RejectionReason | None = None
    omitted: tuple[str, ...] = ()
    omitted_because: tuple[str, ...] = ()


@dataclass(frozen=True)
class AppliedRow:
    """A row that was applied: when it was first sent, and the values that Klaviyo was last given.

    `first_run_id` and `first_job_id` are those of that first time, "" if the state cannot tell.
    `are_values_hidden`: the values may be those of somebody who had the e-mail before. `current` has the
    identifiers of the model's row with the same key, None without one. `has_lost_id`: that row lacks the id,
    and may be somebody else's.
    """

    identity: str
    identifiers: Mapping[str, str]
    values: Mapping[str, Any]
    first_sent_at: str | None
    first_run_id: str = ""
    first_job_id: str = ""
    are_values_hidden: bool = False
    current: Mapping[str, str] | None = None
    has_lost_id: bool = False


@dataclass(frozen=True)
class OpenChange:
    """A change that a run handed over, or was about to, and that is not proved.

    `state` is that of its receipt, '' if there is none. `run_id` is '' if no run has it in hand: a
    removal was kept back, or the row was marked to be sent again.
    """

    run_id: str
    op: str
    state: str
    job_id: str | None = None
    detail: str = ""
    identifiers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Membership:
    """Whether Klaviyo shows a profile on a list: `joined_at` is None if it does not."""

    profile_id: str
    joined_at: str | None


@dataclass(frozen=True)
class ShownConsent:
    """The consent to a channel that a profile shows."""

    profile_id: str
    channel: Channel
    consent: Consent

    def describe(self) -> str:
        """Return the consent, and what keeps mails from the person, in words.

        >>> from reverse_etl.klaviyo.consents import Channel, Consent, ConsentStatus
        >>> ShownConsent("01A", Channel.SMS, Consent(ConsentStatus.NEVER_SUBSCRIBED)).describe()
        'never subscribed'
        """
        consent = self.consent
        since = consent.changed_at or consent.consented_at
        changed = f" since {_format_minute(since)}" if since else ""
        suppressions = [
            f"; suppressed: {suppression.reason}"
            + (f" since {_format_minute(suppression.suppressed_at)}" if suppression.suppressed_at else "")
            + (f" (list {suppression.list_id})" if suppression.list_id else "")
            for suppression in consent.suppressions
        ]
        return f"{consent.status.lower().replace('_', ' ')}{changed}{''.join(suppressions)}"


@dataclass(frozen=True)
class ListExplanation:
    """One person on one list of one model.

    `planned_op` is what a run would do now, '' for nothing, `hold` why a removal is held. `stop_reason` is
    why a guard stops the list, '' if none does: the plan may have taken its upserts out. `gate_reason` is why
    the dbt gate holds the model back, '' if it does not.
    `removal_not_found_at` is when a removal found nobody. `deletes_people` is whether the model deletes its
    people for good, and `is_readmitted` whether others may send the deleted person again.
    `no_profile_at` is when Klaviyo did not know the person of a row that creates nobody, `looks_again_at`
    when it is asked again. `consent` is what became of a consent that was sent. `hidden_until` is when the
    next full comparison is due, if `updated_at` is as it was when the row was compared last.
    `is_model_deleted` is whether the model's file is gone: no run changes its rows. `is_sent_for_another` is
    whether rows were sent for another person, who had the e-mail or phone before: `sent` is without them.
    `found_by` is the person's e-mail or phone by which the list was found, '' for the text asked for.
    """

    model: str
    list_id: str
    list_name: str
    is_append_only: bool
    rows: tuple[ModelRow, ...] = ()
    sent: tuple[AppliedRow, ...] = ()
    open_changes: tuple[OpenChange, ...] = ()
    planned_op: str = ""
    hold: HeldRow | None = None
    stop_reason: str = ""
    gate_reason: str = ""
    removal_not_found_at: str | None = None
    memberships: tuple[Membership, ...] | None = None
    changes: Mapping[str, tuple[Any, Any]] = field(default_factory=dict)
    deletes_people: bool = False
    is_readmitted: bool = False
    no_profile_at: str | None = None
    looks_again_at: str | None = None
    consent: ConsentState | None = None
    hidden_until: str | None = None
    is_model_deleted: bool = False
    is_sent_for_another: bool = False
    found_by: str = ""

    @property
    def is_known(self) -> bool:
        """Return whether there is anything to say about the person on this list."""
        return bool(self.rows or self.sent or self.open_changes or self.removal_not_found_at)

    @property
    def is_missing(self) -> bool:
        """Return whether Klaviyo, which was asked, does not show the person of an applied row on the list."""
        return (
            self.memberships is not None
            and bool(self.sent)
            and not self.is_model_deleted
            and not (self.planned_op or self.open_changes)
            and self.consent in {None, ConsentState.CONFIRMED}
            and not any(membership.joined_at for membership in self.memberships)
        )

    def describe_next_run(self) -> str:
        """Return what the next run would do with the person on this list, as a sentence."""
        if self.is_model_deleted:
            return "nothing: the model is deleted, and no run changes its rows"
        if self.gate_reason:
            return f"nothing: the dbt gate holds the model back. {self.gate_reason}"
        if self.stop_reason and (self.planned_op or self._is_kept_back):
            return f"nothing: a guard stops the list. {self.stop_reason}"
        return self._describe_operation()

    @property
    def _is_kept_back(self) -> bool:
        """Return whether a stopped list would have sent a valid row: it is new, changed or not proved."""
        sent = {row.identity for row in self.sent}
        valid = [row for row in self.rows if row.rejection is None]
        is_new = any(row.identity not in sent for row in valid) and not self.no_profile_at
        return is_new or bool(valid and (self.changes or self.open_changes))

    def _describe_operation(self) -> str:
        match self.planned_op:
            case Op.ADD:
                return (
                    "deletes the person for good; other models withhold them"
                    if self.deletes_people
                    else "sends the row: it is new, or a run could not finish it"
                )
            case Op.UPDATE:
                changed = ", ".join(
                    f"{name} {_show(before)} → {_show(after)}"
                    for name, (before, after) in self.changes.items()
                )
                waits = (
                    "nothing: its updated_at is as when the row was compared last. The first run after "
                    f"{format_short_time(self.hidden_until)} "
                    if changed and self.hidden_until
                    else ""
                )
                return f"{waits}sends the row again{f': {changed}' if changed else ''}"
            case Op.REMOVE:
                return "looks the person up and takes back what was sent: the row left the model"
            case Op.HELD:
                return f"nothing: {self._describe_hold()}"
            case Op.DEFERRED:
                return "nothing: --limit or a guard keeps the change for a later run"
        return self._describe_rest()

    def _describe_hold(self) -> str:
        """Return why the removal is held, and how to see the row that may be the same person."""
        if self.hold is None:
            return "the row left the model, and its removal is held"
        reason, other = self.hold.describe(show_values=False), self.hold.other
        value = self.hold.identifiers.get(other.shared) if other else None
        return f"{reason}; to see it: reverse-etl explain {shlex.quote(value)}" if value else reason

    def describe_open(self, change: OpenChange) -> str:
        """Return what became of a change that is not proved, as a sentence."""
        if change.run_id or any(row.rejection is None for row in self.rows):
            return describe_open_change(change)
        match self.planned_op:
            case Op.HELD | Op.DEFERRED:
                state = "its removal is kept back; if the row comes back, it is sent again"
            case Op.REMOVE:
                state = "the row left the model, and its removal is still to be done"
            case _:
                state = "it is sent again once the model has a valid row"
        return f"no run has it in hand: {state}"

    def _describe_rest(self) -> str:
        valid = [row for row in self.rows if row.rejection is None]
        if valid:
            return f"nothing: {self._describe_settled()}"
        reasons = [row.rejection for row in self.rows if row.rejection]
        if reasons:
            return f"nothing: {self._describe_rejections(reasons)}"
        if self.sent and self.is_append_only:
            return "nothing: the row left the model, and was sent once"
        return "nothing"

    def _describe_rejections(self, reasons: Sequence[RejectionReason]) -> str:
        """Return why no row of the person is sent, and what sends one again."""
        if any(reason.code == RowProblem.WITHHELD for reason in reasons):
            return "the person is withheld, because a model of the project deletes them"
        if any(reason.is_opt_out for reason in reasons):
            return "the person opted out, and nobody is subscribed over that"
        if any(reason.is_by_klaviyo for reason in reasons):
            return f"the row is rejected; to send it again: reverse-etl retry --select {self.model}"
        return "the row is rejected"

    def _describe_settled(self) -> str:
        """Return why a valid row has nothing to send."""
        if self.deletes_people and self.sent:
            others = "may send them again" if self.is_readmitted else "withhold them"
            return f"the person is deleted, and other models {others}"
        if self.no_profile_at and self.looks_again_at and not self.sent:
            return (
                f"Klaviyo did not know the person on {format_short_time(self.no_profile_at)}; it is asked "
                f"again from {format_short_time(self.looks_again_at)} on, or when the row changes"
            )
        return _CONSENTS[self.consent] if self.consent else "the row is unchanged"


@dataclass(frozen=True)
class Explanation:
    """Everything that is known of one person: the lists with something to say, and the models without.

    `models_without_people` were not searched, since their rows have no person;
    `models_without_identifier` could not know the text, since their rows have no identifier of its types.
    `profiles` are the ids of the profiles that Klaviyo shows for the text, None if Klaviyo was not asked;
    `consents` are what they show of consent, and `consent_fault` why that could not be read, '' if it was.
    `journal` is what came of the person's rows, newest first, None if no journal is kept.
    `are_lists_chosen`: `lists` has only lists that were asked for, and the person may be on others.
    """

    query: PersonQuery
    lists: tuple[ListExplanation, ...]
    other_models: tuple[str, ...]
    profiles: tuple[str, ...] | None = None
    are_lists_chosen: bool = False
    journal: tuple[JournalRow, ...] | None = None
    models_without_people: tuple[str, ...] = ()
    models_without_identifier: tuple[str, ...] = ()
    consents: tuple[ShownConsent, ...] = ()
    consent_fault: str = ""

    @property
    def is_known(self) -> bool:
        """Return whether any model or the state knows the person."""
        return bool(self.lists)

    def with_gate_reasons(self, reasons: Mapping[str, str]) -> Explanation:
        """Return the explanation with why the dbt gate holds models back, by the model's name."""
        lists = (replace(item, gate_reason=reasons.get(item.model, "")) for item in self.lists)
        return replace(self, lists=tuple(lists))


def describe_open_change(change: OpenChange) -> str:
    """Return what became of a change that is not proved, as a sentence.

    >>> describe_open_change(OpenChange("r1", "add", "accepted", "j1"))
    'run r1: add, accepted by Klaviyo and not confirmed yet (job j1)'
    """
    job = f" (job {change.job_id})" if change.job_id else ""
    detail = f": {change.detail}" if change.detail else ""
    if not change.run_id:
        return "no run has it in hand: it is marked to be compared and sent again"
    return f"run {change.run_id}: {change.op}, {_OPEN_STATES.get(change.state, change.state)}{job}{detail}"


def format_short_time(time: str) -> str:
    """Return a stored time to the minute, as `explain` writes it."""
    return f"{time[:16].replace('T', ' ')} UTC"


def _format_minute(time: datetime) -> str:
    return format_short_time(format_timestamp(time))


def _show(value: object) -> str:
    return "NULL" if value is None else f"{value}"
