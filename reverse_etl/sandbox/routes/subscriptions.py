"""The endpoints that subscribe and unsubscribe profiles. Their replies have no body, and no job to follow."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from reverse_etl.sandbox.lists import find_list
from reverse_etl.sandbox.replies import ApiResponse, ErrorObject, HttpError, bad_request_error
from reverse_etl.sandbox.routes.route import Route
from reverse_etl.sandbox.subscribing import accept_subscriptions, find_newer_opt_out, unsubscribe
from reverse_etl.sandbox.subscription_rows import (
    LIST_POINTER,
    ConsentRequest,
    parse_subscribe,
    parse_unsubscribe,
)
from reverse_etl.sandbox.validation import ROWS_POINTER

if TYPE_CHECKING:
    import sqlite3

    from reverse_etl.sandbox.account import SandboxAccount
    from reverse_etl.sandbox.ask import ApiRequest


def bulk_subscribe_profiles(account: SandboxAccount, request: ApiRequest) -> ApiResponse:
    """Accept consents, which take effect later; a consent older than an opt-out refuses the request."""
    request.reject_unknown_parameters()
    consent_request = parse_subscribe(request.read_json(), account.rules, account.now())
    with account.transaction() as db:
        _require_list(db, consent_request)
        newer_opt_outs = [
            (index, find_newer_opt_out(db, row)) for index, row in enumerate(consent_request.rows)
        ]
        errors = [
            ErrorObject(
                "The profile has unsubscribed since this consent.",
                f"{ROWS_POINTER}/{index}/attributes/subscriptions/{channel.replace('.', '/')}/consented_at",
            )
            for index, channel in newer_opt_outs
            if channel is not None
        ]
        if errors:
            raise HttpError(400, *errors[: account.rules.errors_per_reply])
        accept_subscriptions(db, consent_request, account.rules)
    return ApiResponse(202)


def bulk_unsubscribe_profiles(account: SandboxAccount, request: ApiRequest) -> ApiResponse:
    """Unsubscribe at once; who is not on the list of the request is unsubscribed from everything."""
    request.reject_unknown_parameters()
    consent_request = parse_unsubscribe(request.read_json(), account.rules, account.now())
    with account.transaction() as db:
        _require_list(db, consent_request)
        unsubscribe(db, consent_request)
    return ApiResponse(202)


def _require_list(db: sqlite3.Connection, consent_request: ConsentRequest) -> None:
    list_id = consent_request.list_id
    if list_id is not None and find_list(db, list_id) is None:
        raise bad_request_error(f"A list with id {list_id} does not exist.", pointer=LIST_POINTER)


ROUTES: Final = (
    Route(
        "POST",
        "/api/profile-subscription-bulk-create-jobs",
        "bulk_subscribe_profiles",
        bulk_subscribe_profiles,
    ),
    Route(
        "POST",
        "/api/profile-subscription-bulk-delete-jobs",
        "bulk_unsubscribe_profiles",
        bulk_unsubscribe_profiles,
    ),
)
