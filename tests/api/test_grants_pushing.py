"""What is pushed through a grant, once the grant has ended (C14, C20, N15)."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from syncd.model.access import Scope
from syncd.model.subscription import Reason
from tests.api.desk import Desk, body, desk_of
from tests.api.serving import serving
from tests.web.visitor import Visitor


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    async with serving(tmp_path) as api:
        yield await desk_of(api)


async def channel(desk: Desk, token: str) -> str:
    wish = {"callback_url": "https://app.example/cb"}
    told = await body(await desk.api.send("POST", "/v1/channels", token=token, json=wish))
    return str(told["channel"]["channel_id"])


async def test_nothing_is_pushed_through_a_grant_that_has_ended(desk: Desk) -> None:
    """C20, C14: a channel ends with the grant that it was opened through, and no other."""
    first, other = await desk.user(), await desk.user("al@example.org", by=Visitor(desk.api))
    opened = [await channel(desk, given["access_token"]) for given in (first, other)]
    revoked = {**desk.client, "sub": first["sub"]}
    await desk.api.send("POST", "/oauth/token/revoke", token="", json=revoked)
    store = desk.api.ground.store
    assert [(await store.subscription(one)).reason for one in opened] == [Reason.REVOKED, None]
    path, asked = f"/v1/webhooks/{opened[0]}", {"enabled": True}
    admin = await desk.api.token(Scope.ALL, user_id=None, admin=True)
    assert (await desk.api.send("PATCH", path, token=admin, json=asked)).status == 409
    again = await desk.user()
    assert again["sub"] == first["sub"]
    assert await desk.api.json("/v1/channels", token=again["access_token"]) == {"channels": []}
    assert await channel(desk, again["access_token"]) not in opened
    await store.remove_application(desk.application.id, desk.api.clock.now())
    assert (await store.subscription(opened[1])).reason is Reason.REVOKED
