"""Profiles: connecting, looking at them, and what api.md N13 lets an operator do."""

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from syncd.model.calendar import KnownCalendar
from syncd.model.errors import InvalidError, TransientError
from syncd.model.ids import CalendarId
from syncd.model.profile import Profile
from syncd.model.resource import Tally
from syncd.model.when import utc
from syncd.ports.link import Login
from syncd.ports.vault import Secret
from syncd.runtime.operations.access import user_named
from syncd.runtime.operations.names import profile_named
from syncd.runtime.wiring import Core

MOST = 1000  # a read
SYNC_WAIT = timedelta(seconds=60)
SIGN_IN = timedelta(seconds=90)

Json = dict[str, Any]


async def add(  # noqa: PLR0913 - the options of the command
    core: Core,
    *,
    provider: str,
    username: str = "",
    password: str = "",
    refresh_token: str = "",
    key_file: str = "",
    url: str = "",
    user: str | None = None,
) -> Json:
    """Connect a login; one that the user has connected already is relinked."""
    if not (refresh_token or username):
        raise InvalidError("say who signs in: --username", field="username")
    if not (refresh_token or key_file or password):
        raise InvalidError("the password is empty", field="password")
    owned_by = await user_named(core, user)
    login = Login(
        provider=provider,
        username=username,
        password=Secret(password),
        url=url,
        refresh_token=Secret(refresh_token) if refresh_token else None,
        key_file=Secret(key_file) if key_file else None,
    )
    try:
        async with asyncio.timeout(SIGN_IN.total_seconds()):
            return summary(await core.linking.connect(owned_by.id, login))
    except TimeoutError:
        took = int(SIGN_IN.total_seconds())
        raise TransientError(
            f"the server was not done after {took} s; check the address, or try again later"
        ) from None


async def list_all(core: Core, *, user: str | None = None) -> Sequence[Json]:
    """Return all profiles, or a user's."""
    wanted = None if user is None else (await user_named(core, user)).id
    found, after = list[Json](), None
    while page := await core.store.profiles(user=wanted, after=after, limit=MOST):
        found += [summary(profile) for profile in page]
        after = page[-1].id
    return found


async def show(core: Core, *, profile: str) -> Json:
    """Return everything about a profile (N8)."""
    found = await profile_named(core, profile)
    stream = await core.store.stream(found.id)
    tallies = await core.store.tallies(found.id)
    listed = await core.store.calendars(found.id)
    calendars = [one.as_of(found.polled_at) for one in listed]
    now = core.clock.now()
    path = await core.linking.relink_path(found) if found.refused else None
    return {
        **summary(found),
        "state_since": utc(found.state_since),
        "relink_url": None if path is None else core.settings.server.public_url + path,
        "created": utc(found.created),
        "consecutive_failures": found.failures,
        "cursor": str(stream.latest),
        "oldest_cursor": str(stream.oldest),
        "activities": stream.head,
        "calendars": [
            {
                **_calendar(known, tallies.get(known.id, Tally())),
                "lag_seconds": None
                if (lag := known.lag(now)) is None
                else int(lag.total_seconds()),
            }
            for known in calendars
        ],
    }


async def relink(core: Core, *, profile: str) -> Json:
    """Return where a person signs in again: 24 h while connected, else until they did (N13)."""
    found = await profile_named(core, profile)
    path = await core.linking.renew_link(found)
    return {**_names(found), "relink_url": core.settings.server.public_url + path}


async def pause(core: Core, *, profile: str) -> Json:
    """Stop polling until resumed."""
    return summary(await core.control.pause((await profile_named(core, profile)).id))


async def resume(core: Core, *, profile: str) -> Json:
    """Poll again, at once."""
    return summary(await core.control.resume((await profile_named(core, profile)).id))


async def remove(core: Core, *, profile: str) -> Json:
    """Erase snapshot and credentials; the stream ends with a delete."""
    found = await profile_named(core, profile)
    await core.control.remove(found.id)
    return {**_names(found), "removed": True}


async def sync(core: Core, *, profile: str, wait: bool = False) -> Json:
    """Poll now; with ``wait`` tell what came of it."""
    found = await profile_named(core, profile)
    counted = await core.ticker.poll_now(found.id, wait=SYNC_WAIT if wait else None)
    after = await core.store.profile(found.id)
    return {**summary(after), "activities": counted}


async def confirm_deletes(core: Core, *, profile: str, calendar: str | None = None) -> Json:
    """Turn what is held as suspect into deletes (I7)."""
    found = await profile_named(core, profile)
    wanted = None if calendar is None else CalendarId(calendar)
    return summary(await core.control.confirm_deletes(found.id, wanted))


def summary(profile: Profile) -> Json:
    """Return what a list shows of a profile."""
    error = profile.last_error
    return {
        **_names(profile),
        "user_id": profile.user_id,
        "provider": profile.provider,
        "login": profile.login,
        "name": profile.name,
        "state": profile.state,
        "state_reason": profile.state_reason,
        "polled_at": None if profile.polled_at is None else utc(profile.polled_at),
        "next_poll_at": None if profile.next_poll_at is None else utc(profile.next_poll_at),
        "last_error": (
            None
            if error is None
            else {"at": utc(error.at), "code": error.code, "message": error.message}
        ),
    }


def _names(profile: Profile) -> Json:
    return {"profile_id": profile.public_name, "account_id": str(profile.id)}


def _calendar(known: KnownCalendar, tally: Tally) -> Json:
    return {
        "calendar_id": known.id,
        "name": known.calendar.name,
        "primary": known.calendar.primary,
        "readonly": known.calendar.read_only,
        "events": tally.events,
        "polled_at": None if known.polled_at is None else utc(known.polled_at),
        "reconciled_at": None if known.reconciled_at is None else utc(known.reconciled_at),
        "mode": known.mode,
        "suspect_deletes": tally.suspect_deletes,
        "unparsed": tally.unparsed,
        "last_error": known.last_error,
    }
