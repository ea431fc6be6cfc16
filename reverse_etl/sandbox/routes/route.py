"""An endpoint: its path, Klaviyo's name of it, and the function that replies."""

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

    `operation` is Klaviyo's operationId, the key of its rate limits; `<id>` in `rule` is a placeholder.
    """

    method: str
    rule: str
    operation: str
    view: View
