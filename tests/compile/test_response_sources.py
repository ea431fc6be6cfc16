"""Kept responses in models: which there are, and that a model reads nothing else of the state."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from reverse_etl.errors import ModelError
from tests.compile.test_key_in_models import ENVIRON, OWN_VARIABLE, PROFILES

if TYPE_CHECKING:
    from tests.compile.conftest import Folder

REQUEST = "{'method': 'POST', 'path': '/api/tags', 'body': '{\"name\": {{ name }}}'}"
READER = "{{ config(surface='profiles') }}\nselect owner as email\nfrom {{ source('reverse_etl', 'tags') }}"


def write(folder: Folder, settings: str, reader: str = READER) -> None:
    """Write a project of a model of requests and of one that reads its responses."""
    folder.write(
        {
            "profiles.yml": PROFILES % OWN_VARIABLE,
            "models/tags.sql": (
                f"{{{{ config(surface='request', unique_key=['name'], request={REQUEST}{settings}) }}}}\n"
                "select 'a' as name"
            ),
            "models/reader.sql": reader,
        }
    )


def refusal(folder: Folder) -> str:
    """Return why the project does not compile."""
    with pytest.raises(ModelError) as raised:
        folder.compile(environ=ENVIRON)
    return "\n".join(f"{problem.where}: {problem.summary}" for problem in raised.value.problems)


def test_a_model_names_no_table_of_the_state(folder: Folder) -> None:
    """The name is that of a query that is put before the model's when it is run. dbt knows nothing of it."""
    write(folder, ", responses=True")
    reader = next(model for model in folder.compile(environ=ENVIRON) if model.name == "reader")
    assert reader.sql.endswith('from "reverse_etl_responses_tags"')
    assert [*reader.state_reads] == ["tags"]
    assert reader.reads == ()


@pytest.mark.parametrize(
    ("settings", "reader", "expected"),
    [
        ("", READER, "the model tags keeps no responses."),
        (", responses=False", READER, "the model tags keeps no responses."),
        (", responses=True", READER.replace("'tags'", "'tag'"), "there is no model tag."),
        (", responses=1, x=2", READER, "the model tags does not compile."),
    ],
)
def test_responses_that_nobody_keeps_are_an_error_with_its_line(
    folder: Folder, settings: str, reader: str, expected: str
) -> None:
    write(folder, settings, reader)
    text = refusal(folder)
    assert expected in text
    assert "models/reader.sql:3" in text


def test_a_model_that_reads_a_broken_one_is_broken_too(folder: Folder) -> None:
    """Also if that one is broken only because of the responses that it reads itself."""
    write(folder, ", responses=True")
    tags = folder.path / "models" / "tags.sql"
    tags.write_text(tags.read_text().replace("'a' as name", "name from {{ source('reverse_etl', 'gone') }}"))
    text = refusal(folder)
    assert "there is no model gone." in text
    assert "models/reader.sql:3: source('reverse_etl', 'tags'): the model tags does not compile." in text


@pytest.mark.parametrize("value", ["''", "[]", "['data..id']", "1", "{'a': 1}"])
def test_responses_are_true_or_a_list_of_fields(folder: Folder, value: str) -> None:
    write(folder, f", responses={value}")
    assert "responses is neither true nor a list of fields." in refusal(folder)


def test_a_key_may_not_have_the_name_of_a_column_of_responses(folder: Folder) -> None:
    write(folder, ", responses=True")
    path = folder.path / "models" / "tags.sql"
    path.write_text(
        path.read_text().replace("['name']", "['status']").replace("as name", "as name, 1 as status")
    )
    assert "unique_key has status, which is a column of kept responses, too." in refusal(folder)


@pytest.mark.parametrize("table", ["reverse_etl_state.main.responses", "reverse_etl_state.responses"])
def test_the_table_itself_cannot_be_read(folder: Folder, table: str) -> None:
    write(
        folder,
        ", responses=True",
        f"{{{{ config(surface='profiles') }}}}\nselect row_key as email from {table}",
    )
    assert "belongs to the state of reverse-etl" in refusal(folder)
