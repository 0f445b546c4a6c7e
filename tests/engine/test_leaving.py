"""Grants go back to the provider, but none that another profile lives by (K5, N4)."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from syncd.engine.control import Control
from syncd.engine.leaving import Leaving
from syncd.engine.link import Linking
from syncd.model.access import User
from syncd.model.errors import MisconfiguredError, NotFoundError, SyncdError, TransientError
from syncd.model.ids import UserId
from syncd.model.profile import Profile
from syncd.ports.link import Login, SignedIn
from syncd.ports.vault import REFRESH_TOKEN, Secret
from tests.engine.ground import USER, Ground, ground
from tests.fakes.linker import RIGHT, FakeLinker
from tests.fakes.vault import FakeVault

EVE = UserId("acc_eve")


@dataclass
class Door:
    """Where profiles come and go."""

    here: Ground
    linker: FakeLinker
    linking: Linking
    leaving: Leaving

    async def connected(self, user: UserId = USER, login: str = "bo") -> Profile:
        typed = Login(provider="caldav", username=login, password=Secret(RIGHT))
        return await self.linking.connect(user, typed)

    async def remove(self, profile: Profile) -> None:
        control = Control(self.here.store, self.here.hub, self.here.clock, leaving=self.leaving)
        await control.remove(profile.id)

    async def signed(self, login: str) -> SignedIn:
        signed = await self.linker.sign_in(
            Login(provider="caldav", username=login, password=Secret(RIGHT))
        )
        return replace(signed, secrets={REFRESH_TOKEN: Secret("new")})


@pytest.fixture
async def door(tmp_path: Path) -> AsyncIterator[Door]:
    async with ground(tmp_path) as here:
        await here.store.add_user(User(id=EVE, name="eve", created=here.clock.now()))
        linker = FakeLinker()
        linking = Linking(here.store, linker, FakeVault(), here.clock, here.hub)
        yield Door(here, linker, linking, Leaving(here.store, linker))


async def test_a_profile_that_goes_gives_its_grant_back_while_there_are_credentials(
    door: Door,
) -> None:
    """K5: then they are erased."""
    profile = await door.connected()
    await door.remove(profile)
    (given,) = door.linker.given_up
    assert isinstance(given, Profile)
    assert given.id == profile.id
    assert await door.here.store.sealed(profile.id, "password") is None
    with pytest.raises(NotFoundError):
        await door.here.store.profile(profile.id)


async def test_a_grant_stays_as_long_as_another_profile_is_of_the_same_person(door: Door) -> None:
    """Google ends all grants of a person together: the other profile would die of it."""
    mine, hers = await door.connected(), await door.connected(EVE)
    other = await door.connected(EVE, "al")
    assert mine.identity == hers.identity
    await door.remove(mine)
    assert door.linker.given_up == []
    await door.remove(hers)
    await door.remove(other)
    assert [one.id for one in door.linker.given_up if isinstance(one, Profile)] == [
        *(hers.id, other.id),
    ]


@pytest.mark.parametrize(
    "failure",
    [TransientError("no answer"), MisconfiguredError("no address")],
    ids=lambda one: type(one).__name__,
)
async def test_a_provider_that_does_not_answer_keeps_nobody(
    door: Door, failure: SyncdError
) -> None:
    """K5: revoked if it can be, erased in any case."""
    profile = await door.connected()
    door.linker.failure = failure
    await door.remove(profile)
    assert len(door.linker.given_up) == 1
    with pytest.raises(NotFoundError):
        await door.here.store.profile(profile.id)


async def test_a_new_grant_goes_back_unless_its_person_is_connected(door: Door) -> None:
    """N4: with nobody's profile of that person, it is nobody's loss."""
    assert await door.leaving.give_back("caldav", await door.signed("new"))
    assert len(door.linker.given_up) == 1
    await door.connected(EVE, "known")
    assert not await door.leaving.give_back("caldav", await door.signed("known"))
    assert len(door.linker.given_up) == 1
