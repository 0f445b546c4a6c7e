"""``syncd webhook`` and ``syncd activity tail -f`` beside a running daemon (api.md N14-N20)."""

import asyncio
import json
import signal
from typing import Any

from standardwebhooks import Webhook

from tests.journeys.daemon import Daemon
from tests.servers.receiver import Receiver, saying


async def until(daemon: Daemon, webhook: str, **wanted: object) -> Any:  # noqa: ANN401 - JSON
    """Return a webhook once it is as wanted."""
    async with asyncio.timeout(20):
        while True:
            listed = {one["id"]: one for one in await daemon.ask("webhook", "list")}
            found = listed[webhook]
            if all(found[name] == value for name, value in wanted.items()):
                return found


async def counted(daemon: Daemon, webhook: str, status: str, count: int) -> Any:  # noqa: ANN401
    """Return deliveries of a status once there are so many."""
    async with asyncio.timeout(20):
        while True:
            found = await daemon.ask("webhook", "deliveries", webhook, "--status", status)
            if len(found) == count:
                return found


async def test_a_webhook_is_added_tested_paused_replayed_and_removed(connected: Daemon) -> None:
    """Each subcommand once, over a receiver that verifies."""
    async with Receiver.listening() as receiver:
        types = ("--type", "profile.updated", "--type", "event.add")
        made = await connected.ask(
            *("webhook", "add", receiver.url, "--profile", "1", "--start", "beginning"),
            *(*types, "--description", "Desk"),
        )
        assert made["secret"].startswith("whsec_")
        assert (made["types"], made["description"]) == (["event.add", "profile.updated"], "Desk")
        receiver.secrets = [made["secret"]]
        tested = await connected.ask("webhook", "test", made["id"])
        assert (tested["status"], tested["response_code"], tested["error"]) == (
            *("delivered", 204, None),
        )
        await connected.ask("profile", "pause", "1")
        found = await until(connected, made["id"], behind=0)
        assert (found["status"], "secret" in found) == ("active", False)
        assert receiver.messages[-1][1]["type"] == "profile.updated"
        first = await connected.ask("webhook", "deliveries", made["id"], "--status", "delivered")
        assert [one["attempt"] for one in first] == [1] * len(first)
        new = (await connected.ask("webhook", "rotate", made["id"], "--overlap", "0"))["secret"]
        receiver.secrets = [new]  # nothing is under way: from here on this one signs
        await connected.ask("webhook", "test", made["id"])
        headers, body = receiver.requests[-1]
        assert Webhook(new).verify(body, headers)
        replayed = await connected.ask("webhook", "replay", made["id"], first[0]["id"])
        assert replayed == {"webhook_id": made["id"], "count": 1}

        held = await connected.ask("webhook", "pause", made["id"])
        assert (held["status"], held["status_reason"]) == ("disabled", "operator")
        code, _, err = await connected.run("webhook", "replay", made["id"], "--failed")
        assert (code, "enable it, then replay" in err) == (1, True)
        await connected.ask("profile", "resume", "1")
        receiver.answer = saying(503, headers={"Retry-After": "3600"})  # one attempt in this test
        await connected.ask("webhook", "resume", made["id"])
        failing = await until(connected, made["id"], status="failing")
        assert failing["next_attempt_at"] is not None
        code, out, _ = await connected.run("webhook", "test", made["id"])
        assert (code, "answered 503" in out) == (1, True)
        (failed,) = await connected.ask("webhook", "deliveries", made["id"], "--status", "failed")
        assert (failed["response_code"], failed["error"]) == (503, "answered 503")
        assert (await connected.ask("webhook", "replay", made["id"], "--failed"))["count"] == 1

        receiver.answer = None
        begin = (await connected.ask("activity", "tail", "1"))[0]["cursor"]
        behind = ("--profile", "1", "--cursor", begin)
        assert (await connected.ask("webhook", "replay", made["id"], *behind))["count"] >= 1
        _, out, _ = await connected.run("webhook", "deliveries", made["id"], "--limit", "1")
        assert out.count("dlv_") == 1  # for people, a table

        gone = await connected.ask("webhook", "remove", made["id"])
        assert (gone["id"], gone["removed"]) == (made["id"], True)
        assert await connected.ask("webhook", "list") == []
    assert receiver.faults == []


async def test_resuming_one_that_fails_tries_it_again_at_once(connected: Daemon) -> None:
    """N15: whoever has mended the endpoint says so."""
    async with Receiver.listening() as receiver:
        receiver.answer = saying(503, headers={"Retry-After": "3600"})
        made = await connected.ask("webhook", "add", receiver.url, "--start", "beginning")
        await until(connected, made["id"], status="failing")
        receiver.answer = None
        resumed = await connected.ask("webhook", "resume", made["id"])
        assert (resumed["status"], resumed["next_attempt_at"]) == ("active", None)
        await until(connected, made["id"], status="active", behind=0)
        assert len(receiver.messages) == len(set(receiver.ids)) > 0


async def test_a_replay_that_failed_outlives_the_daemon(connected: Daemon) -> None:
    """N20: killed while it waits, it goes out when the next daemon finds it due."""
    async with Receiver.listening() as receiver:
        made = await connected.ask("webhook", "add", receiver.url, "--start", "beginning")
        await until(connected, made["id"], behind=0)
        delivery = (await connected.ask("webhook", "deliveries", made["id"]))[-1]
        receiver.answer = saying(500)
        receiver.messages.clear()
        await connected.ask("webhook", "replay", made["id"], delivery["id"])
        await counted(connected, made["id"], "failed", 1)
        (waits,) = await counted(connected, made["id"], "pending", 1)
        assert (waits["attempt"], waits["next_attempt_at"] is None) == (2, False)
        await connected.kill()
        receiver.answer = None
        await connected.start()
        await counted(connected, made["id"], "pending", 0)
        assert receiver.ids == [delivery["message_id"]]
        assert (await until(connected, made["id"]))["status"] == "active"


async def test_a_webhook_is_shown_and_changed(connected: Daemon) -> None:
    """N15: what the API can."""
    url, other = "https://app.example/", "https://other.example/"
    shown = await connected.ask("profile", "show", "1")
    calendar = shown["calendars"][0]["calendar_id"]
    made = await connected.ask("webhook", "add", url, "--profile", "1", "--calendar", calendar)
    assert made.pop("secret").startswith("whsec_")
    assert made["calendars"] == [calendar]
    assert await connected.ask("webhook", "show", made["id"]) == made
    words = ("--url", other, "--type", "event.add", "--all-calendars", "--description", "Desk")
    changed = await connected.ask("webhook", "change", made["id"], *words)
    assert changed == {
        **made,
        "url": other,
        "types": ["event.add"],
        "calendars": [],
        "description": "Desk",
    }
    back = ("--calendar", calendar, "--all-types")
    again = await connected.ask("webhook", "change", made["id"], *back)
    assert (again["calendars"], again["types"], again["url"]) == ([calendar], [], other)


async def test_what_cannot_be_is_a_sentence_that_says_what_to_do(connected: Daemon) -> None:
    url = "https://app.example/"
    cases: list[tuple[tuple[str, ...], int, str]] = [
        (("test", "whk_no"), 1, "no webhook whk_no; `syncd webhook list` shows them all"),
        (("rotate", "whk_no", "--overlap", "soon"), 2, "write 90d, 12h or 30m"),
        (("add", "app.example"), 2, "must be an http or https URL"),
        (
            ("add", url, "--type", "event.moved"),
            2,
            "event.moved is no type; there are calendar.add",
        ),
        (("add", url, "--format", "nats"), 2, "standard, cloudevents or kloudless"),
        (("add", url, "--format", "kloudless"), 2, "name it with --application"),
        (("add", url, "--profile", "9"), 1, "syncd profile list"),
        (("add", url, "--start", "yesterday"), 2, "or --profile"),
        (("add", url, "--calendar", "cal_no"), 2, "there is no calendar cal_no in its profiles"),
        (("add", "http://10.0.0.1/"), 2, "[outbound] allow_private"),
        (("show", "whk_no"), 1, "no webhook whk_no; `syncd webhook list` shows them all"),
        (("change", "whk_no", "--url", url), 1, "no webhook whk_no"),
        (("change", "whk_no"), 2, "name what changes: --url, --type, --all-types, --calendar"),
        (("add", url, "--description", "d" * 1025), 2, "at most 1,024 characters"),
    ]

    async def tried(words: tuple[str, ...], code: int, told: str) -> None:
        found, out, err = await connected.run("webhook", *words, "-o", "json")
        assert (found, out) == (code, ""), (words, err)
        assert told in " ".join(err.split())
        assert "Traceback" not in err

    async with asyncio.TaskGroup() as group:
        for words, code, told in cases:
            group.create_task(tried(words, code, told))
    made = await connected.ask("webhook", "add", "https://app.example/")
    await tried(("replay", made["id"]), 2, "name a delivery, --profile with --cursor, or --failed")
    longer = ("change", made["id"], "--description", "d" * 1025)
    await tried(longer, 2, "at most 1,024 characters")
    await tried(("replay", made["id"], "dlv_no"), 1, "there is no such delivery")
    await tried(("replay", made["id"], "dlv_no", "--failed"), 2, "or --failed: one of them")
    await tried(("replay", made["id"], "--failed", "--cursor", "x"), 2, "--failed: one of them")
    await tried(("deliveries", made["id"], "--status", "lost"), 2, "delivered, failed or pending")
    await tried(("deliveries", made["id"], "--limit", "0"), 2, "greater than or equal to 1")
    beyond = (await connected.ask("activity", "tail", "1"))[-1]["cursor"] + "0"
    begin = "the stream ends before this cursor; go on at"
    await tried(
        ("replay", made["id"], "--profile", "1", "--cursor", beyond), 1, f"{begin} --cursor "
    )
    await tried(("add", url, "--profile", "1", "--start", beyond), 1, f"{begin} --start ")


class Tail:
    """``syncd activity tail 1 -f -o json`` in a pipeline whose other end is here."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        assert process.stdout is not None
        self.process, self.out = process, process.stdout

    @classmethod
    async def following(cls, connected: Daemon, *words: str) -> "Tail":
        return cls(
            await asyncio.create_subprocess_exec(
                *connected.command("activity", "tail", *words, "-f", "-o", "json"),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.PIPE,
            )
        )

    async def line(self) -> Any:  # noqa: ANN401 - JSON
        return json.loads(await self.out.readline())

    def leave(self) -> None:
        """Close the other end of the pipe, as ``head`` does."""
        self.process._transport.get_pipe_transport(1).close()  # type: ignore[attr-defined]  # asyncio has no public word

    async def end(self) -> tuple[int | None, str]:
        assert self.process.stderr is not None
        async with asyncio.timeout(20):
            told = await self.process.stderr.read()
            return await self.process.wait(), told.decode()


async def test_without_a_profile_all_are_followed_by_cursors_of_their_own(
    connected: Daemon,
) -> None:
    """N11, K42."""
    tail = await Tail.following(connected)
    first = await tail.line()
    assert (first["profile_id"], first["metadata"]["type"]) == ("pro_aaab", "account")
    assert first["metadata"]["relink_url"] is None
    tail.process.send_signal(signal.SIGINT)
    assert await tail.end() == (0, "")
    second = (await connected.ask("activity", "tail", "--cursor", first["cursor"]))[0]
    assert second["id"] != first["id"]
    (alone, *_) = await connected.ask("activity", "tail", "1")
    assert {**alone, "cursor": first["cursor"], "profile_id": "pro_aaab"} == first
    code, _, err = await connected.run("activity", "tail", "--cursor", alone["cursor"])
    assert (code, "not a cursor of the stream of all profiles" in err) == (1, True)


async def test_following_ends_quietly_with_its_reader_at_ctrl_c_or_with_the_daemon(
    connected: Daemon,
) -> None:
    """One object a line; ``head`` that has what it wants ends it, whether or not there is news."""
    tails = [await Tail.following(connected, "1") for _ in range(4)]
    for one in tails:
        assert (await one.line())["metadata"]["type"] == "account"
    idle, busy, stopped, left = tails
    busy.leave()
    await connected.ask("profile", "pause", "1")
    code, told = await busy.end()
    assert (code, told) == (1, "")
    while (await stopped.line())["metadata"].get("state") != "paused":
        continue
    stopped.process.send_signal(signal.SIGINT)
    assert await stopped.end() == (0, "")
    idle.leave()
    assert await idle.end() in {(0, ""), (1, "")}  # 1 if it had written meanwhile
    await connected.kill()
    code, told = await left.end()
    assert (code, told) == (69, "syncd: syncd went away before it answered\n")
