"""profiles.yml: found where dbt finds it, and read down to one target."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NoReturn

from reverse_etl.config import Destination, Output, Target, Warehouse
from reverse_etl.dbt_project import DbtProject, read_dbt_project
from reverse_etl.destinations import KEY_FIELDS, KeyNote, WrittenDestination, destination_of
from reverse_etl.errors import Problem, UsageError
from reverse_etl.names import choice, nearest
from reverse_etl.strict import Advised, check
from reverse_etl.templates import TemplateError, render_value
from reverse_etl.variables import MissingVariableError, Var, env_var_of
from reverse_etl.yaml_file import Document, KeyPath, read_yaml

if TYPE_CHECKING:
    from collections.abc import Mapping

FILE: Final = "profiles.yml"
_OURS: Final = "destinations"
_PROFILE_KEYS: Final = ("target", "outputs", _OURS)


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
    project = read_dbt_project(project_dir, environ=environ, cli_vars=vars or {})
    document = read_yaml(_find(project_dir, profiles_dir, environ))
    context = {"env_var": env_var_of(environ, secrets=True), "var": Var(vars or {})}
    reading = _Reading(document, _choose_profile(document, profile, project, environ), context, environ)
    return reading.target(target)


def _find(project_dir: Path, profiles_dir: Path | None, environ: Mapping[str, str]) -> Path:
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
        where=looked,
        advice="Write one with: reverse-etl init. Or say where it is: --profiles-dir FOLDER.",
    )


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
                f"{FILE} is empty.", where=document.where(()), advice="Write it with: reverse-etl init."
            )
        case _:
            raise UsageError.of(
                f"{FILE} has several profiles.",
                where=document.where(()),
                advice=f"Choose with --profile: {', '.join(names)}.",
            )


@dataclass(frozen=True)
class _Reading:
    """One reading of one profile."""

    document: Document
    profile: str
    context: Mapping[str, Any]
    environ: Mapping[str, str]

    def target(self, asked: str | None) -> Target:
        written = self.document.content[self.profile]
        if not isinstance(written, dict) or not isinstance(written.get("outputs"), dict):
            self.fail(f"Profile {self.profile} has no outputs.", (self.profile,), "Write them as dbt does.")
        problems = self.misspelt(written)
        name = self.target_name(written, asked)
        context = {**self.context, "target": {"name": name, "profile_name": self.profile}}
        output, output_problems = _Section(self, (self.profile, "outputs", name), context).output()
        section = _Section(self, (self.profile, _OURS, name), context)
        destination, warnings, destination_problems = self.destination(written, name, section)
        problems += [*output_problems, *destination_problems]
        if problems or output is None or destination is None:
            raise UsageError(*problems)
        return Target(self.profile, name, output, destination, self.document.path, warnings)

    def misspelt(self, written: Mapping[str, Any]) -> list[Problem]:
        """Return keys that are nearly one of the profile's; dbt leaves others alone, and so do we."""
        return [
            Problem(
                f"{key} is not a key of a profile.",
                self.document.place((self.profile, key)),
                f"Did you mean {guess}?",
            )
            for key in map(str, written)
            if key not in _PROFILE_KEYS and (guess := nearest(key, _PROFILE_KEYS))
        ]

    def target_name(self, written: Mapping[str, Any], asked: str | None) -> str:
        path = (self.profile, "target")
        name = asked or self.environ.get("DBT_TARGET") or ""
        try:
            name = name or str(render_value(str(written.get("target") or "default"), self.context))
        except TemplateError as error:
            self.fail(error.what, path, error.advice)
        if name not in written["outputs"]:
            self.fail(
                f"Profile {self.profile} has no target {name}.",
                path,
                choice(name, map(str, written["outputs"])),
            )
        return name

    def destination(
        self, written: Mapping[str, Any], name: str, section: _Section
    ) -> tuple[Destination | None, tuple[str, ...], list[Problem]]:
        entries = written.get(_OURS) or {}
        if isinstance(entries, dict) and name in entries:
            return section.destination()
        guess = nearest(name, map(str, entries)) if isinstance(entries, dict) else None
        lines = f"  {_OURS}:\n" if not entries else ""
        advice = (
            f"A destination has its target's name; there is one called {guess}."
            if guess
            else f"Beside its outputs, write:\n{lines}    {name}: {{type: klaviyo, sandbox: true}}\n"
            "The sandbox is a stand-in on this machine; without `sandbox: true` it is the real Klaviyo."
        )
        place = self.document.place((self.profile, _OURS) if entries else (self.profile,))
        return None, (), [Problem(f"Target {name} has no destination.", place, advice)]

    def fail(self, what: str, path: KeyPath, advice: str) -> NoReturn:
        raise UsageError.of(what, where=self.document.place(path), advice=advice)


@dataclass(frozen=True)
class _Section:
    """The entry of one target, rendered value by value."""

    reading: _Reading
    path: KeyPath
    context: Mapping[str, Any]

    def output(self) -> tuple[Output | None, list[Problem]]:
        problems: list[Problem] = []
        settings = self.render(self.written(), (), problems)
        if not isinstance(settings, dict):
            return None, [Problem("An output is a mapping.", self.place(()))]
        kind = settings.get("type")
        known = [str(each) for each in Warehouse]
        if kind not in known:
            said = f"The type of an output cannot be {kind!r}." if kind else "The output has no type."
            return None, [*problems, Problem(said, self.place(("type",)), choice(str(kind or ""), known))]
        path = str(settings.get("path") or ":memory:")
        if kind == "duckdb" and path == ":memory:" and not problems:
            problems.append(
                Problem(
                    "The duckdb output has no file: what dbt builds in memory is gone when dbt ends.",
                    self.place(("path",)),
                    "Write path: shop.duckdb, the file that dbt builds.",
                )
            )
        return Output(Warehouse(kind), settings), problems

    def destination(self) -> tuple[Destination | None, tuple[str, ...], list[Problem]]:
        raw = self.written()
        if not isinstance(raw, dict):
            return (
                None,
                (),
                [Problem("A destination is a mapping.", self.place(()), "Write {type: klaviyo}.")],
            )
        problems: list[Problem] = []
        sandbox = self.render(raw.get("sandbox", False), ("sandbox",), problems)
        plain = {str(key): value for key, value in raw.items() if not (sandbox is True and key in KEY_FIELDS)}
        missing, warnings = self.key_notes(plain)
        rendered = self.render(plain, (), problems)
        if problems:
            return None, (), problems
        written, wrong = check(WrittenDestination, rendered, thing="a destination", where=self.place)
        if written is None:
            return None, (), list(wrong)
        try:
            note = KeyNote(self.place(("private_api_key",)), missing)
            return destination_of(written, self.reading.environ, note), warnings, []
        except Advised as error:
            return None, (), [Problem(error.what, "the environment", error.advice)]

    def key_notes(self, plain: dict[str, Any]) -> tuple[str, tuple[str, ...]]:
        """Take out a key whose variable is not set, since a plan needs none; warn of a key in plain text."""
        raw = plain.get("private_api_key")
        if not isinstance(raw, str) or not raw.strip():
            return "", ()
        if "{{" not in raw:
            place = self.reading.document.where((*self.path, "private_api_key"))
            return "", (
                f"{place}: the private key stands in the file. Take it from the environment instead.",
            )
        try:
            render_value(raw, self.context)
        except TemplateError as error:
            if isinstance(error.cause, MissingVariableError):
                del plain["private_api_key"]
                return f"the environment variable {error.cause.name} is not set", ()
        return "", ()

    def render(self, value: Any, path: KeyPath, problems: list[Problem]) -> Any:
        match value:
            case dict():
                return {
                    str(key): self.render(each, (*path, str(key)), problems) for key, each in value.items()
                }
            case list():
                return [self.render(each, (*path, index), problems) for index, each in enumerate(value)]
            case str():
                try:
                    return render_value(value, self.context)
                except TemplateError as error:
                    problems.append(Problem(error.what, self.place(path), error.advice))
                    return ""
            case _:
                return value

    def written(self) -> Any:
        value = self.reading.document.content
        for key in self.path:
            value = value[key]
        return value

    def place(self, path: tuple[str | int, ...]) -> str:
        return self.reading.document.place((*self.path, *path))
