"""Accounts: the profiles of the other dialects (api.md K1-K5)."""

from collections.abc import Sequence

from aiohttp import web

from syncd.api.answers import answer
from syncd.api.auth import covered
from syncd.api.keys import profile_of, tokens_of
from syncd.api.kloudless.objects import account_object
from syncd.api.kloudless.shapes import Account, AccountList, AccountQuery
from syncd.api.pages import cut, read_page
from syncd.api.parts import parts_of
from syncd.api.route import route
from syncd.engine.records import account_document
from syncd.model.access import Scope
from syncd.model.ids import ProfileId
from syncd.model.profile import Profile


@route(
    "GET",
    "/v1/accounts",
    scope=Scope.READ_ACCOUNT,
    query=AccountQuery,
    answer=AccountList,
)
async def list_accounts(request: web.Request, query: AccountQuery) -> web.Response:
    """List the accounts that the token covers, by id."""
    name = f"accounts|{query.service}|{query.active}"
    place = read_page(query.page, of=name)
    after = None if place.behind is None else ProfileId(place.behind[0])
    found = await _wanted(request, query, after)
    shown, around = cut(found, query.page_size, of=name, place=place)
    return answer(
        around
        | {
            "objects": [await account_object(request, profile) for profile in shown],
            "type": "object_list",
            "api": "core",
        }
    )


@route("GET", "/v1/accounts/{account_id}", scope=Scope.READ_ACCOUNT, answer=Account)
async def retrieve_account(request: web.Request) -> web.Response:
    """Return one account; `me` is the only one that the token covers."""
    body = await account_object(request, profile_of(request))
    return answer(body)


@route("DELETE", "/v1/accounts/{account_id}", scope=Scope.MANAGE_PROFILES, status=204)
async def delete_account(request: web.Request) -> web.Response:
    """Erase the credentials and what was read; the stream ends with a `delete`."""
    await parts_of(request).control.remove(profile_of(request).id)
    return web.Response(status=204)


async def _wanted(
    request: web.Request, query: AccountQuery, after: ProfileId | None
) -> Sequence[Profile]:
    """Return one page of accounts, and one more if there are more."""
    found = dict[ProfileId, Profile]()
    for token in tokens_of(request):
        taken = 0
        async for profile in covered(parts_of(request).store, token, after=after):
            if _is_wanted(profile, query):
                found[profile.id] = profile
                taken += 1
            if taken > query.page_size:
                break
    return [found[number] for number in sorted(found)][: query.page_size + 1]


def _is_wanted(profile: Profile, query: AccountQuery) -> bool:
    return (query.active is None or query.active == (profile.refused is None)) and (
        query.service is None or query.service == account_document(profile)["service"]
    )
