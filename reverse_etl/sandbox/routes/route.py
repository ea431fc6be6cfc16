"""An endpoint: where it is reached, what Klaviyo calls it, and the function that answers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from reverse_etl.sandbox.account import SandboxAccount
from reverse_etl.sandbox.ask import ApiRequest
from reverse_etl.sandbox.replies import ApiResponse

View = Callable[[SandboxAccount, ApiRequest], ApiResponse]


@dataclass(frozen=True)
class Route:
    """An endpoint.

    `operation` is Klaviyo's operationId, by which its limits are found; `<id>` in `rule` is a place.
    """

    method: str
    rule: str
    operation: str
    view: View
