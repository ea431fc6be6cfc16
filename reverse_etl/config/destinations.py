"""The `destinations` of profiles.yml; unknown keys are errors."""

from __future__ import annotations

import re
from dataclasses import dataclass, fields
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

from pydantic import BeforeValidator, Field, ValidationInfo, field_validator, model_validator

from reverse_etl.config.journal import JournalInput, expand_journal
from reverse_etl.config.notify import NotifyInput  # noqa: TC001 - pydantic reads the annotation
from reverse_etl.config.target import JOB_TIMEOUT_MINUTES, Destination, WarehouseOptions
from reverse_etl.klaviyo.origin import KLAVIYO_ORIGIN, parse_allowed_origin
from reverse_etl.klaviyo.private_key import (
    KEY_VARIABLE,
    key_from_command,
    key_from_file,
    key_from_value,
    missing_key_problem,
)
from reverse_etl.klaviyo.revision import API_REVISION, parse_revision
from reverse_etl.parsing.validation import AdviceError, StrictModel

if TYPE_CHECKING:
    from collections.abc import Mapping

    from reverse_etl.klaviyo.private_key import PrivateKey

REVISION_VARIABLE: Final = "DESTINATIONS__KLAVIYO__API_REVISION"
KEY_FIELDS: Final = ("private_api_key", "private_api_key_file", "private_api_key_command")
_LIST_ID: Final = re.compile(r"[A-Za-z0-9_-]+")
_NAME: Final = re.compile(r'[^".]+|"([^"]|"")+"')
_SANDBOX_KEY: Final = "pk_sandbox"


def _date_to_text(value: Any) -> Any:
    """Return the text of a revision; YAML reads one without quotes as a date."""
    return value.isoformat() if isinstance(value, date) else value


class DestinationInput(StrictModel):
    """One rendered entry of `destinations`."""

    type: str = Field(description="Write type: klaviyo")
    sandbox: bool = False
    origin: str = ""
    private_api_key: str = Field(default="", repr=False)
    private_api_key_file: str = ""
    private_api_key_command: list[str] = Field(default=[])
    api_revision: Annotated[str, BeforeValidator(_date_to_text)] = ""
    lists: dict[str, str] = Field(default={}, description="Write each as name: id, for example vip: XyZ123")
    create_lists: bool = False
    shared_lists: list[str] = Field(
        default=[], description="Write the names or ids of lists, for example [Newsletter]"
    )
    job_timeout_minutes: int = Field(default=JOB_TIMEOUT_MINUTES, ge=1, le=1440)
    state_schema: str = ""
    state_database: str = ""
    state_path: str = ""
    sending_warehouse: str = ""
    notify: NotifyInput | None = None
    journal: Annotated[JournalInput | None, BeforeValidator(expand_journal)] = None
    skip_unchanged: bool = False

    @field_validator("type")
    @classmethod
    def _validate_type(cls, value: str) -> str:
        if value != "klaviyo":
            raise AdviceError(f"type cannot be {value!r}.", "Write type: klaviyo")
        return value

    @field_validator("origin")
    @classmethod
    def _validate_origin(cls, value: str) -> str:
        if not value:
            return ""
        allowed = parse_allowed_origin(value)
        if allowed is None:
            raise AdviceError(
                "origin is not an address to which the private key may be sent.",
                f"Use {KLAVIYO_ORIGIN} (the default), or a sandbox on this machine, for example "
                "http://127.0.0.1:8000.",
            )
        return allowed

    @field_validator("api_revision")
    @classmethod
    def _validate_api_revision(cls, value: str) -> str:
        return _validate_revision(value, "api_revision") if value else ""

    @field_validator("lists")
    @classmethod
    def _validate_lists(cls, value: dict[str, str]) -> dict[str, str]:
        wrong = [name for name, list_id in value.items() if not _LIST_ID.fullmatch(list_id)]
        if wrong:
            raise AdviceError(
                f"lists.{wrong[0]} is not a list id.",
                "Klaviyo shows it in the list's settings: letters and digits, for example XyZ123.",
            )
        return value

    @field_validator("state_schema")
    @classmethod
    def _validate_state_schema(cls, value: str) -> str:
        if value and not _NAME.fullmatch(value):
            raise AdviceError(
                "state_schema is not the name of a schema.",
                "Write the schema name only; the schema is in the output's database, or in state_database.",
            )
        return value

    @field_validator("state_database", "sending_warehouse")
    @classmethod
    def _validate_name(cls, value: str, info: ValidationInfo) -> str:
        if value and not _NAME.fullmatch(value):
            raise AdviceError(f"{info.field_name} is not a name.", "Write one name, without a dot.")
        return value

    @model_validator(mode="after")
    def _validate_combination(self) -> DestinationInput:
        if self.sandbox and self.origin == KLAVIYO_ORIGIN:
            raise AdviceError(
                "sandbox is true, but origin is the real Klaviyo.",
                "Remove origin to use the sandbox, or remove sandbox to send to Klaviyo.",
            )
        given_fields = [name for name in KEY_FIELDS if getattr(self, name)]
        if len(given_fields) > 1:
            raise AdviceError(f"{' and '.join(given_fields)} cannot be combined.", "Keep one of them.")
        return self


@dataclass(frozen=True)
class KeyLocation:
    """Where `private_api_key` is written, and why it has no value, if it has none."""

    location: str
    missing_variable: str = ""


def build_destination(
    destination_input: DestinationInput, environ: Mapping[str, str], key_location: KeyLocation
) -> Destination:
    """Return the destination. A key file or key command is not read until the key is needed.

    Raises AdviceError if the API revision in the environment is malformed.
    """
    key = _find_key(destination_input, environ, key_location)
    revision = destination_input.api_revision
    if not revision and environ.get(REVISION_VARIABLE):
        revision = _validate_revision(
            environ[REVISION_VARIABLE], f"The environment variable {REVISION_VARIABLE}"
        )
    return Destination(
        sandbox=destination_input.sandbox,
        origin=destination_input.origin or ("" if destination_input.sandbox else KLAVIYO_ORIGIN),
        key=key,
        api_revision=revision or API_REVISION,
        lists=dict(destination_input.lists),
        create_lists=destination_input.create_lists
        if "create_lists" in destination_input.model_fields_set
        else destination_input.sandbox,
        shared_lists=frozenset(destination_input.shared_lists),
        job_timeout_minutes=destination_input.job_timeout_minutes,
        notify=destination_input.notify.build() if destination_input.notify else None,
        journal=destination_input.journal.build() if destination_input.journal else None,
        skip_unchanged=destination_input.skip_unchanged,
        warehouse_options=WarehouseOptions(
            **{key.name: getattr(destination_input, key.name) for key in fields(WarehouseOptions)}
        ),
        key_problem=None
        if key
        else missing_key_problem(key_location.location, key_location.missing_variable),
    )


def _validate_revision(value: str, name: str) -> str:
    if parse_revision(value) is None:
        raise AdviceError(
            f"{name} is not a revision of Klaviyo's API.",
            f"Write a date, for example {API_REVISION}.",
        )
    return value


def _find_key(
    destination_input: DestinationInput, environ: Mapping[str, str], key_location: KeyLocation
) -> PrivateKey | None:
    if destination_input.sandbox:
        return key_from_value(_SANDBOX_KEY, source="the sandbox")
    if destination_input.private_api_key.strip():
        return key_from_value(destination_input.private_api_key, source=key_location.location)
    if environ.get(KEY_VARIABLE, "").strip():
        return key_from_value(environ[KEY_VARIABLE], source=f"the environment variable {KEY_VARIABLE}")
    if destination_input.private_api_key_file:
        return key_from_file(Path(destination_input.private_api_key_file).expanduser())
    if destination_input.private_api_key_command:
        return key_from_command(destination_input.private_api_key_command, environ)
    return None
