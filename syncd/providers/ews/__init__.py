"""On-premises Exchange (Exchange Web Services, 2013 and newer)."""

from syncd.model.abilities import EVENT_MEMBERS, Abilities
from syncd.model.errors import MisconfiguredError
from syncd.providers.kind import Adapter, Kind, Rim


def _start(rim: Rim) -> Adapter:
    try:
        import exchangelib  # noqa: F401 - is the extra installed?
    except ModuleNotFoundError:
        raise MisconfiguredError(
            "Exchange needs what the extra brings: pip install 'syncd[exchange]'"
        ) from None
    from syncd.providers.ews.adapter import EwsAdapter

    return EwsAdapter(rim)


KIND = Kind(
    name="ews",
    service="exchange",
    service_name="Exchange Server 2013+",
    provider_name="exchange",
    provider_service="exchange",
    start=_start,
    abilities=Abilities(
        event=EVENT_MEMBERS
        - {"color", "custom_properties", "geo", "organizer", "raw", "url", "use_default_reminder"},
        calendar=frozenset({"name"}),
        calendar_updates=False,
        reminders=1,
        reminder_methods=frozenset({"popup"}),
        any_rule=False,
        unique_calendar_names=True,
        contacts=True,
        rooms=True,
        icalendar=False,
    ),
    extra="exchangelib",
)
