"""Providers as people know them: names, a few words, and what their forms ask for."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from syncd.ports.link import Way


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """One provider; ``server`` is empty where there is nothing to choose.

    ``finds``: an e-mail address is enough to find it.
    """

    provider: str
    name: str
    words: str
    consents: bool = False
    user: str = "User name"
    password: str = "Password"  # noqa: S105 - the label of a field
    server: str = ""
    finds: bool = False
    example: str = ""
    hint: str = ""
    app_password: bool = False


_CARDS = {
    "google": Card(provider="google", name="Google", words="Gmail and Google Workspace"),
    "graph": Card(provider="graph", name="Microsoft", words="Microsoft 365 and Outlook.com"),
    "icloud": Card(
        provider="icloud",
        name="iCloud",
        words="Calendars of an Apple Account",
        user="Apple Account (e-mail address)",
        password="App-specific password",  # noqa: S106 - the label of a field
        app_password=True,
    ),
    "ews": Card(
        provider="ews",
        name="Exchange",
        words="Your organisation's own server",
        user="E-mail address or DOMAIN\\name",
        server="Server",
        finds=True,
        example="mail.example.org",
        hint="The host that Outlook is set up with; with an e-mail address it is mostly found. "
        "Microsoft 365 has its own button.",
    ),
    "caldav": Card(
        provider="caldav",
        name="CalDAV",
        words="Nextcloud, Fastmail and many others",
        server="Server",
        example="cloud.example.org",
        hint="The address of the server or of the calendar, or your e-mail address.",
    ),
}
_ORDER = tuple(_CARDS)


def cards(ways: Sequence[Way]) -> list[Card]:
    """Return a card for each way, those that most people want first."""
    return [card(way.provider, way) for way in sorted(ways, key=_place)]


def card(provider: str, way: Way | None) -> Card:
    """Return a provider's card; one that nobody wrote words for has its bare name.

    ``way`` is None where it cannot be connected at present.
    """
    plain = Card(provider=provider, name=way.name if way else provider, words="", server="Server")
    return replace(_CARDS.get(provider, plain), consents=way is not None and way.consents)


def _place(way: Way) -> tuple[int, str]:
    return (_ORDER.index(way.provider) if way.provider in _ORDER else len(_ORDER), way.name)
