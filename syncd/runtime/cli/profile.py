"""``syncd profile``."""

import sys
from typing import Annotated

import typer

from syncd.runtime.cli.ask import ask
from syncd.runtime.cli.output import show

commands = typer.Typer(help="Profiles: one sign-in at one provider.", no_args_is_help=True)

Name = Annotated[str, typer.Argument(metavar="PROFILE", help="Such as 1 or pro_aaab.")]
_COLUMNS = ("account_id", "profile_id", "provider", "login", "state", "polled_at", "last_error")


@commands.command()
def add(  # noqa: PLR0913 - options
    context: typer.Context,
    provider: Annotated[str, typer.Argument(help="Such as caldav, icloud, google, graph or ews.")],
    url: Annotated[str, typer.Option(help="The server; its name is often enough.")] = "",
    username: Annotated[str, typer.Option(help="Who signs in.")] = "",
    user: Annotated[str | None, typer.Option(help="Whose profile; 'default' if left out.")] = None,
    *,
    key_file: Annotated[
        typer.FileText | None,
        typer.Option(
            "--service-account",
            help="Key file of a service account that acts for --username; - is standard input.",
        ),
    ] = None,
    password_stdin: Annotated[
        bool, typer.Option("--password-stdin", help="Read the password from standard input.")
    ] = False,
    refresh_token_stdin: Annotated[
        bool,
        typer.Option("--refresh-token-stdin", help="Read an OAuth refresh token from there."),
    ] = False,
) -> None:
    """Connect a profile; a login that is connected already is connected anew."""
    secret = dict[str, str]()
    if key_file is not None:
        secret["key_file"] = key_file.read()
    elif refresh_token_stdin:
        secret["refresh_token"] = _password(from_stdin=True)
    else:
        secret["password"] = _password(from_stdin=password_stdin)
    asked = {"provider": provider, "url": url, "username": username, "user": user}
    added = ask(context.obj, "profile.add", **asked, **secret)
    show(context.obj, added)


@commands.command("list")
def list_all(
    context: typer.Context,
    user: Annotated[str | None, typer.Option(help="Only those of this user.")] = None,
) -> None:
    """List profiles."""
    show(context.obj, ask(context.obj, "profile.list", user=user), _COLUMNS)


@commands.command("show")
def show_one(context: typer.Context, profile: Name) -> None:
    """Show everything about a profile, its calendars and its last error."""
    show(context.obj, ask(context.obj, "profile.show", profile=profile))


@commands.command()
def relink(context: typer.Context, profile: Name) -> None:
    """Show where its person can sign in again."""
    show(context.obj, ask(context.obj, "profile.relink", profile=profile))


@commands.command()
def pause(context: typer.Context, profile: Name) -> None:
    """Stop polling it."""
    show(context.obj, ask(context.obj, "profile.pause", profile=profile))


@commands.command()
def resume(context: typer.Context, profile: Name) -> None:
    """Poll it again."""
    show(context.obj, ask(context.obj, "profile.resume", profile=profile))


@commands.command()
def remove(context: typer.Context, profile: Name) -> None:
    """Erase its credentials and its snapshot; its stream ends with a delete."""
    show(context.obj, ask(context.obj, "profile.remove", profile=profile))


@commands.command()
def sync(
    context: typer.Context,
    profile: Name,
    *,
    wait: Annotated[bool, typer.Option("--wait", help="Return when it is done.")] = False,
) -> None:
    """Poll it now."""
    show(context.obj, ask(context.obj, "profile.sync", profile=profile, wait=wait))


@commands.command("confirm-deletes")
def confirm_deletes(
    context: typer.Context,
    profile: Name,
    calendar: Annotated[str | None, typer.Option(help="Only in this calendar.")] = None,
) -> None:
    """Believe that what is missing was deleted."""
    asked = {"profile": profile, "calendar": calendar}
    show(context.obj, ask(context.obj, "profile.confirm_deletes", **asked))


def _password(*, from_stdin: bool) -> str:
    if from_stdin:
        return sys.stdin.read().removesuffix("\n").removesuffix("\r")
    if not sys.stdin.isatty():
        raise typer.BadParameter("pass the password with --password-stdin")
    return str(typer.prompt("Password", hide_input=True, err=True))
