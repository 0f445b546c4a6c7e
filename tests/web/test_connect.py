"""The connect page (N6; reliability.md §6), over the real store: each kind, each ending."""

import html
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from aiohttp import ClientResponse, DummyCookieJar

from syncd.model.access import Application, Scope
from syncd.model.errors import NotFoundError, TransientError
from syncd.model.ids import ApplicationId
from syncd.model.invitation import OUT_OF_BAND, Ends
from tests.api.serving import Api, serving
from tests.engine.ground import USER
from tests.fakes.linker import CODE, ELSEWHERE, RIGHT
from tests.web.test_relink import HEADERS
from tests.web.visitor import Visitor

HOME = "https://desk.example/back"
ORIGIN = "https://desk.example"
WRONG_WORDS = "wrong words"
DESK = ApplicationId("app_desk")
FORM = {"url": "dav.example", "username": "bo@example.org", "password": RIGHT}


@dataclass
class Scene:
    """An application that invites people, and one of them."""

    api: Api
    person: Visitor
    users: list[str] = field(default_factory=list)

    async def invited(self, **wish: Any) -> str:  # noqa: ANN401 - of an Invitation
        """Return the path of an invitation that ends at the application."""
        given = {"application_id": DESK, "return_to": HOME, "user_id": USER, **wish}
        ends = given.pop("ends", Ends.RETURN)
        path, _ = await self.api.parts.invitations.invite(ends, state="its own", **given)
        return path

    async def connect(self, path: str, provider: str = "caldav", **fields: str) -> ClientResponse:
        given = {**FORM, **fields}
        return await self.person.submit(f"{path}?provider={provider}", **given)

    async def back(self, state: str, **query: str) -> ClientResponse:
        given = {"state": state, **(query or {"code": CODE})}
        return await self.person.get(f"/oauth/callback/google?{urlencode(given)}")

    async def profiles(self) -> int:
        return len(await self.api.ground.store.profiles())


@pytest.fixture
async def scene(tmp_path: Path) -> AsyncIterator[Scene]:
    async with serving(tmp_path) as api:
        api.client.session._cookie_jar = DummyCookieJar()
        desk = Application(
            id=DESK,
            name="Desk <b>",
            created=api.clock.now(),
            redirect_uris=(HOME, OUT_OF_BAND),
            origins=(ORIGIN,),
        )
        await api.ground.store.add_application(desk)
        yield Scene(api, Visitor(api))


def told(answer: ClientResponse) -> dict[str, str]:
    """Return what an application is told in the address that it is returned to."""
    where = urlsplit(answer.headers["Location"])
    assert answer.status == 303
    assert f"{where.scheme}://{where.netloc}{where.path}" == HOME
    return {name: one for name, (one,) in parse_qs(where.query or where.fragment).items()}


async def test_a_person_chooses_among_what_is_set_up(scene: Scene) -> None:
    path = await scene.invited(scopes=frozenset({Scope.READ_EVENTS, Scope.READ_CONTACTS}))
    answer = await scene.person.get(path)
    text = await answer.text()
    for words in ("Google", "Microsoft", "iCloud", "Exchange", "CalDAV", "Desk &lt;b&gt;"):
        assert words in text
    assert "Read your events" in text
    assert "Read your contacts" in text
    assert "Delete events" not in text
    assert "when you are busy" not in text  # part of reading events
    assert "<script" not in text
    policy = answer.headers["Content-Security-Policy"]
    assert f"form-action 'self' {ELSEWHERE} {ORIGIN};" in policy


async def test_an_invitation_may_offer_less(scene: Scene) -> None:
    path = await scene.invited(providers=frozenset({"caldav", "icloud"}))
    text = await (await scene.person.get(path)).text()
    assert "CalDAV" in text
    assert "Google" not in text
    token = (await scene.person.hidden(path))["token"]
    await scene.person.post(path, token=token, provider="google")
    assert scene.api.linker.journeys == []
    only = await scene.invited(providers=frozenset({"icloud"}))
    text = await (await scene.person.get(only)).text()
    assert "App-specific password</label>" in text
    none = await scene.invited(providers=frozenset({"tin"}))
    assert "no kind of calendar" in await (await scene.person.get(none)).text()


async def test_what_the_application_knows_is_filled_in(scene: Scene) -> None:
    path = await scene.invited(preselected="caldav", url="dav.example", username='bo"@x')
    text = await (await scene.person.get(path)).text()
    assert 'value="dav.example"' in text
    assert 'value="bo&#34;@x"' in text


@pytest.mark.parametrize("provider", ["caldav", "icloud", "ews"])
async def test_a_login_that_is_right_connects(scene: Scene, provider: str) -> None:
    """N7: the application learns the profile's names; the link is used up."""
    path = await scene.invited()
    names = told(await scene.connect(path, provider))
    profile = await scene.api.ground.store.profiles(user=USER)
    made = profile[-1]
    assert (made.provider, made.login, made.user_id) == (provider, "bo@example.org", USER)
    assert names == {
        "profile_id": made.public_name,
        "account_id": str(made.id),
        "state": "its own",
    }
    (login,) = scene.api.linker.tries
    assert (login.username, login.url) == ("bo@example.org", "dav.example")
    assert (await scene.person.get(path)).status == 404
    assert made.next_poll_at == scene.api.clock.now()


async def test_a_wrong_password_is_explained_and_what_was_typed_stays(scene: Scene) -> None:
    path = await scene.invited()
    answer = await scene.connect(path, password=WRONG_WORDS)
    text = await answer.text()
    assert answer.status == 422
    assert "The server refused the password." in text
    assert 'value="dav.example"' in text
    assert 'value="bo@example.org"' in text
    assert WRONG_WORDS not in text
    assert told(await scene.connect(path))["account_id"]


async def test_a_server_that_is_none_or_away_is_explained(scene: Scene) -> None:
    path = await scene.invited()
    for failure, status in (
        (NotFoundError("There are no calendars at dav.example."), 422),
        (TransientError("dav.example does not answer."), 502),
    ):
        scene.api.linker.failure = failure
        answer = await scene.connect(path)
        assert answer.status == status
        assert str(failure) in await answer.text()
    scene.api.linker.failure = None
    assert told(await scene.connect(path))


async def test_five_failed_tries_are_enough(scene: Scene) -> None:
    """api.md §4: whatever server was typed, so that nobody looks for servers through us."""
    path, other = await scene.invited(), await scene.invited()
    scene.api.linker.failure = TransientError("does not answer")
    for _ in range(5):
        assert (await scene.connect(path)).status == 502
    scene.api.linker.failure = None
    assert (await scene.connect(path)).status == 429
    assert len(scene.api.linker.tries) == 5
    assert told(await scene.connect(other))
    scene.api.clock.advance(timedelta(minutes=15))
    assert told(await scene.connect(path))


async def test_nobody_guesses_by_asking_for_one_link_after_the_other(scene: Scene) -> None:
    """30 failures in 15 minutes from one address; who signs in takes nothing of it."""
    for _ in range(6):
        path = await scene.invited()
        for _ in range(5):
            assert (await scene.connect(path, password="wrong")).status == 422  # noqa: S106
    refused = await scene.connect(await scene.invited())
    assert (refused.status, refused.headers["Retry-After"]) == (429, "900")
    assert len(scene.api.linker.tries) == 30
    scene.api.clock.advance(timedelta(minutes=15))
    for _ in range(31):
        assert (await scene.connect(await scene.invited())).status == 303


async def test_a_consent_connects(scene: Scene) -> None:
    """N3, N6: contacts are asked for where the application may read them."""
    path = await scene.invited(scopes=frozenset({Scope.READ_EVENTS}))
    state = await scene.person.state(path, provider="google")
    assert not scene.api.linker.journeys[0].contacts
    names = told(await scene.back(state))
    made = (await scene.api.ground.store.profiles(user=USER))[-1]
    assert (made.provider, str(made.id)) == ("google", names["account_id"])
    await scene.person.state(await scene.invited(scopes=frozenset({Scope.ALL})), provider="google")
    assert scene.api.linker.journeys[1].contacts


async def test_a_login_that_is_connected_is_relinked_not_doubled(scene: Scene) -> None:
    first = told(await scene.connect(await scene.invited()))
    count = await scene.profiles()
    again = told(await scene.connect(await scene.invited()))
    assert first["profile_id"] == again["profile_id"]
    assert await scene.profiles() == count


async def test_a_cancelled_consent_can_be_begun_again(scene: Scene) -> None:
    path = await scene.invited()
    state = await scene.person.state(path, provider="google")
    answer = await scene.back(state, error="access_denied")
    text = await answer.text()
    assert (answer.status, "cancelled" in text) == (400, True)
    assert f'href="{path}"' in text
    assert told(await scene.back(await scene.person.state(path, provider="google")))


async def test_who_cancels_is_returned_with_an_error(scene: Scene) -> None:
    path = await scene.invited()
    token = (await scene.person.hidden(path))["token"]
    names = told(await scene.person.post(path, token=token, cancel="1"))
    assert (names["error"], names["state"]) == ("access_denied", "its own")
    assert "error_description" in names
    assert (await scene.person.get(path)).status == 404


async def test_without_an_address_the_last_page_says_so(scene: Scene) -> None:
    answer = await scene.connect(await scene.invited(return_to=None))
    assert answer.status == 200
    assert "Your calendar is connected" in await answer.text()


async def test_a_popup_tells_only_the_origin_that_opened_it(scene: Scene) -> None:
    """K6: the message goes to one origin; nothing parts the windows."""
    wish = {"origin": ORIGIN, "request_id": "1", "ends": Ends.TOKEN}
    path = await scene.invited(return_to=OUT_OF_BAND, **wish)
    form = await scene.person.get(path)
    assert f"form-action 'self' {ELSEWHERE};" in form.headers["Content-Security-Policy"]
    answer = await scene.connect(path)
    text = await answer.text()
    assert answer.status == 200
    assert f'data-origin="{ORIGIN}"' in text
    message = html.unescape(re.findall(r'data-message="([^"]*)"', text)[0])
    assert message.startswith('kloudless:{"type":"authentication","id":"1","data":')
    assert "script-src 'self'" in answer.headers["Content-Security-Policy"]
    assert "Cross-Origin-Opener-Policy" not in answer.headers
    script = await scene.person.get("/static/popup.js")
    assert (script.status, script.content_type) == (200, "text/javascript")
    assert '"*"' not in await script.text()


async def test_looking_changes_nothing_however_often(scene: Scene) -> None:
    path = await scene.invited()
    for _ in range(3):
        assert (await scene.person.get(path)).status == 200
        assert (await scene.person.get(f"{path}?provider=caldav")).status == 200
        assert (await scene.person.head(path)).status == 200
    assert scene.api.linker.tries == []
    assert scene.api.linker.journeys == []
    assert told(await scene.connect(path))


async def test_an_invitation_ends_after_an_hour(scene: Scene) -> None:
    path = await scene.invited()
    state = await scene.person.state(path, provider="google")
    hidden = await scene.person.hidden(path)
    scene.api.clock.advance(timedelta(hours=1))
    assert (await scene.person.get(path)).status == 404
    assert (await scene.person.post(path, **hidden, **FORM)).status == 404
    assert (await scene.back(state)).status == 400
    assert scene.api.linker.tries == []


async def test_a_form_from_elsewhere_does_nothing(scene: Scene) -> None:
    """CSRF: neither a login, nor a journey, nor a cancelling."""
    path = await scene.invited()
    hidden, cookies = await scene.person.hidden(path), dict(scene.person.cookies)
    deeds: tuple[dict[str, str], ...] = (
        {"provider": "caldav", **FORM},
        {"provider": "google"},
        {"cancel": "1"},
    )
    for deed in deeds:
        for token in ("", "0" * 64):
            assert (await scene.person.post(path, token=token, **deed)).status == 403
        scene.person.cookies = {}
        assert (await scene.person.post(path, **hidden, **deed)).status == 403
        scene.person.cookies = cookies
    other = await scene.invited()
    assert (await scene.person.post(other, **hidden, **deeds[0])).status == 403
    assert (scene.api.linker.tries, scene.api.linker.journeys) == ([], [])
    assert told(await scene.person.post(path, **(hidden | deeds[0])))


async def test_an_invitation_is_for_the_browser_that_began_it(scene: Scene) -> None:
    """K6: somebody lured to a link that an attacker began would connect for the attacker."""
    await scene.person.get(await scene.invited())
    cookie = scene.person.cookies["syncd-form"]
    path = await scene.invited(browser=cookie)
    stranger = Visitor(scene.api)
    assert (await stranger.get(path)).status == 404
    assert told(await scene.connect(path))


async def test_every_page_is_private_and_takes_nothing_from_outside(scene: Scene) -> None:
    path = await scene.invited()
    answers = [await scene.person.get(path), await scene.person.get(f"{path}?provider=ews")]
    answers += [
        await scene.connect(path, password=WRONG_WORDS),
        await scene.person.get("/connect/x"),
    ]
    answers += [await scene.connect(path), await scene.connect(await scene.invited(return_to=None))]
    assert [one.status for one in answers] == [200, 200, 422, 404, 303, 200]
    for answer in answers:
        assert HEADERS.items() <= answer.headers.items()
        policy = answer.headers["Content-Security-Policy"]
        assert {"default-src 'none'", "frame-ancestors 'none'"} <= set(policy.split("; "))
        assert 'style="' not in await answer.text()


async def test_what_people_type_is_escaped(scene: Scene) -> None:
    evil = '"><script>alert(1)</script>'
    path = await scene.invited()
    scene.api.linker.failure = NotFoundError(f"There is nothing at {evil}")
    answer = await scene.connect(path, url=evil, username=evil, provider="caldav")
    text = await answer.text()
    assert "<script" not in text
    assert text.count("&lt;script&gt;") == 3
    await scene.person.get(f"{path}?{urlencode({'provider': evil})}")
    assert (
        "<script"
        not in await (await scene.person.get(f"{path}?{urlencode({'provider': evil})}")).text()
    )
