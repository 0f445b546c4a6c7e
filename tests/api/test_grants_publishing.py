"""What was published for an application's people, once they allow it nothing any more (N22)."""

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from syncd.model.access import Scope
from syncd.model.published import Detail, Feed, SecretPath
from tests.api.desk import Desk, desk_of
from tests.api.serving import serving
from tests.engine.ground import USER

NOWHERE = SecretPath(digest=b"", sealed=b"")


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    async with serving(tmp_path) as api:
        yield await desk_of(api)


async def published(desk: Desk, **owner: Any) -> str:  # noqa: ANN401 - of a Feed
    """Publish something; return its path."""
    feeds, now = desk.api.parts.feeds, desk.api.clock.now()
    wish = Feed(
        id="", name="x", calendars=(), detail=Detail.FULL, path=NOWHERE, created=now, **owner
    )
    return feeds.path(await feeds.add(wish))


async def status(desk: Desk, path: str) -> int:
    return (await desk.api.get(path, token="")).status


async def revoke(desk: Desk, **what: str) -> None:
    answer = await desk.api.send(
        "POST", "/oauth/token/revoke", token="", json={**desk.client, **what}
    )
    assert answer.status == 200


async def test_an_accounts_feed_ends_with_the_last_consent(desk: Desk) -> None:
    first, again = await desk.account(), await desk.account()
    other = await desk.account("al@example.org")
    path = await published(desk, profile_id=first["account_id"])
    elses = await published(desk, profile_id=other["account_id"])
    await revoke(desk, token=first["access_token"])
    assert await status(desk, path) == 200, "there is another"
    await revoke(desk, token=again["access_token"])
    assert await status(desk, path) == 404
    assert await status(desk, elses) == 200
    await desk.account()
    assert await status(desk, path) == 200, "allowed anew"


async def test_a_users_feed_ends_with_the_users_consent(desk: Desk) -> None:
    """Her access token expires after three hours; that is no end."""
    given = await desk.user()
    path = await published(desk, user_id=given["sub"])
    desk.api.clock.advance(timedelta(hours=4))
    assert await status(desk, path) == 200
    await revoke(desk, sub=given["sub"])
    assert await status(desk, path) == 404


async def test_what_an_applications_key_published_ends_with_the_application(desk: Desk) -> None:
    given = await desk.account()
    paths = [
        await published(desk, application_id=desk.application.id),
        await published(desk, profile_id=given["account_id"]),
    ]
    assert [await status(desk, path) for path in paths] == [200, 200]
    await desk.api.ground.store.remove_application(desk.application.id, desk.api.clock.now())
    assert [await status(desk, path) for path in paths] == [404, 404]


async def test_what_the_operator_published_ends_when_the_operator_says_so(desk: Desk) -> None:
    """Of the operator's own users, and of an application's by a token of the command line."""
    own = await published(desk, user_id=USER)
    profile = await published(desk, profile_id=desk.api.ground.profile_id)
    given = await desk.account()
    path = await published(desk, profile_id=given["account_id"])
    await desk.api.token(Scope.MANAGE_FEEDS, profile_id=given["account_id"])
    await revoke(desk, token=given["access_token"])
    assert [await status(desk, one) for one in (own, profile, path)] == [200, 200, 200]
