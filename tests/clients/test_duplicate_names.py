"""W2: where a provider forbids two calendars of one name, pycronofy finds the first."""

import asyncio
from pathlib import Path

import pycronofy
import pytest
from pycronofy import settings
from pycronofy.exceptions import PyCronofyRequestError

from syncd.model.abilities import Abilities
from tests.api.serving import serving


async def test_a_duplicate_name_is_refused_or_found(tmp_path: Path) -> None:
    async with serving(tmp_path) as api:
        api.ground.server.can = Abilities(unique_calendar_names=True)
        api.ground.server.add("/team/", "Team", primary=True)
        await api.ground.poll()
        settings.API_BASE_URL = api.url
        client = pycronofy.Client(access_token=api.everything)
        profile = (await api.ground.profile()).public_name
        with pytest.raises(PyCronofyRequestError) as refused:
            await asyncio.to_thread(client.create_calendar, profile, "Team")
        assert refused.value.response.status_code == 422
        assert refused.value.response.json() == {
            "errors": {
                "name": [
                    {
                        "key": "errors.duplicate_calendar_name",
                        "description": "A calendar with this name already exists and the provider "
                        "does not allow duplicates",
                    }
                ]
            }
        }
        found = await asyncio.to_thread(
            client.create_calendar, profile, "Team", error_on_duplicate=False
        )
        assert (found["calendar_name"], found["profile_id"]) == ("Team", profile)
