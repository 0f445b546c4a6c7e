"""``syncd db``."""

import shutil
from pathlib import Path
from typing import Annotated

import typer

from syncd.runtime.cli.ask import ask
from syncd.runtime.cli.exits import FAILED
from syncd.runtime.cli.output import show

commands = typer.Typer(help="The database.", no_args_is_help=True)

File = Annotated[Path, typer.Argument(dir_okay=False)]


@commands.command()
def upgrade(context: typer.Context) -> None:
    """Bring the database to this program's schema; `syncd run` does so too."""
    show(context.obj, ask(context.obj, "db.upgrade"))


@commands.command()
def backup(context: typer.Context, file: File) -> None:
    """Write a copy while syncd runs. The key ring is not in it: keep that elsewhere."""
    copy = ask(context.obj, "db.backup")["file"]
    shutil.move(copy, file)
    file.chmod(0o600)
    show(context.obj, {"file": str(file.absolute()), "bytes": file.stat().st_size})


@commands.command()
def restore(context: typer.Context, file: File) -> None:
    """Put a copy in the database's place; syncd must be stopped. Old cursors then answer 410."""
    from syncd.model.errors import UnsupportedError
    from syncd.runtime import settings
    from syncd.runtime.lock import only_writer
    from syncd.store.backup import restore as put_back

    current = settings.load(context.obj.config)
    if not current.store_url.startswith("sqlite:///"):
        raise UnsupportedError("restore PostgreSQL with its own tools; syncd notices it")
    target = Path(current.store_url.removeprefix("sqlite:///"))
    with current.naming(), only_writer(current.lock_file):
        put_back(file, target)
    show(context.obj, {"restored": str(target), "from": str(file.absolute())})


@commands.command()
def check(context: typer.Context) -> None:
    """Look for damage: integrity, gaps in streams, dangling rows."""
    found = ask(context.obj, "db.check")
    show(context.obj, found)
    if not found["well"]:
        raise typer.Exit(FAILED)
