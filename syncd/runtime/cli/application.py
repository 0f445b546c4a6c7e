"""``syncd application``."""

from typing import Annotated

import typer

from syncd.runtime.cli.ask import ask
from syncd.runtime.cli.output import Format, show
from syncd.runtime.cli.token import overlap_seconds

commands = typer.Typer(
    help="Applications: API clients that act for several people.", no_args_is_help=True
)

Name = Annotated[str, typer.Argument(metavar="APPLICATION", help="Its name or client id.")]
_COLUMNS = ("client_id", "name", "origins", "redirect_uris", "created")


@commands.command()
def add(
    context: typer.Context,
    name: Annotated[str, typer.Argument(help="A unique name.")],
    origin: Annotated[
        list[str] | None, typer.Option(help="A browser client's; repeat it for several.")
    ] = None,
    redirect_uri: Annotated[
        list[str] | None, typer.Option(help="Where people come back to; repeat it for several.")
    ] = None,
) -> None:
    """Register an application and show its secrets, this once."""
    asked = {"name": name, "origins": origin or [], "redirect_uris": redirect_uri or []}
    show(context.obj, ask(context.obj, "application.add", **asked))
    _warn(context)


@commands.command("list")
def list_all(context: typer.Context) -> None:
    """List all applications, without their secrets."""
    show(context.obj, ask(context.obj, "application.list"), _COLUMNS)


@commands.command()
def change(  # noqa: PLR0913 - its options
    context: typer.Context,
    application: Name,
    name: Annotated[str | None, typer.Option(help="Another name.")] = None,
    origin: Annotated[
        list[str] | None, typer.Option(help="A browser client's; in place of all there are.")
    ] = None,
    redirect_uri: Annotated[
        list[str] | None, typer.Option(help="Where people come back to; in place of all there are.")
    ] = None,
    *,
    no_origins: Annotated[bool, typer.Option("--no-origins", help="Take all away.")] = False,
    no_redirect_uris: Annotated[
        bool, typer.Option("--no-redirect-uris", help="Take all away.")
    ] = False,
) -> None:
    """Change its name, its origins or its redirect URIs; secrets and tokens stay."""
    asked = {
        "name": name,
        "origins": [] if no_origins else origin or None,
        "redirect_uris": [] if no_redirect_uris else redirect_uri or None,
    }
    show(context.obj, ask(context.obj, "application.change", application=application, **asked))


@commands.command()
def rotate(
    context: typer.Context,
    application: Name,
    overlap: Annotated[
        str, typer.Option(help="How long the old secrets live on, such as 24h; 0 ends them now.")
    ] = "24h",
) -> None:
    """Give it new secrets and show them, this once."""
    asked = {"application": application, "overlap_seconds": overlap_seconds(overlap)}
    show(context.obj, ask(context.obj, "application.rotate", **asked))
    _warn(context)


@commands.command()
def remove(context: typer.Context, application: Name) -> None:
    """End its secrets and every token that was given through it; profiles stay."""
    show(context.obj, ask(context.obj, "application.remove", application=application))


def _warn(context: typer.Context) -> None:
    if context.obj.format is Format.TABLE:
        typer.echo("\nThe secrets are shown only now; keep them.", err=True)
