"""The Google fake in a process of its own, so that its work is not counted as a client's.

``python -m tests.bench.google_serve COUNT`` puts COUNT events into the one calendar, prints where
it is in JSON and serves until its input ends. Every refresh gives the same tokens, as many
profiles share the one account, and nothing is judged.
"""

import asyncio
import json
import sys

from tests.servers.google import GoogleServer, at
from tests.servers.google_truth import CalendarTruth


def seed(calendar: CalendarTruth, count: int) -> None:
    """Put ordinary events into a calendar, each of about 700 bytes."""
    for number in range(count):
        day, hour = 1 + number % 28, 8 + number % 10
        calendar.put(
            f"bench{number}",
            summary=f"Event {number}",
            description="Agenda as last time, minutes to follow.",
            location=f"Room {number % 40}",
            start=at(day, hour),
            end=at(day, hour + 1),
        )


async def main(count: int) -> None:
    server = GoogleServer(judging=False)
    server.tokens.rotating = False
    server.tokens.lifetime = 10**6
    seed(server.work, count)
    async with server.running():
        told = {
            "settings": server.settings,
            "refresh_token": server.tokens.refresh_token,
            "access_token": server.tokens.access_token,
        }
        print(json.dumps(told), flush=True)  # noqa: T201
        await asyncio.to_thread(sys.stdin.read)


asyncio.run(main(int(sys.argv[1])))
