"""Confirm by later reads what became of the consents that Klaviyo accepted.

The reply to a subscription has no content, and people may have to confirm it. So it is pending
until a profile shows it: it blocks nothing, it is not sent again, and each later run looks again.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from reverse_etl.delivery.concurrency import map_concurrently
from reverse_etl.delivery.consents.consent_reader import ConsentReader
from reverse_etl.delivery.read_back import wait_until_shown
from reverse_etl.domain.identifiers import row_key_text
from reverse_etl.domain.progress import Warned
from reverse_etl.domain.timestamps import parse_timestamp
from reverse_etl.errors import KeyRefused, KlaviyoError
from reverse_etl.klaviyo.consents import ConsentStatus, SubscribeOptions
from reverse_etl.klaviyo.filters import batch_values
from reverse_etl.state.consents import ConsentState
from reverse_etl.surfaces.operations import SubscribePeople, UnsubscribePeople

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from datetime import datetime

    from reverse_etl.delivery.consents.consent_rules import ReadPerson
    from reverse_etl.delivery.context import DeliveryContext
    from reverse_etl.models.model import Model

EXPIRES_AFTER: Final = timedelta(days=14)
_READ_ROWS: Final = 10_000  # at a time from the state


def make_reader(
    context: DeliveryContext, operation: SubscribePeople | UnsubscribePeople, model: str, list_id: str
) -> ConsentReader:
    """Return what reads the consents of a model's list; its options are those of the requests."""
    options = SubscribeOptions(operation.channel, list_id, operation.source or model)
    return ConsentReader(context.klaviyo, context.clock, options)


def settle_earlier_consents(context: DeliveryContext, models: Iterable[Model]) -> None:
    """Look for the pending consents of earlier runs. A failure is a warning: they block nothing."""
    operations = {
        model.name: model.config.surface.upsert
        for model in models
        if isinstance(model.config.surface.upsert, SubscribePeople)
    }
    counts = context.state.consents.count_by_state() if operations else {}
    for (model, list_id), states in counts.items():
        operation = operations.get(model)
        if operation is None or not states.get(ConsentState.PENDING):
            continue
        try:
            PendingList(context, model, make_reader(context, operation, model, list_id)).settle_earlier()
        except KeyRefused:
            raise
        except KlaviyoError as error:
            context.on_progress(Warned(f"{model}: pending consents were not looked up. {error}"))


@dataclass(frozen=True)
class PendingList:
    """The list of a model whose consents are pending, and what reads them."""

    context: DeliveryContext
    model: str
    reader: ConsentReader

    def wait_and_settle(self) -> None:
        """Look for the pending consents of this run at growing intervals. Raises KlaviyoError."""
        wait_until_shown(self.context, lambda: self._settle(self.context.run_id) == 0)

    def settle_earlier(self) -> None:
        """Look once for the pending consents of earlier runs; the oldest expire. Raises KlaviyoError."""
        self._settle(None)

    def _settle(self, run_id: str | None) -> int:
        """Look once for every pending consent, of one run or of all; return how many stay pending."""
        pending, state, list_id = 0, self.context.state, self.reader.options.list_id
        # This run's rows are not in the journal yet: it gets them as the last look leaves them.
        journaled = state.journal.insert_settled_consents(self.model, list_id) if run_id is None else ()
        for entries in self._read_pending(run_id):
            people = self._read_people([row_key_text(identity) for identity, _ in entries])
            states = {
                identity: self._find_state(people[row_key_text(identity)], parse_timestamp(sent_at))
                for identity, sent_at in entries
            }
            for state_shown in ConsentState:
                identities = [identity for identity, shown in states.items() if shown is state_shown]
                if state_shown is ConsentState.PENDING:
                    pending += len(identities)
                else:
                    state.consents.mark(self.model, list_id, identities, state_shown, and_then=journaled)
        return pending

    def _read_pending(self, run_id: str | None) -> Iterator[list[tuple[str, str]]]:
        """Yield the pending consents as (identity, sent at), in bounded memory."""
        after = ""
        while rows := self.context.state.consents.read_pending(
            self.model, self.reader.options.list_id, after, _READ_ROWS, run_id
        ):
            yield rows
            after = rows[-1][0]

    def _read_people(self, identifiers: Sequence[str]) -> Mapping[str, ReadPerson]:
        people: dict[str, ReadPerson] = {}
        for read in map_concurrently(self.context, self.reader.read_in_parts, batch_values(identifiers)):
            people |= read
        return people

    def _find_state(self, person: ReadPerson, sent_at: datetime) -> ConsentState:
        if person.is_subscribed:
            return ConsentState.CONFIRMED
        for profile in person.profiles:
            changed_at = profile.consent.changed_at
            unsubscribed = profile.consent.status is ConsentStatus.UNSUBSCRIBED
            if unsubscribed and changed_at is not None and changed_at >= sent_at.replace(microsecond=0):
                return ConsentState.OPTED_OUT
        is_old = self.context.klaviyo.server_time - sent_at > EXPIRES_AFTER
        return ConsentState.EXPIRED if is_old else ConsentState.PENDING
