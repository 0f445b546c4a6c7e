"""Requests of a caller's own, sent on with a profile's access token (K29, P12)."""

from collections.abc import Callable, Mapping

import aiohttp
from aiohttp import ClientResponse, ClientSession, ClientTimeout
from multidict import CIMultiDict
from yarl import URL

from syncd.model.errors import InvalidError, MalformedReplyError
from syncd.ports.passing import LARGEST_ANSWER, Passed, PassedAnswer, sent_along
from syncd.providers.answers import UnansweredError
from syncd.providers.oauth.sign_in import Tokens

TIMEOUT = ClientTimeout(total=120, sock_connect=10, sock_read=60)  # of a request to an API
_CHUNK = 64 * 2**10


async def pass_on(
    session: Callable[[], ClientSession],
    asked: Passed,
    tokens: Tokens,
    *,
    base: str,
    headers: Mapping[str, str] | None = None,
) -> PassedAnswer:
    """Send a request once to the origin of ``base``; return what comes back, whatever it is.

    ``headers`` are ours, where the caller gives no others. Raises InvalidError for an address
    elsewhere, UnansweredError.
    """
    url = _own(asked.uri, base)
    sent = CIMultiDict(headers or {})
    sent.update(sent_along())
    sent["Authorization"] = f"Bearer {await tokens()}"
    if asked.content_type is not None:
        sent["Content-Type"] = asked.content_type
    try:
        async with session().request(
            asked.method,
            url,
            data=asked.body or None,
            headers=sent,
            timeout=TIMEOUT,
            allow_redirects=False,
        ) as response:
            body = await whole_body(response, LARGEST_ANSWER)
    except (aiohttp.ClientError, TimeoutError) as error:
        raise UnansweredError(f"the provider did not answer: {error}") from error
    kind = response.headers.get("Content-Type")
    return PassedAnswer(status=response.status, body=body, content_type=kind)


async def whole_body(response: ClientResponse, most: int) -> bytes:
    """Return a whole body, counted after decompression (O4)."""
    length = response.content_length
    if length is not None and length <= _CHUNK and "Content-Encoding" not in response.headers:
        return await response.read()
    found = bytearray()
    async for chunk in response.content.iter_chunked(_CHUNK):
        found += chunk
        if len(found) > most:
            raise MalformedReplyError(f"the provider answered with more than {most >> 20} MiB")
    return bytes(found)


def _own(uri: str, base: str) -> URL:
    """Return the address that a caller named, if it is of the API's origin."""
    here = URL(base).origin()
    try:
        url = here.join(URL(uri, encoded=True))
        if url.origin() == here and url.user is None:
            return url
    except ValueError:
        pass
    raise InvalidError(f"{uri} is not an address of the provider's API")
