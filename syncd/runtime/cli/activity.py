"""``syncd activity``."""

import json
import select
import sys
from collections.abc import Iterator
from contextlib import suppress
from typing import Annotated, Any

import typer

from syncd.runtime.cli.ask import ask, ask_daemon
from syncd.runtime.cli.output import Format, Options
from syncd.runtime.lines import line

commands = typer.Typer(help="What happened in the profiles.", no_args_is_help=True)

_PAGE = 500
_WAIT_SECONDS = 2  # after which it looks whether anybody still reads


@commands.callback()
def _noun() -> None:
    """Keep ``tail`` a word of its own though it is the only command."""


@commands.command()
def tail(
    context: typer.Context,
    profile: Annotated[
        str | None, typer.Argument(help="Such as 1 or pro_aaab; all profiles if left out.")
    ] = None,
    cursor: Annotated[
        str | None, typer.Option(help="After which to begin: a cursor, after-auth, or latest.")
    ] = None,
    *,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on as it happens.")] = False,
) -> None:
    """Print the activities of a profile, or of all, oldest first; with -f also those to come.

    As JSON that is one array, or with -f one object a line. Cursors of all profiles are their own.
    """
    options: Options = context.obj
    if follow:
        with suppress(KeyboardInterrupt):
            _follow(options, profile, cursor)
        return
    found = [one for page in _pages(options, profile, cursor) for one in page]
    if options.format is Format.JSON:
        sys.stdout.write(json.dumps(found, ensure_ascii=False) + "\n")
    else:
        _print(found)


def _pages(
    options: Options, profile: str | None, cursor: str | None
) -> Iterator[list[dict[str, Any]]]:
    while True:
        asked = {"profile": profile, "cursor": cursor, "limit": _PAGE}
        answer = ask(options, "activity.read", **asked)
        cursor = answer["cursor"]
        if not answer["objects"]:
            return
        yield answer["objects"]


def _follow(options: Options, profile: str | None, cursor: str | None) -> None:
    asked = {"profile": profile, "limit": _PAGE, "wait_seconds": _WAIT_SECONDS}
    while True:
        answer = ask_daemon(options, "activity.read", cursor=cursor, **asked)
        waits_for_news = cursor == "latest"
        cursor = answer["cursor"] if answer["cursor"] is not None else cursor
        if waits_for_news:
            continue
        if options.format is Format.JSON:
            for one in answer["objects"]:
                sys.stdout.write(json.dumps(one, ensure_ascii=False) + "\n")
        else:
            _print(answer["objects"])
        sys.stdout.flush()
        if _reader_left():
            return


def _reader_left() -> bool:
    """Tell whether nobody reads a pipe any more; without news, writing to it would not tell."""
    pipe = select.poll()
    pipe.register(sys.stdout, 0)  # errors are always told
    return bool(pipe.poll(0))


def _print(records: list[dict[str, Any]]) -> None:
    from rich.console import Console

    console = Console(highlight=False, soft_wrap=True)
    for record in records:
        whose = f"[dim]{record['profile_id']}[/dim]  " if "profile_id" in record else ""
        console.print(whose + line(record))
