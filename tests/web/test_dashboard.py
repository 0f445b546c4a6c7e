"""The dashboard's pages and forms, without a browser's script."""

import re
from dataclasses import replace

import pytest

from syncd.model.errors import TransientError
from syncd.model.ids import ProfileId
from syncd.model.profile import LastError, Reason
from tests.api.serving import Api
from tests.engine.ground import USER, event
from tests.store.samples import a_profile
from tests.web.desk import Operator, routes, shown

HOSTILE = "<script>alert('x')</script>\"><img src=x onerror=alert(1)>"
TO = "\N{EN DASH}"
POLICY = {
    "default-src 'none'", "script-src 'self'", "connect-src 'self'", "img-src 'self'",
    "style-src 'self'", "form-action 'self'", "frame-ancestors 'none'", "base-uri 'none'",
}  # fmt: skip


@pytest.fixture
def path(api: Api) -> str:
    return f"/dashboard/profiles/{api.account}"


async def held(api: Api, count: int = 30) -> None:
    """Let a mass of events be missing."""
    api.ground.server.faults.no_tokens = True
    work = api.ground.server.add("/work/", name="Work", primary=True)
    for number in range(count + 1):
        work.put(f"{number}.ics", event(f"{number}"))
    await api.ground.poll()
    for number in range(count):
        work.remove(f"{number}.ics")
    await api.ground.poll()


async def test_every_page_is_private_and_runs_nothing_foreign(operator: Operator) -> None:
    """Nothing inline either: no script, no style, no handler in an attribute."""
    for page in [*routes(operator.api, "GET"), "/dashboard/profiles/none"]:
        if page.endswith("/stream"):
            continue
        answer = await operator.get(page)
        text = await answer.text()
        assert answer.status in {200, 404}, page
        assert answer.headers["Cache-Control"] == "no-store"
        assert answer.headers["Referrer-Policy"] == "no-referrer"
        assert answer.headers["X-Frame-Options"] == "DENY"
        assert set(answer.headers["Content-Security-Policy"].split("; ")) == POLICY
        assert not re.search(r"<style|<script(?![^>]* src=\"/static/)| style=| on\w+=", text), page
        assert not re.search(r"(?:src|href)=\"(?:https?:)?//", text), page


async def test_every_form_needs_its_sessions_word(operator: Operator) -> None:
    """CSRF, with the control that the right word gets through."""
    api = operator.api
    other = await (await operator.get("/")).text()
    operator.forget()
    await operator.log_in()
    forms = list(routes(api, "POST"))
    assert len(forms) >= 11
    before = await api.ground.profile()
    for place in forms:
        for wrong in ({}, {"form": ""}, {"form": "x"}, {"form": operator.form_of(other)}):
            answer = await operator.send(place, wrong)
            assert answer.status == 403, place
            assert "Nothing was done" in await answer.text()
    assert await api.ground.profile() == before
    assert await api.ground.store.applications() == []
    for place in sorted(forms, key=lambda one: one.endswith("/logout")):
        assert (await operator.post(place)).status != 403, place


async def test_pausing_and_resuming(operator: Operator, path: str) -> None:
    answer = await operator.post(f"{path}/pause")
    assert (answer.status, answer.headers["Location"]) == (303, f"{path}?done=paused")
    assert (await operator.api.ground.profile()).paused
    page = shown(await operator.text(f"{path}?done=paused"))
    assert "Paused. Nothing is polled until it is resumed." in page
    refused = await operator.post(f"{path}/poll")
    assert refused.status == 409
    assert "The profile is paused." in await refused.text()
    await operator.post(f"{path}/resume")
    assert not (await operator.api.ground.profile()).paused


async def test_polling_now_shows_what_it_found(operator: Operator, path: str) -> None:
    assert "It was not polled since syncd started." in await operator.text(path)
    calendar = operator.api.ground.server.add("/work/", name="Work", primary=True)
    calendar.put("a.ics", event("Review", location="Room Lovelace"))
    answer = await operator.post(f"{path}/poll")
    assert answer.headers["Location"] == f"{path}?done=polled"
    page = shown(await operator.text(path))
    for words in ("1 poll, none failed", "Event added Review", "Room Lovelace", "change feed"):
        assert words in page


async def test_relinking_shows_the_link_of_the_disconnection(operator: Operator, path: str) -> None:
    """The one that applications are told; of a connected profile a link for a day."""
    answer = await operator.post(f"{path}/relink")
    assert answer.headers["Location"] == f"{path}?done=relink"
    assert "for 24 hours" in await operator.text(path)
    await operator.api.disconnect()
    url = (await operator.api.json("/v1/accounts/me"))["relink_url"]
    await operator.post(f"{path}/relink")
    page = await operator.text(path)
    assert f'value="{url}"' in page
    assert "its person must sign in again" in page


async def test_missing_events_are_deleted_once_somebody_says_so(
    operator: Operator, path: str
) -> None:
    """I7: the page says how many of which calendar, and that is what is confirmed."""
    api = operator.api
    await held(api)
    assert "30 events are missing at the provider, and kept." in shown(await operator.text("/"))
    page = shown(await operator.text(f"{path}/confirm"))
    assert "Delete 30 events?" in page
    assert "30 events of 31 events in “Work”" in page
    moved = await operator.post(f"{path}/confirm", count="29", calendar="")
    assert moved.status == 409
    assert "no longer as many" in await moved.text()
    assert (await api.ground.profile()).suspect
    answer = await operator.post(f"{path}/confirm", count="30", calendar="")
    assert answer.headers["Location"] == f"{path}?done=confirmed"
    assert not (await api.ground.profile()).suspect
    assert "Nothing is held back" in await operator.text(f"{path}/confirm")
    assert "Nothing is held back" in await operator.text(f"{path}/confirm?calendar=cal_none")


async def test_a_search_finds_and_pages_go_through_thousands(operator: Operator) -> None:
    store = operator.api.ground.store
    for number in range(100, 220):
        state = {"refused": Reason.INVALID_GRANT} if number == 150 else {}
        profile = a_profile(
            number, user_id=USER, login=f"p{number}@example.com", first_read=False, **state
        )
        await store.add_profile(profile, sealed={}, records=())
    first = await operator.text("/")
    assert first.index("p150@") < first.index("ada@")
    assert f"1{TO}50 of 121" in shown(first)
    assert f"101{TO}121 of 121" in shown(await operator.text("/?page=3"))
    assert f"101{TO}121 of 121" in shown(await operator.text("/?page=9999999"))
    for odd in ("0", "-1", "x", "9" * 30, "²"):
        assert f"1{TO}50 of 121" in shown(await operator.text(f"/?page={odd}"))
    found = await operator.text("/?q=P150@")
    assert ("p150@" in found, "p151@" in found) == (True, False)
    alone = await operator.text("/?state=disconnected&provider=caldav")
    assert re.findall(r"(p\d+@)example.com</a>", alone) == ["p150@"]
    assert "No profile is like that" in await operator.text("/?q=nobody")
    assert "p150@" in await operator.text("/?state=nonsense")


async def test_an_empty_syncd_says_what_to_do_next(operator: Operator) -> None:
    await operator.api.parts.control.remove(operator.api.ground.profile_id)
    page = await operator.text("/")
    assert "Nothing is connected yet" in page
    assert "syncd profile add caldav" in page


async def test_activities_go_back_page_by_page(operator: Operator, path: str) -> None:
    """To the first one, each once."""
    work = operator.api.ground.server.add("/work/", name="Work", primary=True)
    for number in range(80):
        work.put(f"{number}.ics", event(f"Meeting-{number}"))
    await operator.api.ground.poll()
    seen, place = list[str](), path
    while True:
        page = await operator.text(place)
        seen += re.findall(r'class="name">(Meeting-\d+)<', page)
        older = re.search(r'href="([^"]+)#activity" rel="next"', page)
        if not older:
            break
        place = older[1].replace("&amp;", "&")
    assert len(seen) == len(set(seen)) == 80


@pytest.mark.parametrize("name", ["none", "0", "999", "pro_none", "9" * 40])
async def test_a_profile_that_there_is_not_is_a_page_too(operator: Operator, name: str) -> None:
    for method in ("GET", "POST"):
        place = f"/dashboard/profiles/{name}" + ("/pause" if method == "POST" else "")
        answer = await (operator.get(place) if method == "GET" else operator.post(place))
        assert answer.status == 404
        assert "There is nothing here" in await answer.text()


async def test_what_people_and_servers_write_is_only_ever_text(
    operator: Operator, path: str
) -> None:
    """Titles, places, names of calendars, profiles, tokens, applications, errors; and queries."""
    api = operator.api
    await held(api)
    calendar = api.ground.server.add(f"/{HOSTILE}/", name=HOSTILE)
    calendar.put("a.ics", event(HOSTILE, location=HOSTILE))
    await api.ground.poll()
    calendar.put("a.ics", event(HOSTILE, description=HOSTILE, location="elsewhere"))
    await api.ground.poll()
    profile = await api.ground.profile()
    error = LastError(at=api.clock.now(), code="x", message=HOSTILE)
    await api.ground.store.save_profile(
        replace(profile, login=HOSTILE, name=HOSTILE, provider="caldav")
    )
    strange = a_profile(77, user_id=USER, login="x", provider=HOSTILE, last_error=error, failures=2)
    await api.ground.store.add_profile(strange, sealed={}, records=())
    await api.token(name=HOSTILE, admin=True)
    made = await operator.post("/dashboard/applications", name=HOSTILE)
    pages = [await made.text()]
    (application,) = await api.ground.store.applications()
    token = next(one for one in await api.ground.store.tokens() if one.name == HOSTILE)
    quoted = "%3Cscript%3Ealert('x')%3C/script%3E%22%3E%3Cimg%20src=x%20onerror=alert(1)%3E"
    places = (
        "/", f"/?q={quoted}&provider={quoted}&state={quoted}&done={quoted}", path,
        f"{path}?before={quoted}&done={quoted}", f"{path}/confirm", "/dashboard/profiles/77",
        "/dashboard/activity", f"/dashboard/activity?profile={api.account}",
        f"/dashboard/activity?calendar={quoted}&kind={quoted}&type={quoted}&profile={api.account}",
        "/dashboard/access", f"/dashboard/tokens/{token.id}",
        f"/dashboard/applications/{application.id}", "/dashboard/system",
    )  # fmt: skip
    pages += [await operator.text(place) for place in places]
    refused = await operator.post("/dashboard/tokens", reach="user", whose=HOSTILE, expires="")
    pages += [await refused.text()]
    for page in pages:
        assert "<script>" not in page
        assert "<img" not in page
    assert sum("&lt;script&gt;" in page for page in pages) >= 11


async def test_a_store_that_does_not_answer_is_told_in_words(
    operator: Operator, path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken(_: ProfileId) -> None:
        raise TransientError("the database does not answer")

    monkeypatch.setattr(operator.api.parts.control, "pause", broken)
    answer = await operator.post(f"{path}/pause")
    assert answer.status == 503
    assert "The database does not answer." in await answer.text()


async def test_the_system_is_told_as_it_is(operator: Operator) -> None:
    page = shown(await operator.text("/dashboard/system"))
    for words in (
        "syncd 1.2.3 · up since 3 days ago", "All is well", "2.1 ms", "97 MiB", "52 GiB",
        "SQLite 3.51.3", "4.0 MiB", "every 1 h", "127.0.0.1:8470",
    ):  # fmt: skip
        assert words in page
