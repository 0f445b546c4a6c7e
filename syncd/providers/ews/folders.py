"""Which folders are calendars (E10), read whole each time."""

from collections.abc import Mapping

from lxml.etree import _Element as Element

from syncd.model.calendar import Calendar, Holds
from syncd.model.errors import (
    ForbiddenError,
    MalformedReplyError,
    NotFoundError,
    SyncdError,
)
from syncd.providers.ews import payloads
from syncd.providers.ews.client import EwsClient
from syncd.providers.ews.translate import calendar_of
from syncd.providers.ews.xml import attribute, child, children, local, text

_EVENTS = "IPF.Appointment"


async def calendars(client: EwsClient) -> list[Calendar]:
    """Return the person's own calendar, and every other outside of what was deleted."""
    primary, deleted = await _known(client, payloads.CALENDAR, payloads.DELETED)
    own, bin_ = _id(primary), _id(deleted)
    folders = await _all(client)
    folders.setdefault(own, primary)
    return [
        calendar_of(one, primary=key == own)
        for key, one in folders.items()
        if key == own or (_is_calendar(one) and not _below(key, bin_, folders))
    ]


async def address_book(client: EwsClient) -> Calendar:
    """Return the person's contacts."""
    (found,) = await _known(client, payloads.CONTACTS)
    return calendar_of(found, primary=False, holds=Holds.CONTACTS)


async def _known(client: EwsClient, *names: str) -> list[Element]:
    """Return distinguished folders, all or an error."""
    messages = await client.read_apart(lambda: payloads.get_folders(*names))
    found = list[Element]()
    for message in messages:
        if isinstance(message, SyncdError):
            raise message
        found += children(child(message, "Folders"))
    if len(found) != len(names):
        raise MalformedReplyError(f"{len(names)} folders were asked for, {len(found)} told")
    return found


async def _all(client: EwsClient) -> dict[str, Element]:
    """Return every folder of the mailbox by its id."""
    found, state, last = dict[str, Element](), "", False
    while not last:
        message = await client.read(lambda state=state: payloads.sync_hierarchy(state))  # type: ignore[misc]  # a default binds
        before, state = state, text(message, "SyncState") or ""
        told = text(message, "IncludesLastFolderInRange")
        changes = child(message, "Changes")
        if (
            changes is None
            or told not in ("true", "false")
            or (told == "false" and state == before)
        ):
            raise MalformedReplyError("a page of folders has no end, no changes or no new state")
        for change in children(changes):
            folder = next(children(change), None)
            if local(change) == "Delete":
                found.pop(_id(change), None)
            elif folder is not None:
                found[_id(folder)] = folder
        last = told == "true"
    return found


def _id(folder: Element) -> str:
    found = attribute(child(folder, "FolderId"), "Id")
    if not found:
        raise MalformedReplyError(f"{local(folder)} has no id")
    return found


def _is_calendar(folder: Element) -> bool:
    kind = text(folder, "FolderClass") or ""
    return kind == _EVENTS or kind.startswith(f"{_EVENTS}.")


def _below(key: str, other: str, folders: Mapping[str, Element]) -> bool:
    """Tell whether a folder lies in another, however deep."""
    seen = set[str]()
    while key in folders and key not in seen:
        seen.add(key)
        key = attribute(child(folders[key], "ParentFolderId"), "Id") or ""
        if key == other:
            return True
    return False


async def of_mailbox(client: EwsClient, name: str, address: str = "") -> str | None:
    """Return the id of a distinguished folder, None where the mailbox is not ours to read."""
    try:
        message = await client.read(lambda: payloads.get_folders(name, mailbox=address))
    except (NotFoundError, ForbiddenError):
        return None
    folder = next(children(child(message, "Folders")), None)
    return None if folder is None else _id(folder)
