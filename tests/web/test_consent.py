"""Reconnecting at Google and Microsoft (N3-N5; reliability.md §6), over the real store.

Every refusal stands beside the same request that is honoured.
"""

from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import timedelta
from ipaddress import ip_network
from pathlib import Path
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from aiohttp import ClientResponse, DummyCookieJar
from sqlalchemy import func, select

from syncd.model.access import Application, digest
from syncd.model.errors import TransientError
from syncd.model.ids import ApplicationId
from syncd.model.profile import Profile, Reason, State, changed
from syncd.ports.link import WITHOUT_CONTACTS
from syncd.store.grant_tables import consents
from tests.api.serving import Api, serving
from tests.fakes.linker import CODE, ELSEWHERE
from tests.web.test_relink import HEADERS
from tests.web.visitor import Visitor

GOOGLE = "/oauth/callback/google"


@dataclass
class Scene:
    """A profile that Google no longer lets in, its link, and a person's browser."""

    api: Api
    path: str
    person: Visitor

    async def profile(self) -> Profile:
        return await self.api.ground.profile()

    async def back(self, state: str, *, by: Visitor | None = None, **query: str) -> ClientResponse:
        """Come back from the provider."""
        given = {"state": state, **({"code": CODE} if not query.keys() & {"code", "error"} else {})}
        return await (by or self.person).get(f"{GOOGLE}?{urlencode({**given, **query})}")

    async def journeys(self) -> int:
        """Return how many are on their way."""
        store = self.api.ground.store
        ((count,),) = await store._database.fetch(select(func.count()).select_from(consents))
        return int(count)


@pytest.fixture
async def scene(tmp_path: Path) -> AsyncIterator[Scene]:
    async with serving(tmp_path, proxies=(ip_network("127.0.0.0/8"),)) as api:
        api.client.session._cookie_jar = DummyCookieJar()
        yield await disconnected(api)


async def disconnected(api: Api, provider: str = "google") -> Scene:
    profile, now = await api.ground.profile(), api.clock.now()
    after = changed(
        replace(profile, provider=provider, identity="sub-ada", login="ada@example.org"),
        now,
        refused=Reason.INVALID_GRANT,
        refused_at=now,
    )
    await api.ground.store.save_profile(after)
    url = (await api.json("/v1/accounts/me"))["relink_url"]
    return Scene(api, url.removeprefix(api.url), Visitor(api))


async def test_the_page_leads_to_the_right_providers_login(scene: Scene) -> None:
    """N3: the address is filled in, the redirect URI is the one that is registered."""
    page = await scene.person.get(scene.path)
    text = await page.text()
    assert "Continue with Google" in text
    assert 'type="password"' not in text
    assert f"form-action 'self' {ELSEWHERE};" in page.headers["Content-Security-Policy"]
    answer = await scene.person.submit(scene.path)
    assert answer.status == 303
    assert answer.headers["Location"].startswith(f"{ELSEWHERE}/consent?")
    (journey,) = scene.api.linker.journeys
    assert (journey.provider, journey.login) == ("google", "ada@example.org")
    assert journey.redirect_uri == "https://syncd.example/oauth/callback/google"
    assert journey.contacts


async def test_who_left_contacts_out_is_not_asked_for_them_again(scene: Scene) -> None:
    profile = await scene.profile()
    await scene.api.ground.store.save_profile(replace(profile, settings={WITHOUT_CONTACTS: "yes"}))
    await scene.person.state(scene.path)
    assert not scene.api.linker.journeys[0].contacts


async def test_a_consent_reconnects_and_polls_at_once(scene: Scene) -> None:
    """N5, I12: the profile is the same, the link is dead, the new grant is sealed."""
    before = await scene.profile()
    answer = await scene.back(await scene.person.state(scene.path))
    assert (answer.status, answer.headers["Location"]) == (303, "/relink/done")
    (consented,) = scene.api.linker.redeemed
    assert consented.verifier.reveal() == scene.api.linker.consents[0].verifier.reveal()
    assert consented.redirect_uri == scene.api.linker.journeys[0].redirect_uri
    after = await scene.profile()
    assert (after.id, after.identity) == (before.id, before.identity)
    assert after.state is not State.DISCONNECTED
    assert after.next_poll_at == scene.api.clock.now()
    assert (await scene.person.get(scene.path)).status == 404
    assert await scene.journeys() == 0
    assert not any("consent" in name for name in scene.person.cookies)


async def test_looking_and_prefetching_begin_nothing(scene: Scene) -> None:
    """N1: only the button does."""
    before = await scene.profile()
    for _ in range(3):
        assert (await scene.person.get(scene.path)).status == 200
        assert (await scene.person.head(scene.path)).status == 200
    assert await scene.profile() == before
    assert await scene.journeys() == 0
    assert scene.api.linker.journeys == []
    await scene.person.state(scene.path)
    assert await scene.journeys() == 1


async def test_a_state_is_good_once(scene: Scene) -> None:
    state = await scene.person.state(scene.path)
    cookies = dict(scene.person.cookies)
    scene.api.linker.failure = TransientError("Google does not answer.")
    assert (await scene.back(state)).status == 502
    scene.api.linker.failure = None
    scene.person.cookies = cookies  # as a browser's history, or a thief, would
    again = await scene.back(state)
    assert again.status == 400
    assert len(scene.api.linker.redeemed) == 1
    assert (await scene.back(await scene.person.state(scene.path))).status == 303


async def test_a_state_of_another_browser_is_refused_and_keeps_its_worth(scene: Scene) -> None:
    """A stranger lures a person to the end of his own sign-in; or steals her address."""
    state = await scene.person.state(scene.path)
    stranger = Visitor(scene.api)
    assert (await scene.back(state, by=stranger)).status == 400
    theirs = await stranger.state(scene.path)
    assert (await scene.back(state, by=stranger)).status == 400
    assert (await scene.back(theirs)).status == 400
    stolen = {
        name.replace(name[-16:], _short(state)): one for name, one in stranger.cookies.items()
    }
    stranger.cookies = stolen  # the name is no secret, the value is
    assert (await scene.back(state, by=stranger)).status == 400
    assert scene.api.linker.redeemed == []
    assert (await scene.back(state)).status == 303


def _short(state: str) -> str:
    return digest(state).hex()[:16]


async def test_a_state_ends_after_ten_minutes(scene: Scene) -> None:
    state, other = [await scene.person.state(scene.path) for _ in range(2)]
    scene.api.clock.advance(timedelta(minutes=9, seconds=59))
    assert (await scene.back(state, error="access_denied")).status == 400
    assert (
        "cancelled"
        in await (
            await scene.back(await scene.person.state(scene.path), error="access_denied")
        ).text()
    )
    scene.api.clock.advance(timedelta(seconds=1))
    text = await (await scene.back(other)).text()
    assert "longer than" in text
    assert scene.api.linker.redeemed == []


async def test_two_tabs_do_not_disturb_one_another(scene: Scene) -> None:
    first = await scene.person.state(scene.path)
    second = await scene.person.state(scene.path)
    assert (await scene.back(first)).status == 303
    assert (await scene.back(second)).status == 404  # the link is dead by now
    assert [one.verifier.reveal() for one in scene.api.linker.redeemed] == ["verifier-0"]


async def test_each_state_brings_its_own_verifier(scene: Scene) -> None:
    """PKCE swapped between two sessions: the code of one meets the verifier of one."""
    stranger = Visitor(scene.api)
    mine, theirs = await scene.person.state(scene.path), await stranger.state(scene.path)
    scene.api.linker.failure = TransientError("later")
    await scene.back(theirs, by=stranger)
    await scene.back(mine)
    assert [one.verifier.reveal() for one in scene.api.linker.redeemed] == [
        "verifier-1",
        "verifier-0",
    ]


async def test_an_answer_at_another_providers_address_is_refused(scene: Scene) -> None:
    """Mix-up (RFC 9700 §4.4): each provider has an address of its own."""
    state = await scene.person.state(scene.path)
    query = urlencode({"state": state, "code": CODE})
    for provider in ("graph", "caldav", "nobody"):
        answer = await scene.person.get(f"/oauth/callback/{provider}?{query}")
        assert answer.status == 400
    assert scene.api.linker.redeemed == []
    assert (await scene.back(state, iss=ELSEWHERE)).status == 303
    assert scene.api.linker.redeemed[0].issuer == ELSEWHERE


async def test_nonsense_at_the_address_of_return_is_a_page(scene: Scene) -> None:
    for query in ("", "?state=", "?code=1", "?error=access_denied", "?state=%00&code=%ff"):
        answer = await scene.person.get(GOOGLE + query)
        assert answer.status == 400
        assert "text/html" in answer.headers["Content-Type"]


@pytest.mark.parametrize(
    ("error", "words"),
    [
        ("access_denied", "cancelled"),
        ("server_error", "could not sign you in"),
        ("temporarily_unavailable", "could not sign you in"),
        ("<script>alert(1)</script>", "could not sign you in"),
    ],
)
async def test_a_refusal_is_explained_with_a_way_back(scene: Scene, error: str, words: str) -> None:
    state = await scene.person.state(scene.path)
    answer = await scene.back(state, error=error, error_description="<b>secret words</b>")
    text = await answer.text()
    assert answer.status == 400
    assert words in text
    assert f'href="{scene.path}"' in text
    assert "<script" not in text
    assert "secret words" not in text
    assert state not in text
    assert (await scene.profile()).state is State.DISCONNECTED
    assert (await scene.back(await scene.person.state(scene.path))).status == 303


async def test_another_persons_account_changes_nothing_and_its_grant_is_given_back(
    scene: Scene,
) -> None:
    """N4, I12."""
    before = await scene.profile()
    scene.api.linker.identity = "sub-eve"
    answer = await scene.back(await scene.person.state(scene.path))
    text = await answer.text()
    assert answer.status == 422
    assert "sign in as ada@example.org" in text
    assert f'href="{scene.path}"' in text
    assert await scene.profile() == before
    assert len(scene.api.linker.given_up) == 1
    scene.api.linker.identity = None
    assert (await scene.back(await scene.person.state(scene.path))).status == 303
    assert len(scene.api.linker.given_up) == 1


async def test_a_grant_that_another_profile_lives_by_is_not_given_back(scene: Scene) -> None:
    """Google ends all of a person's grants at once: Eve's own profile would die of it."""
    other = await scene.api.another("eve")
    eve = replace(await other.profile(), provider="google", identity="sub-eve")
    await scene.api.ground.store.save_profile(eve)
    scene.api.linker.identity = "sub-eve"
    assert (await scene.back(await scene.person.state(scene.path))).status == 422
    assert scene.api.linker.given_up == []


async def test_five_wrong_accounts_in_a_quarter_of_an_hour_are_enough(scene: Scene) -> None:
    """api.md §4; a cancelled consent is no wrong one."""
    scene.api.linker.identity = "sub-eve"
    for _ in range(6):
        assert (
            await scene.back(await scene.person.state(scene.path), error="access_denied")
        ).status == 400
    for _ in range(5):
        assert (await scene.back(await scene.person.state(scene.path))).status == 422
    refused = await scene.person.submit(scene.path)
    assert (refused.status, refused.headers["Retry-After"]) == (429, "900")
    scene.api.clock.advance(timedelta(minutes=15))
    await scene.person.state(scene.path)


async def test_a_form_from_elsewhere_sends_nobody_anywhere(scene: Scene) -> None:
    """CSRF, and a cookie that somebody planted."""
    hidden = await scene.person.hidden(scene.path)
    cookies = dict(scene.person.cookies)
    for wrong in ({}, {"token": ""}, {"token": "0" * 64}):
        assert (await scene.person.post(scene.path, **wrong)).status == 403
    scene.person.cookies = {}
    assert (await scene.person.post(scene.path, **hidden)).status == 403
    scene.person.cookies = dict.fromkeys(cookies, "planted")
    assert (await scene.person.post(scene.path, **hidden)).status == 403
    assert scene.api.linker.journeys == []
    scene.person.cookies = cookies
    assert (await scene.person.post(scene.path, **hidden)).status == 303


async def test_a_planted_cookie_is_worth_nothing_at_the_return(scene: Scene) -> None:
    """Session fixation: what binds a journey is drawn when it begins."""
    attacker = Visitor(scene.api)
    await attacker.get(scene.path)
    scene.person.cookies = dict(attacker.cookies)  # planted before she came
    state = await scene.person.state(scene.path)
    assert (await scene.back(state, by=attacker)).status == 400
    assert (await scene.back(state)).status == 303


async def test_cookies_of_a_journey_are_lax_short_lived_and_unseen(scene: Scene) -> None:
    answer = await scene.person.submit(scene.path)
    (line,) = answer.headers.getall("Set-Cookie")
    words = set(line.split("; ")[1:])
    assert {"HttpOnly", "SameSite=Lax", "Path=/", "Max-Age=600"} <= words
    assert "Secure" not in words
    scene.person.headers = {"X-Forwarded-Proto": "https", "X-Forwarded-Host": "syncd.example"}
    scene.person.cookies = {}
    answer = await scene.person.submit(scene.path)
    (line,) = answer.headers.getall("Set-Cookie")
    assert line.startswith("__Host-syncd-consent-")
    assert "Secure" in line.split("; ")
    state = parse_qs(urlsplit(answer.headers["Location"]).query)["state"][0]
    assert (await scene.back(state)).status == 303


async def test_only_a_registered_address_is_returned_to(scene: Scene) -> None:
    """N5, no open redirect: the address must be registered letter by letter."""
    home = "https://desk.example/back"
    desk = Application(
        id=ApplicationId("app_desk"),
        name="Desk",
        created=scene.api.clock.now(),
        redirect_uris=(home,),
    )
    await scene.api.ground.store.add_application(desk)
    profile = await scene.profile()
    await scene.api.ground.store.save_profile(replace(profile, application_id=desk.id))
    wrong = ("https://evil.example/", f"{home}/", f"{home}?x=1", "//evil.example", "/relink/x", "")
    for address in wrong:
        path = f"{scene.path}?{urlencode({'return_to': address})}"
        page = await scene.person.get(path)
        assert "evil.example" not in page.headers["Content-Security-Policy"]
        scene.api.linker.failure = None
        state = await scene.person.state(path)
        answer = await scene.back(state)
        assert answer.headers["Location"] == "/relink/done"
        scene = await disconnected(scene.api)
    path = f"{scene.path}?{urlencode({'return_to': home})}"
    page = await scene.person.get(path)
    assert " https://desk.example;" in page.headers["Content-Security-Policy"]
    assert (await scene.back(await scene.person.state(path))).headers["Location"] == home


async def test_every_page_of_the_round_trip_is_private(scene: Scene) -> None:
    """api.md §4: neither framed nor kept, and no other site learns where the person was."""
    answers = [await scene.person.get(scene.path), await scene.person.get(GOOGLE)]
    answers.append(await scene.person.submit(scene.path))
    answers.append(await scene.back(await scene.person.state(scene.path), error="access_denied"))
    answers.append(await scene.back(await scene.person.state(scene.path)))
    answers.append(await scene.person.get("/relink/done"))
    for answer in answers:
        assert HEADERS.items() <= answer.headers.items()
        policy = answer.headers["Content-Security-Policy"]
        assert {"default-src 'none'", "frame-ancestors 'none'"} <= set(policy.split("; "))
        assert "Cross-Origin-Opener-Policy" not in answer.headers


async def test_a_name_that_is_a_script_is_text(scene: Scene) -> None:
    profile = await scene.profile()
    login = '"><script>alert(1)</script>@example.org'
    await scene.api.ground.store.save_profile(replace(profile, login=login))
    scene.api.linker.identity = "sub-eve"
    pages = [await scene.person.get(scene.path)]
    pages.append(await scene.back(await scene.person.state(scene.path)))
    for page in pages:
        text = await page.text()
        assert "<script" not in text
        assert "&lt;script&gt;" in text
