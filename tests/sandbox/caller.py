"""An HTTP client for tests of the sandbox, and the types of its documents."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import requests

if TYPE_CHECKING:
    from reverse_etl.sandbox import Sandbox

HEADERS = {
    "Authorization": "Klaviyo-API-Key dummy",
    "revision": "2026-10-15",
    "Content-Type": "application/vnd.api+json",
}
JOBS = "/api/profile-bulk-import-jobs"
_PARAMETERS = {"page_size": "page[size]", "fields_profile": "fields[profile]", "fields_list": "fields[list]"}


class Caller:
    """A client that keeps its connection open and knows the shapes of the few requests that tests send."""

    def __init__(self, sandbox: Sandbox) -> None:
        self.sandbox = sandbox
        self.session = requests.Session()
        self.session.headers.update(HEADERS)

    def ask(self, method: str, path: str, **options: Any) -> requests.Response:
        """Send any request."""
        return self.session.request(method, self.sandbox.origin + path, timeout=20, **options)

    def get(self, path: str, **query: Any) -> Any:
        """Return the body of a 200; `page_size` is sent as `page[size]`, and so on."""
        named = {_PARAMETERS.get(name, name): value for name, value in query.items()}
        reply = self.ask("GET", path, params=named)
        assert reply.status_code == 200, reply.text
        return reply.json()

    def pages(self, path: str, **query: Any) -> list[Any]:
        """Return the items of every page."""
        body = self.get(path, **query)
        items = list(body["data"])
        while body["links"]["next"]:
            assert body["links"]["next"].startswith(self.sandbox.origin)
            body = self.get(body["links"]["next"].removeprefix(self.sandbox.origin))
            items += body["data"]
        return items

    def make_list(self, name: str) -> str:
        """Create a list and return its id."""
        body = {"data": {"type": "list", "attributes": {"name": name}}}
        reply = self.ask("POST", "/api/lists", json=body)
        assert reply.status_code == 201, reply.text
        return str(reply.json()["data"]["id"])

    def start_import(self, rows: list[dict[str, Any]], *lists: str) -> requests.Response:
        """Ask for an import."""
        return self.ask("POST", JOBS, json=import_body(rows, *lists))

    def run_import(self, rows: list[dict[str, Any]], *lists: str) -> dict[str, Any]:
        """Import rows, let the job end, and return it."""
        reply = self.start_import(rows, *lists)
        assert reply.status_code == 202, reply.text
        self.sandbox.finish_jobs()
        job: dict[str, Any] = self.get(f"{JOBS}/{reply.json()['data']['id']}")["data"]
        return job

    def edit(self, method: str, list_id: str, *profiles: str) -> requests.Response:
        """Add (POST) or remove (DELETE) profiles by id."""
        body = {"data": [{"type": "profile", "id": profile} for profile in profiles]}
        return self.ask(method, f"/api/lists/{list_id}/relationships/profiles", json=body)


def row(profile_id: str | None = None, **attributes: Any) -> dict[str, Any]:
    """Return a row of an import."""
    return {"type": "profile", **({"id": profile_id} if profile_id else {}), "attributes": attributes}


def import_body(rows: Any, *lists: str) -> dict[str, Any]:
    """Return the body that asks for an import."""
    attributes = {"profiles": {"data": rows}}
    related = {"lists": {"data": [{"type": "list", "id": listed} for listed in lists]}}
    return {
        "data": {
            "type": "profile-bulk-import-job",
            "attributes": attributes,
            **({"relationships": related} if lists else {}),
        }
    }


def people(count: int, start: int = 0) -> list[dict[str, Any]]:
    """Return rows with an e-mail each."""
    return [row(email=f"u{number}@example.com") for number in range(start, start + count)]


def pointers(reply: requests.Response) -> list[str]:
    """Return what a refusal points at, in order."""
    sources = [error["source"] for error in reply.json()["errors"]]
    return [source.get("pointer", source.get("parameter")) for source in sources]
