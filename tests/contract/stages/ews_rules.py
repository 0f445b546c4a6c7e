"""RFC 5545 rules as Exchange's patterns and back, for the stage; shares nothing with syncd."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, time
from zoneinfo import ZoneInfo

from tests.servers.ews_series import DAYS, MONTHS, POSITIONS, SETS
from tests.servers.ews_xml import Xml, name_of, t, words

_CODES = {name[:2].upper(): name for name in DAYS}
_NUMBERS = {str(value): name for name, value in POSITIONS.items()}
_WORDS = {tuple(str(day) for day in days): word for word, days in SETS.items()}


def rule_of(rule: str, start: datetime) -> Xml:
    """Return the ``Recurrence`` of a rule; its missing parts come from the start."""
    parts = dict(one.split("=", 1) for one in rule.split(";"))
    begins = t("StartDate", f"{start:%Y-%m-%d}")
    if "COUNT" in parts:
        extent = t("NumberedRecurrence", begins, t("NumberOfOccurrences", parts["COUNT"]))
    elif "UNTIL" in parts:
        last = _last(parts["UNTIL"], start)
        extent = t("EndDateRecurrence", begins, t("EndDate", last.isoformat()))
    else:
        extent = t("NoEndRecurrence", begins)
    return t("Recurrence", _pattern(parts, start), extent)


def _last(until: str, start: datetime) -> date:
    if "T" not in until:
        return datetime.strptime(until, "%Y%m%d").replace(tzinfo=UTC).date()
    at = datetime.strptime(until.rstrip("Z"), "%Y%m%dT%H%M%S").replace(tzinfo=UTC)
    return at.astimezone(start.tzinfo).date()


def _pattern(parts: dict[str, str], start: datetime) -> Xml:
    scale = parts["FREQ"].capitalize()
    every = [t("Interval", parts.get("INTERVAL", "1"))] if scale != "Yearly" else []
    month = MONTHS[int(parts.get("BYMONTH", start.month)) - 1]
    named = [t("Month", month)] if scale == "Yearly" else []
    if scale == "Daily":
        return t("DailyRecurrence", *every)
    if scale == "Weekly":
        codes = parts.get("BYDAY", list(_CODES)[start.weekday()]).split(",")
        days = t("DaysOfWeek", " ".join(_CODES[code] for code in codes))
        begins = t("FirstDayOfWeek", _CODES[parts.get("WKST", "MO")])
        return t("WeeklyRecurrence", *every, days, begins)
    if "BYDAY" in parts:
        codes = parts["BYDAY"].split(",")
        position = parts.get("BYSETPOS") or codes[0][:-2]
        names = tuple(code[-2:] for code in codes)
        word = _WORDS.get(names) or _CODES[names[0]]
        days = [t("DaysOfWeek", word), t("DayOfWeekIndex", _NUMBERS[position])]
        return t(f"Relative{scale}Recurrence", *every, *days, *named)
    day = t("DayOfMonth", parts.get("BYMONTHDAY", str(start.day)).replace("-1", "31"))
    return t(f"Absolute{scale}Recurrence", *every, day, *named)


def told_rule(recurrence: Xml, zone: ZoneInfo, *, all_day: bool) -> Iterator[str]:
    """Yield the parts of the rule that a pattern means."""
    pattern, extent = recurrence[0], recurrence[1]
    kind = name_of(pattern).removesuffix("Recurrence")
    yield f"FREQ={kind.removeprefix('Absolute').removeprefix('Relative').upper()}"
    interval = words(pattern, "t:Interval") or "1"
    if interval != "1":
        yield f"INTERVAL={interval}"
    names = words(pattern, "t:DaysOfWeek").split()
    if names:
        days = [day for name in names for day in SETS.get(name, (DAYS.get(name),))]
        codes = sorted((str(day) for day in days), key=list(_CODES).index)
        yield f"BYDAY={','.join(codes)}"
    if position := words(pattern, "t:DayOfWeekIndex"):
        yield f"BYSETPOS={POSITIONS[position]}"
    if day := words(pattern, "t:DayOfMonth"):
        yield from _days(int(day))
    if month := words(pattern, "t:Month"):
        yield f"BYMONTH={MONTHS.index(month) + 1}"
    first = words(pattern, "t:FirstDayOfWeek")
    if first and first != "Monday":
        yield f"WKST={first[:2].upper()}"
    if count := words(extent, "t:NumberOfOccurrences"):
        yield f"COUNT={count}"
    if last := words(extent, "t:EndDate"):
        day_ = date.fromisoformat(last[:10])
        end = datetime.combine(day_, time(23, 59, 59), zone).astimezone(UTC)
        yield f"UNTIL={day_:%Y%m%d}" if all_day else f"UNTIL={end:%Y%m%dT%H%M%SZ}"


def _days(day: int) -> Iterator[str]:
    """Yield what a day of the month means: in a shorter month its last one."""
    if day <= 28:
        yield f"BYMONTHDAY={day}"
    elif day == 31:
        yield "BYMONTHDAY=-1"
    else:
        yield f"BYMONTHDAY={','.join(map(str, range(28, day + 1)))}"
        yield "BYSETPOS=-1"
