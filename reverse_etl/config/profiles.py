"""profiles.yml: found where dbt finds it, and read down to one target."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NoReturn

from reverse_etl.config.destinations import KEY_FIELDS, DestinationInput, KeyLocation, build_destination
from reverse_etl.config.target import Destination, Output, Target
from reverse_etl.dbt.project import DBT_PROJECT_FILE as DBT_FILE
from reverse_etl.dbt.project import DbtProject, read_dbt_project
from reverse_etl.domain.engine import Engine
from reverse_etl.errors import Problem, UsageError
from reverse_etl.parsing.jinja import TemplateError, render_value
from reverse_etl.parsing.suggestions import did_you_mean, find_nearest
from reverse_etl.parsing.validation import AdviceError, validate_mapping
from reverse_etl.parsing.variables import MissingVariableError, Var, make_env_var
from reverse_etl.parsing.yaml_document import KeyPath, YamlDocument, read_yaml

if TYPE_CHECKING:
    from collections.abc import Mapping

PROFILES_FILE: Final = "profiles.yml"
_DESTINATIONS: Final = "destinations"
_MIN_SECRET_LENGTH: Final = 6


def load_target(  # noqa: PLR0913 - what the command line's flags give
    project_dir: Path,
    *,
    profiles_dir: Path | None = None,
    profile: str | None = None,
    target: str | None = None,
    environ: Mapping[str, str],
    vars: Mapping[str, Any] | None = None,  # noqa: A002 - dbt's word
) -> Target:
    """Return the chosen target of the project's profile, rendered; nothing else of the file is.

    The file: `profiles_dir`, DBT_PROFILES_DIR, the current folder, the project's folder, `~/.dbt`. The
    profile: `profile`, DBT_PROFILE, dbt_project.yml's, the only one. The target: `target`, DBT_TARGET, the
    profile's `target`, `default`. `vars` are the command line's. Raises UsageError with everything that is
    wrong with the target.
    """
    if not project_dir.is_dir():
        summary = f"There is no folder {project_dir}."
        raise UsageError.of(summary, where="--project-dir", hint="Name the folder of your project.")
    dbt_project = read_dbt_project(project_dir, environ=environ, cli_vars=vars or {})
    document = read_yaml(find_profiles_file(project_dir, profiles_dir, environ))
    context = {"env_var": make_env_var(environ), "var": Var(vars or {})}
    reader = _ProfileReader(
        document, _choose_profile(document, profile, dbt_project, environ), context, environ
    )
    return reader.read_target(target)


def find_profiles_file(project_dir: Path, profiles_dir: Path | None, environ: Mapping[str, str]) -> Path:
    """Return the profiles.yml that a project uses, found as `load_target` says.

    Raises UsageError that says where it was looked for.
    """
    home = Path(environ["HOME"]) if environ.get("HOME") else None
    if profiles_dir or environ.get("DBT_PROFILES_DIR"):
        folders = [profiles_dir or Path(environ["DBT_PROFILES_DIR"]).expanduser()]
    else:
        folders = [Path.cwd(), project_dir, *([home / ".dbt"] if home else [])]
    for folder in folders:
        if (folder / PROFILES_FILE).is_file():
            return folder / PROFILES_FILE
    searched = ", ".join(dict.fromkeys(str(Path.cwd() / folder) for folder in folders))
    raise UsageError.of(
        f"There is no {PROFILES_FILE}.",
        where=f"looked in {searched}",
        hint=_parent_project_hint(project_dir)
        or "Write one with: reverse-etl init. Or say where it is: --profiles-dir FOLDER",
    )


def _parent_project_hint(folder: Path) -> str:
    """Return what to do where a project begins in a folder above; '' where none does."""
    for parent in folder.absolute().parents:
        if (parent / PROFILES_FILE).is_file() or (parent / DBT_FILE).is_file():
            return f"A project begins in {parent}: go there, or name it: --project-dir {parent}"
    return ""


def _choose_profile(
    document: YamlDocument, requested: str | None, dbt_project: DbtProject | None, environ: Mapping[str, str]
) -> str:
    if not isinstance(document.content, dict):
        raise UsageError.of(f"{PROFILES_FILE} is not a mapping of profiles.", where=document.locate_line(()))
    names = [str(name) for name in document.content if name != "config"]  # `config` is dbt's own, of old
    chosen = requested or environ.get("DBT_PROFILE") or (dbt_project.profile if dbt_project else None)
    if chosen:
        if chosen not in names:
            origin = "" if requested or environ.get("DBT_PROFILE") else ", which dbt_project.yml names"
            raise UsageError.of(
                f"There is no profile {chosen}{origin}.",
                where=document.locate_line(()),
                hint=did_you_mean(chosen, names),
            )
        return chosen
    match names:
        case [only]:
            return only
        case []:
            raise UsageError.of(
                f"{PROFILES_FILE} is empty.",
                where=document.locate_line(()),
                hint="Write it with: reverse-etl init",
            )
        case _:
            raise UsageError.of(
                f"{PROFILES_FILE} has several profiles.",
                where=document.locate_line(()),
                hint=f"Choose with --profile: {', '.join(names)}.",
            )


@dataclass(frozen=True)
class _ProfileReader:
    """One reading of one profile; `problems` and `warnings` gather what is wrong or doubtful."""

    document: YamlDocument
    profile: str
    context: Mapping[str, Any]
    environ: Mapping[str, str]
    problems: list[Problem] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)

    def read_target(self, requested: str | None) -> Target:
        profile_entry = self.document.content[self.profile]
        if not isinstance(profile_entry, dict) or not isinstance(profile_entry.get("outputs"), dict):
            nearest_key = find_nearest(
                "outputs", [str(key) for key in profile_entry or () if key not in ("target", _DESTINATIONS)]
            )
            hint = "As in dbt, write:\n  outputs:\n    trial: {type: duckdb, path: shop.duckdb}"
            if nearest_key and nearest_key != "outputs":
                hint = f"Did you mean outputs for {nearest_key}?"
            self.fail(f"Profile {self.profile} has no outputs.", (self.profile,), hint)
        name = self.choose_target_name(profile_entry, requested)
        context = {**self.context, "target": {"name": name, "profile_name": self.profile}}
        output = _TargetSection(self, (self.profile, "outputs", name), context).read_output()
        destination = None
        if not self.has_misspelt_key(profile_entry) and self.has_destination(profile_entry, name):
            destination = _TargetSection(
                self, (self.profile, _DESTINATIONS, name), context
            ).read_destination()
            self.check_output_fits(name, output, destination)
        if self.problems or output is None or destination is None:
            raise UsageError(*self.problems)
        return Target(self.profile, name, output, destination, self.document.path, tuple(self.warnings))

    def check_output_fits(self, name: str, output: Output | None, destination: Destination | None) -> None:
        """Add what of a destination its output has no use for."""
        if output and destination and output.type.database_is_a_file and destination.state_schema:
            self.add_problem(
                f"state_schema has no meaning with a {output.type} output, whose state is a file.",
                (self.profile, _DESTINATIONS, name, "state_schema"),
                "Remove it.",
            )

    def has_misspelt_key(self, profile_entry: Mapping[str, Any]) -> bool:
        """Return whether a key is nearly `destinations`; other unknown keys are left to dbt."""
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
        name = requested or self.environ.get("DBT_TARGET")
        if not name:
            try:
                name = str(render_value(str(profile_entry.get("target") or "default"), self.context))
            except TemplateError as error:
                self.fail(error.summary, (self.profile, "target"), error.hint)
        if name not in profile_entry["outputs"]:
            origin_text = (
                ", for which DBT_TARGET asks" if not requested and self.environ.get("DBT_TARGET") else ""
            )
            summary = f"Profile {self.profile} has no target {name}{origin_text}."
            self.fail(
                summary, (self.profile, "outputs"), did_you_mean(name, map(str, profile_entry["outputs"]))
            )
        return name

    def has_destination(self, profile_entry: Mapping[str, Any], name: str) -> bool:
        entries = profile_entry.get(_DESTINATIONS) or {}
        if isinstance(entries, dict) and name in entries:
            return True
        guess = find_nearest(name, map(str, entries)) if isinstance(entries, dict) else None
        lines = f"  {_DESTINATIONS}:\n" if not entries else ""
        hint = (
            f"A destination has its target's name; there is one called {guess}."
            if guess
            else f"Beside its outputs, write:\n{lines}    {name}: {{type: klaviyo, sandbox: true}}\n"
            "The sandbox is a stand-in on this machine; without `sandbox: true` it is the real Klaviyo."
        )
        self.add_problem(
            f"Target {name} has no destination.",
            (self.profile, _DESTINATIONS) if entries else (self.profile,),
            hint,
        )
        return False

    def add_problem(self, summary: str, path: KeyPath, hint: str) -> None:
        self.problems.append(Problem(summary, self.document.locate_key(path), hint))

    def fail(self, summary: str, path: KeyPath, hint: str) -> NoReturn:
        raise UsageError.of(summary, where=self.document.locate_key(path), hint=hint)


@dataclass(frozen=True)
class _TargetSection:
    """The entry of one target, rendered value by value; each method returns None where it adds a problem."""

    reader: _ProfileReader
    path: KeyPath
    context: Mapping[str, Any]

    def read_output(self) -> Output | None:
        settings = self.render(self.raw_value(), ())
        if not isinstance(settings, dict):
            self.add_problem("An output is a mapping.", (), "Write {type: duckdb, path: shop.duckdb}.")
            return None
        engine_type = settings.get("type")
        engine_names = [str(engine) for engine in Engine]
        if engine_type not in engine_names:
            summary = (
                f"The type of an output cannot be {engine_type!r}."
                if engine_type
                else "The output has no type."
            )
            self.add_problem(summary, ("type",), did_you_mean(str(engine_type or ""), engine_names))
            return None
        engine = Engine(engine_type)
        if engine.database_is_a_file and settings.get("path", ":memory:") in (None, ":memory:"):
            self.add_problem(
                f"The {engine} output has no file: what dbt builds in memory is gone when dbt ends.",
                ("path",),
                "Write path: shop.duckdb, the file that dbt builds.",
            )
            return None
        locations = {key: self.locate((key,)) for key in ("path", "schema") if key in settings}
        return Output(engine, settings, locations)

    def read_destination(self) -> Destination | None:
        raw_entry = self.raw_value()
        if not isinstance(raw_entry, dict):
            self.add_problem("A destination is a mapping.", (), "Write {type: klaviyo}.")
            return None
        problem_count = len(self.reader.problems)
        entry = self.drop_key_fields(raw_entry)
        missing_reason = self.extract_missing_key(entry)
        rendered = self.render(entry, ())
        if len(self.reader.problems) > problem_count:
            return None
        destination_input, destination_problems = validate_mapping(
            DestinationInput, rendered, mapping_name="a destination", locate=self.locate
        )
        self.reader.problems.extend(destination_problems)
        if destination_input is None:
            return None
        try:
            return build_destination(
                destination_input,
                self.reader.environ,
                KeyLocation(self.locate(("private_api_key",)), missing_reason),
            )
        except AdviceError as error:
            self.reader.problems.append(Problem(error.summary, "the environment", error.hint))
            return None

    def drop_key_fields(self, raw_entry: Mapping[Any, Any]) -> dict[str, Any]:
        """Return the entry; for a sandbox, which needs no key, without what would give one."""
        try:
            sandbox = render_value(str(raw_entry.get("sandbox", "")), self.context)
        except TemplateError:  # said when the whole is rendered
            sandbox = ""
        unneeded_keys = KEY_FIELDS if str(sandbox).lower() == "true" else ()
        return {str(key): value for key, value in raw_entry.items() if key not in unneeded_keys}

    def extract_missing_key(self, entry: dict[str, Any]) -> str:
        """Take out a key whose variable is not set, since a plan needs none; warn of a key in plain text."""
        raw = entry.get("private_api_key")
        if not isinstance(raw, str) or not raw.strip():
            return ""
        try:
            if render_value(raw, self.context) == raw:
                location = self.reader.document.locate_line((*self.path, "private_api_key"))
                self.reader.warnings.append(
                    f"{location}: the private key stands in the file. Take it from the environment instead."
                )
        except TemplateError as error:
            if isinstance(error.cause, MissingVariableError):
                del entry["private_api_key"]
                return f"the environment variable {error.cause.name} is not set"
        return ""

    def render(self, value: Any, path: KeyPath) -> Any:
        match value:
            case dict():
                return {str(key): self.render(item, (*path, str(key))) for key, item in value.items()}
            case list():
                return [self.render(item, (*path, index)) for index, item in enumerate(value)]
            case str():
                try:
                    return render_value(value, self.context)
                except TemplateError as error:
                    self.add_problem(*self.describe_error(error, path))
                    return ""
            case _:
                return value

    def describe_error(self, error: TemplateError, path: KeyPath) -> tuple[str, KeyPath, str]:
        """Return what to say of a value that cannot be rendered; no value of the environment is in it."""
        if error.undefined_name:
            return (
                f"{error.undefined_name} is undefined.",
                path,
                did_you_mean(error.undefined_name, self.context),
            )
        values = (value for value in self.reader.environ.values() if len(value) >= _MIN_SECRET_LENGTH)
        if error.cause is None and any(value in error.summary for value in values):
            return "The value cannot be rendered.", path, "Simplify the expression between {{ and }}."
        return error.summary, path, error.hint

    def raw_value(self) -> Any:
        value = self.reader.document.content
        for key in self.path:
            value = value[key]
        return value

    def locate(self, path: tuple[str | int, ...]) -> str:
        return self.reader.document.locate_key((*self.path, *path))

    def add_problem(self, summary: str, path: KeyPath, hint: str) -> None:
        self.reader.add_problem(summary, (*self.path, *path), hint)
