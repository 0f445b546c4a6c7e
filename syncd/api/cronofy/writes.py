"""Writing events: upserts, deletes, replies (api.md C9-C12)."""

from contextlib import suppress

from aiohttp import web

from syncd.api.cronofy.answers import accepted
from syncd.api.cronofy.asking import chosen, reach
from syncd.api.cronofy.bodies import ChosenBody, ChosenQuery, EventNamed, ReplyBody, UpsertBody
from syncd.api.cronofy.refusals import event_refusals, ignored, refused, writable_calendar
from syncd.api.freshness import IGNORED
from syncd.api.idempotency import object_name
from syncd.api.keys import PROFILE, calendar_of, profile_of, tokens_of
from syncd.api.parts import parts_of
from syncd.api.route import route
from syncd.engine.event_writes import Outcome
from syncd.model.access import Scope
from syncd.model.errors import NotFoundError
from syncd.model.ids import EventId
from syncd.model.managed import ManagedKey, application_of

_EVENTS = "/v1/calendars/{calendar_id}/events"
_UPSTREAM = (403, 409, 423, 502, 503, 504)


@route(
    "POST",
    _EVENTS,
    scope=Scope.CREATE_EVENT,
    body=UpsertBody,
    status=202,
    errors=_UPSTREAM,
    headers=(IGNORED,),
    idempotent=True,
)
async def upsert_event(request: web.Request, body: UpsertBody) -> web.Response:
    """Write an event: the application's own by `event_id`, or one of the user's by `event_uid`.

    The first write under an `event_id` makes the event, later ones change it. It is at the
    provider, and in the stream, when the answer comes.
    """
    writable_calendar(request)
    with event_refusals():
        outcome = await _written(request, body)
    return accepted(ignored(outcome.ignored))


async def _written(request: web.Request, body: UpsertBody) -> Outcome:
    parts, profile, known = parts_of(request), profile_of(request), calendar_of(request)
    if body.event_id:
        return await parts.managed.upsert(
            profile,
            known,
            _key(request, body.event_id),
            body.draft(new=True),
            name=object_name(request),
        )
    name = EventId(body.event_uid or "")
    try:
        return await parts.writer.update_event(profile, known, name, body.draft(new=False))
    except NotFoundError as error:
        raise refused("event_uid", "unknown", str(error)) from error


@route(
    "DELETE",
    _EVENTS,
    scope=Scope.DELETE_EVENT,
    body=EventNamed,
    status=202,
    errors=_UPSTREAM,
)
async def delete_named_event(request: web.Request, body: EventNamed) -> web.Response:
    """Delete an event, the application's own by `event_id` or any by `event_uid`.

    One that is gone already is a success.
    """
    known, parts, profile = writable_calendar(request), parts_of(request), profile_of(request)
    with event_refusals():
        if body.event_id:
            await parts.managed.delete(profile, known, _key(request, body.event_id))
        else:
            with suppress(NotFoundError):
                await parts.writer.delete_event(profile, known, EventId(body.event_uid or ""))
    return accepted()


@route(
    "POST",
    f"{_EVENTS}/{{event_uid}}/participation_status",
    scope=Scope.CHANGE_PARTICIPATION_STATUS,
    body=ReplyBody,
    status=202,
    errors=_UPSTREAM,
)
async def change_participation(request: web.Request, body: ReplyBody) -> web.Response:
    """Answer an invitation: `accepted`, `tentative` or `declined`."""
    known, event = writable_calendar(request), EventId(request.match_info["event_uid"])
    with event_refusals():
        await parts_of(request).writer.update_event(profile_of(request), known, event, body.draft())
    return accepted()


@route(
    "DELETE",
    "/v1/events",
    scope=Scope.DELETE_EVENT,
    query=ChosenQuery,
    body=ChosenBody,
    status=202,
    errors=(404, *_UPSTREAM),
)
async def delete_managed_events(
    request: web.Request, query: ChosenQuery, body: ChosenBody
) -> web.Response:
    """Delete what this application made: everywhere with `delete_all`, or in `calendar_ids`.

    The parameters stand in the query or in the body. Events of others are never touched.
    """
    names = (*query.calendar_ids, *body.calendar_ids)
    if not (names or query.delete_all or body.delete_all):
        raise refused("delete_all", "required", "required: this, or calendar_ids")
    places = chosen(await reach(request), names)
    if places:
        request[PROFILE] = next(
            (one.profile for one in places if one.profile.refused), places[0].profile
        )
    with event_refusals():
        await parts_of(request).managed.delete_all(
            [(one.profile, one.calendar) for one in places],
            application=application_of(tokens_of(request)[0]),
        )
    return accepted()


def _key(request: web.Request, own_id: str) -> ManagedKey:
    return ManagedKey(
        application=application_of(tokens_of(request)[0]),
        profile=profile_of(request).id,
        calendar=calendar_of(request).id,
        own_id=own_id,
    )
