"""The models of a project: compiled when they are first needed, and chosen by selectors."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

from reverse_etl.dbt.graph import Graph, read_graph
from reverse_etl.errors import NoModels, ReverseEtlError
from reverse_etl.models.compile import Compilation, compile_project, list_model_files
from reverse_etl.models.selection import is_one_selector, select_models

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from reverse_etl.config.target import Target
    from reverse_etl.dbt.project import DbtProject
    from reverse_etl.models.model import Model, ProjectModel


@dataclass(frozen=True)
class ProjectModels:
    """The models of a project folder. `vars` are the values of --vars."""

    folder: Path
    target: Target
    dbt_project: DbtProject | None
    vars: Mapping[str, Any]
    environ: Mapping[str, str] = field(repr=False)
    dbt_artifacts: Sequence[Path] = ()

    @cached_property
    def compilation(self) -> Compilation:
        """Return all models, with those that do not compile.

        Raises ModelError if there are none, and if dbt's manifest cannot be used.
        """
        return self._compile(parse=True)

    @cached_property
    def _declared(self) -> Compilation:
        return self._compile(parse=False)

    def _compile(self, *, parse: bool) -> Compilation:
        return compile_project(
            self.folder,
            self.target,
            vars=self.vars,
            environ=self.environ,
            dbt_artifacts=self.dbt_artifacts,
            parse=parse,
        )

    @property
    def all(self) -> tuple[ProjectModel, ...]:
        """Return all models, with those that do not compile. Raises ModelError, as `compilation` does."""
        return self.compilation.models

    @property
    def known(self) -> tuple[ProjectModel, ...]:
        """Return the models as far as the project's files name them, without raising.

        Their SQL is not parsed: they have names, paths and traits alone. If dbt's manifest cannot be used,
        these are the SQL files.
        """
        try:
            return self._declared.models
        except ReverseEtlError:
            return list_model_files(self.folder)

    @property
    def known_names(self) -> tuple[str, ...]:
        """Return the names of the models as far as they are known, without raising."""
        return tuple(model.name for model in self.known)

    @property
    def selectors(self) -> tuple[str, ...]:
        """Return the selectors that match a model by name, tag, list or surface, without raising."""
        traits = [model.traits for model in self.known if model.traits]
        selectors = (
            *self.known_names,
            *(f"tag:{tag}" for model_traits in traits for tag in model_traits.tags),
            *(f"list:{name}" for name in self.list_names),
            *(f"surface:{model_traits.surface}" for model_traits in traits),
        )
        return tuple(selector for selector in selectors if is_one_selector(selector))

    @property
    def list_names(self) -> tuple[str, ...]:
        """Return the names or ids of the lists as far as the models name them, without raising."""
        return tuple(name for model in self.known if model.traits for name in model.traits.lists)

    @property
    def names(self) -> frozenset[str]:
        """Return the names of all models, also if there are none.

        Raises ModelError if dbt's manifest cannot be used: a model that it names would seem to be deleted.
        """
        try:
            return frozenset(model.name for model in self.all)
        except NoModels:
            return frozenset()

    def require_all(self) -> tuple[Model, ...]:
        """Return all models. Raises ModelError with the problems of all that do not compile."""
        return self.compilation.require(self.all)

    def select(self, select: Sequence[str], exclude: Sequence[str]) -> tuple[Model, ...]:
        """Return the selected models. Raises ModelError if one of them does not compile."""
        return self.compilation.require(self._choose(self.all, select, exclude))

    def select_names(self, select: Sequence[str], exclude: Sequence[str]) -> frozenset[str]:
        """Return the names of the selected models, which need not compile."""
        return frozenset(model.name for model in self._choose(self.known, select, exclude))

    def _choose(
        self, models: Sequence[ProjectModel], select: Sequence[str], exclude: Sequence[str]
    ) -> tuple[ProjectModel, ...]:
        return select_models(
            models,
            select,
            exclude,
            graph=lambda: read_graph(self.dbt_project.manifest_path) if self.dbt_project else Graph(),
        )
