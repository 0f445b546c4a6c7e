"""iCloud: the calendars and contacts of an Apple ID, a flavour of CalDAV (providers.md IC)."""

from syncd.ports.link import SignIn
from syncd.providers import caldav
from syncd.providers.kind import Adapter, Kind, Rim


def _start(rim: Rim) -> Adapter:
    from syncd.providers.icloud.adapter import IcloudAdapter

    return IcloudAdapter(rim)


KIND = Kind(
    name="icloud",
    service="icloud_calendar",
    service_name="iCloud Calendar",
    provider_name="apple",
    provider_service="icloud",
    start=_start,
    abilities=caldav.KIND.abilities,
    sign_in=SignIn.APP_PASSWORD,
)
