"""The endpoint that deletes a person."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from reverse_etl.sandbox.deleting import accept_deletion, parse_deletion
from reverse_etl.sandbox.replies import ApiResponse
from reverse_etl.sandbox.routes.route import Route

if TYPE_CHECKING:
    from reverse_etl.sandbox.account import SandboxAccount
    from reverse_etl.sandbox.ask import ApiRequest


def request_profile_deletion(account: SandboxAccount, request: ApiRequest) -> ApiResponse:
    """Accept the deletion of all profiles with an identifier; there is no job to follow."""
    request.reject_unknown_parameters()
    name, value = parse_deletion(request.read_json())
    with account.transaction() as db:
        accept_deletion(db, name, value, account.now() + account.rules.deletion_seconds)
    return ApiResponse(202)


ROUTES: Final = (
    Route(
        "POST",
        "/api/data-privacy-deletion-jobs",
        "request_profile_deletion",
        request_profile_deletion,
    ),
)
