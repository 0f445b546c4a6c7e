"""Webhooks: subscriptions that are pushed to (api.md N14, N15, N19, N20)."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

import orjson
from aiohttp import web

from syncd.api.address import base_url
from syncd.api.answers import answer
from syncd.api.auth import calendar_covered, check_scope, profile_named
from syncd.api.keys import tokens_of
from syncd.api.native.webhook_shapes import (
    NewSecret,
    NewWebhook,
    ReplayBody,
    Replayed,
    RotateBody,
    TestOutcome,
    WebhookBody,
    WebhookChange,
    WebhookList,
    WebhookObject,
)
from syncd.api.owned import owner_of, reaches
from syncd.api.pages import cut, read_page
from syncd.api.params import Paged
from syncd.api.parts import Json, parts_of
from syncd.api.problems import invalid
from syncd.api.route import route
from syncd.api.versions import check_demanded, etag, versioned
from syncd.engine.webhook_documents import webhook_document
from syncd.model.access import Scope, Token
from syncd.model.errors import NotFoundError
from syncd.model.ids import ApplicationId, CalendarId, ProfileId
from syncd.model.subscription import WEBHOOK_FORMATS, Format, Outcome, Reason, Subscription

_ALL = "/v1/webhooks"
ONE = f"{_ALL}/{{webhook_id}}"
_MOVING = frozenset({"behind", "last_delivery_at", "next_attempt_at"})
_OF_CHANNELS = frozenset({"enabled", "description"})  # can be changed of one (C13), and of NATS
_FIXED = {
    Format.CRONOFY: "a channel is what it was opened as: open another one",
    Format.NATS: "the settings say the rest of it: change [nats]",
}
_SORTED = orjson.OPT_SORT_KEYS


@route(
    "POST",
    _ALL,
    scope=Scope.MANAGE_WEBHOOKS,
    body=WebhookBody,
    status=201,
    answer=NewWebhook,
    errors=(410, 422),
    idempotent=True,
    headers=("ETag", "Location"),
)
async def create_webhook(request: web.Request, body: WebhookBody) -> web.Response:
    """Have records pushed to an address; the signing secret is shown only now.

    Needs `read_events` beside `manage_webhooks`.
    """
    parts = parts_of(request)
    token = check_scope(tokens_of(request), Scope.READ_EVENTS)[0]
    asked = Subscription(
        id="",
        url=body.url,
        created=parts.clock.now(),
        secrets=(),
        format=body.format,
        description=body.description,
        words=frozenset(body.types),
        profiles=await _profiles(request, body.profiles),
        calendars=await _calendars(request, body.calendars),
        profile_id=token.profile_id,
        user_id=None if token.profile_id else token.user_id,
        application_id=None if token.user_id or token.profile_id else token.application_id,
        admin=token.admin,
        client=_client(token, body.format),
        grant_id=token.grant_id,
        reason=None if body.enabled else Reason.OPERATOR,
    )
    made, secret = await parts.subscriptions.add(asked, start=body.start)
    told = await webhook_object(request, made)
    place = {"Location": f"{base_url(request)}{_ALL}/{made.id}"}
    shown = orjson.dumps(told | {"secret": secret.reveal()})
    return versioned(request, shown, _tag(told), place, status=201)


@route("GET", _ALL, scope=Scope.MANAGE_WEBHOOKS, query=Paged, answer=WebhookList)
async def list_webhooks(request: web.Request, query: Paged) -> web.Response:
    """List the webhooks of the token's profile, user or application, by id."""
    token = tokens_of(request)[0]
    name = f"webhooks|{token.id}"
    place = read_page(query.page, of=name)
    after = None if place.behind is None else str(place.behind[0])
    found = await parts_of(request).store.subscriptions(
        **owner_of(token), after=after, limit=query.page_size + 1
    )
    shown, around = cut(found, query.page_size, of=name, place=place)
    return answer(around | {"objects": [await webhook_object(request, one) for one in shown]})


@route(
    "GET",
    ONE,
    scope=Scope.MANAGE_WEBHOOKS,
    answer=WebhookObject,
    more={304: None},
    headers=("ETag",),
    takes=("If-None-Match",),
)
async def retrieve_webhook(request: web.Request) -> web.Response:
    """Return a webhook with how it is doing."""
    found = await webhook_named(request)
    told = await webhook_object(request, found)
    return versioned(request, orjson.dumps(told), _tag(told), {}, status=200)


@route(
    "PATCH",
    ONE,
    scope=Scope.MANAGE_WEBHOOKS,
    body=WebhookChange,
    answer=WebhookObject,
    errors=(409, 412, 422),
    headers=("ETag",),
    takes=("If-Match",),
)
async def update_webhook(request: web.Request, body: WebhookChange) -> web.Response:
    """Change a webhook; what is left out stays. `enabled` true resumes where it stood, at once.

    It does so also for one that fails, whose next attempt may be hours away.
    """
    found = await webhook_named(request, demanding=True)
    given = body.model_fields_set
    if found.format not in WEBHOOK_FORMATS and (fixed := sorted(given - _OF_CHANNELS)):
        raise invalid(_FIXED[found.format], field=fixed[0])
    reason, client = found.reason, found.client
    url = found.url if body.url is None else body.url
    form = found.format if body.format is None else body.format
    if (url, form) != (found.url, found.format) and form in WEBHOOK_FORMATS:
        client = _client(tokens_of(request)[0], form)  # nobody gets what another's key has signed
    if body.enabled is not None and body.enabled is not found.enabled:
        reason = None if body.enabled else Reason.OPERATOR
    calendars, profiles = found.calendars, found.profiles
    if body.calendars is not None:
        calendars = await _calendars(request, body.calendars)
    if body.profiles is not None:
        profiles = await _profiles(request, body.profiles)
    changed = replace(
        found,
        url=url,
        format=form,
        words=found.words if body.types is None else frozenset(body.types),
        calendars=calendars,
        profiles=profiles,
        description=body.description if "description" in given else found.description,
        client=client,
        reason=reason,
    )
    stored = await parts_of(request).subscriptions.change(found, changed, resume=bool(body.enabled))
    told = await webhook_object(request, stored)
    return versioned(request, orjson.dumps(told), _tag(told), {}, status=200)


@route(
    "DELETE",
    ONE,
    scope=Scope.MANAGE_WEBHOOKS,
    status=204,
    errors=(409, 412),
    takes=("If-Match",),
)
async def remove_webhook(request: web.Request) -> web.Response:
    """End a webhook; what was kept of it is removed."""
    found = await webhook_named(request, demanding=True)
    await parts_of(request).subscriptions.remove(found.id)
    return web.Response(status=204)


@route(
    "POST",
    f"{ONE}/rotate_secret",
    scope=Scope.MANAGE_WEBHOOKS,
    body=RotateBody,
    answer=NewSecret,
    errors=(409,),
)
async def rotate_webhook_secret(request: web.Request, body: RotateBody) -> web.Response:
    """Give a webhook a new signing secret; meanwhile the old one signs too."""
    found = await webhook_named(request)
    if found.format is Format.CRONOFY:
        raise invalid(
            "the application's client secret signs here: `syncd application rotate` renews it"
        )
    overlap = timedelta(seconds=body.overlap_seconds)
    secret = await parts_of(request).subscriptions.rotate(found, overlap=overlap)
    return answer({"secret": secret.reveal()})


@route("POST", f"{ONE}/test", scope=Scope.MANAGE_WEBHOOKS, answer=TestOutcome)
async def test_webhook(request: web.Request) -> web.Response:
    """Send a message of type `syncd.test` now, and return what the endpoint made of it."""
    receipt = await parts_of(request).deliverer.test(await webhook_named(request))
    return answer(
        {
            "status": Outcome.DELIVERED if receipt.error is None else Outcome.FAILED,
            "response_code": receipt.code,
            "duration_ms": int(receipt.took.total_seconds() * 1000),
            "error": receipt.error,
            "response_body": receipt.answer.decode("utf-8", "replace"),
        }
    )


@route(
    "POST",
    f"{ONE}/replay",
    scope=Scope.MANAGE_WEBHOOKS,
    body=ReplayBody,
    status=202,
    answer=Replayed,
    errors=(409, 410),
)
async def replay_webhook(request: web.Request, body: ReplayBody) -> web.Response:
    """Send again, with the same ids: what was never delivered, or what lies behind a cursor."""
    found, subscriptions = await webhook_named(request), parts_of(request).subscriptions
    if body.failed and (body.profile_id, body.cursor, body.until) != (None, None, None):
        raise invalid("send profile_id and cursor, or failed: true, not both", field="failed")
    if body.failed:
        return answer({"count": await subscriptions.replay_failed(found)}, status=202)
    if body.profile_id is None or body.cursor is None:
        raise invalid("send profile_id and cursor, or failed: true", field="cursor")
    (profile,) = await _profiles(request, (body.profile_id,), field="profile_id")
    count = await subscriptions.replay_from(found, profile, body.cursor, body.until)
    return answer({"count": count}, status=202)


async def webhook_named(request: web.Request, *, demanding: bool = False) -> Subscription:
    """Return the webhook of the path; 404 if it is another's, 412 if ``If-Match`` wants another."""
    found = await parts_of(request).store.subscription(request.match_info["webhook_id"])
    if not any(reaches(token, found) for token in tokens_of(request)):
        raise NotFoundError("there is no such webhook")
    if demanding:
        check_demanded(request, _tag(await webhook_object(request, found)), "webhook")
    return found


async def webhook_object(request: web.Request, one: Subscription) -> Json:
    """Return N14's object."""
    return webhook_document(one, await parts_of(request).store.behind_of(one.id))


async def _profiles(
    request: web.Request, names: Sequence[str], *, field: str = "profiles"
) -> frozenset[ProfileId]:
    """Return ids that the tokens cover; 400 for others, whether or not they are anybody's."""
    found = set[ProfileId]()
    for name in names:
        try:
            _, profile = await profile_named(parts_of(request).store, tokens_of(request), name)
        except NotFoundError as error:
            raise invalid(f"{name}: {error}", field=field) from None
        found.add(profile.id)
    return frozenset(found)


async def _calendars(request: web.Request, names: Sequence[str]) -> frozenset[CalendarId]:
    found = set[CalendarId]()
    for name in names:
        try:
            _, _, known = await calendar_covered(parts_of(request).store, tokens_of(request), name)
        except NotFoundError as error:
            raise invalid(f"{name}: {error}", field="calendars") from None
        found.add(known.id)
    return frozenset(found)


def _client(token: Token, form: Format) -> ApplicationId | None:
    """Return the application whose key signs in this format (K46); 400 if there is none."""
    if form is not Format.KLOUDLESS:
        return None
    if token.application_id is None:
        raise invalid(
            "an application's API key signs these: send that key, or a token that a person gave "
            "to the application",
            field="format",
        )
    return token.application_id


def _tag(told: Json) -> str:
    """Return the tag of what people set and see change, not of what every delivery moves."""
    return etag(orjson.dumps({key: told[key] for key in told.keys() - _MOVING}, option=_SORTED))
