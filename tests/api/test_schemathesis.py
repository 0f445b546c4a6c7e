"""Some hundred generated requests; every answer is held to the document."""

import asyncio
import sys
from datetime import timedelta
from pathlib import Path

import orjson
import pytest

from syncd.api.build import DIALECTS, routes
from syncd.api.openapi import openapi
from syncd.api.parts import Pace
from tests.api.serving import Api, serving
from tests.engine.ground import event, series

SHORT = Pace(longest=timedelta(milliseconds=50), longest_wait=timedelta(milliseconds=50))
REMOVAL = "remove_profile"  # ends what the others read


OPAQUE = {"page", "cursor", "as_of", "Last-Event-ID"}  # right only if an answer told them
BOUND = {"end"}  # right only if it suits another


def guessable() -> bytes:
    """Return the document without what nobody can make up."""
    document = openapi(routes(), DIALECTS)
    for operations in document["paths"].values():
        for one in operations.values():
            one["parameters"] = [
                each for each in one["parameters"] if each["name"] not in OPAQUE | BOUND
            ]
    return orjson.dumps(document)


async def run(api: Api, folder: Path, document: str, *options: str) -> None:
    """Run the command line of schemathesis with all its checks; fail with what it reports."""
    process = await asyncio.create_subprocess_exec(
        str(Path(sys.executable).with_name("schemathesis")),
        "run",
        document,
        f"--url={api.url}",
        f"--header=Authorization: Bearer {api.everything}",
        "--no-color",
        "--seed=1",
        "--max-examples=5",
        "--generation-database=none",
        *options,
        cwd=folder,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    output, _ = await process.communicate()
    assert process.returncode == 0, output.decode()


@pytest.mark.timeout(180)
async def test_every_answer_is_as_the_document_says(tmp_path: Path) -> None:
    """N23: no server error, no undescribed status, type, header or member, nothing wrong taken."""
    guess = tmp_path / "guessable.json"
    guess.write_bytes(guessable())
    async with serving(tmp_path, pace=SHORT) as api:
        work = api.ground.server.add("/work/", primary=True)
        work.put("a.ics", event("Review"))
        work.put("b.ics", series("Stand-up"))
        await api.ground.poll()
        whole, others = f"{api.url}/openapi.json", f"--exclude-operation-id={REMOVAL}"
        await run(api, tmp_path, str(guess), others)
        await run(api, tmp_path, whole, others, "--exclude-checks=positive_data_acceptance")
        await run(api, tmp_path, whole, f"--include-operation-id={REMOVAL}")
