"""W1: kloudless-python 2.0.1 reads; only its base URL is ours."""

from collections.abc import Iterator
from pathlib import Path

import kloudless
import pytest
from kloudless.account import get_verified_account
from kloudless.application import verify_token
from kloudless.config import configuration
from kloudless.exceptions import (
    APIException,
    AuthorizationException,
    ForbiddenException,
    NotFoundException,
    RateLimitException,
    TokenVerificationFailed,
)
from kloudless.resources.base import Resource, ResourceList

from tests.clients.kloudless_account import account_of, calendar
from tests.clients.world import QUIET, Person, World, running
from tests.servers.dav_client import event

WEEKLY = "RRULE:FREQ=WEEKLY;COUNT=3\r\n"
NAMES = [f"Event {day}" for day in range(1, 13)]


@pytest.fixture(scope="module")
def ada(world: World) -> Person:
    files = {
        f"e{day}": event(f"e{day}@example.org", f"Event {day}", day=day) for day in range(1, 13)
    }
    files["stand-up"] = event("s@example.org", "Stand-up", day=2, extra=WEEKLY)
    return world.person("work", "home", "club", files=files)


@pytest.fixture
def account(ada: Person) -> Iterator[kloudless.Account]:
    with account_of(ada) as made:
        yield made


def test_me_is_the_account_of_the_token(account: kloudless.Account, ada: Person) -> None:
    me = account.get()
    assert isinstance(me, Resource)
    assert me.data["id"] == int(ada.account_id)
    assert me.data["account"] == ada.name
    assert account.get(get_raw_response=True).headers["Content-Type"] == "application/json"


def test_an_account_is_addressed_by_its_id_too(
    account: kloudless.Account, ada: Person, world: World
) -> None:
    with kloudless.Account(token=ada.token, account_id=ada.account_id) as named:
        assert named.get().data == account.get().data
    assert account.get().data["href"] == f"{world.address}/v1/accounts/{ada.account_id}"


def test_a_list_is_a_list_of_resources_that_know_where_they_are(
    account: kloudless.Account,
) -> None:
    """Dispatch by ``type``; resources follow ``href``."""
    listed = account.get("cal/calendars")
    assert isinstance(listed, ResourceList)
    assert {one.data["name"] for one in listed} == {"Work", "Home", "Club"}
    for one in listed:
        assert isinstance(one, Resource)
        fetched = account.get(f"cal/calendars/{one.data['id']}").data
        assert fetched == one.data
        before = dict(one.data)
        one.data["name"] = "forgotten"
        one.refresh()
        assert one.data == before


def test_the_primary_calendar_has_an_alias(account: kloudless.Account) -> None:
    primary = account.get("cal/calendars/primary")
    assert primary.data["id"] != "primary"
    assert primary.data["id"] in {one.data["id"] for one in account.get("cal/calendars")}
    assert primary.get("events").data["type"] == "object_list"


@pytest.mark.parametrize("size", [1, 2, 3, 100])
def test_pages_of_calendars_are_followed(account: kloudless.Account, size: int) -> None:
    """``next_page`` is always there, so nothing is guessed."""
    first = account.get("cal/calendars", params={"page_size": size})
    assert first.next_page is not kloudless.resources.base.empty
    names = [one.data["name"] for one in first.get_paging_iterator()]
    assert sorted(names) == ["Club", "Home", "Work"]


@pytest.mark.parametrize("size", [1, 5, 12, 1000])
def test_pages_of_events_repeat_the_other_parameters(account: kloudless.Account, size: int) -> None:
    """``cal.get("events?page_size=5")`` lands on K18 with all of its query."""
    work = calendar(account, "Work")
    path = f"events?page_size={size}&instances=false&end=2026-11-11T00:00:00Z"
    names = [one.data["name"] for one in work.get(path).get_paging_iterator()]
    assert sorted(names) == sorted([*NAMES[:10], "Stand-up"])


def test_instances_of_a_series_are_listed_and_found(account: kloudless.Account) -> None:
    work = calendar(account, "Work")
    listed = list(work.get("events", params={"start": "2026-11-01"}).get_paging_iterator())
    stand_ups = [one for one in listed if one.data["name"] == "Stand-up"]
    assert [one.data["start"][:10] for one in stand_ups] == [
        "2026-11-02",
        "2026-11-09",
        "2026-11-16",
    ]
    for one in stand_ups:
        before = dict(one.data)
        one.refresh()
        assert one.data == before


@pytest.mark.parametrize("size", [1, 4, 1000])
def test_the_stream_is_read_to_its_end_and_resumed(
    account: kloudless.Account, ada: Person, size: int
) -> None:
    """Recognised by its path; ends with the first empty page; that cursor stays good."""
    stream = account.get("events", params={"page_size": size})
    assert stream.is_retrieving_events
    records = list(stream.get_paging_iterator())
    told = [one.data["metadata"].get("name") for one in records]
    assert set(told) >= {*NAMES, "Stand-up", "Work", "Home", "Club"}
    cursor = stream.latest_cursor
    assert not account.get("events", params={"cursor": cursor}).objects
    ada.put("club", f"new-{size}", event(f"n{size}@example.org", f"News {size}"))
    ada.sync()
    resumed = account.get("events", params={"cursor": cursor})
    news = [one.data["metadata"]["name"] for one in resumed.get_paging_iterator()]
    assert news == [f"News {size}"]
    assert not account.get("events", params={"cursor": resumed.latest_cursor}).objects
    again = account.get("events", params={"page_size": size})
    assert [one.data["id"] for one in again.get_paging_iterator()][: len(records)] == [
        one.data["id"] for one in records
    ]


def test_reading_stops_where_the_caller_says(account: kloudless.Account) -> None:
    stream = account.get("events", params={"page_size": 2})
    assert len(list(stream.get_paging_iterator(max_resources=5))) == 5


def test_raw_data_comes_when_it_is_asked_for(account: kloudless.Account) -> None:
    work = calendar(account, "Work")
    plain = work.get("events", params={"page_size": 1}, get_raw_data=False)
    assert all("raw" not in one.data for one in plain)
    raw = work.get("events", params={"page_size": 3}, get_raw_data=True)
    for one in raw.get_paging_iterator():  # the header goes along to every page
        assert one.data["raw"]["object"]["ical"].startswith("BEGIN:VCALENDAR")


def test_errors_are_told_apart_by_status_and_name_the_request(
    account: kloudless.Account, ada: Person
) -> None:
    with pytest.raises(NotFoundException) as missing:
        account.get("cal/calendars/cal_none")
    assert missing.value.error_data["error_code"] == "not_found"
    assert missing.value.error_data["id"] in str(missing.value)
    assert missing.value.response.headers["X-Request-Id"] == missing.value.error_data["id"]
    with pytest.raises(APIException) as wrong:
        account.get("cal/calendars", params={"page_size": 0})
    assert wrong.value.status == 400
    with kloudless.Account(token="nobody's") as stranger, pytest.raises(AuthorizationException):  # noqa: S106
        stranger.get()
    narrow = ada.narrow("read_account", profile=True)
    with kloudless.Account(token=narrow) as reader, pytest.raises(ForbiddenException) as lacking:
        reader.get("cal/calendars")
    assert lacking.value.error_data["error_code"] == "insufficient_scope"


def test_a_token_is_verified_to_be_of_the_application(
    account: kloudless.Account, ada: Person
) -> None:
    """``verify_token`` reads ``client_id`` (K8), null for a token of the command line."""
    assert account.token == ada.token
    told = verify_token(None, ada.token)
    assert told["account_id"] == int(ada.account_id)
    assert get_verified_account(None, ada.token).get().data["id"] == int(ada.account_id)
    with pytest.raises(TokenVerificationFailed):
        verify_token("another application", ada.token)
    with pytest.raises(APIException) as dead:
        verify_token(None, "nobody's")
    assert dead.value.status == 400
    assert dead.value.error_data["error_code"] == "invalid_token"


def ask_until_refused(account: kloudless.Account) -> RateLimitException:
    for _ in range(20):
        try:
            account.get()
        except AuthorizationException:
            continue
        except RateLimitException as refused:
            return refused
    raise AssertionError("never refused")


def test_a_client_over_its_rate_learns_how_long_to_wait(tmp_path: Path) -> None:
    """429 carries ``Retry-After`` as a number."""
    strict = QUIET + "[limits]\nrequests_per_second = 1\nburst = 3\n"
    with running(tmp_path, strict) as world:
        configuration["base_url"] = world.address
        with kloudless.Account(token="nobody's") as hasty:  # noqa: S106
            assert ask_until_refused(hasty).retry_after >= 1


def test_an_application_reads_the_accounts_that_it_names(world: World, ada: Person) -> None:
    """``Account(api_key=K, account_id=ID)`` sends ``APIKey``; it has no account of its own."""
    key = world.ask("application", "add", "reader")["api_key"]
    configuration["base_url"] = world.address
    with kloudless.Account(api_key=key, account_id=ada.account_id) as named:
        assert named.get().data["account"] == ada.name
        assert {one.data["name"] for one in named.get("cal/calendars")} >= {"Work", "Home"}
    with (
        kloudless.Account(api_key=key, account_id="me") as nobody,
        pytest.raises(APIException) as refused,
    ):
        nobody.get()
    assert refused.value.status == 400
