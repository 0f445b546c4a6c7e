"""Operations on items at the Exchange fake."""

from copy import deepcopy
from datetime import UTC, datetime
from itertools import count

from tests.servers.ews_truth import ORDER, Folder, Item, Mailbox, moment, stamp
from tests.servers.ews_xml import Xml, answer, bad, every, first, good, m, name_of, t, words

_ids = count(1)
REPLIES = {
    "AcceptItem": "Accept",
    "TentativelyAcceptItem": "Tentative",
    "DeclineItem": "Decline",
}
_NOT_IN_SYNC = {"Body", "Attachments", "ModifiedOccurrences", "DeletedOccurrences"}  # E5
_LISTS = {
    "EmailAddress": "EmailAddresses",
    "ImAddress": "ImAddresses",
    "PhoneNumber": "PhoneNumbers",
    "PhysicalAddress": "PhysicalAddresses",
}
_KINDS = ("CalendarItem", "Contact", "DistributionList")


class RefusedError(Exception):
    def __init__(self, code: str, text: str = "words") -> None:
        super().__init__(f"{code}: {text}")
        self.code = code
        self.text = text


class Items:
    """Operates on a mailbox; ``complaints`` are what Exchange's schema would not allow."""

    def __init__(self, mailbox: Mailbox, complaints: list[str]) -> None:
        self.mailbox = mailbox
        self.complaints = complaints
        self.page_size = 512
        self.sick: dict[str, str] = {}  # items that GetItem answers with a code
        self.broken: dict[str, tuple[str, str]] = {}  # items of which a member is told wrong
        self.reply_moves = False
        self.decline_removes = False
        self.repeat_page = False
        self._states: dict[str, tuple[str, int, list[tuple[str, str]]]] = {}

    def expire(self) -> None:
        self._states.clear()

    def folder(self, holder: Xml | None) -> Folder:
        """Return the folder of a ``FolderId`` or ``DistinguishedFolderId`` inside."""
        one = None if holder is None or not len(holder) else holder[0]
        key = "" if one is None else one.get("Id", "")
        if one is not None and name_of(one) == "DistinguishedFolderId":
            key = next((f.id for f in self.mailbox.folders.values() if f.special == key), "")
        if key not in self.mailbox.folders:
            raise RefusedError("ErrorFolderNotFound", "The specified folder could not be found.")
        return self.mailbox.folders[key]

    def sync(self, asked: Xml) -> Xml:
        name, most = "SyncFolderItems", int(words(asked, "m:MaxChangesReturned"))
        if not 1 <= most <= 512:
            raise RefusedError("ErrorInvalidRequest")
        try:
            folder = self.folder(first(asked, "m:SyncFolderId"))
        except RefusedError:
            return answer(name, bad(name, "ErrorSyncFolderNotFound", "words", *_no_page()))
        token = words(asked, "m:SyncState")
        if not token:
            born = sorted(folder.items.values(), key=lambda one: -one.born)
            left, position = [("Create", one.id) for one in born], len(folder.log)
        elif token not in self._states or self._states[token][0] != folder.id:
            return answer(name, bad(name, "ErrorInvalidSyncStateData", "words", *_no_page()))
        else:
            _, position, left = self._states[token]
            if not left:
                left, position = folder.since(position), len(folder.log)
        size = min(most, self.page_size)
        page, left = left[:size], left[size:]
        if self.repeat_page and left and token:
            new = token
        else:
            new = f"H4sIAAAA{next(_ids):08}" + "A" * 2000
            self._states[new] = (folder.id, position, left)
        names = shape(asked)
        shown = None if names is None else names - _NOT_IN_SYNC
        changes = [self._change(folder, kind, key, shown) for kind, key in page]
        message = good(
            name,
            m("SyncState", new),
            m("IncludesLastItemInRange", "false" if left else "true"),
            m("Changes", *changes),
        )
        return answer(name, message)

    def _change(self, folder: Folder, kind: str, key: str, names: set[str] | None) -> Xml:
        item = folder.items.get(key)
        if kind == "Delete" or item is None:
            return t("Delete", t("ItemId", Id=key, ChangeKey="gone"))
        return t(kind, item.rendered(folder.id, names, None))

    def get(self, asked: Xml) -> Xml:
        names = shape(asked)
        ids = list(every(asked, "m:ItemIds/t:ItemId"))
        return answer("GetItem", *(self._got(one.get("Id", ""), names) for one in ids))

    def _got(self, key: str, names: set[str] | None) -> Xml:
        there = self.mailbox.found(key)
        if key in self.sick:
            return bad("GetItem", self.sick[key], "words", m("Items"))
        if there is None:
            return bad("GetItem", "ErrorItemNotFound", "not found in the store.", m("Items"))
        folder, item, series = there
        shown = item.rendered(folder.id, names, series)
        if key in self.broken:
            name, wrong = self.broken[key]
            found = first(shown, f"t:{name}")
            if found is not None:
                found.text = wrong
        return good("GetItem", m("Items", shown))

    def find(self, asked: Xml) -> Xml:
        folder = self.folder(first(asked, "m:ParentFolderIds"))
        names = shape(asked)
        view, restriction = first(asked, "m:CalendarView"), first(asked, "m:Restriction")
        if view is not None:
            begin, end = moment(view.get("StartDate", "")), moment(view.get("EndDate", ""))
            shown = [
                one.rendered(folder.id, names, series)
                for item in folder.items.values()
                for one, series in _happens(item, begin, end)
            ]
        else:
            value = first(asked, "m:Restriction//t:Constant")
            wanted = None if restriction is None or value is None else value.get("Value")
            shown = [
                item.rendered(folder.id, names, None)
                for item in folder.items.values()
                if wanted is None or _name(item) == wanted
            ]
        root = m(
            "RootFolder",
            t("Items", *shown),
            TotalItemsInView=str(len(shown)),
            IncludesLastItemInRange="true",
        )
        return answer("FindItem", good("FindItem", root))

    def create(self, asked: Xml) -> Xml:
        made = list[Xml]()
        for one in first(asked, "m:Items"):
            kind = name_of(one)
            if kind in REPLIES:
                made.append(self._replied(one, REPLIES[kind]))
                continue
            if kind not in _KINDS:
                raise RefusedError("ErrorSchemaValidation", f"an item {kind}")
            if kind == "CalendarItem" and asked.get("SendMeetingInvitations") is None:
                raise RefusedError("ErrorSendMeetingInvitationsRequired")
            self._check_order(one)
            holder = first(asked, "m:SavedItemFolderId")
            folder = self.folder(holder) if holder is not None else self._home(kind)
            item = self.mailbox.new_item(one)
            self._check_times(item)
            folder.put(item)
            made.append(t(kind, t("ItemId", Id=item.id, ChangeKey=item.changekey)))
        return answer("CreateItem", good("CreateItem", m("Items", *made)))

    def _home(self, kind: str) -> Folder:
        return self.mailbox.special("calendar" if kind == "CalendarItem" else "contacts")

    def _replied(self, asked: Xml, answered: str) -> Xml:
        reference = first(asked, "t:ReferenceItemId")
        folder, item, series = self._held(reference)
        if item.text("MyResponseType") == "Organizer":
            raise RefusedError("ErrorCalendarIsOrganizerForAccept")
        item.props["MyResponseType"] = t("MyResponseType", answered)
        if answered == "Decline" and self.decline_removes:
            folder.drop((series or item).id)
            return t("MeetingResponse", t("ItemId", Id=f"AAMkReply{next(_ids)}", ChangeKey="CK"))
        if self.reply_moves:
            moved = Item(f"AAMkMoved{next(_ids):06}=", props=folder.drop(item.id).props)
            folder.put(moved)
            return t("CalendarItem", t("ItemId", Id=moved.id, ChangeKey=moved.changekey))
        folder.touch(series or item)
        return t("MeetingResponse", t("ItemId", Id=f"AAMkReply{next(_ids)}", ChangeKey="CK"))

    def _held(self, reference: Xml | None) -> tuple[Folder, Item, Item | None]:
        there = self.mailbox.found("" if reference is None else reference.get("Id", ""))
        if there is None or reference is None:
            raise RefusedError("ErrorItemNotFound", "not found in the store.")
        return there

    def update(self, asked: Xml) -> Xml:
        made = list[Xml]()
        for change in every(asked, "m:ItemChanges/t:ItemChange"):
            reference = first(change, "t:ItemId")
            folder, item, series = self._held(reference)
            key = reference.get("ChangeKey") if reference is not None else None
            if key is None:
                raise RefusedError("ErrorChangeKeyRequired")
            if asked.get("ConflictResolution") == "NeverOverwrite" and key != item.changekey:
                raise RefusedError("ErrorIrresolvableConflict", "stale")
            if asked.get("SendMeetingInvitationsOrCancellations") is None:
                raise RefusedError("ErrorSendMeetingInvitationsOrCancellationsRequired")
            changed = self._changed(item, change, of_series=series is not None)
            if series is None:
                folder.put(changed)
            else:
                original = _original(item, series)
                series.exceptions[original] = changed
                folder.touch(series)
                changed.version = series.version
            made.append(t(item.kind, t("ItemId", Id=changed.id, ChangeKey=changed.changekey)))
        told = [good("UpdateItem", m("Items", one), m("ConflictResults")) for one in made]
        return answer("UpdateItem", *told)

    def _changed(self, item: Item, change: Xml, *, of_series: bool) -> Item:
        after = Item(item.id, item.kind, item.version, item.born, dict(item.props))
        after.exceptions, after.deleted = dict(item.exceptions), set(item.deleted)
        touched = set[str]()
        for one in first(change, "t:Updates"):
            uri = one[0].get("FieldURI", "")
            name = uri.rpartition(":")[2]
            touched.add(name)
            if name == "Recurrence":
                if of_series:
                    raise RefusedError("ErrorInvalidPropertySet")
                after.exceptions, after.deleted = {}, set()
            if name_of(one) == "DeleteItemField":
                after.props.pop(name, None)
            else:
                (value,) = one[1]
                if name_of(value) != name:
                    raise RefusedError("ErrorSchemaValidation", f"{name} in {name_of(value)}")
                after.props[name] = deepcopy(value)
        for name in touched & {"Start", "End"}:
            if f"{name}TimeZone" not in touched:
                self.complaints.append(f"{name} is changed without its zone")
        self._check_times(after)
        return after

    def delete(self, asked: Xml) -> Xml:
        if asked.get("DeleteType") is None:
            raise RefusedError("ErrorSchemaValidation")
        for reference in every(asked, "m:ItemIds/t:ItemId"):
            folder, item, series = self._held(reference)
            if item.kind == "CalendarItem" and asked.get("SendMeetingCancellations") is None:
                raise RefusedError("ErrorSendMeetingCancellationsRequired")
            if series is None:
                folder.drop(item.id)
                continue
            original = _original(item, series)
            series.exceptions.pop(original, None)
            series.deleted.add(original)
            folder.touch(series)
        return answer("DeleteItem", good("DeleteItem"))

    def _check_order(self, element: Xml) -> None:
        """A schema's sequence: what is out of it is refused, and so is what it does not know."""
        order, names = ORDER[name_of(element)], [name_of(one) for one in element]
        strange = [name for name in names if name not in order]
        if strange or names != sorted(names, key=order.index):
            self.complaints.append(f"{name_of(element)} is made of {names}")
            raise RefusedError("ErrorSchemaValidation", f"{strange or names}")

    def _check_times(self, item: Item) -> None:
        if item.kind != "CalendarItem":
            return
        if item.length.total_seconds() < 0:
            raise RefusedError("ErrorCalendarEndDateIsEarlierThanStartDate")
        if item.repeats and not any(True for _ in item.starts()):
            raise RefusedError("ErrorCalendarInvalidRecurrence")


def shape(asked: Xml) -> set[str] | None:
    """Return the members that are asked for, None for all of them."""
    holder = first(asked, "m:ItemShape")
    if words(holder, "t:BaseShape") == "AllProperties":
        return None
    uris = [one.get("FieldURI", "") for one in every(holder, "t:AdditionalProperties/t:FieldURI")]
    names = {uri.rpartition(":")[2] for uri in uris}
    for one in every(holder, "t:AdditionalProperties/t:IndexedFieldURI"):
        names.add(_LISTS[one.get("FieldURI", "").split(":")[1]])
    if words(holder, "t:BaseShape") == "Default":
        names |= {"Subject", "Start", "End", "DisplayName"}
    return names


def _original(item: Item, series: Item) -> datetime:
    """Return which start of the series an occurrence stands for."""
    return next((at for at, one in series.exceptions.items() if one is item), item.start)


def _no_page() -> list[Xml]:
    return [m("SyncState"), m("IncludesLastItemInRange", "true")]


def _name(item: Item) -> str:
    found = item.props.get("ExtendedProperty")
    return "" if found is None else words(found, "t:Value")


def _happens(item: Item, begin: datetime, end: datetime) -> list[tuple[Item, Item | None]]:
    if item.kind != "CalendarItem":
        return []
    found: list[tuple[Item, Item | None]] = []
    if not item.repeats:
        found = [(item, None)]
    near = {at for at in item.starts() if begin - item.length < at < end}
    for at in near | item.exceptions.keys():
        one = item.occurrence(at.astimezone(UTC))
        if one is not None:
            found.append((one, item))
    return [
        (one, series)
        for one, series in sorted(found, key=lambda pair: stamp(pair[0].start))
        if one.start < end and one.start + one.length > begin
    ]
