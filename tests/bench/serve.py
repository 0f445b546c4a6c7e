"""A real server in a process of its own, so that its work is not counted as a client's.

``python -m tests.bench.serve radicale FOLDER COUNT CALENDARS`` makes the calendars, fills the
first with COUNT events, prints address and port in JSON and serves until its input ends.
"""

import asyncio
import json
import sys
from pathlib import Path

from tests.bench.cores import leave
from tests.servers.caldav import CalDavServer, Radicale, Xandikos
from tests.servers.seeding import seed

KINDS: dict[str, type[CalDavServer]] = {"radicale": Radicale, "xandikos": Xandikos}


async def main(kind: str, folder: str, count: str, calendars: str) -> None:
    server = KINDS[kind](Path(folder))
    async with server:
        for number in range(int(calendars)):
            await server.mkcalendar(f"cal{number}")
        await server.stop()
        await asyncio.to_thread(seed, server, "cal0", int(count))
        await server.start()
        if isinstance(server, Xandikos):
            await server.delete("calendar")  # each start makes this one
        told = {"port": server.port, "home": server.home, "username": server.username}
        print(json.dumps({**told, "password": server.password}), flush=True)  # noqa: T201
        await asyncio.to_thread(sys.stdin.read)


leave()
asyncio.run(main(*sys.argv[1:]))
