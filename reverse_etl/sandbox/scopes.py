"""The scopes that an endpoint's key needs, by operation. Source: the API reference of each endpoint."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from reverse_etl.sandbox.replies import ErrorObject, HttpError

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

_READ_LISTS: Final = ("lists:read",)
_WRITE_LISTS: Final = ("lists:write",)
_READ_PROFILES: Final = ("profiles:read",)
_WRITE_PROFILES: Final = ("profiles:write",)
_READ_BOTH: Final = ("lists:read", "profiles:read")
_WRITE_BOTH: Final = ("lists:write", "profiles:write")
_READ_CONSENT: Final = ("subscriptions:read",)
_WRITE_CONSENT: Final = (*_WRITE_BOTH, "subscriptions:write")
_WRITE_CATALOGS: Final = ("catalogs:write",)

SCOPES: Final[Mapping[str, tuple[str, ...]]] = {
    "get_accounts": ("accounts:read",),
    "get_account": ("accounts:read",),
    "get_lists": _READ_LISTS,
    "create_list": _WRITE_LISTS,
    "get_list": _READ_LISTS,
    "update_list": _WRITE_LISTS,
    "delete_list": _WRITE_LISTS,
    "get_profiles_for_list": _READ_BOTH,
    "get_profile_ids_for_list": _READ_BOTH,
    "add_profiles_to_list": _WRITE_BOTH,
    "remove_profiles_from_list": _WRITE_BOTH,
    "get_profiles": _READ_PROFILES,
    "get_profile": _READ_PROFILES,
    "create_profile": _WRITE_PROFILES,
    "update_profile": _WRITE_PROFILES,
    "create_or_update_profile": _WRITE_PROFILES,
    "merge_profiles": _WRITE_PROFILES,
    "get_lists_for_profile": _READ_BOTH,
    "get_list_ids_for_profile": _READ_BOTH,
    "bulk_import_profiles": _WRITE_BOTH,
    "get_bulk_import_profiles_jobs": _READ_BOTH,
    "get_bulk_import_profiles_job": _READ_BOTH,
    "get_errors_for_bulk_import_profiles_job": _READ_PROFILES,
    "get_profiles_for_bulk_import_profiles_job": _READ_PROFILES,
    "get_profile_ids_for_bulk_import_profiles_job": _READ_PROFILES,
    "get_list_for_bulk_import_profiles_job": _READ_LISTS,
    "get_list_ids_for_bulk_import_profiles_job": _READ_LISTS,
    "bulk_subscribe_profiles": _WRITE_CONSENT,
    "bulk_unsubscribe_profiles": _WRITE_CONSENT,
    "bulk_suppress_profiles": ("profiles:write", "subscriptions:write"),
    "get_bulk_suppress_profiles_jobs": _READ_CONSENT,
    "get_bulk_suppress_profiles_job": _READ_CONSENT,
    "bulk_unsuppress_profiles": ("subscriptions:write",),
    "get_bulk_unsuppress_profiles_jobs": _READ_CONSENT,
    "get_bulk_unsuppress_profiles_job": _READ_CONSENT,
    "create_event": ("events:write",),
    "bulk_create_events": ("events:write",),
    "get_events": ("events:read",),
    "get_event": ("events:read",),
    "get_metric_for_event": ("events:read", "metrics:read"),
    "get_metric_id_for_event": ("events:read", "metrics:read"),
    "get_profile_for_event": ("events:read", "profiles:read"),
    "get_profile_id_for_event": ("events:read", "profiles:read"),
    "get_metrics": ("metrics:read",),
    "get_metric": ("metrics:read",),
    "request_profile_deletion": ("data-privacy:write",),
    "create_tag": ("tags:read", "tags:write"),
    "tag_lists": ("lists:write", "tags:write"),
    "remove_tag_from_lists": ("lists:write", "tags:write"),
    "create_coupon": ("coupons:write",),
    "bulk_create_coupon_codes": ("coupon-codes:write",),
    "create_catalog_item": _WRITE_CATALOGS,
    "bulk_create_catalog_items": _WRITE_CATALOGS,
    "get_bulk_create_catalog_items_job": ("catalogs:read",),
    "update_catalog_item": _WRITE_CATALOGS,
    "delete_catalog_item": _WRITE_CATALOGS,
    "bulk_create_data_source_records": ("custom-objects:write",),
}


def require_scopes(operation: str, missing_scopes: Collection[str]) -> None:
    """Raise HttpError (403) if the key lacks a scope of the operation."""
    lacking = [scope for scope in SCOPES[operation] if scope in missing_scopes]
    if lacking:
        raise HttpError(
            403,
            ErrorObject(f"The key lacks the scopes {', '.join(lacking)}.", code="permission_denied"),
        )
