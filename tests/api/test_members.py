"""Whose a profile becomes, and that applications share nobody (K6, C18, N7, R6)."""

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientResponse

from syncd.model.access import Scope
from syncd.ports.store.profiles import Profiles
from tests.api.desk import BACK, FORM, ORIGIN, Desk, body, desk_of, told
from tests.api.serving import serving
from tests.engine.ground import USER
from tests.web.visitor import Visitor

ADA = "ada@example.org"
BO = "bo@example.org"


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    async with serving(tmp_path) as api:
        yield await desk_of(api)


async def invited(desk: Desk, key: str = "", **wish: Any) -> ClientResponse:  # noqa: ANN401 - of a body
    """Ask for a link as the application (N7)."""
    sent = {"Authorization": f"APIKey {key or desk.api_key}"}
    return await desk.api.send("POST", "/v1/connect", token="", json=wish, headers=sent)


async def link(desk: Desk, **wish: Any) -> str:  # noqa: ANN401 - of a body
    answer = await invited(desk, **wish)
    made = await answer.json()
    assert answer.status == 201, made
    assert answer.headers["Location"] == made["url"]
    return str(made["url"]).removeprefix(desk.api.url)


async def signed_in(desk: Desk, path: str, login: str = BO) -> ClientResponse:
    return await Visitor(desk.api).submit(f"{path}?provider=caldav", **FORM, username=login)


async def accounts(desk: Desk) -> set[int]:
    """Return the ids of all accounts that the application covers."""
    sent = {"Authorization": f"APIKey {desk.api_key}"}
    listed = await desk.api.json("/v1/accounts", token="", headers=sent)
    return {one["id"] for one in listed["objects"]}


def all_of(desk: Desk) -> Profiles:
    return desk.api.ground.store


async def test_the_same_login_keeps_its_account_id_and_gets_another_token(desk: Desk) -> None:
    """K6: in another browser too, and after it lost its login."""
    first, again = await desk.account(), await desk.account()
    desk.person = Visitor(desk.api)
    third = await desk.account()
    assert first["account_id"] == again["account_id"] == third["account_id"]
    assert len({one["access_token"] for one in (first, again, third)}) == 3
    for one in (first, again, third):
        assert await desk.api.json("/v1/accounts/me", token=one["access_token"])
    profile = await all_of(desk).profile(first["account_id"])
    assert profile.application_id == desk.application.id
    assert (await desk.account(ADA))["account_id"] != first["account_id"]


async def test_two_applications_share_no_user_and_no_account(desk: Desk) -> None:
    """R6: the same person at both; neither's tokens open what is the other's."""
    other = await desk_of(desk.api, "Other", "https://other.example/back")
    other.person = desk.person  # one browser for both
    mine, theirs = await desk.account(), await other.account()
    assert mine["account_id"] != theirs["account_id"]
    us, them = await desk.user(ADA), await other.user(ADA)
    assert us["sub"] != them["sub"]
    shared = {int(desk.api.ground.profile_id)}  # made on the command line (R6)
    assert await accounts(desk) & await accounts(other) == shared
    for token in (mine["access_token"], us["access_token"]):
        found = await desk.api.get(f"/v1/accounts/{theirs['account_id']}", token=token)
        assert found.status == 404
        assert (
            await desk.api.get(f"/v1/accounts/{shared.copy().pop()}", token=token)
        ).status == 404
    own = await desk.api.get(f"/v1/accounts/{mine['account_id']}", token=mine["access_token"])
    assert own.status == 200
    sent = {"Authorization": f"APIKey {desk.api_key}"}
    path = f"/v1/accounts/{theirs['account_id']}"
    assert (await desk.api.get(path, token="", headers=sent)).status == 404


async def test_an_accounts_token_opens_no_other_account_of_its_user(desk: Desk) -> None:
    both = await link(desk, user="u1"), await link(desk, user="u1")
    for path, login in zip(both, (ADA, BO), strict=True):
        await signed_in(desk, path, login)
    given = await desk.account()
    (ada,) = await accounts(desk) - {given["account_id"], int(desk.api.ground.profile_id)}
    answer = await desk.api.get(f"/v1/accounts/{ada}", token=given["access_token"])
    assert answer.status == 404


async def test_a_browser_adds_to_the_user_that_it_connected_before(desk: Desk) -> None:
    """C18: unless it is told not to, and not in another browser."""
    first = await desk.user()
    second = await desk.user(ADA)
    assert second["sub"] == first["sub"]
    listed = await desk.api.json("/v1/profiles", token=second["access_token"])
    assert {one["profile_name"] for one in listed["profiles"]} == {ADA, BO}
    alone = await desk.user("al@example.org", avoid_linking="True")
    assert alone["sub"] != first["sub"]
    stranger = await desk.user("eve@example.org", by=Visitor(desk.api))
    assert stranger["sub"] not in {first["sub"], alone["sub"]}


async def test_a_login_that_is_a_profile_leads_to_its_user(desk: Desk) -> None:
    """C18: whatever the browser remembers, and though linking is to be avoided."""
    first = await desk.user()
    browser = Visitor(desk.api)
    other = await desk.user(ADA, by=browser)
    assert (await desk.user(BO, by=browser))["sub"] == first["sub"]
    again = await desk.user(BO, by=Visitor(desk.api), avoid_linking="true")
    assert (again["sub"], again["linking_profile"]) == (first["sub"], first["linking_profile"])
    assert other["sub"] != first["sub"]


async def test_what_a_browser_remembers_is_of_one_application(desk: Desk) -> None:
    """A cookie of another application, a changed one or an old one is as good as none."""
    other = await desk_of(desk.api, "Other", "https://other.example/back")
    first = await desk.user()
    ((name, kept),) = [one for one in desk.person.cookies.items() if "user" in one[0]]
    assert name == f"syncd-user-{desk.application.id}"
    assert first["sub"] not in kept
    for cookies in (
        {f"syncd-user-{other.application.id}": kept},
        {f"syncd-user-{other.application.id}": "nonsense"},
        {f"syncd-user-{other.application.id}": first["sub"]},
    ):
        lured = Visitor(desk.api, cookies=dict(cookies))
        assert (await other.user(ADA, by=lured))["sub"] != first["sub"]
    honest = Visitor(desk.api, cookies={name: kept})
    assert (await desk.user("al@example.org", by=honest))["sub"] == first["sub"]
    desk.api.clock.advance(timedelta(days=31))
    late = Visitor(desk.api, cookies={name: kept})
    assert (await desk.user("ed@example.org", by=late))["sub"] != first["sub"]


async def test_a_login_that_left_does_not_come_back_to_what_was_added_since(desk: Desk) -> None:
    """Who was linked to a user, and let go of, opens nothing of that user's by signing in again."""
    first = await desk.user()
    second = await desk.user(ADA)
    assert second["sub"] == first["sub"]
    left = first["linking_profile"]["profile_id"]
    path = f"/v1/profiles/{left}/revoke"
    assert (await desk.api.send("POST", path, token=first["access_token"])).status == 202
    again = await desk.user(BO, by=Visitor(desk.api))
    assert again["sub"] != first["sub"]
    listed = await desk.api.json("/v1/profiles", token=again["access_token"])
    assert [one["profile_name"] for one in listed["profiles"]] == [BO]


async def test_an_application_names_its_users(desk: Desk) -> None:
    """N7: one user a name, whatever the login; the person comes back with the profile's names."""
    other = await desk_of(desk.api, "Other", "https://other.example/back")
    found = dict[str, Any]()
    for whose, name, login in (
        (desk, "u1", BO),
        (desk, "u1", ADA),
        (desk, "u2", BO),
        (other, "u1", BO),
    ):
        path = await link(whose, user=name, return_to=whose.back, state="x&y")
        back = told(await signed_in(whose, path, login))
        assert set(back) == {"profile_id", "account_id", "state"}
        assert back["state"] == "x&y"
        profile = await all_of(desk).profile(int(back["account_id"]))  # type: ignore[arg-type]
        assert profile.public_name == back["profile_id"]
        found[f"{whose.application.name} {name} {login}"] = profile
    users = {name: one.user_id for name, one in found.items()}
    assert users[f"Desk u1 {BO}"] == users[f"Desk u1 {ADA}"]
    assert len(set(users.values())) == 3
    assert len({one.id for one in found.values()}) == 4
    again = told(await signed_in(desk, await link(desk, user="u2", return_to=BACK)))
    assert again["account_id"] == str(found[f"Desk u2 {BO}"].id)


async def test_a_link_is_for_one_use_and_an_hour(desk: Desk) -> None:
    """N7: it may be mailed; scanners that open it use nothing up."""
    path = await link(desk, user="u1")
    for browser in (Visitor(desk.api), Visitor(desk.api)):
        assert (await browser.get(path)).status == 200
        assert (await browser.head(path)).status == 200
    assert (await signed_in(desk, path)).status == 200
    assert (await Visitor(desk.api).get(path)).status == 404
    late = await link(desk, user="u1")
    desk.api.clock.advance(timedelta(minutes=59))
    assert (await Visitor(desk.api).get(late)).status == 200
    desk.api.clock.advance(timedelta(minutes=2))
    assert (await Visitor(desk.api).get(late)).status == 404


@pytest.mark.parametrize(
    ("wish", "field"),
    [
        ({"return_to": f"{BACK}/"}, "return_to"),
        ({"return_to": "https://evil.example/"}, "return_to"),
        ({"return_to": "urn:ietf:wg:oauth:2.0:oob"}, "return_to"),
        ({"return_to": "//desk.example/back"}, "return_to"),
        ({"provider": "exchange"}, "provider"),
        ({"user": ""}, "user"),
        ({"user": "x" * 256}, "user"),
        ({"state": "x" * 2049}, "state"),
    ],
    ids=[
        *("slash", "elsewhere", "popup", "no scheme"),
        *("provider", "no user", "long user", "long state"),
    ],
)
async def test_what_is_wrong_with_a_wish_is_named(
    desk: Desk, wish: dict[str, str], field: str
) -> None:
    """N7: no open redirect; beside it the one that is taken."""
    answer = await invited(desk, **wish)
    assert answer.status == 400
    assert field in (await answer.json())["detail"]
    assert (await invited(desk, user="u1", provider="caldav", return_to=BACK)).status == 201


async def test_who_may_invite_and_for_whom(desk: Desk) -> None:
    """N7, R7: an application; a user for herself. A profile's token invites nobody."""
    api = desk.api
    mine = await api.token(Scope.MANAGE_PROFILES)
    answer = await api.send("POST", "/v1/connect", token=mine, json={})
    assert answer.status == 201
    path = str((await answer.json())["url"]).removeprefix(api.url)
    assert (await signed_in(desk, path)).status == 200
    (added,) = [one for one in await all_of(desk).profiles(user=USER) if one.login == BO]
    assert added.application_id is None
    for wrong in ({"user": "u1"}, {"return_to": BACK}):
        refused = await api.send("POST", "/v1/connect", token=mine, json=wrong)
        assert refused.status == 400
    profile = await api.token(Scope.MANAGE_PROFILES, profile_id=api.ground.profile_id)
    assert (await api.send("POST", "/v1/connect", token=profile, json={})).status == 403
    narrow = await api.token(Scope.READ_ACCOUNT)
    assert (await api.send("POST", "/v1/connect", token=narrow, json={})).status == 403


async def test_the_page_of_a_link_says_what_the_application_will_be_able_to_do(desk: Desk) -> None:
    """N6: its key does everything with what is connected through it; a user's own link has none."""
    page = await (await Visitor(desk.api).get(await link(desk, user="u1"))).text()
    for sentence in ("Desk will be able to", "Delete events", "Pause and disconnect this calendar"):
        assert sentence in page
    token = await desk.api.token(Scope.MANAGE_PROFILES)
    own = await desk.api.send("POST", "/v1/connect", token=token, json={})
    path = str((await own.json())["url"]).removeprefix(desk.api.url)
    assert "will be able to" not in await (await Visitor(desk.api).get(path)).text()


async def test_a_user_of_an_application_invites_within_it(desk: Desk) -> None:
    """N7: only if she was allowed to; the profile is the application's, as hers are."""
    narrow = await desk.user()
    answer = await desk.api.send("POST", "/v1/connect", token=narrow["access_token"], json={})
    assert answer.status == 403
    wide = await desk.user(scope="read_account manage_profiles")
    wish = {"return_to": BACK}
    answer = await desk.api.send("POST", "/v1/connect", token=wide["access_token"], json=wish)
    path = str((await answer.json())["url"]).removeprefix(desk.api.url)
    back = told(await signed_in(desk, path, ADA))
    profile = await all_of(desk).profile(int(back["account_id"]))  # type: ignore[arg-type]
    assert (profile.user_id, profile.application_id) == (wide["sub"], desk.application.id)


async def test_browsers_may_read_what_tokens_open_from_a_registered_origin(desk: Desk) -> None:
    """R19, W4: the popup's token, checked by the page that opened it."""
    given = await desk.account()
    for origin, allowed in ((ORIGIN, ORIGIN), ("https://evil.example", None)):
        sent = {"Origin": origin, "X-Kloudless-Source": "authenticator"}
        for path in (
            "/v1/oauth/token/",
            f"/v1/accounts/{given['account_id']}/?retrieve_full=False",
        ):
            answer = await desk.api.get(path, token=given["access_token"], headers=sent)
            await body(answer)
            assert answer.headers.get("Access-Control-Allow-Origin") == allowed
    frame = await desk.api.get("/static/iexd.html", token="")
    assert (frame.status, frame.content_type) == (200, "text/html")
    assert "frame-ancestors" not in frame.headers["Content-Security-Policy"]
