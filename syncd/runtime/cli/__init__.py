"""The command line. Commands import their heavy halves when called, so ``--help`` is quick."""

import os
import sys
from collections.abc import Sequence

from syncd.runtime.cli import exits
from syncd.runtime.cli.app import app

_VALUED = ("-c", "--config", "-o", "--output")


def main() -> None:
    """Run a command and leave with its exit code (sysexits)."""
    os.umask(0o077)  # what syncd keeps is nobody else's
    try:
        app(args=front(sys.argv[1:]), prog_name="syncd")
    except Exception as error:  # noqa: BLE001 - a person gets a sentence, never a traceback
        sys.exit(exits.tell(error))


def front(arguments: Sequence[str]) -> list[str]:
    """Move ``-c`` and ``-o``, which stand anywhere, before the command that they are about."""
    moved, rest = list[str](), list[str]()
    left = iter(arguments)
    for argument in left:
        if argument == "--":
            rest += [argument, *left]
        elif argument in _VALUED:
            moved += [argument, *[value for value in [next(left, None)] if value is not None]]
        elif argument.startswith(("--config=", "--output=")):
            moved.append(argument)
        else:
            rest.append(argument)
    return moved + rest
