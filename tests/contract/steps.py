"""Three days of the shop as steps: a command, what happens before it, and what is compared afterwards."""

from __future__ import annotations

import signal
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tests.contract.shop import MODELS, Shop

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.contract.recorder import Request
    from tests.contract.state_dump import Engine

REFUSED = 3  # the exit code of a run that a guard stops; it prints no document
KILLED = -signal.SIGKILL
SAVED = "saved.json"
ARTIFACTS = ("manifest.json", "run_results.json")
HOUR = 3_600.0


@dataclass(frozen=True)
class Step:
    """A command, what happens before it, and the exit code that it ends with.

    `sends`: whether it sends requests. `logs`: whether to compare stderr, as JSON lines. `files`: files that
    it writes. `state`: whether to compare the state afterwards. `killed_at` decides from the requests so far
    whether to kill it. `engines`: the warehouses on which it is run.
    """

    name: str
    command: tuple[str, ...]
    code: int = 0
    before: Callable[[Shop], object] = lambda _: None
    sends: bool = True
    logs: bool = False
    files: tuple[str, ...] = ()
    state: bool = False
    killed_at: Callable[[list[Request]], bool] | None = None
    engines: tuple[Engine, ...] = ("duckdb", "snowflake")

    @property
    def texts(self) -> tuple[str, ...]:
        """Return the names of what is compared after it."""
        return (
            *((f"{self.name}.http",) if self.sends else ()),
            *(() if self.code in {REFUSED, KILLED} else (f"{self.name}.json",)),
            *((f"{self.name}.log",) if self.logs else ()),
            *(f"{self.name}-{file}" for file in self.files),
            *((self.dump,) if self.state else ()),
        )

    @property
    def dump(self) -> str:
        """Return the name of the state after it."""
        return f"{self.name}-state.sql"


def _klaviyo_refuses_rows(shop: Shop) -> None:
    shop.klaviyo.fault(kind="invalid_rows", pattern="ida@", code="invalid", detail="The e-mail is blocked.")
    shop.klaviyo.fault(kind="refuse_rows", pattern="jo@", path="*", times=2)


def _a_list_is_edited(shop: Shop) -> None:
    """Somebody removes Nia from a list; Kim, who was not found, has the old e-mail again."""
    klaviyo = shop.klaviyo
    vip = next(each["id"] for each in klaviyo.sandbox.lists() if each["name"] == "VIP")
    klaviyo.change_members("DELETE", vip, klaviyo.profile_id("nia@example.com"))
    klaviyo.change_profile(klaviyo.profile_id("kimberly@example.com"), email="kim@example.com")


def _a_model_is_empty(shop: Shop) -> None:
    shop.klaviyo.clock.sleep(HOUR)
    select, config = MODELS["vip"]
    shop.model("vip", f"{select} and id < 0", **config)


def _a_model_is_new(shop: Shop) -> None:
    shop.third_day()
    select = "select email from {{ ref('customers') }} where id = 1"
    shop.model("juice", select, surface="list_memberships", list="Juice")


def _is_creating(requests: list[Request]) -> bool:
    """Return whether a list is being created."""
    return (requests[-1].method, requests[-1].target) == ("POST", "/api/lists")


def _is_importing(requests: list[Request]) -> bool:
    """Return whether rows are being sent."""
    return requests[-1].method == "POST" and b"profile-bulk-import-job" in requests[-1].body


def _is_waiting_for_ann(requests: list[Request]) -> bool:
    """Return whether Ann was sent, and the job of her import is asked for."""
    return requests[-1].method == "GET" and any(b"ann@" in request.body for request in requests)


def _the_lease_expires(shop: Shop) -> None:
    shop.warehouse.end_lease()


def _an_hour_passes(shop: Shop) -> None:
    shop.warehouse.end_lease()
    shop.klaviyo.clock.sleep(HOUR)


# A step that runs on one engine only is covered on the other by a similar step.
DUCKDB: tuple[Engine, ...] = ("duckdb",)
STEPS = (
    Step("day1-debug", ("debug", "--json"), engines=DUCKDB),
    Step("day1-ls", ("ls", "--json"), sends=False),
    Step("day1-compile", ("compile", "--json"), sends=False),
    Step("day1-plan", ("plan", "--json"), logs=True, engines=DUCKDB),
    Step("day1-run", ("run", "--json"), 1, _klaviyo_refuses_rows, logs=True, files=ARTIFACTS),
    Step("day1-status", ("status", "--json"), sends=False),
    Step(
        "day2-plan",
        ("plan", "--json", "--show-values", "--out", SAVED, "--vars", "{day: 2}"),
        before=Shop.second_day,
        files=(SAVED,),
    ),
    Step("day2-apply", ("apply", SAVED, "--json"), 1, logs=True),
    Step("day2-status", ("status", "--json", "--show-values"), sends=False, engines=DUCKDB),
    Step("day2-report", ("report", "--json"), sends=False, engines=DUCKDB),
    Step("day2-reconcile-resend", ("reconcile", "--resend", "--json"), 1, _a_list_is_edited, logs=True),
    Step("day2-reconcile", ("reconcile", "--json"), 1, engines=DUCKDB),
    Step("day2-adopt-dry-run", ("adopt", "--select", "vip", "--dry-run", "--json"), engines=DUCKDB),
    Step("day2-adopt", ("adopt", "--select", "vip", "--json"), logs=True),
    Step("day2-retry", ("retry", "--json"), sends=False),
    Step("day2-killed-sending", ("run", "--json"), KILLED, killed_at=_is_importing),
    Step("day2-run", ("run", "--json"), 1, _the_lease_expires),
    Step(
        "day2-refused",
        ("run", "--select", "vip", "--json"),
        REFUSED,
        _a_model_is_empty,
        logs=True,
        files=ARTIFACTS,
        state=True,
    ),
    Step("day2-refused-status", ("status", "--json"), sends=False),
    Step(
        "day3-killed-creating", ("run", "--select", "juice"), KILLED, _a_model_is_new, killed_at=_is_creating
    ),
    Step(
        "day3-killed-importing",
        ("run", "--select", "clubs"),
        KILLED,
        _the_lease_expires,
        state=True,
        killed_at=_is_waiting_for_ann,
    ),
    Step("day3-status", ("status", "--json"), sends=False),
    Step("day3-report", ("report", "--json"), sends=False),
    Step("day3-plan", ("plan", "--json"), engines=DUCKDB),
    Step("day3-run", ("run", "--json"), 1, _an_hour_passes, logs=True, state=True),
)
# Texts with the warehouse's own SQL or names, which differ between engines.
OF_ENGINE = {
    "day1-ls.json",
    "day1-compile.json",
    "day1-status.json",
    "day2-plan-saved.json",
    *(f"{name}-{file}" for name in ("day1-run", "day2-refused") for file in ARTIFACTS),
    *(step.dump for step in STEPS if step.state),
}
