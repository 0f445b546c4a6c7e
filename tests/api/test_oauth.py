"""K8: clients ask what a token is good for before they use it."""

from datetime import timedelta

from syncd.model.access import Application, Scope
from syncd.model.ids import ApplicationId
from tests.api.serving import Api
from tests.engine.ground import on_store


async def test_a_live_token_is_told_its_account_and_scopes(api: Api) -> None:
    token = await api.token(Scope.READ_EVENTS, Scope.LIST_CALENDARS)
    assert await api.json("/v1/oauth/token/", token=token) == {
        "client_id": None,
        "account_id": api.account,
        "scope": "list_calendars read_events",
        "token_type": "Bearer",
    }


async def test_a_token_of_several_accounts_names_none(api: Api) -> None:
    """It is valid, so it is no 400, which means invalid here."""
    await on_store(api.ground.store, api.clock)
    assert (await api.json("/v1/oauth/token"))["account_id"] is None


async def test_an_application_is_told_its_client_id(api: Api) -> None:
    one = Application(id=ApplicationId("one"), name="one", created=api.clock.now())
    await api.ground.store.add_application(one)
    key = await api.token(application_id=one.id)
    sent = {"Authorization": f"APIKey {key}"}
    assert (await api.json("/v1/oauth/token", token="", headers=sent))["client_id"] == "one"


async def test_a_dead_token_is_400_and_none_at_all_401(api: Api) -> None:
    expired = await api.token(expires_at=api.clock.now() - timedelta(seconds=1))
    for dead in ("nonsense", "syncd_none_x", expired, f"{api.everything},{expired}"):
        refused = await api.get("/v1/oauth/token", token=dead)
        assert refused.status == 400
        assert (await refused.json())["error_code"] == "invalid_token"
    missing = await api.get("/v1/oauth/token", token="")
    assert missing.status == 401
    assert missing.headers["WWW-Authenticate"] == 'Bearer realm="syncd"'
