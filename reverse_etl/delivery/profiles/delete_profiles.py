"""Delete the people of a model's rows, one by one, and read back that they are gone."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from reverse_etl.delivery.outcomes import UNPROVED_STATES, Outcome
from reverse_etl.delivery.profiles.deletion_rules import FoundProfile, find_hold
from reverse_etl.delivery.read_back import wait_until_shown
from reverse_etl.domain.batched import batched
from reverse_etl.domain.deltas import Op
from reverse_etl.domain.identifiers import IdentifierType
from reverse_etl.domain.progress import Warned
from reverse_etl.domain.receipts import HoldCode, Receipt, ReceiptState, RowException, RowExceptionKind
from reverse_etl.errors import FailureReason, KlaviyoError, ReplyLost
from reverse_etl.formatting import format_count
from reverse_etl.klaviyo.filters import MAX_VALUES
from reverse_etl.state.withheld import DeletionRequest

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from reverse_etl.delivery.list_delivery import ListDelivery
    from reverse_etl.klaviyo.profiles import Profile
    from reverse_etl.surfaces.operations import DeleteProfiles, ReadmitPeople


_NOT_GONE: Final = "Klaviyo accepted the request, but the profile still exists. The next run looks again."


@dataclass(frozen=True, eq=False)
class _Row:
    seq: int
    identity: str
    identifiers: Mapping[IdentifierType, str]


def _describe_request(row: _Row, profiles: Sequence[Profile]) -> DeletionRequest:
    identifiers = {
        (kind, value)
        for profile in profiles
        for kind in IdentifierType
        for value in (profile.identifier(kind),)
        if value is not None
    }
    profile_id = profiles[0].id if profiles else None
    return DeletionRequest(row.identity, identifiers | {*row.identifiers.items()}, profile_id)


def delete_profiles(delivery: ListDelivery, operation: DeleteProfiles) -> None:
    """Delete the profile of each new row of a model.

    Each row is looked up just before. Nobody found: the row is done. Several profiles: it is held. The
    profile's id is stored before the request, so that after a kill or a lost reply exactly this profile is
    asked for again, and no later one of the same person.
    """
    deletion = _Deletion(delivery, operation)
    deletion.send()
    deletion.read_back()


def readmit_people(delivery: ListDelivery, operation: ReadmitPeople) -> None:
    """Let other models send the people again whose rows left the model. Sends nothing."""
    state, list_id = delivery.context.state, delivery.list_id
    for rows in delivery.pending_rows.read_removes(list_id, operation.max_rows):
        state.withheld.forget(delivery.model_name, [row[1] for row in rows])
        receipt = Receipt(list_id, Op.REMOVE, rows[0][0], rows[-1][0], ReceiptState.APPLIED, len(rows))
        delivery.receipt_buffer.add_outcomes(dict.fromkeys((row[0] for row in rows), Outcome.READMITTED))
        delivery.receipt_buffer.add((receipt,))
        delivery.counter.add(Outcome.READMITTED, len(rows))


@dataclass
class _Deletion:
    """The deletions of one model.

    `open_rows`, by the profile's id, are asked for and not known to be gone.
    """

    delivery: ListDelivery
    operation: DeleteProfiles
    open_rows: dict[str, list[_Row]] = field(default_factory=dict)
    held: int = 0
    done: int = 0

    def send(self) -> None:
        """Ask for the deletion of all rows, until one fails."""
        state = self.delivery.context.state
        requested = state.withheld.find_requested(self.delivery.model_name)
        for rows in self._read_rows():
            if self.delivery.counter.stopped:
                break
            try:
                profiles_by_seq = self._find_profiles(rows, requested)
            except KlaviyoError as error:
                self.delivery.counter.fail(FailureReason.of(error))
                break
            state.renew_lease_or_raise()  # a run that lost the lease must not delete anybody
            holds = {row: find_hold(row.identifiers, profiles_by_seq[row.seq].values()) for row in rows}
            self._hold(holds)
            self._delete_group([row for row in rows if holds[row] is None], profiles_by_seq, requested)
        if self.held:
            self.delivery.context.on_progress(
                Warned(
                    f"{self.delivery.model_name}: {format_count(self.held, 'row')} held, because two "
                    "profiles have the row's identifiers, or the one that has them shows another e-mail, "
                    "phone or external id. Correct the row, or name the profile by klaviyo_profile_id."
                )
            )

    def _delete_group(
        self,
        rows: Sequence[_Row],
        profiles_by_seq: Mapping[int, Mapping[str, FoundProfile]],
        requested: Mapping[str, str | None],
    ) -> None:
        """Store what is asked for, then ask for it, until a request fails.

        A person is withheld by the identifiers of the row, and by those that the profile shows: another model
        may know the person by these. They are stored already if the deletion was asked for before
        and the profile is gone.
        """
        state = self.delivery.context.state
        profiles = {
            row: [candidate.profile for candidate in profiles_by_seq[row.seq].values()] for row in rows
        }
        state.withheld.request(
            self.delivery.model_name,
            [
                _describe_request(row, profiles[row])
                for row in rows
                if profiles[row] or not requested.get(state.withheld.digest(row.identity))
            ],
        )
        self._mark_deleted([row for row in rows if not profiles[row]])
        for row in rows:
            for profile in profiles[row]:
                if not self.delivery.counter.stopped:
                    self._delete(row, profile.id)

    def read_back(self) -> None:
        """Read whether the profiles are gone, until they are or the time is over."""
        self.delivery.receipt_buffer.flush()
        try:
            if self.open_rows:
                wait_until_shown(self.delivery.context, self._are_gone)
        except KlaviyoError as error:
            self.delivery.counter.fail(FailureReason.of(error))
        for rows in self.open_rows.values():
            for row in rows:
                self._record(row, Outcome.UNVERIFIED, _NOT_GONE)

    def _are_gone(self) -> bool:
        """Read the open rows once, and settle those that are gone; return whether all are."""
        klaviyo = self.delivery.context.klaviyo
        for part in batched([*self.open_rows], MAX_VALUES):
            there = {profile.id for profile in klaviyo.find_profiles(IdentifierType.PROFILE_ID, part)}
            for profile_id in part:
                if profile_id not in there:
                    self._mark_deleted(self.open_rows.pop(profile_id))
        return not self.open_rows

    def _read_rows(self) -> Iterator[list[_Row]]:
        list_id, kinds = self.delivery.list_id, self.delivery.model_plan.tables.identifiers
        for rows in self.delivery.pending_rows.read_upserts(list_id, self.operation.max_rows):
            parsed = []
            for seq, *values in rows:
                identifiers = {kind: value for kind, value in zip(kinds, values, strict=False) if value}
                if not identifiers:  # erased by an earlier run, which was killed before it could note it
                    self._record(_Row(seq, "", {}), Outcome.APPLIED)
                    continue
                kind, value = next(iter(identifiers.items()))
                parsed.append(_Row(seq, f"{kind.value}:{value}", identifiers))
            yield parsed

    def _find_profiles(
        self, rows: Sequence[_Row], requested: Mapping[str, str | None]
    ) -> dict[int, dict[str, FoundProfile]]:
        """Return each row's profiles by id; of a row that was asked for before, only that profile."""
        klaviyo, withheld = self.delivery.context.klaviyo, self.delivery.context.state.withheld
        seqs: dict[tuple[IdentifierType, str], set[int]] = defaultdict(set)
        for row in rows:
            earlier_id = requested.get(withheld.digest(row.identity))
            named = {IdentifierType.PROFILE_ID: earlier_id} if earlier_id else row.identifiers
            for identifier in named.items():
                seqs[identifier].add(row.seq)
        profiles_by_seq: dict[int, dict[str, FoundProfile]] = {row.seq: {} for row in rows}
        for kind in IdentifierType:
            values = [value for value_kind, value in seqs if value_kind is kind]
            for profile in klaviyo.find_profiles(kind, values) if values else ():
                for value in profile.identifiers(kind):  # it may show another one than the row's
                    for seq in seqs.get((kind, value), ()):
                        profiles_by_seq[seq].setdefault(profile.id, FoundProfile(profile)).kinds.add(kind)
        return profiles_by_seq

    def _delete(self, row: _Row, profile_id: str) -> None:
        try:
            accepted = self.delivery.context.klaviyo.delete_profile(profile_id)
        except ReplyLost as error:
            self._record(row, Outcome.UNKNOWN, FailureReason.of(error))
            self.delivery.counter.fail(FailureReason.of(error))
        except KlaviyoError as error:
            self._record(row, Outcome.NOT_SENT, FailureReason.of(error))
            self.delivery.counter.fail(FailureReason.of(error))
        else:
            if not accepted:
                self._mark_deleted([row])
                return
            self.open_rows.setdefault(profile_id, []).append(row)

    def _hold(self, holds: Mapping[_Row, HoldCode | None]) -> None:
        held = [
            RowException(row.seq, RowExceptionKind.HELD, hold)
            for row, hold in holds.items()
            if hold is not None
        ]
        self.held += len(held)
        self.delivery.record((), held)

    def _mark_deleted(self, rows: Sequence[_Row]) -> None:
        self.delivery.context.state.withheld.mark_deleted(
            self.delivery.model_name, [row.identity for row in rows]
        )
        for row in rows:
            self._record(row, Outcome.APPLIED)

    def _record(self, row: _Row, outcome: Outcome, detail: str = "") -> None:
        state = UNPROVED_STATES.get(outcome, ReceiptState.APPLIED)
        receipt = Receipt(self.delivery.list_id, Op.ADD, row.seq, row.seq, state, 1, detail=detail)
        self.delivery.receipt_buffer.add((receipt,))
        self.delivery.counter.add(outcome, 1)
        self.done += 1
        self.delivery.report_progress(Op.ADD, self.done)
