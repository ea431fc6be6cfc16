"""`reverse-etl completion`: print the script that completes commands in a shell."""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class

from reverse_etl.cli.output import tables as show
from reverse_etl.cli.shells import install_completion

_PROGRAM = "reverse-etl"
_VARIABLE = "_REVERSE_ETL_COMPLETE"  # click derives it from the program's name


@click.command("completion")
@click.argument("shell", metavar="SHELL", type=click.Choice(["bash", "zsh", "fish"]))
@click.pass_context
def command(context: click.Context, shell: str) -> None:
    """Print the script that completes commands in a shell.

    SHELL is bash, zsh or fish. Options, models, selectors and targets are completed too.

    \b
    bash:  echo 'eval "$(reverse-etl completion bash)"' >> ~/.bashrc
    zsh:   echo 'eval "$(reverse-etl completion zsh)"' >> ~/.zshrc
    fish:  reverse-etl completion fish > ~/.config/fish/completions/reverse-etl.fish
    """  # noqa: D301 - \b tells click not to join the lines
    install_completion()
    completion_class = get_completion_class(shell)
    assert completion_class is not None  # noqa: S101 - click has the three shells
    completion = completion_class(context.find_root().command, {}, _PROGRAM, _VARIABLE)
    show.print_text(completion.source())
