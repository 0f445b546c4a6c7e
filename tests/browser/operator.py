"""What the operator of a busy syncd sees: profiles in every state, and things that went wrong."""

from datetime import timedelta
from typing import Any

from playwright.async_api import Page, expect

from syncd.model.profile import LastError, Profile, Reason
from tests.api.serving import Api
from tests.engine.ground import USER, event
from tests.store.samples import a_profile


async def admin_token(api: Api) -> str:
    return await api.token(admin=True, name="operator")


async def log_in(page: Page, api: Api, path: str = "/") -> None:
    """Open a page and log in there."""
    await at_door(page, api.url, await admin_token(api), path)


async def at_door(page: Page, url: str, token: str, path: str = "/") -> None:
    """Type a token where a page asks for one."""
    await page.goto(url + path)
    await page.get_by_label("Token").fill(token)
    await page.get_by_role("button", name="Log in").click()
    await expect(page.get_by_role("navigation", name="Main")).to_be_visible()


async def busy(api: Api) -> None:
    """Give the polled profile news and a missing mass, and others every state there is."""
    server = api.ground.server
    server.faults.no_tokens = True
    work = server.add("/work/", name="Work", primary=True)
    for number in range(40):
        work.put(f"{number}.ics", event(f"Meeting {number}", day=1 + number % 28))
    server.add("/team/", name="Team planning").put("a.ics", event("Design review", location="Room"))
    await poll(api)
    work.put("0.ics", event("Renamed meeting"))
    await poll(api)
    for number in range(1, 38):
        work.remove(f"{number}.ics")
    await poll(api)
    for profile in others(api):
        await api.ground.store.add_profile(profile, sealed={}, records=())
    for number in range(33):
        api.parts.ticker.diary.note(
            api.ground.profile_id,
            ended=number,
            seconds=0.004 + (number * 7 % 11) / 90,
            activities=3 if number % 9 == 4 else 0,
            outcome="unavailable" if number in {12, 13} else "ok",
        )


async def poll(api: Api) -> None:
    api.clock.advance(timedelta(seconds=60))
    await api.parts.ticker.poll_now(api.ground.profile_id, wait=timedelta(seconds=10))


def others(api: Api) -> list[Profile]:
    now = api.clock.now()
    well: dict[str, Any] = {
        "user_id": USER,
        "first_read": False,
        "created": now - timedelta(days=40),
        "state_since": now - timedelta(days=12),
        "polled_at": now - timedelta(seconds=21),
        "next_poll_at": now + timedelta(seconds=39),
    }
    error = LastError(
        at=now - timedelta(minutes=2),
        code="unavailable",
        message="The server does not answer in time.",
    )
    refused = LastError(
        at=now - timedelta(hours=3), code="unauthorized", message="The server refused the password."
    )
    wanted: tuple[dict[str, Any], ...] = (
        {"login": "grace@example.com", "provider": "google"},
        {"login": "linus@outlook.example", "provider": "graph", "name": "Linus"},
        {
            "login": "margaret@icloud.example",
            "provider": "icloud",
            "failures": 3,
            "last_error": error,
        },
        {"login": "alan@corp.example", "provider": "ews", "paused": True},
        {
            "login": "edsger@dav.example",
            "refused": Reason.CREDENTIALS_REFUSED,
            "refused_at": now,
            "last_error": refused,
            "state_since": now - timedelta(hours=3),
        },
        {
            "login": "barbara@example.com",
            "provider": "google",
            "first_read": True,
            "polled_at": None,
            "state_since": now - timedelta(seconds=5),
        },
    )
    return [a_profile(20 + at, **{**well, **fields}) for at, fields in enumerate(wanted)]
