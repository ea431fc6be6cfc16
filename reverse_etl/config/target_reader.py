"""Read one profile: choose its target, and collect everything that is wrong with it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, NoReturn

from reverse_etl.config.output_rules import output_rules
from reverse_etl.config.secret_variables import find_secret_variables
from reverse_etl.config.target import Destination, Output, Target
from reverse_etl.config.target_section import TargetSection
from reverse_etl.errors import Problem, UsageError
from reverse_etl.parsing.jinja import TemplateError, render_value
from reverse_etl.parsing.suggestions import did_you_mean, find_nearest

if TYPE_CHECKING:
    from collections.abc import Mapping

    from reverse_etl.parsing.yaml_document import KeyPath, YamlDocument

_DESTINATIONS: Final = "destinations"


@dataclass(frozen=True)
class ProfileReader:
    """Reads one profile, and collects problems and warnings."""

    document: YamlDocument
    profile: str
    context: Mapping[str, Any]
    environ: Mapping[str, str]
    problems: list[Problem] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)

    def read_target(self, requested: str | None) -> Target:
        """Return the target `requested`, or the default one. Raises UsageError with all problems."""
        profile_entry = self.document.content[self.profile]
        if not isinstance(profile_entry, dict) or not isinstance(profile_entry.get("outputs"), dict):
            nearest_key = find_nearest(
                "outputs", [str(key) for key in profile_entry or () if key not in ("target", _DESTINATIONS)]
            )
            hint = "Add them, as in dbt:\n  outputs:\n    trial: {type: duckdb, path: shop.duckdb}"
            if nearest_key and nearest_key != "outputs":
                hint = f"Did you mean outputs for {nearest_key}?"
            self.fail(f"Profile {self.profile} has no outputs.", (self.profile,), hint)
        name = self.choose_target_name(profile_entry, requested)
        context = {**self.context, "target": {"name": name, "profile_name": self.profile}}
        output = self.section("outputs", name, context).read_output()
        destination = None
        if not self.has_misspelt_key(profile_entry) and self.has_destination(profile_entry, name):
            destination = self.section(_DESTINATIONS, name, context).read_destination()
            self.check_output_fits(name, output, destination)
        if self.problems or output is None or destination is None:
            raise UsageError(*self.problems)
        return Target(
            self.profile,
            name,
            output,
            destination,
            self.document.path,
            tuple(self.warnings),
            find_secret_variables(profile_entry, context, self.environ),
        )

    def section(self, key: str, name: str, context: Mapping[str, Any]) -> TargetSection:
        """Return the reader of one target's entry."""
        path = (self.profile, key, name)
        return TargetSection(self.document, self.environ, self.problems, self.warnings, path, context)

    def check_output_fits(self, name: str, output: Output | None, destination: Destination | None) -> None:
        """Add a problem for each key of the destination that its output does not support."""
        if output is None or destination is None:
            return
        options = destination.warehouse_options
        for key, (reason, advice) in output_rules(output.type).unsupported_options.items():
            if getattr(options, key):
                self.add_problem(
                    f"{key} cannot be used with a {output.type} output: {reason}.",
                    (self.profile, _DESTINATIONS, name, key),
                    advice,
                )

    def has_misspelt_key(self, profile_entry: Mapping[str, Any]) -> bool:
        """Return whether a key looks like a misspelt `destinations`, which is a problem.

        Other unknown keys belong to dbt.
        """
        if _DESTINATIONS in profile_entry:
            return False
        nearest_key = find_nearest(
            _DESTINATIONS, [str(key) for key in profile_entry if key not in ("target", "outputs")]
        )
        if nearest_key:
            self.add_problem(
                f"{nearest_key} is not a key of a profile.",
                (self.profile, nearest_key),
                f"Did you mean {_DESTINATIONS}?",
            )
        return nearest_key is not None

    def choose_target_name(self, profile_entry: Mapping[str, Any], requested: str | None) -> str:
        """Return the name of the target. Raises UsageError if the profile has no such target."""
        name = requested or self.environ.get("DBT_TARGET")
        if not name:
            try:
                name = str(render_value(str(profile_entry.get("target") or "default"), self.context))
            except TemplateError as error:
                self.fail(error.summary, (self.profile, "target"), error.hint)
        if name not in profile_entry["outputs"]:
            origin_text = (
                ", which DBT_TARGET names" if not requested and self.environ.get("DBT_TARGET") else ""
            )
            summary = f"Profile {self.profile} has no target {name}{origin_text}."
            self.fail(
                summary, (self.profile, "outputs"), did_you_mean(name, map(str, profile_entry["outputs"]))
            )
        return name

    def has_destination(self, profile_entry: Mapping[str, Any], name: str) -> bool:
        """Return whether the target has a destination; add a problem if it has none."""
        entries = profile_entry.get(_DESTINATIONS) or {}
        if isinstance(entries, dict) and name in entries:
            return True
        if self.has_nested_destinations(profile_entry, name):
            return False
        guess = find_nearest(name, map(str, entries)) if isinstance(entries, dict) else None
        lines = f"  {_DESTINATIONS}:\n" if not entries else ""
        hint = (
            f"A destination has the same name as its target. Did you mean {guess}?"
            if guess
            else f"Add one beside the outputs:\n{lines}    {name}: {{type: klaviyo, sandbox: true}}\n"
            "`sandbox: true` is a stand-in for Klaviyo on this machine. Without it, runs send to Klaviyo."
        )
        self.add_problem(
            f"Target {name} has no destination.",
            (self.profile, _DESTINATIONS) if entries else (self.profile,),
            hint,
        )
        return False

    def has_nested_destinations(self, profile_entry: Mapping[str, Any], name: str) -> bool:
        """Return whether `destinations` is nested too deep, or not below a profile, which is a problem."""
        outputs = profile_entry["outputs"]
        locations: list[tuple[KeyPath, Any]] = [
            ((self.profile, "outputs", name), outputs.get(name)),
            ((self.profile, "outputs"), outputs),
            ((), self.document.content),
        ]
        for path, mapping in locations:
            for key in (_DESTINATIONS, "destination"):
                if isinstance(mapping, dict) and key in mapping:
                    self.add_problem(
                        f"{key} is in the wrong place: it belongs to the profile, beside outputs.",
                        (*path, key),
                        f"Move it there, with an entry for the target:\n{self.profile}:\n  outputs: ...\n"
                        f"  {_DESTINATIONS}:\n    {name}: {{type: klaviyo, ...}}",
                    )
                    return True
        return False

    def add_problem(self, summary: str, path: KeyPath, hint: str) -> None:
        """Add a problem at a key path of profiles.yml."""
        self.problems.append(Problem(summary, self.document.locate_key(path), hint))

    def fail(self, summary: str, path: KeyPath, hint: str) -> NoReturn:
        """Raise UsageError for a problem after which nothing more can be read."""
        raise UsageError.of(summary, where=self.document.locate_key(path), hint=hint)
