"""Tokens for applications (K7, C19, C20): what gives one, what ends it, who gets none.

Each refusal stands beside the request that it differs from by one thing.
"""

import base64
from collections.abc import AsyncIterator
from datetime import timedelta
from hashlib import sha256
from pathlib import Path
from urllib.parse import urlencode

import pytest
from sqlalchemy import text

from syncd.engine.prune import Pruner
from syncd.model.invitation import OUT_OF_BAND
from tests.api.desk import BACK, Desk, body, desk_of, refused
from tests.api.serving import serving
from tests.web.visitor import Visitor

VERIFIER = "v" * 43
CHALLENGE = base64.urlsafe_b64encode(sha256(VERIFIER.encode()).digest()).decode().rstrip("=")
PROVEN = {"code_challenge": CHALLENGE, "code_challenge_method": "S256"}
GRANT = "authorization_code"
WRONG = "wrong"


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    async with serving(tmp_path) as api:
        yield await desk_of(api)


async def opens(desk: Desk, token: str) -> bool:
    """Tell whether a token opens anything."""
    return (await desk.api.get("/v1/profiles", token=token)).status != 401


async def refresh(desk: Desk, text: str, **more: str) -> dict[str, str]:
    return {"grant_type": "refresh_token", "refresh_token": text, **desk.client, **more}


async def test_a_code_gives_a_token_of_the_account_without_an_end(desk: Desk) -> None:
    """K7, K8."""
    given = await desk.account(scope="any:read.calendar")
    assert set(given) == {"access_token", "token_type", "scope", "account_id"}
    assert given["token_type"] == "Bearer"  # noqa: S105 - the kind of it
    assert isinstance(given["account_id"], int)
    reading = "list_calendars read_account read_contacts read_events read_free_busy"
    assert given["scope"] == reading
    desk.api.clock.advance(timedelta(days=4000))
    assert await desk.api.json("/v1/oauth/token/", token=given["access_token"]) == {
        "client_id": desk.application.id,
        "account_id": given["account_id"],
        "scope": reading,
        "token_type": "Bearer",
    }
    account = await desk.api.json("/v1/accounts/me", token=given["access_token"])
    assert (account["id"], account["account"]) == (given["account_id"], "bo@example.org")


async def test_everything_but_managing_is_what_all_means(desk: Desk) -> None:
    """K9: who wants to remove profiles has to say so."""
    everything = (await desk.account(scope="all"))["scope"].split()
    assert "manage_profiles" not in everything
    assert {"read_events", "create_event", "raw", "manage_feeds"} <= set(everything)
    named = (await desk.account(scope="all manage_profiles"))["scope"].split()
    assert set(named) == {*everything, "manage_profiles"}
    assert (await desk.account(scope="caldav:read.calendar create_event gdrive"))["scope"] == (
        "create_event list_calendars read_account read_contacts read_events read_free_busy"
    )


async def test_answers_with_tokens_are_kept_nowhere(desk: Desk) -> None:
    """RFC 6749 §5.1."""
    for ask, redeem in ((desk.kloudless, desk.redeem), (desk.cronofy, desk.exchange)):
        answer = await redeem(await desk.code(ask()))
        assert answer.headers["Cache-Control"] == "no-store"
        again = await redeem("none")
        assert again.status == 400


@pytest.mark.parametrize("kind", ["application/form-urlencoded", "text/plain", "application/json"])
async def test_a_form_or_json_is_read_whatever_is_declared(desk: Desk, kind: str) -> None:
    """R2, W1: kloudless-python declares ``application/form-urlencoded``."""
    code = await desk.code(desk.kloudless())
    form = urlencode({"grant_type": GRANT, "code": code, "redirect_uri": BACK, **desk.client})
    answer = await desk.api.send(
        "POST", "/v1/oauth/token/", token="", data=form, headers={"Content-Type": kind}
    )
    assert "access_token" in await body(answer)


async def test_an_application_is_known_by_either_secret_and_in_several_places(desk: Desk) -> None:
    """K7, R6."""
    basic = base64.b64encode(f"{desk.application.id}:{desk.secret}".encode()).decode()
    for header in (f"APIKey {desk.api_key}", f"apikey {desk.secret}", f"Basic {basic}"):
        asked = {"grant_type": GRANT, "redirect_uri": BACK, "client_id": desk.application.id}
        asked["code"] = await desk.code(desk.kloudless())
        sent = {"Authorization": header}
        answer = await desk.api.send("POST", "/v1/oauth/token", token="", json=asked, headers=sent)
        assert "access_token" in await body(answer)
    code = await desk.code(desk.kloudless())
    assert "access_token" in await body(await desk.redeem(code, client_secret=desk.api_key))


async def test_who_does_not_prove_to_be_the_application_gets_nothing(desk: Desk) -> None:
    """RFC 6749 §5.2: 401, and the code keeps its worth."""
    other = await desk_of(desk.api, "Other", "https://other.example/back")
    stolen = (await desk.user("eve@example.org"))["access_token"]
    for ask, redeem in ((desk.kloudless, desk.redeem), (desk.cronofy, desk.exchange)):
        code = await desk.code(ask())
        for wrong in (
            {"client_secret": ""},
            {"client_secret": "wrong"},
            {"client_secret": f"{desk.secret}x"},
            {"client_secret": other.secret},
            {"client_secret": desk.api.everything},
            {"client_secret": stolen},
            {"client_id": other.application.id},
        ):
            answer = await redeem(code, **wrong)
            await refused(answer, "invalid_client", 401)
            assert answer.headers["WWW-Authenticate"]
        assert "access_token" in await body(await redeem(code))


async def test_a_code_of_another_application_is_good_for_nothing(desk: Desk) -> None:
    other = await desk_of(desk.api, "Other", "https://other.example/back")
    for ask, name in ((desk.kloudless, "redeem"), (desk.cronofy, "exchange")):
        code = await desk.code(ask())
        await refused(await getattr(other, name)(code), "invalid_grant")
        await refused(await getattr(other, name)(code, redirect_uri=BACK), "invalid_grant")
        assert "access_token" in await body(await getattr(desk, name)(code))


async def test_a_code_that_is_used_again_ends_all_that_it_gave(desk: Desk) -> None:
    """K7, C19; by the application itself: nobody else's replay costs it anything."""
    code = await desk.code(desk.kloudless())
    token = (await body(await desk.redeem(code)))["access_token"]
    other = await desk_of(desk.api, "Other", "https://other.example/back")
    await refused(await other.redeem(code, redirect_uri=BACK), "invalid_grant")
    await refused(await desk.redeem(code, client_secret=WRONG), "invalid_client", 401)
    assert await opens(desk, token)
    await refused(await desk.redeem(code), "invalid_grant")
    assert not await opens(desk, token)

    code = await desk.code(desk.cronofy())
    first = await body(await desk.exchange(code))
    asked = await refresh(desk, first["refresh_token"])
    second = await body(await desk.api.send("POST", "/oauth/token", token="", json=asked))
    assert await opens(desk, second["access_token"])
    desk.api.clock.advance(timedelta(hours=1))
    await refused(await desk.exchange(code), "invalid_grant")
    for one in (first, second):
        assert not await opens(desk, one["access_token"])
    await refused(
        await desk.api.send("POST", "/oauth/token", token="", json=asked), "invalid_grant"
    )


async def test_a_code_lives_ten_minutes(desk: Desk) -> None:
    early, late = [await desk.code(desk.kloudless()) for _ in range(2)]
    desk.api.clock.advance(timedelta(minutes=9, seconds=59))
    assert "access_token" in await body(await desk.redeem(early))
    desk.api.clock.advance(timedelta(seconds=1))
    await refused(await desk.redeem(late), "invalid_grant")


async def test_a_code_belongs_to_the_address_that_it_went_to(desk: Desk) -> None:
    for ask, redeem in ((desk.kloudless, desk.redeem), (desk.cronofy, desk.exchange)):
        code = await desk.code(ask())
        for wrong in (f"{BACK}/", BACK.upper(), OUT_OF_BAND):
            await refused(await redeem(code, redirect_uri=wrong), "invalid_grant")
        await refused(await redeem(code, redirect_uri=""), "invalid_request")
        assert "access_token" in await body(await redeem(code))


async def test_a_code_belongs_to_its_own_token_endpoint(desk: Desk) -> None:
    """A user's code gives no account's token, nor the other way; neither is spent by it."""
    account, user = await desk.code(desk.kloudless()), await desk.code(desk.cronofy())
    await refused(await desk.exchange(account), "invalid_grant")
    await refused(await desk.redeem(user), "invalid_grant")
    assert "account_id" in await body(await desk.redeem(account))
    assert "refresh_token" in await body(await desk.exchange(user))


async def test_a_code_that_was_asked_for_with_a_challenge_needs_the_verifier(desk: Desk) -> None:
    """RFC 7636 §4.6; a code without a challenge takes none (RFC 9700 §4.8.2)."""
    for ask, redeem in ((desk.kloudless, desk.redeem), (desk.cronofy, desk.exchange)):
        code = await desk.code(ask(**PROVEN))
        await refused(await redeem(code), "invalid_request")
        await refused(await redeem(code, code_verifier="w" * 43), "invalid_grant")
        await refused(await redeem(code, code_verifier=CHALLENGE), "invalid_grant")
        await refused(await redeem(code, code_verifier="short"), "invalid_request")
        assert "access_token" in await body(await redeem(code, code_verifier=VERIFIER))
        plain = await desk.code(ask())
        await refused(await redeem(plain, code_verifier=VERIFIER), "invalid_grant")
        assert "access_token" in await body(await redeem(plain))


async def test_what_is_no_request_for_a_token_is_told_so(desk: Desk) -> None:
    """RFC 6749 §5.2, also for what is no body at all (R14)."""
    code = await desk.code(desk.kloudless())
    for path in ("/v1/oauth/token", "/oauth/token"):
        for wrong, word in (
            ({"grant_type": ""}, "invalid_request"),
            ({"grant_type": "password"}, "unsupported_grant_type"),
            ({"grant_type": "client_credentials"}, "unsupported_grant_type"),
            ({"code": ""}, "invalid_request"),
        ):
            await refused(await desk.ask_token(path, **({"code": code} | wrong)), word)
        for nonsense in (b"{", b'{"code":5}', b"\xff=1", b""):
            answer = await desk.api.send("POST", path, token="", data=nonsense)
            await refused(answer, "invalid_request")
    asked = await refresh(desk, "syncd_a_b")
    answer = await desk.api.send("POST", "/v1/oauth/token", token="", json=asked)
    await refused(answer, "unsupported_grant_type")
    assert "access_token" in await body(await desk.redeem(code))


async def test_a_user_gets_tokens_that_are_refreshed(desk: Desk) -> None:
    """C19: the refresh token stays, older tokens live on until they expire."""
    given = await desk.user()
    assert given["account_id"] == given["sub"]
    assert given["account_id"].startswith("acc_")
    assert (given["token_type"], given["expires_in"]) == ("bearer", 10800)
    assert given["scope"] == "read_account read_events"
    (profile,) = (await desk.api.json("/v1/profiles", token=given["access_token"]))["profiles"]
    assert given["linking_profile"] == {
        name: profile[name] for name in ("provider_name", "profile_id", "profile_name")
    }
    desk.api.clock.advance(timedelta(hours=2))
    asked = await refresh(desk, given["refresh_token"])
    again = await body(await desk.api.send("POST", "/oauth/token", token="", data=urlencode(asked)))
    assert again == given | {"access_token": again["access_token"]}
    assert again["access_token"] != given["access_token"]
    assert await opens(desk, given["access_token"])
    desk.api.clock.advance(timedelta(hours=1))
    assert not await opens(desk, given["access_token"])
    assert await opens(desk, again["access_token"])


async def test_authorization_is_not_looked_at_where_cronofys_clients_send_nonsense(
    desk: Desk,
) -> None:
    """C19, C20, W2, W3."""
    given = await desk.user()
    asked = await refresh(desk, given["refresh_token"])
    dead = f"Bearer {(await desk.user('al@example.org'))['access_token']}x"
    for header in ("Bearer None", "Bearer undefined", dead, "nonsense"):
        sent = {"Authorization": header}
        answer = await desk.api.send("POST", "/oauth/token", token="", json=asked, headers=sent)
        assert "access_token" in await body(answer)
    ended = {"token": given["access_token"], **desk.client}
    sent = {"Authorization": "Bearer None"}
    answer = await desk.api.send("POST", "/oauth/token/revoke", token="", json=ended, headers=sent)
    assert await body(answer) == {}


async def test_a_refresh_token_is_good_for_its_own_application_and_nothing_else(
    desk: Desk,
) -> None:
    given, other = await desk.user(), await desk_of(desk.api, "Other", "https://other.example/b")
    good = await refresh(desk, given["refresh_token"])
    for wrong, word, status in (
        (good | other.client, "invalid_grant", 400),
        (good | {"refresh_token": f"{given['refresh_token']}x"}, "invalid_grant", 400),
        (good | {"refresh_token": given["access_token"]}, "invalid_grant", 400),
        (good | {"refresh_token": ""}, "invalid_request", 400),
        (good | {"client_secret": "wrong"}, "invalid_client", 401),
    ):
        answer = await desk.api.send("POST", "/oauth/token", token="", json=wrong)
        await refused(answer, word, status)
    assert not await opens(desk, given["refresh_token"])
    assert "access_token" in await body(
        await desk.api.send("POST", "/oauth/token", token="", json=good)
    )


async def test_a_refresh_may_ask_for_less_and_never_for_more(desk: Desk) -> None:
    """RFC 6749 §6."""
    given = await desk.user()
    narrow = await refresh(desk, given["refresh_token"], scope="read_events delete_event")
    less = await body(await desk.api.send("POST", "/oauth/token", token="", json=narrow))
    assert less["scope"] == "read_events"
    assert (await desk.api.get("/v1/profiles", token=less["access_token"])).status == 403
    more = await refresh(desk, given["refresh_token"], scope="delete_event")
    answer = await desk.api.send("POST", "/oauth/token", token="", json=more)
    await refused(answer, "invalid_scope")


@pytest.mark.parametrize("named", ["token", "refresh_token", "both", "sub", "refresh as token"])
async def test_revoking_ends_the_whole_grant(desk: Desk, named: str) -> None:
    """C20: by any of its tokens; another user's, and the profile, stay."""
    given, bystander = await desk.user(), await desk.user("al@example.org", by=Visitor(desk.api))
    asked = await refresh(desk, given["refresh_token"])
    later = await body(await desk.api.send("POST", "/oauth/token", token="", json=asked))
    names = {
        "token": {"token": given["access_token"]},
        "refresh_token": {"refresh_token": given["refresh_token"]},
        "both": {"token": later["access_token"], "refresh_token": given["refresh_token"]},
        "sub": {"sub": given["sub"]},
        "refresh as token": {"token": given["refresh_token"]},
    }[named]
    answer = await desk.api.send(
        "POST", "/oauth/token/revoke", token="", json={**desk.client, **names}
    )
    assert await body(answer) == {}
    for token in (given["access_token"], later["access_token"]):
        assert not await opens(desk, token)
    answer = await desk.api.send("POST", "/oauth/token", token="", json=asked)
    await refused(answer, "invalid_grant")
    assert await opens(desk, bystander["access_token"])
    assert len(await desk.api.ground.store.profiles()) == 3


async def test_nobody_ends_what_is_not_theirs(desk: Desk) -> None:
    """C20: 200 as for what is unknown, and nothing happens."""
    given, other = await desk.user(), await desk_of(desk.api, "Other", "https://other.example/b")
    for names in (
        {"token": given["access_token"]},
        {"refresh_token": given["refresh_token"]},
        {"sub": given["sub"]},
        {"token": "syncd_none_none"},
        {"token": f"{given['access_token']}x"},
        {"token": desk.api.everything},
    ):
        answer = await desk.api.send(
            "POST", "/oauth/token/revoke", token="", json={**other.client, **names}
        )
        assert await body(answer) == {}
    assert await opens(desk, given["access_token"])
    assert await opens(desk, desk.api.everything)
    wrong = {**desk.client, "client_secret": "wrong", "token": given["access_token"]}
    answer = await desk.api.send("POST", "/oauth/token/revoke", token="", json=wrong)
    await refused(answer, "invalid_client", 401)
    answer = await desk.api.send("POST", "/oauth/token/revoke", token="", json=desk.client)
    await refused(answer, "invalid_request")
    assert await opens(desk, given["access_token"])


async def test_a_removed_application_has_no_tokens_left(desk: Desk) -> None:
    account, user = await desk.account(), await desk.user()
    store = desk.api.ground.store
    await store.remove_application(desk.application.id, desk.api.clock.now())
    for one in (account, user):
        assert not await opens(desk, one["access_token"])
    asked = await refresh(desk, user["refresh_token"])
    answer = await desk.api.send("POST", "/oauth/token", token="", json=asked)
    await refused(answer, "invalid_client", 401)


async def test_what_nobody_used_is_forgotten_and_what_is_used_is_not(desk: Desk) -> None:
    """The store does not fill up with questions, codes and tokens of three hours."""
    await desk.person.get(desk.kloudless())
    await desk.code(desk.kloudless())
    used, given = await desk.code(desk.kloudless()), await desk.user()
    account = await body(await desk.redeem(used))
    api = desk.api
    api.clock.advance(timedelta(hours=30))
    await Pruner(api.ground.store, api.clock, api.ground.meter, days=30).prune()
    counts = []
    for table in ("invitations", "grants"):
        rows = await api.ground.store._database.fetch(
            text(f"SELECT count(*) FROM {table}")  # noqa: S608 - of ours
        )
        counts.append(rows[0][0])
    assert counts == [0, 2]
    assert await opens(desk, account["access_token"])
    asked = await refresh(desk, given["refresh_token"])
    assert "access_token" in await body(
        await api.send("POST", "/oauth/token", token="", json=asked)
    )
    await refused(await desk.redeem(used), "invalid_grant")
    assert not await opens(desk, account["access_token"])
