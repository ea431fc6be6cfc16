"""profiles.yml: found where dbt finds it, and read down to one target."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NoReturn

from reverse_etl.config.destinations import KEY_FIELDS, KeyNote, WrittenDestination, destination_of
from reverse_etl.config.target import Destination, Output, Target
from reverse_etl.dbt.project import FILE as DBT_FILE
from reverse_etl.dbt.project import DbtProject, read_dbt_project
from reverse_etl.domain.engine import Engine
from reverse_etl.errors import Problem, UsageError
from reverse_etl.parsing.jinja import TemplateError, render_value
from reverse_etl.parsing.suggestions import choice, nearest
from reverse_etl.parsing.validation import Advised, check
from reverse_etl.parsing.variables import MissingVariableError, Var, env_var_of
from reverse_etl.parsing.yaml_document import Document, KeyPath, read_yaml

if TYPE_CHECKING:
    from collections.abc import Mapping

FILE: Final = "profiles.yml"
_OURS: Final = "destinations"
_SHORTEST_SECRET: Final = 6


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
        what = f"There is no folder {project_dir}."
        raise UsageError.of(what, where="--project-dir", advice="Name the folder of your project.")
    project = read_dbt_project(project_dir, environ=environ, cli_vars=vars or {})
    document = read_yaml(find_profiles(project_dir, profiles_dir, environ))
    context = {"env_var": env_var_of(environ), "var": Var(vars or {})}
    reading = _Reading(document, _choose_profile(document, profile, project, environ), context, environ)
    return reading.target(target)


def find_profiles(project_dir: Path, profiles_dir: Path | None, environ: Mapping[str, str]) -> Path:
    """Return the profiles.yml that a project uses, found as `load_target` says.

    Raises UsageError that says where it was looked for.
    """
    home = Path(environ["HOME"]) if environ.get("HOME") else None
    if profiles_dir or environ.get("DBT_PROFILES_DIR"):
        folders = [profiles_dir or Path(environ["DBT_PROFILES_DIR"]).expanduser()]
    else:
        folders = [Path.cwd(), project_dir, *([home / ".dbt"] if home else [])]
    for folder in folders:
        if (folder / FILE).is_file():
            return folder / FILE
    looked = ", ".join(dict.fromkeys(str(Path.cwd() / folder) for folder in folders))
    raise UsageError.of(
        f"There is no {FILE}.",
        where=f"looked in {looked}",
        advice=_begun_above(project_dir)
        or "Write one with: reverse-etl init. Or say where it is: --profiles-dir FOLDER",
    )


def _begun_above(folder: Path) -> str:
    """Return what to do where a project begins in a folder above; '' where none does."""
    for above in folder.absolute().parents:
        if (above / FILE).is_file() or (above / DBT_FILE).is_file():
            return f"A project begins in {above}: go there, or name it: --project-dir {above}"
    return ""


def _choose_profile(
    document: Document, asked: str | None, project: DbtProject | None, environ: Mapping[str, str]
) -> str:
    if not isinstance(document.content, dict):
        raise UsageError.of(f"{FILE} is not a mapping of profiles.", where=document.where(()))
    names = [str(name) for name in document.content if name != "config"]  # `config` is dbt's own, of old
    wanted = asked or environ.get("DBT_PROFILE") or (project.profile if project else None)
    if wanted:
        if wanted not in names:
            origin = "" if asked or environ.get("DBT_PROFILE") else ", which dbt_project.yml names"
            raise UsageError.of(
                f"There is no profile {wanted}{origin}.",
                where=document.where(()),
                advice=choice(wanted, names),
            )
        return wanted
    match names:
        case [only]:
            return only
        case []:
            raise UsageError.of(
                f"{FILE} is empty.", where=document.where(()), advice="Write it with: reverse-etl init"
            )
        case _:
            raise UsageError.of(
                f"{FILE} has several profiles.",
                where=document.where(()),
                advice=f"Choose with --profile: {', '.join(names)}.",
            )


@dataclass(frozen=True)
class _Reading:
    """One reading of one profile; `problems` and `warnings` gather what is wrong or doubtful."""

    document: Document
    profile: str
    context: Mapping[str, Any]
    environ: Mapping[str, str]
    problems: list[Problem] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)

    def target(self, asked: str | None) -> Target:
        written = self.document.content[self.profile]
        if not isinstance(written, dict) or not isinstance(written.get("outputs"), dict):
            near = nearest("outputs", [str(key) for key in written or () if key not in ("target", _OURS)])
            advice = "As in dbt, write:\n  outputs:\n    trial: {type: duckdb, path: shop.duckdb}"
            if near and near != "outputs":
                advice = f"Did you mean outputs for {near}?"
            self.fail(f"Profile {self.profile} has no outputs.", (self.profile,), advice)
        name = self.target_name(written, asked)
        context = {**self.context, "target": {"name": name, "profile_name": self.profile}}
        output = _Section(self, (self.profile, "outputs", name), context).output()
        destination = None
        if not self.misspelt(written) and self.has_destination(written, name):
            destination = _Section(self, (self.profile, _OURS, name), context).destination()
            self.fits(name, output, destination)
        if self.problems or output is None or destination is None:
            raise UsageError(*self.problems)
        return Target(self.profile, name, output, destination, self.document.path, tuple(self.warnings))

    def fits(self, name: str, output: Output | None, destination: Destination | None) -> None:
        """Add what of a destination its output has no use for."""
        if output and destination and output.type is Engine.DUCKDB and destination.state_schema:
            self.add(
                "state_schema has no meaning with a duckdb output, whose state is a file.",
                (self.profile, _OURS, name, "state_schema"),
                "Remove it.",
            )

    def misspelt(self, written: Mapping[str, Any]) -> bool:
        """Return whether a key is nearly `destinations`; other unknown keys are left to dbt."""
        if _OURS in written:
            return False
        near = nearest(_OURS, [str(key) for key in written if key not in ("target", "outputs")])
        if near:
            self.add(f"{near} is not a key of a profile.", (self.profile, near), f"Did you mean {_OURS}?")
        return near is not None

    def target_name(self, written: Mapping[str, Any], asked: str | None) -> str:
        name = asked or self.environ.get("DBT_TARGET")
        if not name:
            try:
                name = str(render_value(str(written.get("target") or "default"), self.context))
            except TemplateError as error:
                self.fail(error.what, (self.profile, "target"), error.advice)
        if name not in written["outputs"]:
            asks = ", for which DBT_TARGET asks" if not asked and self.environ.get("DBT_TARGET") else ""
            what = f"Profile {self.profile} has no target {name}{asks}."
            self.fail(what, (self.profile, "outputs"), choice(name, map(str, written["outputs"])))
        return name

    def has_destination(self, written: Mapping[str, Any], name: str) -> bool:
        entries = written.get(_OURS) or {}
        if isinstance(entries, dict) and name in entries:
            return True
        guess = nearest(name, map(str, entries)) if isinstance(entries, dict) else None
        lines = f"  {_OURS}:\n" if not entries else ""
        advice = (
            f"A destination has its target's name; there is one called {guess}."
            if guess
            else f"Beside its outputs, write:\n{lines}    {name}: {{type: klaviyo, sandbox: true}}\n"
            "The sandbox is a stand-in on this machine; without `sandbox: true` it is the real Klaviyo."
        )
        self.add(
            f"Target {name} has no destination.",
            (self.profile, _OURS) if entries else (self.profile,),
            advice,
        )
        return False

    def add(self, what: str, path: KeyPath, advice: str) -> None:
        self.problems.append(Problem(what, self.document.place(path), advice))

    def fail(self, what: str, path: KeyPath, advice: str) -> NoReturn:
        raise UsageError.of(what, where=self.document.place(path), advice=advice)


@dataclass(frozen=True)
class _Section:
    """The entry of one target, rendered value by value; each method returns None where it adds a problem."""

    reading: _Reading
    path: KeyPath
    context: Mapping[str, Any]

    def output(self) -> Output | None:
        settings = self.render(self.written(), ())
        if not isinstance(settings, dict):
            self.add("An output is a mapping.", (), "Write {type: duckdb, path: shop.duckdb}.")
            return None
        kind = settings.get("type")
        known = [str(each) for each in Engine]
        if kind not in known:
            said = f"The type of an output cannot be {kind!r}." if kind else "The output has no type."
            self.add(said, ("type",), choice(str(kind or ""), known))
            return None
        if kind == "duckdb" and settings.get("path", ":memory:") in (None, ":memory:"):
            self.add(
                "The duckdb output has no file: what dbt builds in memory is gone when dbt ends.",
                ("path",),
                "Write path: shop.duckdb, the file that dbt builds.",
            )
            return None
        places = {key: self.place((key,)) for key in ("path", "schema") if key in settings}
        return Output(Engine(kind), settings, places)

    def destination(self) -> Destination | None:
        written = self.written()
        if not isinstance(written, dict):
            self.add("A destination is a mapping.", (), "Write {type: klaviyo}.")
            return None
        known = len(self.reading.problems)
        plain = self.without_key(written)
        missing = self.missing_key(plain)
        rendered = self.render(plain, ())
        if len(self.reading.problems) > known:
            return None
        checked, wrong = check(WrittenDestination, rendered, thing="a destination", where=self.place)
        self.reading.problems.extend(wrong)
        if checked is None:
            return None
        try:
            return destination_of(
                checked, self.reading.environ, KeyNote(self.place(("private_api_key",)), missing)
            )
        except Advised as error:
            self.reading.problems.append(Problem(error.what, "the environment", error.advice))
            return None

    def without_key(self, written: Mapping[Any, Any]) -> dict[str, Any]:
        """Return the entry; for a sandbox, which needs no key, without what would give one."""
        try:
            sandbox = render_value(str(written.get("sandbox", "")), self.context)
        except TemplateError:  # said when the whole is rendered
            sandbox = ""
        needless = KEY_FIELDS if str(sandbox).lower() == "true" else ()
        return {str(key): value for key, value in written.items() if key not in needless}

    def missing_key(self, plain: dict[str, Any]) -> str:
        """Take out a key whose variable is not set, since a plan needs none; warn of a key in plain text."""
        raw = plain.get("private_api_key")
        if not isinstance(raw, str) or not raw.strip():
            return ""
        try:
            if render_value(raw, self.context) == raw:
                place = self.reading.document.where((*self.path, "private_api_key"))
                self.reading.warnings.append(
                    f"{place}: the private key stands in the file. Take it from the environment instead."
                )
        except TemplateError as error:
            if isinstance(error.cause, MissingVariableError):
                del plain["private_api_key"]
                return f"the environment variable {error.cause.name} is not set"
        return ""

    def render(self, value: Any, path: KeyPath) -> Any:
        match value:
            case dict():
                return {str(key): self.render(each, (*path, str(key))) for key, each in value.items()}
            case list():
                return [self.render(each, (*path, index)) for index, each in enumerate(value)]
            case str():
                try:
                    return render_value(value, self.context)
                except TemplateError as error:
                    self.add(*self.said(error, path))
                    return ""
            case _:
                return value

    def said(self, error: TemplateError, path: KeyPath) -> tuple[str, KeyPath, str]:
        """Return what to say of a value that cannot be rendered; no value of the environment is in it."""
        if error.name:
            return f"{error.name} is undefined.", path, choice(error.name, self.context)
        values = (value for value in self.reading.environ.values() if len(value) >= _SHORTEST_SECRET)
        if error.cause is None and any(value in error.what for value in values):
            return "The value cannot be rendered.", path, "Simplify the expression between {{ and }}."
        return error.what, path, error.advice

    def written(self) -> Any:
        value = self.reading.document.content
        for key in self.path:
            value = value[key]
        return value

    def place(self, path: tuple[str | int, ...]) -> str:
        return self.reading.document.place((*self.path, *path))

    def add(self, what: str, path: KeyPath, advice: str) -> None:
        self.reading.add(what, (*self.path, *path), advice)
