"""Health, metrics and their checks (api.md N23): no token, no ids."""

import asyncio
from pathlib import Path

from syncd.api.parts import Check
from syncd.model.errors import TransientError
from tests.api.serving import Api, serving


async def well() -> str | None:
    return None


async def ill() -> str | None:
    return "the disk is full"


async def broken() -> str | None:
    raise TransientError("the store does not answer")


async def test_what_is_well_is_told_in_one_word(api: Api) -> None:
    for place in ("/livez", "/readyz"):
        assert await api.json(place, token="") == {"ok": True}


async def test_verbose_lists_every_check(tmp_path: Path) -> None:
    checks = (Check(name="store", ask=well), Check(name="vault", ask=well))
    async with serving(tmp_path, ready=checks) as api:
        expected = {
            "ok": True,
            "checks": [
                {"name": "store", "ok": True, "message": None},
                {"name": "vault", "ok": True, "message": None},
            ],
        }
        for query in ("?verbose", "?verbose=true", "?verbose=1"):
            assert await api.json(f"/readyz{query}", token="") == expected
        assert await api.json("/readyz?verbose=0", token="") == {"ok": True}


async def test_what_is_ill_is_503_and_says_why(tmp_path: Path) -> None:
    checks = (Check(name="disk", ask=ill), Check(name="store", ask=broken))
    async with serving(tmp_path, ready=checks, live=(checks[1],)) as api:
        ready = await api.get("/readyz", token="")
        assert ready.status == 503
        told = [one["message"] for one in (await ready.json())["checks"]]
        assert told == ["the disk is full", "the store does not answer"]
        assert (await api.get("/livez", token="")).status == 503


async def test_metrics_are_prometheus_text(tmp_path: Path) -> None:
    async def text() -> bytes:
        await asyncio.sleep(0)
        return b"syncd_polls_total 1\n"

    async with serving(tmp_path, metrics=text) as api:
        response = await api.get("/metrics", token="")
        assert await response.read() == b"syncd_polls_total 1\n"
        assert response.headers["Content-Type"].startswith("text/plain; version=0.0.4")
