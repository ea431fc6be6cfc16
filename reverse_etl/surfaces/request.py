"""The surface `request`: rows sent to any endpoint of Klaviyo, by a request that the model describes."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Annotated, Any, Final

from pydantic import BeforeValidator, Field, field_validator, model_validator

from reverse_etl.klaviyo.custom_requests import TextTemplate
from reverse_etl.klaviyo.kept_responses import RESPONSE_COLUMNS, ResponseRule
from reverse_etl.parsing.validation import AdviceError
from reverse_etl.surfaces.interface import (
    Blocking,
    Columns,
    DiffKind,
    Guards,
    ListRule,
    OtherColumns,
    Phase,
    Surface,
    SurfaceSettings,
)
from reverse_etl.surfaces.operations import SendRequests
from reverse_etl.surfaces.request_template import SUCCESS, Repeat, RequestMode, RequestTemplate

if TYPE_CHECKING:
    from collections.abc import Sequence

# The catalog's entry for the requests of models; it is never sent.
_NO_REQUEST: Final = RequestTemplate(
    method="GET",
    path=TextTemplate("/api/accounts"),
    query={},
    headers={},
    body=None,
    row=None,
    mode=RequestMode.ONE,
    group_by=(),
    max_rows=1,
    max_bytes=0,
    success=SUCCESS,
    repeat=Repeat.SAFE,
    meanings={},
)


def _is_field(value: Any) -> bool:
    return isinstance(value, str) and all(value.split("."))


def _to_list(value: Any) -> Any:
    return [value] if isinstance(value, str) else value


class RequestSettings(SurfaceSettings):
    """The settings of a model that describes its requests, as written in `config()`.

    `models/request_config.py` makes requests of them, by the columns that the model selects.
    """

    request: dict[str, Any] = Field(default={})
    on_update: dict[str, Any] = Field(default={})
    on_remove: dict[str, Any] = Field(default={})
    unique_key: Annotated[list[str], BeforeValidator(_to_list)] = Field(
        default=[], description="For example: unique_key=['coupon', 'code']"
    )
    append: bool = False
    max_requests: int = Field(default=1_000, ge=1)
    unsafe: bool = False
    responses: bool | list[str] = False

    @field_validator("responses", mode="before")
    @classmethod
    def _validate_responses(cls, value: Any) -> Any:
        names = [value] if isinstance(value, str) else value
        if isinstance(names, bool) or (names and isinstance(names, list) and all(map(_is_field, names))):
            return names
        raise AdviceError(
            "responses is neither true nor a list of fields.",
            "Write responses=True, or the fields of a reply to keep: responses=['data.id'].",
        )

    @property
    def response_rule(self) -> ResponseRule | None:
        """Return what is kept of replies, None for nothing."""
        if isinstance(self.responses, list):
            return ResponseRule(tuple(self.responses))
        return ResponseRule() if self.responses else None

    @model_validator(mode="after")
    def _validate_request(self) -> RequestSettings:
        if not self.request:
            raise AdviceError(
                "The surface request needs request.",
                "Write request={'method': 'POST', 'path': '/api/...', 'body': '...'}.",
            )
        if not self.unique_key:
            raise AdviceError(
                "The surface request needs unique_key.",
                "Name the columns that tell rows apart: unique_key=['coupon', 'code'].",
            )
        taken = [name for name in self.unique_key if self.responses and name in RESPONSE_COLUMNS]
        if taken:
            raise AdviceError(
                f"unique_key has {taken[0]}, which is a column of kept responses, too.",
                "Select the column under another name, or remove responses.",
            )
        for setting in ("on_update", "on_remove"):
            if self.append and getattr(self, setting):
                raise AdviceError(
                    f"append and {setting} are both given, but an appended row never changes or leaves.",
                    "Keep one of them.",
                )
        return self


REQUEST: Final = Surface(
    "request",
    list_rule=ListRule.NONE,
    columns=Columns(OtherColumns.FIELDS, identifiers=()),
    diff=DiffKind.STATE,
    phase=Phase.RECORDS,
    blocking=Blocking.ROWS,
    guards=Guards(min_rows=0),
    upsert=SendRequests(_NO_REQUEST),
    settings=RequestSettings,
    described_by_model=True,
)


@dataclass(frozen=True)
class ModelRequests:
    """The row key and the requests that a model describes.

    `key` names the columns of the row key. `on_update` is sent for a changed row, `request` otherwise.
    `on_remove` is sent for a row that leaves the model, and can use the columns of the key alone. If
    `append`, a known key is never sent again. `max_requests` is the most requests of a run. If `unsafe`, each
    run has to allow them. `keep` says what is kept of replies.
    """

    key: Sequence[str]
    request: RequestTemplate
    on_update: RequestTemplate | None = None
    on_remove: RequestTemplate | None = None
    append: bool = False
    max_requests: int | None = None
    unsafe: bool = False
    keep: ResponseRule | None = None


def configure(requests: ModelRequests) -> Surface:
    """Return the surface of a model.

    The columns by which requests are grouped begin its row key: rows are sent in the order of their keys.
    """
    group_by = requests.request.group_by
    return replace(
        REQUEST,
        columns=replace(
            REQUEST.columns, key=(*group_by, *(name for name in requests.key if name not in group_by))
        ),
        diff=DiffKind.APPEND_ONLY if requests.append else DiffKind.STATE,
        guards=Guards(min_rows=1 if requests.on_remove else 0),
        upsert=SendRequests(requests.request, requests.on_update, keep=requests.keep),
        remove=SendRequests(requests.on_remove, removes=True, keep=requests.keep)
        if requests.on_remove
        else None,
        max_requests=requests.max_requests,
        unsafe=requests.unsafe,
    )
