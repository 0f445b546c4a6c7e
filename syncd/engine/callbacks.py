"""Channels of Cronofy's clients: the same request is the same channel (api.md C13, C14)."""

from collections.abc import Sequence
from dataclasses import replace

import orjson

from syncd.engine.deliver import Deliverer
from syncd.engine.endpoints import Admits, check_url
from syncd.engine.subscriptions import Subscriptions
from syncd.model.errors import ConflictError, InvalidError, NotFoundError
from syncd.model.ids import short
from syncd.model.subscription import Format, Reason, Subscription
from syncd.ports.store import Store

MOST = 128  # of an application, for one user, for one profile, or for all that it reaches
_CLOSED = frozenset({Reason.GONE, Reason.EXPIRED, Reason.REVOKED})
_PAGE = 200


class Callbacks:
    """Opens and closes channels; each is a subscription that its application's secrets sign.

    Closed is one that was answered with 410, that retention has passed, or whose grant ended:
    none is told of any more, and the same request opens another. One that was disabled otherwise
    stays open.
    """

    def __init__(
        self, store: Store, subscriptions: Subscriptions, deliverer: Deliverer, admits: Admits
    ) -> None:
        """``admits`` tells whether an address may be reached (O1)."""
        self._store = store
        self._subscriptions = subscriptions
        self._deliverer = deliverer
        self._admits = admits

    async def open(self, asked: Subscription) -> Subscription:
        """Return the channel that was asked for, and send it a verification if it is new.

        One whose attempts ran out is enabled where it stood. ``asked`` has a ``client``, and an
        owner. Raises InvalidError for an address that can never be reached, and for too many.
        """
        check_url(asked.url, self._admits)
        known = await self._all(asked)
        same = [one for one in known if _wish(one) == _wish(asked)]
        for one in same:
            if one.reason is Reason.EXHAUSTED:
                return await self._subscriptions.enable(one.id, enabled=True)
            if _is_open(one):
                return one
        if sum(map(_is_open, known)) >= MOST:
            raise InvalidError(f"there are {MOST} channels already: close one of them")
        # of two requests at once, or two daemons, only one can add this id
        identity = f"chn_{short(_wish(asked), *(one.id for one in same))}"
        try:
            made, _ = await self._subscriptions.add(replace(asked, id=identity))
        except ConflictError:
            return await self._store.subscription(identity)
        for one in same:
            await self._subscriptions.remove(one.id)
        self._deliverer.greet(made)
        return made

    async def listed(self, asked: Subscription) -> Sequence[Subscription]:
        """Return the open channels of the client and owner of ``asked``, the oldest first."""
        found = [one for one in await self._all(asked) if _is_open(one)]
        return sorted(found, key=lambda one: (one.created, one.id))

    async def close(self, asked: Subscription, channel: str) -> None:
        """End a channel of that client and owner; raises NotFoundError."""
        if channel not in {one.id for one in await self.listed(asked)}:
            raise NotFoundError("there is no such channel")
        await self._subscriptions.remove(channel)

    async def _all(self, asked: Subscription) -> Sequence[Subscription]:
        """Return the channels of the same client and owner, closed ones too."""
        found, after = list[Subscription](), None
        while True:
            page = await self._store.subscriptions(
                user=asked.user_id,
                profile=asked.profile_id,
                application=asked.application_id,
                client=asked.client,
                after=after,
                limit=_PAGE,
            )
            found += [one for one in page if one.format is Format.CRONOFY]
            if len(page) < _PAGE:
                return found
            after = page[-1].id


def _is_open(one: Subscription) -> bool:
    return one.reason not in _CLOSED


def _wish(one: Subscription) -> str:
    """Return what makes two requests the same: who asks, for whom, where to, and the filters."""
    filters = orjson.loads(one.asked)
    if isinstance(filters.get("calendar_ids"), list):
        filters["calendar_ids"] = sorted(one.calendars)
    told = [one.client, one.profile_id, one.user_id, one.application_id, one.url, filters]
    return orjson.dumps(told, option=orjson.OPT_SORT_KEYS).decode()
