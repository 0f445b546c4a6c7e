"""Tokens and applications on the dashboard (api.md R6)."""

import re
from datetime import timedelta

import pytest

from syncd.model.access import Application, Scope, User
from syncd.model.ids import ApplicationId, UserId
from tests.web.desk import Operator, shown

SECRET = re.compile(r'value="(syncd_\w[\w-]+)"')


async def test_a_token_is_shown_once_and_opens_what_was_ticked(operator: Operator) -> None:
    made = await operator.post(
        "/dashboard/tokens",
        name="reader",
        reach="user",
        whose="ada",
        expires="30",
        scope=["read_events", "list_calendars"],
    )
    assert made.status == 200
    (text,) = SECRET.findall(await made.text())
    api = operator.api
    assert (await api.get("/v1/accounts/me/events", token=text)).status == 200
    assert (await api.get("/v1/accounts/me", token=text)).status == 403
    listed = await operator.text("/dashboard/access")
    assert text not in listed
    assert "reader" in listed
    token = next(one for one in await api.ground.store.tokens() if one.name == "reader")
    assert token.scopes == {Scope.READ_EVENTS, Scope.LIST_CALENDARS}
    assert token.expires_at == api.clock.now() + timedelta(days=30)
    assert "Whoever uses it is refused at once" in await operator.text(
        f"/dashboard/tokens/{token.id}"
    )
    ended = await operator.post(f"/dashboard/tokens/{token.id}/revoke")
    assert ended.headers["Location"] == "/dashboard/access?done=revoked"
    assert (await api.get("/v1/accounts/me/events", token=text)).status == 401
    assert "reader" not in await operator.text("/dashboard/access")
    assert "reader" in await operator.text("/dashboard/access?all=1")


@pytest.mark.parametrize(("reach", "whose"), [("profile", "1"), ("admin", ""), ("user", "ada")])
async def test_a_token_covers_what_was_chosen(operator: Operator, reach: str, whose: str) -> None:
    made = await operator.post(
        "/dashboard/tokens", name="one", reach=reach, whose=whose, expires=""
    )
    (text,) = SECRET.findall(await made.text())
    token = next(one for one in await operator.api.ground.store.tokens() if one.name == "one")
    assert (token.profile_id, token.user_id, token.admin) == {
        "profile": (1, None, False),
        "admin": (None, None, True),
        "user": (None, "acc_ada", False),
    }[reach]
    assert token.scopes == {Scope.ALL}
    assert token.expires_at is None
    assert (await operator.api.get("/v1/accounts/1", token=text)).status == 200


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"reach": "user", "whose": "nobody", "expires": ""}, "there is no user nobody"),
        ({"reach": "profile", "whose": "x", "expires": ""}, "name the profile by its number"),
        ({"reach": "profile", "whose": "99", "expires": ""}, "there is no profile 99"),
        ({"reach": "", "whose": "", "expires": ""}, "choose whom the token is for"),
        ({"reach": "admin", "expires": "5"}, "choose when the token expires"),
        ({"reach": "admin", "expires": "", "scope": "no"}, "there is no such scope"),
    ],
)
async def test_what_cannot_be_is_said_where_the_form_is(
    operator: Operator, fields: dict[str, str], words: str
) -> None:
    before = len(await operator.api.ground.store.tokens())
    answer = await operator.post("/dashboard/tokens", **fields)
    assert answer.status == 422
    assert words in (await answer.text()).lower()
    assert len(await operator.api.ground.store.tokens()) == before


async def test_an_application_is_registered_renewed_and_removed(operator: Operator) -> None:
    api = operator.api
    made = await operator.post(
        "/dashboard/applications",
        name="Desk",
        origins="https://desk.example\nhttps://other.example",
        redirect_uris="https://desk.example/back",
    )
    first = SECRET.findall(await made.text())
    assert len(first) == 2
    (application,) = await api.ground.store.applications()
    assert application.origins == ("https://desk.example", "https://other.example")
    assert application.redirect_uris == ("https://desk.example/back",)

    async def status(key: str) -> int:
        headers = {"Authorization": f"APIKey {key}"}
        return (await api.get("/v1/accounts", token="", headers=headers)).status

    assert {await status(key) for key in first} == {200}
    page = f"/dashboard/applications/{application.id}"
    assert "Make new secrets" in await operator.text(page)
    renewed = await operator.post(f"{page}/rotate", overlap="86400")
    second = SECRET.findall(await renewed.text())
    assert {await status(key) for key in first + second} == {200}
    api.clock.advance(timedelta(days=1))
    operator.forget()
    await operator.log_in()
    assert {await status(key) for key in first} == {401}
    assert (await operator.post(f"{page}/rotate", overlap="1")).status == 422
    removed = await operator.post(f"{page}/remove")
    assert removed.headers["Location"] == "/dashboard/access?done=removed"
    assert {await status(key) for key in second} == {401}
    assert (await operator.get(page)).status == 404


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"name": " "}, "An application needs a name."),
        ({"name": "a", "origins": "desk"}, "Desk is no origin"),
        ({"name": "a", "redirect_uris": "/back"}, "/back is no redirect URI"),
    ],
)
async def test_an_application_that_cannot_be_is_not_registered(
    operator: Operator, fields: dict[str, str], words: str
) -> None:
    answer = await operator.post("/dashboard/applications", **fields)
    assert answer.status == 422
    assert words in shown(await answer.text())
    assert await operator.api.ground.store.applications() == []


async def test_a_name_that_is_taken_is_refused(operator: Operator) -> None:
    await operator.post("/dashboard/applications", name="Desk")
    answer = await operator.post("/dashboard/applications", name="Desk")
    assert answer.status == 422
    assert "There is an application Desk already." in await answer.text()


async def test_whose_a_token_is_is_said_by_the_names_of_applications(operator: Operator) -> None:
    """Their users have names of ours, which say nothing to people."""
    store, now = operator.api.ground.store, operator.api.clock.now()
    desk = Application(id=ApplicationId("app_desk"), name="Desk", created=now)
    await store.add_application(desk)
    for identity, name in (("acc_u7", "app_desk/u7"), ("acc_new", "app_desk:caldav 2htlt46v")):
        user = User(id=UserId(identity), name=name, created=now, application_id=desk.id)
        await store.add_user(user)
        given = {"user_id": user.id, "application_id": desk.id}
        await operator.api.token(Scope.READ_EVENTS, **given)
    page = shown(await operator.text("/dashboard/access"))
    assert "User u7 of Desk · read_events" in page
    assert "A user of Desk · read_events" in page
    assert "User ada" in page
    assert "app_desk:" not in page


async def test_a_profiles_token_says_which_application_has_it(operator: Operator) -> None:
    store, now = operator.api.ground.store, operator.api.clock.now()
    desk = Application(id=ApplicationId("app_desk"), name="Desk", created=now)
    await store.add_application(desk)
    given = {"profile_id": operator.api.ground.profile_id, "application_id": desk.id}
    await operator.api.token(Scope.READ_EVENTS, **given)
    assert "A profile: 1 , given to Desk · read_events" in shown(
        await operator.text("/dashboard/access")
    )


async def test_what_was_typed_stays_when_it_is_refused(operator: Operator) -> None:
    """Whoever mistyped one address does not type the others again."""
    wrong = {"origins": "https://desk.example\nnonsense", "redirect_uris": "https://desk.example/b"}
    answer = await operator.post("/dashboard/applications", name='De"sk', **wrong)
    page = await answer.text()
    assert answer.status == 422
    assert 'name="name" required maxlength="200" value="De&#34;sk"' in page
    assert ">https://desk.example\nnonsense</textarea>" in page
    assert ">https://desk.example/b</textarea>" in page
    answer = await operator.post(
        "/dashboard/tokens", name="mine", reach="profile", whose="99", expires="30", scope=["raw"]
    )
    page = await answer.text()
    assert answer.status == 422
    for words in (
        'value="mine"', 'value="99"', '<option value="profile" selected>',
        '<option value="30" selected>', 'value="raw" checked',
    ):  # fmt: skip
        assert words in page
    assert page.count(" checked") == 1
    fresh = await operator.text("/dashboard/access")
    assert '<option value="90" selected>' in fresh
    assert " checked" not in fresh
    assert 'value="mine"' not in fresh


async def test_a_refused_token_is_made_of_no_application(operator: Operator) -> None:
    """The two forms have fields of the same name."""
    answer = await operator.post("/dashboard/tokens", name="mine", reach="profile", whose="99")
    page = (await answer.text()).partition('id="application-name"')[2]
    assert 'value="mine"' not in page
