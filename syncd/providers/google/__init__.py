"""Google Calendar (API v3)."""

from syncd.model.abilities import EVENT_MEMBERS, Abilities
from syncd.ports.link import SignIn
from syncd.providers.kind import Adapter, Kind, Rim


def _start(rim: Rim) -> Adapter:
    from syncd.providers.google.adapter import GoogleAdapter

    return GoogleAdapter(rim)


KIND = Kind(
    name="google",
    service="google_calendar",
    service_name="Google Calendar",
    provider_name="google",
    provider_service="google",
    start=_start,
    abilities=Abilities(
        event=EVENT_MEMBERS - {"geo", "organizer", "url"},
        reminders=5,
        organizer_moves=True,
        contacts=True,
        rooms=True,
        room_calendars=True,
        icalendar=False,
        push=True,
    ),
    sign_in=SignIn.GRANT,
)
