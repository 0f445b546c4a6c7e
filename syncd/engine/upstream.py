"""Asking a provider while somebody waits: its failures told apart from ours (api.md R15)."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import timedelta

from syncd.model.errors import (
    InvalidError,
    MalformedReplyError,
    RejectedError,
    RelinkRequiredError,
    ThrottledError,
    TransientError,
    UpstreamError,
    UpstreamTimeoutError,
)
from syncd.model.profile import Profile
from syncd.ports.provider import Provider, Providers

PATIENCE = timedelta(seconds=30)  # R15


@asynccontextmanager
async def signed_in(providers: Providers, profile: Profile) -> AsyncIterator[Provider]:
    """Open a profile that somebody waits for; a paused one too, as only polls are paused.

    Raises RelinkRequiredError for a disconnected one without asking the provider.
    """
    if profile.refused is not None:
        raise RelinkRequiredError("the profile is disconnected", reason=profile.refused)
    async with AsyncExitStack() as stack:
        async with upstream():
            provider = await stack.enter_async_context(providers.open(profile))
        yield provider


@asynccontextmanager
async def upstream() -> AsyncIterator[None]:
    """Ask the provider inside of this, and nothing else: what it does wrong is named as its own.

    Raises UpstreamError and UpstreamTimeoutError for failures, ThrottledError where the provider
    asks for patience, RejectedError for values that it refuses.
    """
    try:
        async with asyncio.timeout(PATIENCE.total_seconds()):
            yield
    except TimeoutError as error:
        raise UpstreamTimeoutError("the provider did not answer in time") from error
    except TransientError as error:
        if error.retry_after is not None or isinstance(error, ThrottledError):
            raise ThrottledError(str(error), retry_after=error.retry_after) from error
        raise UpstreamError(str(error)) from error
    except MalformedReplyError as error:
        raise UpstreamError(str(error)) from error
    except InvalidError as error:
        raise RejectedError(
            str(error),
            field=error.field,
            code=error.code,
            fault=error.fault,
            members=error.members,
        ) from error
