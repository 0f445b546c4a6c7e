"""What holds for every route: who is let in, in which words one is refused."""

from tests.api.serving import Api


async def test_account_me(api: Api) -> None:
    body = await api.json("/v1/accounts/me")
    assert body["id"] == api.account
