"""Numbers, times and states as people read them."""

from collections.abc import Mapping
from datetime import datetime, timedelta

from markupsafe import Markup, escape

from syncd.model.profile import Profile, Reason, State
from syncd.model.subscription import Format, Subscription
from syncd.model.subscription import Reason as Disabled

PROVIDERS: Mapping[str, str] = {
    "google": "Google",
    "graph": "Microsoft 365",
    "ews": "Exchange",
    "caldav": "CalDAV",
    "icloud": "iCloud",
}
STATES: Mapping[State, str] = {
    State.DISCONNECTED: "Disconnected",
    State.SUSPECT: "Suspect",
    State.INITIAL: "First read",
    State.PAUSED: "Paused",
    State.CONNECTED: "Connected",
}
_REASONS: Mapping[Reason, str] = {
    Reason.INVALID_GRANT: "The sign-in was withdrawn: its person must sign in again.",
    Reason.CREDENTIALS_REFUSED: "The server refuses the password: its person must sign in again.",
    Reason.OPERATOR: "Nothing is polled until it is resumed.",
    Reason.MASS_DELETE: "Many events are gone at once. They are kept until the server has said so "
    "three times, or somebody confirms it.",
    Reason.FIRST_READ: "Its calendars are being read for the first time.",
}
_FORMATS: Mapping[Format, str] = {
    Format.STANDARD: "Standard Webhooks",
    Format.CLOUDEVENTS: "CloudEvents",
    Format.KLOUDLESS: "Kloudless webhook",
    Format.CRONOFY: "Cronofy channel",
    Format.NATS: "NATS JetStream",
}
_DISABLED: Mapping[Disabled, str] = {
    Disabled.OPERATOR: "Nothing is sent until it is resumed.",
    Disabled.GONE: "The endpoint wants no more messages: it answered 410.",
    Disabled.EXHAUSTED: "The last attempt failed, after three days of them.",
    Disabled.REVOKED: "The grant that it was made through has ended, or the application.",
    Disabled.EXPIRED: "Records that it was not sent are no longer retained. Resumed, it goes on "
    "at the oldest that is left.",
}
_UNITS = ((86_400, "day"), (3600, "h"), (60, "min"), (1, "s"))
_NOW = timedelta(seconds=1)
_BYTES = ("B", "KiB", "MiB", "GiB", "TiB")
_KIBI = 1024
_TEN = 10  # from here on a number needs no decimal


def provider(name: str) -> str:
    """Return what people call a provider."""
    return PROVIDERS.get(name, name)


def reason(profile: Profile) -> str | None:
    """Return in words why a profile is not simply connected."""
    return None if profile.state_reason is None else _REASONS[profile.state_reason]


def format_name(form: Format) -> str:
    """Return what people call the format of a subscription."""
    return _FORMATS[form]


def disabled(subscription: Subscription) -> str | None:
    """Return in words why nothing is sent, None if it is."""
    if subscription.reason is None:
        return None
    if subscription.format is Format.NATS and not subscription.url:
        return "The settings name no server: nothing is sent until [nats] url is set."
    return _DISABLED[subscription.reason]


def coded(text: str) -> Markup:
    """Return a sentence whose commands stand between backticks, as a page shows it."""
    parts = text.split("`")
    if len(parts) % 2 == 0:  # one is left over
        return escape(text)
    return Markup().join(
        Markup("<code>{}</code>").format(part) if at % 2 else escape(part)
        for at, part in enumerate(parts)
    )


def initial(text: str) -> str:
    """Return a text that begins a line; the rest of it stays."""
    return text[:1].upper() + text[1:]


def span(length: timedelta) -> str:
    """Return a length of time by its largest unit: ``48 s``, ``3 min``, ``2 h``, ``5 days``."""
    seconds = abs(length.total_seconds())
    for size, unit in _UNITS:
        if seconds >= size:
            count = int(seconds // size)
            plural = "s" if unit == "day" and count > 1 else ""
            return f"{number(count)} {unit}{plural}"
    return "less than 1 s"


def relative(at: datetime, now: datetime) -> str:
    """Return when something was, or will be, as seen from now."""
    if abs(at - now) < _NOW:
        return "now"
    return f"{span(now - at)} ago" if at < now else f"in {span(at - now)}"


def absolute(at: datetime) -> str:
    """Return the very moment."""
    return at.strftime("%-d %B %Y, %H:%M:%S UTC")


def number(count: int) -> str:
    """Return a number with its thousands apart."""
    return f"{count:,}".replace(",", "\N{NARROW NO-BREAK SPACE}")


def size(count: int) -> str:
    """Return a number of bytes."""
    value, units = float(count), iter(_BYTES)
    unit = next(units)
    while value >= _KIBI and (larger := next(units, "")):
        value, unit = value / _KIBI, larger
    whole = value >= _TEN or unit == _BYTES[0]
    return f"{value:.0f} {unit}" if whole else f"{value:.1f} {unit}"


def milliseconds(length: timedelta | float) -> str:
    """Return a short time: ``0.4 ms``, ``120 ms``, ``2.5 s``."""
    seconds = length.total_seconds() if isinstance(length, timedelta) else length
    if seconds >= 1:
        return f"{seconds:.1f} s"
    told = seconds * 1000
    return f"{told:.0f} ms" if told >= _TEN else f"{told:.1f} ms"


def plural(count: int, one: str, many: str = "") -> str:
    """Return a number with its noun."""
    return f"{number(count)} {one if count == 1 else many or one + 's'}"
