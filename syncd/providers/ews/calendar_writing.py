"""Calendars made and deleted; the seed leaves out to change them."""

from syncd.model.edit import CalendarEdit
from syncd.model.errors import MalformedReplyError, NotFoundError
from syncd.model.ids import CalendarKey
from syncd.ports.writing import WroteCalendar
from syncd.providers.ews import payloads
from syncd.providers.ews.client import EwsClient
from syncd.providers.ews.translate import calendar_of
from syncd.providers.ews.xml import child, children


async def create(client: EwsClient, edit: CalendarEdit) -> WroteCalendar:
    """Make a calendar; raises ConflictError for a name that is taken."""
    message = await client.write(payloads.create_folder(str(edit.name)))
    made = next(children(child(message, "Folders")), None)
    if made is None:
        raise MalformedReplyError("Exchange made a calendar and does not say which")
    key = calendar_of(made, primary=False).key
    told = await client.read(lambda: payloads.get_folder_whole(key))
    folder = next(children(child(told, "Folders")), None)
    if folder is None:
        raise MalformedReplyError("Exchange does not tell the calendar that it made")
    return WroteCalendar(calendar=calendar_of(folder, primary=False))


async def delete(client: EwsClient, calendar: CalendarKey) -> None:
    """Delete a calendar with its events; one that is gone is a success (P5)."""
    try:
        await client.write(payloads.delete_folder(calendar))
    except NotFoundError:
        return
