"""Webhooks, as the command line sets them up (api.md N14-N20)."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

from syncd.engine.applications import Applications
from syncd.engine.subscriptions import OVERLAP
from syncd.engine.webhook_documents import delivery_document, webhook_document
from syncd.model.access import Application
from syncd.model.errors import InvalidError, NotFoundError
from syncd.model.ids import CalendarId
from syncd.model.reach import Reach
from syncd.model.subscription import WEBHOOK_FORMATS, Format, Outcome, Subscription, Word
from syncd.runtime.operations.access import user_named
from syncd.runtime.operations.names import profile_named, telling_where_to_go_on
from syncd.runtime.wiring import Core

_MOST = 1000

Json = dict[str, Any]


async def add(  # noqa: PLR0913 - what may be asked for
    core: Core,
    *,
    url: str,
    user: str | None = None,
    profile: str | None = None,
    application: str | None = None,
    types: Sequence[str] = (),
    calendars: Sequence[str] = (),
    format: str = Format.STANDARD,  # noqa: A002 - as it is called
    description: str | None = None,
    start: str = "now",
) -> Json:
    """Have records pushed to an address; show the signing secret this once.

    Those of one profile, of a user (the default one if nobody is named), or of an application.
    """
    words = _words(types)
    if format not in WEBHOOK_FORMATS:
        raise InvalidError("the format is standard, cloudevents or kloudless", field="format")
    if sum(one is not None for one in (user, profile, application)) > 1:
        raise InvalidError("name a profile, a user or an application, one of them")
    through = None if application is None else await _application(core, application)
    if format == Format.KLOUDLESS and through is None:
        raise InvalidError(
            "an application's API key signs these: name it with --application", field="format"
        )
    asked = Subscription(
        id="",
        url=url,
        created=core.clock.now(),
        secrets=(),
        format=Format(format),
        description=description,
        words=words,
        profile_id=None if profile is None else (await profile_named(core, profile)).id,
        user_id=None if profile or application else (await user_named(core, user)).id,
        application_id=None if through is None else through.id,
        client=through.id if through is not None and format == Format.KLOUDLESS else None,
    )
    asked = replace(asked, calendars=await _calendars(core, asked, calendars))
    with telling_where_to_go_on("--start"):
        made, secret = await core.subscriptions.add(asked, start=start)
    return await _told(core, made) | {"secret": secret.reveal()}


async def list_all(core: Core) -> Sequence[Json]:
    """Return all webhooks, never their secrets."""
    found, after = list[Json](), None
    while page := await core.store.subscriptions(after=after, limit=_MOST):
        found += [await _told(core, one) for one in page]
        after = page[-1].id
    return found


async def show(core: Core, *, webhook: str) -> Json:
    """Return one webhook, never its secret."""
    return await _told(core, await _named(core, webhook))


async def change(  # noqa: PLR0913 - what may be changed
    core: Core,
    *,
    webhook: str,
    url: str | None = None,
    types: Sequence[str] | None = None,
    calendars: Sequence[str] | None = None,
    description: str | None = None,
) -> Json:
    """Change what is given; it goes on at its place, and its secret stays."""
    found = await _named(core, webhook)
    fixed = {"url": url, "types": types, "calendars": calendars}
    if found.format not in WEBHOOK_FORMATS:
        for name in (name for name, value in fixed.items() if value is not None):
            raise InvalidError(f"of {found.format} only the description changes", field=name)
    changed = replace(
        found,
        url=found.url if url is None else url,
        words=found.words if types is None else _words(types),
        calendars=(
            found.calendars if calendars is None else await _calendars(core, found, calendars)
        ),
        description=found.description if description is None else description,
    )
    return await _told(core, await core.subscriptions.change(found, changed))


async def enable(core: Core, *, webhook: str) -> Json:
    """Go on at once where it stood, also where it fails; nothing is skipped within retention."""
    found = await _named(core, webhook)
    return await _told(core, await core.subscriptions.enable(found.id, enabled=True))


async def pause(core: Core, *, webhook: str) -> Json:
    """Send nothing more until it is resumed."""
    found = await _named(core, webhook)
    return await _told(core, await core.subscriptions.enable(found.id, enabled=False))


async def rotate(
    core: Core, *, webhook: str, overlap_seconds: int = int(OVERLAP.total_seconds())
) -> Json:
    """Give a webhook a new signing secret and show it this once; the old one signs meanwhile."""
    found, overlap = await _named(core, webhook), timedelta(seconds=overlap_seconds)
    secret = await core.subscriptions.rotate(found, overlap=overlap)
    return {"id": found.id, "secret": secret.reveal(), "overlap_seconds": overlap_seconds}


async def try_out(core: Core, *, webhook: str) -> Json:
    """Send a message of type ``syncd.test`` now; return what the endpoint made of it."""
    receipt = await core.deliverer.test(await _named(core, webhook))
    return {
        "webhook_id": webhook,
        "status": Outcome.DELIVERED if receipt.error is None else Outcome.FAILED,
        "response_code": receipt.code,
        "duration_ms": int(receipt.took.total_seconds() * 1000),
        "error": receipt.error,
        "response_body": receipt.answer.decode("utf-8", "replace"),
    }


async def deliveries(
    core: Core, *, webhook: str, status: str | None = None, limit: int = 100
) -> Sequence[Json]:
    """Return attempts, newest first."""
    if status is not None and status not in {one.value for one in Outcome}:
        raise InvalidError("the status is delivered, failed or pending", field="status")
    outcome = None if status is None else Outcome(status)
    most = max(1, min(limit, _MOST))
    found = await _named(core, webhook)
    listed = await core.store.deliveries(found.id, outcome=outcome, limit=most)
    return [delivery_document(one) for one in listed]


async def replay(  # noqa: PLR0913 - what may be asked for
    core: Core,
    *,
    webhook: str,
    delivery: str | None = None,
    profile: str | None = None,
    cursor: str | None = None,
    until: str | None = None,
    failed: bool = False,
) -> Json:
    """Send again, with the same ids: one delivery, what lies behind a cursor, or what failed."""
    found = await _named(core, webhook)
    if sum((failed, delivery is not None, (profile, cursor, until) != (None, None, None))) > 1:
        raise InvalidError("name a delivery, or --profile with --cursor, or --failed: one of them")
    if failed:
        count = await core.subscriptions.replay_failed(found)
    elif delivery is not None:
        count = await core.subscriptions.replay(found, delivery)
    elif profile is not None and cursor is not None:
        number = (await profile_named(core, profile)).id
        with telling_where_to_go_on("--cursor"):
            count = await core.subscriptions.replay_from(found, number, cursor, until)
    else:
        raise InvalidError("name a delivery, --profile with --cursor, or --failed")
    return {"webhook_id": found.id, "count": count}


async def remove(core: Core, *, webhook: str) -> Json:
    """End a webhook, with all that was kept of it."""
    found = await _named(core, webhook)
    await core.subscriptions.remove(found.id)
    return {"id": found.id, "url": found.url, "removed": True}


async def _named(core: Core, webhook: str) -> Subscription:
    """Return a webhook by its id; raises NotFoundError with where to look."""
    try:
        return await core.store.subscription(webhook)
    except NotFoundError:
        raise NotFoundError(
            f"there is no webhook {webhook}; `syncd webhook list` shows them all"
        ) from None


def _words(types: Sequence[str]) -> frozenset[Word]:
    known = {one.value for one in Word}
    if wrong := sorted(set(types) - known):
        message = f"{wrong[0]} is no type; there are {', '.join(sorted(known))}"
        raise InvalidError(message, field="types")
    return frozenset(map(Word, types))


async def _calendars(
    core: Core, subscription: Subscription, names: Sequence[str]
) -> frozenset[CalendarId]:
    """Return calendars that a subscription covers; raises InvalidError for others."""
    reach = _reach(subscription)
    for name in names:
        try:
            known = await core.store.calendar(CalendarId(name))
            covered = reach.covers(await core.store.profile(known.profile_id))
        except NotFoundError:
            covered = False
        if not covered:
            message = f"there is no calendar {name} in its profiles; `syncd profile show` has ids"
            raise InvalidError(message, field="calendars")
    return frozenset(map(CalendarId, names))


def _reach(one: Subscription) -> Reach:
    return Reach(
        everything=one.admin,
        profiles=frozenset(filter(None, [one.profile_id])),
        users=frozenset(filter(None, [one.user_id])),
        applications=frozenset(filter(None, [one.application_id])),
    )


async def _application(core: Core, name: str) -> Application:
    return await Applications(core.store, core.vault, core.clock).named(name)


async def _told(core: Core, one: Subscription) -> Json:
    return webhook_document(one, await core.store.behind_of(one.id))
