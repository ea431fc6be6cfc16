"""Change one list's profiles by id, a request a row: the ids are looked up in the same batch.

A person that Klaviyo does not know is created by a request that replies with the profile. Where nobody may
be created, the person ends as `no_profile`. The row is kept, and looked at again when it changes or after a
week.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import partial
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final

import orjson

from reverse_etl.delivery.address_changes import prepare_address_changes
from reverse_etl.delivery.concurrency import map_concurrently
from reverse_etl.delivery.halving import send_in_halves
from reverse_etl.delivery.imports.refused_identifiers import find_omissions, record_omissions
from reverse_etl.delivery.imports.submit_imports import encode_rows
from reverse_etl.delivery.row_exceptions import make_row_exception, read_row_error
from reverse_etl.delivery.systematic_failure import find_systematic_failure
from reverse_etl.domain.batched import batched
from reverse_etl.domain.deltas import Op
from reverse_etl.domain.identifiers import IdentifierType
from reverse_etl.domain.receipts import Receipt, ReceiptState, RowException, RowExceptionKind
from reverse_etl.errors import FailureReason, KlaviyoError, ReplyLost
from reverse_etl.klaviyo import profile_changes
from reverse_etl.klaviyo.array_changes import find_patch, patch_request, to_list
from reverse_etl.klaviyo.filters import MAX_VALUES
from reverse_etl.klaviyo.imports import RowError
from reverse_etl.klaviyo.profile_changes import ProfileChanged, ProfileRefused
from reverse_etl.klaviyo.profiles import FIELD_BY_IDENTIFIER_TYPE

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from reverse_etl.delivery.list_delivery import ListDelivery
    from reverse_etl.klaviyo.array_changes import ArrayChange, ArrayValues
    from reverse_etl.klaviyo.profile_changes import ProfileReply
    from reverse_etl.surfaces.operations import UpdateProfiles

_AMBIGUOUS: Final = RowError("several_profiles", "", "Klaviyo has several profiles with this identifier.")
_NOT_CHANGED: Final = RowError("not_changed", "", "Klaviyo's reply does not show the array changed.")
_NO_PROFILE: Final = RowError("no_profile", "", "")
_PATCH_ATTEMPTS: Final = 3  # of the arrays of one profile, each after a reply that shows them


@dataclass(frozen=True)
class Update:
    """One row: what to write, and the identifiers by which its profile is looked up, in order."""

    seq: int
    attributes: Mapping[str, Any]
    identifiers: Sequence[tuple[IdentifierType, str]]

    @property
    def profile_id(self) -> str:
        """Return the profile id, '' if the row has another identifier, which finds the profile as well."""
        kind, value = self.identifiers[-1] if len(self.identifiers) == 1 else (None, "")
        return value if kind is IdentifierType.PROFILE_ID else ""


@dataclass(frozen=True)
class UpdateResult:
    """The result of one row: why it is not applied, or the id of the profile that was changed.

    `failure` is why the list stops, or empty. `kept_field` is the field of the identifier by which the
    profile was found, if it shows another one (a second address does not become its first), or empty.
    """

    seq: int
    profile_id: str = ""
    kept_field: str = ""
    kind: RowExceptionKind | None = None
    error: RowError = _NO_PROFILE
    failure: str = ""


def update_profiles(delivery: ListDelivery, operation: UpdateProfiles) -> None:
    """Change the profiles of one list's upserts. A failure stops the list; its counter holds the reason."""
    prepare_address_changes(delivery)
    _Updates(delivery, operation).run()


@dataclass
class _Updates:
    """The updates of one list; `done` rows of it were processed so far."""

    delivery: ListDelivery
    operation: UpdateProfiles
    done: int = 0
    unencodable: list[RowException] = field(default_factory=list)

    def run(self) -> None:
        """Look up, change and record group by group."""
        delivery = self.delivery
        rows = encode_rows(delivery, self.operation, self.unencodable)
        for group in batched(map(self._read_update, rows), MAX_VALUES):
            if delivery.counter.stopped:
                break
            results = self._send_group(group)
            self._record(results)
            self.done += len(results)
            delivery.report_progress(Op.ADD, self.done)
        delivery.record((), self.unencodable)

    def _read_update(self, row: tuple[int, bytes]) -> Update:
        seq, encoded = row
        profile = orjson.loads(encoded)
        values = {**profile["attributes"], "id": profile.get("id")}
        identifiers = [
            (kind, values[FIELD_BY_IDENTIFIER_TYPE[kind]])
            for kind in self.delivery.model_plan.tables.identifiers
            if values.get(FIELD_BY_IDENTIFIER_TYPE[kind])
        ]
        return Update(seq, profile["attributes"], identifiers)

    def _send_group(self, group: Sequence[Update]) -> list[UpdateResult]:
        looked_up = self._look_up(group)
        results = [
            *map_concurrently(
                self.delivery.context, lambda update: self._send(update, looked_up[update.seq]), group
            )
        ]
        return self._add_to_list(sorted(results, key=lambda result: result.seq))

    def _look_up(self, group: Sequence[Update]) -> dict[int, UpdateResult]:
        """Return the profile of each row by its first identifier that Klaviyo knows, or why there is none."""
        results: dict[int, UpdateResult] = {}
        for kind in self.delivery.model_plan.tables.identifiers:
            value_by_seq = {
                update.seq: dict(update.identifiers)[kind]
                for update in group
                if update.seq not in results and kind in dict(update.identifiers)
            }
            if value_by_seq:
                results |= self._look_up_values(kind, value_by_seq)
        missing = {update.seq for update in group} - results.keys()
        return results | {seq: UpdateResult(seq, kind=RowExceptionKind.NO_PROFILE) for seq in missing}

    def _look_up_values(
        self, kind: IdentifierType, value_by_seq: Mapping[int, str]
    ) -> dict[int, UpdateResult]:
        """Return the rows of which something is known by an identifier; the others may have a further one."""
        find = partial(self.delivery.context.klaviyo.find_profiles, kind)
        values = [*dict.fromkeys(value_by_seq.values())]
        halved = send_in_halves(values, find, self.delivery.refusals)
        ids: dict[str, list[str]] = {}
        unshown: set[str] = set()
        for profile in (profile for profiles in halved.results for profile in profiles):
            for value in profile.identifiers(kind):
                ids.setdefault(value, []).append(profile.id)
            unshown |= profile.identifiers(kind) - {profile.identifier(kind)}
        results = {}
        for seq, value in value_by_seq.items():
            if halved.error is not None:
                results[seq] = UpdateResult(
                    seq, kind=RowExceptionKind.NOT_SENT, failure=FailureReason.of(halved.error)
                )
            elif (refused := halved.refused.get(value)) is not None:
                error = read_row_error(refused, kind.value)
                results[seq] = UpdateResult(seq, kind=RowExceptionKind.REJECTED, error=error)
            elif len(ids.get(value, ())) > 1:
                results[seq] = UpdateResult(seq, kind=RowExceptionKind.REJECTED, error=_AMBIGUOUS)
            elif value in ids:
                kept_field = FIELD_BY_IDENTIFIER_TYPE[kind] if value in unshown else ""
                results[seq] = UpdateResult(seq, ids[value][0], kept_field)
        return results

    def _send(self, update: Update, looked_up: UpdateResult) -> UpdateResult:
        """Change or create the profile of one row, in a thread of its own. Never raises KlaviyoError.

        A profile is created without its arrays: somebody else may have created it since the look-up, and the
        reply shows which values it lacks.
        """
        creates_by = self.operation.creates_by if looked_up.kind is RowExceptionKind.NO_PROFILE else None
        if looked_up.kind is not None and creates_by is None:
            return looked_up
        attributes = {
            name: value for name, value in update.attributes.items() if name != looked_up.kept_field
        }
        arrays = self._take_arrays(attributes)
        if creates_by is not None:
            request = profile_changes.create_request(creates_by, attributes, update.profile_id)
        else:
            request = profile_changes.change_request(
                self.operation.endpoint, looked_up.profile_id, attributes
            )
        try:
            reply = self.delivery.context.klaviyo.change_profile(request)
        except ReplyLost as error:
            return UpdateResult(update.seq, kind=RowExceptionKind.UNKNOWN, failure=FailureReason.of(error))
        except KlaviyoError as error:
            return UpdateResult(update.seq, kind=RowExceptionKind.NOT_SENT, failure=FailureReason.of(error))
        if not isinstance(reply, ProfileChanged):
            return _conclude(looked_up, reply)
        changed = replace(looked_up, profile_id=reply.profile_id, kind=None)
        return self._patch_arrays(changed, reply, arrays) if arrays else changed

    def _take_arrays(self, attributes: dict[str, Any]) -> dict[str, tuple[ArrayChange, list[Any]]]:
        """Take out of the attributes those properties that are appended to or removed from arrays."""
        model = self.delivery.model_plan.model
        changes = model.config.surface.columns.arrays
        properties = attributes.get("properties", {})
        arrays = {
            part.property: (changes[part.column.lower()], to_list(properties[part.property]))
            for part in model.payload
            if part.column.lower() in changes and part.property in properties
        }
        if arrays:
            attributes["properties"] = {name: properties[name] for name in properties if name not in arrays}
        return arrays

    def _patch_arrays(
        self, looked_up: UpdateResult, shown: ProfileChanged, arrays: ArrayValues
    ) -> UpdateResult:
        """Change the arrays that are not yet as wanted, as a reply just before shows them.

        The other values of the row were changed, so that a failure leaves it unknown.
        """
        reply: ProfileReply = shown
        failure = ""
        for attempt in range(_PATCH_ATTEMPTS + 1):
            if not isinstance(reply, ProfileChanged):
                return _conclude(looked_up, reply)
            patch = find_patch(reply.attributes, arrays)
            if patch == {}:
                return looked_up
            may_send = attempt == 0 or (failure and attempt < _PATCH_ATTEMPTS)
            if patch is None or not may_send:
                break
            try:
                reply, failure = self._send_patch(looked_up.profile_id, patch)
            except KlaviyoError as error:
                return UpdateResult(
                    looked_up.seq, kind=RowExceptionKind.UNKNOWN, failure=FailureReason.of(error)
                )
        return UpdateResult(looked_up.seq, kind=RowExceptionKind.UNKNOWN, error=_NOT_CHANGED, failure=failure)

    def _send_patch(
        self, profile_id: str, patch: Mapping[str, Mapping[str, list[Any]]]
    ) -> tuple[ProfileReply, str]:
        """Return the reply to a change of arrays, and ''.

        If it is lost, return that to a request that changes nothing, and why the first was lost.
        """
        change_profile, endpoint = self.delivery.context.klaviyo.change_profile, self.operation.endpoint
        try:
            return change_profile(patch_request(endpoint, profile_id, patch)), ""
        except ReplyLost as error:
            request = profile_changes.change_request(endpoint, profile_id, {})
            return change_profile(request), FailureReason.of(error)

    def _add_to_list(self, results: list[UpdateResult]) -> list[UpdateResult]:
        """Add the profiles that were changed to the list, if there is one."""
        ids = [*dict.fromkeys(result.profile_id for result in results if result.kind is None)]
        if self.operation.add_to_list is None or not ids:
            return results
        list_id = self.delivery.list_id
        try:
            self.delivery.context.klaviyo.add_members(list_id, ids)
        except KlaviyoError as error:  # their values were changed
            return [
                UpdateResult(result.seq, kind=RowExceptionKind.UNKNOWN, failure=FailureReason.of(error))
                if result.kind is None
                else result
                for result in results
            ]
        return results

    def _record(self, results: Sequence[UpdateResult]) -> None:
        """Record a group by one receipt, of the applied rows, and a row exception for each other."""
        rejected = [result.error for result in results if result.kind is RowExceptionKind.REJECTED]
        systematic = find_systematic_failure(rejected, len(results))
        for reason in (systematic, *(result.failure for result in results)):
            if reason:
                self.delivery.counter.fail(reason)
        exceptions = [
            make_row_exception(result.seq, result.error, kind)
            for result in results
            if (kind := _find_kind(result, is_rejected=systematic is None)) is not None
        ]
        delivery = self.delivery
        row_exceptions, omissions = find_omissions(delivery.pending_rows, exceptions)
        applied = len(results) - len(exceptions)
        list_id = self.delivery.list_id
        receipt = Receipt(list_id, Op.ADD, results[0].seq, results[-1].seq, ReceiptState.APPLIED, applied)
        self.delivery.record((receipt,), (*self.unencodable, *row_exceptions))
        self.unencodable.clear()
        if omissions:
            delivery.receipt_buffer.flush()
            record_omissions(delivery.context, delivery.pending_rows, delivery.model_name, omissions)


def _conclude(looked_up: UpdateResult, reply: ProfileReply) -> UpdateResult:
    """Return the result of a row by the last reply about its profile."""
    if not isinstance(reply, ProfileRefused):
        return looked_up
    if reply.status == HTTPStatus.NOT_FOUND and looked_up.profile_id:  # gone since: the next run looks again
        return UpdateResult(looked_up.seq, kind=RowExceptionKind.UNKNOWN, error=reply.error)
    return UpdateResult(looked_up.seq, kind=RowExceptionKind.REJECTED, error=reply.error)


def _find_kind(result: UpdateResult, *, is_rejected: bool) -> RowExceptionKind | None:
    if result.kind is RowExceptionKind.REJECTED and not is_rejected:
        return RowExceptionKind.NOT_SENT
    return result.kind
