"""Commands about this syncd as a whole: run, demo, init, check, status, doctor."""

import asyncio
from typing import Annotated

import typer

from syncd.runtime.cli.exits import FAILED
from syncd.runtime.cli.output import Format, show


def run(context: typer.Context) -> None:
    """Serve until told to stop."""
    from syncd.runtime import daemon, log

    log.configure()
    asyncio.run(daemon.run(context.obj.config))


def demo(
    *,
    once: Annotated[
        bool, typer.Option("--once", help="Run the script to its end, then leave.")
    ] = False,
) -> None:
    """Show it all at work on a small CalDAV server of its own; nothing is kept."""
    from syncd.runtime.demo import show_demo

    asyncio.run(show_demo(once=once))


def init(context: typer.Context) -> None:
    """Write configuration, key ring and unit, and print an admin token, once."""
    from syncd.runtime.cli.ask import ask
    from syncd.runtime.cli.init import write_files

    written = write_files(context.obj.config)
    tokens = ask(context.obj, "token.list")
    if any(token["admin"] and token["revoked_at"] is None for token in tokens):
        show(context.obj, {**written, "token": None})
        typer.echo(
            "There is an admin token already; `syncd token create --admin` makes another.", err=True
        )
        return
    made = ask(context.obj, "token.create", admin=True, name="admin")
    show(context.obj, {**written, **made})
    if context.obj.format is Format.TABLE:
        typer.echo("\nThe token is shown only now; keep it.", err=True)
        given = "" if context.obj.config is None else f" -c {written['config']}"
        begin = "systemctl enable --now syncd" if written["unit"] else f"syncd{given} run"
        typer.echo(f"Next: {begin}", err=True)


def check(context: typer.Context) -> None:
    """Read the configuration and tell what is wrong with it."""
    from syncd.runtime import settings
    from syncd.runtime.places import config_file
    from syncd.store.address import address

    file = config_file(context.obj.config)
    read = settings.load(context.obj.config)
    with read.naming():
        address(read.store_url)
    told = {"file": None if file is None else str(file), "well": True}
    if context.obj.format is Format.JSON:
        show(context.obj, {**told, "settings": read.model_dump(mode="json")})
    else:
        show(context.obj, {**told, "state_dir": str(read.state_dir)})


def status(context: typer.Context) -> None:
    """Tell how the running syncd is doing."""
    from syncd.runtime.cli.ask import ask_daemon

    found = ask_daemon(context.obj, "status")
    show(context.obj, found)
    if not found["ready"]:
        raise typer.Exit(FAILED)


def doctor(context: typer.Context) -> None:
    """Look at clock, disk, permissions, database and servers, and tell what is not well."""
    from syncd.runtime.cli.doctor import examine

    found = examine(context.obj)
    show(context.obj, found, ("well", "what", "found"))
    if not all(one["well"] for one in found):
        raise typer.Exit(FAILED)
