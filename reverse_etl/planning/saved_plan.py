"""A saved plan: what `plan --out` writes, and `apply` carries out as it is, or not at all. Pure.

It holds counts, digests and what was asked for; no row, and no value of one.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Annotated, Any, Final, Self

import orjson
from pydantic import ConfigDict, Field, ValidationError, field_validator

from reverse_etl.errors import Problem, UsageError
from reverse_etl.formatting import counted
from reverse_etl.parsing.validation import Strict
from reverse_etl.planning.lists import is_new
from reverse_etl.planning.plan import FIGURES, Wish

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

    from reverse_etl.config.target import Target
    from reverse_etl.planning.plan import Plan

VERSION: Final = 1
# What the table of a plan calls some of its figures.
_COLUMNS: Final = {
    "desired": "rows",
    "known": "before",
    "held_back": "held",
    "rejected_by_checks": "rejected",
}
_AGAIN: Final = (
    "Nothing was sent. See what would be sent now, and save it with the same flags: "
    "reverse-etl plan --out FILE"
)


class _Saved(Strict):
    """A part of the file. A field's alias is its key there, which changes only with the version."""

    model_config = ConfigDict(populate_by_name=True)


class SavedModel(_Saved):
    """A model of a saved plan: its SQL and config by their checksum, its rows and their values by a seal."""

    name: Annotated[str, Field(alias="name")]
    checksum: Annotated[str, Field(alias="checksum")]
    seal: Annotated[str, Field(alias="seal")]


class SavedList(_Saved):
    """A list of a saved plan with its figures, named as every report names them."""

    model: Annotated[str, Field(alias="model")]
    list: Annotated[str, Field(alias="list")]
    list_id: Annotated[str, Field(alias="list_id")]
    figures: Annotated[dict[str, int], Field(alias="figures")]

    @field_validator("figures")
    @classmethod
    def each_figure_is_there(cls, figures: dict[str, int]) -> dict[str, int]:
        """Raise ValueError where a figure is missing, so that none is read as 0."""
        if missing := set(FIGURES) - figures.keys():
            raise ValueError(f"figures without {', '.join(sorted(missing))}")
        return figures


class SavedPlan(_Saved):
    """A plan that can be applied: where it goes, what was asked for, and what it comes to.

    `account` is '' for a sandbox that had not begun. `vars` is YAML, as it was written.
    """

    version: Annotated[int, Field(alias="version")]
    made_at: Annotated[str, Field(alias="made_at", pattern=r"^[0-9TZ:.-]*$")]  # it is printed as it is read
    profile: Annotated[str, Field(alias="profile")]
    target: Annotated[str, Field(alias="target")]
    place: Annotated[str, Field(alias="place")]
    account: Annotated[str, Field(alias="account")]
    vars: Annotated[str, Field(alias="vars")]
    full_refresh: Annotated[bool, Field(alias="full_refresh")]
    limit: Annotated[int | None, Field(alias="limit", ge=1)]
    rekey: Annotated[tuple[str, ...], Field(alias="rekey")]
    allow_removes: Annotated[tuple[str, ...], Field(alias="allow_removes")]
    dbt_gate: Annotated[bool, Field(alias="dbt_gate")]
    models: Annotated[tuple[SavedModel, ...], Field(alias="models")]
    lists: Annotated[tuple[SavedList, ...], Field(alias="lists")]

    @field_validator("models")
    @classmethod
    def each_model_once(cls, models: tuple[SavedModel, ...]) -> tuple[SavedModel, ...]:
        """Raise ValueError where a model is named twice, or none is."""
        if not models or len({model.name for model in models}) < len(models):
            raise ValueError("models")
        return models

    @classmethod
    def of(  # noqa: PLR0913 - what a plan was asked for
        cls,
        plan: Plan,
        target: Target,
        *,
        wish: Wish,
        made_at: str,
        vars: str = "{}",  # noqa: A002 - dbt's word
        allow_removes: Collection[str] = (),
        dbt_gate: bool = True,
    ) -> Self:
        """Return a sealed plan with what it was asked for."""
        return cls(
            version=VERSION,
            made_at=made_at,
            profile=target.profile,
            target=target.name,
            place=target.place,
            account=plan.account,
            vars=vars,
            full_refresh=wish.full_refresh,
            limit=wish.limit,
            rekey=tuple(sorted(wish.rekey)),
            allow_removes=tuple(sorted(allow_removes)),
            dbt_gate=dbt_gate,
            models=_models(plan),
            lists=_lists(plan),
        )

    @property
    def wish(self) -> Wish:
        """Return what was asked of the plan."""
        return Wish(
            full_refresh=self.full_refresh, limit=self.limit, rekey=frozenset(self.rekey), sealed=True
        )

    @property
    def names(self) -> tuple[str, ...]:
        """Return the names of the models, in the order of the run."""
        return tuple(model.name for model in self.models)

    @property
    def line(self) -> str:
        """Return what it comes to, in a line."""
        ops = ("add", "update", "remove")
        changes = (counted(sum(one.figures[f"{op}s"] for one in self.lists), op) for op in ops)
        return f"{', '.join(changes)} on {counted(len(self.lists), 'list')}, saved {self.made_at}"

    def written(self) -> bytes:
        """Return the plan as a file, with a digest over all of it."""
        content = self.model_dump(mode="json", by_alias=True)
        file = {"digest": _digest(content), "plan": content}
        return orjson.dumps(file, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)

    @classmethod
    def read(cls, content: bytes, where: str) -> Self:
        """Return the plan of a file.

        Raises UsageError for what `written` did not make, or was changed since.
        """
        try:
            file = orjson.loads(content)
            digest, plan = file["digest"], file["plan"]
            version = plan["version"]
        except (ValueError, TypeError, KeyError) as error:
            raise _no_plan("This is no saved plan.", where) from error
        if version != VERSION:
            raise _no_plan(f"The plan's version is {version!r}; this reverse_etl knows {VERSION}.", where)
        if digest != _digest(plan):
            raise _no_plan("The plan was changed after it was saved.", where)
        try:
            return cls.model_validate_json(orjson.dumps(plan))
        except ValidationError as error:
            raise _no_plan("This is no saved plan.", where) from error


def refuse_elsewhere(saved: SavedPlan, target: Target) -> None:
    """Raise UsageError where a plan was made for another profile, target or place than is to be sent to."""
    if (saved.profile, saved.place) != (target.profile, target.place):
        raise UsageError.of(
            f"The plan was made for the target {saved.place!r} of the profile {saved.profile!r}; "
            f"this is {target.place!r} of {target.profile!r}.",
            advice="Leave out --profile and --target: apply takes them from the plan. "
            "Or save a plan for this target.",
        )


def refuse_other_account(saved: SavedPlan, account: str) -> None:
    """Raise UsageError where the key is of another account than the plan's."""
    if saved.account not in {"", account}:
        raise UsageError.of(
            f"The plan was made for the Klaviyo account {saved.account}; the key is one of {account}.",
            advice="Give the key of that account, or save a plan with this one.",
        )


def stale(saved: SavedPlan, checksums: Mapping[str, str]) -> tuple[Problem, ...]:
    """Return why models are not those of a plan; `checksums` are those of today, by name."""
    others = [model.name for model in saved.models if checksums.get(model.name) != model.checksum]
    became = {name: "changed" if name in checksums else "was taken away" for name in others}
    return tuple(
        Problem(f"The model {name} {what} since the plan was saved.", f"model {name}", _AGAIN, (name,))
        for name, what in became.items()
    )


def moved(saved: SavedPlan, plan: Plan) -> tuple[Problem, ...]:
    """Return what a plan of now has otherwise than a saved one; nothing where it is the same, row for row."""
    done = not any(one.upserts or one.removes for _, one in plan.lists())
    advice = f"It may have been applied already. {_AGAIN}" if done else _AGAIN
    others = [
        Problem(f"{one.list or one.model}: {said}.", f"model {one.model}", advice, (one.model,))
        for was, now in _paired(saved.lists, _lists(plan))
        if (one := now or was) and (said := _difference(was, now))
    ]
    if others:
        return tuple(others)
    seals = {model.name: model.seal for model in saved.models}
    return tuple(
        Problem(
            f"{model.name} would send as many rows as planned, but other ones, or other values.",
            f"model {model.name}",
            advice,
            (model.name,),
        )
        for model in _models(plan)
        if seals.get(model.name) != model.seal
    )


def _difference(was: SavedList | None, now: SavedList | None) -> str:
    """Return what is otherwise with a list, '' where nothing is."""
    if was is None:
        return "not in the plan"
    if now is None:
        return "no list of this model any more"
    said = [
        f"{_COLUMNS.get(name, name)} {before:,}, now {rows:,}"
        for name, rows in now.figures.items()
        if (before := was.figures[name]) != rows
    ]
    if was.list_id != now.list_id:
        created = f"the list, {now.list_id}, was yet to be created"
        said.insert(0, created if is_new(was.list_id) else f"the list {was.list_id} then, now {now.list_id}")
    return "; ".join(said)


def _paired(
    then: Sequence[SavedList], now: Sequence[SavedList]
) -> Iterator[tuple[SavedList | None, SavedList | None]]:
    """Yield each list as it was then and is now: by its id; what is left, by its name, which two may have."""
    before, after = ({(one.model, one.list_id, one.list): one for one in lists} for lists in (then, now))
    yield from ((before[key], after[key]) for key in after if key in before)
    left = {(one.model, one.list): one for key, one in before.items() if key not in after}
    yield from (
        (left.pop((one.model, one.list), None), one) for key, one in after.items() if key not in before
    )
    yield from ((one, None) for one in left.values())


def _models(plan: Plan) -> tuple[SavedModel, ...]:
    return tuple(
        SavedModel(name=each.model.name, checksum=each.model.checksum, seal=each.seal) for each in plan.models
    )


def _lists(plan: Plan) -> tuple[SavedList, ...]:
    return tuple(
        SavedList(model=model.model.name, list=one.list.name, list_id=one.list.id, figures=one.figures())
        for model, one in plan.lists()
    )


def _digest(content: Mapping[str, Any]) -> str:
    return hashlib.sha256(orjson.dumps(content, option=orjson.OPT_SORT_KEYS)).hexdigest()


def _no_plan(what: str, where: str) -> UsageError:
    return UsageError.of(what, where=where, advice="Save one anew: reverse-etl plan --out FILE")
