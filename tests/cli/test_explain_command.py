"""`explain` on the command line: one screen for a person, JSON for a program."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from reverse_etl.cli.output.explanation import explanation_document, explanation_lines
from reverse_etl.delivery.outcomes import Outcome
from reverse_etl.domain.deltas import Op
from reverse_etl.domain.identifiers import IdentifierType
from reverse_etl.domain.receipts import ReceiptState
from reverse_etl.domain.rejections import (
    OPTED_OUT,
    UNDELIVERABLE,
    UNENCODABLE,
    OptOut,
    RejectionReason,
    RejectionSource,
    RowProblem,
)
from reverse_etl.domain.timestamps import parse_timestamp
from reverse_etl.klaviyo.consents import Channel, Consent, ConsentStatus, Suppression
from reverse_etl.report.explanation import (
    AppliedRow,
    Explanation,
    ListExplanation,
    Membership,
    ModelRow,
    OpenChange,
    ShownConsent,
    parse_query,
)
from reverse_etl.report.held_rows import HeldRow, OtherRow, PlanHold
from reverse_etl.state.consents import ConsentState
from reverse_etl.state.journal import JournalRow

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.cli.command_line import CommandLine
    from tests.gold import Gold

COUPONS = """{{ config(
    surface='request',
    unique_key=['email'],
    request={'method': 'POST', 'path': '/api/coupons', 'body': '{"data": {{ email }}}'},
) }}
select email from {{ ref('customers') }}"""

GOLD = Path(__file__).parent / "gold" / "documents"
DOCUMENT = Path(__file__).parents[2] / "docs" / "cli.md"
TIME = "2026-11-22T06:00:00.000Z"
ANN = {"email": "ann@example.com"}


def _held_by(identity: str, identifiers: Mapping[str, str]) -> HeldRow:
    """Return a removal of Ann's row that a row with the same e-mail holds."""
    other = OtherRow(identity, identifiers, IdentifierType.EMAIL)
    return HeldRow("vip", "L1", "VIP", "email:ann@example.com", ANN, PlanHold.REJECTED_ROW, other=other)


EXPLANATION = Explanation(
    parse_query("ann@example.com"),
    (
        ListExplanation(
            "vip",
            "L1",
            "VIP",
            is_append_only=False,
            rows=(
                ModelRow(
                    "email:ann@example.com",
                    ANN,
                    {"tier": "gold"},
                    omitted=("external_id",),
                    omitted_because=("sent without external_id: several rows of the model have it",),
                ),
            ),
            sent=(AppliedRow("email:ann@example.com", ANN, {"tier": "silver"}, TIME, "r0", "j0"),),
            open_changes=(OpenChange("r1", "update", "accepted", "j1"), OpenChange("r2", "update", "")),
            planned_op="update",
            changes={"tier": ("silver", "gold")},
            memberships=(Membership("01A", TIME), Membership("01B", None)),
        ),
        ListExplanation(
            "newsletter",
            "L2",
            "News",
            is_append_only=False,
            sent=(AppliedRow("email:ann@example.com", ANN, {}, None),),
            planned_op="held",
            hold=_held_by("external_id:17", {"external_id": "17"}),
            removal_not_found_at=TIME,
        ),
        ListExplanation(
            "everybody",
            "",
            "",
            is_append_only=False,
            rows=(
                ModelRow(
                    "email:ann@example.com",
                    ANN,
                    {},
                    RejectionReason(RejectionSource.KLAVIYO, "invalid", "email", "It is refused."),
                ),
            ),
        ),
    ),
    ("tea",),
    ("01A", "01B"),
    consents=(
        ShownConsent(
            "01A",
            Channel.EMAIL,
            Consent(
                ConsentStatus.UNSUBSCRIBED,
                changed_at=parse_timestamp(TIME),
                suppressions=(
                    Suppression("USER_SUPPRESSED", parse_timestamp(TIME)),
                    Suppression("UNSUBSCRIBE", None, "L1"),
                ),
            ),
        ),
        ShownConsent("01B", Channel.SMS, Consent(ConsentStatus.NEVER_SUBSCRIBED)),
    ),
)


def test_an_explanation_is_one_screen(gold: Gold) -> None:
    gold.check(GOLD / "explain.txt", "\n".join(explanation_lines(EXPLANATION)) + "\n")


def test_the_json_of_explain_stays(gold: Gold) -> None:
    gold.check(GOLD / "explain.json", json.dumps(explanation_document(EXPLANATION), indent=1) + "\n")


def test_the_document_names_every_key() -> None:
    """The keys inside a list follow its name."""
    section = DOCUMENT.read_text(encoding="utf-8").partition("## What `explain --json` says")[2]
    section = section.partition("\n## ")[0]
    named = set(re.findall(r"[.`]([a-z_]+)[`\[]", section))

    def keys(value: Any) -> set[str]:
        if isinstance(value, list):
            return {key for item in value for key in keys(item)}
        if not isinstance(value, dict):
            return set()
        return value.keys() | {
            key for name, item in value.items() if name not in {"identifiers", "values"} for key in keys(item)
        }

    assert keys(explanation_document(EXPLANATION)) <= named


@pytest.mark.parametrize("ask", [False, True])
def test_a_person_is_explained_before_and_after_a_run(cli: CommandLine, *, ask: bool) -> None:
    """Nothing is written, neither by the plan nor by the look-up."""
    sandbox = cli.klaviyo()
    flags = ["--ask-klaviyo"] if ask else []
    before = cli.run("explain", "P1@example.com", *flags)
    assert "  next run   sends the row: it is new, or a run could not finish it" in before.out
    assert before.code == 0
    assert all(entry.method == "GET" for entry in sandbox.log())
    cli.run("run")
    after = cli.run("explain", "p1@example.com", "--list", "VIP", *flags)
    assert after.out.startswith("vip, list VIP (")
    assert "  next run   nothing: the row is unchanged" in after.out
    assert ("is on the list since" in after.out) == ask
    assert "p2@example.com" not in after.out


def test_a_person_nobody_knows_is_said_so(cli: CommandLine) -> None:
    cli.klaviyo()
    ended = cli.run("explain", "nobody@example.com")
    assert ended.code == 0
    assert ended.out == (
        "No model has a row of nobody@example.com, and no applied row is on record: nothing was sent for it, "
        "or it was taken back. To know which from now on, add to the destination: journal: 90d"
    )
    advice = "Ask by the person's other identifiers, too."
    assert cli.run("explain", "01JPROFILE").out.splitlines()[1:] == [
        "",
        f"Not searched, since the rows have no such identifier: vip. {advice}",
    ]
    ids = {"email": "email", "external_id": "id"}
    cli.model("vip", "select email, email as id from {{ ref('customers') }}", list="VIP", identifiers=ids)
    (advice,) = cli.run("explain", "01JPROFILE").out.splitlines()[1:]
    assert advice.startswith("A profile id is found only in models that send it: ask by the profile's e-mail")
    document = json.loads(cli.run("explain", "nobody@example.com", "--json").out)
    assert (document["lists"], document["other_models"], document["klaviyo_profiles"]) == ([], ["vip"], None)


@pytest.mark.parametrize(
    ("pii", "changes", "heading"),
    [
        ("values", '[{"column": "tier", "before": "silver", "after": "gold"}]', "Journal, newest first"),
        ("hashed", "[]", "Journal, newest first"),
        (
            "hashed",
            '[{"column": "tier"}]',
            "Journal, newest first; the values of changes are kept only with pii: values",
        ),
    ],
)
def test_the_journal_says_why_it_has_no_values(pii: str, changes: str, heading: str) -> None:
    row = JournalRow("r1", "vip", "L1", "update", "applied", None, "2026-11-30T20:00:00Z", pii, changes)
    lines = [*explanation_lines(replace(EXPLANATION, journal=(row,)))]
    assert f"\n{heading}" in lines


def test_the_journal_says_which_row_had_a_change_if_there_were_several() -> None:
    ann, old = (
        JournalRow(
            "r1", "vip", "", "add", "applied", None, "2026-11-30T20:00:00Z", "values", "[]", identity=key
        )
        for key in ("email:ann@example.com", "email:old@example.com")
    )
    lines = "\n".join(explanation_lines(replace(EXPLANATION, journal=(ann, old))))
    assert "vip, ann@example.com  add: applied" in lines
    assert "vip, old@example.com  add: applied" in lines
    assert "vip  add: applied" in "\n".join(explanation_lines(replace(EXPLANATION, journal=(ann, ann))))


def test_models_without_people_are_named_as_not_searched(cli: CommandLine) -> None:
    cli.klaviyo()
    cli.write("models/coupons.sql", COUPONS)
    ended = cli.run("explain", "p1@example.com")
    assert "No row" not in ended.out
    assert ended.out.endswith("Not searched, since the rows have no person: coupons")
    assert cli.run("explain", "SPRING").out.startswith("No searched model has a row of SPRING, ")


def test_a_person_on_another_list_is_not_called_unknown(cli: CommandLine) -> None:
    """`--list` hides what is known of other lists, and says nothing about them."""
    cli.klaviyo()
    cli.model("tea", "select email from {{ ref('customers') }} where email like 'p1@%'", list="Tea")
    chosen = cli.run("explain", "p1@example.com", "--list", "Tea")
    assert chosen.out.startswith("tea, list Tea")
    assert "No row" not in chosen.out
    elsewhere = cli.run("explain", "p2@example.com", "--list", "Tea")
    assert elsewhere.out == (
        "No model has a row of p2@example.com on the chosen lists, and no applied row is on record: nothing "
        "was sent for it, or it was taken back. To know which from now on, add to the "
        "destination: journal: 90d"
    )


def test_a_list_that_no_model_has_is_an_error(cli: CommandLine) -> None:
    cli.klaviyo()
    ended = cli.run("explain", "p1@example.com", "--list", "Vip")
    assert ended.code == 2
    assert "No model has the list 'Vip'." in ended.err
    assert "Available: VIP." in ended.err


def test_a_model_that_does_not_exist_is_an_error(cli: CommandLine) -> None:
    cli.klaviyo()
    ended = cli.run("explain", "p1@example.com", "--model", "vipp")
    assert ended.code == 2
    assert "vipp" in ended.err


def test_a_withheld_person_is_not_called_rejected() -> None:
    """A model of deletions has a row of them: no other model sends them."""
    withheld = RejectionReason(RejectionSource.CHECK, "withheld")
    explained = ListExplanation(
        "vip", "L1", "VIP", is_append_only=False, rows=(ModelRow("email:ann@example.com", ANN, {}, withheld),)
    )
    lines = [*explanation_lines(Explanation(parse_query("ann@example.com"), (explained,), ()))]
    assert [line.split()[0] for line in lines] == ["vip,", "in", "withheld", "sent", "next"]
    assert lines[-1].endswith("nothing: the person is withheld, because a model of the project deletes them")


def test_a_row_that_conflicts_says_how_to_see_the_others() -> None:
    """A row found by an id conflicts with rows that may have another id."""
    reason = RejectionReason(RejectionSource.CHECK, RowProblem.DUPLICATE, detail="external_id")
    row = ModelRow("email:ann@example.com", ANN | {"external_id": "c1"}, {}, reason)
    explained = ListExplanation("vip", "L1", "VIP", is_append_only=False, rows=(row,))
    advice = "; to see the rows: reverse-etl explain ann@example.com"
    for text, is_advised in (("c1", True), ("Ann@example.com", False)):
        lines = [*explanation_lines(Explanation(parse_query(text), (explained,), ()))]
        assert any(line.endswith(f"they differ in external_id{advice}") for line in lines) == is_advised


REFUSALS = ("invalid", UNDELIVERABLE, UNENCODABLE)
REASONS = [
    *(RejectionReason(RejectionSource.CHECK, problem, detail="city") for problem in RowProblem),
    RejectionReason(RejectionSource.CHECK, RowProblem.STILL_REJECTED, OPTED_OUT),
    *(RejectionReason(RejectionSource.KLAVIYO, OPTED_OUT, opt_out) for opt_out in OptOut),
    *(RejectionReason(RejectionSource.KLAVIYO, code, "email", "is refused.") for code in REFUSALS),
]
ROW, SENT = ModelRow("email:ann@example.com", ANN, {}), AppliedRow("email:ann@example.com", ANN, {}, TIME)
HAS_ROW: dict[str, Any] = {"rows": (ROW,)}
UNCHANGED: dict[str, Any] = {"rows": (ROW,), "sent": (SENT,)}
LEFT: dict[str, Any] = {"sent": (SENT,)}


def _open(state: str, op: str = "add") -> dict[str, Any]:
    return {"open_changes": (OpenChange("r1", op, state, "j1"),), "planned_op": op}


def _rejected(code: str, field: str = "") -> dict[str, Any]:
    return {"rows": (replace(ROW, rejection=RejectionReason(RejectionSource.KLAVIYO, code, field)),)}


NEVER_PLANNED = {Op.CLEAR, Op.SUBSCRIBE}  # of receipts: their rows are planned as adds and updates
# The facts of a person after each outcome, as the state and the plan have them.
AFTER: dict[Outcome, dict[str, Any]] = {
    Outcome.APPLIED: UNCHANGED,
    Outcome.UNVERIFIED: HAS_ROW | _open("unknown"),
    Outcome.NO_PROFILE: HAS_ROW | {"no_profile_at": TIME, "looks_again_at": TIME},
    Outcome.REJECTED: _rejected("invalid", "email"),
    Outcome.OPTED_OUT: _rejected(OPTED_OUT, OptOut.UNSUBSCRIBED),
    Outcome.PENDING: UNCHANGED | {"consent": ConsentState.PENDING},
    Outcome.ACCEPTED: HAS_ROW | _open("accepted"),
    Outcome.UNKNOWN: HAS_ROW | _open("unknown"),
    Outcome.NOT_SENT: HAS_ROW | _open("not_sent"),
    Outcome.REMOVED: {},
    Outcome.REPLACED: {},
    Outcome.UNMANAGED: {},
    Outcome.NOT_FOUND: {"removal_not_found_at": TIME},
    Outcome.LEFT_IN_PLACE: {},
    Outcome.READMITTED: UNCHANGED | {"deletes_people": True, "is_readmitted": True},
    Outcome.HELD: LEFT | {"planned_op": Op.HELD, "hold": _held_by("email:bob@example.com", {})},
}


def _lines(**facts: Any) -> list[str]:
    """Return the lines of an answer; neither they nor its JSON may have the value of another person."""
    listed = ListExplanation("vip", "L1", "VIP", is_append_only=False, **facts)
    known = (listed,) if listed.is_known else ()
    explanation = Explanation(parse_query("ann@example.com"), known, ())
    lines = [*explanation_lines(explanation)]
    assert "bob@" not in json.dumps([lines, explanation_document(explanation)])
    return lines


def test_each_reason_outcome_and_operation_has_an_answer(gold: Gold) -> None:
    """A new member of an enum changes the gold file, or has no entry in a table: it has to be answered."""
    cases: dict[str, list[str]] = {
        **{
            f"reason {reason.code} {reason.field}".strip(): _lines(rows=(replace(ROW, rejection=reason),))
            for reason in REASONS
        },
        **{f"outcome {outcome}": _lines(**AFTER[outcome]) for outcome in Outcome},
        **{f"consent {consent}": _lines(**UNCHANGED, consent=consent) for consent in ConsentState},
        **{f"receipt {state}": _lines(**HAS_ROW, **_open(state)) for state in (*ReceiptState, "")},
        **{f"planned {op}": _lines(**UNCHANGED, planned_op=op) for op in Op if op not in NEVER_PLANNED},
        "on no list": _lines(**UNCHANGED, memberships=(Membership("01A", None),)),
        "on the list": _lines(**UNCHANGED, memberships=(Membership("01A", TIME),)),
    }
    text = "\n\n".join("\n".join([f"# {name}", *lines]) for name, lines in cases.items())
    gold.check(GOLD / "explain_cases.txt", text + "\n")
