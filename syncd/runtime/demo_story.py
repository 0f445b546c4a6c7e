"""What happens in the demo: the calendars at the beginning, and what Ada does then."""

from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, time, timedelta

from syncd.runtime.demo_server import CalendarServer, Entry

CALENDARS = {"work": "Work", "family": "Family"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One thing that Ada does; ``activities`` of events tell of it afterwards."""

    says: str
    does: Callable[[CalendarServer], Awaitable[None]]
    activities: int = 1


class Story:
    """The demo's events, in the week after ``today``."""

    def __init__(self, today: datetime) -> None:
        """Begin on the Monday that follows."""
        monday = today.date() + timedelta(days=7 - today.weekday())
        self._monday = datetime.combine(monday, time(), UTC)

    def beginning(self) -> Iterator[tuple[str, str, Entry]]:
        """Yield what is there before syncd looks: calendar, uid, event."""
        yield "work", "standup", self._at(0, 9, "Stand-up", 0.25, rule="FREQ=DAILY;COUNT=20")
        yield "work", "review", self._at(1, 10, "Design review", location="Room Turing")
        yield "work", "customer", self._at(2, 14, "Call with Analytical Engines", 0.5)
        yield "work", "lunch", self._at(3, 12, "Lunch with Charles", location="Engine Street 1")
        yield "work", "board", self._at(4, 15, "Board meeting", 2, location="Room Babbage")
        yield "work", "retro", self._at(4, 11, "Retrospective", rule="FREQ=WEEKLY;INTERVAL=2")
        yield "family", "dentist", self._at(1, 8, "Dentist", 0.5, location="Harley Street 12")
        yield "family", "piano", self._at(2, 17, "Piano lesson", rule="FREQ=WEEKLY;COUNT=10")
        yield "family", "birthday", self._at(5, 0, "Byron's birthday", 0, rule="FREQ=YEARLY")
        yield "family", "cinema", self._at(5, 19, "Cinema", 2.5)

    def next_tea(self) -> dict[str, str]:
        """Return an event that is not there yet, as the body of a request."""
        at = self._monday + timedelta(days=2, hours=16)
        return {
            "name": "Tea with Mary",
            "start": f"{at:%Y-%m-%dT%H:%M:%SZ}",
            "end": f"{at + timedelta(hours=1):%Y-%m-%dT%H:%M:%SZ}",
        }

    def steps(self) -> Iterator[Step]:
        """Yield what Ada does, in order."""
        review = self._at(1, 13, "Design review", location="Room Turing")
        board = self._at(4, 15, "Board meeting", 2, location="Room Lovelace")
        hike = self._at(6, 9, "Hike to the lighthouse", 5)
        picnic = replace(hike, name="Picnic under a roof", hours=2)
        yield Step(
            says="Ada plans a hike for Sunday",
            does=lambda server: server.put("family", "hike", hike),
        )
        yield Step(
            says="Ada moves the design review three hours later",
            does=lambda server: server.put("work", "review", review),
        )
        yield Step(
            says="Ada's dentist cancels",
            does=lambda server: server.delete("family", "dentist"),
        )
        yield Step(
            says="Ada finds a larger room for the board",
            does=lambda server: server.put("work", "board", board),
        )
        yield Step(
            says="Ada reads the weather report",
            does=lambda server: server.put("family", "hike", picnic),
        )
        yield Step(
            says="Ada moves lunch with Charles into the family's calendar",
            does=self._move_lunch,
            activities=2,
        )

    async def _move_lunch(self, server: CalendarServer) -> None:
        lunch = self._at(3, 12, "Lunch with Charles", location="Engine Street 1")
        await server.delete("work", "lunch")
        await server.put("family", "lunch", lunch)

    def _at(  # noqa: PLR0913 - an event has that many parts
        self,
        day: int,
        hour: int,
        name: str,
        hours: float = 1,
        *,
        location: str = "",
        rule: str = "",
    ) -> Entry:
        start = self._monday + timedelta(days=day, hours=hour)
        return Entry(name=name, start=start, hours=hours, location=location, rule=rule)
