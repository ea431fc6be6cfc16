from __future__ import annotations

import copy
import pickle
import sys
import traceback
from typing import TYPE_CHECKING

import pytest

from reverse_etl.errors import UsageError

if TYPE_CHECKING:
    from typing import Any

    from reverse_etl.config.target import Target
    from tests.compile.conftest import Folder

SECRET = "pk_0123456789abcdef"
VARIABLE = "DESTINATIONS__KLAVIYO__PRIVATE_API_KEY"


def prod(folder: Folder, extra: str = "", **given: Any) -> Target:
    """Load a target whose destination is Klaviyo itself, with these lines more."""
    lines = "".join(f"\n      {line}" for line in extra.splitlines())
    folder.write(
        {
            "profiles.yml": "shop:\n  outputs:\n    default: {type: duckdb, path: shop.duckdb}\n"
            f"  destinations:\n    default:\n      type: klaviyo{lines}\n"
        }
    )
    return folder.load(**given)


def python(code: str) -> str:
    """Return the line of a profile that runs this Python code as the key's command."""
    return f"private_api_key_command: {[sys.executable, '-c', code]!r}"


@pytest.mark.parametrize(
    ("extra", "environ", "expected"),
    [
        ("private_api_key: \"{{ env_var('K') }}\"", {"K": SECRET, VARIABLE: "pk_other"}, SECRET),
        ("private_api_key: \"{{ env_var('K', '') }}\"", {VARIABLE: SECRET}, SECRET),
        ("", {VARIABLE: SECRET}, SECRET),
        ("private_api_key_file: key.txt", {VARIABLE: SECRET}, SECRET),
        ("private_api_key_file: key.txt", {}, "pk_file"),
        (python("print('pk_command')"), {}, "pk_command"),
    ],
)
def test_the_key_comes_from_profile_environment_file_or_command_in_this_order(
    folder: Folder, extra: str, environ: dict[str, str], expected: str
) -> None:
    """The first that is there is taken; blanks and line ends around it are not."""
    folder.write({"key.txt": "pk_file\n"})
    assert prod(folder, extra, environ=environ).destination.require_key().reveal() == expected


@pytest.mark.parametrize("extra", ["", "private_api_key: \"{{ env_var('K') }}\""])
def test_a_target_loads_without_a_key_and_explains_it_when_needed(folder: Folder, extra: str) -> None:
    destination = prod(folder, extra).destination
    assert destination.key is None
    with pytest.raises(UsageError, match="There is no private key for Klaviyo") as caught:
        destination.require_key()
    (problem,) = caught.value.problems
    line = 7 if extra else 5
    assert problem.where == f"profiles.yml:{line} shop.destinations.default.private_api_key"
    for way in (VARIABLE, "private_api_key_file", "private_api_key_command"):
        assert way in problem.hint


def test_a_file_or_command_is_not_read_before_the_key_is_needed(folder: Folder) -> None:
    """Loading runs nothing; revealing runs the command once."""
    command = "open('ran', 'a').write('x'); print('pk_x')"
    key = prod(folder, python(command)).destination.require_key()
    assert not (folder.path / "ran").exists()
    assert (key.reveal(), key.reveal()) == ("pk_x", "pk_x")
    assert (folder.path / "ran").read_text() == "x"


def test_a_sandbox_takes_a_dummy_key_and_no_other(folder: Folder) -> None:
    """The real key, and the variable that may be missing, are left alone."""
    extra = "sandbox: true\nprivate_api_key: \"{{ env_var('K') }}\"\nprivate_api_key_file: none.txt"
    key = prod(folder, extra, environ={VARIABLE: SECRET}).destination.require_key()
    assert SECRET not in key.reveal()
    assert key.reveal().startswith("pk_sandbox")


def test_a_key_in_plain_text_adds_a_warning(folder: Folder) -> None:
    """It works, and the warning says where it is, but not its text."""
    target = prod(folder, f"private_api_key: {SECRET}")
    assert target.destination.require_key().reveal() == SECRET
    warning = (
        "profiles.yml:7: the private key is written in the file. "
        "Read it from the environment instead, with env_var()."
    )
    assert target.warnings == (warning,)


def test_a_key_is_shown_by_nothing(folder: Folder) -> None:
    """repr, str and the target that holds it show where the key is from; pickle and deep copies fail."""
    target = prod(folder, "private_api_key: \"{{ env_var('K') }}\"", environ={"K": SECRET})
    key = target.destination.require_key()
    key.reveal()
    for text in (repr(key), str(key), f"{key}", repr(target), str(vars(target.destination))):
        assert SECRET not in text
    with pytest.raises(TypeError):
        pickle.dumps(key)
    with pytest.raises(TypeError):
        copy.deepcopy(target.destination)


WRONG = [
    (f"private_api_key: {SECRET}\norigin: 5", "origin must be text"),
    (f"private_api_key: [{SECRET}]", "private_api_key must be text"),
    (f"private_api_key: {SECRET}\nprivate_api_key_file: {SECRET}", "cannot be combined"),
    (f"privat_api_key: {SECRET}", "privat_api_key is not a key"),
    ("private_api_key: \"{{ {}[env_var('K')] }}\"", "cannot be rendered"),
    ("private_api_key: \"{{ env_var('K') + 1 }}\"", "Can only concatenate str"),
    ("lists: {vip: \"{{ env_var('K') }} \"}", "lists.vip is not a list id"),
    ("api_revision: \"{{ env_var('K') }}\"", "not a revision"),
    ("origin: \"{{ env_var('K') }}\"", "origin is not an address"),
    ("job_timeout_minutes: \"{{ env_var('K') }}\"", "must be a whole number"),
]


@pytest.mark.parametrize(("extra", "match"), WRONG)
def test_no_error_of_the_profile_holds_the_key(folder: Folder, extra: str, match: str) -> None:
    with pytest.raises(UsageError, match=match) as caught:
        prod(folder, extra, environ={"K": SECRET})
    assert SECRET not in repr(caught.value.problems)
    assert SECRET not in "".join(traceback.format_exception(caught.value))


@pytest.mark.parametrize(
    ("code", "what"),
    [
        ("import sys; sys.exit('no such entry')", "exit code 1; it printed: no such entry."),
        (
            f"import sys; print('{SECRET}'); sys.exit('{SECRET}')",
            "exit code 1; its error output is not shown, since it may contain the key.",
        ),
        (
            "import sys; print('hunter2'); sys.exit('tried hunter2')",
            "exit code 1; its error output is not shown, since it may contain the key.",
        ),
    ],
)
def test_a_command_that_fails_is_quoted_unless_it_may_show_the_key(
    folder: Folder, code: str, what: str
) -> None:
    """Its last words help, as long as they hold no secret."""
    key = prod(folder, python(code)).destination.require_key()
    with pytest.raises(UsageError) as caught:
        key.reveal()
    (problem,) = caught.value.problems
    assert problem.summary == f"The private key cannot be read from the command {sys.executable}: {what}"


@pytest.mark.parametrize(
    ("extra", "what"),
    [
        ("private_api_key_command: [no-such-command-here]", "no such file or directory."),
        ("private_api_key_file: none.txt", "cannot be read: No such file or directory."),
        (
            "private_api_key_file: empty.txt",
            "The private key from the file empty.txt is empty.",
        ),
        (
            "private_api_key_file: two.txt",
            "The private key from the file two.txt has invalid characters.",
        ),
    ],
)
def test_an_invalid_key_is_refused(folder: Folder, extra: str, what: str) -> None:
    folder.write({"empty.txt": " \n", "two.txt": f"{SECRET}\n{SECRET}\n"})
    with pytest.raises(UsageError) as caught:
        prod(folder, extra).destination.require_key().reveal()
    (problem,) = caught.value.problems
    assert problem.summary.endswith(what)
    assert SECRET not in problem.summary + problem.hint
