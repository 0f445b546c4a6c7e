"""The Google fake in a process of its own, so that its work is not counted as a client's.

``python -m tests.bench.google_serve COUNT`` puts COUNT events into the one calendar, prints where
it is in JSON and serves until its input ends. Every refresh gives the same tokens, as many
profiles share the one account, and nothing is judged.
"""

import asyncio
import json
import sys

from tests.bench.cores import leave
from tests.servers.discovery import Json
from tests.servers.google import GoogleServer, at
from tests.servers.google_truth import CalendarTruth


def seed(calendar: CalendarTruth, count: int) -> None:
    """Put events of a working week into a calendar: each other one a meeting, some series."""
    for number in range(count):
        day, hour = 1 + number % 28, 8 + number % 10
        meeting = {"attendees": [_guest(number + at) for at in range(5)]} if number % 2 else {}
        weekly = {"recurrence": ["RRULE:FREQ=WEEKLY;COUNT=20"]} if number % 20 == 1 else {}
        calendar.put(
            f"bench{number}",
            summary=f"Event {number}",
            description="Agenda as last time, minutes to follow.",
            location=f"Room {number % 40}",
            start=at(day, hour),
            end=at(day, hour + 1),
            htmlLink=f"https://www.google.com/calendar/event?eid=YmVuY2g{number}",
            sequence=number % 3,
            eventType="default",
            **meeting,
            **weekly,
        )


def _guest(number: int) -> Json:
    name = f"guest{number % 50}"
    answer = ("accepted", "needsAction", "tentative", "declined")[number % 4]
    return {"email": f"{name}@example.org", "displayName": name, "responseStatus": answer}


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


leave()
asyncio.run(main(int(sys.argv[1])))
