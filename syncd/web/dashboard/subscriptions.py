"""Subscriptions: who is pushed what, how each is doing, and what can be done about it."""

from dataclasses import dataclass
from datetime import timedelta
from urllib.parse import urlencode

from aiohttp import web

from syncd.engine.subscriptions import OVERLAP
from syncd.model.errors import InvalidError
from syncd.model.subscription import SIGNED_FORMATS, Outcome, Status, Subscription
from syncd.ports.sink import Receipt
from syncd.web.dashboard.desk import desk_of
from syncd.web.dashboard.frame import Choices, away, one, show
from syncd.web.dashboard.people import Owner, owner_of

ROOT = "/dashboard/subscriptions"
PER_PAGE = 50
OVERLAPS = {
    str(int(OVERLAP.total_seconds())): "A day",
    "604800": "A week",
    "0": "Nothing: it ends now",
}
_LONGEST = 100  # of what an address names


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A subscription, whose it is, and how many records it has not come past."""

    subscription: Subscription
    owner: Owner
    behind: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Tab:
    """One state to look at, or all of them."""

    word: str
    count: int | None
    href: str
    chosen: bool


async def overview(request: web.Request) -> web.Response:
    """Show all subscriptions, or those in one state, page by page."""
    store = desk_of(request).store
    word = request.query.get("status", "")
    status = Status(word) if word in set(Status) else None
    after = request.query.get("after", "")[:_LONGEST] or None
    found = await store.subscriptions(status=status, after=after, limit=PER_PAGE + 1)
    shown = found[:PER_PAGE]
    more = shown[-1].id if len(found) > PER_PAGE else None
    return show(
        request,
        "subscriptions.html",
        tabs=await _tabs(request, status),
        rows=[await _row(request, one) for one in shown],
        again=_href(ROOT, status=status or "", after=after or ""),
        first=_href(ROOT, status=status or "") if after else None,
        older=_href(ROOT, status=status or "", after=more) if more else None,
        searched=status is not None,
    )


async def retrieve(request: web.Request) -> web.Response:
    """Show one subscription with what was tried."""
    return await _page(request)


async def pause(request: web.Request, _: Choices) -> web.Response:
    """Send nothing more until resumed."""
    return await _switched(request, enabled=False, done="held")


async def resume(request: web.Request, _: Choices) -> web.Response:
    """Go on where it stood, at once also where it fails."""
    fails = (await subscription_named(request)).status is Status.FAILING
    return await _switched(request, enabled=True, done="hurried" if fails else "released")


async def try_out(request: web.Request, _: Choices) -> web.Response:
    """Send a message that tells of nothing, and show what came of it."""
    receipt = await desk_of(request).deliverer.test(await subscription_named(request))
    return await _page(request, tried=receipt)


async def replay_failed(request: web.Request, _: Choices) -> web.Response:
    """Send once more whatever was never delivered."""
    found = await subscription_named(request)
    count = await desk_of(request).subscriptions.replay_failed(found)
    return away(f"{path_of(found)}?done={'replayed' if count else 'no_replay'}")


async def ask_rotate(request: web.Request) -> web.Response:
    """Ask how long the present secret is to live on."""
    found = await subscription_named(request)
    return show(request, "rotate.html", subscription=found, overlaps=OVERLAPS)


async def rotate(request: web.Request, given: Choices) -> web.Response:
    """Make a new signing secret and show it, this once."""
    found, seconds = await subscription_named(request), one(given, "overlap")
    if seconds not in OVERLAPS:
        raise InvalidError("choose how long the old secret lives on", field="overlap")
    desk, overlap = desk_of(request), timedelta(seconds=int(seconds))
    secret = await desk.subscriptions.rotate(found, overlap=overlap)
    return show(
        request,
        "secrets.html",
        title="The secret is new",
        name=found.url,
        secrets=(("Signing secret", secret.reveal()),),
        until=desk.clock.now() + overlap if overlap else None,
        back=(path_of(found), "Subscription"),
    )


async def ask_remove(request: web.Request) -> web.Response:
    """Ask before a subscription ends."""
    found = await subscription_named(request)
    return show(request, "unsubscribe.html", row=await _row(request, found))


async def remove(request: web.Request, _: Choices) -> web.Response:
    """End a subscription with all that was kept of it."""
    found = await subscription_named(request)
    await desk_of(request).subscriptions.remove(found.id)
    return away(f"{ROOT}?done=unsubscribed")


async def subscription_named(request: web.Request) -> Subscription:
    """Return the subscription of the request's path; raises NotFoundError."""
    return await desk_of(request).store.subscription(request.match_info["subscription"])


def path_of(subscription: Subscription) -> str:
    """Return where a subscription's page is."""
    return f"{ROOT}/{subscription.id}"


async def _page(request: web.Request, *, tried: Receipt | None = None) -> web.Response:
    store, found = desk_of(request).store, await subscription_named(request)
    word = request.query.get("status", "")
    outcome = Outcome(word) if word in set(Outcome) else None
    before = request.query.get("before", "")[:_LONGEST] or None
    listed = await store.deliveries(found.id, outcome=outcome, before=before, limit=PER_PAGE + 1)
    shown, path = listed[:PER_PAGE], path_of(found)
    more = shown[-1].id if len(listed) > PER_PAGE else None
    return show(
        request,
        "subscription.html",
        row=await _row(request, found),
        signed=found.format in SIGNED_FORMATS,
        tried=tried,
        path=path,
        again=_href(path, status=outcome or "", before=before or ""),
        tabs=[
            Tab(
                word="All" if each is None else each.capitalize(),
                count=None,
                href=_href(path, status=each or "") + "#log",
                chosen=each is outcome,
            )
            for each in (None, *Outcome)
        ],
        deliveries=shown,
        newest=_href(path, status=outcome or "") + "#log" if before else None,
        older=_href(path, status=outcome or "", before=more) + "#log" if more else None,
    )


async def _switched(request: web.Request, *, enabled: bool, done: str) -> web.Response:
    found = await subscription_named(request)
    await desk_of(request).subscriptions.enable(found.id, enabled=enabled)
    return away(f"{path_of(found)}?done={done}")


async def _tabs(request: web.Request, chosen: Status | None) -> list[Tab]:
    counts = dict.fromkeys(Status, 0)
    for each in await desk_of(request).store.backlog():
        counts[each.status] += each.subscriptions
    every = Tab(word="All", count=sum(counts.values()), href=ROOT, chosen=chosen is None)
    return [
        every,
        *(
            Tab(
                word=status.capitalize(),
                count=counts[status],
                href=_href(ROOT, status=status),
                chosen=status is chosen,
            )
            for status in (Status.FAILING, Status.DISABLED, Status.ACTIVE)
        ),
    ]


async def _row(request: web.Request, found: Subscription) -> Row:
    store = desk_of(request).store
    owner = await owner_of(
        store,
        user=found.user_id,
        profile=found.profile_id,
        application=found.application_id,
        nobody="everything",
    )
    return Row(subscription=found, owner=owner, behind=await store.behind_of(found.id))


def _href(path: str, **words: str) -> str:
    query = urlencode({name: value for name, value in words.items() if value})
    return f"{path}?{query}" if query else path
