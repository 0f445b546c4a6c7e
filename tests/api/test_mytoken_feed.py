"""The ICS of a calendar of tokens over HTTP (api.md M9), its page, and its links (M11)."""

import html
import re
import shlex
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from icalendar import Calendar

from syncd.model.access import Scope
from tests.api.serving import Api
from tests.api.test_mytoken import ROOT, SECOND, create, identity, lineage
from tests.api.test_mytoken_rotation import everything
from tests.formats.parsers import proven

NIGHTLY = "CI — „nachts“"
SOON = timedelta(days=30)


async def subscribed(api: Api, **fields: Any) -> tuple[str, str]:  # noqa: ANN401 - of a Token
    """Return the path of a calendar with one token, and the token."""
    owner = await api.token(Scope.NOTIFY)
    made = await create(api, owner, name=NIGHTLY)
    usual = {"name": "laptop", "expires_at": api.clock.now() + SOON}
    token = await api.token(**{**usual, **fields})
    body = {"mom_id": await lineage(api, token)}
    answer = await api.send("POST", f"{ROOT}/{made['id']}", token=owner, json=body)
    assert answer.status == 200
    return urlsplit(made["ics_path"]).path, token


async def read(api: Api, path: str) -> Calendar:
    async with await api.get(path, token="") as response:
        assert response.status == 200
        return proven(await response.read())


async def test_the_path_is_all_that_it_takes(api: Api) -> None:
    path, token = await subscribed(api)
    response = await api.get(path, token="")
    assert response.headers["Content-Type"] == "text/calendar; charset=utf-8"
    assert response.headers["Content-Disposition"] == (
        'attachment; filename="CI _ _nachts_"; '
        "filename*=UTF-8''CI%20%E2%80%94%20%E2%80%9Enachts%E2%80%9C"
    )
    assert response.headers["Cache-Control"] == "private, max-age=300"
    assert response.headers["X-Robots-Tag"] == "noindex"
    assert response.headers["Referrer-Policy"] == "no-referrer"
    calendar = proven(await response.read())
    (event,) = calendar.events
    assert str(event["UID"]) == await lineage(api, token)
    assert str(calendar["URL"]) == api.url + path
    head = await api.send("HEAD", path, token="")
    assert (head.status, await head.read()) == (200, b"")
    same = ("ETag", "Last-Modified", "Content-Type", "Content-Length")
    assert [head.headers[name] for name in same] == [response.headers[name] for name in same]


async def test_what_did_not_change_is_not_sent_again(api: Api) -> None:
    path, token = await subscribed(api)
    api.clock.advance(SECOND)
    first = await api.get(path, token="")
    body, tag = await first.read(), first.headers["ETag"]
    api.clock.advance(SOON / 2)
    for held in (
        {"If-None-Match": f'"other", {tag}'},
        {"If-None-Match": f"W/{tag}"},
        {"If-Modified-Since": first.headers["Last-Modified"]},
        {"If-None-Match": tag, "If-Modified-Since": "Thu, 01 Jan 1970 00:00:00 GMT"},
    ):
        again = await api.get(path, token="", headers=held)
        assert (again.status, await again.read()) == (304, b""), held
        assert again.headers["ETag"] == tag
    again = await api.get(path, token="", headers={"If-None-Match": '"other"'})
    assert (again.status, await again.read()) == (200, body)
    await api.ground.store.revoke_token(identity(token), api.clock.now())
    since = first.headers["Last-Modified"]
    for stale in ({"If-None-Match": tag}, {"If-Modified-Since": since}):
        fresh = await api.get(path, token="", headers=stale)
        assert fresh.status == 200
        assert proven(await fresh.read()).events == []
        assert fresh.headers["ETag"] != tag


async def test_two_changes_in_one_second_are_both_seen(api: Api) -> None:
    """Last-Modified counts seconds: what it cannot tell apart is sent."""
    path, token = await subscribed(api)
    api.clock.advance(timedelta(milliseconds=300))
    first = await api.get(path, token="")
    api.clock.advance(timedelta(milliseconds=300))
    await api.ground.store.revoke_token(identity(token), api.clock.now())
    held = {"If-Modified-Since": first.headers["Last-Modified"]}
    assert (await api.get(path, token="", headers=held)).status == 200


async def test_unknown_paths_are_not_there(api: Api) -> None:
    path, _ = await subscribed(api)
    for wrong in (path[:-1], path + "x", "/calendars/x"):
        response = await api.get(wrong, token="")
        assert response.status == 404
        assert (await response.json())["error"] == "not_found"


async def test_a_path_is_read_600_times_an_hour(api: Api) -> None:
    """M9: by path and address; one more after six seconds."""
    path, _ = await subscribed(api)
    for _ in range(600):
        assert (await api.send("HEAD", path, token="")).status == 200
    refused = await api.get(path, token="")
    assert (refused.status, refused.headers["Retry-After"]) == (429, "6")
    assert (await api.get("/calendars/other", token="")).status == 404
    api.clock.advance(timedelta(seconds=6))
    assert (await api.get(path, token="")).status == 200


async def test_the_store_does_not_hold_the_path(api: Api, tmp_path: Path) -> None:
    """reliability.md §5: its digest to find it, a sealed copy to show it."""
    path, _ = await subscribed(api)
    secret = path.rpartition("/")[2]
    sealed = f"|path\0{secret}".encode()  # as the vault of these tests does
    held = everything(tmp_path)
    assert sealed in held
    assert secret.encode() not in held.replace(sealed, b"")
    async with await api.get(path, token="") as response:
        (event,) = proven(await response.read()).events
    (code,) = re.findall(r"recreate_token&code=(\w+)", str(event["URL"]))
    assert code.encode() not in everything(tmp_path)


async def links(api: Api, path: str) -> dict[str, str]:
    (event,) = (await read(api, path)).events
    found = re.findall(r"(/actions\?action=(\w+)&code=\w+)", str(event["DESCRIPTION"]))
    return {action: link for link, action in found}


async def press(api: Api, link: str) -> Any:  # noqa: ANN401 - status and page
    """Open a link as a browser does, and press its button."""
    shown = await api.get(link, token="")
    text = await shown.text()
    assert shown.status == 200, text
    assert shown.headers["Cache-Control"] == "no-store"
    assert "default-src 'none'" in shown.headers["Content-Security-Policy"]
    cookie = shown.cookies["syncd-form"].value
    form = re.search(r'name="token" value="(\w+)"', text)
    assert form
    headers = {"Cookie": f"syncd-form={cookie}"}
    async with await api.send(
        "POST", link, token="", data={"token": form[1]}, headers=headers
    ) as done:
        return done.status, await done.text()


async def test_a_link_asks_before_it_removes_and_works_once(api: Api) -> None:
    """M11: GET and HEAD change nothing."""
    path, token = await subscribed(api)
    link = (await links(api, path))["remove_from_calendar"]
    for method in ("GET", "HEAD", "GET"):
        assert (await api.send(method, link, token="")).status == 200
    assert len((await read(api, path)).events) == 1
    forged = await api.send("POST", link, token="", data={"token": "0" * 64})
    assert forged.status == 403
    assert len((await read(api, path)).events) == 1
    status, text = await press(api, link)
    assert (status, "Removed" in text) == (200, True)
    assert (await read(api, path)).events == []
    assert (await api.get(link, token="")).status == 404
    assert (await api.get("/v1/accounts/me", token=token)).status == 200  # the token lives on


async def test_a_link_shows_how_to_make_such_a_token_again(api: Api) -> None:
    """M11: the same name, scopes and lifetime."""
    path, _ = await subscribed(api, name="it's me")
    link = (await links(api, path))["recreate_token"]
    first, text = await press(api, link)
    again, same = await press(api, link)
    assert (first, again) == (200, 200)
    assert text == same
    shown = html.unescape(text.partition("<code>")[2].partition("</code>")[0])
    line = "syncd token create --user acc_ada --scope all --expires-in 30d --name"
    assert shlex.split(shown.replace("\\\n", "")) == [*line.split(), "it's me"]


async def test_codes_are_bound_to_their_action(api: Api) -> None:
    path, _ = await subscribed(api)
    found = await links(api, path)
    swapped = found["recreate_token"].replace("recreate_token", "remove_from_calendar")
    for wrong in (swapped, "/actions", "/actions?action=x&code=y", found["recreate_token"][:-1]):
        response = await api.get(wrong, token="")
        assert response.status == 404
        assert response.headers["Content-Type"].startswith("text/html")


@pytest.mark.parametrize("name", ["laptop", "<script>alert(1)</script>"])
async def test_the_page_shows_what_expires_and_when(api: Api, name: str) -> None:
    path, token = await subscribed(api, name=name)
    response = await api.get(f"{path}/view", token="")
    text = await response.text()
    assert response.status == 200
    assert response.headers["X-Robots-Tag"] == "noindex"
    assert "in 30 days" in text
    assert "<script>" not in text
    assert name.replace("<", "&lt;").replace(">", "&gt;") in text
    api.clock.advance(SOON + SECOND)
    assert "Expired" in await (await api.get(f"{path}/view", token="")).text()
    await api.ground.store.revoke_token(identity(token), api.clock.now())
    assert "No token is about" in await (await api.get(f"{path}/view", token="")).text()
    assert (await api.get("/calendars/none/view", token="")).status == 404
