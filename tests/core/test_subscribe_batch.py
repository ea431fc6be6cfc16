"""One batch of people to subscribe, after something stopped its list."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, cast

from reverse_etl.delivery.consents.consent_rules import ReadPerson
from reverse_etl.delivery.consents.subscribe_batch import SubscriptionRow, subscribe_batch
from reverse_etl.delivery.refusals import ListRefusals
from reverse_etl.domain.receipts import RowExceptionKind
from reverse_etl.errors import KlaviyoError
from reverse_etl.klaviyo.consents import (
    Channel,
    Consent,
    ConsentingProfile,
    ConsentStatus,
    SubscribeOptions,
    Subscriber,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from reverse_etl.delivery.consents.consent_reader import ConsentReader

ANN, BOB = "+14155550100", "+14155550101"
LIST_ID = "L1"
SUBSCRIBED_OFF_LIST = Consent(ConsentStatus.SUBSCRIBED, left_lists=frozenset({LIST_ID}))


@dataclass
class FailingKlaviyo:
    """Reads consents, refuses each subscription, and knows who was put on a list."""

    options: SubscribeOptions = field(default_factory=lambda: SubscribeOptions(Channel.SMS, LIST_ID, "texts"))
    added: list[str] = field(default_factory=list)

    @property
    def klaviyo(self) -> FailingKlaviyo:
        """Return the client of the reader."""
        return self

    def read_for_attempt(self, identifiers: Sequence[str], **_: Any) -> dict[str, ReadPerson]:
        """Return people as Klaviyo shows them."""
        consents = {ANN: SUBSCRIBED_OFF_LIST, BOB: Consent(ConsentStatus.NEVER_SUBSCRIBED)}
        return {
            phone: ReadPerson([ConsentingProfile(phone, phone, consents[phone])], LIST_ID, frozenset())
            for phone in identifiers
        }

    def subscribe(self, prepare: Callable[[], Any]) -> None:
        """Refuse a request, if there is one."""
        if prepare() is not None:
            raise KlaviyoError.of("Klaviyo could not be reached.")

    def add_members(self, list_id: str, ids: Sequence[str]) -> None:
        """Put profiles on a list."""
        assert list_id == LIST_ID
        self.added += ids


def test_nobody_joins_a_list_that_stopped() -> None:
    """She would join it by her profile's id after the other rows. The request for these failed."""
    klaviyo = FailingKlaviyo()
    past = Subscriber(ANN, datetime(2020, 5, 1, tzinfo=UTC))
    rows = [
        SubscriptionRow(1, f"phone:{ANN}", past),
        SubscriptionRow(2, f"phone:{BOB}", Subscriber(BOB)),
    ]
    reader = cast("ConsentReader", klaviyo)
    batch = subscribe_batch(reader, rows, ListRefusals(has_applied_rows=False))
    assert (batch.stop_reason, klaviyo.added) == ("Klaviyo could not be reached.", [])
    assert {row.seq: row.kind for row in batch.row_exceptions} == {
        1: RowExceptionKind.NOT_SENT,
        2: RowExceptionKind.NOT_SENT,
    }
