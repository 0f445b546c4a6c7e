"""Shapes of profiles, calendars and accounts as Cronofy names their members (api.md C1-C5)."""

from pydantic import Field

from syncd.api.route import Shape

_PROFILE = {
    "provider_name": "caldav",
    "provider_service": "caldav",
    "profile_id": "pro_aaah",
    "profile_name": "ada@example.org",
    "profile_connected": False,
    "profile_initial_sync_required": False,
    "profile_relink_url": "http://127.0.0.1:8470/relink/4f0nX…",
}
_MADE = {
    "provider_name": "caldav",
    "profile_id": "pro_aaah",
    "profile_name": "ada@example.org",
    "calendar_id": "cal_aaah_5qd2mnzxkz",
    "calendar_name": "Work",
    "calendar_readonly": False,
    "calendar_deleted": False,
}
_CALENDAR = _MADE | {
    "calendar_primary": True,
    "calendar_integrated_conferencing_available": False,
    "calendar_attachments_available": False,
    "permission_level": "unrestricted",
}
_ACCOUNT = {
    "account_id": "acc_5qd2mnzxkz",
    "email": "ada@example.org",
    "name": None,
    "scope": "list_calendars read_events",
    "default_tzid": "Europe/Berlin",
}


class ListedProfile(Shape):
    """One profile; `profile_relink_url` is there only while it is not connected."""

    provider_name: str
    provider_service: str
    profile_id: str
    profile_name: str
    profile_connected: bool
    profile_initial_sync_required: bool
    profile_relink_url: str | None = None


class ProfileList(Shape, json_schema_extra={"examples": [{"profiles": [_PROFILE]}]}):
    """All profiles of the user."""

    profiles: tuple[ListedProfile, ...]


class MadeCalendar(Shape):
    """A calendar that was made."""

    provider_name: str
    profile_id: str
    profile_name: str
    calendar_id: str
    calendar_name: str
    calendar_readonly: bool
    calendar_deleted: bool


class ListedCalendar(MadeCalendar):
    """One calendar; a deleted one stays for the retention time."""

    calendar_primary: bool
    calendar_integrated_conferencing_available: bool
    calendar_attachments_available: bool
    permission_level: str


class CalendarsOfUser(Shape, json_schema_extra={"examples": [{"calendars": [_CALENDAR]}]}):
    """All calendars of all profiles."""

    calendars: tuple[ListedCalendar, ...]


class CreatedCalendar(Shape, json_schema_extra={"examples": [{"calendar": _MADE}]}):
    """The new calendar."""

    calendar: MadeCalendar


class UserAccount(Shape):
    """Whose profiles these are; null what is not known."""

    account_id: str
    email: str | None
    name: str | None
    scope: str
    default_tzid: str


class AccountAnswer(Shape, json_schema_extra={"examples": [{"account": _ACCOUNT}]}):
    """The user."""

    account: UserAccount


class Authorization(Shape):
    """What the token opens."""

    scope: str
    status: str


class ProfileWithCalendars(ListedProfile):
    """A profile and its calendars."""

    profile_calendars: tuple[ListedCalendar, ...]


class UserReach(Shape):
    """What lies behind the token."""

    authorization: Authorization
    profiles: tuple[ProfileWithCalendars, ...]


class UserClaims(Shape):
    """The user in the words of OpenID Connect, with all profiles and calendars."""

    sub: str
    email: str | None
    name: str | None
    zoneinfo: str
    kind: str = Field(alias="cronofy.type")
    reach: UserReach = Field(alias="cronofy.data")
