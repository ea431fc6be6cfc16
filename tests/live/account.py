"""A Klaviyo test account: its settings, a client, temporary people and lists, and their removal.

Nothing of the package is used to speak to the account, so that what is learnt does not depend on it.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import requests

from reverse_etl.klaviyo.origin import KLAVIYO_ORIGIN
from reverse_etl.klaviyo.revision import API_REVISION

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from reverse_etl.clock import Clock

NEEDED = ("KLAVIYO_PRIVATE_KEY", "KLAVIYO_ACCOUNT_ID", "KLAVIYO_TEST_EMAIL")
OPTIONAL = ("KLAVIYO_REVISION", "KLAVIYO_ORIGIN")
IMPORTS = "/api/profile-bulk-import-jobs"
_TRIES = 20
_PAUSES = (1.0, 2.0, 4.0, 8.0, 15.0, 30.0, 60.0, 60.0, 60.0, 60.0)  # seconds: six minutes in all


class SettingsError(Exception):
    """The settings of the account can't be used. The message is a whole sentence."""


@dataclass(frozen=True)
class Settings:
    """The key of a test account, its id, and an address of somebody who knows of the test.

    Temporary people have addresses like `you+retl-1a2b-3@example.com`, made of that address.
    """

    key: str = field(repr=False)
    account_id: str
    email: str
    revision: str = API_REVISION
    origin: str = KLAVIYO_ORIGIN


def read_settings(path: Path) -> Settings:
    """Return the settings in a file of lines NAME=value. Raises SettingsError."""
    values: dict[str, str] = {}
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        name, sign, value = (part.strip() for part in line.partition("="))
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        if not sign or name not in (*NEEDED, *OPTIONAL):
            raise SettingsError(
                f"{path}:{number}: a line is NAME=value; names: {', '.join((*NEEDED, *OPTIONAL))}."
            )
        values[name] = value.strip("'\"")
    if missing := [name for name in NEEDED if not values.get(name)]:
        raise SettingsError(f"{path}: {' and '.join(missing)} missing.")
    if values["KLAVIYO_TEST_EMAIL"].count("@") != 1:
        raise SettingsError(f"{path}: KLAVIYO_TEST_EMAIL is no address.")
    return Settings(
        values["KLAVIYO_PRIVATE_KEY"],
        values["KLAVIYO_ACCOUNT_ID"],
        values["KLAVIYO_TEST_EMAIL"],
        values.get("KLAVIYO_REVISION") or API_REVISION,
        values.get("KLAVIYO_ORIGIN") or KLAVIYO_ORIGIN,
    )


class RefusedError(Exception):
    """The account answered a request with another status than a question needs."""

    def __init__(self, reply: requests.Response) -> None:
        self.status = reply.status_code
        codes = ", ".join(code for code, _ in errors_of(reply)) or "no error codes"
        super().__init__(
            f"{reply.request.method} {reply.request.path_url.partition('?')[0]}: {self.status} ({codes})"
        )


@dataclass
class LiveAccount:
    """A test account. Close it in the end: what was made in it is then removed, as far as possible."""

    settings: Settings
    clock: Clock
    tag: str = field(default_factory=lambda: secrets.token_hex(3))
    left: list[str] = field(default_factory=list)
    _people: int = 0
    _lists: list[str] = field(default_factory=list)
    _addresses: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Open a connection, and make sure that the key is that of the account that is named."""
        self._session = requests.Session()
        self._session.headers.update(
            {
                "Authorization": f"Klaviyo-API-Key {self.settings.key}",
                "revision": self.settings.revision,
                "Content-Type": "application/vnd.api+json",
            }
        )
        found = self.get("/api/accounts")["data"][0]["id"]
        if found != self.settings.account_id:
            raise SettingsError(
                f"The key is that of account {found}, and KLAVIYO_ACCOUNT_ID is {self.settings.account_id}: "
                "nothing was done. Use a test account."
            )

    def ask(self, method: str, path: str, body: object = None, **query: str) -> requests.Response:
        """Send a request, again where the account asks to wait, and return the reply, whatever it says."""
        for _ in range(_TRIES):
            reply = self._session.request(
                method,
                self.settings.origin + path,
                json=body,
                params=query,
                timeout=30,
                allow_redirects=False,
            )
            if reply.status_code != requests.codes.too_many_requests:
                return reply
            self.clock.sleep(float(reply.headers.get("Retry-After", "1")))
        raise RefusedError(reply)

    def get(self, path: str, **query: str) -> Any:
        """Return the body of a reply that has to be a success. Raises RefusedError."""
        return self._require(self.ask("GET", path, **query)).json()

    def send(self, method: str, path: str, body: object) -> Any:
        """Return the body of a write that has to be a success, None if it is empty. Raises RefusedError."""
        reply = self._require(self.ask(method, path, body))
        return reply.json() if reply.content else None

    def _require(self, reply: requests.Response) -> requests.Response:
        if not reply.ok:
            raise RefusedError(reply)
        return reply

    def attempts(self) -> Iterator[None]:
        """Yield at once, and then after longer and longer pauses, for six minutes in all."""
        yield
        for pause in _PAUSES:
            self.clock.sleep(pause)
            yield

    def new_address(self) -> str:
        """Return the address of a temporary person; closing deletes the person."""
        self._people += 1
        name, _, domain = self.settings.email.partition("@")
        address = f"{name.partition('+')[0]}+retl-{self.tag}-{self._people}@{domain}".lower()
        self._addresses.append(address)
        return address

    def new_list(self, purpose: str) -> str:
        """Make a temporary list, which closing deletes, and return its id."""
        body = {"data": {"type": "list", "attributes": {"name": f"retl {self.tag} {purpose}"}}}
        list_id = str(self.send("POST", "/api/lists", body)["data"]["id"])
        self._lists.append(list_id)
        return list_id

    def forget_list(self, list_id: str) -> None:
        """Leave a list that is deleted already."""
        self._lists.remove(list_id)

    def adopt_list(self, list_id: str) -> None:
        """Delete, in the end, a list that the program under test made."""
        self._lists.append(list_id)

    def import_rows(self, *rows: Mapping[str, Any], list_id: str = "") -> dict[str, Any]:
        """Import rows in bulk, wait for the job's end, and return the job."""
        lists = {"relationships": {"lists": {"data": [{"type": "list", "id": list_id}]}}} if list_id else {}
        data = {
            "type": "profile-bulk-import-job",
            "attributes": {"profiles": {"data": [{"type": "profile", **row} for row in rows]}},
            **lists,
        }
        job_id = self.send("POST", IMPORTS, {"data": data})["data"]["id"]
        for _ in self.attempts():
            job: dict[str, Any] = self.get(f"{IMPORTS}/{job_id}")["data"]
            if job["attributes"]["status"] in ("complete", "cancelled"):
                return job
        raise TimeoutError("An import had not ended after six minutes.")

    def find_profiles(self, address: str, **query: str) -> list[dict[str, Any]]:
        """Return the profiles that the account shows for an address, with the additional fields asked for."""
        found = self.get("/api/profiles", filter=f'equals(email,"{address}")', **query)["data"]
        return [dict(profile) for profile in found]

    def wait_for_profile(self, address: str) -> dict[str, Any]:
        """Return the profile of an address once it can be read."""
        for _ in self.attempts():
            if found := self.find_profiles(address):
                return found[0]
        raise TimeoutError("A profile could not be read after six minutes.")

    def close(self) -> None:
        """Delete lists and people; `left` says what could not be deleted."""
        for list_id in self._lists:
            reply = self.ask("DELETE", f"/api/lists/{list_id}")
            if not reply.ok:
                self.left.append(f"the list {list_id} ({reply.status_code})")
        for address in self._addresses:
            for profile in self.find_profiles(address):
                reply = self.ask("POST", "/api/data-privacy-deletion-jobs", deletion_body(profile["id"]))
                if not reply.ok:
                    self.left.append(f"the person {address} ({reply.status_code})")
        self._session.close()


def deletion_body(profile_id: str) -> dict[str, Any]:
    """Return the body of a request that deletes a person."""
    person = {"data": {"type": "profile", "id": profile_id, "attributes": {}}}
    return {"data": {"type": "data-privacy-deletion-job", "attributes": {"profile": person}}}


def errors_of(reply: requests.Response) -> list[tuple[str, str]]:
    """Return (code, pointer) of each error in a reply."""
    try:
        body = reply.json()
    except ValueError:
        return []
    errors = body.get("errors", []) if isinstance(body, dict) else []
    return [
        (str(error.get("code", "?")), str((error.get("source") or {}).get("pointer") or ""))
        for error in errors
    ]
