"""Which commands there are; each noun's file brings its own."""

from pathlib import Path
from typing import Annotated

import typer

from syncd import __version__
from syncd.runtime.cli import (
    activity,
    application,
    database,
    feed,
    machine,
    profile,
    token,
    user,
    webhook,
)
from syncd.runtime.cli.output import Format, Options

app = typer.Typer(
    name="syncd",
    help="Follow every connected calendar through one durable activity stream.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _version(*, wanted: bool) -> None:
    if wanted:
        typer.echo(f"syncd {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    context: typer.Context,
    config: Annotated[
        Path | None, typer.Option("--config", "-c", help="The configuration file.")
    ] = None,
    output: Annotated[
        Format, typer.Option("--output", "-o", help="What to print: tables, or JSON.")
    ] = Format.TABLE,
    *,
    version: Annotated[  # noqa: ARG001 - its callback answers
        bool,
        typer.Option("--version", callback=lambda value: _version(wanted=value), is_eager=True),
    ] = False,
) -> None:
    """Follow every connected calendar through one durable activity stream."""
    context.obj = Options(config=config, format=output)


app.command("run")(machine.run)
app.command("demo")(machine.demo)
app.command("init")(machine.init)
app.command("check")(machine.check)
app.command("status")(machine.status)
app.command("doctor")(machine.doctor)
app.add_typer(user.commands, name="user")
app.add_typer(application.commands, name="application")
app.add_typer(profile.commands, name="profile")
app.add_typer(token.commands, name="token")
app.add_typer(activity.commands, name="activity")
app.add_typer(feed.commands, name="feed")
app.add_typer(webhook.commands, name="webhook")
app.add_typer(database.commands, name="db")
