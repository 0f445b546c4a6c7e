"""Bodies of Cronofy's writes, and the drafts that they are (api.md C5, C9-C12)."""

from datetime import datetime
from typing import Annotated, Any, Literal, Self

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    StrictBool,
    WithJsonSchema,
    field_validator,
    model_validator,
)
from pydantic_core import PydanticCustomError

from syncd.api.cronofy.objects import UTC_ZONE
from syncd.api.params import Flag, Moment
from syncd.api.problems import invalid
from syncd.api.route import Shape
from syncd.engine.draft import EventDraft, Guest
from syncd.formats.zones import iana
from syncd.model.edit import UNSET, Not
from syncd.model.event import MOST_LAT, MOST_LONG, Answer, Geo, Reminder, Visibility

COLOR = r"^#[0-9A-Fa-f]{6}$"
_MOST_ATTENDEES = 500
_MOST_OWN_ID = 1024


def _said(value: object) -> object:
    if value is None or (isinstance(value, str) and not value.strip()):
        raise PydanticCustomError("missing", "required")
    return value


def _zone(name: str) -> str:
    if iana(name) is None:
        raise ValueError(f"there is no zone {name!r}: use a name of the IANA list")
    return name


def _localized(value: object) -> object:
    if value is None or value == "":
        raise PydanticCustomError("missing", "required")
    return {"time": value} if isinstance(value, str) else value


Text = Annotated[  # required, not blank
    str, BeforeValidator(_said), Field(json_schema_extra={"pattern": r"\S"})
]
Zone = Annotated[str, AfterValidator(_zone)]
Name = Annotated[Text, Field(max_length=1_024)]


class TimeBody(Shape):
    """A time or a date, in a zone."""

    time: Moment
    tzid: Zone | None = None


Time = Annotated[
    TimeBody,
    BeforeValidator(_localized),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "string", "format": "date-time"},
                {"type": "string", "format": "date"},
                {
                    "type": "object",
                    "properties": {
                        "time": {"type": "string", "format": "date-time"},
                        "tzid": {"enum": [UTC_ZONE, "Europe/Berlin", "America/New_York"]},
                    },
                    "required": ["time"],
                },
            ]
        },
        mode="validation",
    ),
]


class NewCalendarBody(Shape):
    """The body of C5."""

    profile_id: Text
    name: Name
    color: str | None = Field(default=None, pattern=COLOR)


class ReplyBody(Shape):
    """The body of C9."""

    status: Literal["accepted", "tentative", "declined"]

    def draft(self) -> EventDraft:
        """Return the write that this asks for."""
        return EventDraft(reply=Answer(self.status))


class GuestBody(Shape):
    """Whom to invite."""

    email: Text
    display_name: str | None = None


class DismissedBody(Shape):
    """Whom to remove."""

    email: Text


class AttendeesBody(Shape):
    """Whom to invite and whom to remove; all others stay."""

    invite: Annotated[tuple[GuestBody, ...], Field(max_length=_MOST_ATTENDEES)] = ()
    remove: Annotated[tuple[DismissedBody, ...], Field(max_length=_MOST_ATTENDEES)] = ()


class UpsertReminder(Shape):
    """How long before the start."""

    minutes: int = Field(ge=0, le=1_000_000)


def _degrees(most: int) -> WithJsonSchema:
    number = {"type": "number", "minimum": -most, "maximum": most}
    return WithJsonSchema({"anyOf": [number, {"type": "string", "examples": ["12.5"]}]})


class LocationBody(Shape):
    """Where it is; `lat` and `long` come together."""

    description: str | None = Field(default=None, max_length=65_536)
    lat: Annotated[float, Field(ge=-MOST_LAT, le=MOST_LAT), _degrees(MOST_LAT)] | None = None
    long: Annotated[float, Field(ge=-MOST_LONG, le=MOST_LONG), _degrees(MOST_LONG)] | None = None

    @model_validator(mode="after")
    def check_whole(self) -> Self:
        """Refuse half a place."""
        if (self.lat is None) is not (self.long is None):
            raise ValueError("lat and long come together")
        return self

    @property
    def words(self) -> str | Not | None:
        """Return what it is called."""
        return self.description if "description" in self.model_fields_set else UNSET

    @property
    def geo(self) -> Geo | Not | None:
        """Return the place on the globe; null for both removes it."""
        if self.lat is None or self.long is None:
            return None if "lat" in self.model_fields_set else UNSET
        return Geo(lat=self.lat, long=self.long)


class EventNamed(Shape):
    """An event by the application's own `event_id`, or one of the user's by `event_uid`."""

    event_uid: str | None = Field(default=None, max_length=_MOST_OWN_ID)
    event_id: str | None = Field(default=None, max_length=_MOST_OWN_ID, validate_default=True)

    @field_validator("event_id")
    @classmethod
    def check_named(cls, value: str | None, told: Any) -> str | None:  # noqa: ANN401 - of pydantic
        """Refuse a body that names no event."""
        if not (value and value.strip()) and not told.data.get("event_uid"):
            raise PydanticCustomError("missing", "required")
        return value


class UpsertBody(EventNamed):
    """The body of C10."""

    summary: Name
    description: str | None = Field(default=None, max_length=65_536)
    start: Time
    end: Time
    tzid: Zone | None = Field(default=None, description="Default: `Etc/UTC`.")
    location: LocationBody | None = None
    url: str | None = Field(default=None, max_length=2_048)
    transparency: Literal["opaque", "transparent"] | None = None
    event_private: Flag | None = None
    color: str | None = Field(default=None, pattern=COLOR)
    reminders: Annotated[tuple[UpsertReminder, ...], Field(max_length=100)] | None = None
    attendees: AttendeesBody | None = None

    def draft(self, *, new: bool) -> EventDraft:
        """Return the write that this asks for; ``new`` if the event may have to be made."""
        start, end = self.start.time, self.end.time
        all_day = not isinstance(start, datetime)
        if all_day is isinstance(end, datetime):
            raise invalid("start and end must both be dates or both be times", field="end")
        zone = self.tzid or (UTC_ZONE if new else UNSET)
        private, place, guests = self.event_private, self.location, self.attendees
        return EventDraft(
            name=self.summary,
            description=_given(self.description),
            start=start,
            end=end,
            all_day=all_day,
            start_zone=UNSET if all_day else self.start.tzid or zone,
            end_zone=UNSET if all_day else self.end.tzid or zone,
            location=UNSET if place is None else place.words,
            geo=UNSET if place is None else place.geo,
            url=_given(self.url),
            color=_given(self.color),
            transparent=UNSET if self.transparency is None else self.transparency != "opaque",
            visibility=UNSET if private is None else _visibility(private=private),
            reminders=UNSET
            if self.reminders is None
            else tuple(Reminder(minutes=one.minutes) for one in self.reminders),
            lenient=True,
            invite=()
            if guests is None
            else tuple(Guest(email=one.email, name=one.display_name) for one in guests.invite),
            dismiss=frozenset()
            if guests is None
            else frozenset(one.email.strip().lower() for one in guests.remove),
        )


class ChosenBody(Shape):
    """The body of C12, if its parameters are not in the query."""

    delete_all: StrictBool = False
    calendar_ids: tuple[str, ...] = ()


class ChosenQuery(Shape):
    """The query of C12."""

    delete_all: Flag = False
    calendar_ids: tuple[str, ...] = Field(default=(), alias="calendar_ids[]")


def _given(text: str | None) -> str | Not:
    return UNSET if text is None else text


def _visibility(*, private: bool) -> Visibility:
    return Visibility.PRIVATE if private else Visibility.DEFAULT
