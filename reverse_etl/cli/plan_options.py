"""The options of a plan, and the values that a command makes of them."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

import click

from reverse_etl.cli.completions import complete_models
from reverse_etl.cli.options import Command, Option, add_selection_flags
from reverse_etl.dbt.findings import GateMode, GateOptions
from reverse_etl.errors import UsageError
from reverse_etl.planning.plan_options import PlanOptions
from reverse_etl.planning.profile_forecast import LOOKED_UP_PEOPLE
from reverse_etl.planning.violations import Allowances

if TYPE_CHECKING:
    from collections.abc import Callable


def _models_option(name: str, text: str, *, metavar: str = "MODEL") -> Option:
    return click.option(
        name,
        multiple=True,
        metavar=metavar,
        shell_complete=complete_models,
        help=f"{text} Repeatable.",
    )


_PLAN_OPTIONS = (
    click.option(
        "--full-refresh",
        is_flag=True,
        help="Send every row again. The snapshot stays, so removals still work. Rows that this run does not "
        "send are sent by the next ones.",
    ),
    click.option(
        "--full-comparison",
        is_flag=True,
        help="Read every model and compare every row, whatever skip_unchanged and updated_at say.",
    ),
    click.option(
        "--limit", type=click.IntRange(1), help="Send at most N rows and remove nobody: for a first try."
    ),
    _models_option("--allow-removes", "Let this model pass the guards min_rows and max_removes in this run."),
    _models_option("--allow-adds", "Let this model pass the guard max_adds in this run."),
    _models_option("--allow-updates", "Let this model pass the guard max_updates in this run."),
    _models_option("--allow-rejected", "Let this model pass the guard max_rejected in this run."),
    _models_option("--allow-new-lists", "Let this model create more than 5 lists in this run."),
    _models_option(
        "--allow-request", "Let this model send unsafe requests, or more than max_requests, in this run."
    ),
    _models_option("--allow-clears", "Let this model pass the guard max_clears in this run."),
    click.option(
        "--live-since",
        metavar="TIME",
        help="Let events start flows from this time on, as 2026-11-30T08:00:00Z: for the selected models of "
        "events, where the state can't know what was sent before.",
    ),
    click.option(
        "--new-profiles",
        type=click.IntRange(0),
        metavar="N",
        help="Look up N people, to say how many profiles the plan would create; 0 asks nothing. "
        f"[default: {LOOKED_UP_PEOPLE}]",
    ),
    _models_option("--allow-resubscribe", "Let this model subscribe up to 10 people again who unsubscribed."),
    _models_option(
        "--allow-deletes",
        "Let this model delete people for good in this run: at most N, or 10.",
        metavar="MODEL[=N]",
    ),
    _models_option("--rekey", "Accept that this model's identifiers changed."),
    click.option(
        "--no-dbt-gate", is_flag=True, help="Don't check dbt's results for the tables that the models read."
    ),
    click.option("--strict-gate", is_flag=True, help="Also stop models whose tables have no dbt result."),
    click.option(
        "--dbt-exit-code",
        type=int,
        metavar="CODE",
        help="Exit code of the last dbt command. If it failed without results, models are stopped.",
    ),
)


@dataclass(frozen=True)
class PlanFlags:
    """The values of the options that `plan` and `run` share."""

    select: tuple[str, ...]
    exclude: tuple[str, ...]
    full_refresh: bool
    full_comparison: bool
    limit: int | None
    allow_removes: tuple[str, ...]
    allow_adds: tuple[str, ...]
    allow_updates: tuple[str, ...]
    allow_rejected: tuple[str, ...]
    allow_new_lists: tuple[str, ...]
    allow_request: tuple[str, ...]
    allow_clears: tuple[str, ...]
    new_profiles: int | None
    live_since: str | None
    allow_resubscribe: tuple[str, ...]
    allow_deletes: tuple[str, ...]
    rekey: tuple[str, ...]
    no_dbt_gate: bool
    strict_gate: bool
    dbt_exit_code: int | None
    show_values: bool
    as_json: bool

    @property
    def gate(self) -> GateOptions:
        """Return what is asked of the gate behind dbt. Raises UsageError where the flags contradict."""
        if self.no_dbt_gate and (self.strict_gate or self.dbt_exit_code is not None):
            raise UsageError.of(
                "--no-dbt-gate conflicts with --strict-gate and --dbt-exit-code.",
                where="--no-dbt-gate",
                hint="Remove --no-dbt-gate, or the other options.",
            )
        mode = GateMode.STRICT if self.strict_gate else GateMode.ON
        return GateOptions(GateMode.OFF if self.no_dbt_gate else mode, self.dbt_exit_code)

    @property
    def options(self) -> PlanOptions:
        """Return the options that change the plan itself."""
        return PlanOptions(
            full_refresh=self.full_refresh,
            full_comparison=self.full_comparison,
            limit=self.limit,
            rekey=frozenset(self.rekey),
            live_since=_parse_time(self.live_since) if self.live_since else None,
            allow=Allowances(
                removes=self.allow_removes,
                adds=self.allow_adds,
                updates=self.allow_updates,
                rejected=self.allow_rejected,
                new_lists=self.allow_new_lists,
                request=self.allow_request,
                clears=self.allow_clears,
                resubscribe=self.allow_resubscribe,
                deletes=dict(map(_parse_deletes, self.allow_deletes)),
            ),
        )


def _parse_time(text: str) -> datetime:
    """Return the time of an option. Raises UsageError for one without a zone."""
    with suppress(ValueError):
        time = datetime.fromisoformat(text)
        if time.tzinfo is not None:
            return time
    raise UsageError.of(
        f"{text!r} is not a time with a zone.",
        where="--live-since",
        hint="For example: 2026-11-30T08:00:00Z",
    )


def _parse_deletes(value: str) -> tuple[str, int | None]:
    """Return the model of `--allow-deletes`, and the most people. Raises UsageError for a wrong number."""
    model, has_number, number = value.partition("=")
    if not has_number:
        return model, None
    if not number.isascii() or not number.isdigit() or not int(number):
        raise UsageError.of(
            f"{number!r} is not a number of people above 0.",
            where=f"--allow-deletes {value}",
            hint=f"For example: --allow-deletes {model}=20",
        )
    return model, int(number)


def plan_options(*extra_options: Option) -> Callable[[Command], Command]:
    """Add the options of a plan; the command receives them as one `PlanFlags`.

    `extra_options` are listed before the options that format the output.
    """
    return lambda command: add_selection_flags(PlanFlags, (*_PLAN_OPTIONS, *extra_options), command)
