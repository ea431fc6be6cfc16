"""The paths of endpoints of Klaviyo, as tests name them."""

from __future__ import annotations

IMPORTS = "/api/profile-bulk-import-jobs"
SUPPRESS = "/api/profile-suppression-bulk-create-jobs"
UNSUPPRESS = "/api/profile-suppression-bulk-delete-jobs"
SUBSCRIBE = "/api/profile-subscription-bulk-create-jobs"
UNSUBSCRIBE = "/api/profile-subscription-bulk-delete-jobs"
EVENTS = "/api/events"
BULK_EVENTS = "/api/event-bulk-create-jobs"
