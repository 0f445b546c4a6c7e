"""Microsoft 365 and Outlook.com (Microsoft Graph v1.0)."""

from syncd.model.abilities import EVENT_MEMBERS, Abilities
from syncd.ports.link import SignIn
from syncd.providers.kind import Adapter, Kind, Rim


def _start(rim: Rim) -> Adapter:
    from syncd.providers.graph.adapter import GraphAdapter

    return GraphAdapter(rim)


KIND = Kind(
    name="graph",
    service="outlook_calendar",
    service_name="Outlook Calendar",
    provider_name="office365",
    provider_service="office365",
    start=_start,
    abilities=Abilities(
        event=EVENT_MEMBERS - {"geo", "url", "use_default_reminder"},
        calendar=frozenset({"name", "color", "raw"}),
        reminders=1,
        reminder_methods=frozenset({"popup"}),
        any_rule=False,
        contacts=True,
        rooms=True,
        room_calendars=True,
        icalendar=False,
        push=True,
    ),
    sign_in=SignIn.GRANT,
)
