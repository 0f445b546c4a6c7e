"""An example for the document; a test holds it to its shape."""

from typing import Any

PROFILE: dict[str, Any] = {
    "profile_id": "pro_aaah",
    "account_id": "7",
    "user_id": "acc_x3kd2m",
    "provider": "caldav",
    "service": "caldav",
    "login": "ada@example.org",
    "name": "Ada",
    "state": "disconnected",
    "state_reason": "credentials_refused",
    "state_since": "2026-11-20T09:27:06Z",
    "relink_url": "http://127.0.0.1:8470/relink/4f0nX…",
    "created": "2026-11-20T08:00:00Z",
    "polled_at": "2026-11-20T09:12:05Z",
    "next_poll_at": None,
    "consecutive_failures": 3,
    "last_error": {
        "at": "2026-11-20T09:27:06Z",
        "code": "account_disconnected",
        "message": "dav.example.org refuses the password.",
    },
    "cursor": "w6ngfffc30",
    "oldest_cursor": "w6ngfffc0",
    "calendars": [
        {
            "calendar_id": "cal_aaah_hnbiynuwni",
            "name": "Work",
            "primary": True,
            "readonly": False,
            "events": 412,
            "polled_at": "2026-11-20T09:12:05Z",
            "lag_seconds": 901.0,
            "reconciled_at": "2026-11-20T08:00:01Z",
            "mode": "token",
            "suspect_deletes": 0,
            "unparsed": 1,
            "last_error": None,
        }
    ],
}
_ACTIVITY_CURSOR = "w6ngfffc-112-7-30"
ACTIVITY_PAGE: dict[str, Any] = {
    "count": 1,
    "objects": [
        {
            "id": "w6ngfffc-30",
            "account": 7,
            "action": "-",
            "ip": None,
            "modified": "2026-11-20T09:12:04Z",
            "type": "delete",
            "user_id": None,
            "metadata": {
                "id": "cal_aaah_hnbiynuwni",
                "account_id": "7",
                "name": "Work",
                "description": None,
                "location": None,
                "timezone": "Europe/Berlin",
                "type": "calendar",
                "api": "calendar",
            },
            "recorded_at": "2026-11-20T09:12:06Z",
            "profile_id": "pro_aaah",
            "cursor": _ACTIVITY_CURSOR,
        }
    ],
    "cursor": _ACTIVITY_CURSOR,
    "type": "object_list",
    "api": "events",
}
