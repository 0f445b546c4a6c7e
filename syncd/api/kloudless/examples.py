"""Examples for the document; a test holds them to their shapes."""

from typing import Any

_BASE = "http://127.0.0.1:8470/v1/accounts/7"

ACCOUNT: dict[str, Any] = {
    "id": 7,
    "account": "ada@example.org",
    "service": "caldav",
    "service_name": "CalDAV",
    "active": True,
    "enabled": True,
    "admin": False,
    "apis": ["calendar", "contact"],
    "effective_scope": "caldav:normal.calendar",
    "created": "2026-11-20T08:00:00Z",
    "modified": "2026-11-20T08:00:00Z",
    "state": "connected",
    "state_reason": None,
    "relink_url": None,
    "polled_at": "2026-11-20T09:12:05Z",
    "profile_id": "pro_aaah",
    "type": "account",
    "api": "core",
    "href": _BASE,
}
CALENDAR: dict[str, Any] = {
    "id": "cal_aaah_hnbiynuwni",
    "account_id": "7",
    "name": "Work",
    "description": None,
    "location": None,
    "timezone": "Europe/Berlin",
    "type": "calendar",
    "api": "calendar",
    "href": f"{_BASE}/cal/calendars/cal_aaah_hnbiynuwni",
}
_ADA: dict[str, Any] = {
    "id": None,
    "name": "Ada",
    "email": "ada@example.org",
    "required": True,
    "resource": False,
}
EVENT: dict[str, Any] = {
    "id": "zdbam6pmhtg3l",
    "account_id": "7",
    "calendar_id": "cal_aaah_hnbiynuwni",
    "ical_uid": "8d1c@example.org",
    "name": "Review",
    "description": None,
    "location": None,
    "created": "2026-11-20T08:00:00Z",
    "modified": "2026-11-20T08:00:00Z",
    "all_day": False,
    "start": "2026-11-24T10:00:00+01:00",
    "start_time_zone": "Europe/Berlin",
    "end": "2026-11-24T11:00:00+01:00",
    "end_time_zone": "Europe/Berlin",
    "organizer": _ADA,
    "creator": None,
    "attendees": [{**_ADA, "name": "Bo", "email": "bo@example.org", "status": "pending"}],
    "attachments": [],
    "reminder": None,
    "reminders": [{"minutes": 10, "method": "popup", "popup": "Review"}],
    "recurrence": [{"rrule": "RRULE:FREQ=WEEKLY;COUNT=4"}],
    "recurrence_type": "recurring_master",
    "custom_properties": [{"key": "room", "value": "2", "private": True}],
    "visibility": "default",
    "transparent": False,
    "status": "confirmed",
    "tentative": False,
    "color": None,
    "type": "event",
    "api": "calendar",
    "href": f"{_BASE}/cal/calendars/cal_aaah_hnbiynuwni/events/zdbam6pmhtg3l",
}
_CURSOR = "w6ngfffc30"
ACTIVITY: dict[str, Any] = {
    "id": "w6ngfffc-30",
    "account": 7,
    "action": "~",
    "ip": None,
    "modified": "2026-11-20T09:12:04Z",
    "type": "update",
    "user_id": None,
    "metadata": {key: value for key, value in EVENT.items() if key != "href"},
    "changes": {"name": {"old": "Review", "new": "Review (moved)"}},
    "recorded_at": "2026-11-20T09:12:06Z",
    "cursor": _CURSOR,
}
ACTIVITY_PAGE: dict[str, Any] = {
    "count": 1,
    "objects": [ACTIVITY],
    "cursor": _CURSOR,
    "type": "object_list",
    "api": "events",
}
SUBSCRIPTION: dict[str, Any] = {
    "id": "sub_2f7xk4qz3mdgy",
    "account_id": "7",
    "subscription_type": "changes",
    "active": True,
    "default": False,
    "monitored_resources": ["cal_aaah_hnbiynuwni"],
    "expiry": None,
    "created": "2026-11-20T08:00:00Z",
    "modified": "2026-11-20T08:00:00Z",
    "type": "subscription",
    "api": "events",
    "href": f"{_BASE}/subscriptions/sub_2f7xk4qz3mdgy",
}
SUBSCRIPTION_BODY: dict[str, Any] = {"monitored_resources": ["primary"]}
CALENDAR_BODY: dict[str, Any] = {
    "name": "My Calendar",
    "description": "A calendar for events",
    "timezone": "America/Los_Angeles",
}
EVENT_BODY: dict[str, Any] = {
    "name": "Review",
    "start": "2026-11-24T10:00:00+01:00",
    "start_time_zone": "Europe/Berlin",
    "end": "2026-11-24T11:00:00+01:00",
    "end_time_zone": "Europe/Berlin",
    "recurrence": [{"rrule": "FREQ=WEEKLY;COUNT=4"}],
    "reminders": [{"minutes": 10, "method": "popup", "popup": "Review"}],
    "custom_properties": [{"key": "room", "value": "2"}],
}
EVENT_PATCH: dict[str, Any] = {
    "attendees": [{"name": "Ada", "email": "ada@example.org", "status": "accepted"}]
}
