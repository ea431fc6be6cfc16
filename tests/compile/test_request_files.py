"""Files of templates: of the project alone, and without the private key."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from reverse_etl.errors import ModelError
from tests.compile.test_key_in_models import ENVIRON, KEY, OWN_VARIABLE, PROFILES

if TYPE_CHECKING:
    from tests.compile.conftest import Folder

BODY = '{"data": {"name": {{ name }}}}'


def write(folder: Folder, **request: str) -> None:
    """Write a project of one model with a request."""
    request = {"method": "POST", "path": "/api/tags", **request}
    folder.write(
        {
            "profiles.yml": PROFILES % OWN_VARIABLE,
            "requests/tag.json": BODY,
            "models/m.sql": (
                f"{{{{ config(surface='request', unique_key=['name'], request={request!r}) }}}}\n"
                "select 'a' as name"
            ),
        }
    )


def refusal(folder: Folder) -> str:
    """Return why the project does not compile."""
    with pytest.raises(ModelError) as raised:
        folder.compile(environ=ENVIRON)
    assert KEY not in f"{raised.value}{raised.value.problems}"
    return str(raised.value)


def test_a_file_of_the_project_is_read(folder: Folder) -> None:
    """Its path starts in the project's folder."""
    write(folder, body_file="requests/../requests/tag.json")
    (model,) = folder.compile(environ=ENVIRON)
    assert BODY in repr(model.config.surface.upsert)


@pytest.mark.parametrize("path", ["/etc/passwd", "../../../../etc/passwd", "requests/link.json", "../x"])
def test_a_file_outside_the_project_is_refused(folder: Folder, path: str) -> None:
    """Also behind a link: what is in it would be sent."""
    write(folder, body_file=path)
    (folder.path / "requests" / "link.json").symlink_to("/etc/passwd")
    assert "is not in the project's folder" in refusal(folder)


@pytest.mark.parametrize("path", ["requests/none.json", "requests"])
def test_a_file_that_is_missing_or_no_text_is_an_error(folder: Folder, path: str) -> None:
    """With its path."""
    write(folder, body_file=path)
    assert f"The file {path} cannot be read as UTF-8 text." in refusal(folder)


@pytest.mark.parametrize(
    "request_settings",
    [
        {"body": f'{{"key": "{KEY}"}}'},
        {"body": f'{{"key": "{KEY}{{{{ name }}}}"}}'},
        {"path": f"/api/{KEY}?x"},
        {"path": f"/api/{KEY}"},
        {"query": {"key": KEY}},
        {"headers": {"x-key": KEY}},
        {"headers": {KEY: "x y"}},
        {"body_file": "requests/key.json"},
        {"body_file": "requests/broken.json"},
    ],
)
def test_a_request_never_holds_the_private_key(folder: Folder, request_settings: dict[str, str]) -> None:
    """Nor does an error show it."""
    write(folder, **request_settings)
    folder.write(
        {
            "requests/key.json": f'{{"key": "{KEY}"}}',
            "requests/broken.json": f'{{"key": "{{{{ "{KEY}" }}}}"}}',
        }
    )
    assert "contains Klaviyo's private key" in refusal(folder)


def test_the_rows_of_a_request_are_a_name_in_the_body_of_many_rows_alone(folder: Folder) -> None:
    """Anywhere else it would reject every row."""
    write(folder, body='{"data": {{ rows }}}')
    assert "The column rows is not selected." in refusal(folder)


MISTAKES: dict[str, tuple[dict[str, Any], str, str]] = {
    "wrong_json": ({"body": '{"data": {{ name }}'}, "models/wrong_json.sql:4:15", "is not JSON"),
    "quoted": ({"body": '{"data": "{{ name }}"}'}, "models/quoted.sql:4:15", "is not JSON"),
    "syntax": ({"body": '{"data": {{ name }'}, "models/syntax.sql:4:15", "cannot be parsed"),
    "wrong_row": (
        {"body": '{"data": {{ rows }}}', "mode": "many", "row": '{"id": {{ name }}'},
        "models/wrong_row.sql:4:63",
        "is not JSON",
    ),
    "wrong_file": ({"body_file": "requests/wrong.json"}, "requests/wrong.json:2", "is not JSON"),
    "other_host": ({"path": "//example.com/api/x"}, "models/other_host.sql:4:15", "path below /api/"),
    "other_path": ({"path": "/api/../client/x"}, "models/other_path.sql:4:15", "path below /api/"),
    "column": ({"body": '{"data": {{ nam }}}'}, "models/column.sql:4:15", "The column nam is not selected."),
    "column_of_file": ({"body_file": "requests/column.json"}, "requests/column.json:2", "The column nam "),
    "column_of_path": ({"path": "/api/x/{{ nam }}"}, "models/column_of_path.sql:4:15", "The column nam "),
    "column_of_query": ({"query": {"a": "{{ nam }}"}}, "models/column_of_query.sql:4:15", "The column nam "),
}


def test_a_mistake_in_a_request_is_refused_with_its_file_and_line(folder: Folder) -> None:
    """Those in a file of a template are at the line of that file."""
    folder.write(
        {
            "profiles.yml": PROFILES % OWN_VARIABLE,
            "requests/wrong.json": '{\n"data": {{ name }},\n}\n',
            "requests/column.json": '{\n"data": {{ nam }}\n}\n',
        }
    )
    for name, (settings, *_) in MISTAKES.items():
        request = {"path": "/api/x", "method": "POST"} | settings
        first = {key: request.pop(key) for key in settings}
        text = ", ".join(f"{key!r}: {value!r}" for key, value in (first | request).items())
        folder.write(
            {
                f"models/{name}.sql": "{{ config(\n    surface='request',\n    unique_key=['name'],\n"
                f"    request={{{text}}},\n) }}}}\nselect 'a' as name"
            }
        )
    with pytest.raises(ModelError) as raised:
        folder.compile(environ=ENVIRON)
    summaries = {problem.where: problem.summary for problem in raised.value.problems}
    for _, where, summary in MISTAKES.values():
        assert summary in summaries.get(where, ""), (where, summaries)
    assert len(summaries) == len(MISTAKES)
