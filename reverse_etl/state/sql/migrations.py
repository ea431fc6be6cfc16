"""Statements that bring the shared tables of a state from one version to the next.

A version's changes and new tables stay here as they were written; a later version adds its own.
`lease`, and `version` and `migrating_to` in `meta`, are the same in every version: by them programs of
different versions know of each other.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from reverse_etl.warehouse.statement import Statement

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from reverse_etl.warehouse.dialect import Dialect


@dataclass(frozen=True)
class TableChange:
    """A shared table of a version: its columns in order, each with its value made of the old columns.

    `old_name` is the table's name before, '' if it is the same.
    """

    name: str
    columns: Mapping[str, str]
    old_name: str = ""

    def is_pending(self, old_columns: Sequence[str], later_columns: Sequence[Sequence[str]] = ()) -> bool:
        """Return whether the change is pending; `old_columns` are the columns of the table of the old name.

        It is not if the table has columns of this version, or of a later one (`later_columns`).
        """
        done = [[*self.columns], *map(list, later_columns)]
        return bool(old_columns) and (bool(self.old_name) or [*old_columns] not in done)


def _unchanged(*names: str) -> dict[str, str]:
    return {name: name for name in names}


_VERSION_1 = ("models", "targets", "runs", "run_lists", "receipts", "refusals", "rejections", "gone", "lists")
_VERSION_2 = (*_VERSION_1[:5], "row_exceptions", "rejections", "unmatched_removals", "lists")
_VERSION_3 = (*_VERSION_2, "own_suppressions", "withheld", "consents", "removal_holds")
_VERSION_4 = (*_VERSION_3, "responses")
_VERSION_5 = (*_VERSION_4, "journal", "row_outcomes", "omissions")
_VERSION_6 = (*_VERSION_5, "comparisons")
# The shared tables of each version, in the order in which they are copied.
TABLES_BY_VERSION: Mapping[int, Sequence[str]] = {
    version: (*tables, "lease", "meta")
    for version, tables in enumerate(
        (_VERSION_1, _VERSION_2, _VERSION_3, _VERSION_4, _VERSION_5, _VERSION_6), start=1
    )
}
# The tables that a version is the first to have, with their columns, as in SHARED_TABLES of that version.
NEW_TABLES_BY_VERSION: Mapping[int, Mapping[str, str]] = {
    2: {},
    3: {
        "own_suppressions": "account_id VARCHAR, project VARCHAR, model VARCHAR, identity VARCHAR, requested_at VARCHAR, "
        "suppressed_at VARCHAR",
        "removal_holds": "account_id VARCHAR, project VARCHAR, list_id VARCHAR, state VARCHAR, reason VARCHAR, recorded_at VARCHAR",
        "consents": "account_id VARCHAR, project VARCHAR, model VARCHAR, list_id VARCHAR, identity VARCHAR, run_id VARCHAR, state VARCHAR, "
        "sent_at VARCHAR, consented_at VARCHAR",
        "withheld": "account_id VARCHAR, project VARCHAR, model VARCHAR, person VARCHAR, digest VARCHAR, profile_id VARCHAR, "
        "state VARCHAR, recorded_at VARCHAR",
    },
    4: {
        "responses": "account_id VARCHAR, project VARCHAR, model VARCHAR, run_id VARCHAR, row_key VARCHAR, responded_at VARCHAR, "
        "method VARCHAR, path VARCHAR, status BIGINT, body VARCHAR, body_is_cut BOOLEAN",
    },
    5: {
        "journal": "account_id VARCHAR, project VARCHAR, model VARCHAR, list_id VARCHAR, run_id VARCHAR, seq BIGINT, "
        "identity VARCHAR, email VARCHAR, phone_e164 VARCHAR, external_id VARCHAR, klaviyo_profile_id VARCHAR, op VARCHAR, "
        "outcome VARCHAR, code VARCHAR, recorded_at VARCHAR, pii VARCHAR, changes VARCHAR",
        "row_outcomes": "run_id VARCHAR, model VARCHAR, first_seq BIGINT, last_seq BIGINT, outcome VARCHAR",
        "omissions": "account_id VARCHAR, project VARCHAR, model VARCHAR, list_id VARCHAR, row_key VARCHAR, identifier VARCHAR, "
        "code VARCHAR, digest VARCHAR, run_id VARCHAR",
    },
    6: {
        "comparisons": "account_id VARCHAR, project VARCHAR, model VARCHAR, checksum VARCHAR, compared_at VARCHAR, settled_at VARCHAR, "
        "evidence VARCHAR",
    },
}
# The first part of the name of a model's own table before a version, and since then.
RENAMED_MODEL_TABLES_BY_VERSION: Mapping[int, Mapping[str, str]] = {
    2: {},
    3: {},
    4: {"missing": "without_profile"},
    5: {},
    6: {},
}
# Before version 2 this text in `detail` was the flag `may_have_duplicate`.
_REPLY_LOST = "The reply to an earlier try was lost: another import may hold these rows too."
# The keys of `run_lists.counts` before a version, and since then.
_RENAMED_COUNTS_BY_VERSION: Mapping[int, Mapping[str, str]] = {
    2: {
        "desired": "rows",
        "known": "snapshot_rows",
        "held_back": "held_at_plan",
        "held": "held_at_lookup",
        "rejected_by_checks": "rejected_by_check",
        "rejected": "rejected_by_klaviyo",
        "superseded": "replaced",
        "kept": "unmanaged",
        "gone": "not_found",
        "forgotten": "left_in_place",
    },
    3: {},
    4: {"missing": "without_profile"},
    5: {},
    6: {},
}
# The codes in `rejections` and `row_exceptions` before a version, and since then.
_RENAMED_CODES_BY_VERSION: Mapping[int, Mapping[str, str]] = {
    2: {"unrenderable": "unencodable"},
    3: {},
    4: {"two_profiles": "several_profiles"},
    5: {},
    6: {},
}
# Before version 4 the code of these details was `not_found`, as that of an answer of Klaviyo.
_NO_PROFILE_DETAILS = (
    "Klaviyo has no profile with this id.",
    "Klaviyo no longer has one profile with this identifier.",
)


def _destination_id_sql() -> str:
    """Return the id of a target, which was stored as a sentence: its name, ' to ', and its destination."""
    endings = {" to https://a.klaviyo.com": "/klaviyo", " to a sandbox of its own": "/sandbox"}
    cases = " ".join(
        f"WHEN target LIKE '%{old}' THEN LEFT(target, LENGTH(target) - {len(old)}) || '{new}'"
        for old, new in endings.items()
    )
    origin_length = "(POSITION(' ' IN REVERSE(target)) - 1)"  # an origin has no blank
    name = f"LEFT(target, LENGTH(target) - {origin_length} - {len(' to ')})"
    return f"CASE {cases} ELSE {name} || '/' || RIGHT(target, {origin_length}) END"


CHANGES_BY_VERSION: Mapping[int, Sequence[TableChange]] = {
    2: (
        TableChange(
            "targets",
            {"project": "project", "destination_id": _destination_id_sql(), "account_id": "account_id"},
        ),
        TableChange(
            "receipts",
            {
                **_unchanged("run_id", "model", "list_id", "op", "first_seq", "last_seq", "row_count"),
                **_unchanged("state", "job_id"),
                "recorded_at": "noted_at",
                "detail": f"CASE WHEN detail = '{_REPLY_LOST}' THEN '' ELSE detail END",
                "may_have_duplicate": f"detail = '{_REPLY_LOST}'",
            },
        ),
        TableChange(
            "row_exceptions",
            {
                **_unchanged("run_id", "model", "seq", "kind"),
                "code": "CASE WHEN code = 'unrenderable' THEN 'unencodable' ELSE code END",
                **_unchanged("field", "detail"),
            },
            old_name="refusals",
        ),
        TableChange(
            "unmatched_removals",
            {
                **_unchanged("account_id", "project", "model", "list_id", "identity", "run_id"),
                "recorded_at": "noted_at",
            },
            old_name="gone",
        ),
        TableChange(
            "lists",
            {
                **_unchanged("account_id", "project", "list_id", "name", "model", "state"),
                "recorded_at": "noted_at",
            },
        ),
    ),
    3: (
        TableChange(
            "models",
            {
                **_unchanged("account_id", "project", "model", "table_key", "surface", "identifiers"),
                "checksum": "checksum",
                "live_since": "CAST(NULL AS VARCHAR)",
                "pruned_before": "CAST(NULL AS VARCHAR)",
            },
        ),
    ),
    4: (
        TableChange(
            "run_lists",
            {
                **_unchanged("run_id", "model", "list_id", "list_name", "counts"),
                "stop_cause": "CASE WHEN reason = '' THEN NULL ELSE 'unknown' END",
                "reason": "reason",
            },
        ),
        TableChange(
            "lists",
            {
                **_unchanged("account_id", "project", "list_id", "name", "model"),
                "aspect": "CASE state WHEN 'e-mail consent' THEN 'email_consent' WHEN 'SMS consent' THEN 'sms_consent' "
                "WHEN 'WhatsApp consent' THEN 'whatsapp_consent' ELSE 'members' END",
                "state": "CASE WHEN state = 'intended' THEN state ELSE 'owned' END",
                "recorded_at": "recorded_at",
            },
        ),
    ),
    5: (
        TableChange(
            "removal_holds",
            {
                **_unchanged("account_id", "project", "list_id", "state"),
                "cause": "CAST(CASE WHEN state = 'trusted' THEN NULL WHEN reason LIKE 'Klaviyo has %' THEN 'unrecorded_imports' "
                "WHEN reason LIKE 'The state does not contain the run %' THEN 'missing_run' ELSE 'unreadable_record' END AS VARCHAR)",
                **_unchanged("reason", "recorded_at"),
            },
        ),
    ),
    6: (),
}


# Words that were stored in `field` for how a person opted out, and the ids since version 4.
_OPT_OUT_IDS = {
    "unsubscribed from the list": "unsubscribed_from_list",
    "suppressed by another model": "suppressed_by_model",
    "unknown reason": "unknown_reason",
    "SPAM_REPORT": "spam_report",
    "SPAM_COMPLAINT": "spam_complaint",
    "USER_SUPPRESSED": "user_suppressed",
}


def later_columns(table: str, version: int) -> list[list[str]]:
    """Return the columns that a table has in the later versions that change it."""
    return [
        [*change.columns]
        for later_version, changes in CHANGES_BY_VERSION.items()
        for change in changes
        if later_version > version and change.name == table
    ]


def select_meta(dialect: Dialect, columns: Sequence[str]) -> Statement:
    """Return (version, version that it is being migrated to or NULL, copy or NULL).

    `columns` are those of `meta`: in version 1 it has the version alone.
    """
    names = ("version", "migrating_to", "backup")
    values = ", ".join(f"MAX({name})" if name in columns else "NULL" for name in names)
    return Statement.read(f"SELECT {values} FROM {dialect.state_table('meta')}")


def select_scopes(dialect: Dialect) -> Statement:
    """Return each (account, project) that has rows in this state."""
    queries = " UNION ".join(
        f"SELECT account_id, project FROM {dialect.state_table(table)}"
        for table in ("models", "runs", "lists", "targets", "lease")
    )
    return Statement.read(f"{queries} ORDER BY 1, 2")


def select_table_keys(dialect: Dialect) -> Statement:
    """Return (table key) of every model that was ever sent."""
    return Statement.read(f"SELECT table_key FROM {dialect.state_table('models')} ORDER BY table_key")


def mark_migrating(dialect: Dialect, version: int, backup: str | None) -> Statement:
    """Record that the state is being migrated to a version, and where its copy is."""
    backup_text = "NULL" if backup is None else dialect.quote_literal(backup)
    select = (
        f"SELECT version, CAST({version} AS BIGINT) AS migrating_to, CAST({backup_text} AS VARCHAR) AS backup "
        f"FROM {dialect.state_table('meta')}"
    )
    return dialect.replace_state_table("meta", select, repeatable=False)


def create_new_tables(dialect: Dialect, version: int) -> tuple[Statement, ...]:
    """Create the tables that a version is the first to have. May be repeated.

    Version 4 has those of version 3 created too: until it was released, version 3 had fewer of them.
    """
    tables = dict(NEW_TABLES_BY_VERSION[version])
    if version == 4:  # noqa: PLR2004 - see above
        tables |= NEW_TABLES_BY_VERSION[3]
    return tuple(dialect.create_state_table(name, columns) for name, columns in tables.items())


def change_table(dialect: Dialect, change: TableChange) -> tuple[Statement, ...]:
    """Replace a table by that of the new version."""
    values = ", ".join(
        value if value == name else f"{value} AS {name}" for name, value in change.columns.items()
    )
    return _replace_table(dialect, change.name, values, change.old_name)


def rename_model_table(dialect: Dialect, name: str, old_name: str) -> tuple[Statement, ...]:
    """Give one of a model's own tables its new name."""
    return _replace_table(dialect, name, "*", old_name)


def _replace_table(dialect: Dialect, name: str, values: str, old_name: str) -> tuple[Statement, ...]:
    """Fill a table from that of the old name and drop the latter; without an old name, replace the table itself."""
    old_table = dialect.state_table(old_name or name)
    select = f"SELECT {values} FROM {old_table}"
    replaced = dialect.replace_state_table(name, select, repeatable=bool(old_name))
    if not old_name:
        return (replaced,)
    return (replaced, Statement.drop(old_table, f"DROP TABLE IF EXISTS {old_table}"))


def change_values(dialect: Dialect, version: int) -> tuple[Statement, ...]:
    """Change the values of a version in tables that keep their columns. May be repeated."""
    run_lists = dialect.state_table("run_lists")
    counts = "counts"
    for old, new in _RENAMED_COUNTS_BY_VERSION[version].items():
        counts = f"REPLACE({counts}, '\"{old}\":', '\"{new}\":')"
    renamed_counts = Statement.change(run_lists, f"UPDATE {run_lists} SET counts = {counts}")
    conditions = {new: f"code = '{old}'" for old, new in _RENAMED_CODES_BY_VERSION[version].items()}
    others: Iterable[Statement] = ()
    if version == 5:  # noqa: PLR2004 - the version that brings a table of omissions
        others = _move_omissions(dialect)
    if version == 4:  # noqa: PLR2004 - the version that brings ids, and one code for one thing
        others = _change_opt_outs(dialect)
        details = ", ".join(map(dialect.quote_literal, _NO_PROFILE_DETAILS))
        conditions["no_profile"] = f"code = 'not_found' AND detail IN ({details})"
    renamed_codes = (
        Statement.change(table, f"UPDATE {table} SET code = '{code}' WHERE {condition}")
        for code, condition in conditions.items()
        for table in map(dialect.state_table, ("rejections", "row_exceptions"))
    )
    return (*((renamed_counts,) if counts != "counts" else ()), *renamed_codes, *others)


def _change_opt_outs(dialect: Dialect) -> Iterator[Statement]:
    """Yield the statements that store the ids of opt-outs instead of words."""
    ids = " ".join(f"WHEN '{words}' THEN '{opt_out}'" for words, opt_out in _OPT_OUT_IDS.items())
    for table in (dialect.state_table("rejections"), dialect.state_table("row_exceptions")):
        yield Statement.change(
            table,
            f"UPDATE {table} SET field = CASE field {ids} ELSE field END WHERE code = 'opted_out'",
        )


def _move_omissions(dialect: Dialect) -> Iterator[Statement]:
    """Yield the statements that move the rows sent without an identifier from the rejections to their own table."""
    omissions, rejections = dialect.state_table("omissions"), dialect.state_table("rejections")
    keys = ("account_id", "project", "model", "list_id", "row_key")
    is_moved = " AND ".join(f"o.{key} = r.{key}" for key in keys)
    yield Statement.insert(
        omissions,
        f"INSERT INTO {omissions} SELECT {', '.join(keys)}, field, code, detail, first_run_id FROM {rejections} AS r\n"
        f"WHERE source = 'omitted' AND NOT EXISTS (\n"
        f"  SELECT 1 FROM {omissions} AS o WHERE {is_moved} AND o.identifier = r.field)",
    )
    yield Statement.change(rejections, f"DELETE FROM {rejections} WHERE source = 'omitted'")


def raise_version(dialect: Dialect, version: int) -> Statement:
    """Record that the state has a version now."""
    table = dialect.state_table("meta")
    return Statement.change(table, f"UPDATE {table} SET version = {version}, migrating_to = NULL")
