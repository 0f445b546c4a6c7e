"""Who signs in at Microsoft, what calendars there are, and what an answer may look like."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest

from syncd.model.brands import brand_of_profile
from syncd.model.errors import (
    ForbiddenError,
    InvalidError,
    MalformedReplyError,
    MisconfiguredError,
    NotFoundError,
    RelinkRequiredError,
    TransientError,
)
from syncd.model.event import Answer, CustomProperty, Status, Visibility
from syncd.model.ids import CalendarKey, ProfileId, ResourceKey, UserId
from syncd.model.own import own_addresses
from syncd.model.profile import Profile
from syncd.ports.link import Login
from syncd.providers.graph.properties import extension_body
from tests.fakes.clock import FakeClock
from tests.providers.graph import GraphDesk, graph_adapter, graph_desk, graph_login
from tests.providers.test_graph_reading import SECOND, WEEKLY, single
from tests.servers.graph import OBJECT, TENANT, Fault, GraphServer, at, id_token
from tests.servers.graph_truth import OWNER

CONSUMERS = "9188040d-6c67-4c5b-b112-36a304b66dad"


@pytest.fixture
async def server() -> AsyncIterator[GraphServer]:
    async with GraphServer().running() as running:
        yield running
        assert running.complaints == []


@pytest.fixture
async def desk(server: GraphServer) -> AsyncIterator[GraphDesk]:
    async with graph_desk(server) as one:
        yield one


async def test_who_signs_in_is_named_by_tenant_and_object_p15(server: GraphServer) -> None:
    async with graph_adapter(server, FakeClock()) as adapter:
        signed = await adapter.sign_in(graph_login(server))
        assert (signed.identity, signed.login) == (f"{TENANT}.{OBJECT}", OWNER)
        assert signed.name == "Ada"
        assert signed.secrets["refresh_token"].reveal() == server.tokens.refresh_token  # MG15
        server.tokens.told.clear()
        again = await adapter.sign_in(graph_login(server))
        assert again.identity == f"user:{OBJECT}"
        server.tokens.told["id_token"] = id_token(aud="another client", tid=TENANT, oid="x")
        assert (await adapter.sign_in(graph_login(server))).identity == again.identity
        with pytest.raises(InvalidError):
            await adapter.sign_in(Login(provider="graph"))
        server.tokens.revoked = True
        with pytest.raises(RelinkRequiredError) as caught:
            await adapter.sign_in(graph_login(server))
        assert caught.value.reason == "invalid_grant"


@pytest.mark.parametrize(
    ("tenant", "provider_name", "provider_service"),
    [(TENANT, "office365", "office365"), (CONSUMERS, "live_connect", "outlook_com")],
)
async def test_outlook_com_goes_by_its_own_name(
    server: GraphServer, tenant: str, provider_name: str, provider_service: str
) -> None:
    """R22."""
    server.sign_in(tenant=tenant)
    server.person |= {"mail": None, "userPrincipalName": "live.com#ada@example.org"}
    async with graph_adapter(server, FakeClock()) as adapter:
        signed = await adapter.sign_in(graph_login(server))
    now = datetime(2026, 11, 20, tzinfo=UTC)
    profile = Profile(
        id=ProfileId(1),
        user_id=UserId("acc_1"),
        provider="graph",
        login=signed.login,
        identity=signed.identity,
        settings=signed.settings,
        created=now,
        modified=now,
        state_since=now,
    )
    brand = brand_of_profile(profile)
    assert (brand.provider_name, brand.provider_service) == (provider_name, provider_service)
    assert brand.service == "outlook_calendar"
    assert own_addresses(profile) == {"live.com#ada@example.org"}


async def test_without_a_client_the_operator_is_told() -> None:
    server = GraphServer()
    async with graph_adapter(server, FakeClock()) as adapter:
        with pytest.raises(MisconfiguredError):
            await adapter.sign_in(Login(provider="graph"))


async def test_calendars_are_listed_with_their_rights(desk: GraphDesk) -> None:
    """MG17."""
    for number in range(12):
        desk.server.add_calendar(f"C{number}")
    other = desk.server.add_calendar("Theirs")
    other.members |= {"canEdit": False, "hexColor": "#87d28e"}
    desk.server.page_size = 5
    found = {one.name: one for one in await desk.provider.calendars()}
    assert len(found) == 14
    assert [one.name for one in found.values() if one.primary] == ["Calendar"]
    assert [one.name for one in found.values() if one.read_only] == ["Theirs"]
    assert found["Theirs"].color == "#87D28E"
    assert await desk.provider.moved({CalendarKey("x"): None}) == {"x"}


async def test_every_member_is_translated(desk: GraphDesk) -> None:
    """Section 9, MG12, MG13, MG14, MG19."""
    desk.server.categories = {"Red": "preset0", "Plain": "none"}
    single(
        desk,
        "a",
        "All",
        body={"contentType": "text", "content": "Text"},
        location={"displayName": "Room"},
        showAs="workingElsewhere",
        sensitivity="personal",
        categories=["Red", "Plain"],
        isCancelled=True,
        isOrganizer=False,
        organizer={"emailAddress": {"address": "bo@example.org", "name": "Bo"}},
        responseStatus={"response": "tentativelyAccepted", "time": "2026-11-20T08:00:00Z"},
        attendees=[
            {"emailAddress": {"address": "bo@example.org"}, "type": "required"},
            {"emailAddress": {"address": OWNER}, "type": "optional"},
            {"emailAddress": {"address": "room@example.org"}, "type": "resource"},
        ],
        reminderMinutesBeforeStart=30,
        extensions=[
            extension_body([
                CustomProperty(key="a b", value="1"),
                CustomProperty(key="s", value="2", private=False),
            ])
        ],
    )  # fmt: skip
    await desk.read()
    (event,) = desk.events("a")
    assert (event.description, event.location) == ("Text", "Room")
    assert (event.status, event.transparent) == (Status.CANCELLED, True)
    assert (event.visibility, event.color) == (Visibility.PRIVATE, "#E7A1A2")
    assert event.organizer is not None
    assert event.organizer.email == "bo@example.org"
    told = [(one.answer, one.required, one.resource) for one in event.attendees]
    assert told == [
        (Answer.ACCEPTED, True, False),
        (Answer.TENTATIVE, False, False),
        (Answer.PENDING, True, True),
    ]
    assert [one.minutes for one in event.reminders] == [30]
    assert [(one.key, one.value, one.private) for one in event.custom_properties] == [
        ("a b", "1", True),
        ("s", "2", False),
    ]
    assert event.uid == desk.work.events["a"]["iCalUId"]


async def test_who_has_custom_properties_is_read_with_them(desk: GraphDesk) -> None:
    """MG19: the feed cannot expand them."""
    extension = [extension_body([CustomProperty(key="k", value="1")])]
    single(desk, "a", extensions=extension)
    desk.work.put("w", **WEEKLY, extensions=extension)
    desk.work.put_exception("w", SECOND, extensions=extension)
    await desk.read()
    assert [len(one.custom_properties) for one in desk.events("w")] == [1, 1]
    single(desk, "a", "Renamed")
    desk.work.put("w", subject="Renamed")
    desk.work.put_exception("w", SECOND, subject="Renamed")
    await desk.read()
    found = [*desk.events("a"), *desk.events("w")]
    assert [(one.name, len(one.custom_properties)) for one in found] == [("Renamed", 1)] * 3
    single(desk, "a", extensions=[])
    await desk.read()
    assert desk.events("a")[0].custom_properties == ()


async def test_colours_need_a_permission_that_may_be_missing(desk: GraphDesk) -> None:
    single(desk, "a", categories=["Red"])
    desk.server.faults.append(Fault(403, part="masterCategories", code="ErrorAccessDenied"))
    await desk.read()
    assert desk.events("a")[0].color is None


async def test_a_broken_event_costs_nothing_else_i10(desk: GraphDesk) -> None:
    single(desk, "a")
    single(desk, "b", createdDateTime="2026-02-31T00:00:00Z")
    desk.work.put("w", **{**WEEKLY, "createdDateTime": "2026-02-31T00:00:00Z"})
    desk.work.put("v", **WEEKLY)
    desk.work.put_exception("v", SECOND, createdDateTime="2026-02-31T00:00:00Z")
    read = await desk.read()
    assert read.unread == {"b", "w"}
    assert set(desk.held) == {"a", "v"}
    assert len(desk.events("v")) == 1
    assert len(desk.held[ResourceKey("v")].faults) == 1


async def test_a_refused_access_token_is_replaced_once(desk: GraphDesk) -> None:
    """I13: then only the proof of I11 counts."""
    await desk.read()
    desk.server.faults.append(Fault(401, code="InvalidAuthenticationToken"))
    refreshes = desk.server.tokens.refreshes
    await desk.read()
    assert desk.server.tokens.refreshes == refreshes + 1
    desk.server.faults.append(Fault(401, code="InvalidAuthenticationToken", times=2))
    with pytest.raises(RelinkRequiredError):
        await desk.read()
    await desk.read()


async def test_a_part_of_a_batch_that_is_throttled_throttles(desk: GraphDesk) -> None:
    """MG10: nothing of the page is used, and the link stands where it stood."""
    desk.work.put("w", **WEEKLY)
    fault = Fault(429, part="/instances", headers={"Retry-After": "17"})
    desk.server.faults.append(fault)
    with pytest.raises(TransientError) as caught:
        await desk.read()
    assert caught.value.retry_after == timedelta(seconds=17)
    await desk.read()
    assert list(desk.held) == ["w"]


async def test_a_part_that_fails_is_tried_again(desk: GraphDesk) -> None:
    desk.work.put("w", **WEEKLY)
    desk.server.faults.append(Fault(503, part="/instances", code="x", times=2))
    await desk.read()
    assert list(desk.held) == ["w"]


@pytest.mark.parametrize("status", [400, 403, 500])
@pytest.mark.parametrize("part", ["/w/instances", "/events/w@2026-12-01"])
async def test_a_series_that_cannot_be_told_costs_only_itself(
    desk: GraphDesk, status: int, part: str
) -> None:
    """I10: it stays as it was, and is listed soon, as the feed names it once."""
    desk.work.put("w", **WEEKLY)
    desk.work.put_exception("w", SECOND, subject="Other")
    desk.work.put("v", **WEEKLY)
    await desk.read()
    before = desk.held[ResourceKey("w")]
    desk.server.habits.bare_instances = True
    for key in "wv":
        desk.work.put(key, subject="Renamed")
    desk.server.faults.append(Fault(status, part=part, code="ErrorCorruptData", times=99))
    read = await desk.read()
    assert (read.upserts, read.unread, read.last.reconcile) == ({"v"}, {"w"}, True)
    assert desk.held[ResourceKey("w")] == before
    full = await desk.read(full=True)  # where the round tells exceptions whole
    assert (full.deleted, full.last.complete) == (set(), True)
    assert full.unread == ({"w"} if part == "/w/instances" else set())
    desk.server.faults.clear()
    await desk.read(full=True)
    assert [one.name for one in desk.events("w")] == ["Renamed", "Other"]


@pytest.mark.parametrize("status", [400, 403, 500])
async def test_an_event_that_cannot_be_told_costs_only_itself(desk: GraphDesk, status: int) -> None:
    """I10, MG4, MG5: whether or not others are asked for with it."""
    desk.server.habits.partial = True
    for key in "abc":
        desk.work.put(key, start=at(24), end=at(24, 10), subject=key)
    await desk.read()
    desk.server.faults.append(Fault(status, part="/events/a", code="ErrorX", times=99))
    for keys in ("a", "ab"):
        for key in keys:
            desk.work.put(key, subject="Renamed")
        read = await desk.read()
        assert (read.upserts, read.unread) == (set(keys) - {"a"}, {"a"})
        assert read.last.reconcile
    desk.server.faults.clear()
    await desk.read(full=True)
    assert [desk.events(key)[0].name for key in "abc"] == ["Renamed", "Renamed", "c"]
    assert not (await desk.read()).last.reconcile


async def test_a_calendar_that_cannot_be_told_is_no_events_fault(desk: GraphDesk) -> None:
    """P1: no link moves past what nobody has read."""
    desk.server.habits.partial = True
    desk.work.put("a", start=at(24), end=at(24, 10), subject="a")
    await desk.read()
    desk.work.put("a", subject="Renamed")
    desk.server.faults.append(Fault(403, part=f"/calendars/{desk.key}", code="x", times=99))
    with pytest.raises(ForbiddenError):
        await desk.read()


@pytest.mark.parametrize(
    "told",
    [
        {"responses": []},
        {"responses": [{"id": "0"}]},
        {"responses": [{"id": "0", "status": 200, "body": "text"}]},
        {"responses": [{"id": "0", "status": 200, "body": {"value": [{}]}}]},
        {"responses": {}},
        {},
    ],
)
async def test_a_batch_that_is_none_is_malformed(desk: GraphDesk, told: object) -> None:
    """P1."""
    desk.work.put("w", **WEEKLY)
    await desk.read()
    desk.work.put("w", subject="Renamed")
    desk.server.batches.append(told)
    with pytest.raises(MalformedReplyError):
        await desk.read()


async def test_a_calendar_that_is_gone_is_told(desk: GraphDesk) -> None:
    await desk.read()
    desk.server.calendars.clear()
    with pytest.raises(NotFoundError):
        await desk.read()
    with pytest.raises(NotFoundError):
        await desk.read(full=True)
    with pytest.raises(NotFoundError):
        await desk.provider.resources(desk.follower.key, [ResourceKey("a")])
    desk.server.add_calendar("Calendar", primary=True)


async def test_single_resources_are_read_whole(desk: GraphDesk) -> None:
    single(desk, "a")
    desk.work.put("w", **WEEKLY)
    desk.work.put_exception("w", SECOND, subject="Other")
    await desk.read()
    keys = [ResourceKey(one) for one in ("a", "w", "x")]
    found = await desk.provider.resources(desk.key, keys)
    assert {one.key: one for one in found.upserts} == desk.held
    assert found.deleted == {"x"}


async def test_a_mailbox_is_never_asked_more_than_four_things_at_once(desk: GraphDesk) -> None:
    """MG10, also where calendars are read and written at once: the fake complains."""
    for number in range(8):
        desk.server.add_calendar(f"C{number}").put("a", start=at(24), end=at(25), subject="x")
    desk.server.pause = 0.01
    async with asyncio.TaskGroup() as group:
        for key in desk.server.calendars:
            group.create_task(desk.provider.resources(CalendarKey(key), [ResourceKey("a")]))
    assert desk.server.most == 4
