"""Connecting and returning (I12, F25; N1-N6, N13)."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import orjson
import pytest

from syncd.engine.link import Linking
from syncd.model.errors import (
    NotFoundError,
    OtherPersonError,
    RelinkRequiredError,
    TransientError,
)
from syncd.model.ids import CalendarKey
from syncd.model.profile import Profile, Reason, State, changed
from syncd.ports.link import Login
from syncd.ports.vault import Secret, credential_place
from tests.engine.ground import USER, Ground, event, ground
from tests.fakes.linker import RIGHT, FakeLinker
from tests.fakes.vault import FakeVault


@dataclass
class Desk:
    """Where people connect."""

    here: Ground
    linker: FakeLinker
    linking: Linking

    async def connected(self) -> Profile:
        profile = await self.linking.connect(USER, login("ada", RIGHT))
        self.here.profile_id = profile.id
        return profile

    async def disconnected(self) -> Profile:
        profile, now = await self.here.profile(), self.here.clock.now()
        after = changed(profile, now, refused=Reason.CREDENTIALS_REFUSED, refused_at=now)
        return await self.here.store.save_profile(after)


def login(username: str, password: str) -> Login:
    return Login(provider="caldav", username=username, password=Secret(password), url="dav.example")


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    async with ground(tmp_path) as here:
        linker = FakeLinker()
        linking = Linking(here.store, linker, FakeVault(), here.clock, here.hub)
        yield Desk(here, linker, linking)


async def test_connecting_adds_a_profile_that_is_polled_at_once(desk: Desk) -> None:
    """K42: the account's add is the stream's first record."""
    profile = await desk.connected()
    assert await desk.here.told() == ["add account initial"]
    assert profile.next_poll_at == desk.here.clock.now()
    assert profile.state is State.INITIAL
    sealed = await desk.here.store.sealed(profile.id, "password")
    assert sealed
    place = credential_place(profile.id, "password")
    assert FakeVault().open(sealed, place=place).reveal() == RIGHT


async def test_a_refused_password_leaves_nothing(desk: Desk) -> None:
    before = len(await desk.here.store.profiles())
    with pytest.raises(RelinkRequiredError):
        await desk.linking.connect(USER, login("ada", "wrong"))
    assert len(await desk.here.store.profiles()) == before


async def test_a_login_that_is_connected_relinks_its_profile(desk: Desk) -> None:
    """N6: relinked, not doubled."""
    first = await desk.connected()
    again = await desk.linking.connect(USER, login("ada", RIGHT))
    assert again.id == first.id
    assert again.generation == first.generation + 1


async def test_returning_keeps_ids_and_stream_and_reads_in_full(desk: Desk) -> None:
    """I12, F25: three changes while dead give 1 + 3 activities."""
    await desk.connected()
    work = desk.here.server.add("/work/")
    for number in range(5):
        work.put(f"{number}.ics", event(f"Event {number}"))
    await desk.here.poll(listing=True)
    dead = await desk.disconnected()
    for number in range(3):
        work.put(f"{number}.ics", event(f"Changed {number}", uid=f"Event {number}"))
    head, reads = await desk.here.head(), len(desk.here.server.reads)
    profile = await desk.linking.relink(dead, login("ada", RIGHT))
    assert profile.state is State.CONNECTED
    await desk.here.poll()
    assert await desk.here.told(head) == [
        "update account connected",
        *[f"update event Changed {number}" for number in range(3)],
    ]
    assert None in desk.here.server.reads[reads:]
    record = orjson.loads((await desk.here.activities(head))[0].body)
    assert set(record["changes"]) == {"active", "state", "state_reason"}


async def test_another_person_is_refused_and_changes_nothing(desk: Desk) -> None:
    """I12, N4."""
    await desk.connected()
    dead = await desk.disconnected()
    with pytest.raises(OtherPersonError):
        await desk.linking.relink(dead, login("bo", RIGHT))
    assert await desk.here.profile() == dead


async def test_a_failed_try_changes_nothing(desk: Desk) -> None:
    """N2."""
    await desk.connected()
    dead = await desk.disconnected()
    desk.linker.failure = TransientError("no answer")
    with pytest.raises(TransientError):
        await desk.linking.relink(dead, login("ada", RIGHT))
    assert await desk.here.profile() == dead


async def test_the_link_is_one_per_disconnection_and_dead_after_it(desk: Desk) -> None:
    """N1: the same however often it is asked for, 256 bits, gone with success."""
    assert await desk.linking.relink_path(await desk.connected()) is None
    dead = await desk.disconnected()
    path = await desk.linking.relink_path(dead)
    assert path
    assert path == await desk.linking.relink_path(dead)
    assert path == await desk.linking.relink_path(await desk.here.profile())
    assert path == await desk.linking.renew_link(await desk.here.profile())
    secret = path.removeprefix("/relink/")
    assert len(secret) >= 43
    assert (await desk.linking.by_secret(secret)).id == dead.id
    await desk.linking.relink(await desk.here.profile(), login("ada", RIGHT))
    with pytest.raises(NotFoundError):
        await desk.linking.by_secret(secret)
    assert await desk.here.store.sealed(dead.id, "relink") is None
    next_path = await desk.linking.relink_path(await desk.disconnected())
    assert next_path not in {None, path}


async def test_a_link_can_be_asked_for_while_connected_and_lives_a_day(desk: Desk) -> None:
    """N13."""
    path = await desk.linking.renew_link(await desk.connected())
    secret = path.removeprefix("/relink/")
    assert await desk.linking.relink_path(await desk.here.profile()) == path
    desk.here.clock.advance(timedelta(hours=23))
    assert (await desk.linking.by_secret(secret)).id == desk.here.profile_id
    desk.here.clock.advance(timedelta(hours=2))
    with pytest.raises(NotFoundError):
        await desk.linking.by_secret(secret)
    assert await desk.linking.relink_path(await desk.here.profile()) is None


async def test_a_renewal_becomes_the_link_of_a_disconnection(desk: Desk) -> None:
    """N1: the same wherever it is shown."""
    path = await desk.linking.renew_link(await desk.connected())
    await desk.disconnected()
    assert await desk.linking.relink_path(await desk.here.profile()) == path
    desk.here.clock.advance(timedelta(days=9))
    assert await desk.linking.relink_path(await desk.here.profile()) == path


async def test_an_unknown_secret_finds_nobody(desk: Desk) -> None:
    with pytest.raises(NotFoundError):
        await desk.linking.by_secret("guessed")


async def test_returning_forgets_the_errors_of_calendars(desk: Desk) -> None:
    """F25."""
    await desk.connected()
    desk.here.server.add("/work/").put("a.ics", event("A"))
    await desk.here.poll(listing=True)
    dead = await desk.disconnected()
    await desk.linking.relink(dead, login("ada", RIGHT))
    (known,) = await desk.here.store.calendars(desk.here.profile_id)
    assert known.key == CalendarKey("/work/")
    assert known.reconcile_due_at == desk.here.clock.now()
