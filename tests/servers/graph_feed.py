"""The change feed of the Graph fake: rounds within a window, and what changed since (MG1-MG9)."""

import base64
import json
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from tests.servers.graph_truth import CalendarTruth, Json, sparse

LONGEST = timedelta(days=1825)  # of a window


@dataclass(frozen=True)
class Place:
    """What a deltaLink stands for; ``former`` is where the link before it stood."""

    generation: int
    calendar: str
    after: str
    before: str
    position: int
    former: int

    def text(self) -> str:
        return base64.urlsafe_b64encode(json.dumps(self.__dict__).encode()).decode()

    @classmethod
    def read(cls, text: str) -> "Place":
        return cls(**json.loads(base64.urlsafe_b64decode(text)))

    @property
    def window(self) -> tuple[datetime, datetime]:
        return instant(self.after), instant(self.before)

    def now(self, truth: CalendarTruth) -> "Place":
        return replace(self, position=len(truth.log), former=self.position)


@dataclass
class Habits:
    """What Graph does on some days; all of it is allowed."""

    partial: bool = False  # entries without etag and type (MG4)
    replays: bool = False  # the last changes come once more (MG9)
    backwards: bool = False  # the newest first
    no_original_start: bool = False  # null, as often in v1.0 (MG8)
    no_day_in_uid: bool = False  # as if the day in iCalUId were no rule (MG8)
    bare_instances: bool = False  # /instances without exceptions (MG7)
    merged_schedules: bool = False  # of free time only the merged view (MG21)


def instant(text: str) -> datetime:
    at = datetime.fromisoformat(text)
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def everything(truth: CalendarTruth, place: Place) -> list[Json]:
    """Return a first round: all that meets the window, series with sparse occurrences."""
    return [one for key in truth.events for one in _entries(truth, key, place)]


def changed(truth: CalendarTruth, place: Place, habits: Habits) -> list[Json]:
    """Return what changed; tombstones also for what is outside of the window (MG5)."""
    begin = place.former if habits.replays else place.position
    keys = list(dict.fromkeys(reversed(truth.log[begin:])))
    found = list[Json]()
    for key in keys if habits.backwards else reversed(keys):
        entries = _entries(truth, key, place) if key in truth.events else []
        found += entries or [{"id": key, "@removed": {"reason": "deleted"}}]
    return found


def shown(item: Json, habits: Habits, *, feed: bool = False) -> Json:
    """Return an event as it is told today; extensions only where they are asked for (MG19)."""
    if "@removed" in item:
        return item
    made = {name: one for name, one in item.items() if name != "extensions"}
    if habits.no_original_start and "originalStart" in made:
        made["originalStart"] = None
    if habits.no_day_in_uid and made.get("iCalUId"):
        made["iCalUId"] = f"{made['iCalUId'][:32]}00000000{made['iCalUId'][40:]}"
    if feed and habits.partial and made["type"] != "occurrence":
        gone = {"@odata.etag", "type", "changeKey", "seriesMasterId", "recurrence"}
        made = {name: one for name, one in made.items() if name not in gone}
    return made


def _entries(truth: CalendarTruth, key: str, place: Place) -> list[Json]:
    after, before = place.window
    if not truth.within(key, after, before):
        return []
    item = truth.events[key]
    if item["type"] != "seriesMaster":
        return [item]
    instances = truth.instances(key, after, before)
    return [item, *(sparse(one) for one in instances if one["type"] == "occurrence")]
