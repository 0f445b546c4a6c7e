"""A connection to NATS JetStream: made when it is needed, dropped when anything is amiss (ADR 46).

The client library is an extra, so this module is imported on use. The library is not let to
reconnect by itself: what it had buffered would then be sent behind what came later.
"""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from datetime import timedelta
from typing import Any

import structlog
from nats.aio.client import Client
from nats.errors import Error, MaxPayloadError, NoServersError
from nats.js import JetStreamContext
from nats.js.api import StreamConfig
from nats.js.errors import (
    APIError,
    NoStreamResponseError,
    NotFoundError,
    ServiceUnavailableError,
)
from nkeys import NkeysError

from syncd.model.errors import TransientError
from syncd.sinks.letters import Letter, Refused, Stored, Target

CONNECT_SECONDS = 5
CLOSE_SECONDS = 1
ANSWER_SECONDS = 20.0  # for all of a page
DUPLICATE_WINDOW = timedelta(hours=1)  # of a stream that we make
_OUT_OF_TURN = 10070  # the last message is another than the one that was expected
_IN_CREDENTIALS = (b"BEGIN NATS USER JWT", b"BEGIN USER NKEY SEED")

log = structlog.get_logger()


class JetStream:
    """Obeys ``letters.Postbox``: one connection at most; ``close`` it in the end."""

    def __init__(self, target: Target) -> None:
        """Remember where; connect on use."""
        self._target = target
        self._client: Client | None = None
        self._context: JetStreamContext | None = None
        self._lost = asyncio.Event()
        self._opening = asyncio.Lock()
        self._well: bool | None = None  # as the log was last told

    async def publish(self, letters: Sequence[Letter]) -> Sequence[Stored | Refused]:
        """Send all, then wait for the answers; return them in order, up to the first refusal."""
        context = await self._opened()
        told = await self._told(context, letters)
        last = told[-1] if told else None
        if isinstance(last, Refused):
            if not last.out_of_turn:
                await self.close()  # the next attempt looks again whether the stream is there
            return told
        if len(told) == len(letters):
            return told
        lost = self._lost.is_set()
        await self.close()  # what is still under way must not arrive behind a new attempt
        why = "the connection was lost" if lost else f"no answer within {ANSWER_SECONDS:.0f} s"
        return [*told, Refused(why=why)]

    async def examine(self) -> str:
        """Connect, and return in a sentence what is there; raises TransientError."""
        context = await self._opened()
        try:
            found = await context.stream_info(self._target.stream)
        except (Error, OSError) as error:
            raise TransientError(_sentence(error, self._target)) from None
        window = timedelta(seconds=found.config.duplicate_window or 0)
        return (
            f"stream {self._target.stream}: {found.state.messages} messages, "
            f"duplicates are dropped for {window}"
        )

    async def close(self) -> None:
        """Drop the connection, if there is one."""
        client, self._client, self._context = self._client, None, None
        if client is not None:
            await _end(client)

    async def _opened(self) -> JetStreamContext:
        async with self._opening:
            if self._context is not None and not self._lost.is_set():
                return self._context
            await self.close()
            try:
                self._context = await self._open()
            except TransientError as error:
                if self._well is not False:
                    log.warning("nats.unavailable", why=str(error))
                self._well = False
                raise
            if self._well is not True:
                log.info("nats.connected", stream=self._target.stream)
            self._well = True
            return self._context

    async def _open(self) -> JetStreamContext:
        """Connect to the first server that lets us, and see that the stream is there."""
        why = ""
        for server in self._target.servers:
            try:
                self._client = await self._connect(server)
                context = self._client.jetstream(timeout=CONNECT_SECONDS)
                await self._ensure_stream(context)
            except (Error, NkeysError, OSError, ValueError) as error:
                await self.close()
                why = f"{server}: {_sentence(error, self._target)}"
            except BaseException:
                await self.close()
                raise
            else:
                return context
        raise TransientError(why)

    async def _connect(self, server: str) -> Client:
        async def lost() -> None:
            self._lost.set()

        async def hear(error: Exception) -> None:
            heard.append(error)

        heard, given = list[Exception](), _secrets(self._target)
        self._lost = asyncio.Event()
        client = Client()
        try:
            async with asyncio.timeout(CONNECT_SECONDS):
                await client.connect(
                    server,
                    name="syncd",
                    allow_reconnect=False,
                    max_reconnect_attempts=1,  # without a number it would try for ever
                    reconnect_time_wait=0,
                    connect_timeout=CONNECT_SECONDS,
                    error_cb=hear,
                    closed_cb=lost,
                    disconnected_cb=lost,
                    **given,
                )
        except NoServersError:
            await _end(client)
            raise (heard or [ConnectionError("it cannot be reached")])[-1] from None
        except BaseException:
            await _end(client)
            raise
        return client

    async def _ensure_stream(self, context: JetStreamContext) -> None:
        target = self._target
        with suppress(NotFoundError):
            await context.stream_info(target.stream)
            return
        await context.add_stream(
            StreamConfig(
                name=target.stream,
                description="what syncd recorded",
                subjects=[f"{target.subject}.>"],
                max_age=target.retention.total_seconds(),
                duplicate_window=min(DUPLICATE_WINDOW, target.retention).total_seconds(),
            )
        )
        log.info("nats.stream_made", stream=target.stream)

    async def _told(
        self, context: JetStreamContext, letters: Sequence[Letter]
    ) -> list[Stored | Refused]:
        """Return what is answered, in order, until somebody refuses or nobody answers any more."""
        told = list[Stored | Refused]()
        async with asyncio.TaskGroup() as group:
            # begun in order, and each is on its way before the next one begins
            tasks = [group.create_task(self._send(context, letter)) for letter in letters]
            lost = group.create_task(self._lost.wait(), name="nats lost")
            for task in tasks:
                either: set[asyncio.Task[Any]] = {task, lost}
                await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
                answer = task.result() if task.done() else None
                if answer is not None:
                    told.append(answer)
                if not isinstance(answer, Stored):
                    break
            lost.cancel()
            for task in tasks:
                task.cancel()
        return told

    async def _send(self, context: JetStreamContext, letter: Letter) -> Stored | Refused | None:
        """Return the server's answer to one letter, None without any."""
        target = self._target
        try:
            ack = await context.publish(
                letter.subject,
                letter.body,
                timeout=ANSWER_SECONDS,
                stream=target.stream,
                headers=dict(letter.headers),
            )
        except APIError as error:
            out_of_turn = error.err_code == _OUT_OF_TURN
            return Refused(why=_sentence(error, target), out_of_turn=out_of_turn)
        except (MaxPayloadError, NoStreamResponseError) as error:
            return Refused(why=_sentence(error, target))
        except (Error, OSError):
            return None
        return Stored(stream=ack.stream, sequence=ack.seq, duplicate=bool(ack.duplicate))


async def _end(client: Client) -> None:
    """Close a connection; behind a handshake that failed the library would wait for ever."""
    with suppress(TimeoutError):
        async with asyncio.timeout(CLOSE_SECONDS):
            await client.close()


def _secrets(target: Target) -> dict[str, Any]:
    """Return what signs us in; raises ValueError and OSError for files that cannot be used."""
    given = dict[str, Any]()
    if target.token_file is not None:
        given["token"] = target.token_file.read_text("utf-8").strip()
    if target.credentials_file is not None:
        text = target.credentials_file.read_bytes()
        if not all(part in text for part in _IN_CREDENTIALS):  # the library would read for ever
            raise ValueError(f"{target.credentials_file} holds no NATS credentials")
        given["user_credentials"] = target.credentials_file
    return given


def _sentence(error: BaseException, target: Target) -> str:
    """Return what the operator can do something about."""
    match error:
        case NoStreamResponseError():
            return (
                f"no stream takes {target.subject}.…: add the subject {target.subject}.> to "
                f"the stream {target.stream}"
            )
        case ServiceUnavailableError():
            return f"JetStream does not answer: {error.description or 'is it enabled?'}"
        case APIError():
            return f"{error.description} (JetStream error {error.err_code})"
        case TimeoutError():
            return "no answer in time"
        case _:
            return str(error) or type(error).__name__
