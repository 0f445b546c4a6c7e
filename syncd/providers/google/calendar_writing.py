"""Calendars made, changed and deleted; colour and own name stand in the profile's list."""

from typing import Any

from syncd.model.edit import UNSET, CalendarEdit
from syncd.model.errors import MalformedReplyError, NotFoundError
from syncd.model.ids import CalendarKey
from syncd.ports.writing import WroteCalendar
from syncd.providers.google import wire
from syncd.providers.google.client import Ask, GoogleClient, Json
from syncd.providers.google.translate import BROKEN, calendar_of

_MEMBERS = {
    "name": "summary",
    "description": "description",
    "location": "location",
    "timezone": "timeZone",
}
_RGB = {"colorRgbFormat": "true"}
_DARK = 128  # of 255: white letters stand on what is darker


class CalendarWriting:
    """Writes calendars of one profile."""

    def __init__(self, client: GoogleClient) -> None:
        """Write through ``client``."""
        self._client = client

    async def create(self, edit: CalendarEdit) -> WroteCalendar:
        """Insert a calendar, which enters the list by itself."""
        body = {name: value for name, value in _body(edit).items() if value is not None}
        made = await self._client.send(
            Ask(method="POST", path=("calendars",), body={**body, **edit.raw})
        )
        key = CalendarKey(made["id"])
        return await self._listed(key, _look(edit))

    async def update(self, calendar: CalendarKey, edit: CalendarEdit) -> WroteCalendar:
        """Patch the calendar; its name in the list alone where it is somebody else's."""
        entry = await self._client.get(*wire.CALENDAR_LIST, calendar)
        body, look = _body(edit), _look(edit)
        if "summary" in body and entry.get("accessRole") != "owner":
            look["summaryOverride"] = body.pop("summary")
        elif "summary" in body and entry.get("summaryOverride"):
            look["summaryOverride"] = None
        body |= edit.raw
        if body:
            await self._client.send(Ask(method="PATCH", path=("calendars", calendar), body=body))
        return await self._listed(calendar, look)

    async def delete(self, calendar: CalendarKey) -> None:
        """Delete a calendar; one that is gone is a success."""
        try:
            await self._client.send(Ask(method="DELETE", path=("calendars", calendar)))
        except NotFoundError:
            return

    async def _listed(self, calendar: CalendarKey, look: Json) -> WroteCalendar:
        """Change the entry of the list, if there is something to change; return it."""
        path = (*wire.CALENDAR_LIST, calendar)
        if look:
            query = _RGB if "backgroundColor" in look else {}
            entry = await self._client.send(Ask(method="PATCH", path=path, query=query, body=look))
        else:
            entry = await self._client.get(*path)
        try:
            return WroteCalendar(calendar=calendar_of(entry))
        except BROKEN as error:
            raise MalformedReplyError(f"Google's calendar cannot be read: {error!r}") from None


def _body(edit: CalendarEdit) -> Json:
    given: dict[str, Any] = {theirs: getattr(edit, ours) for ours, theirs in _MEMBERS.items()}
    return {name: value for name, value in given.items() if value is not UNSET}


def _look(edit: CalendarEdit) -> Json:
    if not isinstance(edit.color, str):
        return {}  # a calendar of Google always has a colour
    red, green, blue = (int(edit.color[at : at + 2], 16) for at in (1, 3, 5))
    dark = (299 * red + 587 * green + 114 * blue) / 1000 < _DARK
    return {"backgroundColor": edit.color, "foregroundColor": "#ffffff" if dark else "#000000"}
