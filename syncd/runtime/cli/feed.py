"""``syncd feed``."""

from typing import Annotated

import typer

from syncd.runtime.cli.ask import ask
from syncd.runtime.cli.output import show

commands = typer.Typer(help="Feeds: calendars published as ICS.", no_args_is_help=True)

_COLUMNS = ("id", "name", "detail", "calendar_ids", "user_id", "application_id", "expires_at")


@commands.command("list")
def list_all(context: typer.Context) -> None:
    """List all feeds, without their paths: whoever knows one can read it."""
    show(context.obj, ask(context.obj, "feed.list"), _COLUMNS)


@commands.command()
def remove(
    context: typer.Context, feed: Annotated[str, typer.Argument(help="As the list names it.")]
) -> None:
    """End a feed; who has its address reads nothing there any more."""
    show(context.obj, ask(context.obj, "feed.remove", feed=feed))
