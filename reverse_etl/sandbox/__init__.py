"""A Klaviyo stand-in that remembers, paces and fails as the real one does.

    with Sandbox(Path("shop.sandbox.db"), job_seconds=0.2) as sandbox:
        run(origin=sandbox.origin)
        sandbox.members("VIP customers")

It serves accounts, lists, members, profiles and bulk import jobs as Klaviyo's API reference describes them
for revision 2026-07-15. It keeps no consent, events, segments, tags or subscriptions, and answers 404 or 400
where they are asked for.
"""

from reverse_etl.sandbox.faults import Fault, FaultKind
from reverse_etl.sandbox.journal import LoggedRequest
from reverse_etl.sandbox.sandbox import Sandbox, serve
from reverse_etl.sandbox.store import require_unlocked_file

__all__ = ["Fault", "FaultKind", "LoggedRequest", "Sandbox", "require_unlocked_file", "serve"]
