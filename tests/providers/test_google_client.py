"""Google's own client reads and writes the fake (providers.md 10.4)."""

import asyncio
from typing import Any

import pytest
from google.oauth2.credentials import Credentials
from googleapiclient.discovery import build
from googleapiclient.errors import HttpError

from tests.providers.google import google_desk
from tests.servers.google import OWNER, GoogleServer, at


def journey(url: str, token: str) -> dict[str, Any]:
    """Return what the client saw, in a thread of its own."""
    with build(
        "calendar",
        "v3",
        credentials=Credentials(token),  # type: ignore[no-untyped-call]
        static_discovery=True,
        client_options={"api_endpoint": f"{url}/"},
    ) as service:
        events = service.events()
        made = events.insert(
            calendarId=OWNER,
            body={"id": "client00", "summary": "Hers", "start": at(24), "end": at(24, 10)},
        ).execute()
        first = events.list(calendarId=OWNER, singleEvents=False, maxResults=2500).execute()
        events.patch(calendarId=OWNER, eventId=made["id"], body={"location": "Here"}).execute()
        token = first["nextSyncToken"]
        then = events.list(
            calendarId=OWNER, singleEvents=False, maxResults=2500, syncToken=token
        ).execute()
        events.delete(calendarId=OWNER, eventId=made["id"]).execute()
        with pytest.raises(HttpError) as gone:
            events.delete(calendarId=OWNER, eventId=made["id"]).execute()
        names = [one["id"] for one in service.calendarList().list().execute()["items"]]
        return {"first": first, "then": then, "gone": gone.value.status_code, "names": names}


async def test_the_real_client_and_ours_see_the_same() -> None:
    async with GoogleServer().running() as server, google_desk(server) as desk:
        server.work.put("ours", summary="Ours", start=at(25), end=at(25, 10))
        await desk.read()
        seen = await asyncio.to_thread(journey, server.url, server.tokens.access_token)
        assert [one["summary"] for one in seen["first"]["items"]] == ["Ours", "Hers"]
        assert [one["location"] for one in seen["then"]["items"]] == ["Here"]
        assert (seen["gone"], seen["names"]) == (410, [OWNER])
        assert (await desk.read()).empty
        assert server.complaints == []
