"""What a person is told of a sign-in that came to nothing."""

from dataclasses import dataclass

from aiohttp import web

from syncd.engine.consents import Back
from syncd.model.errors import (
    ForbiddenError,
    InvalidError,
    MalformedReplyError,
    MisconfiguredError,
    NotFoundError,
    OtherPersonError,
    RelinkRequiredError,
    SyncdError,
)
from syncd.model.profile import Profile
from syncd.web.page import page

WRONG = 422  # the person's own fault, and so a guess


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What went wrong, for the page; ``calm`` where the person wanted it so."""

    status: int
    message: str
    calm: bool = False


UNAVAILABLE = Told(
    status=502,
    message="This syncd is not set up for this kind of calendar at present. Please tell whoever "
    "gave you the link.",
)
EXPIRED = Told(status=403, message="This page was open for too long. Please try again.")


def told_of(error: SyncdError, profile: Profile | None = None) -> Told:
    """Return what to say; ``profile`` is the one to be reconnected, None for a new one."""
    match error:
        case OtherPersonError() if profile is not None:
            sentence = f"This is another person's login. Please sign in as {profile.login}."
            return Told(status=WRONG, message=sentence)
        case RelinkRequiredError() | InvalidError():
            return Told(status=WRONG, message=str(error))
        case _ if profile is not None:
            lost = "Nothing was changed or lost: please try again later."
            return Told(status=502, message=f"{error} {lost}")
        case NotFoundError() | MalformedReplyError() | ForbiddenError():
            return Told(status=WRONG, message=str(error))  # of the address that was typed
        case MisconfiguredError():
            return UNAVAILABLE
        case _:
            return Told(status=502, message=str(error))


def failed(request: web.Request, back: Back, *, title: str, told: Told) -> web.Response:
    """Return the page of a journey that led nowhere, with the way back to where it began."""
    return page(
        request,
        "failed.html",
        status=told.status,
        title=title,
        message=told.message,
        calm=told.calm,
        back=back.path,
    )
