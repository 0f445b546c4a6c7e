"""Endings of what an application began: what it is told, and how (api.md K6, N7)."""

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlencode

import orjson

from syncd.model.invitation import OUT_OF_BAND, Ending, Popup


@dataclass(frozen=True, slots=True, kw_only=True)
class Home:
    """The way back to an application; without ``return_to`` there is none.

    A popup tells the window of ``origin`` that opened it, under the name ``request_id``.
    ``fragment``: what is told stays in the browser and is sent to no server.
    """

    return_to: str | None
    origin: str | None = None
    request_id: str | None = None
    fragment: bool = False


def ending(home: Home, told: Mapping[str, str], *, connected: bool) -> Ending:
    """Return how the application is told; what its address has already stays there."""
    if home.return_to is None:
        return Ending(connected=connected)
    if home.return_to == OUT_OF_BAND:
        message = {"type": "authentication", "id": home.request_id, "data": told}
        text = f"kloudless:{orjson.dumps(message).decode()}"
        return Ending(connected=connected, popup=Popup(origin=home.origin or "", message=text))
    sign = "#" if home.fragment else "&" if "?" in home.return_to else "?"
    return Ending(connected=connected, url=f"{home.return_to}{sign}{urlencode(told)}")


def refusal(error: str, description: str, state: str | None) -> Mapping[str, str]:
    """Return what is told of a failure (RFC 6749 §4.1.2.1)."""
    told = {"error": error, "error_description": description}
    return told if state is None else {**told, "state": state}
