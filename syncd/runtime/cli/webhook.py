"""``syncd webhook``."""

from typing import Annotated

import typer

from syncd.runtime.cli.ask import ask
from syncd.runtime.cli.exits import FAILED
from syncd.runtime.cli.output import Format, show
from syncd.runtime.cli.token import overlap_seconds

commands = typer.Typer(help="Webhooks: addresses that are told what happens.", no_args_is_help=True)

Id = Annotated[str, typer.Argument(metavar="WEBHOOK", help="Its id, whk_….")]
_COLUMNS = ("id", "url", "status", "status_reason", "behind", "last_delivery_at")
_TRIED = ("id", "at", "record_id", "attempt", "status", "response_code", "error")


@commands.command()
def add(  # noqa: PLR0913 - what may be said
    context: typer.Context,
    url: Annotated[str, typer.Argument(help="Where messages are posted to.")],
    *,
    user: Annotated[
        str | None, typer.Option(help="Whose profiles; else the default user's.")
    ] = None,
    profile: Annotated[str | None, typer.Option(help="Only this profile.")] = None,
    application: Annotated[str | None, typer.Option(help="The profiles of this one.")] = None,
    types: Annotated[
        list[str] | None,
        typer.Option("--type", help="Such as event.update; repeat it; else all."),
    ] = None,
    calendars: Annotated[
        list[str] | None,
        typer.Option("--calendar", help="Only of this one, cal_…; repeat it; else all."),
    ] = None,
    body: Annotated[
        str, typer.Option("--format", help="standard, cloudevents, or kloudless.")
    ] = "standard",
    description: Annotated[str | None, typer.Option(help="A note of yours.")] = None,
    start: Annotated[
        str, typer.Option(help="now, beginning, or a cursor of the one profile.")
    ] = "now",
) -> None:
    """Have records pushed to an address, and show the signing secret, this once."""
    asked = {
        "url": url,
        "user": user,
        "profile": profile,
        "application": application,
        "types": types or [],
        "calendars": calendars or [],
        "format": body,
        "description": description,
        "start": start,
    }
    show(context.obj, ask(context.obj, "webhook.add", **asked))
    if context.obj.format is Format.TABLE:
        typer.echo("\nThe secret is shown only now; keep it.", err=True)


@commands.command("list")
def list_all(context: typer.Context) -> None:
    """List all webhooks with how they are doing."""
    show(context.obj, ask(context.obj, "webhook.list"), _COLUMNS)


@commands.command("show")
def show_one(context: typer.Context, webhook: Id) -> None:
    """Show everything about a webhook but its secret."""
    show(context.obj, ask(context.obj, "webhook.show", webhook=webhook))


@commands.command()
def change(  # noqa: PLR0913 - its options
    context: typer.Context,
    webhook: Id,
    *,
    url: Annotated[str | None, typer.Option(help="Another address.")] = None,
    types: Annotated[
        list[str] | None, typer.Option("--type", help="In place of all there are.")
    ] = None,
    calendars: Annotated[
        list[str] | None, typer.Option("--calendar", help="In place of all there are.")
    ] = None,
    description: Annotated[str | None, typer.Option(help="Another note of yours.")] = None,
    all_types: Annotated[bool, typer.Option("--all-types", help="Of every type.")] = False,
    all_calendars: Annotated[
        bool, typer.Option("--all-calendars", help="Of every calendar.")
    ] = False,
) -> None:
    """Change its address or what it is told; it goes on where it stood, its secret stays."""
    asked = {
        "url": url,
        "types": [] if all_types else types or None,
        "calendars": [] if all_calendars else calendars or None,
        "description": description,
    }
    show(context.obj, ask(context.obj, "webhook.change", webhook=webhook, **asked))


@commands.command()
def test(context: typer.Context, webhook: Id) -> None:
    """Send a message of type syncd.test now, and show what came of it; 1 if it failed."""
    told = ask(context.obj, "webhook.test", webhook=webhook)
    show(context.obj, told)
    if told["status"] != "delivered":
        raise typer.Exit(FAILED)


@commands.command()
def deliveries(
    context: typer.Context,
    webhook: Id,
    status: Annotated[str | None, typer.Option(help="delivered, failed, or pending.")] = None,
    limit: Annotated[int, typer.Option(help="How many, at most 1000.", min=1, max=1000)] = 100,
) -> None:
    """List what was tried, newest first."""
    asked = {"webhook": webhook, "status": status, "limit": limit}
    show(context.obj, ask(context.obj, "webhook.deliveries", **asked), _TRIED)


@commands.command()
def replay(  # noqa: PLR0913 - what may be said
    context: typer.Context,
    webhook: Id,
    delivery: Annotated[str | None, typer.Argument(help="One attempt, dlv_….")] = None,
    *,
    profile: Annotated[str | None, typer.Option(help="From a cursor of this profile.")] = None,
    cursor: Annotated[str | None, typer.Option(help="Behind which to begin.")] = None,
    until: Annotated[str | None, typer.Option(help="A cursor to end at.")] = None,
    failed: Annotated[bool, typer.Option("--failed", help="All that never arrived.")] = False,
) -> None:
    """Send again, with the same ids; the webhook's place does not move."""
    asked = {
        "webhook": webhook,
        "delivery": delivery,
        "profile": profile,
        "cursor": cursor,
        "until": until,
        "failed": failed,
    }
    show(context.obj, ask(context.obj, "webhook.replay", **asked))


@commands.command()
def pause(context: typer.Context, webhook: Id) -> None:
    """Send nothing more until it is resumed; nothing is skipped."""
    show(context.obj, ask(context.obj, "webhook.pause", webhook=webhook))


@commands.command()
def resume(context: typer.Context, webhook: Id) -> None:
    """Go on where it stood, also after it was disabled; one that fails is tried at once."""
    show(context.obj, ask(context.obj, "webhook.resume", webhook=webhook))


@commands.command()
def rotate(
    context: typer.Context,
    webhook: Id,
    overlap: Annotated[
        str, typer.Option(help="How long the old secret signs too, such as 24h; 0 ends it now.")
    ] = "24h",
) -> None:
    """Make a new signing secret, and show it, this once."""
    asked = {"webhook": webhook, "overlap_seconds": overlap_seconds(overlap)}
    show(context.obj, ask(context.obj, "webhook.rotate", **asked))


@commands.command()
def remove(context: typer.Context, webhook: Id) -> None:
    """End a webhook, with all that was kept of it."""
    show(context.obj, ask(context.obj, "webhook.remove", webhook=webhook))
