"""``syncd token``."""

import re
from typing import Annotated

import typer

from syncd.runtime.cli.ask import ask
from syncd.runtime.cli.output import Format, show

commands = typer.Typer(help="API tokens.", no_args_is_help=True)

_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}
_COLUMNS = (
    *("id", "name", "account_id", "user_id", "admin", "scopes"),
    *("expires_at", "used_at", "revoked_at"),
)


@commands.command()
def create(  # noqa: PLR0913, PLR0917 - options
    context: typer.Context,
    user: Annotated[str | None, typer.Option(help="For all profiles of this user.")] = None,
    profile: Annotated[str | None, typer.Option(help="For this profile alone.")] = None,
    scope: Annotated[list[str] | None, typer.Option(help="Repeat it; none means all.")] = None,
    expires_in: Annotated[
        str | None, typer.Option(help="Such as 90d, 12h, 30m; never if it is left out.")
    ] = None,
    name: Annotated[str | None, typer.Option(help="To tell it from others.")] = None,
    *,
    admin: Annotated[bool, typer.Option("--admin", help="For everything of all users.")] = False,
    rotate: Annotated[
        bool, typer.Option("--rotate", help="The mytoken API replaces it with each call.")
    ] = False,
) -> None:
    """Make a token and show it, this once."""
    made = ask(
        context.obj,
        "token.create",
        user=user,
        profile=profile,
        scopes=scope or [],
        expires_in_seconds=None if expires_in is None else seconds(expires_in),
        name=name,
        admin=admin,
        rotate=rotate,
    )
    show(context.obj, made)
    if context.obj.format is Format.TABLE:
        typer.echo("\nThe token is shown only now; keep it.", err=True)


@commands.command("list")
def list_all(context: typer.Context) -> None:
    """List all tokens, without their text."""
    show(context.obj, ask(context.obj, "token.list"), _COLUMNS)


@commands.command()
def revoke(
    context: typer.Context,
    token: Annotated[str, typer.Argument(help="Its id, or the token itself.")],
) -> None:
    """End a token at once; what it holds open ends too."""
    show(context.obj, ask(context.obj, "token.revoke", token=token))


def seconds(text: str) -> int:
    """Return a duration such as ``90d`` in seconds."""
    found = re.fullmatch(r"([1-9][0-9]{0,8})([smhdw]?)", text.strip())
    if found is None:
        raise typer.BadParameter(f"{text} is no duration: write 90d, 12h or 30m")
    return int(found[1]) * _UNITS[found[2] or "s"]


def overlap_seconds(text: str) -> int:
    """Return how long old secrets live on; ``0`` is not at all."""
    return 0 if text.strip() in {"0", "0s"} else seconds(text)
