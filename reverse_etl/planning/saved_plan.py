"""A saved plan: `plan --out` writes it, `apply` runs exactly what it says, or nothing.

It holds counts, digests and the plan's options; no rows and no values of rows.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal, Self

import orjson
from pydantic import ConfigDict, Field, ValidationError, field_validator

from reverse_etl.dbt.gate import GateMode, GateOptions
from reverse_etl.errors import Problem, UsageError
from reverse_etl.formatting import format_count
from reverse_etl.parsing.validation import StrictModel
from reverse_etl.planning.lists import is_placeholder
from reverse_etl.planning.plan import FIGURES, PlanOptions
from reverse_etl.planning.violations import Allowances

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from reverse_etl.config.target import Target
    from reverse_etl.planning.plan import Plan

VERSION: Final = 2
_PLAN_AGAIN_HINT: Final = (
    "Nothing was sent. Plan again with the same options, review the plan and save it: "
    "reverse-etl plan --out FILE"
)


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
        """Raise ValueError if a figure is missing, so that a missing figure is never read as 0."""
        if missing := set(FIGURES) - figures.keys():
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
    limit: Annotated[int | None, Field(alias="limit", ge=1)]
    rekey: Annotated[tuple[str, ...], Field(alias="rekey")]
    allow_removes: Annotated[tuple[str, ...], Field(alias="allow_removes")]
    allow_adds: Annotated[tuple[str, ...], Field(alias="allow_adds")] = ()
    allow_updates: Annotated[tuple[str, ...], Field(alias="allow_updates")] = ()
    allow_rejected: Annotated[tuple[str, ...], Field(alias="allow_rejected")] = ()
    allow_new_lists: Annotated[tuple[str, ...], Field(alias="allow_new_lists")] = ()
    allow_request: Annotated[tuple[str, ...], Field(alias="allow_request")] = ()
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
            limit=options.limit,
            rekey=tuple(sorted(options.rekey)),
            allow_removes=tuple(sorted(allow.removes)),
            allow_adds=tuple(sorted(allow.adds)),
            allow_updates=tuple(sorted(allow.updates)),
            allow_rejected=tuple(sorted(allow.rejected)),
            allow_new_lists=tuple(sorted(allow.new_lists)),
            allow_request=tuple(sorted(allow.request)),
            dbt_gate="strict" if gate is GateMode.STRICT else gate is GateMode.ON,
            models=_to_saved_models(plan),
            lists=_to_saved_lists(plan),
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
            limit=self.limit,
            rekey=frozenset(self.rekey),
            with_digest=True,
            allow=Allowances(
                removes=self.allow_removes,
                adds=self.allow_adds,
                updates=self.allow_updates,
                rejected=self.allow_rejected,
                new_lists=self.allow_new_lists,
                request=self.allow_request,
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


def require_same_target(saved_plan: SavedPlan, target: Target) -> None:
    """Raise UsageError if a plan was made for another profile or target."""
    if (saved_plan.profile, saved_plan.destination_id) != (target.profile, target.destination_id):
        raise UsageError.of(
            f"The plan was made for the target {saved_plan.destination_id!r} of the profile "
            f"{saved_plan.profile!r}; "
            f"this is {target.destination_id!r} of {target.profile!r}.",
            hint="Remove --profile and --target, since apply takes them from the plan. "
            "Or save a new plan for this target.",
        )


def require_same_account(saved_plan: SavedPlan, account: str) -> None:
    """Raise UsageError if the key belongs to another account than the plan's."""
    if saved_plan.account not in {"", account}:
        raise UsageError.of(
            f"The plan was made for the Klaviyo account {saved_plan.account}; "
            f"the key belongs to the account {account}.",
            hint=f"Use a key of {saved_plan.account}, or save a new plan with this key.",
        )


def find_changed_models(saved_plan: SavedPlan, checksums: Mapping[str, str]) -> tuple[Problem, ...]:
    """Return a problem for each model that changed since the plan; `checksums` are today's, by name."""
    changed_names = [model.name for model in saved_plan.models if checksums.get(model.name) != model.checksum]
    verbs = {name: "changed" if name in checksums else "was removed" for name in changed_names}
    return tuple(
        Problem(
            f"The model {name} {verb} since the plan was saved.", f"model {name}", _PLAN_AGAIN_HINT, (name,)
        )
        for name, verb in verbs.items()
    )


def find_plan_drift(saved_plan: SavedPlan, plan: Plan) -> tuple[Problem, ...]:
    """Return how today's plan differs from a saved one; empty if they are equal, row by row."""
    nothing_to_send = not any(one.upserts or one.removes for _, one in plan.lists())
    hint = (
        f"The plan may have been applied already. {_PLAN_AGAIN_HINT}" if nothing_to_send else _PLAN_AGAIN_HINT
    )
    differences = [
        Problem(f"{entry.list or entry.model}: {difference}.", f"model {entry.model}", hint, (entry.model,))
        for saved_list, current_list in _pair_lists(saved_plan.lists, _to_saved_lists(plan))
        if (entry := current_list or saved_list)
        and (difference := _describe_difference(saved_list, current_list))
    ]
    if differences:
        return tuple(differences)
    digests = {model.name: model.digest for model in saved_plan.models}
    return tuple(
        Problem(
            f"{model.name} would send as many rows as planned, but different rows or values.",
            f"model {model.name}",
            hint,
            (model.name,),
        )
        for model in _to_saved_models(plan)
        if digests.get(model.name) != model.digest
    )


def _describe_difference(saved_list: SavedList | None, current_list: SavedList | None) -> str:
    """Return how a list differs from the saved plan, '' if it does not."""
    if saved_list is None:
        return "not in the plan"
    if current_list is None:
        return "no longer a list of this model"
    differences = [
        f"{name.replace('_', ' ')} {saved_rows:,}, now {current_rows:,}"
        for name, current_rows in current_list.figures.items()
        if (saved_rows := saved_list.figures[name]) != current_rows
    ]
    if saved_list.list_id != current_list.list_id:
        created = f"the list did not exist, now it is {current_list.list_id}"
        differences.insert(
            0,
            created
            if is_placeholder(saved_list.list_id)
            else f"list id {saved_list.list_id}, now {current_list.list_id}",
        )
    return "; ".join(differences)


def _pair_lists(
    saved_lists: Sequence[SavedList], current_lists: Sequence[SavedList]
) -> Iterator[tuple[SavedList | None, SavedList | None]]:
    """Yield pairs of a saved list and the current one: matched by list id, then by name."""
    saved_by_key, current_by_key = (
        {(saved_list.model, saved_list.list_id, saved_list.list): saved_list for saved_list in lists}
        for lists in (saved_lists, current_lists)
    )
    yield from ((saved_by_key[key], current_by_key[key]) for key in current_by_key if key in saved_by_key)
    unmatched = {
        (saved_list.model, saved_list.list): saved_list
        for key, saved_list in saved_by_key.items()
        if key not in current_by_key
    }
    yield from (
        (unmatched.pop((saved_list.model, saved_list.list), None), saved_list)
        for key, saved_list in current_by_key.items()
        if key not in saved_by_key
    )
    yield from ((saved_list, None) for saved_list in unmatched.values())


def _to_saved_models(plan: Plan) -> tuple[SavedModel, ...]:
    return tuple(
        SavedModel(name=model_plan.model.name, checksum=model_plan.model.checksum, digest=model_plan.digest)
        for model_plan in plan.models
    )


def _to_saved_lists(plan: Plan) -> tuple[SavedList, ...]:
    return tuple(
        SavedList(
            model=model_plan.model.name,
            list=list_plan.list_ref.name,
            list_id=list_plan.list_ref.id,
            figures=list_plan.figures(),
        )
        for model_plan, list_plan in plan.lists()
    )


def _compute_digest(content: Mapping[str, Any]) -> str:
    return hashlib.sha256(orjson.dumps(content, option=orjson.OPT_SORT_KEYS)).hexdigest()


def _invalid_plan_error(summary: str, where: str) -> UsageError:
    return UsageError.of(summary, where=where, hint="Save a new plan: reverse-etl plan --out FILE")
