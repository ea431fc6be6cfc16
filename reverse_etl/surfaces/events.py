"""The surface `events`: what people did. A row is an event; what is sent stays, and is never sent again."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any, Final

from pydantic import Field, field_validator, model_validator

from reverse_etl.errors import Problem
from reverse_etl.klaviyo import events
from reverse_etl.klaviyo.endpoints import Endpoint
from reverse_etl.klaviyo.event_encoding import (
    CURRENCY,
    MAX_METRIC_CHARACTERS,
    METRIC,
    TIME,
    UNIQUE_ID,
    VALUE,
    column_problem,
)
from reverse_etl.parsing.durations import parse_duration
from reverse_etl.parsing.validation import AdviceError
from reverse_etl.surfaces.event_rules import Backfill, EventRules
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
from reverse_etl.surfaces.operations import SendEvents

_DEFAULT_HORIZON: Final = "30d"
_MIN_HORIZON: Final = timedelta(days=1)


class EventSettings(SurfaceSettings):
    """The settings of a model of events, as written in `config()`."""

    metric: str = Field(default="", description="For example: metric='Placed Order'")
    backfill: Backfill | None = Field(default=None, strict=False)
    horizon: str = Field(default=_DEFAULT_HORIZON, description="For example: '30d'")
    max_per_day: int = Field(default=EventRules.max_per_day, ge=1, description="For example: 500")

    @field_validator("metric")
    @classmethod
    def _validate_metric(cls, value: str) -> str:
        name = value.strip()
        if not 1 <= len(name) <= MAX_METRIC_CHARACTERS:
            raise AdviceError(
                f"metric has {len(name)} characters.", f"A name has 1 to {MAX_METRIC_CHARACTERS} characters."
            )
        return name

    @field_validator("horizon")
    @classmethod
    def _validate_horizon(cls, value: str) -> str:
        seconds = parse_duration(value)
        if seconds is None or timedelta(seconds=seconds) < _MIN_HORIZON:
            raise AdviceError("horizon is not a duration of at least a day.", "For example: '30d' or '36h'")
        return value

    @model_validator(mode="after")
    def _require_backfill(self) -> EventSettings:
        if self.backfill is None:
            raise AdviceError(
                "The surface events needs backfill: which events start flows?",
                "Write backfill='before_live': events from before the first run start no flows, later ones "
                "do. 'always': no event starts a flow. 'never': every event starts flows, old ones too.",
            )
        return self

    def configure(self, surface: Surface) -> Surface:
        """Return the surface of a model with these settings."""
        columns = surface.columns
        required = columns.required if self.metric else (*columns.required, METRIC)
        return replace(
            surface,
            columns=replace(columns, required=required, refused=_refuse_metric(self.metric)),
            event_rules=self._rules(),
        )

    def describe(self) -> dict[str, Any]:
        """Return the settings as JSON values, by which a changed model is known."""
        rules = self._rules()
        horizon = int(rules.horizon.total_seconds())
        return {"metric": rules.metric, "backfill": rules.backfill.value, "horizon": horizon}

    def _rules(self) -> EventRules:
        assert self.backfill is not None  # noqa: S101 - as the validator requires
        horizon = timedelta(seconds=parse_duration(self.horizon) or 0)
        return EventRules(self.metric, self.backfill, horizon, self.max_per_day)


def _refuse_metric(metric: str) -> dict[str, Problem]:
    """Return the columns that a model may not select, with the problem."""
    if not metric:
        return {}
    return {
        METRIC: Problem(
            f"The metric is named twice: {metric!r} in config(), and by the column {METRIC}.",
            hint="Remove one of them, or give the column another name: then it is a property of the event.",
        )
    }


EVENTS: Final = Surface(
    "events",
    list_rule=ListRule.NONE,
    columns=Columns(
        OtherColumns.FIELDS,
        key=(UNIQUE_ID,),
        required=(TIME,),
        optional=(VALUE, CURRENCY),
        find_problem=column_problem,
    ),
    diff=DiffKind.APPEND_ONLY,
    phase=Phase.EVENTS,
    blocking=Blocking.ROWS,
    guards=Guards(min_rows=0),
    upsert=SendEvents(Endpoint.CREATE_EVENTS, events.MAX_EVENTS, events.MAX_BYTES),
    settings=EventSettings,
    receipts_first=True,
    event_rules=EventRules("", Backfill.ALWAYS, timedelta(seconds=parse_duration(_DEFAULT_HORIZON) or 0)),
)
