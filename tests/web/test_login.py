"""Who gets into the dashboard, and how a session ends (ADR 39)."""

from datetime import timedelta
from http.cookies import SimpleCookie
from ipaddress import ip_network
from pathlib import Path

import pytest

from syncd.model.access import Scope, split_token
from tests.api.serving import Api, serving
from tests.web.desk import NOT_IN, Operator, routes

SESSION = "syncd-session"


@pytest.fixture
def stranger(api: Api) -> Operator:
    return Operator(api)


async def inside(operator: Operator) -> bool:
    return NOT_IN not in await (await operator.get("/")).text()


async def test_a_stranger_sees_the_door_and_nothing_else(stranger: Operator) -> None:
    """Every page and every form, whatever is added to them."""
    assert NOT_IN in await stranger.text("/")
    pages, forms = list(routes(stranger.api, "GET")), list(routes(stranger.api, "POST"))
    assert (len(pages), len(forms)) >= (9, 11)
    for path in pages:
        answer = await stranger.get(path)
        assert answer.status == (200 if path == "/" else 403), path
        text = await answer.text()
        assert NOT_IN in text, path
        assert "ada@example.org" not in text
    for path in forms:
        answer = await stranger.send(path, {"form": "x"})
        assert answer.status == 403, path
        assert NOT_IN in await answer.text()
    assert not (await stranger.api.ground.profile()).paused


async def test_an_administrators_token_opens_and_leads_on(stranger: Operator) -> None:
    page = f"/dashboard/profiles/{stranger.api.account}"
    assert f'name="to" value="{page}"' in await (await stranger.get(page)).text()
    answer = await stranger.log_in(to=page)
    assert (answer.status, answer.headers["Location"]) == (303, page)
    assert "ada@example.org" in await stranger.text(page)
    assert stranger.token not in await stranger.text("/dashboard/access")


@pytest.mark.parametrize(
    "to",
    [
        "//evil.example", "https://evil.example/", "/\\evil.example", "/\t/evil.example",
        "javascript:alert(1)", "/dashboard/../../evil\r\nX: y", "/relink/done", "evil.example",
        "/dashboard//evil.example/%0d", "",
    ],
)  # fmt: skip
async def test_nobody_is_led_elsewhere(stranger: Operator, to: str) -> None:
    answer = await stranger.log_in(to=to)
    assert answer.status == 303
    assert answer.headers["Location"] in {"/", "/dashboard//evil.example/"}


async def test_wrong_dead_and_narrow_tokens_stay_outside(stranger: Operator) -> None:
    api = stranger.api
    expired = await api.token(admin=True, expires_at=api.clock.now() - timedelta(seconds=1))
    revoked = await api.token(admin=True)
    parts = split_token(revoked)
    assert parts
    await api.ground.store.revoke_token(parts[0], api.clock.now())
    for wrong in ("syncd_none_x", expired, revoked):
        answer = await stranger.try_token(wrong)
        assert answer.status == 422
        text = await answer.text()
        assert "There is no such token" in text
        assert wrong not in text
    for narrow in (api.everything, await api.token(Scope.READ_EVENTS)):
        answer = await stranger.try_token(narrow)
        assert answer.status == 403
        assert "but it is not an administrator&#39;s" in await answer.text()
    assert not await inside(stranger)
    assert (await stranger.log_in()).status == 303
    assert await inside(stranger)


async def test_the_cookie_is_sealed_and_unseen_by_scripts(operator: Operator) -> None:
    operator.forget()
    answer = await operator.log_in()
    cookie = SimpleCookie(answer.headers["Set-Cookie"])[SESSION]
    assert (cookie["httponly"], cookie["samesite"], cookie["path"]) == (True, "Lax", "/")
    assert (cookie["secure"], cookie["max-age"]) == ("", "43200")
    assert operator.token not in cookie.value


async def test_over_https_the_cookie_is_bound_to_the_host(tmp_path: Path) -> None:
    async with serving(tmp_path, proxies=(ip_network("127.0.0.0/8"),)) as api:
        secure = {"X-Forwarded-Proto": "https"}
        operator = Operator(api)
        page = await operator.get("/", **secure)
        form = operator.form_of(await page.text())
        given = {"form": form, "token": await api.token(admin=True)}
        name = "__Host-syncd-form"
        cookie = SimpleCookie(page.headers["Set-Cookie"])[name].value
        answer = await api.send(
            "POST", "/dashboard/login", token="", data=given, allow_redirects=False,
            headers=secure | {"Cookie": f"{name}={cookie}"},
        )  # fmt: skip
        assert answer.status == 303
        told = answer.headers["Set-Cookie"]
        assert told.startswith("__Host-syncd-session=")
        assert {"Secure", "Path=/", "HttpOnly"} <= set(told.split("; "))
        assert "Domain" not in told


async def test_a_session_that_somebody_planted_is_not_taken_over(stranger: Operator) -> None:
    """Fixation: logging in always begins another session, with other forms."""
    stranger.jar.update_cookies({SESSION: "planted"})
    assert not await inside(stranger)
    await stranger.log_in()
    first, form = stranger.cookies[SESSION], stranger.form
    assert first != "planted"
    stranger.forget()
    await stranger.log_in()
    assert stranger.cookies[SESSION] != first
    assert stranger.form != form


async def test_logging_out_ends_it_for_who_copied_the_cookie_too(operator: Operator) -> None:
    copied = operator.cookies[SESSION]
    answer = await operator.post("/dashboard/logout")
    assert (answer.status, answer.headers["Location"]) == (303, "/")
    assert SESSION not in operator.cookies
    operator.jar.update_cookies({SESSION: copied})
    assert not await inside(operator)


async def test_it_ends_with_its_token(operator: Operator) -> None:
    assert await inside(operator)
    parts = split_token(operator.token)
    assert parts
    await operator.api.ground.store.revoke_token(parts[0], operator.api.clock.now())
    assert not await inside(operator)


async def test_it_ends_after_twelve_hours(operator: Operator) -> None:
    operator.api.clock.advance(timedelta(hours=11, minutes=59))
    assert await inside(operator)
    operator.api.clock.advance(timedelta(minutes=1))
    assert not await inside(operator)


async def test_a_cookie_that_was_changed_or_made_up_is_none(operator: Operator) -> None:
    good = operator.cookies[SESSION]
    for bad in (good[:-4] + "AAAA", good[4:], "x", "ä", "=" * 3000, "bm9uc2Vuc2U="):
        operator.jar.clear()
        operator.jar.update_cookies({SESSION: bad})
        assert not await inside(operator), bad
    operator.jar.clear()
    operator.jar.update_cookies({SESSION: good})
    assert await inside(operator)


async def test_five_wrong_tokens_in_a_quarter_of_an_hour_are_enough(stranger: Operator) -> None:
    """Also for the right one; those who get in are not counted."""
    token = await stranger.api.token(admin=True)
    for _ in range(7):
        assert (await stranger.try_token(token)).status == 303
        stranger.forget()
    for _ in range(5):
        assert (await stranger.try_token("wrong")).status == 422
    refused = await stranger.try_token(token)
    assert (refused.status, refused.headers["Retry-After"]) == (429, "900")
    assert "Too many tries" in await refused.text()
    stranger.api.clock.advance(timedelta(minutes=15))
    assert (await stranger.try_token(token)).status == 303


async def test_nobody_is_logged_in_from_elsewhere(stranger: Operator) -> None:
    """A form without our token, or with another browser's, does nothing."""
    token = await stranger.api.token(admin=True)
    for form in ("", "0" * 64):
        assert (await stranger.try_token(token, form=form)).status == 403
    form = stranger.form_of(await stranger.text("/"))
    stranger.forget()
    assert (await stranger.send("/dashboard/login", {"form": form, "token": token})).status == 403
    assert not await inside(stranger)
    assert (await stranger.try_token(token)).status == 303


async def test_a_part_of_a_page_is_no_place_for_the_door(stranger: Operator) -> None:
    """A page that renews itself is loaded anew when its session has ended."""
    answer = await stranger.get("/", **{"HX-Request": "true"})
    assert answer.headers["HX-Refresh"] == "true"
    await stranger.log_in()
    assert "HX-Refresh" not in (await stranger.get("/", **{"HX-Request": "true"})).headers


async def test_a_command_in_a_refusal_is_shown_as_one(stranger: Operator) -> None:
    """And what is typed is no markup."""
    narrow = await stranger.api.token(Scope.READ_EVENTS)
    text = await (await stranger.try_token(narrow)).text()
    assert "<code>syncd token create --admin</code> makes one." in text
    assert "`" not in text
    await stranger.log_in()
    text = await (await stranger.get("/dashboard/applications/%3Cb%3E")).text()
    assert "there is no application &lt;b&gt;; <code>syncd application list</code>".casefold() in (
        text.casefold()
    )


@pytest.mark.parametrize("path", ["/dashboard", "/dashboard/", "/dashboard/login"])
async def test_what_people_type_leads_to_the_dashboard(operator: Operator, path: str) -> None:
    """After a token that was refused, the address is that of the form."""
    answer = await operator.api.client.get(path, allow_redirects=False)
    assert (answer.status, answer.headers["Location"]) == (303, "/")


async def test_an_address_that_is_none_is_told_in_a_page(operator: Operator) -> None:
    for name in ("nothing", "profiles", "tokens", "a/b"):
        path = f"/dashboard/{name}"
        answer = await operator.get(path)
        assert (answer.status, answer.content_type) == (404, "text/html"), path
        assert "There is nothing here" in await answer.text()
    operator.forget()
    stranger = await operator.get("/dashboard/nothing")
    assert stranger.status == 403
    assert NOT_IN in await stranger.text()
