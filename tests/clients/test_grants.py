"""W1 to W3: the official clients get, refresh and end tokens for people whom they send here."""

from typing import Any

import kloudless
import pycronofy
import pytest
from kloudless import application
from kloudless.config import configuration
from kloudless.exceptions import OauthFlowFailed, TokenVerificationFailed
from pycronofy import settings
from pycronofy.exceptions import PyCronofyRequestError

from tests.clients.node import NodeClient, RefusedError
from tests.clients.world import World

BACK = "https://desk.example/back"


@pytest.fixture(scope="module")
def desk(world: World) -> Any:  # noqa: ANN401 - JSON
    """An application of syncd."""
    configuration["base_url"] = settings.API_BASE_URL = settings.APP_BASE_URL = world.address
    return world.application("grants", "--redirect-uri", BACK)


@pytest.fixture
def cronofy(desk: Any) -> pycronofy.Client:  # noqa: ANN401 - JSON
    return pycronofy.Client(client_id=desk["client_id"], client_secret=desk["client_secret"])


def test_kloudless_gets_a_token_from_a_code(world: World, desk: Any) -> None:  # noqa: ANN401
    """W1: the API key is the client secret; a wrong state never gets that far."""
    url, state = application.get_authorization_url(desk["client_id"], BACK, scope="any")
    login = world.stranger("work")
    back = world.sign_in(url, login)
    with pytest.raises(OauthFlowFailed, match="state"):
        application.get_token_from_code(desk["client_id"], desk["api_key"], "other", BACK, **back)
    token = application.get_token_from_code(desk["client_id"], desk["api_key"], state, BACK, **back)
    verified = application.verify_token(desk["client_id"], token)
    with kloudless.Account(token=token) as account:
        told = account.get().data
        assert (told["id"], told["account"]) == (verified["account_id"], login)
    with pytest.raises(TokenVerificationFailed):
        application.verify_token("app_other", token)
    with pytest.raises(kloudless.exceptions.APIException):
        application.get_token_from_code(desk["client_id"], desk["api_key"], state, BACK, **back)
    with pytest.raises(kloudless.exceptions.APIException):
        application.verify_token(desk["client_id"], token)


def test_kloudless_is_told_what_went_wrong(world: World, desk: Any) -> None:  # noqa: ANN401
    """W1: it reads ``error`` and ``error_description``, both."""
    url, state = application.get_authorization_url(desk["client_id"], BACK, scope="gdrive")
    back = dict(world.turned_away(url))
    with pytest.raises(OauthFlowFailed, match="invalid_scope: "):
        application.get_token_from_code(desk["client_id"], desk["api_key"], state, BACK, **back)


def test_pycronofy_gets_refreshes_and_ends_an_authorization(
    world: World, cronofy: pycronofy.Client
) -> None:
    """W2: with ``Bearer None``, then with a dead token, in the header that is not looked at."""
    login = world.stranger("work")
    back = world.sign_in(cronofy.user_auth_link(BACK, state="its own"), login)
    assert back["state"] == "its own"
    first = cronofy.get_authorization_from_code(back["code"])
    assert not cronofy.is_authorization_expired()
    (profile,) = cronofy.list_profiles()
    assert (profile["profile_name"], profile["profile_connected"]) == (login, True)
    cronofy.auth.access_token = "syncd_dead_dead"  # noqa: S105
    with pytest.raises(PyCronofyRequestError, match="401"):
        cronofy.list_profiles()
    again = cronofy.refresh_authorization()
    assert again["refresh_token"] == first["refresh_token"]
    assert again["access_token"] != first["access_token"]
    assert [one["profile_id"] for one in cronofy.list_profiles()] == [profile["profile_id"]]
    cronofy.revoke_authorization()
    for dead in (first, again):
        client = pycronofy.Client(access_token=dead["access_token"])
        with pytest.raises(PyCronofyRequestError, match="401"):
            client.list_profiles()


def test_pycronofy_lets_go_of_a_profile(world: World, cronofy: pycronofy.Client) -> None:
    """C21."""
    back = world.sign_in(cronofy.user_auth_link(BACK), world.stranger("work"))
    cronofy.get_authorization_from_code(back["code"])
    (profile,) = cronofy.list_profiles()
    cronofy.revoke_profile(profile["profile_id"])
    assert cronofy.list_profiles() == []


def test_cronofy_node_gets_refreshes_and_ends_tokens(
    world: World,
    desk: Any,  # noqa: ANN401 - JSON
    cronofy: pycronofy.Client,
    node: NodeClient,
) -> None:
    """W3: token calls carry members of other grants; revoking sends the refresh token."""
    back = world.sign_in(cronofy.user_auth_link(BACK), world.stranger("work"))
    config = {"client_id": desk["client_id"], "client_secret": desk["client_secret"]}
    ask = {"code": back["code"], "redirect_uri": BACK}
    given = node.ask(world.address, "requestAccessToken", config, **ask)
    assert (given["token_type"], given["expires_in"]) == ("bearer", 10800)
    known = config | {one: given[one] for one in ("access_token", "refresh_token")}
    again = node.ask(world.address, "refreshAccessToken", known)
    assert again["refresh_token"] == given["refresh_token"]
    listed = node.ask(world.address, "profileInformation", known)
    assert [one["profile_id"] for one in listed["profiles"]] == [
        given["linking_profile"]["profile_id"]
    ]
    node.ask(world.address, "revokeAuthorization", known)
    for method in ("refreshAccessToken", "profileInformation"):
        with pytest.raises(RefusedError) as refused:
            node.ask(world.address, method, known)
        assert refused.value.status == (400 if method == "refreshAccessToken" else 401)
