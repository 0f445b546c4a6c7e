"""How many webhooks, channels and subscriptions one owner may have (``[limits]``)."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from syncd.model.errors import LimitError
from syncd.model.subscription import Subscription
from tests.api.channels import desk
from tests.api.serving import Api, serving

HOOKS = "/v1/webhooks"
CHANNELS = "/v1/channels"
URL = "https://app.example/hook"
REMEDY = "remove one, or have the operator raise [limits] subscriptions_per_owner"


@pytest.fixture
async def api(tmp_path: Path) -> AsyncIterator[Api]:
    """Each owner may have two."""
    async with serving(tmp_path, per_owner=2) as made:
        yield made


async def hook(api: Api, **how: Any) -> Any:  # noqa: ANN401 - JSON
    response = await api.send("POST", HOOKS, json={"url": URL}, **how)
    return response.status, await response.json()


async def test_a_user_has_so_many_webhooks_and_those_of_its_profiles_count(api: Api) -> None:
    """The body names the limit and what to do; what is removed makes room."""
    ada = await api.token(user_id="acc_ada")
    one = await api.token(profile_id=api.ground.profile_id)
    assert (await hook(api, token=ada))[0] == 201
    status, last = await hook(api, token=one)
    assert status == 201
    for token in (ada, one):
        status, told = await hook(api, token=token)
        assert (status, told["code"]) == (422, "limit_reached")
        assert told["detail"] == f"this user has 2 webhooks, the most it may have: {REMEDY}"
    await api.another("eve")
    eve = await api.token(user_id="acc_eve")
    assert (await hook(api, token=eve))[0] == 201
    assert (await api.send("DELETE", f"{HOOKS}/{last['id']}", token=one)).status == 204
    assert (await hook(api, token=ada))[0] == 201


async def test_a_key_that_was_used_is_answered_whatever_the_limit(api: Api) -> None:
    """R17."""
    keyed = {"Idempotency-Key": "once"}
    first = await hook(api, headers=keyed)
    for _ in range(2):
        await hook(api)
    assert await hook(api, headers=keyed) == first
    assert (await hook(api, headers={"Idempotency-Key": "other"}))[0] == 422


async def test_cronofy_says_so_of_base(api: Api) -> None:
    """C13, R14b: channels are webhooks of their user too; the same request is no new one."""
    here = await desk(api)
    first = await here.open()
    await here.open(f"{URL}/2")
    body = {"callback_url": f"{URL}/3"}
    response = await api.send("POST", CHANNELS, json=body, token=here.token)
    told = await response.json()
    assert (response.status, [one["key"] for one in told["errors"]["base"]]) == (
        *(422, ["errors.invalid"]),
    )
    assert told["errors"]["base"][0]["description"].endswith(REMEDY)
    assert await here.open() == first


async def test_kloudless_says_so_in_its_shape(api: Api) -> None:
    """K43: an account has so many subscriptions; its default one is none of them."""
    place = f"/v1/accounts/{api.ground.profile_id}/subscriptions"
    keyed = {"Idempotency-Key": "once"}
    made = await (await api.send("POST", place, json={}, headers=keyed)).json()
    default = await api.send("PATCH", f"{place}/default", json={"active": False})
    assert default.status == 200
    assert (await api.send("POST", place, json={})).status == 201
    response = await api.send("POST", place, json={})
    told = await response.json()
    assert (response.status, told["error_code"]) == (422, "limit_reached")
    assert told["message"] == f"this account has 2 subscriptions, the most it may have: {REMEDY}"
    again = await api.send("POST", place, json={}, headers=keyed)
    assert (again.status, (await again.json())["id"]) == (201, made["id"])
    changed = await api.send("PATCH", f"{place}/{made['id']}", json={"active": False})
    assert changed.status == 200
    assert (await api.send("DELETE", f"{place}/{made['id']}")).status == 204
    assert (await api.send("POST", place, json={})).status == 201


async def test_an_administrator_and_an_application_have_theirs(api: Api) -> None:
    here = await desk(api)
    plain = {"id": "", "url": URL, "created": api.clock.now(), "secrets": ()}
    for owner, named in (
        ({"admin": True}, "administrators have 2 webhooks, the most they may have"),
        ({"application_id": here.client}, "this application has 2 webhooks, the most it may have"),
    ):
        for _ in range(2):
            await api.parts.subscriptions.add(Subscription(**plain, **owner))  # type: ignore[arg-type]
        with pytest.raises(LimitError, match=named):
            await api.parts.subscriptions.add(Subscription(**plain, **owner))  # type: ignore[arg-type]
