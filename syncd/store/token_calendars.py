"""Calendars of expiring tokens, their watches and their labels."""

from collections.abc import Collection, Sequence

from sqlalchemy import ColumnElement, delete, insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from syncd.model.errors import NotFoundError
from syncd.model.ids import TokenId, UserId
from syncd.model.published import Label, Noticed, TokenCalendar, Watch, Watched
from syncd.model.when import milliseconds
from syncd.store.chunks import chunks
from syncd.store.published_rows import (
    label_of,
    label_values,
    token_calendar_of,
    token_calendar_values,
    watch_of,
    watch_values,
)
from syncd.store.published_tables import labels, token_calendars, watches
from syncd.store.rows import token_of
from syncd.store.tables import tokens
from syncd.store.topic import Topic

_ALL = select(token_calendars)


class SqlTokenCalendars(Topic):
    """``TokenCalendars`` in SQL."""

    async def add_token_calendar(self, calendar: TokenCalendar) -> None:
        """Add one; raises ConflictError if the user has one of this name."""
        values = token_calendar_values(calendar)
        await self._database.put(insert(token_calendars).values(values))

    async def token_calendars(self, user: UserId) -> Sequence[TokenCalendar]:
        """Return the user's, in the order of their making."""
        column = token_calendars.c
        mine = _ALL.where(column.user_id == user)
        ordered = mine.order_by(column.created_at, column.token_calendar_id)
        return [token_calendar_of(row) for row in await self._database.fetch(ordered)]

    async def token_calendar(self, calendar: str) -> TokenCalendar:
        """Return one by its id; raises NotFoundError."""
        found = _ALL.where(token_calendars.c.token_calendar_id == calendar)
        rows = await self._database.fetch(found)
        if not rows:
            raise NotFoundError("calendar not found")
        return token_calendar_of(rows[0])

    async def token_calendar_named(self, user: UserId, name: str) -> TokenCalendar:
        """Return the user's of that id, else of that name; raises NotFoundError."""
        column = token_calendars.c
        either = or_(column.token_calendar_id == name, column.name == name)
        rows = await self._database.fetch(_ALL.where(column.user_id == user, either))
        if not rows:
            raise NotFoundError("calendar not found")
        found = [token_calendar_of(row) for row in rows]
        return next((one for one in found if one.id == name), found[0])

    async def token_calendar_at(self, digest: bytes) -> TokenCalendar | None:
        """Return the one whose path has this digest."""
        rows = await self._database.fetch(_ALL.where(token_calendars.c.path_digest == digest))
        return token_calendar_of(rows[0]) if rows else None

    async def save_token_calendar(self, calendar: TokenCalendar) -> None:
        """Write description and labels; one that is gone stays gone."""
        mine = update(token_calendars).where(token_calendars.c.token_calendar_id == calendar.id)
        values = token_calendar_values(calendar)
        changed = {name: values[name] for name in ("description", "labels")}
        await self._database.put(mine.values(changed))

    async def notice_token_calendar(self, calendar: str, noticed: Noticed) -> None:
        """Keep which version was served."""
        mine = update(token_calendars).where(token_calendars.c.token_calendar_id == calendar)
        seen = {"version": noticed.version, "noticed_at": milliseconds(noticed.since)}
        await self._database.put(mine.values(seen))

    async def remove_token_calendar(self, calendar: str) -> None:
        """Remove one with its watches; one that is gone is as good."""

        async def work(connection: AsyncConnection) -> None:
            for table in (watches, token_calendars):
                mine = delete(table).where(table.c.token_calendar_id == calendar)
                await connection.execute(mine)

        await self._database.write(work)

    async def watch(self, watch: Watch) -> None:
        """Add a watch, or replace the comment of the one that is there.

        Raises ConflictError if the calendar is gone.
        """
        mine = update(watches).where(*_place(watch.calendar_id, watch.token_id))

        async def work(connection: AsyncConnection) -> None:
            replaced = await connection.execute(mine.values(comment=watch.comment))
            if replaced.rowcount == 0:
                await connection.execute(insert(watches).values(watch_values(watch)))

        await self._database.write(work)

    async def unwatch(self, calendar: str, token: TokenId) -> None:
        """Remove a watch; one that is gone is as good."""
        await self._database.put(delete(watches).where(*_place(calendar, token)))

    async def watched(self, calendars: Collection[str]) -> Sequence[Watched]:
        """Return what these calendars show, oldest watch first, revoked tokens too."""
        found = list[Watched]()
        for some in chunks(calendars):
            mine = (
                select(watches, tokens)
                .join(tokens, tokens.c.token_id == watches.c.token_id)
                .where(watches.c.token_calendar_id.in_(some))
                .order_by(watches.c.since_at, watches.c.token_id)
            )
            rows = await self._database.fetch(mine)
            found += [Watched(watch=watch_of(row), token=token_of(row)) for row in rows]
        return found

    async def watch_by_code(self, digest: bytes) -> Watch | None:
        """Return the watch that one of its two codes names."""
        column = watches.c
        either = or_(column.removal_digest == digest, column.recreation_digest == digest)
        rows = await self._database.fetch(select(watches).where(either))
        return watch_of(rows[0]) if rows else None

    async def labels(self, user: UserId) -> Sequence[Label]:
        """Return the user's, by name."""
        rows = await self._database.fetch(select(labels).where(labels.c.user_id == user))
        return sorted(map(label_of, rows), key=lambda one: one.name)

    async def add_label(self, label: Label) -> None:
        """Add one; raises ConflictError if the user has one of this name."""
        await self._database.put(insert(labels).values(label_values(label)))

    async def save_label(self, label: Label) -> None:
        """Write name and colour; raises ConflictError if the name is taken."""
        mine = update(labels).where(labels.c.label_id == label.id)
        await self._database.put(mine.values(name=label.name, color=label.color))

    async def remove_label(self, label: str) -> None:
        """Remove one; one that is gone is as good."""
        await self._database.put(delete(labels).where(labels.c.label_id == label))


def _place(calendar: str, token: TokenId) -> tuple[ColumnElement[bool], ...]:
    return (watches.c.token_calendar_id == calendar, watches.c.token_id == token)
