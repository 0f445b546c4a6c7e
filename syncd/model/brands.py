"""What each API calls a provider (api.md R22)."""

from collections.abc import Mapping
from dataclasses import dataclass

from syncd.model.profile import Profile

FLAVOUR = "flavour"  # of Profile.settings: of a provider with several brands which one it is
OUTLOOK_COM = "outlook_com"


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


_FLAVOURED: Mapping[tuple[str, str], Brand] = {
    ("graph", OUTLOOK_COM): Brand(
        service="outlook_calendar",
        service_name="Outlook Calendar",
        provider_name="live_connect",
        provider_service="outlook_com",
    ),
}


def provider_by_kloudless(name: str) -> str | None:
    """Return the provider that Kloudless calls by this name."""
    return next((one for one, brand in _BRANDS.items() if brand.service == name), None)


def provider_by_cronofy(name: str) -> str | None:
    """Return the provider that Cronofy calls by this name."""
    known = [*_BRANDS.items(), *((one[0], brand) for one, brand in _FLAVOURED.items())]
    return next((provider for provider, brand in known if brand.provider_name == name), None)


def brand_of_profile(profile: Profile) -> Brand:
    """Return the names of a profile's provider, as they are for accounts of its kind."""
    flavour = profile.settings.get(FLAVOUR, "")
    return _FLAVOURED.get((profile.provider, flavour)) or brand_of(profile.provider)


def brand_of(provider: str) -> Brand:
    """Return a provider's names; one that is not in the table goes by its own."""
    plain = Brand(
        service=provider, service_name=provider, provider_name=provider, provider_service=provider
    )
    return _BRANDS.get(provider, plain)
