"""A pytest plugin: every request that the tests send is checked against Klaviyo's OpenAPI document.

Klaviyo publishes the document; this repository has no copy. `make test-openapi SPEC=path/to/openapi.json`
runs the tests of the core with it. A test fails if it sends a request to a path or with a parameter that the
document lacks, or with a body that its schema does not allow. A model of requests has bodies of its own: only
those of the ready models are checked.
"""

from __future__ import annotations

import json
import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

import pytest
from jsonschema import Draft4Validator

from reverse_etl.klaviyo.endpoints import CustomEndpoint
from reverse_etl.klaviyo.transport import Transport

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reverse_etl.klaviyo.messages import Request

_METHODS = {"get", "post", "patch", "delete"}


@dataclass(frozen=True)
class Operation:
    """An endpoint of the document: the pattern of its path, the parameters of its query, and its body."""

    path: re.Pattern[str]
    parameters: frozenset[str]
    body: Draft4Validator | None

    def problems(self, request: Request) -> Iterator[str]:
        """Yield what the document does not allow."""
        names = {name for name, _ in parse_qsl(request.target.partition("?")[2])}
        yield from (f"the query has {name}" for name in sorted(names - self.parameters))
        if self.body is None:
            if request.body:
                yield "the document has no body"
            return
        if not request.body:
            yield "the body is missing"
            return
        for error in self.body.iter_errors(json.loads(request.body)):
            yield f"/{'/'.join(map(str, error.absolute_path))}: {error.message[:200]}"


def allow_null(node: Any) -> Any:
    """Return a schema in which `nullable` (OpenAPI 3.0) is the type null of JSON Schema."""
    if isinstance(node, list):
        return [allow_null(member) for member in node]
    if not isinstance(node, dict):
        return node
    schema = {key: allow_null(value) for key, value in node.items()}
    return {"anyOf": [schema, {"type": "null"}]} if schema.pop("nullable", False) is True else schema


def read_operations(path: Path) -> Iterator[tuple[str, Operation]]:
    """Yield the operations of a document, each with its method."""
    document = json.loads(path.read_text(encoding="utf-8"))
    components = allow_null(document["components"])
    for template, methods in document["paths"].items():
        pattern = re.compile(re.sub(r"\{[^}]+\}", "[^/]+", template) + "/?")
        for method in _METHODS & methods.keys():
            operation = methods[method]
            names = {each["name"] for each in operation.get("parameters", ()) if each.get("in") == "query"}
            contents = operation.get("requestBody", {}).get("content", {}).values()
            schemas = [allow_null(content["schema"]) | {"components": components} for content in contents]
            body = Draft4Validator(schemas[0]) if schemas else None
            yield method.upper(), Operation(pattern, frozenset(names), body)


@pytest.fixture(autouse=True)
def _check_requests(
    request: pytest.FixtureRequest,
    monkeypatch: pytest.MonkeyPatch,
    operations: list[tuple[str, Operation]],
) -> Iterator[None]:
    problems: list[str] = []
    send = Transport.send
    of_ready_models = request.path.name == "test_request_templates.py"

    def check_and_send(self: Transport, request: Request) -> Any:
        if of_ready_models or not isinstance(request.endpoint, CustomEndpoint):
            method, path = request.endpoint.method, request.target.partition("?")[0]
            matches = [each for kind, each in operations if kind == method and each.path.fullmatch(path)]
            found = min(
                ([*each.problems(request)] for each in matches), key=len, default=["no such endpoint"]
            )
            problems.extend(f"{method} {path}: {problem}" for problem in found)
        return send(self, request)

    monkeypatch.setattr(Transport, "send", check_and_send)
    yield
    assert not problems, "\n".join(dict.fromkeys(problems))


@pytest.fixture(scope="session")
def operations() -> list[tuple[str, Operation]]:
    """Return the operations of the documents that the environment names."""
    paths = os.environ["RETL_OPENAPI"].split(os.pathsep)
    return [each for path in paths for each in read_operations(Path(path))]
