"""Two days of the shop as steps, each a command with what happens before it; and what the steps left."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tests.cli.process import ended
from tests.contract.recorder import KEY
from tests.contract.shop import MODELS, Shop

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.contract.plain import Plain
    from tests.contract.recorder import Request

REFUSED = 3  # which prints no document
SECONDS = 100.0  # longer than any command takes here
SAVED = "saved.json"
ARTIFACTS = ("manifest.json", "run_results.json")
LOG = ("--log-format", "json", "--verbose")


@dataclass(frozen=True)
class Step:
    """A command, what happens before it, and the exit code that it ends with.

    `files` are those of the project that it leaves. With `logs`, stderr is JSON lines.
    """

    name: str
    command: tuple[str, ...]
    code: int = 0
    before: Callable[[Shop], object] = lambda _: None
    files: tuple[str, ...] = ()
    logs: bool = False

    def texts(self) -> tuple[str, ...]:
        """Return the names of what it leaves to compare."""
        log = (f"{self.name}.log",) if self.logs else ()
        document = () if self.code == REFUSED else (f"{self.name}.json",)
        return (*document, *log, *(f"{self.name}-{file}" for file in self.files))


def _klaviyo_refuses(shop: Shop) -> None:
    shop.klaviyo.fault(kind="invalid_rows", pattern="ida@", code="invalid", detail="The e-mail is blocked.")
    shop.klaviyo.fault(kind="refuse_rows", pattern="jo@", path="*", times=2)


def _list_is_edited(shop: Shop) -> None:
    """Somebody takes nia off a list; kim, whom nobody found, is back under the old e-mail."""
    klaviyo = shop.klaviyo
    vip = next(each["id"] for each in klaviyo.sandbox.lists() if each["name"] == "VIP")
    klaviyo.change_members("DELETE", vip, klaviyo.profile_id("nia@example.com"))
    klaviyo.change_profile(klaviyo.profile_id("kimberly@example.com"), email="kim@example.com")


def _most_leave(shop: Shop) -> None:
    shop.klaviyo.clock.sleep(3_600.0)
    select, config = MODELS["vip"]
    shop.model("vip", f"{select} and id < 0", **config)


STEPS = (
    Step("day1-debug", ("debug", "--json"), before=Shop.first_day),
    Step("day1-ls", ("ls", "--json")),
    Step("day1-compile", ("compile", "--json")),
    Step("day1-plan", ("plan", "--json"), logs=True),
    Step("day1-run", ("run", "--json"), 1, _klaviyo_refuses, files=ARTIFACTS, logs=True),
    Step("day1-status", ("status", "--json")),
    Step(
        "day2-plan",
        ("plan", "--json", "--show-values", "--out", SAVED, "--vars", "{day: 2}"),
        before=Shop.second_day,
        files=(SAVED,),
    ),
    Step("day2-apply", ("apply", SAVED, "--json"), 1, logs=True),
    Step("day2-status", ("status", "--json", "--show-values")),
    Step("day2-report", ("report", "--json")),
    Step("day2-reconcile", ("reconcile", "--json"), 1, _list_is_edited, logs=True),
    Step("day2-reconcile-mend", ("reconcile", "--mend", "--json"), 1),
    Step("day2-adopt-dry-run", ("adopt", "--select", "vip", "--dry-run", "--json")),
    Step("day2-adopt", ("adopt", "--select", "vip", "--json"), logs=True),
    Step("day2-retry", ("retry", "--json")),
    Step("day2-run", ("run", "--json"), 1),
    Step("day2-refused", ("run", "--json"), 3, _most_leave, files=ARTIFACTS, logs=True),
    Step("day2-last-status", ("status", "--json")),
)

# What has the warehouse's own SQL or types in it, and so is another on each.
OF_ENGINE = {
    "day1-debug.json",
    "day1-ls.json",
    "day1-compile.json",
    "day1-status.json",
    "day2-plan-saved.json",
    *(f"{step}-{name}" for step in ("day1-run", "day2-refused") for name in ARTIFACTS),
}


@dataclass
class Story:
    """What the steps left: texts by the name of their gold file, and the requests by the name of the step."""

    texts: dict[str, str] = field(default_factory=dict)
    requests: dict[str, list[Request]] = field(default_factory=dict)


def play(shop: Shop, plain: Plain) -> Story:
    """Run the steps in their order."""
    story = Story()
    shop.set_up()
    for step in STEPS:
        step.before(shop)
        command = (*step.command, "--threads", "1", *(LOG if step.logs else ()))
        shop.klaviyo.taken()
        out, err, code = ended(command, shop.folder, environment(shop.folder), SECONDS)
        assert code == step.code, f"{step.name}: {code}\n{out}\n{err}"
        story.requests[step.name] = shop.klaviyo.taken()
        if out:
            story.texts[f"{step.name}.json"] = plain.document(out)
        if step.logs:
            story.texts[f"{step.name}.log"] = plain.lines(err)
        for name in step.files:
            path = shop.folder / name if name == SAVED else shop.folder / "target/reverse_etl" / name
            story.texts[f"{step.name}-{name}"] = plain.document(path.read_text(encoding="utf-8"))
    return story


def environment(folder: Path) -> dict[str, str]:
    """Return all that a command has for its environment."""
    return {
        "PATH": os.environ["PATH"],
        "HOME": str(folder),
        "LANG": "C.UTF-8",
        "DESTINATIONS__KLAVIYO__PRIVATE_API_KEY": KEY,
    }
