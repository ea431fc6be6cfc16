"""The code of why a list failed while it was sent, however Klaviyo fails."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from reverse_etl.alerts.conditions import Cause, end_of_result
from reverse_etl.domain.progress import ListDone
from reverse_etl.errors import FailureCause, WarehouseError
from reverse_etl.sandbox import Fault, FaultKind
from tests.core.rows import become, members_model, people, person, send_two
from tests.core.world import only_list
from tests.paths import IMPORTS

if TYPE_CHECKING:
    from tests.core.world import PrepareWorld, World

POST = ("POST", IMPORTS)
CAUSES = {
    "401": (Fault(FaultKind.STATUS, *POST, status=401, times=None), FailureCause.KLAVIYO_KEY),
    "400": (Fault(FaultKind.STATUS, *POST, status=400, times=None), FailureCause.KLAVIYO_REFUSED),
    "503": (Fault(FaultKind.STATUS, *POST, status=503, times=None), FailureCause.KLAVIYO_ERROR),
    "408": (Fault(FaultKind.STATUS, *POST, status=408, times=None), FailureCause.KLAVIYO_TIMEOUT),
    "a page": (Fault(FaultKind.HTML, *POST, status=200, times=None), FailureCause.KLAVIYO_ERROR),
    "429": (
        Fault(FaultKind.STATUS, *POST, status=429, retry_after=3_600, times=None),
        FailureCause.KLAVIYO_RATE_LIMIT,
    ),
    "cut": (Fault(FaultKind.CUT, *POST, after=True, times=None), FailureCause.KLAVIYO_UNREACHABLE),
    "all rows": (Fault(FaultKind.REFUSE_ROWS, times=None), FailureCause.KLAVIYO_REFUSED),
    "removals": (
        Fault(FaultKind.STATUS, "DELETE", "/api/lists/*", status=503, times=None),
        FailureCause.KLAVIYO_ERROR,
    ),
    "the list": (
        Fault(FaultKind.STATUS, "GET", "/api/lists*", status=404, times=None),
        FailureCause.KLAVIYO_REFUSED,
    ),
}


@pytest.mark.parametrize(("fault", "cause"), CAUSES.values(), ids=CAUSES)
def test_a_list_that_fails_has_the_cause(
    prepare_world: PrepareWorld, fault: Fault, cause: FailureCause
) -> None:
    world = prepare_world(send_two)
    members_model(world, max_removes=1.0)
    world.fault(fault)
    become(world, people("ann", *(f"p{number}" for number in range(20))))
    failed = only_list(world.run())
    assert failed.failed
    assert failed.failure_cause is cause


def test_rows_that_a_run_rejects_before_an_error_are_new_to_the_next(world: World) -> None:
    """The alert about the error can't name them: the next run that ends reports them."""
    members_model(world)
    become(world, [*people("ann", "bob"), person("cy", email="no address")])

    def fail(event: object) -> None:
        if isinstance(event, ListDone):
            raise WarehouseError.of("The session ended.")

    with pytest.raises(WarehouseError):
        world.run(on_progress=fail)
    (condition,) = end_of_result(world.run(), strict=False).conditions
    assert condition.new_row_causes == {Cause.REJECTED_ROWS}
    assert condition.figures["newly_rejected"] == 1
