"""What each API calls a provider (api.md R22)."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Brand:
    """Kloudless' ``service`` and ``service_name``, Cronofy's ``provider_name`` and ``_service``."""

    service: str
    service_name: str
    provider_name: str
    provider_service: str


_BRANDS: Mapping[str, Brand] = {
    "google": Brand(
        service="google_calendar",
        service_name="Google Calendar",
        provider_name="google",
        provider_service="google",
    ),
    "graph": Brand(
        service="outlook_calendar",
        service_name="Outlook Calendar",
        provider_name="office365",
        provider_service="office365",
    ),
    "ews": Brand(
        service="exchange",
        service_name="Exchange Server 2013+",
        provider_name="exchange",
        provider_service="exchange",
    ),
    "caldav": Brand(
        service="caldav",
        service_name="CalDAV",
        provider_name="caldav",
        provider_service="caldav",
    ),
    "icloud": Brand(
        service="icloud_calendar",
        service_name="iCloud Calendar",
        provider_name="apple",
        provider_service="icloud",
    ),
}


def brand_of(provider: str) -> Brand:
    """Return a provider's names; one that is not in the table goes by its own."""
    plain = Brand(
        service=provider, service_name=provider, provider_name=provider, provider_service=provider
    )
    return _BRANDS.get(provider, plain)
