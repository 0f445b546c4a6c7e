"""Recent polls as bars: how long each took, which brought news, which failed."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import log10
from statistics import median

from syncd.engine.diary import FINE, KEPT, Look
from syncd.web.dashboard.words import milliseconds, plural

HEIGHT = 56
_ABOVE = 10  # room for the mark of a failure
_STEP = 10
_LEAST, _MOST = 0.002, 0.05  # seconds, on a logarithmic scale that reaches to the longest
_SHORTEST = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """One poll, in the units of the picture."""

    x: int
    y: float
    height: float
    kind: str  # ``quiet``, ``news`` or ``failed``
    says: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Chart:
    """A picture and the sentence that says the same."""

    bars: tuple[Bar, ...]
    width: int
    height: int
    says: str


def chart(looks: Sequence[Look]) -> Chart | None:
    """Draw the polls, oldest at the left; None without any."""
    if not looks:
        return None
    begin = KEPT - len(looks)
    failed = sum(one.outcome != FINE for one in looks)
    news = sum(one.activities for one in looks)
    usual = milliseconds(median(one.seconds for one in looks))
    most = max(_MOST, *(one.seconds for one in looks))
    return Chart(
        bars=tuple(_bar(place, one, most) for place, one in enumerate(looks, start=begin)),
        width=KEPT * _STEP,
        height=HEIGHT,
        says=f"{plural(len(looks), 'poll')}, {failed or 'none'} failed, "
        f"{plural(news, 'activity', 'activities')} recorded, usually {usual}.",
    )


def _bar(place: int, look: Look, most: float) -> Bar:
    share = log10(max(look.seconds, _LEAST) / _LEAST) / log10(most / _LEAST)
    height = round(_SHORTEST + share * (HEIGHT - _ABOVE - _SHORTEST), 1)
    took = milliseconds(look.seconds)
    if look.outcome != FINE:
        kind, says = "failed", f"failed: {look.outcome}, {took}"
    elif look.activities:
        kind, says = "news", f"{plural(look.activities, 'activity', 'activities')}, {took}"
    else:
        kind, says = "quiet", f"nothing new, {took}"
    return Bar(x=place * _STEP, y=round(HEIGHT - height, 1), height=height, kind=kind, says=says)
