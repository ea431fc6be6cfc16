"""The `destinations` of profiles.yml: strict, so that a misspelt key is an error and not a surprise."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

from pydantic import BeforeValidator, Field, field_validator, model_validator

from reverse_etl.config.target import JOB_TIMEOUT_MINUTES, Destination
from reverse_etl.klaviyo.origin import API_REVISION, KLAVIYO, allowed_origin
from reverse_etl.klaviyo.private_key import VARIABLE, given_key, key_from_command, key_from_file, no_key
from reverse_etl.parsing.validation import Advised, Strict

if TYPE_CHECKING:
    from collections.abc import Mapping

    from reverse_etl.klaviyo.private_key import PrivateKey

REVISION_VARIABLE: Final = "DESTINATIONS__KLAVIYO__API_REVISION"
KEY_FIELDS: Final = ("private_api_key", "private_api_key_file", "private_api_key_command")
_REVISION: Final = re.compile(r"\d{4}-\d{2}-\d{2}(\.[a-z0-9]+)?")
_LIST_ID: Final = re.compile(r"[A-Za-z0-9_-]+")
_ONE_NAME: Final = re.compile(r'[^".]+|"([^"]|"")+"')
_SANDBOX_KEY: Final = "pk_sandbox"


def _as_text(value: Any) -> Any:
    """Undo what YAML does to a revision without quotes: it reads a date."""
    return value.isoformat() if isinstance(value, date) else value


class WrittenDestination(Strict):
    """One entry of `destinations`, as it is written and rendered."""

    type: str = Field(description="Write type: klaviyo")
    sandbox: bool = False
    origin: str = ""
    private_api_key: str = Field(default="", repr=False)
    private_api_key_file: str = ""
    private_api_key_command: list[str] = Field(default=[])
    api_revision: Annotated[str, BeforeValidator(_as_text)] = ""
    lists: dict[str, str] = Field(default={}, description="Write each as name: id, such as vip: XyZ123")
    create_lists: bool = False
    job_timeout_minutes: int = Field(default=JOB_TIMEOUT_MINUTES, ge=1, le=1440)
    state_schema: str = ""

    @field_validator("type")
    @classmethod
    def _is_klaviyo(cls, value: str) -> str:
        if value != "klaviyo":
            raise Advised(f"type cannot be {value!r}.", "The only destination is klaviyo.")
        return value

    @field_validator("origin")
    @classmethod
    def _is_known(cls, value: str) -> str:
        if not value:
            return ""
        allowed = allowed_origin(value)
        if allowed is None:
            raise Advised(
                "origin is no place to which the private key may be sent.",
                f"It can be {KLAVIYO} (the default), or a sandbox on this machine such as http://127.0.0.1:8000.",
            )
        return allowed

    @field_validator("api_revision")
    @classmethod
    def _is_revision(cls, value: str) -> str:
        return _revision(value, "api_revision") if value else ""

    @field_validator("lists")
    @classmethod
    def _are_ids(cls, value: dict[str, str]) -> dict[str, str]:
        wrong = [name for name, list_id in value.items() if not _LIST_ID.fullmatch(list_id)]
        if wrong:
            raise Advised(
                f"lists.{wrong[0]} is not a list id.",
                "Klaviyo shows it in the list's settings: letters and digits, such as XyZ123.",
            )
        return value

    @field_validator("state_schema")
    @classmethod
    def _is_one_name(cls, value: str) -> str:
        if value and not _ONE_NAME.fullmatch(value):
            raise Advised(
                "state_schema is not the name of a schema.",
                "Write the schema's name alone: it lies in the output's database.",
            )
        return value

    @model_validator(mode="after")
    def _agrees(self) -> WrittenDestination:
        if self.sandbox and self.origin == KLAVIYO:
            raise Advised(
                "sandbox is true, but origin is Klaviyo itself.",
                "Remove origin to use the sandbox, or sandbox to send to Klaviyo.",
            )
        ways = [name for name in KEY_FIELDS if getattr(self, name)]
        if len(ways) > 1:
            raise Advised(f"{' and '.join(ways)} are both given.", "Keep one of them.")
        return self


@dataclass(frozen=True)
class KeyNote:
    """What was found out about `private_api_key` before its value was needed."""

    place: str
    missing: str = ""


def destination_of(written: WrittenDestination, environ: Mapping[str, str], note: KeyNote) -> Destination:
    """Return the destination that was written; the key's file or command is not read before it is needed.

    Raises Advised when the environment's API revision is not one.
    """
    key = _key(written, environ, note)
    revision = written.api_revision
    if not revision and environ.get(REVISION_VARIABLE):
        revision = _revision(environ[REVISION_VARIABLE], f"The environment variable {REVISION_VARIABLE}")
    return Destination(
        sandbox=written.sandbox,
        origin=written.origin or ("" if written.sandbox else KLAVIYO),
        key=key,
        api_revision=revision or API_REVISION,
        lists=dict(written.lists),
        create_lists=written.create_lists if "create_lists" in written.model_fields_set else written.sandbox,
        job_timeout_minutes=written.job_timeout_minutes,
        state_schema=written.state_schema,
        key_problem=None if key else no_key(note.place, note.missing),
    )


def _revision(value: str, name: str) -> str:
    if not _REVISION.fullmatch(value):
        raise Advised(
            f"{name} is not a revision of Klaviyo's API.",
            f"Write a date, such as {API_REVISION}.",
        )
    return value


def _key(written: WrittenDestination, environ: Mapping[str, str], note: KeyNote) -> PrivateKey | None:
    if written.sandbox:
        return given_key(_SANDBOX_KEY, origin="the sandbox")
    if written.private_api_key.strip():
        return given_key(written.private_api_key, origin=note.place)
    if environ.get(VARIABLE, "").strip():
        return given_key(environ[VARIABLE], origin=f"the environment variable {VARIABLE}")
    if written.private_api_key_file:
        return key_from_file(Path(written.private_api_key_file).expanduser())
    if written.private_api_key_command:
        return key_from_command(written.private_api_key_command, environ)
    return None
