"""The JSON Schemas in the language server that editors use: it completes, explains and finds mistakes."""

from __future__ import annotations

import json
import shutil
import subprocess
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from reverse_etl.models.editor_schema import SchemaName, build_editor_schema

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.pages
SERVER = (
    Path(__file__).parents[2]
    / ".pages"
    / "node_modules"
    / "yaml-language-server"
    / "bin"
    / "yaml-language-server"
)
SETTINGS = {"validate": True, "hover": True, "completion": True, "schemaStore": {"enable": False}}


class Editor:
    """An editor that opens files of a folder: a client of the server, by the protocol of language servers."""

    def __init__(self, folder: Path, server: subprocess.Popen[bytes]) -> None:
        self._folder, self._server, self._number = folder, server, 0
        root = {"uri": folder.as_uri(), "name": "project"}
        capabilities = {"workspace": {"configuration": True}}
        self._ask(
            "initialize",
            processId=None,
            rootUri=root["uri"],
            workspaceFolders=[root],
            capabilities=capabilities,
        )
        self._send({"method": "initialized", "params": {}})

    def open(self, name: str, text: str) -> list[str]:
        """Open a file; return what is underlined, each with its line from 1."""
        path = self._folder / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
        document = {"uri": path.as_uri(), "languageId": "yaml", "version": 1, "text": text}
        self._send({"method": "textDocument/didOpen", "params": {"textDocument": document}})
        while (message := self._read()).get("method") != "textDocument/publishDiagnostics":
            pass
        found = message["params"]["diagnostics"]
        return sorted(
            f"{one['range']['start']['line'] + 1}: {one['message'].splitlines()[0]}" for one in found
        )

    def hover(self, name: str, line: int, word: str) -> str:
        """Return what is shown beside a word of a line, from 1."""
        return str(self._ask("textDocument/hover", **self._place(name, line, word))["contents"]["value"])

    def complete(self, name: str, line: int, after: str) -> list[str]:
        """Return what is proposed behind a text of a line, from 1."""
        place = self._place(name, line, after)
        place["position"]["character"] += len(after)
        return [item["label"] for item in self._ask("textDocument/completion", **place)["items"]]

    def _place(self, name: str, line: int, word: str) -> dict[str, Any]:
        path = self._folder / name
        column = path.read_text("utf-8").splitlines()[line - 1].index(word)
        return {"textDocument": {"uri": path.as_uri()}, "position": {"line": line - 1, "character": column}}

    def _ask(self, method: str, **params: Any) -> Any:
        self._number += 1
        self._send({"id": self._number, "method": method, "params": params})
        while (message := self._read()).get("id") != self._number or "method" in message:
            pass
        return message["result"]

    def _send(self, message: dict[str, Any]) -> None:
        content = json.dumps({"jsonrpc": "2.0", **message}).encode()
        assert self._server.stdin is not None
        self._server.stdin.write(b"Content-Length: %d\r\n\r\n%b" % (len(content), content))
        self._server.stdin.flush()

    def _read(self) -> dict[str, Any]:
        """Return the next message; answer what the server asks for."""
        assert self._server.stdout is not None
        length = 0
        while (line := self._server.stdout.readline()) != b"\r\n":
            assert line, "the server has ended"
            if line.lower().startswith(b"content-length:"):
                length = int(line.partition(b":")[2])
        message: dict[str, Any] = json.loads(self._server.stdout.read(length))
        if "id" in message and "method" in message:
            items = message.get("params", {}).get("items", [])
            result = [SETTINGS if item["section"] == "yaml" else {} for item in items]
            self._send({"id": message["id"], "result": result})
        return message


@contextmanager
def opened(folder: Path) -> Iterator[Editor]:
    """Start the server; it ends with the context."""
    for name in SchemaName:
        schema = json.dumps(build_editor_schema(name))
        (folder / f"{name.removesuffix('.yml')}.schema.json").write_text(schema)
    with subprocess.Popen(
        [shutil.which("node") or "node", SERVER, "--stdio"], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as server:
        try:
            yield Editor(folder, server)
        finally:
            server.kill()


def test_an_editor_helps_with_destinations_and_models(tmp_path: Path) -> None:
    with opened(tmp_path) as editor:
        underlined = editor.open(
            "profiles.yml",
            "# yaml-language-server: $schema=profiles.schema.json\n"
            "shop:\n  outputs:\n    prod: {type: duckdb, path: shop.duckdb}\n  destinations:\n    prod:\n"
            "      type: klaviyo\n      create_lists: \"{{ env_var('CREATE') }}\"\n      creat_lists: true\n"
            "      \n",
        )
        assert underlined == ["9: Property creat_lists is not allowed."]
        assert "Create lists that do not exist" in editor.hover("profiles.yml", 8, "create_lists")
        proposed = editor.complete("profiles.yml", 10, "      ")
        assert {"private_api_key", "sandbox", "journal"} <= {*proposed}
        assert "type" not in proposed
        underlined = editor.open(
            "models/customers.yml",
            "# yaml-language-server: $schema=../dbt.schema.json\n"
            "models:\n  - name: customers\n    config:\n      meta:\n        reverse_etl:\n"
            "          surface: list_memberships\n          list: VIP\n          identifiers: {mail: email}\n"
            "          \n",
        )
        (mistake,) = underlined
        assert mistake.startswith('9: Value is not accepted. Valid values: "email"')
        assert "exact name in Klaviyo" in editor.hover("models/customers.yml", 8, "list:")
        assert "on_null" in editor.complete("models/customers.yml", 10, "          ")
