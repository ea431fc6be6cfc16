"""A request as written in `config()`: its schema."""

from __future__ import annotations

from typing import Final

from pydantic import Field, field_validator, model_validator

from reverse_etl.klaviyo.custom_requests import TextTemplate, find_path_problem, is_legacy_list_path
from reverse_etl.parsing.suggestions import did_you_mean
from reverse_etl.parsing.validation import AdviceError, StrictModel
from reverse_etl.surfaces import request_template as templates
from reverse_etl.surfaces.request_rules import LIST_WAYS, METHODS, find_header_problem
from reverse_etl.surfaces.request_template import ROWS, RefusalMeaning, Repeat, RequestMode

_MAX_ROWS: Final = 10_000
_MAX_BYTES: Final = 5_000_000


class RequestInput(StrictModel):
    """A request as written in `config()`."""

    method: str = Field(description=f"It can be {', '.join(METHODS)}.")
    path: str = Field(description="For example: path='/api/tags/{{ tag_id }}/relationships/lists'")
    query: dict[str, str] = Field(default={})
    headers: dict[str, str] = Field(default={})
    body: str = ""
    body_file: str = ""
    row: str = ""
    row_file: str = ""
    mode: RequestMode = Field(default=RequestMode.ONE, strict=False)
    group_by: list[str] = Field(default=[])
    max_rows: int = Field(default=templates.MAX_ROWS, ge=1, le=_MAX_ROWS)
    max_bytes: int = Field(default=templates.MAX_BYTES, ge=1_000, le=_MAX_BYTES)
    success: list[int] = Field(default=sorted(templates.SUCCESS), min_length=1)
    repeat: Repeat | None = Field(default=None, strict=False)
    on_not_found: RefusalMeaning = Field(default=RefusalMeaning.REJECTED, strict=False)
    on_conflict: RefusalMeaning = Field(default=RefusalMeaning.REJECTED, strict=False)

    @field_validator("method")
    @classmethod
    def _validate_method(cls, value: str) -> str:
        if value not in METHODS:
            raise AdviceError(f"method cannot be {value!r}.", did_you_mean(value, METHODS))
        return value

    @field_validator("path")
    @classmethod
    def _validate_path(cls, value: str) -> str:
        path = TextTemplate(value)
        if not is_legacy_list_path(path) and (reason := find_path_problem(path)):
            hint = LIST_WAYS if "/list" in value else "Write the path of Klaviyo's API reference: /api/..."
            raise AdviceError(f"The path {value} {reason}.", hint)
        return value

    @field_validator("headers")
    @classmethod
    def _validate_headers(cls, value: dict[str, str]) -> dict[str, str]:
        for name, text in value.items():
            if reason := find_header_problem(name, text):
                raise AdviceError(f"The header {name} {reason}.", "Remove it.")
        return value

    @field_validator("success")
    @classmethod
    def _validate_success(cls, value: list[int]) -> list[int]:
        if any(status not in range(200, 300) for status in value):
            raise AdviceError(
                "success names a status that is none of 200 to 299.",
                "For a 404 or 409 that asks for nothing more: on_not_found='applied', on_conflict='applied'.",
            )
        return value

    @model_validator(mode="after")
    def _validate_texts(self) -> RequestInput:
        for name in ("body", "row"):
            if getattr(self, name) and getattr(self, f"{name}_file"):
                raise AdviceError(f"{name} and {name}_file are both given.", "Keep one of them.")
        has_row = bool(self.row or self.row_file)
        has_body = bool(self.body or self.body_file)
        if self.mode is RequestMode.ONE and has_row:
            raise AdviceError(
                "A request of one row has no row template, but row is given.",
                "Write mode='many', or put the row's values into body.",
            )
        if self.mode is not RequestMode.ONE and not (has_row and has_body):
            raise AdviceError(
                "A request of many rows needs body and row.",
                f"For example body='{{\"data\": {{{{ {ROWS} }}}}}}' and row='{{\"id\": {{{{ id }}}}}}'.",
            )
        return self
