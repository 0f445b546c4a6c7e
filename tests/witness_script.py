"""Runs under the peers' interpreter: reads servers with the ``caldav`` package, answers in JSON.

One JSON object a line in: ``{"url", "username", "password"}``. One a line out: calendar name →
list of events in neutral form, as ``tests.witness`` describes it; ``{"error": …}`` on failure.
"""

import json
import sys
from datetime import UTC, date, datetime, timedelta

import caldav
import icalendar


def told(value: date | datetime) -> str:
    if isinstance(value, datetime):
        aware = value if value.tzinfo else value.replace(tzinfo=UTC)
        return aware.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return value.isoformat()


def text(event: icalendar.Event, name: str) -> str | None:
    return str(event[name]) if event.get(name) is not None else None


def end_of(event: icalendar.Event) -> date | datetime:
    if "DTEND" in event:
        return event["DTEND"].dt
    start = event["DTSTART"].dt
    if "DURATION" in event and isinstance(start, datetime) and start.tzinfo:
        return start.astimezone(UTC) + event["DURATION"].dt  # exact: RFC 5545 §3.3.6
    if "DURATION" in event:
        return start + event["DURATION"].dt
    return start if isinstance(start, datetime) else start + timedelta(days=1)


def excluded(event: icalendar.Event) -> list[str]:
    found = event.get("EXDATE", [])
    lists = found if isinstance(found, list) else [found]
    return sorted(told(one.dt) for dates in lists for one in dates.dts)


def rule_of(event: icalendar.Event) -> list[str]:
    rule = event.get("RRULE")
    return sorted(rule.to_ical().decode().split(";")) if rule else []


def neutral(event: icalendar.Event) -> dict[str, object]:
    found = event.get("ATTENDEE", [])
    attendees = found if isinstance(found, list) else [found]
    original = event.get("RECURRENCE-ID")
    return {
        "uid": str(event["UID"]),
        "original": told(original.dt) if original else None,
        "name": text(event, "SUMMARY"),
        "description": text(event, "DESCRIPTION"),
        "location": text(event, "LOCATION"),
        "start": told(event["DTSTART"].dt),
        "end": told(end_of(event)),
        "rule": rule_of(event),
        "excluded": excluded(event),
        "attendees": sorted(str(one).lower().removeprefix("mailto:") for one in attendees),
        "transparent": str(event.get("TRANSP", "OPAQUE")) == "TRANSPARENT",
        "cancelled": str(event.get("STATUS", "")) == "CANCELLED",
    }


def events_of(calendar: caldav.Calendar) -> list[dict[str, object]]:
    found = [
        neutral(event)
        for stored in calendar.events()
        for event in icalendar.Calendar.from_ical(stored.data).walk("VEVENT")
        if "DTSTART" in event
    ]
    return sorted(found, key=lambda one: json.dumps(one, sort_keys=True))


def read(url: str, username: str, password: str) -> dict[str, list[dict[str, object]]]:
    with caldav.DAVClient(url, username=username, password=password) as client:
        calendars = client.principal().calendars()
        return {str(one.get_display_name()): events_of(one) for one in calendars}


def main() -> None:
    for line in sys.stdin:
        try:
            answer: object = {"calendars": read(**json.loads(line))}
        except Exception as error:  # noqa: BLE001 - told to the test, which fails on it
            answer = {"error": f"{type(error).__name__}: {error}"}
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()


main()
