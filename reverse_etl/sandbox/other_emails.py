"""The e-mail addresses that profiles have but do not show: those of profiles that were merged into them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import sqlite3

    from reverse_etl.sandbox.matching import StoredProfile

OTHER_EMAILS_TABLE: Final = """
CREATE TABLE IF NOT EXISTS other_emails (
    email TEXT NOT NULL, profile INTEGER NOT NULL, PRIMARY KEY (email, profile)
) WITHOUT ROWID
"""
# A filter by e-mail also finds profiles by these addresses.
OTHER_EMAIL_TEMPLATE: Final = "p.seq IN (SELECT profile FROM other_emails WHERE email {comparison})"


def keep_other_emails(db: sqlite3.Connection, target: StoredProfile, source: StoredProfile) -> None:
    """Let a profile keep the addresses of a profile that is merged into it."""
    db.execute("UPDATE OR REPLACE other_emails SET profile = ? WHERE profile = ?", (target.seq, source.seq))
    if source.email is not None and source.email != target.email:
        db.execute("INSERT OR IGNORE INTO other_emails VALUES (?, ?)", (source.email, target.seq))
