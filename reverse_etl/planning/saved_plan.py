"""A saved plan: `plan --out` writes it, `apply` runs exactly what it says, or nothing.

It holds counts, digests and the plan's options; no rows and no values of rows.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal, Self

import orjson
from pydantic import ConfigDict, Field, ValidationError, field_validator

from reverse_etl.dbt.findings import GateMode, GateOptions
from reverse_etl.domain.timestamps import format_timestamp, parse_timestamp
from reverse_etl.errors import UsageError
from reverse_etl.formatting import format_count
from reverse_etl.parsing.validation import StrictModel
from reverse_etl.planning.list_plan import FIGURES, LATER_FIGURES
from reverse_etl.planning.plan_options import PlanOptions
from reverse_etl.planning.violations import Allowances

if TYPE_CHECKING:
    from collections.abc import Mapping

    from reverse_etl.config.target import Target
    from reverse_etl.planning.plan import Plan

VERSION: Final = 2


class _Saved(StrictModel):
    """A part of the file. A field's alias is its key in the file, and changes only with the version."""

    model_config = ConfigDict(populate_by_name=True)


class SavedModel(_Saved):
    """A model of a saved plan, with a checksum of its SQL and config and a digest of its rows and values."""

    name: Annotated[str, Field(alias="name")]
    checksum: Annotated[str, Field(alias="checksum")]
    digest: Annotated[str, Field(alias="digest")]


class SavedList(_Saved):
    """A list of a saved plan with its figures."""

    model: Annotated[str, Field(alias="model")]
    list: Annotated[str, Field(alias="list")]
    list_id: Annotated[str, Field(alias="list_id")]
    figures: Annotated[dict[str, int], Field(alias="figures")]

    @field_validator("figures")
    @classmethod
    def each_figure_is_there(cls, figures: dict[str, int]) -> dict[str, int]:
        """Raise ValueError if a figure is missing, so that a missing figure is never read as 0.

        A plan from before there were later figures has 0 of what they count.
        """
        if missing := set(FIGURES) - LATER_FIGURES - figures.keys():
            raise ValueError(f"figures without {', '.join(sorted(missing))}")
        return figures


class SavedPlan(_Saved):
    """A plan that can be applied: its target, its options, and the figures and digests of its result.

    `account` is '' for a sandbox that did not exist yet. `vars` is the text of --vars, unparsed. The file has
    the keys with a default only if they are not empty.
    """

    version: Annotated[int, Field(alias="version")]
    made_at: Annotated[str, Field(alias="made_at", pattern=r"^[0-9TZ:.-]*$")]  # it is printed as it is read
    profile: Annotated[str, Field(alias="profile")]
    target: Annotated[str, Field(alias="target")]
    destination_id: Annotated[str, Field(alias="destination_id")]
    account: Annotated[str, Field(alias="account")]
    vars: Annotated[str, Field(alias="vars")]
    full_refresh: Annotated[bool, Field(alias="full_refresh")]
    full_comparison: Annotated[bool, Field(alias="full_comparison")] = False
    limit: Annotated[int | None, Field(alias="limit", ge=1)]
    rekey: Annotated[tuple[str, ...], Field(alias="rekey")]
    allow_removes: Annotated[tuple[str, ...], Field(alias="allow_removes")]
    allow_adds: Annotated[tuple[str, ...], Field(alias="allow_adds")] = ()
    allow_updates: Annotated[tuple[str, ...], Field(alias="allow_updates")] = ()
    allow_rejected: Annotated[tuple[str, ...], Field(alias="allow_rejected")] = ()
    allow_new_lists: Annotated[tuple[str, ...], Field(alias="allow_new_lists")] = ()
    allow_request: Annotated[tuple[str, ...], Field(alias="allow_request")] = ()
    allow_clears: Annotated[tuple[str, ...], Field(alias="allow_clears")] = ()
    live_since: Annotated[str | None, Field(alias="live_since", pattern=r"^[0-9TZ:.-]*$")] = None
    allow_resubscribe: Annotated[tuple[str, ...], Field(alias="allow_resubscribe")] = ()
    allow_deletes: Annotated[dict[str, int | None], Field(alias="allow_deletes")] = Field(default={})
    dbt_gate: Annotated[bool | Literal["strict"], Field(alias="dbt_gate")]
    models: Annotated[tuple[SavedModel, ...], Field(alias="models")]
    lists: Annotated[tuple[SavedList, ...], Field(alias="lists")]

    @field_validator("models")
    @classmethod
    def require_unique_models(cls, models: tuple[SavedModel, ...]) -> tuple[SavedModel, ...]:
        """Raise ValueError if there are no models, or two of one name."""
        if not models or len({model.name for model in models}) < len(models):
            raise ValueError("models")
        return models

    @classmethod
    def from_plan(  # noqa: PLR0913 - what a plan was asked for
        cls,
        plan: Plan,
        target: Target,
        *,
        options: PlanOptions,
        made_at: str,
        vars: str = "{}",  # noqa: A002 - dbt's word
        gate: GateMode = GateMode.ON,
    ) -> Self:
        """Return a saved plan of a plan that was made with `PlanOptions.with_digest`."""
        allow = options.allow
        return cls(
            version=VERSION,
            made_at=made_at,
            profile=target.profile,
            target=target.name,
            destination_id=target.destination_id,
            account=plan.account,
            vars=vars,
            full_refresh=options.full_refresh,
            full_comparison=options.full_comparison,
            limit=options.limit,
            rekey=tuple(sorted(options.rekey)),
            allow_removes=tuple(sorted(allow.removes)),
            allow_adds=tuple(sorted(allow.adds)),
            allow_updates=tuple(sorted(allow.updates)),
            allow_rejected=tuple(sorted(allow.rejected)),
            allow_new_lists=tuple(sorted(allow.new_lists)),
            allow_request=tuple(sorted(allow.request)),
            allow_clears=tuple(sorted(allow.clears)),
            live_since=format_timestamp(options.live_since) if options.live_since else None,
            allow_resubscribe=tuple(sorted(allow.resubscribe)),
            allow_deletes=dict(sorted(allow.deletes.items())),
            dbt_gate="strict" if gate is GateMode.STRICT else gate is GateMode.ON,
            models=to_saved_models(plan),
            lists=to_saved_lists(plan),
        )

    @property
    def gate(self) -> GateOptions:
        """Return what was asked of the gate behind dbt."""
        if self.dbt_gate == "strict":
            return GateOptions(GateMode.STRICT)
        return GateOptions(GateMode.ON if self.dbt_gate else GateMode.OFF)

    @property
    def options(self) -> PlanOptions:
        """Return the options of the plan."""
        return PlanOptions(
            full_refresh=self.full_refresh,
            full_comparison=self.full_comparison,
            limit=self.limit,
            rekey=frozenset(self.rekey),
            with_digest=True,
            live_since=parse_timestamp(self.live_since) if self.live_since else None,
            allow=Allowances(
                removes=self.allow_removes,
                adds=self.allow_adds,
                updates=self.allow_updates,
                rejected=self.allow_rejected,
                new_lists=self.allow_new_lists,
                request=self.allow_request,
                clears=self.allow_clears,
                resubscribe=self.allow_resubscribe,
                deletes=self.allow_deletes,
            ),
        )

    @property
    def model_names(self) -> tuple[str, ...]:
        """Return the names of the models, in the order of the run."""
        return tuple(model.name for model in self.models)

    @property
    def summary(self) -> str:
        """Return the plan's totals in one line."""
        ops = ("add", "update", "remove")
        changes = (
            format_count(sum(saved_list.figures[f"{op}s"] for saved_list in self.lists), op) for op in ops
        )
        return f"{', '.join(changes)} on {format_count(len(self.lists), 'list')}, saved {self.made_at}"

    def to_bytes(self) -> bytes:
        """Return the content of the file, with a digest of all of it."""
        content = self.model_dump(mode="json", by_alias=True, exclude_defaults=True)
        file = {"digest": _compute_digest(content), "plan": content}
        return orjson.dumps(file, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)

    @classmethod
    def from_bytes(cls, content: bytes, where: str) -> Self:
        """Return the plan that a file contains.

        Raises UsageError if the content is not that of `to_bytes`, or was changed since.
        """
        try:
            file = orjson.loads(content)
            digest, plan = file["digest"], file["plan"]
            version = plan["version"]
        except (ValueError, TypeError, KeyError) as error:
            raise _invalid_plan_error("The file is not a saved plan.", where) from error
        if version != VERSION:
            raise _invalid_plan_error(
                f"The plan's format has version {version!r}; this reverse-etl reads version {VERSION}.", where
            )
        if digest != _compute_digest(plan):
            raise _invalid_plan_error("The plan was changed after it was saved.", where)
        try:
            return cls.model_validate_json(orjson.dumps(plan))
        except ValidationError as error:
            raise _invalid_plan_error("The file is not a saved plan.", where) from error


def to_saved_models(plan: Plan) -> tuple[SavedModel, ...]:
    """Return the models of a plan as a saved plan holds them."""
    return tuple(
        SavedModel(name=model_plan.model.name, checksum=model_plan.model.checksum, digest=model_plan.digest)
        for model_plan in plan.models
    )


def to_saved_lists(plan: Plan) -> tuple[SavedList, ...]:
    """Return the lists of a plan as a saved plan holds them."""
    return tuple(
        SavedList(
            model=model_plan.model.name,
            list=list_plan.list_ref.name,
            list_id=list_plan.list_ref.id,
            figures=list_plan.figures(),
        )
        for model_plan, list_plan in plan.list_plans()
    )


def _compute_digest(content: Mapping[str, Any]) -> str:
    return hashlib.sha256(orjson.dumps(content, option=orjson.OPT_SORT_KEYS)).hexdigest()


def _invalid_plan_error(summary: str, where: str) -> UsageError:
    return UsageError.of(summary, where=where, hint="Save a new plan: reverse-etl plan --out FILE")
