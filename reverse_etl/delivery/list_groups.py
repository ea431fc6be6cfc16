"""Group the lists of a model that are delivered at the same time: a person is in one unfinished import."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from reverse_etl.domain.batched import batched
from reverse_etl.state.sql.pending import select_meeting_lists

if TYPE_CHECKING:
    from collections.abc import Sequence

    from reverse_etl.delivery.context import DeliveryContext
    from reverse_etl.delivery.list_delivery import ListDelivery

_MAX_LISTS: Final = 100  # at the same time: a run that is killed leaves no more unfinished imports


def group_lists(context: DeliveryContext, deliveries: Sequence[ListDelivery]) -> list[Sequence[ListDelivery]]:
    """Return the groups of lists in the order in which they are delivered.

    Lists of which some rows to import share an identifier are alone, and so is each list of other operations.
    """
    with_imports = [delivery for delivery in deliveries if delivery.list_plan.upserts]
    if len(with_imports) <= 1 or not deliveries[0].surface.upsert.runs_together:
        return [[delivery] for delivery in deliveries]
    statement = select_meeting_lists(deliveries[0].model_plan.tables, context.run_id)
    rows = context.warehouse.fetch(statement)
    meeting = {list_id for (list_id,) in rows}
    apart = [delivery for delivery in deliveries if delivery.list_id not in meeting]
    others = [delivery for delivery in deliveries if delivery.list_id in meeting]
    return [*batched(apart, _MAX_LISTS), *([delivery] for delivery in others)]
