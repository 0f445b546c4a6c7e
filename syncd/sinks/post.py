"""One POST to somebody's endpoint, and what its answer means (api.md N17; reliability.md §10)."""

import asyncio
import errno
from collections.abc import Callable, Mapping
from datetime import timedelta

from aiohttp import (
    ClientConnectorError,
    ClientError,
    ClientResponse,
    ClientResponseError,
    ClientSession,
    ClientTimeout,
    ServerDisconnectedError,
)

from syncd.model.retry import retry_after
from syncd.model.subscription import LONGEST_RETRY_AFTER
from syncd.ports.clock import Clock
from syncd.ports.sink import Receipt

TIMEOUT = ClientTimeout(total=20, sock_connect=10)
ANSWER = 1024  # bytes kept of what was answered (O6)
_ANSWER_SECONDS = 2.0  # after a status that decides
_GONE = 410
_REDIRECTS = range(300, 400)
_NAMES_A_TIME = frozenset({429, 502, 503, 504})

Judge = Callable[[int, bytes], str | None]  # of status and answer: what is wrong with it


class Poster:
    """Posts by a guarded session (O1); what goes wrong is told of, never raised."""

    def __init__(self, session: Callable[[], ClientSession], clock: Clock) -> None:
        """Take the session anew for each request."""
        self._session = session
        self._clock = clock

    async def post(
        self, url: str, body: bytes, headers: Mapping[str, str], judge: Judge
    ) -> Receipt:
        """Try once, for 20 s; a redirect is a failure and never followed (O2)."""
        began = self._clock.monotonic()
        code, answer, error, pause = None, b"", None, None
        try:
            async with self._session().post(
                url, data=body, headers=headers, allow_redirects=False, timeout=TIMEOUT
            ) as response:
                code = response.status
                if not response.content.at_eof():
                    answer = await _beginning(response)
                if code in _NAMES_A_TIME:
                    named = response.headers.get("Retry-After")
                    pause = retry_after(named, self._clock.now(), LONGEST_RETRY_AFTER)
        except TimeoutError:
            error = "no answer within 20 s"
        except ClientConnectorError as fault:
            refused = fault.os_error.errno == errno.EACCES  # the address guard's (O1)
            error = "this address may not be reached" if refused else f"no connection: {fault}"
        except ServerDisconnectedError:
            error = "the connection was closed without an answer"
        except ClientResponseError as fault:  # its status is of the library, not of the endpoint
            error = f"the answer is no HTTP: {fault.message.partition(chr(10))[0].rstrip(':')}"[
                :200
            ]
        except (ClientError, OSError, ValueError) as fault:
            error = f"{type(fault).__name__}: {fault}"[:200]
        return Receipt(
            took=timedelta(seconds=max(0.0, self._clock.monotonic() - began)),
            code=code,
            answer=answer,
            error=error if code is None else judge(code, answer),
            gone=code == _GONE,
            retry_after=pause,
            at=self._clock.now(),
        )


def any_success(code: int, _answer: bytes) -> str | None:
    """Take every 2xx for delivered."""
    if 200 <= code < 300:  # noqa: PLR2004 - as the docstring says
        return None
    if code in _REDIRECTS:
        return f"answered {code}: redirects are not followed, change the url"
    return f"answered {code}"


async def _beginning(response: ClientResponse) -> bytes:
    """Return the first 1 KiB of an answer; its status decides, so what breaks here is no fault."""
    found = b""
    try:
        async with asyncio.timeout(_ANSWER_SECONDS):
            while len(found) < ANSWER and not response.content.at_eof():
                found += await response.content.read(ANSWER - len(found))
    except (ClientError, OSError, TimeoutError):
        response.close()
    return found
