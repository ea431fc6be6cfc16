"""A stand-in for Klaviyo that keeps data, limits requests and fails like the real one.

    with Sandbox(Path("shop.sandbox.db"), job_seconds=0.2) as sandbox:
        run(origin=sandbox.origin)
        sandbox.members("VIP customers")

It serves accounts, lists, members, profiles, bulk import jobs and subscriptions as in Klaviyo's API
reference, revision 2026-10-15, and a few other resources as far as requests of models need them. Requests to
other endpoints get 404.
"""

from reverse_etl.sandbox.faults import Fault, FaultKind
from reverse_etl.sandbox.request_log import LoggedRequest
from reverse_etl.sandbox.sandbox import Sandbox, serve
from reverse_etl.sandbox.store import require_unlocked_file

__all__ = ["Fault", "FaultKind", "LoggedRequest", "Sandbox", "require_unlocked_file", "serve"]
