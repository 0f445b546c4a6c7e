"""ResolveNames, rooms, time zones and free/busy at the Exchange fake."""

from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo

from tests.servers.ews_items import Items, RefusedError
from tests.servers.ews_series import zone_of
from tests.servers.ews_truth import OWNER
from tests.servers.ews_xml import Xml, answer, bad, every, first, good, m, t, words

_RULES = {  # minutes west of UTC in winter and summer, and when they change: month, hour
    "UTC": ("PT0M", None),
    "W. Europe Standard Time": ("-PT60M", ("-PT120M", "3", "PT2H", "10", "PT3H")),
}
_LONGEST = timedelta(days=42)


@dataclass(frozen=True)
class Entry:
    """Somebody, or a room, in the organisation's list."""

    name: str
    address: str
    alias: str


class Directory:
    """Who is there; ``lists`` are lists of rooms by their address."""

    def __init__(self, items: Items) -> None:
        self.items = items
        self.people = [Entry("Ada", OWNER, "ada"), Entry("Bo", "bo@example.org", "bo")]
        self.lists: dict[Entry, list[Entry]] = {}
        self.zone: str | None = "W. Europe Standard Time"  # chosen in Outlook on the web

    def resolve(self, asked: Xml) -> Xml:
        """Return whose name, address or alias begins like what is looked for (ANR)."""
        name, text = "ResolveNames", words(asked, "m:UnresolvedEntry").casefold()
        found = [
            one
            for one in self.people
            if any(part.casefold().startswith(text) for part in (one.name, one.address, one.alias))
        ]
        if not found:
            return answer(name, bad(name, "ErrorNameResolutionNoResults", "No results were found."))
        people = [t("Resolution", _mailbox("Mailbox", one)) for one in found]
        listed = m(
            "ResolutionSet",
            *people,
            TotalItemsInView=str(len(found)),
            IncludesLastItemInRange="true",
        )
        if len(found) == 1:
            return answer(name, good(name, listed))
        text = "Multiple results were found."
        several = bad(name, "ErrorNameResolutionMultipleResults", text, listed, kind="Warning")
        return answer(name, several)

    def room_lists(self, _: Xml) -> Xml:
        listed = m("RoomLists", *(_mailbox("Address", one) for one in self.lists))
        return m(
            "GetRoomListsResponse", m("ResponseCode", "NoError"), listed, ResponseClass="Success"
        )

    def rooms(self, asked: Xml) -> Xml:
        address = words(asked, "m:RoomList/t:EmailAddress")
        found = next((rooms for one, rooms in self.lists.items() if one.address == address), None)
        if found is None:
            raise RefusedError("ErrorNameResolutionNoResults")
        listed = m("Rooms", *(t("Room", _mailbox("Id", one)) for one in found))
        return m("GetRoomsResponse", m("ResponseCode", "NoError"), listed, ResponseClass="Success")

    def options(self, asked: Xml) -> Xml:
        """Return what the person chose in Outlook on the web, if that was ever opened."""
        name, wanted = "GetUserConfiguration", first(asked, "m:UserConfigurationName")
        if self.zone is None or wanted.get("Name") != "OWA.UserOptions":
            return answer(name, bad(name, "ErrorItemNotFound"))
        pairs = {"firstweekofyear": ("Integer32", "0"), "timezone": ("String", self.zone)}
        told = [
            t(
                "DictionaryEntry",
                t("DictionaryKey", t("Type", "String"), t("Value", key)),
                t("DictionaryValue", t("Type", kind), t("Value", value)),
            )
            for key, (kind, value) in pairs.items()
        ]
        shown = m("UserConfiguration", t("Dictionary", *told))
        return answer(name, good(name, shown))

    def zones(self, asked: Xml) -> Xml:
        full = asked.get("ReturnFullTimeZoneData") == "true"
        ids = [one.text for one in every(asked, "m:Ids/t:Id")] or list(_RULES)
        told = [_zone(one, full=full) for one in ids]
        name = "GetServerTimeZones"
        return answer(name, good(name, m("TimeZoneDefinitions", *told)))

    def availability(self, asked: Xml) -> Xml:
        """Return when somebody is busy: a full zone must be given, for at most 42 days (E12)."""
        if first(asked, "t:TimeZone/t:Bias") is None:
            raise RefusedError("ErrorInvalidTimeZone")
        context = asked.getroottree().find(".//{*}TimeZoneContext/{*}TimeZoneDefinition")
        zone = zone_of("UTC" if context is None else context.get("Id"))
        window = first(asked, "t:FreeBusyViewOptions/t:TimeWindow")
        begin, end = (_in(words(window, f"t:{one}Time"), zone) for one in ("Start", "End"))
        if end - begin > _LONGEST:
            raise RefusedError("ErrorTimeIntervalTooBig")
        told = []
        for one in every(asked, "m:MailboxDataArray/t:MailboxData"):
            own = words(one, "t:Email/t:Address").casefold() == OWNER
            message = m("ResponseMessage", m("ResponseCode", "NoError"), ResponseClass="Success")
            told.append(m("FreeBusyResponse", message, self._view(begin, end, zone, own=own)))
        return m("GetUserAvailabilityResponse", m("FreeBusyResponseArray", *told))

    def _view(self, begin: datetime, end: datetime, zone: tzinfo, *, own: bool) -> Xml:
        """Return when somebody is busy, in the wall time of the zone that was asked in."""
        calendar = self.items.mailbox.special("calendar")
        busy = [
            t(
                "CalendarEvent",
                t("StartTime", _wall(one.start, zone)),
                t("EndTime", _wall(one.start + one.length, zone)),
                t("BusyType", one.text("LegacyFreeBusyStatus")),
            )
            for one in (calendar.items.values() if own else ())
            if not one.repeats and one.start < end and one.start + one.length > begin
        ]
        return m(
            "FreeBusyView",
            t("FreeBusyViewType", "FreeBusy"),
            t("CalendarEventArray", *busy),
        )


def _in(text: str, zone: tzinfo) -> datetime:
    at = datetime.fromisoformat(text)
    return at.replace(tzinfo=zone) if at.tzinfo is None else at


def _wall(at: datetime, zone: tzinfo) -> str:
    return at.astimezone(zone).replace(tzinfo=None).isoformat()


def _mailbox(kind: str, one: Entry) -> Xml:
    return t(
        kind,
        t("Name", one.name),
        t("EmailAddress", one.address),
        t("RoutingType", "SMTP"),
        t("MailboxType", "Mailbox"),
    )


def _zone(name: str, *, full: bool) -> Xml:
    if name not in _RULES:
        raise RefusedError("ErrorTimeZone", name)
    bias, summer = _RULES[name]
    made = t("TimeZoneDefinition", Id=name, Name=name)
    if not full:
        return made
    standard = t("Period", Bias=bias, Name="Standard", Id=f"{name}/Standard")
    periods, changes = [standard], []
    if summer is None:
        to = t("To", f"{name}/Standard", Kind="Period")
        changes = [t("Transition", to)]
    else:
        bias, in_month, in_hour, out_month, out_hour = summer
        periods.append(t("Period", Bias=bias, Name="Daylight", Id=f"{name}/Daylight"))
        changes = [
            _change(f"{name}/Daylight", in_month, in_hour),
            _change(f"{name}/Standard", out_month, out_hour),
        ]
    group = t("TransitionsGroup", *changes, Id="0")
    made.append(t("Periods", *periods))
    made.append(t("TransitionsGroups", group))
    made.append(t("Transitions", t("Transition", t("To", "0", Kind="Group"))))
    return made


def _change(period: str, month: str, hour: str) -> Xml:
    return t(
        "RecurringDayTransition",
        t("To", period, Kind="Period"),
        t("TimeOffset", hour),
        t("Month", month),
        t("DayOfWeek", "Sunday"),
        t("Occurrence", "-1"),
    )
