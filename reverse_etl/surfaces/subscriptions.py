"""The surface `subscriptions`: people's consent to messages of one channel, with a list or without."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any, Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import Field, field_validator, model_validator

from reverse_etl.domain.columns import ColumnKind
from reverse_etl.domain.identifiers import IdentifierType
from reverse_etl.errors import Problem
from reverse_etl.klaviyo.consents import Channel
from reverse_etl.parsing.suggestions import did_you_mean
from reverse_etl.parsing.validation import AdviceError
from reverse_etl.surfaces.interface import (
    Blocking,
    Columns,
    DiffKind,
    GuardLimit,
    Guards,
    ListAspect,
    ListRule,
    OtherColumns,
    PastTime,
    Phase,
    Surface,
    SurfaceSettings,
)
from reverse_etl.surfaces.operations import CONSENTED_AT, DATE_OF_BIRTH, SubscribePeople, UnsubscribePeople
from reverse_etl.surfaces.read_back import ReadConsents

if TYPE_CHECKING:
    from reverse_etl.domain.columns import Column
    from reverse_etl.domain.engine import Engine

_CHANNELS: Final = ", ".join(map(repr, map(str, Channel)))
_LIST_ASPECTS: Final = {
    Channel.EMAIL: ListAspect.EMAIL_CONSENT,
    Channel.SMS: ListAspect.SMS_CONSENT,
    Channel.WHATSAPP: ListAspect.WHATSAPP_CONSENT,
}
_NOW: Final = "now"
_EFFECT: Final = "These people may get messages from then on, and Klaviyo keeps a record of the consent."
_EFFECT_NOW: Final = "Without consented_at it may ask them to confirm, and flows start."
_REMOVE_EFFECT: Final = (
    "People who leave are unsubscribed, and can be subscribed again only by a new consent."
)
_UNSUBSCRIBE: Final = "unsubscribe"
_MAX_MOVED: Final = GuardLimit(0.2, floor=0, cap=1_000_000)


class SubscriptionSettings(SurfaceSettings):
    """The settings of a model that subscribes people, as written in `config()`.

    A model has one channel: a row is then one consent, with one identifier, one time and one outcome.
    """

    channel: str = Field(default="", description=f"It can be {_CHANNELS}.")
    consent: str = ""
    consented_at_timezone: str = Field(default="", description="For example: 'Europe/Berlin'")
    custom_source: str = ""
    on_remove: str = ""

    @model_validator(mode="after")
    def _validate_channel(self) -> SubscriptionSettings:
        if not self.channel:
            raise AdviceError("The surface subscriptions needs channel.", f"It can be {_CHANNELS}.")
        if self.channel not in set(Channel):
            raise AdviceError(
                f"channel cannot be {self.channel!r}.", did_you_mean(self.channel, [*map(str, Channel)])
            )
        if self.on_remove and self.channel == Channel.PUSH:
            raise AdviceError(
                "on_remove cannot be used with channel='push'.",
                "Klaviyo unsubscribes people from push messages only by the tokens of their devices. "
                "Remove on_remove: then a row that leaves is forgotten.",
            )
        return self

    @field_validator("consent")
    @classmethod
    def _validate_consent(cls, value: str) -> str:
        if value not in {"", _NOW}:
            raise AdviceError(
                f"consent cannot be {value!r}.",
                "Write consent='now' if people consent when the row is sent, or select consented_at.",
            )
        return value

    @field_validator("on_remove")
    @classmethod
    def _validate_on_remove(cls, value: str) -> str:
        if value not in {"", _UNSUBSCRIBE}:
            raise AdviceError(
                f"on_remove cannot be {value!r}.",
                "Write on_remove='unsubscribe', or remove it: then a row that leaves is forgotten.",
            )
        return value

    @field_validator("consented_at_timezone")
    @classmethod
    def _validate_timezone(cls, value: str) -> str:
        try:
            ZoneInfo(value or "UTC")
        except (ZoneInfoNotFoundError, ValueError, OSError):
            raise AdviceError(
                f"consented_at_timezone cannot be {value!r}.", "For example: 'Europe/Berlin' or 'UTC'"
            ) from None
        return value

    def configure(self, surface: Surface) -> Surface:
        """Return the surface of a model with these settings."""
        channel, is_required = Channel(self.channel), self.consent != _NOW
        times = (CONSENTED_AT,)
        columns = replace(
            surface.columns,
            identifiers=(channel.identifier,),
            required=times if is_required else (),
            optional=(*(() if is_required else times), DATE_OF_BIRTH),
            find_problem=partial(_find_column_problem, timezone=self.consented_at_timezone),
            past_times=(PastTime(CONSENTED_AT, self.consented_at_timezone, required=is_required),),
        )
        upsert = SubscribePeople(
            channel=channel, timezone=self.consented_at_timezone, source=self.custom_source
        )
        remove = UnsubscribePeople(channel, self.custom_source) if self.on_remove else None
        return replace(
            surface,
            columns=columns,
            upsert=upsert,
            remove=remove,
            removes_first=remove is not None,
            read_back=ReadConsents(channel),
            guards=replace(surface.guards, min_rows=1 if remove else 0),
            upsert_effect=_EFFECT if is_required else f"{_EFFECT} {_EFFECT_NOW}",
            remove_effect=_REMOVE_EFFECT if remove else "",
            list_rule=ListRule.OPTIONAL if channel.has_lists else ListRule.NONE,
            list_aspect=_LIST_ASPECTS.get(channel, surface.list_aspect),
        )

    def describe(self) -> dict[str, Any]:
        """Return the settings, by which a changed model is known."""
        return {
            "channel": self.channel,
            "consent": self.consent,
            "consented_at_timezone": self.consented_at_timezone,
            "custom_source": self.custom_source,
            "on_remove": self.on_remove,
        }


def _find_column_problem(name: str, column: Column, _engine: Engine, *, timezone: str) -> Problem | None:
    """Return why a column can't say when people consented, or were born."""
    kinds = {CONSENTED_AT: {ColumnKind.TIMESTAMP_TZ}, DATE_OF_BIRTH: {ColumnKind.DATE}}.get(name)
    if kinds is None or column.kind in kinds:
        return None
    if name == DATE_OF_BIRTH:
        return Problem(
            f"The column {column.name} has the type {column.type}, but must be a date.",
            hint=f"Cast it: CAST(... AS DATE) AS {column.name}.",
        )
    if column.kind not in {ColumnKind.TIMESTAMP, ColumnKind.DATE}:
        return Problem(
            f"The column {column.name} has the type {column.type}, but must be a timestamp.",
            hint=f"Cast it to a timestamp with a time zone AS {column.name}.",
        )
    if timezone:
        return None
    return Problem(
        f"The column {column.name} has the type {column.type}, which has no time zone.",
        hint="Cast it to a timestamp with a time zone, or set consented_at_timezone to their zone: "
        "yours, such as 'Europe/Berlin'. A wrong zone falsifies when people consented.",
    )


SUBSCRIPTIONS: Final = Surface(
    "subscriptions",
    list_rule=ListRule.OPTIONAL,
    columns=Columns(OtherColumns.REFUSED, identifiers=(IdentifierType.EMAIL, IdentifierType.PHONE)),
    diff=DiffKind.STATE,
    phase=Phase.CONSENT,
    blocking=Blocking.ROWS,
    guards=Guards(min_rows=0, max_moved=_MAX_MOVED),
    upsert=SubscribePeople(Channel.EMAIL),
    list_aspect=ListAspect.EMAIL_CONSENT,
    remove=None,  # a row that leaves is forgotten, unless the model says on_remove='unsubscribe'
    settings=SubscriptionSettings,
    read_back=ReadConsents(Channel.EMAIL),
)
