"""``syncd user``."""

from typing import Annotated

import typer

from syncd.runtime.cli.ask import ask
from syncd.runtime.cli.output import show

commands = typer.Typer(help="Users: who owns profiles.", no_args_is_help=True)


@commands.command()
def add(
    context: typer.Context, name: Annotated[str, typer.Argument(help="A unique name.")]
) -> None:
    """Add a user."""
    show(context.obj, ask(context.obj, "user.add", name=name))


@commands.command("list")
def list_all(context: typer.Context) -> None:
    """List all users."""
    show(context.obj, ask(context.obj, "user.list"), ("id", "name", "created"))
