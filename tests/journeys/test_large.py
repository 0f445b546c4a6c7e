"""The daemon's memory, and everything that reads it, with records of close to a megabyte."""

from pathlib import Path

import aiohttp

from syncd.runtime.clock import SystemClock
from syncd.store.open import open_store
from tests.journeys.daemon import Daemon, configured
from tests.servers.caldav import Radicale
from tests.store.samples import a_record

LARGE, COUNT = 900_000, 25
MOST_MIB = 30  # by which a page may raise the peak; all of them at once took twice that


async def filled(daemon: Daemon) -> None:
    """Write the records while the daemon is down."""
    store = await open_store(
        f"sqlite:///{daemon.folder}/syncd.db", state_dir=daemon.folder, clock=SystemClock()
    )
    (profile,) = await store.profiles()
    for number in range(COUNT):
        body = b'{"type":"add","metadata":{"type":"event","id":"%d","name":"%b"}}'
        record = a_record(str(number), body=body % (number, b"." * LARGE))
        profile = await store.save_profile(profile, records=[record])
    await store.close()


def peak_mib(daemon: Daemon) -> int:
    assert daemon.process is not None
    status = Path(f"/proc/{daemon.process.pid}/status").read_text()
    (line,) = [one for one in status.splitlines() if one.startswith("VmHWM")]
    return int(line.split()[1]) >> 10


async def test_large_records_cost_a_page_and_are_all_read(tmp_path: Path) -> None:
    async with (
        Radicale(tmp_path / "radicale") as calendars,
        configured(tmp_path / "syncd") as daemon,
    ):
        await daemon.start()
        await daemon.connect(calendars)
        await daemon.ask("profile", "sync", "1", "--wait")
        token = (await daemon.ask("token", "create"))["token"]
        await daemon.stop()
        await filled(daemon)
        await daemon.start()
        before, seen, cursor = peak_mib(daemon), list[str](), ""
        headers = {"Authorization": f"Bearer {token}"}
        async with aiohttp.ClientSession(daemon.address, headers=headers) as session:
            while True:
                async with session.get(f"/v1/accounts/1/events?objects=event{cursor}") as answer:
                    page = await answer.json()
                cursor = f"&cursor={page['cursor']}"
                if not page["objects"]:
                    break
                seen += [one["metadata"]["id"] for one in page["objects"]]
        assert seen == [str(number) for number in range(COUNT)]
        assert peak_mib(daemon) - before < MOST_MIB
        for whose in ((), ("1",)):
            told = await daemon.ask("activity", "tail", *whose)
            events = [one["metadata"]["id"] for one in told if one["metadata"]["type"] == "event"]
            assert events == seen
