"""What is true of one mailbox at the Exchange fake: folders, items, and the log of what changed."""

from collections.abc import Iterable, Iterator
from copy import deepcopy
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import count

from exchangelib import CalendarItem, Contact

from tests.servers.ews_series import starts, zone_of
from tests.servers.ews_xml import Xml, first, name_of, t, words

OWNER = "ada@example.org"
_BEGIN = datetime(2026, 11, 1, tzinfo=UTC)
_numbers = count(1)


def _order(kind: type) -> list[str]:
    """Return the members of an item in the order of the schema, as exchangelib knows it."""
    uris = [getattr(one, "field_uri", None) or "" for one in kind.FIELDS]  # type: ignore[attr-defined]  # untyped
    names = [uri.rpartition(":")[2] for uri in uris]
    names.insert(names.index("HasAttachments") + 1, "ExtendedProperty")
    places = {"EmailAddress": "EmailAddresses", "PhoneNumber": "PhoneNumbers"}
    return [{**places, "PhysicalAddress": "PhysicalAddresses"}.get(one, one) for one in names]


ORDER = {"CalendarItem": _order(CalendarItem), "Contact": _order(Contact)}
ORDER["DistributionList"] = ORDER["Contact"]


def stamp(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"


def moment(text: str) -> datetime:
    at = datetime.fromisoformat(text)
    return at.replace(tzinfo=UTC) if at.tzinfo is None else at


@dataclass
class Item:
    """An item of a folder; ``props`` are its elements as a client sent them."""

    id: str
    kind: str = "CalendarItem"
    version: int = 1
    born: int = 0
    props: dict[str, Xml] = field(default_factory=dict)
    exceptions: dict[datetime, "Item"] = field(default_factory=dict)
    deleted: set[datetime] = field(default_factory=set)

    @property
    def changekey(self) -> str:
        return f"CK{self.version:04}=="

    def text(self, name: str) -> str:
        found = self.props.get(name)
        return "" if found is None else (found.text or "")

    @property
    def start(self) -> datetime:
        return moment(self.text("Start"))

    @property
    def length(self) -> timedelta:
        return moment(self.text("End")) - self.start

    @property
    def zone(self) -> str:
        found = self.props.get("StartTimeZone")
        return "UTC" if found is None else found.get("Id", "UTC")

    @property
    def repeats(self) -> bool:
        return "Recurrence" in self.props

    def starts(self) -> Iterator[datetime]:
        """Yield what the rule gives, deleted and changed ones too."""
        if self.repeats:
            yield from starts(self.props["Recurrence"], self.start, zone_of(self.zone))

    def occurrence(self, original: datetime) -> "Item | None":
        """Return what happens in place of a start, None if nothing does."""
        if original in self.exceptions:
            return self.exceptions[original]
        if original in self.deleted or original not in set(self.starts()):
            return None
        props = {name: one for name, one in self.props.items() if name != "Recurrence"}
        props |= {"Start": t("Start", stamp(original))}
        props |= {"End": t("End", stamp(original + self.length))}
        name = f"{self.id}.{original:%Y%m%dT%H%M%S}"
        return Item(name, version=self.version, props=deepcopy(props))

    def rendered(self, folder: str, names: Iterable[str] | None, series: "Item | None") -> Xml:
        """Return the element with the members of ``names``, all of them if None."""
        shown = {**self.props, **self._computed(folder, series)}
        made = t(self.kind, t("ItemId", Id=self.id, ChangeKey=self.changekey))
        for name in ORDER[self.kind]:
            if name in shown and name != "ItemId" and (names is None or name in names):
                one = deepcopy(shown[name])
                if name in ("Start", "End") and one.text:
                    one.text = stamp(moment(one.text))
                made.append(one)
        return made

    def _computed(self, folder: str, series: "Item | None") -> dict[str, Xml]:
        at = stamp(_BEGIN + timedelta(seconds=self.version))
        told = {
            "ParentFolderId": t("ParentFolderId", Id=folder),
            "DateTimeCreated": t("DateTimeCreated", stamp(_BEGIN)),
            "LastModifiedTime": t("LastModifiedTime", at),
        }
        if self.kind != "CalendarItem":
            return told
        kind = "RecurringMaster" if self.repeats else "Single"
        if series is not None:
            changed = self in series.exceptions.values()
            kind = "Exception" if changed else "Occurrence"
            original = next((o for o, one in series.exceptions.items() if one is self), self.start)
            told["OriginalStart"] = t("OriginalStart", stamp(original))
        told["CalendarItemType"] = t("CalendarItemType", kind)
        if self.exceptions:
            told["ModifiedOccurrences"] = t(
                "ModifiedOccurrences",
                *(_told(one, original) for original, one in sorted(self.exceptions.items())),
            )
        if self.deleted:
            gone = [t("DeletedOccurrence", t("Start", stamp(one))) for one in sorted(self.deleted)]
            told["DeletedOccurrences"] = t("DeletedOccurrences", *gone)
        return told


def _told(one: Item, original: datetime) -> Xml:
    return t(
        "Occurrence",
        t("ItemId", Id=one.id, ChangeKey=one.changekey),
        t("Start", stamp(one.start)),
        t("End", stamp(one.start + one.length)),
        t("OriginalStart", stamp(original)),
    )


@dataclass
class Folder:
    """A folder; ``log`` holds the ids of what changed, oldest first."""

    id: str
    name: str
    parent: str
    kind: str = "IPF.Note"
    special: str = ""
    read_only: bool = False
    items: dict[str, Item] = field(default_factory=dict)
    log: list[str] = field(default_factory=list)

    def touch(self, item: Item) -> None:
        self.log.append(item.id)
        item.version = next(_numbers)

    def put(self, item: Item) -> Item:
        item.born = item.born or len(self.log) + 1
        self.items[item.id] = item
        self.touch(item)
        return item

    def drop(self, key: str) -> Item:
        self.log.append(key)
        return self.items.pop(key)

    def found(self, key: str) -> tuple[Item, Item | None] | None:
        """Return an item, or an occurrence with its series."""
        if key in self.items:
            return self.items[key], None
        series = self.items.get(key.rpartition(".")[0])
        if series is None:
            return None
        at = datetime.strptime(key.rpartition(".")[2], "%Y%m%dT%H%M%S").replace(tzinfo=UTC)
        one = series.occurrence(at)
        return None if one is None else (one, series)

    def since(self, position: int) -> list[tuple[str, str]]:
        """Return what changed, newest first: Create, Update or Delete, and the id (E5)."""
        names = dict.fromkeys(reversed(self.log[position:]))
        return [(self._kind(name, position), name) for name in names]

    def _kind(self, name: str, position: int) -> str:
        if name not in self.items:
            return "Delete"
        return "Create" if self.items[name].born > position else "Update"


class Mailbox:
    """One person's folders."""

    def __init__(self) -> None:
        self.folders: dict[str, Folder] = {}
        self.log: list[str] = []
        for special, name, parent, kind in (
            ("root", "", "", ""),
            ("msgfolderroot", "Top of Information Store", "root", "IPF"),
            ("calendar", "Calendar", "msgfolderroot", "IPF.Appointment"),
            ("contacts", "Contacts", "msgfolderroot", "IPF.Contact"),
            ("inbox", "Inbox", "msgfolderroot", "IPF.Note"),
            ("deleteditems", "Deleted Items", "msgfolderroot", "IPF.Note"),
        ):
            above = self.special(parent).id if parent else ""
            self.add(name, parent=above, kind=kind, special=special)

    def add(self, name: str, *, parent: str, kind: str, special: str = "") -> Folder:
        key = f"AAMk{next(_numbers):06}AAA="
        made = Folder(key, name, parent, kind, special)
        self.folders[key] = made
        self.log.append(key)
        return made

    def add_calendar(self, name: str) -> Folder:
        above = self.special("calendar").id
        return self.add(name, parent=above, kind="IPF.Appointment")

    def remove(self, folder: Folder) -> None:
        del self.folders[folder.id]
        self.log.append(folder.id)

    def special(self, name: str) -> Folder:
        return next(one for one in self.folders.values() if one.special == name)

    def named(self, name: str) -> Folder:
        return next(one for one in self.folders.values() if one.name == name)

    @property
    def calendars(self) -> list[Folder]:
        return [one for one in self.folders.values() if one.kind == "IPF.Appointment"]

    def found(self, key: str) -> tuple[Folder, Item, Item | None] | None:
        for folder in self.folders.values():
            there = folder.found(key)
            if there is not None:
                return folder, *there
        return None

    def new_item(self, element: Xml) -> Item:
        """Return an item as a client sent it, with what Exchange adds."""
        number = next(_numbers)
        item = Item(f"AAMkItem{number:06}BBB=", kind=name_of(element))
        item.props = {name_of(one): deepcopy(one) for one in element}
        if item.kind == "CalendarItem":
            defaults = {
                "UID": t("UID", f"040000008200E00074C5B7101A82E008{number:08X}"),
                "Sensitivity": t("Sensitivity", "Normal"),
                "IsAllDayEvent": t("IsAllDayEvent", "false"),
                "LegacyFreeBusyStatus": t("LegacyFreeBusyStatus", "Busy"),
                "IsCancelled": t("IsCancelled", "false"),
                "MyResponseType": t("MyResponseType", "Organizer"),
                "ReminderIsSet": t("ReminderIsSet", "true"),
                "ReminderMinutesBeforeStart": t("ReminderMinutesBeforeStart", "15"),
                "Organizer": t(
                    "Organizer",
                    t("Mailbox", t("Name", "Ada"), t("EmailAddress", OWNER)),
                ),
            }
            item.props = {**defaults, **item.props}
        return item


def named_by(element: Xml) -> str:
    """Return the value of an item's extended property, empty if it has none."""
    found = first(element, "t:ExtendedProperty")
    return "" if found is None else words(found, "t:Value")
