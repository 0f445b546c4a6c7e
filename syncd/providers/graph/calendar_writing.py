"""Calendars made, changed and deleted (MG17)."""

from syncd.formats.colors import nearest
from syncd.formats.outlook import Json
from syncd.model.edit import UNSET, CalendarEdit
from syncd.model.errors import MalformedReplyError, NotFoundError, ProtectedError
from syncd.model.ids import CalendarKey
from syncd.ports.writing import WroteCalendar
from syncd.providers.graph.client import Ask, GraphClient
from syncd.providers.graph.colors import CALENDAR_COLORS
from syncd.providers.graph.translate import BROKEN, calendar_of
from syncd.providers.graph.wire import CALENDARS


class CalendarWriting:
    """Writes calendars of one mailbox; ``paints`` if they may have colours (C5)."""

    def __init__(self, client: GraphClient, *, paints: bool) -> None:
        """Write through ``client``."""
        self._client = client
        self._paints = paints

    async def create(self, edit: CalendarEdit) -> WroteCalendar:
        """Make a calendar; a name that is taken is a conflict."""
        return self._wrote(edit, await self._sent("POST", CALENDARS, edit))

    async def update(self, calendar: CalendarKey, edit: CalendarEdit) -> WroteCalendar:
        """Change name and colour, as far as they are given."""
        path = (*CALENDARS, calendar)
        if not self._body(edit):
            return self._wrote(edit, await self._client.read(Ask(path=path)))
        return self._wrote(edit, await self._sent("PATCH", path, edit))

    async def delete(self, calendar: CalendarKey) -> None:
        """Delete a calendar with its events; one that is gone is a success (P5)."""
        path = (*CALENDARS, calendar)
        try:
            held = await self._client.read(Ask(path=path))
            if held.get("isRemovable") is False:
                raise ProtectedError("this calendar cannot be deleted")
            await self._client.send(Ask(method="DELETE", path=path))
        except NotFoundError:
            return

    async def _sent(self, method: str, path: tuple[str, ...], edit: CalendarEdit) -> Json:
        return await self._client.send(Ask(method=method, path=path, body=self._body(edit)))

    def _body(self, edit: CalendarEdit) -> Json:
        body = Json()
        if edit.name is not UNSET:
            body["name"] = edit.name
        if edit.color is not UNSET and self._paints:
            painted = None if edit.color is None else nearest(edit.color, CALENDAR_COLORS)
            body["color"] = painted or "auto"
        return {**body, **edit.raw}

    def _wrote(self, edit: CalendarEdit, told: Json) -> WroteCalendar:
        unpainted = isinstance(edit.color, str) and not self._paints
        try:
            calendar = calendar_of(told)
        except BROKEN as error:
            raise MalformedReplyError(f"a calendar cannot be read: {error!r}") from None
        return WroteCalendar(calendar=calendar, ignored=frozenset({"color"} if unpainted else ()))
