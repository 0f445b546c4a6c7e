"""any CalDAV server (RFC 4791, RFC 6578)."""

from syncd.model.abilities import CALENDAR_MEMBERS, EVENT_MEMBERS, Abilities
from syncd.ports.link import SignIn
from syncd.providers.kind import Adapter, Kind, Rim


def _start(rim: Rim) -> Adapter:
    from syncd.providers.caldav.adapter import CalDavAdapter

    return CalDavAdapter(rim)


KIND = Kind(
    name="caldav",
    service="caldav",
    service_name="CalDAV",
    provider_name="caldav",
    provider_service="caldav",
    start=_start,
    abilities=Abilities(
        event=EVENT_MEMBERS - {"use_default_reminder"},
        calendar=CALENDAR_MEMBERS - {"location"},
        reminder_texts=True,
        names_organizer=True,
        contacts=True,
    ),
    sign_in=SignIn.PASSWORD,
)
