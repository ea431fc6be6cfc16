"""The probe finds out which behaviour an account has, tried on a sandbox that has either."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from reverse_etl.sandbox import Fault, FaultKind
from tests.live import probe as program
from tests.live.account import LiveAccount, SettingsError, read_settings
from tests.live.conftest import sandbox_settings
from tests.live.questions import QUESTIONS

if TYPE_CHECKING:
    from pathlib import Path

    from reverse_etl.sandbox import Sandbox
    from tests.clocks import QuickClock


@pytest.fixture
def opened(sandbox: Sandbox, clock: QuickClock) -> LiveAccount:
    """Return the sandbox as a test account that the test closes."""
    return LiveAccount(sandbox_settings(sandbox), clock)


def test_every_question_has_an_answer(opened: LiveAccount, sandbox: Sandbox) -> None:
    """Afterwards nothing is left that can be deleted."""
    answers = dict(program.probe(opened))
    assert [*answers] == [*QUESTIONS]
    assert {title: answer for title, answer in answers.items() if answer.startswith("no answer")} == {}
    opened.close()
    sandbox.finish_jobs()
    assert opened.left == []
    assert (sandbox.lists(), sandbox.profiles()) == ([], [])


@pytest.mark.parametrize(
    ("title", "rules", "answer"),
    [
        ("unset in a bulk import", {"patches": "obey"}, "obeyed"),
        ("unset in a bulk import", {"patches": "ignore"}, "ignored"),
        ("a stored event's id in a bulk request", {"bulk_repeats": "ignore"}, "the repeat is dropped"),
        ("a stored event's id in a bulk request", {"bulk_repeats": "refuse"}, "the whole request is refused"),
        ("errors of an import", {"invalid_phones": "refuse"}, "a wrong phone refuses the request"),
        ("errors of an import", {"invalid_phones": "drop"}, "a wrong phone is dropped without an error"),
        ("suppressing an unknown address makes a profile", {"suppression_creates": True}, "yes"),
        ("suppressing an unknown address makes a profile", {"suppression_creates": False}, "no, not within"),
        ("null in a bulk import", {}, "a field is kept, a property is kept"),
        ("a filter of more than 100 values", {}, "refused: 400"),
        ("deletion", {"deletion_seconds": 1_000.0}, "not deleted after six minutes"),
    ],
)
def test_an_answer_is_that_of_the_account(
    opened: LiveAccount, sandbox: Sandbox, title: str, rules: dict[str, Any], answer: str
) -> None:
    sandbox.change_rules(**rules)
    assert dict(program.probe(opened, {title: QUESTIONS[title]}))[title].startswith(answer)


def test_a_question_that_fails_stops_no_other(opened: LiveAccount, sandbox: Sandbox) -> None:
    """Its answer is the reason. Things that cannot be deleted are named in the end."""
    sandbox.add_fault(Fault(FaultKind.STATUS, "POST", "/api/events", times=1, status=500))
    chosen = ("unique_id readable in an event", "a filter of more than 100 values")
    answers = dict(program.probe(opened, {title: QUESTIONS[title] for title in chosen}))
    assert answers[chosen[0]].startswith("no answer: POST /api/events: 500")
    assert answers[chosen[1]].startswith("refused")
    opened.new_list("stays")
    sandbox.add_fault(Fault(FaultKind.STATUS, "DELETE", "/api/lists/*", times=1, status=500))
    opened.close()
    assert len(opened.left) == 1


def test_the_key_of_another_account_is_refused(
    sandbox: Sandbox, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Nothing is written into an account that the settings do not name."""
    path = tmp_path / "klaviyo.env"
    path.write_text(
        f"# test\nKLAVIYO_PRIVATE_KEY=pk_test\nKLAVIYO_ACCOUNT_ID=Other1\n"
        f"KLAVIYO_TEST_EMAIL=you@example.com\nKLAVIYO_ORIGIN={sandbox.origin}\n"
    )
    assert program.main(path) == 2
    error = capsys.readouterr().err
    assert f"The key is that of account {sandbox.account_id}, and KLAVIYO_ACCOUNT_ID is Other1" in error
    assert "pk_test" not in error
    assert all(entry.method == "GET" for entry in sandbox.log())


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("KLAVIYO_PRIVATE_KEY=a\nKLAVIYO_ACCOUNT_ID=b\n", "KLAVIYO_TEST_EMAIL missing"),
        ("KEY=a\n", "klaviyo.env:1: a line is NAME=value"),
        (
            "KLAVIYO_PRIVATE_KEY=a\nKLAVIYO_ACCOUNT_ID=b\nKLAVIYO_TEST_EMAIL=nobody\n",
            "KLAVIYO_TEST_EMAIL is no address",
        ),
    ],
)
def test_settings_that_do_not_fit_are_explained(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "klaviyo.env"
    path.write_text(text)
    with pytest.raises(SettingsError, match=message):
        read_settings(path)
