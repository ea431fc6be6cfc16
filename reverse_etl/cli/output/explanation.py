"""The answer of `explain`, as lines and as JSON; docs/cli.md describes its keys."""

from __future__ import annotations

import json
import shlex
from typing import TYPE_CHECKING, Any

from reverse_etl.delivery.outcomes import Outcome
from reverse_etl.domain.identifiers import IdentifierType, row_key_text
from reverse_etl.domain.rejections import RowProblem
from reverse_etl.domain.timestamps import format_timestamp
from reverse_etl.report.document import reason_document
from reverse_etl.report.explanation import format_short_time

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from reverse_etl.domain.rejections import RejectionReason
    from reverse_etl.report.explanation import (
        AppliedRow,
        Explanation,
        ListExplanation,
        Membership,
        ModelRow,
        PersonQuery,
        ShownConsent,
    )
    from reverse_etl.state.journal import JournalRow

_WIDTH = 10  # of the words in front of a line
_NO_LATER_CHANGES = (
    "Later changes, with their runs and jobs, are kept in a journal only (destination: journal: 90d)."
)
_OTHER_THAN_IDS = frozenset({IdentifierType.EMAIL, IdentifierType.PHONE})
_PROFILE_ID_ADVICE = (
    "A profile id is found only in models that send it: ask by the profile's e-mail, phone or external id."
)
_HIDDEN = "the row has no id, and may be that of somebody who had the e-mail or phone before"
_LOST_ID = "the model's row has lost the id that was sent, and may be somebody else's"
_OTHER_IDENTIFIERS = "Ask by the person's other identifiers, too."
_NO_JOURNAL = " To know which from now on, add to the destination: journal: 90d"


def explanation_lines(explanation: Explanation) -> Iterator[str]:
    """Yield the lines of an explanation, an empty line between two lists."""
    text = explanation.query.text
    if not explanation.is_known:
        yield from _unknown_lines(explanation)
    for number, list_explanation in enumerate(explanation.lists):
        yield f"{'' if number == 0 else chr(10)}{_heading(list_explanation)}"
        if list_explanation.found_by:
            text = f"{list_explanation.found_by}, which is the person's in another model"
            yield f"  {'found by':<{_WIDTH}} {text}"
        yield from (
            f"  {label:<{_WIDTH}} {line}" for label, line in _list_lines(list_explanation, explanation.query)
        )
    yield from _other_models_lines(explanation)
    if explanation.journal is None and any(item.sent for item in explanation.lists):
        yield f"\n{_NO_LATER_CHANGES}"
    if explanation.journal:
        yield f"\nJournal, newest first{_hidden_values_text(explanation.journal)}"
        has_several_rows = len({row.identity for row in explanation.journal}) > 1
        yield from (f"  {_journal_line(row, shows_row=has_several_rows)}" for row in explanation.journal)
    if explanation.profiles is not None:
        profiles_text = (
            ", ".join(f"the profile {profile}" for profile in explanation.profiles) or "no profile"
        )
        yield f"\nKlaviyo shows {profiles_text} for {text}."
        for shown in explanation.consents:
            whose = f" of {shown.profile_id}" if len(explanation.profiles) > 1 else ""
            yield f"  {shown.channel:<{_WIDTH}} {shown.describe()}{whose}"
        if explanation.consent_fault:
            yield f"  {'consent':<{_WIDTH}} could not be read. {explanation.consent_fault}"


def _other_models_lines(explanation: Explanation) -> Iterator[str]:
    """Yield which models know nothing of the person, and which could not be searched."""
    if explanation.is_known and explanation.other_models:
        yield f"\nNo row, and nothing applied, in: {', '.join(explanation.other_models)}"
    if explanation.models_without_identifier:
        names = ", ".join(explanation.models_without_identifier)
        yield f"\nNot searched, since the rows have no such identifier: {names}. {_OTHER_IDENTIFIERS}"
    if explanation.models_without_people:
        yield f"\nNot searched, since the rows have no person: {', '.join(explanation.models_without_people)}"


def _unknown_lines(explanation: Explanation) -> Iterator[str]:
    """Yield that no row is known, and how to ask about a profile whose id no model sends."""
    where = " on the chosen lists" if explanation.are_lists_chosen else ""
    models = "searched model" if explanation.models_without_people else "model"
    yield (
        f"No {models} has a row of {explanation.query.text}{where}, and no applied row is on record"
        f"{_absence_text(explanation.journal)}"
    )
    if _OTHER_THAN_IDS.isdisjoint(explanation.query.values) and not explanation.models_without_identifier:
        yield _PROFILE_ID_ADVICE


def _absence_text(journal: Sequence[JournalRow] | None) -> str:
    """Return why no applied row is on record, as far as the journal tells."""
    if not journal:
        advice = _NO_JOURNAL if journal is None else ""
        return f": nothing was sent for it, or it was taken back.{advice}"
    newest = {(row.model, row.list_id): row for row in reversed(journal)}
    removals = [
        f" Removed from {row.list_name or row.list_id or row.model} by run {row.run_id}."
        for row in newest.values()
        if row.outcome == Outcome.REMOVED
    ]
    replacements = [
        f" Run {row.run_id} replaced the row by {row.replaced_by}." for row in journal if row.replaced_by
    ]
    return f".{''.join((*removals, *replacements))}"


def _heading(list_explanation: ListExplanation) -> str:
    deleted = " (deleted model)" if list_explanation.is_model_deleted else ""
    model = f"{list_explanation.model}{deleted}"
    if not list_explanation.list_name:
        return model
    list_id = f" ({list_explanation.list_id})" if list_explanation.list_id else ""
    return f"{model}, list {list_explanation.list_name}{list_id}"


def _list_lines(list_explanation: ListExplanation, query: PersonQuery) -> Iterator[tuple[str, str]]:
    for row in list_explanation.rows:
        yield "in model", _row_line(row)
        if row.rejection is not None:
            reason = row.rejection.describe().removeprefix("opted out: ")
            yield _rejection_label(row.rejection), f"{reason}{_duplicate_advice(row, query)}"
        for reason in row.omitted_because:
            yield "omitted", reason
    if not list_explanation.rows:
        yield "in model", "no row"
    for sent in list_explanation.sent:
        yield "sent", _sent_line(sent, list_explanation.rows)
    if list_explanation.is_sent_for_another or not list_explanation.sent:
        yield "sent", _unsent_text(list_explanation)
    for change in list_explanation.open_changes:
        yield "open", list_explanation.describe_open(change)
    if list_explanation.removal_not_found_at:
        yield (
            "not found",
            f"a removal on {format_short_time(list_explanation.removal_not_found_at)} found nobody",
        )
    yield "next run", list_explanation.describe_next_run()
    for membership in list_explanation.memberships or ():
        yield "Klaviyo", _membership_line(membership)
    yield from _missing_lines(list_explanation)


def _unsent_text(list_explanation: ListExplanation) -> str:
    """Return why there is no applied row; one that was taken back leaves no trace in the state."""
    if list_explanation.is_sent_for_another:
        return "for another person, who had the e-mail or phone before"
    if list_explanation.open_changes:
        return "not proved yet"
    if any(row.rejection and row.rejection.is_by_klaviyo for row in list_explanation.rows):
        return "nothing: Klaviyo refused the row"
    return "nothing: never sent, or taken back since"


def _duplicate_advice(row: ModelRow, query: PersonQuery) -> str:
    """Return how to see all rows of the person, if the text need not be in each of those that conflict."""
    if row.rejection is None or row.rejection.code != RowProblem.DUPLICATE or not row.identity:
        return ""
    kind, _, value = row.identity.partition(":")
    if kind not in row.identifiers or value in query.values.values():
        return ""
    return f"; to see the rows: reverse-etl explain {shlex.quote(value)}"


def _missing_lines(list_explanation: ListExplanation) -> Iterator[tuple[str, str]]:
    if list_explanation.is_missing:
        command = f"reverse-etl reconcile --resend --select {list_explanation.model}"
        yield "missing", f"the person left the list after the row was applied. To send it again: {command}"


def _rejection_label(reason: RejectionReason) -> str:
    if reason.code == RowProblem.WITHHELD:
        return "withheld"
    return "opted out" if reason.is_opt_out else "rejected"


def _row_line(row: ModelRow) -> str:
    return _pairs({**row.identifiers, **row.values})


def _sent_line(sent: AppliedRow, rows: Sequence[ModelRow]) -> str:
    values = _pairs({**sent.identifiers, **sent.values})
    if values in map(_row_line, rows):
        values = "these values"
    job = f", job {sent.first_job_id}" if sent.first_job_id else ""
    evidence = f" (run {sent.first_run_id}{job})" if sent.first_run_id else ""
    if sent.are_values_hidden:
        values = f"not shown: {_LOST_ID if sent.has_lost_id else _HIDDEN}"
    since = f"since {format_short_time(sent.first_sent_at)}{evidence}, now " if sent.first_sent_at else ""
    return f"{since}{values}"


def _membership_line(membership: Membership) -> str:
    if membership.joined_at is None:
        return f"profile {membership.profile_id} is not on the list"
    return f"profile {membership.profile_id} is on the list since {format_short_time(membership.joined_at)}"


def _hidden_values_text(journal: Sequence[JournalRow]) -> str:
    """Return why changes have no values, '' if they have."""
    hides = any(row.pii != "values" and json.loads(row.changes) for row in journal)
    return "; the values of changes are kept only with pii: values" if hides else ""


def _journal_line(row: JournalRow, *, shows_row: bool) -> str:
    """Return what came of a row. A hashed row key says nothing to people."""
    where = f"{row.model}, list {row.list_name or row.list_id}" if row.list_id else row.model
    if shows_row and row.pii == "values":
        where += f", {row_key_text(row.identity)}"
    code = f" ({row.code})" if row.code and row.code != row.outcome else ""
    outcome = f"{row.op}: {row.outcome.replace('_', ' ')}{code}"
    if row.outcome == Outcome.REPLACED:
        outcome += f" by {row.replaced_by or 'another row of the same person'}"
    show = _change_text if row.pii == "values" else _column_name
    changes = ", ".join(map(show, json.loads(row.changes)))
    changed = f"; changed: {changes}" if changes else ""
    evidence = f"run {row.run_id}" + (f", job {row.job_id}" if row.job_id else "")
    return f"{format_short_time(row.recorded_at)}  {where}  {outcome}{changed} ({evidence})"


def _change_text(change: Mapping[str, Any]) -> str:
    """Return a change with its values; without the value before if that may be another person's."""
    values = {
        key: "NULL" if change[key] is None else change[key] for key in ("before", "after") if key in change
    }
    if "after" not in values:
        return str(change["column"])
    before = f" {values['before']}" if "before" in values else ""
    return f"{change['column']}{before} → {values['after']}"


def _column_name(change: Mapping[str, Any]) -> str:
    return str(change["column"])


def _pairs(values: Mapping[str, Any]) -> str:
    return ", ".join(f"{name.lower()} {value}" for name, value in values.items() if value is not None)


def explanation_document(explanation: Explanation) -> dict[str, Any]:
    """Return an explanation as plain values, with the person's values unmasked."""
    return {
        "person": explanation.query.text,
        "lists": [_list_document(list_explanation) for list_explanation in explanation.lists],
        "journal": None
        if explanation.journal is None
        else [_journal_document(row) for row in explanation.journal],
        "other_models": list(explanation.other_models),
        "models_without_identifier": list(explanation.models_without_identifier),
        "klaviyo_profiles": None if explanation.profiles is None else list(explanation.profiles),
        "klaviyo_consents": None
        if explanation.profiles is None or explanation.consent_fault
        else [_consent_document(shown) for shown in explanation.consents],
    }


def _journal_document(row: JournalRow) -> dict[str, Any]:
    return {
        "run_id": row.run_id,
        "model": row.model,
        "list_id": row.list_id,
        "list": row.list_name,
        "identity": row.identity,
        "op": row.op,
        "outcome": row.outcome,
        "code": row.code,
        "replaced_by": row.replaced_by or None,
        "recorded_at": row.recorded_at,
        "job_id": row.job_id,
        "pii": row.pii,
        "changes": json.loads(row.changes),
    }


def _consent_document(shown: ShownConsent) -> dict[str, Any]:
    consent = shown.consent
    return {
        "profile_id": shown.profile_id,
        "channel": shown.channel.value,
        "status": consent.status.value,
        "changed_at": format_timestamp(consent.changed_at) if consent.changed_at else None,
        "suppressed_because": sorted({suppression.reason for suppression in consent.suppressions}),
    }


def _list_document(list_explanation: ListExplanation) -> dict[str, Any]:
    memberships = list_explanation.memberships
    return {
        "model": list_explanation.model,
        "list_id": list_explanation.list_id,
        "list": list_explanation.list_name,
        "model_deleted": list_explanation.is_model_deleted,
        "found_by": list_explanation.found_by or None,
        "rows": [
            {
                "identity": row.identity,
                "identifiers": dict(row.identifiers),
                "values": dict(row.values),
                "rejection": reason_document(row.rejection) if row.rejection else None,
                "rejected_because": row.rejection.describe() if row.rejection else None,
                "omitted": list(row.omitted),
                "omitted_because": list(row.omitted_because),
            }
            for row in list_explanation.rows
        ],
        "sent": [
            {
                "identity": sent.identity,
                "identifiers": dict(sent.identifiers),
                "values": None if sent.are_values_hidden else dict(sent.values),
                "first_sent_at": sent.first_sent_at,
                "first_run_id": sent.first_run_id or None,
                "first_job_id": sent.first_job_id or None,
            }
            for sent in list_explanation.sent
        ],
        "sent_for_another": list_explanation.is_sent_for_another,
        "open_changes": [
            {
                "run_id": change.run_id,
                "op": change.op,
                "state": change.state or None,
                "job_id": change.job_id,
                "detail": change.detail,
            }
            for change in list_explanation.open_changes
        ],
        "planned": list_explanation.planned_op or None,
        "next_run": list_explanation.describe_next_run(),
        "stop_reason": list_explanation.stop_reason,
        "removal_not_found_at": list_explanation.removal_not_found_at,
        "memberships": None
        if memberships is None
        else [{"profile_id": entry.profile_id, "joined_at": entry.joined_at} for entry in memberships],
    }
