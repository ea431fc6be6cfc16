"""Keep Klaviyo's private key out of models, whose SQL is shown, stored and sent."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from reverse_etl.errors import ModelError, Problem
from reverse_etl.formatting import format_location

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from reverse_etl.config.target import Destination
    from reverse_etl.models.model import Model

_MIN_KEY_LENGTH: Final = 6  # a shorter text is not a key, and is found everywhere
_SUMMARY: Final = "The model contains Klaviyo's private key, and the SQL of a model is shown and stored."
_HINT: Final = (
    "Remove it. Only the destination in profiles.yml needs the key. If it was shown, replace the key."
)


def contains_key(text: str, destination: Destination) -> bool:
    """Return whether a text contains the key. A key that a command prints is known once it was used."""
    key = None if destination.sandbox or destination.key is None else destination.key.known_value
    return key is not None and len(key) >= _MIN_KEY_LENGTH and key in text


def key_problem(location: str) -> Problem:
    """Return the problem of a model that contains the key, without any part of it."""
    return Problem(_SUMMARY, location, _HINT)


def refuse_key(models: Iterable[Model], destination: Destination) -> None:
    """Raise ModelError if a model contains the key. Call it when the key was used, before models are run."""
    if problems := list(_find_problems(models, destination)):
        raise ModelError(*problems)


def _find_problems(models: Iterable[Model], destination: Destination) -> Iterator[Problem]:
    for model in models:
        if contains_key(f"{model.sql}\n{model.config}", destination):
            yield key_problem(format_location(model.path))
