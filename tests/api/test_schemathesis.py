"""Two thousand generated requests; every answer is held to the document."""

import asyncio
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import orjson
import pytest

from syncd.api.build import DIALECTS, routes
from syncd.api.openapi import openapi
from syncd.api.parts import Json, Pace
from tests.api.serving import Api, serving
from tests.api.test_contacts import WALTER
from tests.engine.ground import event, series

SHORT = Pace(longest=timedelta(milliseconds=50), longest_wait=timedelta(milliseconds=50))
REMOVALS = (  # end what the others read
    *("delete_account", "remove_profile", "revoke_profile", "delete_calendar", "delete_event"),
    *("remove_webhook", "delete_subscription"),
)
OPAQUE = {"page", "cursor", "as_of", "Last-Event-ID", "tzid"}  # right only if an answer told them
BOUND = {"end", "from", "to"}  # right only if it suits another
MATCHED = (  # operations whose body has parts that must suit one another, or more than a shape says
    *(
        "find_availability",
        "find_meeting_times",
        "pass_through",
        "create_calendar",
        "update_calendar",
        "create_event",
        "update_event",
    ),
    *("create_calendar_in_profile", "upsert_event", "delete_named_event", "run_batch"),
    *("delete_managed_events", "change_participation"),
    *("create_token_calendar", "create_tag", "change_tag"),  # names that are free
    *("create_feed", "update_feed"),  # calendars that are there, times to come
    *("create_webhook", "update_webhook", "replay_webhook"),  # addresses, versions, either or
    *("create_subscription", "update_subscription"),  # calendars that are there
    "open_channel",  # by a token of an application
    *("authorize_account", "authorize_user", "invite_person"),  # of applications that are there
    *("exchange_code", "give_tokens", "revoke_tokens"),
)
CASES = 2000


def with_ids(ids: Mapping[str, Sequence[str]]) -> Json:
    """Return the document with ids that exist in the places of paths."""
    document: Json = orjson.loads(orjson.dumps(openapi(routes(), DIALECTS)))
    for operation in _operations(document):
        for one in operation["parameters"]:
            if one["in"] == "path" and one["name"] in ids:
                one["schema"] = {"enum": ids[one["name"]]}
            if one["name"] in OPAQUE:
                one["schema"].pop("maxLength", None)  # or lines grow too long to be looked at (R23)
    return document


def guessable(document: Json) -> Json:
    """Return the document without what nobody can make up: every request of it must be taken."""
    schemas = document["components"]["schemas"]
    for operation in _operations(document):
        operation["parameters"] = [
            one for one in operation["parameters"] if one["name"] not in OPAQUE | BOUND
        ]
        for content in operation.get("requestBody", {}).get("content", {}).values():
            content["schema"] = _closed(content["schema"], schemas)
    return document


def _operations(document: Json) -> Iterator[Json]:
    for path in document["paths"].values():
        yield from path.values()


def _closed(schema: Any, schemas: Json) -> Any:  # noqa: ANN401 - JSON
    """Keep out of unknown members what R2 refuses, such as numbers beyond 64 bits."""
    if isinstance(schema, list):
        return [_closed(one, schemas) for one in schema]
    if not isinstance(schema, dict):
        return schema
    if "$ref" in schema:
        return _closed(schemas[schema["$ref"].rpartition("/")[2]], schemas)
    told = {key: _closed(value, schemas) for key, value in schema.items()}
    if told.get("type") == "object" and "additionalProperties" not in schema:
        told["additionalProperties"] = {"type": ["string", "boolean", "null"]}
    return told


async def run(api: Api, folder: Path, document: Path, *options: str) -> int:
    """Run the command line of schemathesis with all its checks; fail with what it reports.

    Return how many requests it made up.
    """
    process = await asyncio.create_subprocess_exec(
        str(Path(sys.executable).with_name("schemathesis")),
        "run",
        str(document),
        f"--url={api.url}",
        f"--header=Authorization: Bearer {api.everything}",
        "--checks=all",
        "--no-color",
        "--seed=1",
        "--generation-database=none",
        *options,
        cwd=folder,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    output, _ = await process.communicate()
    assert process.returncode == 0, output.decode()
    made = re.search(rb"(\d+) generated", output)
    assert made, output.decode()
    return int(made[1])


@pytest.mark.timeout(180)
async def test_every_answer_is_as_the_document_says(tmp_path: Path) -> None:
    """N23: no server error, no undescribed status, type, header or member, nothing wrong taken."""
    async with serving(tmp_path, pace=SHORT) as api:
        work = api.ground.server.add("/work/", primary=True)
        work.put("a.ics", event("Review"))
        work.put("b.ics", series("Stand-up"))
        api.ground.server.add_book("/people/").put_contact("a.vcf", WALTER)
        await api.ground.poll()
        whole, guess = tmp_path / "whole.json", tmp_path / "guessable.json"
        document = with_ids(await known_ids(api))
        whole.write_bytes(orjson.dumps(document))
        guess.write_bytes(orjson.dumps(guessable(document)))
        others = [f"--exclude-operation-id={one}" for one in REMOVALS]
        removals = [f"--include-operation-id={one}" for one in REMOVALS]
        taken = ("--mode=positive", "--max-examples=12")
        any_answer = ("--exclude-checks=positive_data_acceptance", "--max-examples=5")
        matched = [f"--exclude-operation-id={one}" for one in MATCHED]
        made = await run(api, tmp_path, guess, *others, *matched, *taken)
        made += await run(api, tmp_path, whole, *others, *any_answer)
        made += await run(api, tmp_path, whole, *removals, *any_answer)
    assert made >= CASES


async def known_ids(api: Api) -> Mapping[str, Sequence[str]]:
    """Return what stands for the braces of paths; some of it is shared by several routes."""
    profile = await api.ground.profile()
    (calendar,) = await api.ground.store.calendars(profile.id)
    listed = await api.json(f"/v1/accounts/{profile.id}/cal/calendars/primary/events?page_size=3")
    people = await api.json(f"/v1/accounts/{profile.id}/contact/contacts")
    return {
        "account_id": ["me", str(profile.id)],
        "profile_id": [profile.public_name, str(profile.id)],
        "calendar_id": ["primary", calendar.id],
        "event_id": [one["id"] for one in listed["objects"]],
        "contact_id": [one["id"] for one in people["objects"]],
        "subscription_id": ["default"],
    }
