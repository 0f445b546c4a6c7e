"""Runs under the peers' interpreter: CPU seconds of ``gcal_sync``, after imports.

Arguments: the API's address, an access token, a calendar's id, a folder, how often each is done.
Prints in JSON what was measured: ``first`` are initial reads into its memory store, ``memory``
polls without news of that store, ``file`` the same of a store that keeps a file, as its users do.
"""

import asyncio
import json
import os
import sys
import time
from pathlib import Path
from typing import Any

import aiohttp
from gcal_sync.api import GoogleCalendarService
from gcal_sync.auth import AbstractAuth
from gcal_sync.store import CalendarStore, InMemoryCalendarStore
from gcal_sync.sync import CalendarEventSyncManager


class Auth(AbstractAuth):
    """One access token."""

    def __init__(self, session: aiohttp.ClientSession, host: str, token: str) -> None:
        super().__init__(session, host)
        self._token = token

    async def async_get_access_token(self) -> str:
        return self._token


class FileStore(CalendarStore):
    """A JSON file, replaced whole and flushed: what is saved survives power loss, as ours does."""

    def __init__(self, path: Path) -> None:
        self._path = path

    async def async_load(self) -> dict[str, Any] | None:
        if not self._path.exists():
            return None
        return json.loads(self._path.read_text())

    async def async_save(self, data: dict[str, Any]) -> None:
        beside = self._path.with_suffix(".new")
        with beside.open("w") as file:
            file.write(json.dumps(data))
            file.flush()
            os.fsync(file.fileno())
        beside.replace(self._path)


async def spent(service: GoogleCalendarService, calendar: str, store: CalendarStore) -> float:
    manager = CalendarEventSyncManager(service, calendar, store=store)
    begun = time.process_time()
    await manager.run()
    return time.process_time() - begun


async def main(host: str, token: str, calendar: str, folder: str, times: str) -> None:
    found: dict[str, list[float]] = {"first": [], "memory": [], "file": []}
    async with aiohttp.ClientSession() as session:
        service = GoogleCalendarService(Auth(session, host, token))
        memory = InMemoryCalendarStore()
        for _ in range(int(times)):
            memory = InMemoryCalendarStore()
            found["first"].append(await spent(service, calendar, memory))
        file = FileStore(Path(folder) / "gcal_sync.json")
        await spent(service, calendar, file)
        for _ in range(int(times)):
            found["memory"].append(await spent(service, calendar, memory))
            found["file"].append(await spent(service, calendar, file))
    print(json.dumps(found))  # noqa: T201


asyncio.run(main(*sys.argv[1:]))
