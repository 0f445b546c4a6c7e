"""The user's tags, by which calendars are sorted (api.md M14)."""

from urllib.parse import quote

from aiohttp import web

from syncd.api.address import base_url
from syncd.api.mytoken.configuration import ROOT
from syncd.api.mytoken.sender import sender, told, user_of
from syncd.api.mytoken.shapes import TagAnswer, TagBody, TagChange, Tags, Updated
from syncd.api.parts import Json, parts_of
from syncd.api.route import route
from syncd.engine import labels
from syncd.model.access import Scope
from syncd.model.published import Label

_ALL = f"{ROOT}/settings/tags"
_ONE = f"{_ALL}/{{tag}}"


@route("GET", _ALL, scope=Scope.READ_TAGS, admit=sender, answer=Tags)
async def list_tags(request: web.Request) -> web.Response:
    """List the user's tags, by name; a token for calendars is enough."""
    found = await parts_of(request).store.labels(await user_of(request))
    return await told(request, {"tags": [_object(one) for one in found]})


@route(
    "POST",
    _ONE,
    scope=Scope.TAGS,
    admit=sender,
    body=TagBody,
    form=True,
    status=201,
    answer=TagAnswer,
)
async def create_tag(request: web.Request, body: TagBody) -> web.Response:
    """Make a tag."""
    store, user = parts_of(request).store, await user_of(request)
    made = await labels.add(store, user, request.match_info["tag"], body.color)
    place = f"{base_url(request)}{_ALL}/{quote(made.name, safe='')}"
    return await told(request, _object(made), status=201, location=place)


@route("PUT", _ONE, scope=Scope.TAGS, admit=sender, body=TagChange, form=True, answer=TagAnswer)
async def change_tag(request: web.Request, body: TagChange) -> web.Response:
    """Rename or colour a tag; calendars follow."""
    store, user = parts_of(request).store, await user_of(request)
    known = await labels.named(store, user, request.match_info["tag"])
    changed = await labels.change(store, known, name=body.tag, color=body.color)
    return await told(request, _object(changed))


@route("DELETE", _ONE, scope=Scope.TAGS, admit=sender, status=204, more={200: Updated})
async def remove_tag(request: web.Request) -> web.Response:
    """Remove a tag, from its calendars too; one that is not there is as good."""
    store, user = parts_of(request).store, await user_of(request)
    await labels.remove(store, user, request.match_info["tag"])
    return await told(request, None)


def _object(label: Label) -> Json:
    return {"tag": label.name, "color": label.color}
