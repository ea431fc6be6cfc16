from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

import pytest

from reverse_etl.config.profiles import load_target
from reverse_etl.errors import Problem
from reverse_etl.models.compile import compile_models

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path
    from typing import Any

    from reverse_etl.config.target import Target
    from reverse_etl.errors import UsageError
    from reverse_etl.models.model import Model

PROFILES = """\
shop:
  target: trial
  outputs:
    trial: {type: duckdb, path: shop.duckdb, schema: main}
    prod:
      type: snowflake
      account: ab12345
      database: ANALYTICS
      schema: MARTS
  destinations:
    trial: {type: klaviyo, sandbox: true}
    prod: {type: klaviyo}
"""


class Folder:
    """The current folder of a test, into which it writes the user's files."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def write(self, files: Mapping[str, str]) -> None:
        """Write the files, a text by its path each; leading blanks common to all lines are left out."""
        for name, text in files.items():
            path = self.path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(textwrap.dedent(text), encoding="utf-8")

    def load(
        self,
        *,
        environ: Mapping[str, str] | None = None,
        vars: Mapping[str, Any] | None = None,  # noqa: A002 - dbt's word
        **flags: Any,
    ) -> Target:
        """Load the target of the folder."""
        return load_target(self.path, environ=environ or {}, vars=vars or {}, **flags)

    def compile(
        self,
        *,
        environ: Mapping[str, str] | None = None,
        vars: Mapping[str, Any] | None = None,  # noqa: A002 - dbt's word
        dbt_artifacts: Sequence[Path] = (),
        **flags: Any,
    ) -> tuple[Model, ...]:
        """Load the target and compile the models of the folder."""
        target = self.load(environ=environ, vars=vars, **flags)
        return compile_models(
            self.path, target, vars=vars or {}, environ=environ or {}, dbt_artifacts=dbt_artifacts
        )

    def model(self, text: str, **given: Any) -> Model:
        """Write and compile a single model; return it."""
        self.write({"models/m.sql": text})
        (model,) = self.compile(**given)
        return model

    def shown(self, error: UsageError) -> tuple[Problem, ...]:
        """Return the problems of an error, with the test's own folder left out."""
        own = str(self.path)
        return tuple(
            Problem(each.summary, each.where.replace(own, "FOLDER"), each.hint) for each in error.problems
        )


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Folder:
    """Change to a fresh folder."""
    monkeypatch.chdir(tmp_path)
    return Folder(tmp_path)


@pytest.fixture
def project(folder: Folder) -> Folder:
    """Change to a project that has a profile and no models yet."""
    folder.write({"profiles.yml": PROFILES})
    return folder
