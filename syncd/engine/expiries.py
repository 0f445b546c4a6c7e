"""Calendars of expiring tokens: who is shown what, and the file that tells it (api.md M3-M14)."""

import hmac
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from syncd.engine.labels import ids
from syncd.engine.noticing import noticed
from syncd.formats.ical_expiry import Expiry, write_expiries
from syncd.model.access import Token, digest
from syncd.model.errors import ConflictError, InvalidError, NotFoundError
from syncd.model.ids import UserId, short
from syncd.model.published import (
    Label,
    SecretPath,
    TokenCalendar,
    Watch,
    Watched,
    name_fault,
    new_id,
    new_secret,
)
from syncd.ports.clock import Clock
from syncd.ports.store import Store
from syncd.ports.vault import Secret, Vault

PATH = "/calendars/"
LONGEST_TEXT = 65_536
_ISSUER = "\0"  # stands for the address in what a version is made of


class Action(StrEnum):
    """What the link in an event does (M11)."""

    REMOVE = "remove_from_calendar"
    RECREATE = "recreate_token"


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """A calendar as its user sees it; ``path`` is the secret one. Revoked tokens are left out."""

    calendar: TokenCalendar
    path: str
    watched: tuple[Watched, ...]
    labels: tuple[Label, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ExpiryFile:
    """The published file; ``write`` makes it for the address that links are to carry."""

    calendar: TokenCalendar
    secret: str
    watched: tuple[Watched, ...]
    version: str
    modified: datetime

    def write(self, issuer: str) -> bytes:
        """Return the ICS."""
        return _written(self.calendar, self.secret, self.watched, issuer)

    def expiries(self, issuer: str) -> Sequence[Expiry]:
        """Return what it tells, the next to expire first."""
        found = [_expiry(one, self.secret, issuer) for one in self.watched]
        return sorted(found, key=lambda one: one.expires_at)


class Expiries:
    """Keeps a user's calendars of tokens and serves them to whoever has their path."""

    def __init__(self, store: Store, vault: Vault, clock: Clock) -> None:
        """Seal paths by ``vault``."""
        self._store = store
        self._vault = vault
        self._clock = clock

    async def create(
        self,
        user: UserId,
        name: str | None,
        *,
        description: str | None = None,
        labels: Sequence[str] = (),
    ) -> Shown:
        """Add a calendar; without a name it gets one of its description, else of its id (M4).

        Raises InvalidError for a name that is wrong or taken.
        """
        identity, secret = new_id(), new_secret()
        taken = {one.name for one in await self._store.token_calendars(user)}
        if name is None:
            fits = description is not None and name_fault(description) is None
            free = fits and description not in taken
            name = description if free and description else f"calendar-{identity[:8]}"
        if (fault := name_fault(name)) is not None:
            raise InvalidError(fault, field="name")
        if name in taken:
            raise _taken()
        sealed = self._vault.seal(Secret(secret), place=_place(identity))
        calendar = TokenCalendar(
            id=identity,
            user_id=user,
            name=name,
            path=SecretPath(digest=digest(secret), sealed=sealed),
            created=self._clock.now(),
            description=_text(description, "description"),
            labels=await ids(self._store, user, labels),
        )
        try:
            await self._store.add_token_calendar(calendar)
        except ConflictError:
            raise _taken() from None
        (shown,) = await self._shown(user, [calendar])
        return shown

    async def calendars(self, user: UserId) -> Sequence[Shown]:
        """Return the user's calendars, in the order of their making."""
        return await self._shown(user, await self._store.token_calendars(user))

    async def calendar(self, user: UserId, name: str) -> Shown:
        """Return the user's calendar of that id or name; raises NotFoundError."""
        found = await self._store.token_calendar_named(user, name)
        (shown,) = await self._shown(user, [found])
        return shown

    async def change(
        self,
        shown: Shown,
        *,
        description: str | None,
        labels: Sequence[str],
    ) -> Shown:
        """Write a calendar's description and labels (M7)."""
        user = shown.calendar.user_id
        changed = replace(
            shown.calendar,
            description=_text(description, "description"),
            labels=await ids(self._store, user, labels),
        )
        await self._store.save_token_calendar(changed)
        (after,) = await self._shown(user, [changed])
        return after

    async def remove(self, user: UserId, name: str) -> None:
        """Remove a calendar, if there is one of that id or name (M8)."""
        try:
            found = await self._store.token_calendar_named(user, name)
        except NotFoundError:
            return
        await self._store.remove_token_calendar(found.id)

    async def watch(self, shown: Shown, lineage: str, comment: str | None) -> Shown:
        """Show a token's expiry in a calendar; once more only replaces the comment (M6).

        Raises NotFoundError unless it is a live token of the user's, InvalidError if it never
        expires.
        """
        calendar = shown.calendar
        token = await self._token(calendar.user_id, lineage)
        if token is None or not token.alive(self._clock.now()):
            raise NotFoundError("there is no such token")
        if token.expires_at is None:
            raise InvalidError("cannot create an expiration event for non-expiring mytokens")
        secret, now = shown.path.removeprefix(PATH), self._clock.now()
        watch = Watch(
            calendar_id=calendar.id,
            token_id=token.id,
            since=now,
            comment=_text(comment, "comment"),
            removal=digest(_code(secret, Action.REMOVE, token, now)),
            recreation=digest(_code(secret, Action.RECREATE, token, now)),
        )
        try:
            await self._store.watch(watch)
        except ConflictError:
            raise NotFoundError("calendar not found") from None
        return await self.calendar(calendar.user_id, calendar.id)

    async def unwatch(self, user: UserId, name: str, lineage: str) -> None:
        """Stop showing a token; what is not there is as good (M8)."""
        try:
            found = await self._store.token_calendar_named(user, name)
        except NotFoundError:
            return
        for one in await self._store.watched([found.id]):
            if one.token.lineage == lineage:
                await self._store.unwatch(found.id, one.token.id)

    async def file(self, secret: str) -> ExpiryFile:
        """Return the file at a secret path; raises NotFoundError (M9)."""
        calendar = await self._store.token_calendar_at(digest(secret))
        if calendar is None:
            raise NotFoundError("calendar not found")
        watched = _living(await self._store.watched([calendar.id]))
        version = short(_written(calendar, secret, watched, _ISSUER).hex(), length=26)
        seen = await noticed(
            calendar.noticed,
            version,
            self._clock.now(),
            lambda one: self._store.notice_token_calendar(calendar.id, one),
        )
        return ExpiryFile(
            calendar=calendar,
            secret=secret,
            watched=watched,
            version=version,
            modified=seen.since,
        )

    async def by_code(self, action: Action, code: str) -> tuple[TokenCalendar, Token]:
        """Return what a link is about; raises NotFoundError once it is dead (M11)."""
        told = digest(code)
        watch = await self._store.watch_by_code(told)
        known = None if watch is None else _digest_of(watch, action)
        if watch is None or known is None or not hmac.compare_digest(known, told):
            raise NotFoundError("this link is no longer valid")
        token = await self._store.token(watch.token_id)
        if token is None or token.revoked_at is not None:
            raise NotFoundError("this link is no longer valid")
        return await self._store.token_calendar(watch.calendar_id), token

    async def remove_by_code(self, code: str) -> None:
        """Stop showing the token of a link, once; raises NotFoundError."""
        calendar, token = await self.by_code(Action.REMOVE, code)
        await self._store.unwatch(calendar.id, token.id)

    async def _shown(self, user: UserId, found: Sequence[TokenCalendar]) -> Sequence[Shown]:
        watched = _living(await self._store.watched([one.id for one in found]))
        known = {one.id: one for one in await self._store.labels(user)} if found else {}
        return [
            Shown(
                calendar=one,
                path=PATH + self._vault.open(one.path.sealed, place=_place(one.id)).reveal(),
                watched=tuple(each for each in watched if each.watch.calendar_id == one.id),
                labels=tuple(known[name] for name in one.labels if name in known),
            )
            for one in found
        ]

    async def _token(self, user: UserId, lineage: str) -> Token | None:
        mine = await self._store.tokens_of(user)
        return next((token for token in mine if token.lineage == lineage), None)


def _written(
    calendar: TokenCalendar, secret: str, watched: Collection[Watched], issuer: str
) -> bytes:
    expiries = [_expiry(one, secret, issuer) for one in watched]
    url = f"{issuer}{PATH}{secret}"
    return write_expiries(calendar.name, issuer=issuer, url=url, expiries=expiries)


def _expiry(one: Watched, secret: str, issuer: str) -> Expiry:
    token, watch = one.token, one.watch
    if token.expires_at is None:
        raise InvalidError("this token never expires")
    return Expiry(
        uid=token.lineage,
        name=token.name,
        comment=watch.comment,
        made=token.created,
        expires_at=token.expires_at,
        since=watch.since,
        removal_url=_link(issuer, Action.REMOVE, _code(secret, Action.REMOVE, token, watch.since)),
        recreation_url=_link(
            issuer, Action.RECREATE, _code(secret, Action.RECREATE, token, watch.since)
        ),
    )


def _link(issuer: str, action: Action, code: str) -> str:
    return f"{issuer}/actions?action={action}&code={code}"


def _code(secret: str, action: Action, token: Token, since: datetime) -> str:
    """Return a link's code; the file's own secret makes it, so that nobody else can."""
    about = f"{action}|{token.id}|{since.isoformat(timespec='milliseconds')}"
    return hmac.new(secret.encode(), about.encode(), "sha256").hexdigest()


def _digest_of(watch: Watch, action: Action) -> bytes:
    return watch.removal if action is Action.REMOVE else watch.recreation


def _living(found: Sequence[Watched]) -> tuple[Watched, ...]:
    return tuple(one for one in found if one.token.revoked_at is None and one.token.expires_at)


def _taken() -> InvalidError:
    return InvalidError("there is a calendar of this name already", field="name")


def _text(text: str | None, field: str) -> str | None:
    if text is not None and len(text) > LONGEST_TEXT:
        raise InvalidError(f"{field} may have {LONGEST_TEXT} characters", field=field)
    return text or None


def _place(calendar: str) -> str:
    return f"token_calendars|{calendar}|path"
