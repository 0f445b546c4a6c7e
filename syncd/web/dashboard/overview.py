"""All profiles: how many are in which state, and those of a search, page by page."""

import re
from dataclasses import dataclass
from math import ceil
from urllib.parse import urlencode

from aiohttp import web

from syncd.model.profile import Profile, State
from syncd.ports.store.census import Search
from syncd.web.dashboard.desk import desk_of
from syncd.web.dashboard.frame import show

PER_PAGE = 50
_LONGEST = 200
_PAGE_NUMBER = re.compile(r"[1-9][0-9]{0,6}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Tab:
    """One state to look at, or all of them; ``state`` is None for all."""

    state: State | None
    count: int
    href: str
    chosen: bool


async def overview(request: web.Request) -> web.Response:
    """Show the profiles of a search, those that need somebody first."""
    store = desk_of(request).store
    search = _search(request)
    counts = await store.counts(search)
    total = sum(counts.values()) if search.state is None else counts.get(search.state, 0)
    pages = max(1, ceil(total / PER_PAGE))
    page = min(_number(request.query.get("page", "1")), pages)
    found = await store.matching(search, skip=(page - 1) * PER_PAGE, limit=PER_PAGE)
    tabs = [
        Tab(
            state=None,
            count=sum(counts.values()),
            href=_href(search, state=None),
            chosen=search.state is None,
        )
    ]
    tabs += [
        Tab(state=one, count=counts[one], href=_href(search, state=one), chosen=one is search.state)
        for one in sorted(counts, key=list(State).index, reverse=True)
    ]
    return show(
        request,
        "overview.html",
        search=search,
        tabs=tabs,
        profiles=found,
        held={one.id: await _held(request, one) for one in found if one.suspect},
        providers=await store.providers(),
        total=total,
        first=(page - 1) * PER_PAGE + 1,
        newer=_href(search, state=search.state, page=page - 1) if page > 1 else None,
        older=_href(search, state=search.state, page=page + 1) if page < pages else None,
        page=page,
        pages=pages,
        again=_href(search, state=search.state, page=page),
        searched=bool(search.text or search.provider or search.state),
    )


async def _held(request: web.Request, profile: Profile) -> int:
    """Return how many deletes are held back."""
    tallies = await desk_of(request).store.tallies(profile.id)
    return sum(tally.suspect_deletes for tally in tallies.values())


def _search(request: web.Request) -> Search:
    given = request.query
    state = given.get("state", "")
    return Search(
        state=State(state) if state in set(State) else None,
        provider=given.get("provider", "")[:_LONGEST] or None,
        text=given.get("q", "").strip()[:_LONGEST],
    )


def _href(search: Search, *, state: State | None, page: int = 1) -> str:
    words = {
        "q": search.text,
        "provider": search.provider or "",
        "state": state or "",
        "page": "" if page == 1 else str(page),
    }
    query = urlencode({name: value for name, value in words.items() if value})
    return f"/?{query}" if query else "/"


def _number(text: str) -> int:
    known = _PAGE_NUMBER.fullmatch(text)
    return int(text) if known else 1
