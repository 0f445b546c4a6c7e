"""What is asked of Exchange, as the elements of MS-OXWS: pure, in the order of its schema."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from lxml.etree import _Element as Element

from syncd.model.event import Answer
from syncd.model.when import utc
from syncd.providers.ews.xml import M, Making, T

MOST_CHANGES = 512  # of one SyncFolderItems (E4)
CALENDAR, CONTACTS, DELETED, ROOT = "calendar", "contacts", "deleteditems", "msgfolderroot"
_OUR_PROPERTIES = "5d5b2f7a-4f0e-4e0c-9d53-6f0c8a0b7d21"  # a property set of syncd's own
_EVENT_FIELDS = (
    *("item:Subject", "item:Sensitivity", "item:Body", "item:Attachments", "item:DateTimeCreated"),
    *("item:ReminderIsSet", "item:ReminderMinutesBeforeStart", "item:LastModifiedTime"),
    *("calendar:UID", "calendar:Start", "calendar:End", "calendar:OriginalStart"),
    *("calendar:IsAllDayEvent", "calendar:LegacyFreeBusyStatus", "calendar:Location"),
    *("calendar:IsCancelled", "calendar:CalendarItemType", "calendar:MyResponseType"),
    *("calendar:Organizer", "calendar:RequiredAttendees", "calendar:OptionalAttendees"),
    *("calendar:Resources", "calendar:Recurrence", "calendar:ModifiedOccurrences"),
    *("calendar:DeletedOccurrences", "calendar:StartTimeZone", "calendar:EndTimeZone"),
)
_OCCURRENCE_FIELDS = ("calendar:UID", "calendar:Start", "calendar:CalendarItemType")
_FOLDER_FIELDS = (
    *("folder:FolderClass", "folder:ParentFolderId", "folder:DisplayName"),
    "folder:EffectiveRights",
)
_REPLIES = {
    Answer.ACCEPTED: T.AcceptItem,
    Answer.TENTATIVE: T.TentativelyAcceptItem,
    Answer.DECLINED: T.DeclineItem,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemId:
    """Their id of an event or contact, and its version (E7)."""

    id: str
    changekey: str = ""

    def element(self, name: str = "ItemId") -> Element:
        """Return it as an element."""
        version = {"ChangeKey": self.changekey} if self.changekey else {}
        return T(name, Id=self.id, **version)


def get_folders(*names: str, mailbox: str = "") -> Element:
    """Ask for distinguished folders, or for those of somebody's mailbox."""
    of = [T.Mailbox(T.EmailAddress(mailbox))] if mailbox else []
    ids = [T.DistinguishedFolderId(*of, Id=name) for name in names]
    return M.GetFolder(_shape(M.FolderShape, _FOLDER_FIELDS), M.FolderIds(*ids))


def get_folder(folder: str) -> Element:
    """Ask whether a folder is still there."""
    return M.GetFolder(_shape(M.FolderShape, ()), M.FolderIds(_folder(folder)))


def get_folder_whole(folder: str) -> Element:
    """Ask for a folder with all that a calendar tells of itself."""
    return M.GetFolder(_shape(M.FolderShape, _FOLDER_FIELDS), M.FolderIds(_folder(folder)))


def sync_hierarchy(state: str) -> Element:
    """Ask for all folders, or those that changed since ``state``."""
    since = [M.SyncState(state)] if state else []
    return M.SyncFolderHierarchy(_shape(M.FolderShape, _FOLDER_FIELDS), *since)


def sync_items(folder: str, state: str) -> Element:
    """Ask for the ids of what is in a folder, or changed there since ``state`` (E5)."""
    since = [M.SyncState(state)] if state else []
    return M.SyncFolderItems(
        _shape(M.ItemShape, ()),
        M.SyncFolderId(_folder(folder)),
        *since,
        M.MaxChangesReturned(str(MOST_CHANGES)),
    )


def get_events(ids: Iterable[ItemId]) -> Element:
    """Ask for events whole, but what is attached."""
    shape = _shape(M.ItemShape, _EVENT_FIELDS, T.BodyType("Text"))
    return M.GetItem(shape, M.ItemIds(*(one.element() for one in ids)))


def get_contacts(ids: Iterable[ItemId]) -> Element:
    """Ask for contacts with all properties."""
    shape = M.ItemShape(T.BaseShape("AllProperties"), T.BodyType("Text"))
    return M.GetItem(shape, M.ItemIds(*(one.element() for one in ids)))


def get_version(one: ItemId) -> Element:
    """Ask for an item's newest version only."""
    return M.GetItem(_shape(M.ItemShape, ()), M.ItemIds(T.ItemId(Id=one.id)))


def find_occurrences(folder: str, begin: datetime, end: datetime) -> Element:
    """Ask for what happens in a time, each occurrence by itself."""
    return M.FindItem(
        _shape(M.ItemShape, _OCCURRENCE_FIELDS),
        M.CalendarView(StartDate=utc(begin), EndDate=utc(end)),
        M.ParentFolderIds(_folder(folder)),
        Traversal="Shallow",
    )


def find_named(folder: str, name: str) -> Element:
    """Ask for what was made under a name of ours (P11)."""
    is_named = T.IsEqualTo(_name_field(), T.FieldURIOrConstant(T.Constant(Value=name)))
    return M.FindItem(
        _shape(M.ItemShape, ()),
        M.IndexedPageItemView(MaxEntriesReturned="1", Offset="0", BasePoint="Beginning"),
        M.Restriction(is_named),
        M.ParentFolderIds(_folder(folder)),
        Traversal="Shallow",
    )


def named(name: str) -> Element:
    """Return the extended property that an event made under ``name`` has."""
    return T.ExtendedProperty(_name_field(), T.Value(name))


def create_event(folder: str, item: Element) -> Element:
    """Make an event; nobody is mailed (E9)."""
    return M.CreateItem(
        M.SavedItemFolderId(_folder(folder)), M.Items(item), SendMeetingInvitations="SendToNone"
    )


def update_event(one: ItemId, updates: Sequence[Element]) -> Element:
    """Change an event if it is the version that we know; nobody is mailed."""
    change = T.ItemChange(one.element(), T.Updates(*updates))
    return M.UpdateItem(
        M.ItemChanges(change),
        ConflictResolution="NeverOverwrite",
        MessageDisposition="SaveOnly",
        SendMeetingInvitationsOrCancellations="SendToNone",
    )


def reply(one: ItemId, answer: Answer) -> Element:
    """Answer an invitation; the organizer is told (E9). ``answer`` is not pending."""
    told = _REPLIES[answer](one.element("ReferenceItemId"))
    return M.CreateItem(M.Items(told), MessageDisposition="SendAndSaveCopy")


def delete_event(one: ItemId) -> Element:
    """Delete an event, a series or an occurrence; nobody is mailed."""
    return M.DeleteItem(
        M.ItemIds(one.element()),
        DeleteType="MoveToDeletedItems",
        SendMeetingCancellations="SendToNone",
    )


def create_folder(name: str) -> Element:
    """Make a calendar below the person's own."""
    parent = M.ParentFolderId(T.DistinguishedFolderId(Id=CALENDAR))
    return M.CreateFolder(parent, M.Folders(T.CalendarFolder(T.DisplayName(name))))


def delete_folder(folder: str) -> Element:
    """Delete a calendar with its events."""
    return M.DeleteFolder(M.FolderIds(_folder(folder)), DeleteType="MoveToDeletedItems")


def resolve_names(entry: str) -> Element:
    """Ask who goes by a name in the organisation."""
    return M.ResolveNames(M.UnresolvedEntry(entry), ReturnFullContactData="false")


def get_options() -> Element:
    """Ask what the person chose in Outlook on the web."""
    name = M.UserConfigurationName(T.DistinguishedFolderId(Id="root"), Name="OWA.UserOptions")
    return M.GetUserConfiguration(name, M.UserConfigurationProperties("Dictionary"))


def get_room_lists() -> Element:
    """Ask for the lists of rooms."""
    return M.GetRoomLists()


def get_rooms(room_list: str) -> Element:
    """Ask for the rooms of a list."""
    return M.GetRooms(M.RoomList(T.EmailAddress(room_list)))


def field(uri: str) -> Element:
    """Return the path of a property."""
    return T.FieldURI(FieldURI=uri)


def _folder(folder: str) -> Element:
    return T.FolderId(Id=folder)


def _name_field() -> Element:
    return T.ExtendedFieldURI(
        PropertySetId=_OUR_PROPERTIES, PropertyName="SyncdName", PropertyType="String"
    )


def _shape(kind: Making, fields: Iterable[str], *between: Element) -> Element:
    more = [field(one) for one in fields]
    asked = [T.AdditionalProperties(*more)] if more else []
    return kind(T.BaseShape("IdOnly"), *between, *asked)
