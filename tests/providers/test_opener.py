"""Profiles are opened with what the vault keeps for them, by adapters that start once (I16)."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Any, cast

import pytest
from aiohttp import ClientSession

from syncd.engine.records import WITH_CONTACTS
from syncd.model.abilities import Abilities
from syncd.model.errors import InvalidError, UnsupportedError
from syncd.model.ids import ProfileId, UserId
from syncd.model.profile import Profile
from syncd.ports.link import Login, SignedIn
from syncd.ports.provider import Provider
from syncd.ports.store import Store
from syncd.ports.vault import PASSWORD, REFRESH_TOKEN, Keys, Secret, credential_place
from syncd.providers.kind import Kind, Rim
from syncd.providers.opener import Opener
from syncd.providers.registry import KINDS
from tests.fakes.clock import BEGIN, FakeClock

PROFILE = Profile(
    id=ProfileId(7),
    user_id=UserId("acc_1"),
    provider="tin",
    login="alice",
    identity="",
    created=BEGIN,
    modified=BEGIN,
    state_since=BEGIN,
)


@dataclass
class Kept:
    """A store with one sealed field, and a vault that opens it at its place only."""

    password: bytes | None = b"sealed"
    resealed: tuple[ProfileId, Mapping[str, bytes], int] | None = None

    async def sealed(self, profile: ProfileId, name: str) -> bytes | None:
        return self.password if (profile, name) == (7, PASSWORD) else None

    def seal(self, secret: Secret, *, place: str) -> bytes:
        return f"{place} {secret.reveal()}".encode()

    async def reseal(
        self, profile: ProfileId, sealed: Mapping[str, bytes], *, generation: int
    ) -> None:
        self.resealed = profile, sealed, generation

    def open(self, sealed: bytes, *, place: str) -> Secret:
        assert (sealed, place) == (b"sealed", credential_place(7, PASSWORD))
        return Secret("s3cret")


@dataclass
class Tin:
    """An adapter that notes what it was given."""

    given: list[str] = field(default_factory=list)
    keys: Keys | None = None

    @asynccontextmanager
    async def open(self, _: Profile, keys: Keys) -> AsyncIterator[Provider]:
        password = await keys.read(PASSWORD)
        self.given.append("" if password is None else password.reveal())
        self.keys = keys
        yield cast("Provider", self)

    async def sign_in(self, login: Login) -> SignedIn:
        return SignedIn(identity="i", login=login.username, secrets={})


@dataclass
class Desk:
    kept: Kept
    tin: Tin
    started: list[Rim]
    opener: Opener


@pytest.fixture
def desk() -> Desk:
    kept, tin, started = Kept(), Tin(), list[Rim]()

    def start(rim: Rim) -> Tin:
        started.append(rim)
        return tin

    kind = Kind(
        name="tin",
        service="tin",
        service_name="Tin",
        provider_name="tin",
        provider_service="tin",
        start=cast("Any", start),
        abilities=Abilities(),
    )
    rim = Rim(session=lambda: cast("ClientSession", None), clock=FakeClock())
    return Desk(kept, tin, started, Opener([kind], rim, cast("Store", kept), kept))


async def test_a_profile_is_opened_with_its_own_password(desk: Desk) -> None:
    for _ in range(2):
        async with desk.opener.open(PROFILE):
            pass
    assert desk.tin.given == ["s3cret", "s3cret"]
    assert len(desk.started) == 1


async def test_what_a_provider_rotates_is_sealed_at_its_place_for_these_credentials(
    desk: Desk,
) -> None:
    """I13, F14: a relink in between wins, by its generation."""
    async with desk.opener.open(PROFILE):
        assert desk.tin.keys is not None
        assert await desk.tin.keys.read(REFRESH_TOKEN) is None
        await desk.tin.keys.write({REFRESH_TOKEN: Secret("new")})
    place = credential_place(7, REFRESH_TOKEN)
    assert desk.kept.resealed == (7, {REFRESH_TOKEN: f"{place} new".encode()}, PROFILE.generation)


async def test_without_an_adapter_nothing_is_opened(desk: Desk) -> None:
    with pytest.raises(UnsupportedError):
        async with desk.opener.open(replace(PROFILE, provider="lead")):
            pass


async def test_a_login_is_tried_at_its_provider(desk: Desk) -> None:
    login = Login(provider="tin", username="alice", password=Secret("x"))
    assert (await desk.opener.sign_in(login)).login == "alice"
    with pytest.raises(InvalidError) as caught:
        await desk.opener.sign_in(replace(login, provider="lead"))
    assert caught.value.field == "provider"
    with pytest.raises(InvalidError) as caught:
        await desk.opener.sign_in(replace(login, refresh_token=Secret("y")))
    assert caught.value.field == "refresh_token"


def test_the_registry_names_every_provider_once_and_as_applications_know_it() -> None:
    """R22."""
    names = [kind.name for kind in KINDS]
    assert len(set(names)) == len(names)
    caldav = next(kind for kind in KINDS if kind.name == "caldav")
    assert (caldav.service, caldav.service_name, caldav.provider_name) == (
        *("caldav", "CalDAV", "caldav"),
    )


def test_accounts_name_contacts_where_the_provider_can_have_them() -> None:
    """K1, K30."""
    assert {kind.name for kind in KINDS if kind.abilities.contacts} == WITH_CONTACTS
