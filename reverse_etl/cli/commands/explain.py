"""`reverse-etl explain`: why a person is on a list or not."""

from __future__ import annotations

import click

from reverse_etl.cli.completions import complete_lists, complete_models
from reverse_etl.cli.options import AS_JSON, ProjectFlags, request_options
from reverse_etl.cli.output import tables as show
from reverse_etl.cli.output.console import terminal
from reverse_etl.cli.output.explanation import explanation_document, explanation_lines


@click.command("explain")
@click.argument("person")
@request_options
@click.option(
    "-m",
    "--model",
    "models",
    multiple=True,
    shell_complete=complete_models,
    help="Explain this model only. Repeatable.",
)
@click.option(
    "--list",
    "lists",
    multiple=True,
    shell_complete=complete_lists,
    help="Explain this list only, by name or id. Repeatable.",
)
@click.option("--ask-klaviyo", is_flag=True, help="Also look the person up in Klaviyo, with GETs only.")
@AS_JSON
def command(  # noqa: PLR0913, PLR0917 - one per option
    project_flags: ProjectFlags,
    person: str,
    models: tuple[str, ...],
    lists: tuple[str, ...],
    ask_klaviyo: bool,  # noqa: FBT001 - click passes options by name
    as_json: bool,  # noqa: FBT001
) -> None:
    """Explain why a person is on a list or not.

    PERSON is an e-mail, a phone in E.164, an external id or a profile id. Shows the person's rows in the
    models, why a row is rejected, what was sent and when, and what the next run would do. Makes a plan, and
    so sends only GETs and changes nothing. Shows the values of this person unmasked.
    """
    explanation = project_flags.load().explain(
        person,
        models,
        lists=lists,
        ask_klaviyo=ask_klaviyo,
        on_progress=terminal.print_progress,
        on_request=terminal.print_request,
    )
    if as_json:
        show.print_json(explanation_document(explanation))
        return
    for line in explanation_lines(explanation):
        show.print_line(line)
